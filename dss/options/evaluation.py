"""The options of judging (`dss.evaluate`, `dss.predict.tuning`) and of the demonstration."""

from pathlib import Path
from typing import Literal

from dss.options.base import Options, option


class EvaluateOptions(Options):
    """How annotations are compared (`dss.evaluate.evaluate`)."""

    tolerance_seconds: float = option(
        0.01,
        "Tolerance",
        "A predicted annotation is right if a true one of the same name starts within this time "
        "of it.",
        unit="s",
        group="Scores",
        gt=0,
        le=60,
    )
    event_tolerance_seconds: float | None = option(
        None,
        "Tolerance of events",
        "The same for events, which can be placed better than onsets. Defaults to the tolerance.",
        unit="s",
        group="Scores",
        gt=0,
        le=60,
    )
    offset_tolerance_seconds: float | None = option(
        None,
        "Tolerance of offsets",
        "A segment must also stop within this time of the true one. Defaults to no such condition.",
        unit="s",
        group="Scores",
        gt=0,
        le=60,
    )


class TuneOptions(EvaluateOptions):
    """How annotations are compared while thresholds are chosen (`dss.predict.tuning.tune`)."""

    data_dir: Path | None = option(
        None,
        "Data folder",
        "The dataset whose validation split is annotated. Defaults to the one of the run.",
        group="Data",
    )


class DemoOptions(Options):
    """How the demonstration runs (`dss.demo.demo`)."""

    song: Literal["finch", "fly"] = option(
        "finch", "Song", "Which of the shipped recordings: finch or fly song.", group="Demo"
    )
    save_dir: Path = option(
        Path("dss_demo"), "Save folder", "Where all that the demo makes goes.", group="Demo"
    )
    seed: int = option(
        0,
        "Seed",
        "The same seed gives the same result on the same machine.",
        group="Demo",
        ge=0,
        le=2**32 - 1,
    )
