"""A recording, or a split of a dataset, with its annotations."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr

from dss.data.recordings import Recording
from dss.data.text_tables import COLUMNS, TIMES
from dss.data.time_units import AUTO
from dss.errors import DssError, MissingAnnotations


def no_annotations() -> pd.DataFrame:
    """An annotation table without rows."""
    return pd.DataFrame(columns=COLUMNS).astype({"name": str, **dict.fromkeys(TIMES, float)})


def no_stretches() -> np.ndarray:
    """Stretches of time without rows."""
    return np.empty((0, 2))


@dataclass(eq=False)
class View:
    """A recording, or a split of a dataset, with its annotations.

    Attributes:
        name: the name of the file or split.
        recording: the audio.
        read_annotations: returns the annotations, or raises a DssError.
        find_unknown: returns the unknown stretches, or raises a DssError.
        targets: of a split, [samples, classes], lazy; None for a recording.
        class_names: of the columns of the targets.
        cuts: [cuts] seconds where one stretch of a recording ends and the next begins.
        time_unit: of annotation files whose columns do not say it: s, ms, samples, or auto for
            seconds.
        unnamed: the name of annotations that have none in their file.
    """

    name: str
    recording: Recording
    read_annotations: Callable[[], pd.DataFrame] = field(default=no_annotations, repr=False)
    find_unknown: Callable[[], np.ndarray] = field(default=no_stretches, repr=False)
    targets: xr.Variable | None = field(default=None, repr=False)
    class_names: Sequence[str] = ()
    cuts: np.ndarray = field(default_factory=lambda: np.empty(0))
    time_unit: str = AUTO
    unnamed: str | None = None

    @property
    def annotations(self) -> pd.DataFrame:
        """The annotation table; for a split, recovered from its targets. Empty if there is none.

        An event is placed in the middle of the time where its target is high.
        """
        return self._annotations[0]

    @property
    def problem(self) -> str:
        """Why the annotations cannot be read; empty if they can, or there are none."""
        return self._annotations[1]

    @cached_property
    def _annotations(self) -> tuple[pd.DataFrame, str]:
        try:
            return self.read_annotations(), ""
        except MissingAnnotations:
            return no_annotations(), ""
        except DssError as error:
            return no_annotations(), str(error)

    @cached_property
    def unknown(self) -> np.ndarray:
        """The stretches that nobody annotated, if others are annotated: [stretches, 2] seconds."""
        with suppress(DssError):
            return self.find_unknown()
        return no_stretches()

    def forget(self) -> None:
        """Read annotations and unknown stretches again when they are needed next."""
        for name in ("_annotations", "unknown"):
            vars(self).pop(name, None)

    @property
    def unknown_seconds(self) -> float:
        """How many seconds nobody annotated: all, if there are no readable annotations."""
        try:
            return float(np.diff(self.find_unknown()).sum())
        except DssError:
            return self.recording.duration_seconds
