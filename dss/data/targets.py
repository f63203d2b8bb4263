"""Targets: what the network should predict for every sample, made from annotations.

The target of a stretch of samples is `y` [samples, classes]: the probability of each class, with
noise as class 0. Each row sums to one.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from dss.data.annotations import EVENT, occurrences, segments_in
from dss.data.text_tables import TIMES

GAUSSIAN_REACH = 4  # standard deviations; beyond, the Gaussian of an event is below 0.0004
STEPS = 1024  # targets are multiples of 1 / STEPS


def add_gaps(
    annotations: pd.DataFrame,
    types: Mapping[str, str],
    gap_seconds: float,
    within_types: bool = False,
) -> pd.DataFrame:
    """Shorten segments that are closer together than `gap_seconds` until they are far enough apart.

    Both sides of a gap give the same amount; a segment keeps at least half of its duration, however
    short it is. Events are unchanged. With `within_types`, only neighbours of the same song type
    are moved apart, since the targets cannot separate them otherwise. Returns a new table.
    """
    table = annotations.copy()
    if gap_seconds == 0:
        return table
    segments = segments_in(table, types).sort_values("start_seconds")
    if len(segments) < 2:
        return table
    start, stop = (segments[c].to_numpy(copy=True) for c in ("start_seconds", "stop_seconds"))
    missing = np.clip(gap_seconds - (start[1:] - stop[:-1]), 0, gap_seconds)
    if within_types:
        names = segments["name"].to_numpy()
        missing[names[1:] != names[:-1]] = 0
    quarter = (stop - start) / 4
    stop[:-1] -= np.minimum(missing / 2, quarter[:-1])
    start[1:] += np.minimum(missing / 2, quarter[1:])
    table.loc[segments.index, "start_seconds"] = start
    table.loc[segments.index, "stop_seconds"] = stop
    return table


def make_targets(
    annotations: pd.DataFrame,
    types: Mapping[str, str],
    samplerate_hz: float,
    start_sample: int,
    stop_sample: int,
    event_std_seconds: float = 0.0,
    dtype: type = np.float16,
) -> np.ndarray:
    """Make the targets of a stretch of a recording.

    A segment is 1 from the sample of its onset to before the sample of its offset, for at least one
    sample. An event is a Gaussian with its peak at the event; where two events of a type meet, the
    higher value counts. Where song types overlap and their sum exceeds one, they share it.

    Arguments:
        annotations: the annotation table of the recording.
        types: the category of each song type; the columns of the result are noise and these, in
            this order.
        samplerate_hz: the sample rate of the recording.
        start_sample, stop_sample: the stretch of the recording.
        event_std_seconds: the standard deviation of the Gaussian; 0 marks one sample.
        dtype: the result of `targets_dtype`, or float16, which suits all targets.

    Returns: y [stop_sample - start_sample, 1 + len(types)], with zeros and ones or multiples of
        1/1024, which float16 represents exactly, so each row sums to exactly one.
    """
    n_samples, are_fractions = stop_sample - start_sample, dtype == np.float16
    # Faster this way round, and with 32-bit rather than 16-bit numbers.
    y: np.ndarray = np.zeros((1 + len(types), n_samples), np.float32 if are_fractions else dtype)
    columns = {name: column for column, name in enumerate(types, start=1)}
    std_samples = event_std_seconds * samplerate_hz
    table = occurrences(annotations)
    onsets, offsets = table[TIMES].to_numpy().T * samplerate_hz
    reach = GAUSSIAN_REACH * std_samples + 1
    near = (offsets + reach >= start_sample) & (onsets - reach < stop_sample)
    near &= table["name"].isin(types).to_numpy()
    for name, onset, offset in zip(table["name"][near], onsets[near], offsets[near], strict=True):
        if types[name] == EVENT:
            first, values = _gaussian(onset, std_samples)
        else:
            first = round(onset)
            values = np.ones(max(round(offset) - first, 1))
        start, stop = np.clip([first, first + len(values)], start_sample, stop_sample)
        there = y[columns[name], start - start_sample : stop - start_sample]
        np.maximum(there, values[start - first : stop - first].astype(y.dtype), out=there)
    song = y[1:]
    if are_fractions:
        song /= np.maximum(song.sum(axis=0), 1)
        np.floor(song * STEPS, out=song)  # round down: the sum of many must not exceed one
        song /= STEPS
    y[0] = 1 - song.sum(axis=0, dtype=y.dtype)
    return y.T.astype(dtype, order="C")


def _gaussian(center: float, std_samples: float) -> tuple[int, np.ndarray]:
    """The first sample that an event touches, and its targets from there on."""
    if std_samples == 0:
        return round(center), np.ones(1)
    reach = int(np.ceil(GAUSSIAN_REACH * std_samples))
    window = np.arange(round(center) - reach, round(center) + reach + 1)
    return window[0], np.exp(-0.5 * ((window - center) / std_samples) ** 2)


def targets_dtype(types: Mapping[str, str], event_std_seconds: float, overlap: bool) -> type:
    """The smallest type for exact targets: bytes if they are all zeros and ones."""
    fractions = overlap or (event_std_seconds > 0 and EVENT in types.values())
    return np.float16 if fractions else np.uint8


def overlapping(
    annotations: Sequence[pd.DataFrame], types: Mapping[str, str], samplerate_hz: float
) -> bool:
    """Whether two annotations share a sample of the targets in any of the tables."""
    for table in annotations:
        table = occurrences(table)
        table = table[table["name"].isin(types)]
        times = table[TIMES].to_numpy() * samplerate_hz
        start, stop = times.round().astype(int).T
        stop = np.maximum(stop, start + 1)
        order = np.argsort(start, kind="stable")
        if (start[order][1:] < np.maximum.accumulate(stop[order])[:-1]).any():
            return True
    return False
