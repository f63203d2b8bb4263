"""The spectrogram of a stretch of audio of any length, and the frequency range of its song."""

from typing import Any

import numpy as np
import scipy.fft
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

from dss.errors import DssError
from dss.plot.layout import BINS

FRAMES = 2**15  # maximum number of spectra to average
CHOSEN_SAMPLES = 16, 2**13  # limits of a given window
SMOOTH_SAMPLES = 2**9  # shorter windows are padded to this length, for a smooth look


def spectrogram(
    x: np.ndarray, samplerate_hz: float, n_frames: int = FRAMES, window_seconds: float | None = None
) -> np.ndarray:
    """Compute power in dB [frequencies, columns]: the mean over channels and the spectra of a
    column.

    A sine wave from -1 to 1 has 0 dB.

    Arguments:
        x: [samples, channels].
        samplerate_hz: the sample rate.
        n_frames: the maximum number of spectra to compute.
        window_seconds: as for `window_samples`.
    """
    window = window_samples(samplerate_hz, window_seconds)
    n_possible = max(1, len(x) // (window // 8))
    n_columns = min(n_possible, BINS)
    per_column = max(1, min(n_possible, n_frames) // n_columns)
    return in_db(mean_power(x, window, n_columns, per_column).T)


def window_samples(samplerate_hz: float, window_seconds: float | None = None) -> int:
    """The length of the window of a spectrum.

    The default is 25 ms, for the pulses and harmonics of fly song, but at most 512 samples, which
    is 16 ms for birdsong and 2 ms for ultrasound. Other windows are limited to 16 to 8192 samples.
    """
    if window_seconds is None:
        return int(np.clip(2 ** round(np.log2(0.025 * samplerate_hz)), 32, 512))
    return int(np.clip(round(window_seconds * samplerate_hz), *CHOSEN_SAMPLES))


def mean_power(x: np.ndarray, window: int, n_columns: int, per_column: int) -> np.ndarray:
    """Power [columns, frequencies]: the mean of `per_column` spectra in each column."""
    centers = (np.arange(n_columns * per_column) + 0.5) * len(x) / (n_columns * per_column)
    starts = centers.astype(int) - window // 2
    power = np.concatenate(
        [_power(x, starts[i : i + 1024], window) for i in range(0, len(starts), 1024)]
    )
    return power.reshape(n_columns, per_column, -1).mean(axis=1)


def in_db(power: np.ndarray) -> np.ndarray:
    """Power in dB, limited to 120 dB below the loudest."""
    return 10 * np.log10(np.maximum(power, max(power.max() * 1e-12, 1e-30)))


def contrast(power: np.ndarray) -> tuple[float, float]:
    """The levels to draw dark and bright, in dB, so that hiss is dark."""
    dark, bright = np.percentile(_some(power), [40, 99.8])
    bright = max(bright, dark + 15)  # pure hiss stays dark
    return max(dark, bright - 60), bright  # digital silence does not reduce the contrast


def song_range(power: np.ndarray, samplerate_hz: float) -> tuple[float, float]:
    """The frequencies whose power varies most in time, as song does.

    The range starts at 0 unless song is far above, as ultrasound is, and covers at least a quarter
    of the band.
    """
    loud, quiet = np.percentile(_some(power), [98, 20], axis=1)
    contrast = np.convolve(loud - quiet, np.ones(9) / 9, mode="same")
    floor, peak = np.percentile(contrast, [10, 100])
    nyquist = samplerate_hz / 2
    if peak - floor < 3:  # dB
        return 0.0, nyquist
    is_song = (contrast > floor + 0.25 * (peak - floor)) & (loud > loud.max() - 40)
    song = np.flatnonzero(is_song) / (len(power) - 1) * nyquist
    if not len(song):
        return 0.0, nyquist
    low = 0.8 * song[0] if 0.8 * song[0] > nyquist / 4 else 0.0
    return low, float(np.clip(1.2 * song[-1], low + nyquist / 4, nyquist))


def _some(power: np.ndarray) -> np.ndarray:
    """About every other column of many: percentiles are as good, and faster."""
    return power[:, :: max(1, power.shape[1] // 300)]


def draw_spectrogram(
    axis: Axes, power, samplerate_hz, time, range_hz, log_frequency, power_range_db=None
) -> None:
    """Draw a `spectrogram`, with colours that leave hiss dark, or span the given dB."""
    low, high = range_hz
    step = samplerate_hz / 2 / (len(power) - 1)
    if not 0 <= low < high or low > samplerate_hz / 2:
        raise DssError(
            f"frequency_range_hz {tuple(range_hz)} should be a lower and a higher frequency, "
            f"below {samplerate_hz / 2:g}"
        )
    unit, label = (1000, "kHz") if high >= 2000 else (1, "Hz")
    inside = power[int(low / step) : int(high / step) + 1]
    dark, bright = power_range_db or contrast(inside)
    look: dict[str, Any] = {"cmap": "magma", "vmin": dark, "vmax": bright}
    if log_frequency:
        edges = (np.arange(1, len(power) + 1) - 0.5) * step / unit
        axis.pcolormesh(np.linspace(time[0], time[1], power.shape[1] + 1), edges, power[1:], **look)
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.minorticks_off()
        low = max(low, step, high / 50)
    else:
        extent = (*time, -0.5 * step / unit, (len(power) - 0.5) * step / unit)
        axis.imshow(power, aspect="auto", origin="lower", extent=extent, **look)
    axis.set(ylim=(low / unit, high / unit), ylabel=f"frequency\n({label})")


def _power(x: np.ndarray, starts: np.ndarray, window: int) -> np.ndarray:
    """Power spectra of the windows that start at these samples: [starts, frequencies].

    Windows that would extend beyond x are shifted to lie within it.
    """
    if len(x) < window:
        x = np.pad(x, ((0, window - len(x)), (0, 0)))
    frames = np.lib.stride_tricks.sliding_window_view(x, window, axis=0)
    frames = frames[np.clip(starts, 0, len(frames) - 1)].astype(np.float32)
    frames -= frames.mean(axis=2, keepdims=True)
    shape = np.hanning(window)
    frames *= (2 / shape.sum() * shape).astype(np.float32)
    n_fft = max(SMOOTH_SAMPLES, scipy.fft.next_fast_len(window, real=True))
    spectra = scipy.fft.rfft(frames, n_fft)  # numpy's takes 6 times as long
    return (spectra.real**2 + spectra.imag**2).mean(axis=1)
