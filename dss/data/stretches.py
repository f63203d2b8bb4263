"""Stretches of time: [stretches, 2] seconds, start and stop of each; and where something is known.

Stretches are sorted and do not overlap once they went through `union`.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from dss.data.annotations import EVENT, NOISE, found

ABSENT = "not_"  # a row named not_x says that x is not in this stretch


def union(stretches: np.ndarray) -> np.ndarray:
    """The same time in stretches that neither overlap nor touch, sorted."""
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


def is_absence(name: str, names: set[str]) -> bool:
    """Whether this is no song type, but says that another one is not there."""
    return name.startswith(ABSENT) and name.removeprefix(ABSENT) in names


def known_stretches(
    annotations: pd.DataFrame,
    types: Mapping[str, str],
    looked_at: np.ndarray,
    reach_seconds: float,
) -> np.ndarray:
    """Where it is known which song types are there and which are not.

    That is all that was looked at; but if somebody annotated `noise` or `not_<song type>`, then
    only what is annotated is known: all types under an annotation, and under `not_x` only x. So
    stretches that are `not_x` for every song type x are known, too.

    Arguments:
        annotations: annotation table of a recording.
        types: category by name of the song types that are asked for.
        looked_at: [stretches, 2] seconds.
        reach_seconds: how far around an event is known.

    Returns: [stretches, 2] seconds.
    """
    table = found(annotations)
    names = set(table["name"]) | set(types)
    absent = table["name"].map(lambda name: is_absence(name, names))
    if not (absent.any() or (table["name"] == NOISE).any()):
        return union(looked_at)
    reach = np.where(table["name"].map(types) == EVENT, reach_seconds, 0)[:, None] * [-1, 1]
    times = table[["start_seconds", "stop_seconds"]].to_numpy() + reach
    nothing = np.array([[-np.inf, np.inf]])
    for name in types:
        nothing = intersection(nothing, times[(table["name"] == ABSENT + name).to_numpy()])
    known = union(np.concatenate([times[~absent.to_numpy(bool)], nothing]))
    return intersection(known, looked_at)


def as_mask(stretches: np.ndarray, samplerate_hz: float, start: int, stop: int) -> np.ndarray:
    """Which of the samples from `start` to before `stop` lie in the stretches: bool."""
    edges = np.clip(np.round(stretches * samplerate_hz).astype(int), start, stop) - start
    steps = np.zeros(stop - start + 1, np.int32)
    np.add.at(steps, edges[:, 0], 1)
    np.add.at(steps, edges[:, 1], -1)
    return np.cumsum(steps[:-1]) > 0
