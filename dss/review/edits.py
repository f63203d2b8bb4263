"""Edit annotations recording by recording: undo, redo, and save."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from dss.data.annotated_stretches import write_annotated
from dss.data.annotation_files import read_named_annotations
from dss.data.annotations import (
    annotations_path,
    occurrences,
    times_of,
    write_annotations,
)
from dss.data.ownership import is_by_dss
from dss.data.stretches import union
from dss.data.time_units import AUTO
from dss.errors import DssError, raise_problems
from dss.review.table_edits import are_same
from dss.review.view import View
from dss.support.caching import stamp


class Edited(NamedTuple):
    """The manual annotations of a recording.

    Its annotation table in seconds; the annotated stretches, [stretches, 2] seconds, or None if
    unspecified; and for its file, the unit of times where columns do not say it, the sample rate
    of the recording if times are in samples, and the name of annotations that have none.
    """

    annotations: pd.DataFrame
    annotated_stretches: np.ndarray | None = None
    time_unit: str = AUTO
    samplerate_hz: float | None = None
    unnamed: str | None = None


def edited_of(
    view: View, annotations: pd.DataFrame, annotated_stretches: np.ndarray | None = None
) -> Edited:
    """The manual annotations of a view of a recording."""
    how = view.time_unit, view.recording.own_samplerate_hz, view.unnamed
    return Edited(annotations, annotated_stretches, *how)


class Edits:
    """The changes to the annotations of recordings; nothing is written before `save`."""

    def __init__(self) -> None:
        self._now: dict[Path, Edited] = {}
        self._saved: dict[Path, Edited] = {}
        self._before: list[dict[Path, Edited]] = []  # what each change replaced
        self._undone: list[dict[Path, Edited]] = []
        self._stamps: dict[Path, tuple | None] = {}

    def of(self, recording: Path) -> Edited | None:
        """The current annotations of a recording; None if they were never changed."""
        return self._now.get(recording)

    def put(self, recording: Path, edited: Edited, before: Edited) -> None:
        """Change the annotations of a recording, which have been `before` until now.

        Raises: DssError if its annotation file contains others, which would be lost.
        """
        self.put_all({recording: edited}, {recording: before})

    def put_all(self, edited: Mapping[Path, Edited], before: Mapping[Path, Edited]) -> None:
        """Change the annotations of several recordings at once: undone and redone together.

        Raises: DssError if an annotation file contains others; nothing is changed then.
        """
        new = [recording for recording in edited if recording not in self._now]
        for recording in new:
            _check_shown(recording, before[recording])
        for recording in new:
            self._saved[recording] = before[recording]
            self._stamps[recording] = stamp(annotations_path(recording))
        self._before.append({r: self._now.get(r, before[r]) for r in edited})
        self._now.update(edited)
        self._undone = []

    def undo(self) -> Path | None:
        """Undo the last change; returns the (first) recording that it changed."""
        if not self._before:
            return None
        change = self._before.pop()
        self._undone.append({recording: self._now[recording] for recording in change})
        self._now.update(change)
        for recording, edited in change.items():
            if edited is self._saved[recording] and not any(recording in c for c in self._before):
                del self._now[recording]  # as if never changed
        return next(iter(change))

    def redo(self) -> Path | None:
        """Redo the change that was undone last; returns the (first) recording that it changes."""
        if not self._undone:
            return None
        change = self._undone.pop()
        self._before.append({r: self._now.get(r, self._saved[r]) for r in change})
        self._now.update(change)
        return next(iter(change))

    @property
    def unsaved(self) -> list[Path]:
        """The recordings with unsaved changes."""
        return [r for r, edited in self._now.items() if edited is not self._saved[r]]

    def forget_saved(self) -> None:
        """Keep only unsaved changes: everything else is read again, and can no longer be undone."""
        unsaved = self.unsaved
        self._now = {recording: self._now[recording] for recording in unsaved}
        for changes in (self._before, self._undone):
            kept = [{r: e for r, e in change.items() if r in unsaved} for change in changes]
            changes[:] = [change for change in kept if change]

    def save(self) -> list[Path]:
        """Write all changes: `STEM_annotations.csv`, and `STEM_annotated.csv` if it applies.

        Returns: the annotation files.
        Raises: DssError if another program has changed such a file meanwhile; nothing is written
            then.
        """
        unsaved = self.unsaved
        files = {recording: annotations_path(recording) for recording in unsaved}
        raise_problems(
            [str(file) for r, file in files.items() if stamp(file) not in (None, self._stamps[r])],
            "Another program has changed these files since they were opened. Move them away to "
            "save your changes, or undo your changes and open the recordings again:",
        )
        for recording, file in files.items():
            edited = self._now[recording]
            about = None, None, edited.samplerate_hz, recording, edited.time_unit
            write_annotations(edited.annotations, file, *about)
            if edited.annotated_stretches is not None:
                write_annotated(recording, edited.annotated_stretches)
            self._saved[recording], self._stamps[recording] = edited, stamp(file)
        return [*files.values()]


def mark_annotated(edited: Edited, start_seconds: float, stop_seconds: float) -> Edited:
    """Add an annotated stretch: all song in it is annotated."""
    stretch = np.array([[start_seconds, stop_seconds]])
    if edited.annotated_stretches is not None:
        stretch = np.concatenate([edited.annotated_stretches, stretch])
    return edited._replace(annotated_stretches=union(stretch))


def n_outside_annotated(edited: Edited) -> int:
    """The number of annotations whose middle lies outside the annotated stretches."""
    if edited.annotated_stretches is None:
        return 0
    middle = times_of(occurrences(edited.annotations)).mean(axis=1, keepdims=True)
    start, stop = edited.annotated_stretches.T
    return int((~((start <= middle) & (middle <= stop)).any(axis=1)).sum())


def _check_shown(recording: Path, shown: Edited) -> None:
    """Raise a DssError if its file contains annotations that are not shown, or cannot be read."""
    file = annotations_path(recording)
    if not file.is_file() or is_by_dss(file):
        return
    how = shown.unnamed, shown.time_unit, shown.samplerate_hz
    there = read_named_annotations(file, None, recording, *how)
    if not are_same(there, shown.annotations):
        raise DssError(
            f"{file}: contains annotations that are not shown here and would be lost. Move "
            "the file away first."
        )
