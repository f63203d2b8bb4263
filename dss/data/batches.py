"""Batches: chunks of a split as the network trains on them.

A chunk is `nb_hist` samples of audio. Chunks overlap by twice the padding, and only the middle of a
chunk, between the paddings, counts: so every sample of a split counts in exactly one chunk. Each
stretch of a recording is cut on its own, with silence beyond its ends: no chunk reaches from one
recording into another, or over a cut between splits.
"""

from collections.abc import Sequence

import numpy as np


class Chunks:
    """The chunks of one split.

    Arguments:
        x: audio [samples, channels].
        y: targets [samples, classes].
        stretches: [stretches, 2]: first and one past the last sample of each stretch.
        nb_hist: length of a chunk.
        padding: samples at both ends of a chunk that do not count.
    """

    def __init__(
        self, x: np.ndarray, y: np.ndarray, stretches: Sequence[Sequence[int]], nb_hist: int, padding: int
    ):
        self.x, self.y = x, y
        self.nb_hist, self.padding = nb_hist, padding
        self.stretches = np.asarray(stretches).reshape(-1, 2)

    def grid(self, shift: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Where chunks start, for every stretch: (starts [chunks], stretch of each [chunks]).

        Arguments:
            shift: how far the first chunk starts before its stretch, 0 to the stride: the samples
                of the song fall into other places of a chunk. None is lost.
        """
        stride = self.nb_hist - 2 * self.padding
        starts = [np.arange(first - self.padding - shift, last - self.padding, stride) for first, last in self.stretches]
        owner = np.repeat(np.arange(len(starts)), [len(s) for s in starts])
        return np.concatenate([*starts, np.empty(0, int)]).astype(int), owner

    def batch(self, starts: np.ndarray, owner: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The chunks that start at `starts` in the stretches `owner`.

        Returns: x [chunks, nb_hist, channels] float32; y [chunks, nb_hist, classes] float32; weight
            [chunks, nb_hist] float32: 1 for the samples that count, 0 for the others.
        """
        index = starts[:, None] + np.arange(self.nb_hist)
        first, last = self.stretches[owner].T[:, :, None]
        inside = (index >= first) & (index < last)
        index = np.clip(index, first, last - 1)
        x = np.where(inside[:, :, None], self.x[index], 0).astype(np.float32)
        weight = inside.astype(np.float32)
        weight[:, : self.padding] = 0
        weight[:, self.nb_hist - self.padding :] = 0
        return x, self.y[index].astype(np.float32), weight
