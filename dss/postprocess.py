"""From probabilities to annotations: events are peaks, segments are stretches of song.

A `Detector` takes probabilities block by block and gives each annotation as soon as nothing that
comes later can change it, so that memory does not grow with the recording's length.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dss.data.annotations import COLUMNS, EVENT, SEGMENT
from dss.errors import DssError
from dss.options import DetectOptions, takes_options

FOUND_COLUMNS = [*COLUMNS, "confidence"]


@takes_options
def detect(
    blocks: Iterable[np.ndarray],
    types: Mapping[str, str],
    samplerate_hz: float,
    *,
    options: DetectOptions,
) -> pd.DataFrame:
    """The events and segments in probabilities.

    An event is a peak of its probability at or above `event_threshold`. Of peaks closer than
    `event_distance_seconds` the highest stays; then events go whose nearest neighbour of the same
    type is nearer than `event_interval_min_seconds` or farther than `event_interval_max_seconds`.
    The time of an event is that of the peak, between samples where a parabola through the three
    highest says so.

    Song is where the probabilities of all segment types together stay at or above
    `segment_hold_threshold` and somewhere reach `segment_threshold`. It is cut where the most
    probable type changes. Pieces of one type with less than `segment_fill_seconds` between them
    become one. A piece shorter than `segment_min_seconds` is joined to one that it touches, the one
    whose type is more probable in it; the type of the whole is that with most of the probability.
    Pieces that are still shorter are deleted, and so are those
    longer than their type can be (`segment_durations`, which also may say a shorter minimum).

    Arguments:
        blocks: probabilities [samples, 1 + len(types)], one block after the other; class 0 is
            noise. For a single array, `[array]`.
        types: category by song type: "event" or "segment", in the order of the classes.
        samplerate_hz: samples a second.

    Returns: a table with name, start_seconds, stop_seconds and confidence (of an event the
        probability at the peak, of a segment the mean of its type's over all its samples), in the
        order of starts.
    """
    detector = Detector(types, samplerate_hz, options)
    tables = [table for block in blocks if len(table := detector.add(block))]
    return _in_order([*tables, detector.end()])


def fits(options: DetectOptions) -> bool:
    """Whether the options fit each other."""
    hold, longest = options.segment_hold_threshold, options.event_interval_max_seconds
    return (hold is None or hold <= options.segment_threshold) and (
        longest is None or longest >= options.event_interval_min_seconds
    )


def _check(options: DetectOptions) -> None:
    if not fits(options):
        raise DssError(
            f"segment_hold_threshold ({options.segment_hold_threshold}) should not be above "
            f"segment_threshold ({options.segment_threshold}), nor event_interval_min_seconds "
            f"({options.event_interval_min_seconds}) above event_interval_max_seconds "
            f"({options.event_interval_max_seconds})"
        )


def nothing_found() -> pd.DataFrame:
    """The table that `detect` gives where there is no song."""
    return _table([])


def tuned(options: DetectOptions, params: Mapping[str, Any]) -> DetectOptions:
    """The options with what was stored with a run, by `dss.tune.tune`, for those nobody gave.

    Arguments:
        options: as they were given.
        params: of the run; thresholds, distances, gaps and lengths are in `detect`.
    """
    stored = DetectOptions.checked(params.get("detect", {}).get("options", {}))
    names = stored.model_fields_set - options.model_fields_set
    return options.model_copy(update={name: getattr(stored, name) for name in names})


class Detector:
    """Events and segments in probabilities that come block by block; see `detect`."""

    def __init__(self, types: Mapping[str, str], samplerate_hz: float, options: DetectOptions):
        _check(options)
        self.samplerate_hz = samplerate_hz
        names = list(types)
        self.events = {
            name: (1 + names.index(name), _Events(options, samplerate_hz))
            for name in names
            if types[name] == EVENT
        }
        self.segment_names = [name for name in names if types[name] == SEGMENT]
        self.segment_columns = [1 + names.index(name) for name in self.segment_names]
        self.segments = _Segments(self.segment_names, options, samplerate_hz)

    @property
    def delay_seconds(self) -> float:
        """The seconds that must follow, at most, until song that has ended is certain."""
        delays = [events.delay for _, events in self.events.values()]
        return (1 + max([self.segments.fill, *delays])) / self.samplerate_hz

    def add(self, p: np.ndarray) -> pd.DataFrame:
        """Take the next probabilities [samples, classes].

        Returns: the annotations that are certain now, in the order of their starts.
        """
        events = {name: events.add(p[:, column]) for name, (column, events) in self.events.items()}
        return self._found(events, self.segments.add(p[:, self.segment_columns]))

    def end(self) -> pd.DataFrame:
        """The annotations that waited for what comes next, when nothing does."""
        events = {name: events.end() for name, (_, events) in self.events.items()}
        return self._found(events, self.segments.end())

    def _found(self, events, segments) -> pd.DataFrame:
        rows = [(name, t, t, p) for name, found in events.items() for t, p in found]
        rows += [(self.segment_names[label], *row) for label, *row in segments]
        table = _table(rows)
        table[COLUMNS[1:]] /= self.samplerate_hz
        return _in_order([table])


def _table(rows: list[tuple[str, float, float, float]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=FOUND_COLUMNS)
    return table.astype({"name": str, **dict.fromkeys(FOUND_COLUMNS[1:], float)})


def _in_order(tables: list[pd.DataFrame]) -> pd.DataFrame:
    table = pd.concat(tables, ignore_index=True)
    return table.sort_values(["start_seconds", "name"], ignore_index=True, kind="stable")


class _Events:
    """Events of one type: peaks, thinned out, then filtered by the interval between them.

    Times are in samples; an event is a pair (time, probability).
    """

    def __init__(self, options: DetectOptions, samplerate_hz: float):
        self.threshold = options.event_threshold
        self.distance = options.event_distance_seconds * samplerate_hz
        self.interval_min = options.event_interval_min_seconds * samplerate_hz
        longest = options.event_interval_max_seconds
        self.interval_max = np.inf if longest is None else longest * samplerate_hz
        self.tail = np.zeros(1, np.float32)  # before the recording there is nothing
        self.first = -1  # the sample that the tail starts with
        self.crowd: list[tuple[float, float]] = []  # peaks that a later one may still replace
        self.before = -np.inf  # the last event before those that wait
        self.waiting: list[tuple[float, float]] = []  # events whose next neighbour is not known

    @property
    def delay(self) -> float:
        """Samples without a peak until the last event is certain, at most."""
        return 2 + self.distance + self._enough(np.inf)

    def add(self, p: np.ndarray) -> list[tuple[float, float]]:
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
        found = self.add(np.zeros(1, np.float32))
        rest = _highest(self.crowd, self.distance)
        return found + self._filter(rest, np.inf)

    def _peaks(self, p: np.ndarray) -> Iterator[tuple[float, float]]:
        left, middle, right = p[:-2], p[1:-1], p[2:]
        # Of a plateau, its first sample.
        at = np.flatnonzero((middle >= self.threshold) & (middle > left) & (middle >= right))
        bend = left[at] - 2 * middle[at] + right[at]
        shift = np.where(bend < 0, 0.5 * (left[at] - right[at]) / np.minimum(bend, -1e-12), 0)
        times = self.first + 1 + at + np.clip(shift, -0.5, 0.5)
        return zip(times.tolist(), middle[at].tolist(), strict=True)

    def _filter(self, events: list[tuple[float, float]], seen: float) -> list[tuple[float, float]]:
        """The events whose nearest neighbour is neither too near nor too far.

        Arguments:
            events: the next ones.
            seen: no event that comes later is before this sample.
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
        """How long nothing must come until it does not matter when the next event does.

        Arguments:
            preceding: the interval to the event before.
        """
        near = np.isinf(self.interval_max) or preceding <= self.interval_max
        return self.interval_min if near else self.interval_max


def _highest(peaks: list[tuple[float, float]], distance: float) -> list[tuple[float, float]]:
    """The peaks that stay if of any that are closer than the distance only the highest does."""
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


@dataclass
class _Piece:
    """Samples `start` to before `stop`, and the probability mass of each segment type in them.

    Pieces are song of one type, or what is between song (label -1).
    """

    label: int
    start: int
    stop: int
    mass: np.ndarray
    peak: float = 0.0

    @property
    def length(self) -> int:
        return self.stop - self.start

    def extend(self, other: "_Piece") -> None:
        """Take in the piece that follows."""
        self.stop = other.stop
        self.mass = self.mass + other.mass
        self.peak = max(self.peak, other.peak)


class _Segments:
    """Segments of all types. A segment is (label, start sample, stop sample, confidence)."""

    def __init__(self, names: list[str], options: DetectOptions, samplerate_hz: float):
        self.threshold = options.segment_threshold
        self.hold = options.segment_hold_threshold or self.threshold
        self.fill = options.segment_fill_seconds * samplerate_hz
        limits = [options.segment_durations.get(name, (0, np.inf)) for name in names]
        least = options.segment_min_seconds
        self.shortest = [samplerate_hz * max(shortest, least) for shortest, _ in limits]
        self.longest = [samplerate_hz * longest for _, longest in limits]
        self.n_samples = 0
        self.held: list[_Piece] = []  # touching song at or above the hold threshold, so far
        self.song: list[_Piece] = []  # song of the current stretch, with the gaps within it
        self.gap: _Piece | None = None  # what came after it

    def add(self, p: np.ndarray) -> list[tuple[int, float, float, float]]:
        if not self.shortest or not len(p):
            return []
        found = []
        for piece in self._pieces(p):
            if piece.label < 0:
                found += self._close_held()
                found += self._add_gap(piece)
            elif self.held and self.held[-1].label == piece.label:
                self.held[-1].extend(piece)
            else:
                self.held.append(piece)
        return found

    def end(self) -> list[tuple[int, float, float, float]]:
        return self._close_held() + self._close_stretch()

    def _pieces(self, p: np.ndarray) -> Iterator[_Piece]:
        song = sum(p.T)  # column by column: sums along such short rows are slow
        is_song = np.flatnonzero(song >= self.hold)
        labels = np.full(len(p), -1)
        labels[is_song] = p[is_song].argmax(axis=1)
        start = np.flatnonzero(np.diff(labels, prepend=-2))
        stop = np.append(start[1:], len(p))
        mass = np.add.reduceat(p, start, axis=0, dtype=float)
        peak = np.maximum.reduceat(song, start)
        first, self.n_samples = self.n_samples, self.n_samples + len(p)
        for label, a, b, m, s in zip(
            labels[start].tolist(), start.tolist(), stop.tolist(), mass, peak, strict=True
        ):
            yield _Piece(label, first + a, first + b, m, float(s))

    def _close_held(self) -> list[tuple[int, float, float, float]]:
        """Song that was held ends here: it is song if it reached the threshold, else a gap."""
        held, self.held = self.held, []
        if not held:
            return []
        if max(piece.peak for piece in held) < self.threshold:
            found = []
            for piece in held:
                found += self._add_gap(piece)
            return found
        if self.song and self.gap:
            self.song.append(self.gap)
        self.song += held
        self.gap = None
        return []

    def _add_gap(self, piece: _Piece) -> list[tuple[int, float, float, float]]:
        if not self.song:
            return []
        if self.gap:
            self.gap.extend(piece)
        else:
            self.gap = _Piece(-1, piece.start, piece.stop, piece.mass)
        return self._close_stretch() if self.gap.length >= self.fill else []

    def _close_stretch(self) -> list[tuple[int, float, float, float]]:
        pieces, self.song, self.gap = _join(self.song, self.shortest), [], None
        return [
            (piece.label, piece.start, piece.stop, min(piece.mass[piece.label] / piece.length, 1.0))
            for piece in pieces
            if self.shortest[piece.label] <= piece.length <= self.longest[piece.label]
        ]


def _join(pieces: list[_Piece], shortest: list[float]) -> list[_Piece]:
    """Join neighbours of one type, then the pieces that are too short to one of theirs.

    Arguments:
        pieces: of one stretch, in order, the short gaps between them included (label -1).
        shortest: by label; a piece of fewer samples is joined to a neighbour, the shortest first.
    """
    song, gaps = [], []  # gaps[i]: between song[i] and song[i + 1], or None
    for piece in pieces:
        if piece.label < 0:
            gaps[-1] = piece
        else:
            song.append(piece)
            gaps.append(None)
    i = 0
    while i + 1 < len(song):
        i = _join_next(song, gaps, i) if song[i].label == song[i + 1].label else i + 1
    while len(song) > 1:
        lengths = [piece.length for piece in song]
        too_short = [i for i, piece in enumerate(song) if piece.length < shortest[piece.label]]
        if not too_short:
            break
        i = min(too_short, key=lengths.__getitem__)
        touching = [j for j in (i - 1, i + 1) if 0 <= j < len(song) and not gaps[min(i, j)]]
        if not touching:
            _drop(song, gaps, i)
            continue
        into = max(touching, key=lambda j: (song[i].mass[song[j].label], lengths[j]))
        i = _join_next(song, gaps, min(i, into))
        if i + 1 < len(song) and song[i].label == song[i + 1].label:
            _join_next(song, gaps, i)
        if i and song[i - 1].label == song[i].label:
            _join_next(song, gaps, i - 1)
    return song


def _drop(song: list[_Piece], gaps: list[_Piece | None], i: int) -> None:
    """Make piece i a part of the gap around it."""
    if 0 < i < len(song) - 1:
        gaps[i - 1].extend(song[i])
        gaps[i - 1].extend(gaps[i])
    del song[i], gaps[i]


def _join_next(song: list[_Piece], gaps: list[_Piece | None], i: int) -> int:
    """Join piece i, the gap behind it and the next piece; the type is that with most mass."""
    if gaps[i]:
        song[i].extend(gaps[i])
    song[i].extend(song[i + 1])
    song[i].label = int(song[i].mass.argmax())
    del song[i + 1], gaps[i]
    return i
