"""Resampling: audio at another sample rate, without frequencies that this rate cannot represent.

Frequencies above half the lower of the two rates are filtered out (soxr, quality HQ).
"""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import soxr

from dss.errors import DssError

BLOCK_SAMPLES = 2**16  # computed at a time, at the higher rate, at least
CONTEXTS = 16  # minimum length of a block in contexts, so that little is computed twice
MAX_FACTOR = 2**20  # for the ratio of two rates in lowest terms
MOST_RISE = 1000  # of a sample rate: more would fill the memory with nothing new
# What the filter sees before and after a sample, in samples of the lower rate; it needs less than
# half of this: from 256 on, more changes nothing.
CONTEXT_SAMPLES = 512


class Resampled:
    """Audio at another rate: call it with a first sample and the one after the last.

    The time axis is divided into blocks, each of which is always computed from the same samples, so
    results do not depend on how they are read. Blocks start where samples of both rates coincide.

    Arguments:
        read: a function that returns the samples from one to before another: [samples, channels].
        n_samples: how many there are.
        ratio: the ratio of the new rate to the old one, from `resampling_ratio`.
    """

    def __init__(self, read: Callable[[int, int], np.ndarray], n_samples: int, ratio: Fraction):
        self.read, (self.up, self.down) = read, ratio.as_integer_ratio()
        self.n_samples = max(1, round(n_samples * ratio))
        units = -(-CONTEXT_SAMPLES // min(self.up, self.down))
        self.context = self.down * units
        self.block = self.up * max(-(-BLOCK_SAMPLES // max(self.up, self.down)), CONTEXTS * units)
        self.last: tuple[int, np.ndarray] = (-1, np.empty(0))

    def __call__(self, start: int, stop: int) -> np.ndarray:
        """Read the samples from `start` to before `stop`: [samples, channels] float32."""
        stop = min(stop, self.n_samples)
        parts = [
            self._block(i)[max(start - i * self.block, 0) : stop - i * self.block]
            for i in range(start // self.block, -(-stop // self.block))
        ]
        return np.concatenate(parts)

    def _block(self, i: int) -> np.ndarray:
        index, x = self.last  # consecutive small reads fall in the same block
        if index == i:
            return x
        start = i * self.block // self.up * self.down
        stop = start + self.block // self.up * self.down
        first = max(0, start - self.context)
        x = self.read(first, stop + self.context)
        silence = max(0, stop + self.context - first - len(x))
        x = np.pad(x, ((0, silence), (0, 0)))
        skip = (start - first) // self.down * self.up
        x = soxr.resample(x, self.down, self.up)[skip : skip + self.block]
        x = np.ascontiguousarray(x)
        self.last = i, x
        return x


def resampling_ratio(old_hz: float, new_hz: float, n_samples: int, path: Path) -> Fraction:
    """The ratio of a new sample rate to an old one, close enough for this many samples.

    Raises: DssError that names the file at `path`, if there is none.
    """
    exact = Fraction(new_hz) / Fraction(old_hz)
    what = f"{path}: cannot be resampled from {old_hz:g} Hz to {new_hz:g} Hz"
    if exact > MOST_RISE:
        raise DssError(f"{what}, which is more than {MOST_RISE} times as much")
    ratio = exact.limit_denominator(MAX_FACTOR)
    drift = abs(ratio - exact) * n_samples  # in samples, at the end
    if drift > 0.5 or not 0 < ratio.numerator <= MAX_FACTOR:
        raise DssError(f"{what}, as these have no simple ratio. Choose a rounder rate.")
    return ratio
