"""Describe segments by their sound, to find those that sound alike."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import scipy.fft

from dss.data.annotations import occurrences
from dss.data.recordings import Recording
from dss.data.text_tables import COLUMNS
from dss.errors import DssError
from dss.review.view import View

N_BANDS, N_FRAMES = 48, 24  # of the spectrogram that describes a segment
SPECTRA_PER_FRAME = 4
WINDOW_SECONDS = 0.012
DEPTH_DB = 40.0  # below the loudest point of a segment, everything counts as silence
N_COMPONENTS = 16
DURATION_WEIGHT = 0.1  # of the logarithm of the duration, relative to the spectrogram
LONG_SAMPLES = 2**20  # longer segments are read window by window


def list_segments(views: Sequence[View]) -> pd.DataFrame:
    """List the annotated segments in recordings, whatever their names.

    Arguments:
        views: recordings from `dss.review.views.open_views`.

    Returns: a table with the columns view, the number of the view; row, the row of the annotation
        in the table of the view, counted from 0; name, start_seconds and stop_seconds.
    """
    tables = []
    for number, view in enumerate(views):
        table = occurrences(view.annotations[COLUMNS].reset_index(drop=True))
        table = table[table["stop_seconds"] > table["start_seconds"]]
        tables.append(table.rename_axis("row").reset_index().assign(view=number))
    columns = ["view", "row", *COLUMNS]
    there = [table for table in tables if len(table)] or [pd.DataFrame(columns=columns)]
    return pd.concat(there, ignore_index=True)[columns]


def describe_segments(views: Sequence[View], segments: pd.DataFrame) -> np.ndarray:
    """Describe each segment by numbers that are similar for segments that sound alike.

    These are the principal components of its mel spectrogram, warped to 24 frames and measured in
    dB below its loudest point, and the logarithm of its duration. Only one segment is in memory at
    a time.

    Arguments:
        views: recordings from `dss.review.views.open_views`.
        segments: the table from `list_segments`.

    Returns: [segments, features] float32.
    Raises: DssError if there are no segments.
    """
    from sklearn.decomposition import PCA  # takes half a second to import

    if not len(segments):
        raise DssError(
            "There are no segments here yet: annotate some, or propose and keep some; save them, "
            "and look again."
        )
    rate = min(views[number].recording.samplerate_hz for number in segments["view"].unique())
    shapes = np.empty((len(segments), N_FRAMES * N_BANDS), np.float32)
    for i, power in enumerate(_mel_powers(views, segments, rate)):
        shapes[i] = _below_loudest(power).ravel()
    duration = (segments["stop_seconds"] - segments["start_seconds"]).to_numpy(float)
    n = min(N_COMPONENTS, *shapes.shape)
    return _with_durations(PCA(n, svd_solver="covariance_eigh").fit_transform(shapes), duration)


def mel_filters(
    n_bands: int, n_fft: int, samplerate_hz: float, range_hz: tuple[float, float]
) -> np.ndarray:
    """Triangular filters on a mel scale, each with a sum of 1: [bands, frequencies].

    Arguments:
        n_bands: the number of bands.
        n_fft: samples per spectrum.
        samplerate_hz: the sample rate.
        range_hz: lowest and highest frequency.
    """
    low, high = 2595 * np.log10(1 + np.asarray(range_hz) / 700)
    edges = 700 * (10 ** (np.linspace(low, high, n_bands + 2) / 2595) - 1)
    bins = np.arange(n_fft // 2 + 1) * samplerate_hz / n_fft
    center = edges[1:-1, None]
    step = samplerate_hz / n_fft  # a filter between two bins gets a part of both
    rising = 1 - (center - bins) / np.maximum(center - edges[:-2, None], step)
    falling = 1 - (bins - center) / np.maximum(edges[2:, None] - center, step)
    weights = np.clip(np.minimum(rising, falling), 0, None)
    return weights / weights.sum(axis=1, keepdims=True)


def _mel_powers(
    views: Sequence[View], segments: pd.DataFrame, lowest_rate_hz: float
) -> Iterator[np.ndarray]:
    """The warped power of each segment: [frames, bands]."""
    range_hz = (0.01 * lowest_rate_hz, 0.375 * lowest_rate_hz)
    # Windows have the same duration in all recordings, so that segments are comparable.
    lowest = np.clip(2 ** round(np.log2(WINDOW_SECONDS * lowest_rate_hz)), 32, 512)
    seconds = lowest / lowest_rate_hz
    filters: dict[float, np.ndarray] = {}
    for number, _, _, start, stop in segments.itertuples(index=False, name=None):
        recording = views[number].recording
        rate = recording.samplerate_hz
        window = round(seconds * rate)
        n_fft = max(512, 2 ** int(np.ceil(np.log2(window))))
        if rate not in filters:
            filters[rate] = mel_filters(N_BANDS, n_fft, rate, range_hz)
        x = _windows(recording, start, stop, window) * np.hanning(window).astype(np.float32)
        spectra = scipy.fft.rfft(x, n_fft)
        power = (spectra.real**2 + spectra.imag**2).mean(axis=1)  # mean over channels
        power = power.reshape(N_FRAMES, SPECTRA_PER_FRAME, -1).mean(axis=1)
        yield power @ filters[rate].T


def _windows(recording: Recording, start: float, stop: float, window: int) -> np.ndarray:
    """The windows for the spectra of a segment: [windows, channels, samples]."""
    n = N_FRAMES * SPECTRA_PER_FRAME
    centers = start + (np.arange(n) + 0.5) / n * (stop - start)
    starts = np.round(centers * recording.samplerate_hz).astype(int) - window // 2
    starts = np.clip(starts, 0, max(0, recording.n_samples - window))
    first, last = starts[0], starts[-1] + window
    if last - first <= LONG_SAMPLES:
        x = recording.read(first, last)
        x = np.pad(x, ((0, max(0, last - first - len(x))), (0, 0)))
        return np.lib.stride_tricks.sliding_window_view(x, window, axis=0)[starts - first]
    return np.stack([recording.read(start, start + window).T for start in starts])


def _below_loudest(power: np.ndarray) -> np.ndarray:
    """Power scaled from 0, silent, to 1, as loud as the loudest point."""
    db = 10 * np.log10(np.maximum(power, 1e-12))
    return np.clip((db - np.percentile(db, 99)) / DEPTH_DB + 1, 0, 1)


def _with_durations(shapes: np.ndarray, duration_seconds: np.ndarray) -> np.ndarray:
    """Features of the sound and the duration, weighted by `DURATION_WEIGHT`."""
    spread = np.sqrt((shapes**2).sum(axis=1).mean())
    longer = np.log(duration_seconds)
    longer = (longer - longer.mean()) / max(longer.std(), 1e-9)
    return np.column_stack([shapes, DURATION_WEIGHT * spread * longer]).astype(np.float32)
