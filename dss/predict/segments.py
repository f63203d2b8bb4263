"""Detect segments block by block: stretches of song, cut into song types."""

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from dss.options import DetectOptions

CELL_SECONDS = 0.001  # cells in which the lowest probability of song is kept, to cut there


@dataclass
class _Piece:
    """Samples `start` to before `stop`, and the probability mass of each segment type in them.

    A piece is song of one type, or a gap between song (label -1). `lowest` holds the lowest
    probability of song in each cell that the piece touches; cells are counted from sample 0.
    """

    label: int
    start: int
    stop: int
    mass: np.ndarray
    peak: float
    cell: int
    lowest: list[np.ndarray]

    @property
    def length(self) -> int:
        return self.stop - self.start

    def extend(self, other: "_Piece") -> None:
        """Append the piece that follows."""
        self.stop = other.stop
        self.mass = self.mass + other.mass
        self.peak = max(self.peak, other.peak)
        first, *rest = other.lowest
        if other.start % self.cell:  # both touch the cell in which they meet
            self.lowest[-1][-1] = min(self.lowest[-1][-1], first[0])
            first = first[1:]
        self.lowest += [part for part in (first, *rest) if len(part)]


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
        self.joins_touching = options.segment_join_touching
        self.cell = max(1, round(CELL_SECONDS * samplerate_hz))
        self.n_samples = 0
        self.held: list[_Piece] = []  # touching song at or above the hold threshold, so far
        self.song: list[_Piece] = []  # song of the current stretch, including its gaps
        self.gap: _Piece | None = None  # the gap after it

    def add(self, p: np.ndarray) -> list[tuple[int, float, float, float]]:
        """Process the next probabilities [samples, types]; return segments that are now certain."""
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
        """Return the remaining segments, once nothing follows."""
        return self._close_held() + self._close_stretch()

    def _pieces(self, p: np.ndarray) -> Iterator[_Piece]:
        song = sum(p.T)  # column by column, as sums along such short rows are slow
        is_song = np.flatnonzero(song >= self.hold)
        labels = np.full(len(p), -1)
        labels[is_song] = p[is_song].argmax(axis=1)
        start = np.flatnonzero(np.diff(labels, prepend=-2))
        stop = np.append(start[1:], len(p))
        mass = np.add.reduceat(p, start, axis=0, dtype=float)
        peak = np.maximum.reduceat(song, start)
        first, self.n_samples = self.n_samples, self.n_samples + len(p)
        cells = np.arange(-first % self.cell, len(p), self.cell)
        edges = np.union1d(start, cells)
        lowest = np.split(np.minimum.reduceat(song, edges), np.searchsorted(edges, start)[1:])
        for label, a, b, m, s, low in zip(
            labels[start].tolist(), start.tolist(), stop.tolist(), mass, peak, lowest, strict=True
        ):
            yield _Piece(label, first + a, first + b, m, float(s), self.cell, [low])

    def _close_held(self) -> list[tuple[int, float, float, float]]:
        """End the held song: it is song if it reached the threshold, or else a gap."""
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
            self.gap = replace(piece, label=-1, peak=0.0)
        return self._close_stretch() if self.gap.length >= self.fill else []

    def _close_stretch(self) -> list[tuple[int, float, float, float]]:
        longest = self.longest if self.joins_touching else None
        pieces, self.song, self.gap = _join(self.song, self.shortest, longest), [], None
        found: list[tuple[int, float, float, float]] = []
        for piece in pieces:
            if piece.length < self.shortest[piece.label]:
                continue
            confidence = min(piece.mass[piece.label] / piece.length, 1.0)
            edges = [piece.start, *self._cuts(piece), piece.stop]
            found += [(piece.label, a, b, confidence) for a, b in pairwise(edges)]
        return found

    def _cuts(self, piece: _Piece) -> list[int]:
        """Where to cut a piece that is longer than its type allows, as it must be several in
        sequence.

        It is cut where song is least probable, as often as needed, but never into parts that are
        too short.
        """
        shortest, longest = self.shortest[piece.label], self.longest[piece.label]
        if piece.length <= longest:
            return []
        lowest, first_cell = np.concatenate(piece.lowest), piece.start // self.cell
        cuts, waiting = [], [(piece.start, piece.stop)]
        while waiting:
            start, stop = waiting.pop()
            first, last = (
                math.ceil(edge / self.cell - first_cell - 0.5)
                for edge in (start + shortest, stop - shortest)
            )
            if stop - start <= longest or first >= last:
                continue
            allowed = lowest[first:last]
            equally_low = first + np.flatnonzero(allowed == allowed.min())
            middles = ((first_cell + equally_low + 0.5) * self.cell).astype(int)
            cut = int(middles[np.abs(middles - (start + stop) / 2).argmin()])
            if not start < cut < stop:  # nothing is shorter than a sample
                continue
            cuts.append(cut)
            waiting += [(start, cut), (cut, stop)]
        return sorted(cuts)


def _join(
    pieces: list[_Piece], shortest: list[float], longest: list[float] | None = None
) -> list[_Piece]:
    """Join neighbours of the same type, then pieces that are too short to one of their neighbours.

    Arguments:
        pieces: of one stretch, in order, including the short gaps between them (label -1).
        shortest: by label; a piece with fewer samples is joined to a neighbour, the shortest first.
        longest: by label; if given, neighbours that touch are joined unless the result is longer.
    """
    chain = _Chain(pieces)
    for i in range(len(chain.song)):
        if chain.is_like_next(chain.before[i]):
            chain.join_next(chain.before[i])
    waiting = [(piece.length, i) for i, piece in chain.song.items()]
    heapq.heapify(waiting)
    while waiting and len(chain.song) > 1:
        length, i = heapq.heappop(waiting)
        piece = chain.song.get(i)
        if not piece or piece.length != length or length >= shortest[piece.label]:
            continue  # joined meanwhile, or long enough
        touching = chain.touching(i)
        if not touching:
            chain.drop(i)
            continue
        others = {j: chain.song[j] for j in touching}
        into = max(others, key=lambda j: (piece.mass[others[j].label], others[j].length))
        i = min(i, into)
        chain.join_next(i)
        if chain.is_like_next(i):
            chain.join_next(i)
        if chain.is_like_next(chain.before[i]):
            i = chain.before[i]
            chain.join_next(i)
        heapq.heappush(waiting, (chain.song[i].length, i))
    if longest:
        chain.join_touching(longest)
    return [*chain.song.values()]


class _Chain:
    """Pieces of song in order, which can be joined in constant time.

    Arguments:
        pieces: including the gaps between them.

    Attributes:
        song: the pieces by number, without those joined to the piece before, or dropped.
        gaps: the gap after a piece, unless the next piece touches it.
        before, after: the numbers of the neighbours of each piece, -1 at the ends.
    """

    def __init__(self, pieces: list[_Piece]):
        self.song: dict[int, _Piece] = {}
        self.gaps: dict[int, _Piece] = {}
        for piece in pieces:
            n = len(self.song)
            if piece.label < 0:
                self.gaps[n - 1] = piece
            else:
                self.song[n] = piece
        self.before = list(range(-1, len(self.song) - 1))
        self.after = [*range(1, len(self.song)), -1]

    def touching(self, i: int) -> list[int]:
        """The neighbours that a piece touches, without a gap between."""
        before, after = self.before[i], self.after[i]
        found = [before] if before >= 0 and before not in self.gaps else []
        return found + ([after] if after >= 0 and i not in self.gaps else [])

    def is_like_next(self, i: int) -> bool:
        """Whether this piece exists and is followed by one of the same type."""
        return i >= 0 and self.after[i] >= 0 and self._label(i) == self._label(self.after[i])

    def join_next(self, i: int) -> None:
        """Join a piece, the gap after it and the next piece; the type with most mass wins."""
        piece, following = self.song[i], self.after[i]
        if i in self.gaps:
            piece.extend(self.gaps.pop(i))
        piece.extend(self.song[following])
        piece.label = int(piece.mass.argmax())
        if following in self.gaps:
            self.gaps[i] = self.gaps.pop(following)
        self._remove(following)

    def join_touching(self, longest: list[float]) -> None:
        """Join neighbours that touch, and what then follows a piece of its own type."""
        for i in [*self.song]:
            while i in self.song and (self.is_like_next(i) or self._can_join_next(i, longest)):
                self.join_next(i)
            if i in self.song and self.is_like_next(self.before[i]):
                self.join_next(self.before[i])

    def _can_join_next(self, i: int, longest: list[float]) -> bool:
        """Whether the next piece touches, and both together are no longer than their type."""
        if self.after[i] < 0 or i in self.gaps:
            return False
        piece, following = self.song[i], self.song[self.after[i]]
        label = int((piece.mass + following.mass).argmax())
        return following.stop - piece.start <= longest[label]

    def drop(self, i: int) -> None:
        """Turn a piece into part of the gap around it."""
        before, after = self.before[i], self.after[i]
        if before >= 0 and after >= 0:
            self.gaps[before].extend(self.song[i])
            self.gaps[before].extend(self.gaps[i])
        self._remove(i)

    def _label(self, i: int) -> int:
        return self.song[i].label

    def _remove(self, i: int) -> None:
        before, after = self.before[i], self.after[i]
        del self.song[i]
        if before >= 0:
            self.after[before] = after
        if after >= 0:
            self.before[after] = before
