"""Propose segments or events without a network: sound that rises above the noise of its band."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Unpack

import numpy as np
import pandas as pd
import scipy.fft
import scipy.ndimage
import scipy.signal

from dss.data.recordings import Recording, open_recording
from dss.data.stretches import of_mask
from dss.data.texttables import COLUMNS
from dss.errors import DssError, DssWarning
from dss.options import ProposeOptions, takes_options
from dss.options.arguments import ProposeArguments
from dss.predict import ownership
from dss.predict.pending import target_paths
from dss.predict.recording import UNREADABLE

FRAME_SECONDS, WINDOW_SECONDS = 0.001, 0.01
WINDOW_SAMPLES = 64, 1024
QUIET = 0.2  # the part of the frames that is not louder than noise
LOUD = 0.98, 0.999, 1.0  # that is softer than loud song; the first at which something stands out
STANDS_OUT_DB = 20  # noise itself rises by 13 dB
LEAST_POWER = 1e-12
BLOCK_FRAMES = 2**13
N_SAMPLED, SAMPLED_FRAMES = 40, 500  # stretches, and frames of each, that noise is measured in
LOWEST_DB, PART_OF_RANGE = 3, 0.75  # thresholds that are tried, 1 dB apart
STEPS, TOLERANCES = (2, 3, 4), (0.003, 0.005)  # dB up and down; seconds that boundaries may move
LOW_IS_BETTER = 0.3  # how much less a boundary counts at the threshold of the loudest song


class Loudness(NamedTuple):
    """How much louder than the noise a recording is, in the frequencies in which there is song.

    Attributes:
        db: [frames] above the noise.
        frames_hz: frames a second; the first is at 0 s.
    """

    db: np.ndarray
    frames_hz: float


@takes_options
def propose(
    recording: Recording,
    *,
    options: ProposeOptions | None = None,
    **named: Unpack[ProposeArguments],
) -> pd.DataFrame:
    """Find what is probably song in a recording, without a network.

    Arguments:
        recording: what `dss.data.open_recording` gave. It is read block by block.

    Returns: an annotation table, in which all has one name.
    Raises: DssError if the frequency range holds nothing.
    """
    options = ProposeOptions.given(options, named)
    loudness = measure_loudness(recording, options.lowest_hz, options.highest_hz)
    threshold_db = options.threshold_db
    if threshold_db is None:
        threshold_db = stable_threshold(loudness)
    return above_threshold(loudness, threshold_db, recording.duration_seconds, options)


def above_threshold(
    loudness: Loudness, threshold_db: float, duration_seconds: float, options: ProposeOptions
) -> pd.DataFrame:
    """An annotation table of what is louder than a threshold.

    Arguments:
        loudness: as `measure_loudness` gives it.
        threshold_db: above the noise; that of the options does not count.
        duration_seconds: of the recording.
        options: segments or events, their name and durations.
    """
    if options.kind == "event":
        seconds = find_peaks(loudness, threshold_db, options.event_distance_seconds)
        times = np.column_stack([seconds, seconds])
    else:
        times = find_segments(loudness, threshold_db, options.fill_seconds, options.min_seconds)
        if options.max_seconds is not None:
            times = times[times[:, 1] - times[:, 0] <= options.max_seconds]
        times = np.minimum(times, duration_seconds)
    table = pd.DataFrame(times, columns=COLUMNS[1:])
    table.insert(0, COLUMNS[0], pd.array([options.song_type] * len(table), dtype="str"))
    return table


@takes_options
def propose_files(
    recordings: str | Path,
    *,
    after_each: Callable[[Path], None] | None = None,
    options: ProposeOptions | None = None,
    **named: Unpack[ProposeArguments],
) -> list[Path]:
    """Write proposals for recordings, as files of annotations to name and correct.

    Arguments:
        recordings: an audio file, a folder, or a pattern such as `day1/*.wav`.
        after_each: is called with each file that was written.

    Returns: the files, `STEM_annotations.csv`. Recordings that are annotated by hand, or cannot be
        read, are left out with a warning.
    Raises: DssError if there are no recordings.
    """
    options = ProposeOptions.given(options, named)
    files = target_paths(recordings, options.save_dir, "csv")
    by_hand = [file for file in files.values() if file.exists() and not ownership.is_by_dss(file)]
    if by_hand:
        more = f" and {len(by_hand) - 1} more" if len(by_hand) > 1 else ""
        said = f"{by_hand[0]}{more}: holds manual annotations, so nothing is proposed there"
        warnings.warn(said, DssWarning, stacklevel=3)
    written = []
    for path, file in files.items():
        if file in by_hand:
            continue
        try:
            recording = open_recording(path)
            table = propose(recording, options=options)
        except UNREADABLE as error:
            if len(files) == 1:
                raise
            warnings.warn(str(error), DssWarning, stacklevel=3)
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        ownership.write(table, file, "csv", recording.duration_seconds, recording.samplerate_hz)
        written.append(file)
        if after_each:
            after_each(file)
    return written


def measure_loudness(
    recording: Recording, lowest_hz: float = 0, highest_hz: float | None = None
) -> Loudness:
    """How much louder than the noise a recording is, every millisecond.

    At each frequency, power is taken relative to that of the noise, which a fifth of the frames
    do not exceed. Then it is averaged over the frequencies at which the loudest frames stand out
    most, so that neither hum nor hiss elsewhere counts.

    Arguments:
        recording: what `dss.data.open_recording` gave.
        lowest_hz, highest_hz: between which frequencies; default: all.

    Raises: DssError if there is no frequency in this range.
    """
    spectra = _Spectra(recording)
    is_used = (spectra.frequencies_hz >= lowest_hz) & (
        spectra.frequencies_hz <= (highest_hz or np.inf)
    )
    if not is_used.any():
        raise DssError(
            f"{recording.path}: there is nothing between {lowest_hz:g} and {highest_hz:g} Hz; "
            f"use frequencies up to {recording.samplerate_hz / 2:g} Hz"
        )
    sampled = np.concatenate([*spectra.sampled()])[:, is_used]
    is_sound = sampled.sum(axis=1) > 0  # recorders that wait for sound write zeros
    if not is_sound.any():
        return Loudness(np.zeros(spectra.n_frames, np.float32), spectra.frames_hz)
    sampled = 10 * np.log10(sampled[is_sound] + LEAST_POWER)
    noise = np.quantile(sampled, QUIET, axis=0)
    above = _loud(sampled - noise)
    weight = (above >= (above.min() + above.max()) / 2) / 10 ** (noise / 10)
    weight /= np.count_nonzero(weight)
    blocks = [power[:, is_used] @ weight for power in spectra.blocks()]
    db = 10 * np.log10(np.concatenate(blocks) + 1e-3)
    db = scipy.ndimage.uniform_filter1d(db, 3).astype(np.float32)
    return Loudness(db - np.quantile(db, QUIET), spectra.frames_hz)


def stable_threshold(loudness: Loudness) -> float:
    """The threshold at which boundaries move least if it is a few dB higher or lower.

    At onsets and offsets of song loudness rises and falls steeply, so that they stay where they
    are; noise, and the ups and downs within syllables, come and go with the threshold. Of
    thresholds that are as stable the lower one is better: it misses less.
    """
    highest = float(_loud(loudness.db))
    thresholds = np.arange(LOWEST_DB, max(LOWEST_DB + 5, PART_OF_RANGE * highest))
    found = [find_segments(loudness, threshold) for threshold in thresholds]
    last = len(found) - 1
    stability = np.zeros(len(found))
    for i in range(len(found)):
        for step in STEPS:
            low, high = max(0, i - step), min(last, i + step)
            part = (high - low) / (2 * step)
            for tolerance in TOLERANCES:
                stability[i] += part * _agreement(found[low], found[high], tolerance)
    stability *= 1 - LOW_IS_BETTER * thresholds / max(highest, thresholds[-1])
    return float(thresholds[stability.argmax()])


def find_segments(
    loudness: Loudness, threshold_db: float, fill_seconds: float = 0.003, min_seconds: float = 0.01
) -> np.ndarray:
    """Where loudness is above a threshold: [segments, 2] seconds.

    Arguments:
        loudness: as `measure_loudness` gives it.
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
    """When loudness peaks above a threshold: [events] seconds, at least so far apart."""
    distance = max(1, round(distance_seconds * loudness.frames_hz))
    peaks, _ = scipy.signal.find_peaks(loudness.db, height=threshold_db, distance=distance)
    return peaks / loudness.frames_hz


class _Spectra:
    """Spectra of a recording, a millisecond apart: [frames, frequencies], block by block."""

    def __init__(self, recording: Recording):
        rate = recording.samplerate_hz
        self._recording, self._hop = recording, max(1, round(FRAME_SECONDS * rate))
        window = int(np.clip(2 ** round(np.log2(WINDOW_SECONDS * rate)), *WINDOW_SAMPLES))
        self._window = np.hanning(window).astype(np.float32)
        self.frames_hz = rate / self._hop
        self.frequencies_hz = np.arange(1, window // 2 + 1) * rate / window  # without the offset
        self.n_frames = -(-recording.n_samples // self._hop)

    def blocks(self) -> Iterator[np.ndarray]:
        """All of them."""
        for first in range(0, self.n_frames, BLOCK_FRAMES):
            yield self._read(first, min(BLOCK_FRAMES, self.n_frames - first))

    def sampled(self) -> Iterator[np.ndarray]:
        """Those of stretches all over the recording, or all if it is short."""
        if self.n_frames <= N_SAMPLED * SAMPLED_FRAMES:
            yield from self.blocks()
            return
        for first in np.linspace(0, self.n_frames - SAMPLED_FRAMES, N_SAMPLED).astype(int):
            yield self._read(first, SAMPLED_FRAMES)

    def _read(self, first: int, n: int) -> np.ndarray:
        """Mean power over channels; there is silence beyond both ends."""
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


def _loud(db: np.ndarray) -> np.ndarray:
    """How loud song is, which may be rare: quantiles over the first axis."""
    for part in LOUD:
        loud = np.quantile(db, part, axis=0)
        if loud.max() >= STANDS_OUT_DB:
            break
    return loud


def _agreement(one: np.ndarray, other: np.ndarray, tolerance_seconds: float) -> float:
    """F1 of the boundaries of segments, onsets and offsets together."""
    n = len(one) + len(other)
    agreeing = sum(_n_close(one[:, i], other[:, i], tolerance_seconds) for i in (0, 1))
    return agreeing / n if n else 0.0


def _n_close(one: np.ndarray, other: np.ndarray, tolerance_seconds: float) -> int:
    """How many times in two lists are each other's nearest, and no further apart than this."""
    if not len(one) or not len(other):
        return 0
    there, back = _nearest(one, other), _nearest(other, one)
    is_mutual = back[there] == np.arange(len(one))
    return int((is_mutual & (np.abs(other[there] - one) <= tolerance_seconds)).sum())


def _nearest(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """For each time in a list the number of the nearest in another; both rise."""
    after = np.searchsorted(other, one).clip(1, max(1, len(other) - 1))
    after = np.minimum(after, len(other) - 1)
    before = np.maximum(after - 1, 0)
    return np.where(one - other[before] <= other[after] - one, before, after)
