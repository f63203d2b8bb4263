"""A recording, or a split of a dataset, with what is known about it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr

from dss.data.recordings import Recording
from dss.data.texttables import COLUMNS
from dss.errors import DssError


@dataclass(eq=False)
class View:
    """A recording, or a split of a dataset, and what is known about it.

    Attributes:
        name: of the file or split.
        recording: the audio.
        find: functions that give the annotations and the unknown stretches, or raise a DssError.
        targets: of a split, [samples, classes], lazy; None for a recording.
        class_names: of the columns of the targets.
        cuts: [cuts] seconds where one stretch of a recording ends and the next stretch begins.
        per_second: how many units of time the files of annotations count per second.
    """

    name: str
    recording: Recording
    find: tuple[Callable[[], pd.DataFrame], Callable[[], np.ndarray]] = field(repr=False)
    targets: xr.Variable | None = field(default=None, repr=False)
    class_names: Sequence[str] = ()
    cuts: np.ndarray = field(default_factory=lambda: np.empty(0))
    per_second: float = 1.0

    @cached_property
    def annotations(self) -> pd.DataFrame:
        """The annotation table; of a split, what its targets show. Without rows if there is none.

        An event is the middle of where its target is high.
        """
        with suppress(DssError):
            return self.find[0]()
        return no_annotations()

    @cached_property
    def unknown(self) -> np.ndarray:
        """[stretches, 2] seconds that nobody annotated, where others are annotated."""
        with suppress(DssError):
            return self.find[1]()
        return np.empty((0, 2))

    def forget(self) -> None:
        """Find annotations, and what is unknown, anew when they are asked for again."""
        for name in ("annotations", "unknown"):
            vars(self).pop(name, None)

    @property
    def unknown_seconds(self) -> float:
        """How much nobody annotated: all, if there are no annotations that can be read."""
        try:
            return float(np.diff(self.find[1]()).sum())
        except DssError:
            return self.recording.duration_seconds


def no_annotations() -> pd.DataFrame:
    """An annotation table without rows."""
    return pd.DataFrame(columns=COLUMNS).astype({"name": str, **dict.fromkeys(COLUMNS[1:], float)})
