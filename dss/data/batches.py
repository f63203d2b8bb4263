"""Batches: chunks of a split as the network trains on them.

A chunk is `nb_hist` samples of audio. Chunks overlap by twice the padding, and only the middle of a
chunk, between the paddings, counts, so every sample of a split counts in exactly one chunk. Each
stretch of a recording is cut separately, with silence beyond its ends: no chunk spans two
recordings, or a cut between splits.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from dss.data.stores import DAMAGED
from dss.errors import DssError
from dss.support.lazy import Lazy

PIECES = 20  # the minimum number of pieces to draw a part of the data in


@dataclass(frozen=True)
class Chunks:
    """The chunks of one split."""

    x: np.ndarray | Lazy  # audio [samples, channels]
    y: np.ndarray | Lazy  # targets [samples, classes]
    stretches: np.ndarray  # [stretches, 2] first and one past the last sample of each
    nb_hist: int  # the length of a chunk
    padding: int  # samples at both ends of a chunk that do not count
    annotated: np.ndarray | Lazy | None = None  # [samples], 0 for unknown ones, which do not count

    @property
    def stride(self) -> int:
        """The number of samples of a chunk that count."""
        return self.nb_hist - 2 * self.padding

    def grid(self, shift: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Where the chunks start, and the number of the stretch that each is in: [chunks] twice.

        Arguments:
            shift: start the middle of the first chunk this many samples before its stretch, from 0
                to below the stride. Every sample still counts once, but at another place in a
                chunk.
        """
        starts = [np.arange(first - shift, last, self.stride) for first, last in self.stretches]
        owner = np.repeat(np.arange(len(starts)), [len(s) for s in starts])
        return np.concatenate([np.empty(0, int), *starts]) - self.padding, owner

    def batch(self, starts: np.ndarray, owner: np.ndarray) -> tuple[np.ndarray, ...]:
        """The chunks that start at the samples `starts` in the stretches `owner`.

        Returns: x [chunks, nb_hist, channels] float32; y [chunks, nb_hist, classes] in the type of
            the targets; weight [chunks, nb_hist] float32, 1 for the samples that count, else 0.
        """
        place = np.arange(self.nb_hist)
        first, last = (self.stretches[owner] - starts[:, None]).T[:, :, None]
        inside = (place >= first) & (place < last)
        x = _take(self.x, starts, self.nb_hist).astype(np.float32, copy=False)
        x *= inside[:, :, None]
        counts = (place >= self.padding) & (place < self.nb_hist - self.padding)
        weight = (inside & counts).astype(np.float32)
        if self.annotated is not None:
            weight *= _take(self.annotated, starts, self.nb_hist)
        return x, _take(self.y, starts, self.nb_hist), weight


def _take(array: np.ndarray | Lazy, starts: np.ndarray, nb_hist: int) -> np.ndarray:
    """Chunks of an array: [chunks, nb_hist, ...], with zeros beyond its ends.

    Each is contiguous in memory or in a file, and is copied at once.
    """
    chunks = np.zeros((len(starts), nb_hist, *array.shape[1:]), array.dtype)
    for chunk, start in zip(chunks, starts, strict=True):
        first = max(start, 0)
        last = max(first, min(start + nb_hist, len(array)))  # a shifted chunk may lie beyond
        chunk[first - start : last - start] = array[first:last]
    return chunks


def array_of(variable: Any) -> np.ndarray | Lazy:
    """The memory map behind a variable of a dataset; or an object that reads it when sliced."""
    data = variable.variable._data
    if isinstance(data, np.ndarray):
        return data
    source = variable.encoding.get("source") or "the dataset"
    return Lazy(variable, f"{source}: {variable.name}", DAMAGED)


def split_stretches(tree: xr.DataTree, split: str) -> np.ndarray:
    """First and one past the last sample of each stretch of a split, counted within the split.

    [stretches, 2] int. If the dataset does not say, the whole split is one stretch.

    Raises: DssError if the stretches are invalid.
    """
    total = tree[split].sizes["time"]
    names = [f"filename_{part}_{split}" for part in ("startsample", "endsample")]
    try:
        starts, ends = (np.array(tree.attrs.get(name) or [], int) for name in names)
        if starts.ndim != 1 or starts.shape != ends.shape:
            raise ValueError(f"their shapes are {starts.shape} and {ends.shape}")
        if (ends < starts).any():
            raise ValueError("one ends before it starts")
    except (OverflowError, ValueError, TypeError) as error:
        raise DssError(
            f"{tree.name or 'the dataset'}: {' and '.join(names)} should be whole numbers, "
            f"equally many ({error}). {DAMAGED}"
        ) from None
    edges = np.concatenate([[0], np.cumsum(ends - starts)])
    if edges[-1] != total:
        edges = np.array([0, total])
    stretches = np.stack([edges[:-1], edges[1:]], axis=1)
    return stretches[stretches[:, 0] < stretches[:, 1]]


def draw_fraction(
    stretches: np.ndarray,
    fraction: float,
    seed: int,
    annotated: np.ndarray | Lazy | None = None,
) -> np.ndarray:
    """Draw stretches with this fraction of the samples at random.

    Long stretches are drawn in pieces, each at most a twentieth of all samples; the last piece is
    cut at random. Adjacent pieces of a stretch are merged again. With `annotated`, [samples]
    whether each is known, only known samples count.
    """

    def n_known(first: int, last: int) -> int:
        return last - first if annotated is None else int(np.count_nonzero(annotated[first:last]))

    rng = np.random.default_rng(seed)
    n_samples = int(np.diff(stretches).sum())
    left = round(fraction * sum(n_known(*stretch) for stretch in stretches))
    longest = max(1, -(-n_samples // PIECES))
    pieces = np.concatenate([_pieces(first, last, longest) for first, last in stretches])
    drawn = []
    for first, last in rng.permutation(pieces):
        if left <= 0:
            break
        n = n_known(first, last)
        if n > left:
            length = round((last - first) * left / n)
            first += rng.integers(last - first - length, endpoint=True)
            last = first + length
        drawn.append((first, last))
        left -= n
    joined: list[list[int]] = []
    starts = {*stretches[:, 0].tolist()}
    for first, last in sorted(drawn):
        if joined and joined[-1][1] == first and first not in starts:
            joined[-1][1] = last
        else:
            joined.append([first, last])
    return np.array(joined, int).reshape(-1, 2)


def _pieces(first: int, last: int, longest: int) -> np.ndarray:
    """Cut a stretch into pieces of about equal length: [pieces, 2]."""
    edges = np.linspace(first, last, 1 + -(-(last - first) // longest)).round().astype(int)
    return np.stack([edges[:-1], edges[1:]], axis=1)
