"""Change annotation tables: add, rename, remove and join annotations, and find some of them."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from dss.data.annotations import EVENT, NOISE, SEGMENT, occurrences, times_of
from dss.data.text_tables import COLUMNS, TIMES
from dss.errors import DssError


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


def are_same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether two tables have the same annotations, in the same order, to the microsecond."""
    if one["name"].tolist() != other["name"].tolist():
        return False
    times, others = (table[TIMES].to_numpy(float) for table in (one, other))
    return np.allclose(times, others, rtol=0, atol=1e-6, equal_nan=True)


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
