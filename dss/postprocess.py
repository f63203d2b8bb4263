"""From probabilities to annotations: events are peaks, segments are runs of one song type.

A `Detector` takes probabilities block by block and keeps only what could become an annotation, so
that memory does not grow with the recording's length (but for the number of annotations).
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from dss.data.annotations import COLUMNS, EVENT, SEGMENT
from dss.options import DetectOptions, takes_options


@takes_options
def detect(
    blocks: Iterable[np.ndarray],
    types: Mapping[str, str],
    samplerate_hz: float,
    *,
    options: DetectOptions,
) -> pd.DataFrame:
    """The events and segments in probabilities.

    An event is a peak of its probability at or above `event_threshold`; of peaks closer than
    `event_distance_seconds` the highest stays. Its time is that of the peak, between samples where
    a parabola through the three highest says so. A segment lasts as long as its song type is the
    most probable segment type (noise included) and at or above `segment_threshold`; gaps shorter
    than `segment_fill_seconds` between segments of one type are filled, then segments shorter than
    `segment_min_seconds` are deleted.

    Arguments:
        blocks: probabilities [samples, 1 + len(types)], one block after the other; class 0 is
            noise. For a single array, `[array]`.
        types: category by song type: "event" or "segment", in the order of the classes.
        samplerate_hz: samples a second.

    Returns: a table with name, start_seconds, stop_seconds and confidence (of an event the
        probability at the peak, of a segment the mean over its samples), in the order of starts.
    """
    events = {name: _Peaks() for name, kind in types.items() if kind == EVENT}
    segments = [name for name, kind in types.items() if kind == SEGMENT]
    columns = [0, *(1 + list(types).index(name) for name in segments)]
    runs = _Runs(len(columns))
    for block in blocks:
        for name, peaks in events.items():
            peaks.add(block[:, 1 + list(types).index(name)], options.event_threshold)
        if segments:
            runs.add(block[:, columns], options.segment_threshold)
    rows = []
    for name, peaks in events.items():
        times, heights = peaks.result(options.event_threshold)
        keep = _highest(times, heights, options.event_distance_seconds * samplerate_hz)
        rows += [
            (name, t, t, p) for t, p in zip(times[keep] / samplerate_hz, heights[keep], strict=True)
        ]
    for index, name in enumerate(segments, start=1):
        table = runs.result()
        start, stop, mass = table[table[:, 0] == index, 1:].T
        start, stop, mass = _fill(start, stop, mass, options.segment_fill_seconds * samplerate_hz)
        keep = stop - start >= options.segment_min_seconds * samplerate_hz
        times = (
            np.stack([start, stop, mass / (stop - start) * samplerate_hz])[:, keep] / samplerate_hz
        )
        rows += [(name, *row) for row in times.T]
    found = pd.DataFrame(rows, columns=[*COLUMNS, "confidence"])
    found = found.astype(dict.fromkeys(found.columns[1:], float))
    return found.sort_values("start_seconds", ignore_index=True, kind="stable")


class _Peaks:
    """Peaks of one probability that comes in blocks; the two last samples wait for the next one."""

    def __init__(self):
        self.waiting = np.zeros(1, np.float32)  # before the recording there is nothing
        self.first = -1
        self.times, self.heights = [], []

    def add(self, p: np.ndarray, threshold: float) -> None:
        p = np.concatenate([self.waiting, p])
        left, middle, right = p[:-2], p[1:-1], p[2:]
        # Of a plateau, its first sample.
        at = np.flatnonzero((middle >= threshold) & (middle > left) & (middle >= right))
        bend = left[at] - 2 * middle[at] + right[at]
        shift = np.where(bend < 0, 0.5 * (left[at] - right[at]) / np.minimum(bend, -1e-12), 0)
        self.times.append(self.first + 1 + at + np.clip(shift, -0.5, 0.5))
        self.heights.append(middle[at])
        self.first += max(len(p) - 2, 0)
        self.waiting = p[-2:]

    def result(self, threshold: float) -> tuple[np.ndarray, np.ndarray]:
        """Times in samples and heights of all peaks: [peaks] twice."""
        self.add(np.zeros(1, np.float32), threshold)
        return np.concatenate(self.times), np.concatenate(self.heights)


class _Runs:
    """Stretches of one label in probabilities [samples, labels] that come in blocks."""

    def __init__(self, n_labels: int):
        self.n_labels = n_labels
        self.n_samples = 0
        self.tables = []

    def add(self, p: np.ndarray, threshold: float) -> None:
        labels = p.argmax(axis=1)
        height = np.take_along_axis(p, labels[:, None], axis=1)[:, 0]
        labels[height < threshold] = 0
        edges = np.flatnonzero(np.diff(labels, prepend=-1, append=-1))
        start, stop = edges[:-1], edges[1:]
        mass = np.add.reduceat(height.astype(float), start) if len(start) else start
        table = np.stack(
            [labels[start], start + self.n_samples, stop + self.n_samples, mass], axis=1
        )
        self.tables.append(table[table[:, 0] > 0])
        self.n_samples += len(p)

    def result(self) -> np.ndarray:
        """All runs of a song type: [runs, (label, start sample, stop sample, probability mass)]."""
        return np.concatenate(self.tables) if self.tables else np.empty((0, 4))


def _fill(start, stop, mass, gap_samples) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Join runs of one label with less than `gap_samples` between them, or nothing (two blocks)."""
    if not len(start):
        return start, stop, mass
    apart = start[1:] - stop[:-1]
    first = np.flatnonzero(np.concatenate([[True], (apart >= gap_samples) & (apart > 0)]))
    last = np.append(first[1:], len(start)) - 1
    return start[first], stop[last], np.add.reduceat(mass, first)


def _highest(times, heights, distance_samples) -> np.ndarray:
    """Which peaks stay if of any that are closer than the distance only the highest does."""
    stays = np.ones(len(times), bool)
    for i in np.argsort(-heights, kind="stable"):
        if stays[i]:
            near = slice(
                *np.searchsorted(
                    times, [times[i] - distance_samples, times[i] + distance_samples], "right"
                )
            )
            stays[near] = False
            stays[i] = True
    return stays
