"""The spectrogram of a stretch of audio, however long, and the frequencies of the song in it."""

import numpy as np
from matplotlib.axes import Axes

from dss.errors import DssError
from dss.plot.figure import BINS

FRAMES = 2**15  # spectra that a spectrogram is averaged from, at most


def spectrogram(x: np.ndarray, samplerate_hz: float) -> np.ndarray:
    """Power in dB [frequencies, columns], the mean over channels and over the spectra of a column.

    The window is 25 ms, for the pulses and harmonics of fly song, and 512 samples at most, which
    are 16 ms for birdsong and 2 ms for ultrasound.
    """
    window = int(np.clip(2 ** round(np.log2(0.025 * samplerate_hz)), 32, 512))
    n_frames = max(1, len(x) // (window // 8))
    n_columns = min(n_frames, BINS)
    per_column = min(n_frames, FRAMES) // n_columns
    centers = (np.arange(n_columns * per_column) + 0.5) * len(x) / (n_columns * per_column)
    starts = centers.astype(int) - window // 2
    power = np.concatenate(
        [_power(x, starts[i : i + 1024], window) for i in range(0, len(starts), 1024)]
    )
    power = power.reshape(n_columns, per_column, -1).mean(axis=1).T
    return 10 * np.log10(np.maximum(power, max(power.max() * 1e-12, 1e-30)))


def song_range(power: np.ndarray, samplerate_hz: float) -> tuple[float, float]:
    """The frequencies whose power changes most in time, as that of song does.

    From 0 unless the song is far above it, as ultrasound is; a quarter of the band at least.
    """
    loud, quiet = np.percentile(power, [98, 20], axis=1)
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


def draw_spectrogram(axis: Axes, power, samplerate_hz, time, range_hz, log_frequency) -> None:
    """Draw what `spectrogram` gave, with colours that leave hiss dark."""
    low, high = range_hz
    step = samplerate_hz / 2 / (len(power) - 1)
    if not 0 <= low < high or low > samplerate_hz / 2:
        raise DssError(
            f"frequency_range_hz {tuple(range_hz)}: right would be a lower and a higher frequency, "
            f"below {samplerate_hz / 2:g}"
        )
    unit, label = (1000, "kHz") if high >= 2000 else (1, "Hz")
    inside = power[int(low / step) : int(high / step) + 1]
    dark, bright = np.percentile(inside, [40, 99.8])  # dB
    bright = max(bright, dark + 15)  # nothing but hiss stays dark
    dark = max(dark, bright - 60)  # digital silence takes no contrast away
    look = {"cmap": "magma", "vmin": dark, "vmax": bright}
    if log_frequency:
        edges = (np.arange(1, len(power) + 1) - 0.5) * step / unit
        axis.pcolormesh(np.linspace(*time, power.shape[1] + 1), edges, power[1:], **look)
        axis.set_yscale("log")
        axis.yaxis.get_major_locator().set_params(subs=(1, 2, 5))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.minorticks_off()
        low = max(low, step, high / 50)
    else:
        extent = (*time, -0.5 * step / unit, (len(power) - 0.5) * step / unit)
        axis.imshow(power, aspect="auto", origin="lower", extent=extent, **look)
    axis.set(ylim=(low / unit, high / unit), ylabel=f"frequency\n({label})")


def _power(x: np.ndarray, starts: np.ndarray, window: int) -> np.ndarray:
    """Power spectra of the windows that start there: [starts, frequencies]; silent beyond x."""
    index = starts[:, None] + np.arange(window)
    frames = x[np.clip(index, 0, len(x) - 1)].astype(np.float32)
    frames -= frames.mean(axis=1, keepdims=True)
    frames[(index < 0) | (index >= len(x))] = 0
    frames *= np.hanning(window).astype(np.float32)[:, None]
    spectra = np.fft.rfft(frames, 512, axis=1)  # short windows are padded, for a smooth look
    return (spectra.real**2 + spectra.imag**2).mean(axis=2)
