"""Overlapping segments: how long they overlap, which one counts, and what the targets contain.

In the targets, overlapping song types share their samples, unless one of them is chosen.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from dss.data.annotations import SEGMENT, segments_in
from dss.data.stretches import complement, intersection, union
from dss.data.text_tables import TIMES
from dss.support.units import counted, listed, readable


def overlaps(
    table: pd.DataFrame, types: Mapping[str, str], tolerance_seconds: float = 0
) -> list[tuple[str, str, float, float]]:
    """Where segments of two song types overlap: their names, in order, start and stop in seconds.

    Segments of one song type that touch or overlap count as one.

    Arguments:
        table: the annotations of a recording.
        types: the category of each song type; other annotations are ignored.
        tolerance_seconds: overlaps up to this duration are ignored.
    """
    rows = segments_in(table, types)
    names = rows["name"].to_numpy()
    merged = [
        (name, *times)
        for name in {*names}
        for times in union(rows[TIMES].to_numpy()[names == name])
    ]
    shared: list[tuple[str, str, float, float]] = []
    last: list[tuple[str, float, float]] = []  # earlier segments that have not ended yet
    for name, start, stop in sorted(merged, key=lambda row: row[1]):
        last = [row for row in last if row[2] > start]
        for other, _, other_stop in last:
            end = min(stop, other_stop)
            if other != name and end - start > tolerance_seconds:
                shared.append((*sorted((other, name)), start, end))
        last.append((name, start, stop))
    return shared


def overlap_warnings(
    tables: Sequence[pd.DataFrame], types: Mapping[str, str], tolerance_seconds: float
) -> list[str]:
    """A warning about overlaps and what is learned there; none without overlaps."""
    pairs: dict[tuple[str, str], list[float]] = {}
    for table in tables:
        for a, b, start, stop in overlaps(table, types, tolerance_seconds):
            pairs.setdefault((a, b), []).append(stop - start)
    if not pairs:
        return []
    named = [
        f"{a} and {b} ({counted(len(seconds), 'time')}, {readable(sum(seconds))} in all)"
        for (a, b), seconds in sorted(pairs.items(), key=lambda pair: -sum(pair[1]))
    ]
    return [
        f"Segments of different song types overlap: {listed(named)}. There, the network learns "
        "that both are equally likely. To change this, set overlaps to shorter or later (only that "
        "segment counts), or to unknown (nothing is learned there)."
    ]


def target_seconds(
    table: pd.DataFrame,
    types: Mapping[str, str],
    samplerate_hz: float,
    start_sample: int,
    stop_sample: int,
) -> dict[str, float]:
    """How many seconds of a stretch each type of segments has in the targets.

    Overlapping segments of the same song type count once; where song types overlap, each gets its
    share. The width of events is ignored.

    Arguments:
        table: the annotations of a recording.
        types: the category of each song type; other annotations are ignored.
        samplerate_hz: the sample rate of the recording.
        start_sample, stop_sample: the stretch.
    """
    rows = segments_in(table, types)
    samples = (rows[TIMES].to_numpy(float) * samplerate_hz).round().astype(int)
    samples[:, 1] = np.maximum(samples[:, 1], samples[:, 0] + 1)
    samples = samples.clip(start_sample, stop_sample)
    names = [name for name, kind in types.items() if kind == SEGMENT]
    song = [union(samples[(rows["name"] == name).to_numpy()]) for name in names]
    edges = np.unique(samples)
    if len(edges) < 2:
        return dict.fromkeys(names, 0.0)
    begun = [[np.searchsorted(times, edges[:-1], "right") for times in of.T] for of in song]
    is_song = np.array([starts > stops for starts, stops in begun])
    shares = is_song / np.maximum(is_song.sum(axis=0), 1)
    seconds = shares @ np.diff(edges) / samplerate_hz
    return dict(zip(names, seconds.tolist(), strict=True))


def without_overlaps(table: pd.DataFrame, types: Mapping[str, str], winner: str) -> pd.DataFrame:
    """Resolve overlaps between segments of different song types by cutting one of them.

    Arguments:
        table: the annotations of a recording.
        types: the category of each song type; other annotations stay as they are.
        winner: shorter or later: which of two overlapping segments counts.

    Returns: a new table; a segment that was cut in two has two rows with the same index.
    """
    shared = overlaps(table, types)
    if not shared:
        return table
    where = union(np.array([stretch[2:] for stretch in shared]))
    segments = segments_in(table, types)
    start, stop = segments[TIMES].to_numpy().T
    touched = (start[:, None] < where[:, 1]) & (stop[:, None] > where[:, 0])
    segments = segments[touched.any(axis=1)]
    order = segments["start_seconds"]
    if winner == "shorter":
        order = segments["start_seconds"] - segments["stop_seconds"]
    placed: dict[str, np.ndarray] = {}
    parts = []
    for row in order.sort_values(ascending=False, kind="stable").index:
        one = segments.loc[[row]]
        name, own = one["name"].iloc[0], one[TIMES].to_numpy(float)
        taken = [stretches for other, stretches in placed.items() if other != name]
        if taken:
            free = complement(union(np.concatenate(taken)), np.inf)
            own = intersection(own, free)
        placed[name] = np.concatenate([placed.get(name, np.empty((0, 2))), own])
        parts += [one.assign(**dict(zip(TIMES, times, strict=True))) for times in own]
    rest = table.drop(index=segments.index)
    return pd.concat([rest, *parts]).sort_values("start_seconds", kind="stable")
