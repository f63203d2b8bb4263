"""Name many segments at once: change names and groups, undo and redo, and save."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from dss.data.annotations import annotations_path
from dss.errors import DssError
from dss.review.edits import Edits, edited_of
from dss.review.segment_features import list_segments
from dss.review.segment_groups import group_segments, largest_first, split_group
from dss.review.table_edits import checked_name
from dss.review.view import View

THROWN_OUT = ""  # the name of a segment that is not song: saving deletes its annotation


class _State(NamedTuple):
    """Names and groups at one moment; never changed in place."""

    names: np.ndarray
    groups: np.ndarray


class Naming:
    """The names and groups of the segments of recordings; nothing is written before `save`.

    Arguments:
        views: recordings from `dss.review.views.open_views`; splits cannot be saved.
        features: [segments, features] of the segments in `list_segments`.

    Attributes:
        segments: the table from `list_segments`, with the original names.
        features: as given.

    Raises: DssError if there is nothing to name, or nowhere to save.
    """

    def __init__(self, views: Sequence[View], features: np.ndarray):
        if any(view.targets is not None for view in views):
            raise DssError(
                "This is a dataset: name the segments of the recordings it was made from."
            )
        self.views = list(views)
        self._tables = [view.annotations.reset_index(drop=True) for view in self.views]
        self.segments, self.features = list_segments(self.views), features
        if len(self.segments) != len(features):
            raise DssError(
                f"features: have {len(features)} rows, but there are {len(self.segments)} segments"
            )
        names = self.segments["name"].to_numpy(object)
        self._now = self._saved = _State(names, group_segments(features))
        self._before: list[_State] = []
        self._after: list[_State] = []
        self._edits = Edits()

    @property
    def names(self) -> np.ndarray:
        """[segments] the names; empty for segments that were thrown out."""
        return self._now.names

    @property
    def groups(self) -> np.ndarray:
        """[segments] the numbers of the groups; -1 for segments in no group."""
        return self._now.groups

    @property
    def n_unsaved(self) -> int:
        """The number of segments with unsaved names."""
        return int((self._now.names != self._saved.names).sum())

    def name(self, chosen: np.ndarray, name: str) -> None:
        """Give segments a name.

        Arguments:
            chosen: [chosen] their numbers.
            name: the song type.

        Raises: DssError if there is no name, or no segment is selected.
        """
        self._put(names=self._with(self.names, chosen, checked_name(name)))

    def throw_out(self, chosen: np.ndarray) -> None:
        """Throw segments out as not song: saving deletes their annotations."""
        self._put(names=self._with(self.names, chosen, THROWN_OUT))

    def merge(self, chosen: np.ndarray) -> None:
        """Merge segments into one group."""
        new = self.groups.max(initial=-1) + 1
        self._put(groups=largest_first(self._with(self.groups, chosen, new)))

    def split(self, chosen: np.ndarray) -> int:
        """Split segments into groups that sound alike; returns the number of groups."""
        parts = split_group(self.features[chosen])
        new = self.groups.max(initial=-1) + 1
        self._put(groups=largest_first(self._with(self.groups, chosen, new + parts)))
        return int(parts.max(initial=-1) + 1)

    def undo(self) -> None:
        """Undo the last change."""
        if not self._before:
            raise DssError("There is nothing to undo.")
        self._after.append(self._now)
        self._now = self._before.pop()

    def redo(self) -> None:
        """Redo the change that was undone last."""
        if not self._after:
            raise DssError("There is nothing to redo.")
        self._before.append(self._now)
        self._now = self._after.pop()

    def save(self) -> list[Path]:
        """Write `STEM_annotations.csv` of the recordings in which names changed.

        Returns: the files.
        Raises: DssError if such a file has changed since it was read; nothing is written then.
        """
        is_changed = self.names != self._saved.names
        changed = np.unique(self.segments["view"].to_numpy(int)[is_changed])
        for number in changed:
            view = self.views[number]
            path = view.recording.path
            before = self._edits.of(path) or edited_of(view, self._tables[number])
            self._edits.put(path, before._replace(annotations=self.annotations(number)), before)
        self._edits.save()
        self._saved = self._now
        for number in changed:
            self.views[number].forget()
        return [annotations_path(self.views[number].recording.path) for number in changed]

    def annotations(self, number: int) -> pd.DataFrame:
        """The current annotation table of a view, without segments that were thrown out."""
        table = self._tables[number].copy()
        here = np.flatnonzero(self.segments["view"] == number)
        rows = self.segments["row"].to_numpy(int)[here]
        old, new = self.segments["name"].to_numpy(object)[here], self.names[here]
        table.loc[rows, "name"] = new
        if "confidence" in table:
            table.loc[rows[old != new], "confidence"] = np.nan  # it belonged to the old name
        return table.drop(index=rows[new == THROWN_OUT]).reset_index(drop=True)

    def _with(self, values: np.ndarray, chosen: np.ndarray, new) -> np.ndarray:
        if not len(chosen):
            raise DssError("Nothing is selected: draw around segments on the map, or click one.")
        values = values.copy()
        values[chosen] = new
        return values

    def _put(self, **changed) -> None:
        self._before.append(self._now)
        self._after.clear()
        self._now = self._now._replace(**changed)
