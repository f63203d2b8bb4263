"""Detect events block by block: peaks of the probability that are far enough apart."""

from collections.abc import Iterator

import numpy as np

from dss.options import DetectOptions


class Events:
    """Events of one type: peaks, thinned out, then filtered by the interval between them.

    Times are in samples; an event is a pair (time, probability).
    """

    def __init__(self, options: DetectOptions, samplerate_hz: float):
        self.threshold = options.event_threshold
        self.distance = options.event_distance_seconds * samplerate_hz
        self.interval_min = options.event_interval_min_seconds * samplerate_hz
        longest = options.event_interval_max_seconds
        self.interval_max = np.inf if longest is None else longest * samplerate_hz
        self.tail = np.zeros(1, np.float32)  # nothing precedes the recording
        self.first = -1  # the first sample of the tail
        self.crowd: list[tuple[float, float]] = []  # peaks that a later one may still replace
        self.before = -np.inf  # the last event before the waiting ones
        self.waiting: list[tuple[float, float]] = []  # events whose next neighbour is unknown

    @property
    def delay(self) -> float:
        """The largest number of samples without a peak until the last event is certain."""
        return 2 + self.distance + self._enough(np.inf)

    def add(self, p: np.ndarray) -> list[tuple[float, float]]:
        """Process the next probabilities [samples]; return the events that are now certain."""
        p = np.concatenate([self.tail, p])
        certain = []
        for peak in self._peaks(p):
            if self.crowd and peak[0] - self.crowd[-1][0] >= self.distance:
                certain += _highest(self.crowd, self.distance)
                self.crowd = []
            self.crowd.append(peak)
        self.first += max(len(p) - 2, 0)
        self.tail = p[-2:]
        if self.crowd and self.first - self.crowd[-1][0] >= self.distance:
            certain += _highest(self.crowd, self.distance)
            self.crowd = []
        seen = self.crowd[0][0] if self.crowd else self.first
        return self._filter(certain, seen)

    def end(self) -> list[tuple[float, float]]:
        """Return the remaining events, once nothing follows."""
        found = self.add(np.zeros(1, np.float32))
        rest = _highest(self.crowd, self.distance)
        return found + self._filter(rest, np.inf)

    def _peaks(self, p: np.ndarray) -> Iterator[tuple[float, float]]:
        left, middle, right = p[:-2], p[1:-1], p[2:]
        # The first sample of a plateau.
        at = np.flatnonzero((middle >= self.threshold) & (middle > left) & (middle >= right))
        bend = left[at] - 2 * middle[at] + right[at]
        shift = np.where(bend < 0, 0.5 * (left[at] - right[at]) / np.minimum(bend, -1e-12), 0)
        times = self.first + 1 + at + np.clip(shift, -0.5, 0.5)
        return zip(times.tolist(), middle[at].tolist(), strict=True)

    def _filter(self, events: list[tuple[float, float]], seen: float) -> list[tuple[float, float]]:
        """The events whose nearest neighbour is neither too near nor too far.

        `events` are the next ones; later events are not before the sample `seen`.
        """
        self.waiting += events
        stay = []
        while self.waiting:
            event = self.waiting[0]
            preceding = event[0] - self.before
            following = self.waiting[1][0] if len(self.waiting) > 1 else np.inf
            known = len(self.waiting) > 1 or seen - event[0] >= self._enough(preceding)
            if not known:
                break
            nearest = min(preceding, following - event[0])
            if self.interval_min <= nearest <= self.interval_max:
                stay.append(event)
            self.before = event[0]
            del self.waiting[0]
        return stay

    def _enough(self, preceding: float) -> float:
        """How long nothing must follow an event, given the interval before it, so that the next one
        does not matter.
        """
        near = np.isinf(self.interval_max) or preceding <= self.interval_max
        return self.interval_min if near else self.interval_max


def _highest(peaks: list[tuple[float, float]], distance: float) -> list[tuple[float, float]]:
    """The peaks that remain if, of peaks closer than the distance, only the highest is kept."""
    if len(peaks) < 2:
        return peaks
    times, heights = np.array(peaks).T
    undecided, stays = np.ones(len(peaks), bool), np.zeros(len(peaks), bool)
    for i in np.argsort(-heights, kind="stable"):
        if undecided[i]:
            first = np.searchsorted(times, times[i] - distance, "right")
            last = np.searchsorted(times, times[i] + distance, "left")
            undecided[first:last] = False
            stays[i] = True
    return [peak for peak, stay in zip(peaks, stays, strict=True) if stay]
