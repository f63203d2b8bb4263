"""Segments in probabilities that come block by block: stretches of song, cut into types."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dss.options import DetectOptions


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


class Segments:
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
        """Take the next probabilities [samples, types]; give the segments that are certain now."""
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
        """The segments that waited for what comes next, when nothing does."""
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
