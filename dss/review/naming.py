"""Name many segments at once: names and groups that change, with undo and redo, and are saved."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from dss.data.annotations import annotations_path
from dss.errors import DssError
from dss.review.edits import Edited, Edits, checked_name
from dss.review.segment_features import list_segments
from dss.review.segment_groups import group_segments, largest_first, split_group
from dss.review.view import View

THROWN_OUT = ""  # the name of a segment that is none: its annotation is deleted when saved


class _State(NamedTuple):
    """Names and groups at one moment; never changed in place."""

    names: np.ndarray
    groups: np.ndarray


class Naming:
    """The names and groups of the segments of recordings; nothing is written before `save`.

    Arguments:
        views: recordings, as `dss.review.views.open_views` gives them; splits have nowhere to save.
        features: [segments, features] of the segments that `list_segments` gives.

    Attributes:
        segments: the table of `list_segments`, with the names that were read.
        features: as given.

    Raises: DssError if there is nothing to name, or nowhere to save.
    """

    def __init__(self, views: Sequence[View], features: np.ndarray):
        if any(view.targets is not None for view in views):
            raise DssError("This is a dataset: name the segments of the recordings it is made of.")
        self.views = list(views)
        self._tables = [view.annotations.reset_index(drop=True) for view in self.views]
        self.segments, self.features = list_segments(self.views), features
        if len(self.segments) != len(features):
            raise DssError(f"features: of {len(features)} segments, not {len(self.segments)}")
        names = self.segments["name"].to_numpy(object)
        self._now = self._saved = _State(names, group_segments(features))
        self._before: list[_State] = []
        self._after: list[_State] = []
        self._edits = Edits()

    @property
    def names(self) -> np.ndarray:
        """[segments] the names; an empty one where a segment was thrown out."""
        return self._now.names

    @property
    def groups(self) -> np.ndarray:
        """[segments] the numbers of the groups; -1 if in none."""
        return self._now.groups

    @property
    def n_unsaved(self) -> int:
        """How many segments have another name than what was saved."""
        return int((self._now.names != self._saved.names).sum())

    def name(self, chosen: np.ndarray, name: str) -> None:
        """Give segments a name.

        Arguments:
            chosen: [chosen] their numbers.
            name: the song type.

        Raises: DssError if there is no name, or nothing is chosen.
        """
        self._put(names=self._with(self.names, chosen, checked_name(name)))

    def throw_out(self, chosen: np.ndarray) -> None:
        """Throw segments out: they are no song, and their annotations are deleted when saved."""
        self._put(names=self._with(self.names, chosen, THROWN_OUT))

    def merge(self, chosen: np.ndarray) -> None:
        """Make one group of segments."""
        new = self.groups.max(initial=-1) + 1
        self._put(groups=largest_first(self._with(self.groups, chosen, new)))

    def split(self, chosen: np.ndarray) -> int:
        """Split segments into groups that sound alike; returns how many there are."""
        parts = split_group(self.features[chosen])
        new = self.groups.max(initial=-1) + 1
        self._put(groups=largest_first(self._with(self.groups, chosen, new + parts)))
        return int(parts.max(initial=-1) + 1)

    def undo(self) -> None:
        """Take back the last change."""
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
        Raises: DssError if such a file does not hold what was read; nothing is written then.
        """
        is_changed = self.names != self._saved.names
        changed = self.segments["view"].to_numpy()[is_changed]
        edits = self._edits
        for number in np.unique(changed).astype(int):
            view = self.views[number]
            path = view.recording.path
            before = edits.of(path) or Edited(self._tables[number], per_second=view.per_second)
            edits.put(path, before._replace(annotations=self.annotations(number)), before)
        edits.save()
        self._saved = self._now
        for number in np.unique(changed).astype(int):
            self.views[number].forget()
        return [annotations_path(self.views[n].recording.path) for n in np.unique(changed)]

    def annotations(self, number: int) -> pd.DataFrame:
        """The annotation table of a view as it is now, without what was thrown out."""
        table = self._tables[number].copy()
        here = np.flatnonzero(self.segments["view"] == number)
        rows = self.segments["row"].to_numpy(int)[here]
        old, new = self.segments["name"].to_numpy(object)[here], self.names[here]
        table["name"] = table["name"].astype(object)
        table.loc[rows, "name"] = new
        if "confidence" in table:
            table.loc[rows[old != new], "confidence"] = np.nan  # it was that of another name
        table["name"] = table["name"].astype(str)
        return table.drop(index=rows[new == THROWN_OUT]).reset_index(drop=True)

    def _with(self, values: np.ndarray, chosen: np.ndarray, new) -> np.ndarray:
        if not len(chosen):
            raise DssError("Nothing is chosen: draw around segments on the map, or click on one.")
        values = values.copy()
        values[chosen] = new
        return values

    def _put(self, **changed) -> None:
        self._before.append(self._now)
        self._after.clear()
        self._now = self._now._replace(**changed)
