"""The options of evaluation (`dss.evaluate`) and of tuning (`dss.predict.tuning`)."""

from functools import partial
from pathlib import Path

from dss.options.base import Options, option
from dss.options.dataset import FileOptions

score_option = partial(option, group="Scores")


class ToleranceOptions(Options):
    """How annotations are compared."""

    tolerance_seconds: float = score_option(0.01, "Tolerance", unit="s", gt=0, le=60)
    """A predicted annotation is correct if a true annotation with the same name starts within this
    time of it."""
    event_tolerance_seconds: float | None = score_option(
        None, "Tolerance of events", unit="s", gt=0, le=60
    )
    """The tolerance for events, which can be placed more precisely than onsets. Defaults to the
    tolerance above."""
    offset_tolerance_seconds: float | None = score_option(
        None, "Tolerance of offsets", unit="s", gt=0, le=60
    )
    """If given, a predicted segment must also stop within this time of the true one."""


class EvaluateOptions(ToleranceOptions, FileOptions):
    """How annotations are compared, and how true ones are read (`dss.evaluate.evaluate`)."""

    samplerate_hz: float | None = option(None, "Sample rate", unit="Hz", group="Files", gt=0)
    """The sample rate of recordings that are elsewhere or do not store it, if times are in
    samples."""


class TuneOptions(ToleranceOptions):
    """How annotations are compared while tuning thresholds (`dss.predict.tuning.tune`)."""

    data_dir: Path | None = option(None, "Data folder", group="Data", path="dataset")
    """The dataset whose validation split is used. Defaults to the dataset of the run."""
