"""How a network judges each annotation that it did not learn from."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from dss.data.annotations import EVENT, occurrences
from dss.data.corpus import Source
from dss.data.text_tables import COLUMNS, TIMES
from dss.evaluate.matching import match
from dss.options import ToleranceOptions
from dss.review.cross_validation import HeldOut

REACH_SECONDS = 0.06  # around an annotated boundary, to search for the network's boundary
LEAST = 1e-3  # probabilities are limited to this when boundaries are searched
ANNOTATED = 0.3  # of a predicted segment lies in annotations: then it counts as annotated
OPINION = [
    *("annotated_name", "name", "start_seconds", "stop_seconds"),
    *("onset_later", "offset_later", "onset_gain", "offset_gain", "p_between"),
    *("p_other", "p_noise", "doubled"),
]
NO_BOUNDARIES = (0.0,) * 5  # to look at


def disagreements(held_out: HeldOut, types: Mapping[str, str]) -> pd.DataFrame:
    """The network's opinion of each annotation, and of song that is not annotated.

    Where only parts are annotated, it is not asked about the rest: segments may begin before an
    excerpt, and go on after it.

    Arguments:
        held_out: a recording, with predictions.
        types: the category of each song type, in the order of the classes, without noise.

    Returns: a table with
        annotated_name: the name of the annotation; None if only the network found song;
        name: the most probable other song type; for song found by the network, its type;
        start_seconds, stop_seconds: of the annotation, or of the song found;
        onset_later, offset_later: by how many seconds the network's boundaries come later;
        onset_gain, offset_gain: how much more probable these are, in log odds summed over frames;
        p_between: the probability of song between these;
        p_other: the probability of the other song type, or of the song found;
        p_noise: the probability of no song;
        doubled: the fraction of the annotation, or of one that overlaps it, that is in both, from 0
            to 1, if the other one fits better.
    """
    table = occurrences(held_out.source.annotations).sort_values("start_seconds", kind="stable")
    table = table[table["name"].isin(types)]
    is_event = (table["name"].map(types) == EVENT).to_numpy(bool)
    kinds = held_out.found["name"].map(types) == EVENT
    rows = [
        *_of_segments(table[~is_event], held_out, list(types)),
        *_of_events(table[is_event], held_out.found[kinds], held_out, types),
        *_unannotated_segments(table[~is_event], _known(held_out.found[~kinds], held_out.source)),
    ]
    opinion = pd.DataFrame(rows, columns=OPINION)
    return opinion.astype(dict.fromkeys(OPINION[2:], float))  # also without rows


def _of_segments(table: pd.DataFrame, held_out: HeldOut, names: list[str]) -> Iterator[tuple]:
    p, n = held_out.p, len(held_out.p)
    frames = np.round(table[TIMES].to_numpy(float) * held_out.frames_hz).astype(int)
    frames = np.clip(frames, 0, n)
    means = np.zeros((len(table), 1 + len(names)))
    for i, (first, last) in enumerate(frames):
        means[i] = p[min(first, n - 1) : max(last, first + 1)].mean(axis=0, dtype=float)
    own = 1 + np.array([names.index(name) for name in table["name"]], int)
    others = means.copy()
    others[:, 0] = others[np.arange(len(own)), own] = 0
    other = others.argmax(axis=1)
    doubled = _doubled(table, means[np.arange(len(own)), own])
    looked_at = np.array([[0, n]])
    if held_out.source.known is not None:
        looked_at = np.round(held_out.source.known * held_out.frames_hz).astype(int)
    for i, row in enumerate(table[COLUMNS].itertuples(index=False, name=None)):
        label = other[i] if means[i, other[i]] > means[i, own[i]] else own[i]
        yield (
            row[0],
            names[other[i] - 1] if other[i] else "",
            *row[1:],
            *_boundaries(p[:, label], frames, i, looked_at, held_out.frames_hz),
            means[i, other[i]] if other[i] else 0.0,
            means[i, 0],
            doubled[i],
        )


def _boundaries(
    q: np.ndarray, frames: np.ndarray, i: int, looked_at: np.ndarray, frames_hz: float
) -> tuple[float, float, float, float, float]:
    """The network's opinion of the boundaries of a segment: five columns of `disagreements`.

    Only the annotated time between the neighbours of the segment is searched.

    Arguments:
        q: [frames] the probability of its song type.
        frames: [segments, 2] first frame, and one past the last.
        i: the number of the segment.
        looked_at: [stretches, 2] first frame, and one past the last, of what is annotated.
    """
    reach = round(REACH_SECONDS * frames_hz)
    first, last = frames[i]
    begins, ends = looked_at[looked_at[:, 0] <= first, 0], looked_at[looked_at[:, 1] >= last, 1]
    before = min(max(frames[:i, 1].max(initial=0), begins.max(initial=0)), first)
    after = max(min(frames[i + 1 :, 0].min(initial=len(q)), ends.min(initial=len(q))), last)
    low, high = max(first - reach, before), min(first + reach, last)
    onset, onset_gain = _beginning(q[low:high], first - low)
    low, high = max(last - reach, first), min(last + reach, after)
    offset, offset_gain = _beginning(q[low:high][::-1], high - last)
    between = q[first + onset : last - offset]
    p = float(between.mean(dtype=float)) if len(between) else 0.0
    return onset / frames_hz, -offset / frames_hz, onset_gain, offset_gain, p


def _beginning(q: np.ndarray, annotated: int) -> tuple[int, float]:
    """By how many frames the most probable start of song comes later, and the gain in log odds.

    Arguments:
        q: [frames] the probability of song, which does not end in these frames.
        annotated: the frame of the annotated start.
    """
    q = np.clip(q.astype(float), LEAST, 1 - LEAST)
    # The log likelihood of a start at each frame, up to a constant.
    gain = np.concatenate([[0], np.cumsum(np.log(1 - q) - np.log(q))])
    best = int(gain.argmax())
    return best - annotated, float(gain[best] - gain[annotated])


def _doubled(table: pd.DataFrame, fit: np.ndarray) -> np.ndarray:
    """The fraction of the shorter of two overlapping segments in both, for the one that fits less
    well.

    Arguments:
        table: segments, sorted by start.
        fit: [segments] how well each fits.
    """
    start, stop = table[TIMES].to_numpy(float).T
    doubled = np.zeros(len(table))
    for i in range(len(table)):
        j = i + 1
        while j < len(table) and start[j] < stop[i]:
            shared = min(stop[i], stop[j]) - start[j]
            worse = i if fit[i] < fit[j] else j
            shorter = max(min(stop[i] - start[i], stop[j] - start[j]), 1e-9)
            doubled[worse] = max(doubled[worse], shared / shorter)
            j += 1
    return doubled


def _known(found_by: pd.DataFrame, source: Source) -> pd.DataFrame:
    """The parts of predicted segments that lie in annotated stretches."""
    if source.known is None:
        return found_by
    stretches = source.known[:, None]
    start, stop = (found_by[time].to_numpy(float) for time in TIMES)
    first, last = np.maximum(start, stretches[..., 0]), np.minimum(stop, stretches[..., 1])
    stretch, row = np.nonzero(last > first)
    times = {"start_seconds": first[stretch, row], "stop_seconds": last[stretch, row]}
    return found_by.iloc[row].assign(**times)


def _unannotated_segments(table: pd.DataFrame, found_by: pd.DataFrame) -> Iterator[tuple]:
    start, stop = table[TIMES].to_numpy(float).T
    rows = found_by[[*COLUMNS, "confidence"]].itertuples(index=False, name=None)
    for name, a, b, confidence in rows:
        shared = (np.minimum(stop, b) - np.maximum(start, a)).clip(min=0).sum()
        if shared < ANNOTATED * (b - a):
            yield None, name, a, b, *NO_BOUNDARIES, confidence, 0.0, 0.0


def _of_events(
    table: pd.DataFrame, found_by: pd.DataFrame, held_out: HeldOut, types: Mapping[str, str]
) -> Iterator[tuple]:
    """Events that the network did not find, and events that it found but nobody annotated."""
    tolerance = ToleranceOptions().tolerance_seconds
    is_known = np.zeros(len(found_by), bool)
    events = [1 + i for i, kind in enumerate(types.values()) if kind == EVENT]
    names = list(types)
    reach = max(1, round(tolerance * held_out.frames_hz))
    found_at, all_at = (t["start_seconds"].to_numpy(float) for t in (found_by, table))
    for name in table["name"].unique():
        rows = np.flatnonzero(table["name"] == name)
        theirs = np.flatnonzero(found_by["name"] == name)
        a, b = np.repeat(all_at[rows, None], 2, 1), np.repeat(found_at[theirs, None], 2, 1)
        pairs = match(a, b, tolerance)
        is_known[theirs[pairs[:, 1]]] = True
        for row in np.delete(rows, pairs[:, 0]):
            t = all_at[row]
            frame = int(t * held_out.frames_hz)
            peaks = held_out.p[max(0, frame - reach) : frame + reach + 1].max(axis=0).astype(float)
            others = [i for i in events if names[i - 1] != name]
            other = max(others, key=peaks.__getitem__, default=0)
            p_other = peaks[other] if other else 0.0
            p_noise = 1 - max(p_other, peaks[1 + names.index(name)])
            is_known |= np.abs(found_at - t) <= tolerance  # of another name: reported as that
            other_name = names[other - 1] if other else ""
            yield name, other_name, t, t, *NO_BOUNDARIES, p_other, p_noise, 0.0
    for name, t, p in found_by.loc[~is_known, ["name", "start_seconds", "confidence"]].itertuples(
        index=False, name=None
    ):
        yield None, name, t, t, *NO_BOUNDARIES, p, 0.0, 0.0
