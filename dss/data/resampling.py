"""Resampling: audio at another sample rate, without frequencies that this rate cannot represent.

Frequencies above half the lower of the two rates are filtered out (soxr, quality HQ).
"""

from fractions import Fraction
from pathlib import Path
from typing import Protocol

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


class Source(Protocol):
    """What can be resampled: a `dss.data.recordings.Recording`."""

    @property
    def path(self) -> Path: ...  # noqa: D102
    @property
    def samplerate_hz(self) -> float: ...  # noqa: D102
    @property
    def n_samples(self) -> int: ...  # noqa: D102
    @property
    def n_channels(self) -> int: ...  # noqa: D102

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read the samples from start to before stop: [samples, channels]."""


class Resampled:
    """A recording at another rate: call it with a first sample and the one after the last.

    The time axis is divided into blocks, each of which is always computed from the same samples, so
    results do not depend on how they are read. Blocks start where samples of both rates coincide.
    """

    def __init__(self, recording: Source, samplerate_hz: float):
        self.recording = recording
        self.up, self.down = _ratio(recording, samplerate_hz)
        self.n_samples = max(1, round(Fraction(recording.n_samples * self.up, self.down)))
        units = -(-CONTEXT_SAMPLES // min(self.up, self.down))
        self.context = self.down * units
        self.block = self.up * max(-(-BLOCK_SAMPLES // max(self.up, self.down)), CONTEXTS * units)
        self.last = -1, np.empty((0, recording.n_channels), np.float32)

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
        x = self.recording.read(first, stop + self.context)
        silence = max(0, stop + self.context - first - len(x))
        x = np.pad(x, ((0, silence), (0, 0)))
        skip = (start - first) // self.down * self.up
        x = soxr.resample(x, self.down, self.up)[skip : skip + self.block]
        x = np.ascontiguousarray(x)
        self.last = i, x
        return x


def _ratio(recording: Source, samplerate_hz: float) -> tuple[int, int]:
    """The ratio of the new rate to the old one, in lowest terms."""
    exact = Fraction(samplerate_hz) / Fraction(recording.samplerate_hz)
    if exact > MOST_RISE:
        raise DssError(
            f"{recording.path}: cannot be resampled from {recording.samplerate_hz:g} Hz to "
            f"{samplerate_hz:g} Hz, which is more than {MOST_RISE} times as much"
        )
    ratio = exact.limit_denominator(MAX_FACTOR)
    drift = abs(ratio - exact) * recording.n_samples  # in samples, at the end
    if samplerate_hz <= 0 or drift > 0.5 or not 0 < ratio.numerator <= MAX_FACTOR:
        raise DssError(
            f"{recording.path}: cannot be resampled from {recording.samplerate_hz:g} Hz to "
            f"{samplerate_hz:g} Hz, as these have no simple ratio. Choose a rounder rate."
        )
    return ratio.numerator, ratio.denominator
