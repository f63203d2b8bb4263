"""The true and the predicted annotations of one recording, and where they can be compared."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from dss.data.annotated_stretches import known_stretches
from dss.data.annotations import ABSENT, EVENT, NOISE, SEGMENT, occurrences, times_of
from dss.data.song_types import is_absence
from dss.data.stretches import contain, intersection, overlap, union
from dss.data.text_tables import TIMES

EVENT_REACH_SECONDS = 0.01  # around an event, there is known to be no other one
ALL = "all"  # the row for all song types together


class AnnotationArrays(NamedTuple):
    """The annotations of a table as arrays, which are a hundred times faster."""

    names: np.ndarray  # [annotations] str
    times: np.ndarray  # [annotations, 2]: start and stop in seconds
    is_scored: np.ndarray  # [annotations] bool: whether it lies where its song type is known
    is_cut: np.ndarray  # [annotations, 2] bool: whether it starts, stops at the edge of a stretch

    @property
    def is_segment(self) -> np.ndarray:
        """Which annotations are segments, with stop > start: [annotations] bool."""
        return self.times[:, 1] > self.times[:, 0]


@dataclass(frozen=True, eq=False)
class Pair:
    """The true and the predicted annotations of one recording."""

    true: pd.DataFrame
    predicted: pd.DataFrame
    stretches: np.ndarray  # [stretches, 2]: first and last second of annotated stretches
    names: frozenset[str]  # song types that were annotated, or looked for and not found
    # The file of the true annotations, or the number of the table; or the recording, if its
    # annotations are in a file with others.
    source: str
    recording: Path | None = None  # if it is known
    # [stretches, 2] seconds where a song type, but perhaps not all others, is known to be absent.
    absent: Mapping[str, np.ndarray] = field(default_factory=dict)

    @cached_property
    def arrays(self) -> tuple[AnnotationArrays, AnnotationArrays]:
        """The true annotations and the predicted ones."""
        both = []
        for table in (self.true, self.predicted):
            names, times = table["name"].to_numpy(object), table[TIMES].to_numpy(float)
            edges = zip(times.T, _edges(self.stretches), strict=True)
            is_cut = np.stack([np.isin(of_edge, at) for of_edge, at in edges], axis=1)
            both.append(AnnotationArrays(names, times, self._are_scored(names, times), is_cut))
        return both[0], both[1]

    def known_for(self, names: Collection[str]) -> np.ndarray:
        """Where it is known for all of these song types whether they occur: [stretches, 2]."""
        if not names or not self.absent.keys() >= {*names}:
            return self.stretches
        nothing = reduce(intersection, (self.absent[name] for name in names))
        return union(np.concatenate([self.stretches, nothing]))

    def _are_scored(self, names: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Which annotations lie where their song type is known: [annotations] bool."""
        scored = _begin_or_last_in(self.stretches, times)
        for name in self.absent:
            of_type = names == name
            scored[of_type] = _begin_or_last_in(self.known_for([name]), times[of_type])
        return scored


def pair_of(
    true: pd.DataFrame,
    predicted: pd.DataFrame,
    annotated_stretches: np.ndarray,
    types: Mapping[str, str],
    source: str,
    recording: Path | None = None,
) -> Pair:
    """Pair two tables of a recording.

    Arguments:
        true, predicted: annotation tables.
        annotated_stretches: [stretches, 2] seconds.
        types: the result of `types_in` for all recordings.
        source, recording: as in `Pair`.
    """
    names = frozenset({*true["name"], *predicted["name"]} & {*types, NOISE})
    marked = {name.removeprefix(ABSENT) for name in {*true["name"]} - {*types}}
    known = known_stretches(true, types, annotated_stretches, EVENT_REACH_SECONDS, marked)
    found = occurrences(true)
    absent = {
        name: intersection(times_of(found[found["name"] == ABSENT + name]), annotated_stretches)
        for name in types
        if ABSENT + name not in types and (found["name"] == ABSENT + name).any()
    }
    tables = true, predicted
    by_hand, found_by = (occurrences(table[table["name"].isin(names)]) for table in tables)
    if ALL in names:
        apart = {ALL: f"{ALL} (song type)"}
        by_hand, found_by = (table.replace({"name": apart}) for table in (by_hand, found_by))
        names = names - {ALL} | {*apart.values()}
        absent = {apart.get(name, name): where for name, where in absent.items()}
    found_by = cut_at_edges(found_by, by_hand, known)
    return Pair(by_hand, found_by, known, names, source, recording, absent)


def types_in(true: Sequence[pd.DataFrame], predicted: Sequence[pd.DataFrame]) -> dict[str, str]:
    """The song types in all tables, with their categories; neither `noise` nor `not_<song type>`.

    What is annotated as `not_x` in one recording may be x in another. `not_x` is a song type only
    if it was predicted, and x is none.
    """
    found = {name for table in predicted for name in table["name"]}
    stated = found.union(*(table["name"] for table in true))
    events = {
        name
        for table in true
        for name in table.loc[table["start_seconds"] == table["stop_seconds"], "name"]
    }
    names = sorted(
        name
        for name in stated - {NOISE}
        if not is_absence(name, stated) and (name in found or not name.startswith(ABSENT))
    )
    return {name: EVENT if name in events else SEGMENT for name in names}


def song_names(pairs: Collection[Pair]) -> list[str]:
    """The song types in all tables, including those that were not found."""
    return sorted({name for pair in pairs for name in pair.names} - {NOISE})


def cut_at_edges(
    predicted: pd.DataFrame, true: pd.DataFrame, stretches: np.ndarray
) -> pd.DataFrame:
    """Cut predicted segments where a true one of the same name starts or stops at the edge of an
    annotated stretch.

    Nobody looked beyond, so the song may well go on there. What is inside is compared.
    """
    is_segment = true["start_seconds"] < true["stop_seconds"]
    for time, edges in zip(TIMES, _edges(stretches), strict=True):
        for name, edge in true.loc[is_segment & true[time].isin(edges), ["name", time]].to_numpy():
            start, stop = (predicted[t] for t in TIMES)
            reaches_beyond = (predicted["name"] == name) & (start < edge) & (edge < stop)
            both = predicted[reaches_beyond]
            parts = both.assign(stop_seconds=edge), both.assign(start_seconds=edge)
            if len(both):
                predicted = pd.concat([predicted[~reaches_beyond], *parts])
    return predicted.sort_values("start_seconds", ignore_index=True, kind="stable")


def _begin_or_last_in(stretches: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Which annotations [annotations, 2] begin in the stretches, or lie mostly in them: bool.

    More than the first instant of a segment has to be there, as boundaries are inexact.
    """
    start, stop = times.T
    begun = start + np.minimum((stop - start) / 2, EVENT_REACH_SECONDS)
    begins = contain(stretches, start) & contain(stretches, begun)
    return begins | (overlap(stretches, start, stop) > (stop - start) / 2)


def _edges(stretches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The starts and stops of stretches, beyond which nothing is known for more than an instant."""
    apart = stretches[1:, 0] - stretches[:-1, 1] > EVENT_REACH_SECONDS
    first, last = (np.ones(min(len(stretches), 1), bool) for _ in TIMES)
    return stretches[np.append(first, apart), 0], stretches[np.append(apart, last), 1]
