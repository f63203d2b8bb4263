"""The options of evaluation (`dss.evaluate`, `dss.predict.tuning`), the demo and the notebooks."""

from functools import partial
from pathlib import Path
from typing import Literal

from dss.options.base import Options, option

score_option = partial(option, group="Scores")


class EvaluateOptions(Options):
    """How annotations are compared (`dss.evaluate.evaluate`)."""

    tolerance_seconds: float = score_option(
        0.01,
        "Tolerance",
        "A predicted annotation is correct if a true annotation with the same name starts within "
        "this time of it.",
        unit="s",
        gt=0,
        le=60,
    )
    event_tolerance_seconds: float | None = score_option(
        None,
        "Tolerance of events",
        "The tolerance for events, which can be placed more precisely than onsets. Defaults to "
        "the tolerance above.",
        unit="s",
        gt=0,
        le=60,
    )
    offset_tolerance_seconds: float | None = score_option(
        None,
        "Tolerance of offsets",
        "If given, a predicted segment must also stop within this time of the true one.",
        unit="s",
        gt=0,
        le=60,
    )


class TuneOptions(EvaluateOptions):
    """How annotations are compared while tuning thresholds (`dss.predict.tuning.tune`)."""

    data_dir: Path | None = option(
        None,
        "Data folder",
        "The dataset whose validation split is used. Defaults to the dataset of the run.",
        group="Data",
    )


class DemoOptions(Options):
    """How the demo runs (`dss.demo.demo`)."""

    song: Literal["finch", "fly"] = option(
        "finch", "Song", "Which example recordings to use: finch or fly song.", group="Demo"
    )
    save_dir: Path = option(
        Path("dss_demo"), "Save folder", "Where the demo saves its files.", group="Demo"
    )
    seed: int = option(
        0,
        "Seed",
        "The same seed gives the same result on the same machine.",
        group="Demo",
        ge=0,
        le=2**32 - 1,
    )


class NotebooksOptions(Options):
    """How the notebooks are copied (`dss.examples.write_notebooks`)."""

    overwrite: bool = option(
        False,
        "Overwrite",
        "Replace notebooks and recordings that already exist and differ.",
        group="Notebooks",
    )
