"""The rows of a figure over time: waveform, probabilities or targets, unknown stretches."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patheffects import withStroke

from dss.data.annotations import NOISE
from dss.errors import DssError
from dss.plot.labels import UNKNOWN
from dss.plot.layout import BINS, Time

INK = "#303030"  # of waveforms
QUIETEST_DB = -5.0  # above the noise: lower end of the loudness row


class Envelope(NamedTuple):
    """The lowest and highest value in each bin of `width` samples: both [bins, columns]."""

    low: np.ndarray
    high: np.ndarray
    width: float
    n_samples: int


def shown_audio(x, samplerate_hz: float, channel: int | None) -> np.ndarray:
    """Check x, and return the channel or channels to show as [samples, channels]."""
    x = np.asarray(x)
    if not samplerate_hz > 0:
        raise DssError(f"samplerate_hz is {samplerate_hz}; it should be above 0")
    if x.ndim not in (1, 2) or 0 in x.shape:
        raise DssError(f"x {x.shape} should be [samples, channels], with at least one sample")
    x = x.reshape(len(x), -1)
    if channel is not None and not 0 <= channel < x.shape[1]:
        raise DssError(f"channel is {channel}; it should be 0 to {x.shape[1] - 1}")
    return x if channel is None else x[:, channel : channel + 1]


def envelope(values: np.ndarray, what: str) -> Envelope:
    """Compute the extremes of [samples, columns] in at most BINS bins, block by block."""
    n_samples, n_columns = values.shape
    width = -(-n_samples // BINS) if n_samples > 2 * BINS else 1
    block_samples = max(1, 2**22 // (width * n_columns)) * width
    lows, highs = [], []
    for start in range(0, n_samples, block_samples):
        block = np.asarray(values[start : start + block_samples])
        block = np.pad(block, ((0, -len(block) % width), (0, 0)), mode="edge")
        # With contiguous columns, extremes are found 10 times faster.
        block = np.ascontiguousarray(block.T).reshape(n_columns, -1, width)
        lows.append(block.min(axis=2).T.astype(np.float32))
        highs.append(block.max(axis=2).T.astype(np.float32))
    low, high = np.concatenate(lows), np.concatenate(highs)
    if not np.isfinite(low + high).all():
        raise DssError(f"{what}: some values are not numbers (NaN or infinite)")
    return Envelope(low, high, width, n_samples)


def waveform_inches(wave: Envelope) -> float:
    """The height of a row with the waveforms of all channels."""
    return float(np.clip(0.3 * wave.low.shape[1], 1, 3))


def draw_waveform(axis: Axes, wave: Envelope, time: Time) -> None:
    """Draw channels one above the other, the first at the top."""
    n_channels = wave.low.shape[1]
    largest = max(np.abs(wave.low).max(), np.abs(wave.high).max(), 1e-6)
    offsets = 2 * largest * np.arange(n_channels)[::-1]
    if wave.width > 1:  # an area is drawn in a fraction of the time of a dense line
        look: dict[str, Any] = {"facecolor": INK, "edgecolor": INK, "lw": 0.5, "step": "mid"}
        for low, high, offset in zip(wave.low.T, wave.high.T, offsets, strict=True):
            axis.fill_between(_middles(wave, time), low + offset, high + offset, **look)
    else:
        seconds, values = _points(wave, time)
        axis.plot(seconds, values + offsets, color=INK, lw=0.5)
    axis.margins(y=0.02)
    axis.set_ylabel("audio" if n_channels == 1 else "channel")
    if n_channels > 1:
        axis.set_yticks(offsets, [str(channel) for channel in range(n_channels)])


def draw_loudness(axis: Axes, loudness: Envelope, time: Time, loudest_db: float) -> None:
    """Draw loudness in dB above the noise, from -5 dB to the loudest of the recording."""
    seconds = _middles(loudness, time)
    axis.fill_between(seconds, QUIETEST_DB, loudness.high[:, 0], facecolor="#bbbbbb", lw=0)
    axis.fill_between(seconds, QUIETEST_DB, loudness.low[:, 0], facecolor="#777777", lw=0)
    axis.set(ylim=(QUIETEST_DB, loudest_db), ylabel="loudness\n(dB)")


def draw_lines(axis: Axes, p: Envelope, names, time: Time, colors, what: str) -> set[str]:
    """Draw a line for each class that is not 0 everywhere.

    Returns: the names that need a legend.
    """
    seconds, values = _points(p, time)
    for name, line in zip(names, values.T, strict=True):
        if line.any():
            axis.plot(seconds, line, color=colors[name], lw=0.8 if name == NOISE else 1.3)
    axis.set(ylim=(-0.03, 1.05), ylabel=what, yticks=[0, 0.5, 1])
    return set(names)


def image_inches(p: Envelope) -> float:
    """The height of a row for `draw_image`."""
    return float(np.clip(0.17 * len(_occurring(p)), 0.6, 5))


def draw_image(axis: Axes, p: Envelope, names, time: Time, colors, what: str) -> set[str]:
    """Draw a row for each class that reaches 0.1, from white to its colour.

    Returns: the names that need no legend.
    """
    classes = _occurring(p)
    ink = 1 - np.array([to_rgb(colors[names[i]]) for i in classes]).reshape(-1, 1, 3)
    image = 1 - np.clip(p.high.T[classes, :, None], 0, 1) * ink
    stop = time.start + len(p.high) * p.width * time.span / p.n_samples
    extent = (time.start, stop, len(classes) - 0.5, -0.5)
    axis.imshow(image, aspect="auto", extent=extent, interpolation="nearest")
    every = -(-len(classes) // 33)  # as many names as fit
    axis.set_yticks(range(0, len(classes), every), [names[i] for i in classes[::every]], fontsize=9)
    axis.set_ylabel(what)
    return {names[i] for i in classes} if every == 1 else set()


def draw_unknown(axes: Sequence[Axes], stretches: np.ndarray) -> None:
    """Hatch stretches [n, 2] in seconds that nobody annotated."""
    spans = [(start, stop - start) for start, stop in np.reshape(stretches, (-1, 2))]
    for axis in axes:
        look = UNKNOWN | {"transform": axis.get_xaxis_transform(), "zorder": 4}
        axis.broken_barh(spans, (0, 1), **look)


def draw_cuts(axes: Sequence[Axes], cuts: Sequence[float] | np.ndarray) -> None:
    """Mark where one recording ends and the next begins, in seconds."""
    for axis in axes if len(cuts) else ():
        to_axis = axis.get_xaxis_transform()
        lines = axis.vlines(cuts, 0, 1, "black", "--", transform=to_axis)
        lines.set_path_effects([withStroke(linewidth=3, foreground="white")])  # for dark rows


def _middles(envelope: Envelope, time: Time) -> np.ndarray:
    """The middle of each bin, in seconds."""
    at = (np.arange(len(envelope.high)) + 0.5) * envelope.width
    return time.start + at * time.span / envelope.n_samples


def _points(envelope: Envelope, time: Time) -> tuple[np.ndarray, np.ndarray]:
    """Lines through the extremes: seconds [points], values [points, columns]."""
    values, at = envelope.high, np.arange(len(envelope.high), dtype=float)
    if envelope.width > 1:
        values = np.stack([envelope.low, envelope.high], axis=1).reshape(-1, values.shape[1])
        at = (np.arange(len(values)) / 2 + 0.25) * envelope.width
    return time.start + at * time.span / envelope.n_samples, values


def _occurring(p: Envelope) -> np.ndarray:
    """The classes that reach 0.1."""
    return np.flatnonzero(p.high.max(axis=0) >= 0.1)
