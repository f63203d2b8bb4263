"""Editing annotations: change tables annotation by annotation, undo, and save."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from dss.data.annotated_stretches import write_annotated
from dss.data.annotations import (
    EVENT,
    NOISE,
    SEGMENT,
    annotations_path,
    occurrences,
    read_annotations,
    times_of,
    write_annotations,
)
from dss.data.stretches import union
from dss.data.text_tables import COLUMNS, TIMES
from dss.errors import DssError, raise_problems
from dss.predict.ownership import is_by_dss
from dss.support.caching import stamp


class Edited(NamedTuple):
    """The manual annotations of a recording.

    Its annotation table in seconds; the annotated stretches, [stretches, 2] seconds, or None if
    unspecified; and the number of time units per second in its file.
    """

    annotations: pd.DataFrame
    annotated_stretches: np.ndarray | None = None
    per_second: float = 1.0

    def as_written(self) -> pd.DataFrame:
        """The table as stored in its file."""
        times = self.annotations[TIMES].astype(float) * self.per_second
        return self.annotations.assign(**times)


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
            _check_shown(annotations_path(recording), before[recording])
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
            write_annotations(edited.as_written(), file)
            if edited.annotated_stretches is not None:
                write_annotated(recording, edited.annotated_stretches)
            self._saved[recording], self._stamps[recording] = edited, stamp(file)
        return [*files.values()]


def annotate(
    annotations: pd.DataFrame,
    name: str,
    start_seconds: float,
    stop_seconds: float,
    row: int | None = None,
    kinds: Mapping[str, str] | None = None,
) -> tuple[pd.DataFrame, int]:
    """Add an annotation to a table, or change one.

    Arguments:
        annotations: the table; it is not modified.
        name: the song type.
        start_seconds, stop_seconds: equal for an event.
        row: the annotation to change, by the index of the table; default: add one.
        kinds: the category of each known song type: "event" or "segment".

    Returns: the table sorted by start, with rows counted from 0; and the row of the annotation.
    Raises: DssError if there is no name, or the song type is of the other category.
    """
    name = checked_name(name)
    kind = EVENT if start_seconds == stop_seconds else SEGMENT
    rest = annotations if row is None else annotations.drop(index=row)
    _check_kind(name, kind, {**(kinds or {}), **kinds_of(rest)})
    changed = {"name": name, "start_seconds": start_seconds, "stop_seconds": stop_seconds}
    old = {} if row is None else annotations.loc[row].drop("confidence", errors="ignore").to_dict()
    one = pd.DataFrame([old | changed], columns=annotations.columns)
    table = joined([_without_absence(rest, name), one])
    return table, int((table["start_seconds"] <= start_seconds).sum()) - 1


def remove(annotations: pd.DataFrame, rows: int | Sequence[int]) -> pd.DataFrame:
    """Remove annotations from a table; the rows of the result are counted from 0."""
    return annotations.drop(index=rows).reset_index(drop=True)


def rename(annotations: pd.DataFrame, rows: Sequence[int], name: str) -> pd.DataFrame:
    """Rename annotations in a table.

    Raises: DssError if there is no name, or the song type is of the other category.
    """
    name = checked_name(name)
    kinds = kinds_of(annotations.loc[rows])
    for kind in kinds.values():
        _check_kind(name, kind, kinds_of(annotations.drop(index=rows)))
    table = annotations.copy()
    table.loc[rows, "name"] = name
    if "confidence" in table:  # it belonged to the earlier name
        table.loc[rows, "confidence"] = np.nan
    return table


def copy_annotations(
    annotations: pd.DataFrame, others: pd.DataFrame, name: str
) -> tuple[pd.DataFrame, int]:
    """Add other annotations to a table under a name, except those that overlap one in the table.

    Returns: the table sorted by start, with rows counted from 0; and the number of added rows.
    Raises: DssError if there is no name, or the song type is of the other category.
    """
    name = checked_name(name)
    for kind in kinds_of(others).values():
        _check_kind(name, kind, kinds_of(annotations))
    added = others.loc[~overlapping(others, annotations), COLUMNS].assign(name=name)
    if not len(added):
        return annotations, 0
    return joined([_without_absence(annotations, name), added]), len(added)


def overlapping(annotations: pd.DataFrame, others: pd.DataFrame) -> np.ndarray:
    """Which annotations overlap or touch one in another table: [annotations] bool."""
    times = occurrences(others)[TIMES].to_numpy(float)
    start, stop = times[times[:, 0].argsort()].T
    latest = np.r_[-np.inf, np.maximum.accumulate(stop)]  # stop among the first n
    first, last = annotations[TIMES].to_numpy(float).T
    return latest[np.searchsorted(start, last, side="right")] >= first


def joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of several annotation tables, sorted by start and counted from 0."""
    there = [table for table in tables if len(table)] or tables[:1]
    table = pd.concat(there, ignore_index=True)
    return table.sort_values("start_seconds", ignore_index=True, kind="stable")


def rows_of_type(
    annotations: pd.DataFrame, name: str, stretch: tuple[float, float] | None = None
) -> list[int]:
    """The rows of a song type's annotations; within a stretch, those that touch it."""
    table = occurrences(annotations)
    is_it = table["name"] == name
    if stretch is not None:
        is_it &= (table["start_seconds"] <= stretch[1]) & (table["stop_seconds"] >= stretch[0])
    return table.index[is_it].tolist()


def next_annotation(
    tables: Iterable[pd.DataFrame], name: str | None, seconds: float, step: int, beyond: float
) -> tuple[float, float] | None:
    """The start and stop of the next annotation by its middle; None if there is none.

    Arguments:
        tables: annotation tables.
        name: the song type to search; None for any.
        seconds: the time to start from.
        step: 1 for the next annotation, -1 for the previous one.
        beyond: the minimum distance in seconds.
    """
    rows = [table if name is None else table[table["name"] == name] for table in tables]
    times = np.concatenate([np.empty((0, 2)), *(times_of(occurrences(table)) for table in rows)])
    after = step * (times.mean(axis=1) - seconds)
    times, after = times[after > beyond], after[after > beyond]
    return tuple(times[after.argmin()]) if len(times) else None


def annotation_at(annotations: pd.DataFrame, seconds: float, within_seconds: float) -> int | None:
    """The annotation at a time, the shortest one if there are several; None if there is none.

    Arguments:
        annotations: the table.
        seconds: the time.
        within_seconds: how far from the time an annotation may be.

    Returns: its row, by the index of the table.
    """
    table = occurrences(annotations)
    start, stop = (table[column] for column in TIMES)
    beside = np.maximum(start - seconds, seconds - stop).clip(lower=0)
    near = pd.DataFrame({"length": stop - start, "beside": beside})[beside <= within_seconds]
    return int(near.sort_values(["length", "beside"]).index[0]) if len(near) else None


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


def are_same(one: pd.DataFrame, other: pd.DataFrame, per_second: float = 1.0) -> bool:
    """Whether two tables have the same annotations, in the same order, to the microsecond."""
    if one["name"].tolist() != other["name"].tolist():
        return False
    times, others = (table[TIMES].to_numpy(float) for table in (one, other))
    return np.allclose(times, others, rtol=0, atol=1e-6 * per_second, equal_nan=True)


def kinds_of(annotations: pd.DataFrame) -> dict[str, str]:
    """The category of each song type that occurs: "event" or "segment"."""
    table = occurrences(annotations)
    is_event = table["start_seconds"] == table["stop_seconds"]
    return {n: EVENT if e else SEGMENT for n, e in zip(table["name"], is_event, strict=True)}


def checked_name(name: str) -> str:
    """A name without surrounding spaces; raises a DssError if nothing is left."""
    name = name.strip()
    if not name:
        raise DssError("The name is blank: type the name of a song type.")
    return name


def _without_absence(annotations: pd.DataFrame, name: str) -> pd.DataFrame:
    """The table without the row that says that a song type does not occur."""
    return annotations[(annotations["name"] != name) | annotations["start_seconds"].notna()]


def _check_kind(name: str, kind: str, kinds: Mapping[str, str]) -> None:
    """Raise a DssError if a song type has annotations of the other category."""
    if name != NOISE and kinds.get(name, kind) != kind:
        right = "click where it is" if kind == SEGMENT else "mark where it starts and stops"
        raise DssError(f"{name} is used for {kinds[name]}s: {right}.")


def _check_shown(file: Path, shown: Edited) -> None:
    """Raise a DssError if a file contains annotations that are not shown, or cannot be read."""
    if not file.is_file() or is_by_dss(file):
        return
    if not are_same(read_annotations(file), shown.as_written(), shown.per_second):
        raise DssError(
            f"{file}: contains annotations that are not shown here and would be lost. Move "
            "the file away first."
        )
