"""How much louder than the noise a recording is, and where it is louder than a threshold."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import scipy.fft
import scipy.ndimage
import scipy.signal

from dss.data.recordings import Recording
from dss.data.stretches import of_mask
from dss.errors import DssError

FRAME_SECONDS, WINDOW_SECONDS = 0.001, 0.01
WINDOW_SAMPLES = 64, 1024
QUIET = 0.2  # fraction of the frames taken as noise
LOUD = 0.98, 0.999, 1.0  # quantiles of loud song; the first at which something stands out counts
STANDS_OUT_DB = 20  # noise itself varies by 13 dB
LEAST_POWER = 1e-12
BLOCK_FRAMES = 2**13
N_SAMPLED, SAMPLED_FRAMES = 40, 500  # stretches, and frames per stretch, to measure noise in


class Loudness(NamedTuple):
    """How much louder than the noise a recording is, in the frequency band of the song.

    Attributes:
        db: [frames] above the noise.
        frames_hz: frames a second; the first is at 0 s.
    """

    db: np.ndarray
    frames_hz: float


def measure_loudness(
    recording: Recording, lowest_hz: float = 0, highest_hz: float | None = None
) -> Loudness:
    """Measure how much louder than the noise a recording is, every millisecond.

    The power at each frequency is divided by the noise there, which a fifth of the frames do not
    exceed. Then it is averaged over the frequencies at which the loudest frames stand out most, so
    that neither hum nor hiss elsewhere counts.

    Arguments:
        recording: the result of `dss.data.open_recording`.
        lowest_hz, highest_hz: the frequency range; default: all frequencies.

    Raises: DssError if there is no frequency in this range.
    """
    spectra = _Spectra(recording)
    is_used = (spectra.frequencies_hz >= lowest_hz) & (
        spectra.frequencies_hz <= (highest_hz or np.inf)
    )
    if not is_used.any():
        raise DssError(
            f"{recording.path}: contains no frequencies between {lowest_hz:g} and "
            f"{highest_hz or np.inf:g} Hz; use frequencies up to {recording.samplerate_hz / 2:g} Hz"
        )
    sampled = np.concatenate([*spectra.sampled()])[:, is_used]
    is_sound = sampled.sum(axis=1) > 0  # recorders that wait for sound write zeros
    if not is_sound.any():
        return Loudness(np.zeros(spectra.n_frames, np.float32), spectra.frames_hz)
    sampled = 10 * np.log10(sampled[is_sound] + LEAST_POWER)
    noise = np.quantile(sampled, QUIET, axis=0)
    above = loudest(sampled - noise)
    weight = (above >= (above.min() + above.max()) / 2) / 10 ** (noise / 10)
    weight /= np.count_nonzero(weight)
    power = np.concatenate([power[:, is_used] @ weight for power in spectra.blocks()])
    db = scipy.ndimage.uniform_filter1d(10 * np.log10(power + 1e-3), 3).astype(np.float32)
    return Loudness(db - np.quantile(db[power > 0], QUIET), spectra.frames_hz)


def find_segments(
    loudness: Loudness, threshold_db: float, fill_seconds: float = 0.003, min_seconds: float = 0.01
) -> np.ndarray:
    """Find where loudness is above a threshold: [segments, 2] seconds.

    Arguments:
        loudness: the result of `measure_loudness`.
        threshold_db: above the noise.
        fill_seconds: shorter gaps are filled.
        min_seconds: shorter segments are left out.
    """
    times = of_mask(loudness.db > threshold_db) / loudness.frames_hz
    if len(times) > 1:
        is_gap = times[1:, 0] - times[:-1, 1] > fill_seconds
        starts, stops = times[np.r_[True, is_gap], 0], times[np.r_[is_gap, True], 1]
        times = np.column_stack([starts, stops])
    return times[times[:, 1] - times[:, 0] >= min_seconds]


def find_peaks(
    loudness: Loudness, threshold_db: float, distance_seconds: float = 0.01
) -> np.ndarray:
    """Find when loudness peaks above a threshold: [events] seconds, with a minimum distance."""
    distance = max(1, round(distance_seconds * loudness.frames_hz))
    peaks, _ = scipy.signal.find_peaks(loudness.db, height=threshold_db, distance=distance)
    return peaks / loudness.frames_hz


def loudest(db: np.ndarray) -> np.ndarray:
    """How loud song is, which may be rare: quantiles along the first axis."""
    for part in LOUD:
        loud = np.quantile(db, part, axis=0)
        if loud.max() >= STANDS_OUT_DB:
            break
    return loud


class _Spectra:
    """Spectra of a recording, a millisecond apart: [frames, frequencies], block by block."""

    def __init__(self, recording: Recording):
        rate = recording.samplerate_hz
        self._recording, self._hop = recording, max(1, round(FRAME_SECONDS * rate))
        window = int(np.clip(2 ** round(np.log2(WINDOW_SECONDS * rate)), *WINDOW_SAMPLES))
        self._window = np.hanning(window).astype(np.float32)
        self.frames_hz = rate / self._hop
        self.frequencies_hz = np.arange(1, window // 2 + 1) * rate / window  # without DC
        self.n_frames = -(-recording.n_samples // self._hop)

    def blocks(self) -> Iterator[np.ndarray]:
        """All spectra."""
        for first in range(0, self.n_frames, BLOCK_FRAMES):
            yield self._read(first, min(BLOCK_FRAMES, self.n_frames - first))

    def sampled(self) -> Iterator[np.ndarray]:
        """The spectra of stretches spread over the recording, or all spectra if it is short."""
        if self.n_frames <= N_SAMPLED * SAMPLED_FRAMES:
            yield from self.blocks()
            return
        for first in np.linspace(0, self.n_frames - SAMPLED_FRAMES, N_SAMPLED).astype(int):
            yield self._read(first, SAMPLED_FRAMES)

    def _read(self, first: int, n: int) -> np.ndarray:
        """Mean power over channels, with silence beyond both ends."""
        size = len(self._window)
        start = first * self._hop - size // 2
        stop = start + (n - 1) * self._hop + size
        x = self._recording.read(max(0, start), min(stop, self._recording.n_samples))
        x = np.pad(x, [(max(0, -start), max(0, stop - self._recording.n_samples)), (0, 0)])
        windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=0)[:: self._hop]
        power = np.zeros((n, size // 2), np.float32)
        for channel in range(x.shape[1]):
            spectra = scipy.fft.rfft(windows[:, channel] * self._window)[:, 1:]
            power += spectra.real**2 + spectra.imag**2
        return power / x.shape[1]
