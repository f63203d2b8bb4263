"""Stretches of time: [stretches, 2] start and stop of each, in seconds or samples.

After `union`, stretches are sorted and do not overlap.
"""

import numpy as np


def union(stretches: np.ndarray) -> np.ndarray:
    """The same time as sorted stretches that neither overlap nor touch."""
    stretches = np.asarray(stretches, float).reshape(-1, 2)
    stretches = stretches[np.argsort(stretches[:, 0], kind="stable")]
    if not len(stretches):
        return stretches
    stop = np.maximum.accumulate(stretches[:, 1])
    begins = np.concatenate([[True], stretches[1:, 0] > stop[:-1]])
    ends = np.append(begins[1:], True)
    return np.stack([stretches[begins, 0], stop[ends]], axis=1)


def intersection(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The time that is in both."""
    a, b = union(a), union(b)
    start = np.maximum(a[:, None, 0], b[None, :, 0])
    stop = np.minimum(a[:, None, 1], b[None, :, 1])
    return union(np.stack([start, stop], axis=2)[start < stop])


def complement(stretches: np.ndarray, stop: float) -> np.ndarray:
    """The time from 0 to stop outside of the stretches, which must come from `union`."""
    edges = np.concatenate([[0.0], np.ravel(stretches), [stop]]).reshape(-1, 2)
    return edges[edges[:, 1] - edges[:, 0] > 1e-6]


def as_mask(stretches: np.ndarray, samplerate_hz: float, start: int, stop: int) -> np.ndarray:
    """Which of the samples from `start` to before `stop` lie in the stretches: bool."""
    edges = np.clip(np.round(stretches * samplerate_hz).astype(int), start, stop) - start
    steps = np.zeros(stop - start + 1, np.int32)
    np.add.at(steps, edges[:, 0], 1)
    np.add.at(steps, edges[:, 1], -1)
    return np.cumsum(steps[:-1]) > 0


def of_mask(mask: np.ndarray) -> np.ndarray:
    """Where a mask [samples] is True: [stretches, 2] first and one past the last sample of each."""
    edges = np.diff(np.asarray(mask, bool), prepend=False, append=False)
    return np.flatnonzero(edges).reshape(-1, 2)


def overlap(stretches: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """How much of the time from each start to its stop lies in the stretches, which are sorted."""
    if not len(stretches):
        return np.zeros(len(start))
    stretches = stretches.clip(start.min(initial=0), stop.max(initial=0))  # finite
    before = np.cumsum(np.diff(stretches, prepend=stretches[:, :1], axis=1).ravel())
    until_start, until_stop = (np.interp(t, stretches.ravel(), before) for t in (start, stop))
    return until_stop - until_start


def contain(stretches: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Which of the times [times] lie in the stretches, which are sorted: bool."""
    before = np.searchsorted(stretches[:, 0], times, "right") - 1
    # Before all stretches, this is -1: the number that is appended.
    return times < np.append(stretches[:, 1], -np.inf)[before]
