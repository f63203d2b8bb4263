"""The rows of a figure over time: waveform, annotations, probabilities or targets, the unknown."""

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.patheffects import withStroke

from dss.data.annotations import COLUMNS, NOISE, found
from dss.errors import DssError
from dss.plot.colors import to_oklab
from dss.plot.figure import BINS, LETTER_INCHES, ROW_INCHES, UNKNOWN, Time

INK = "#303030"  # of waveforms


class Envelope(NamedTuple):
    """Lowest and highest value in each bin of `width` samples: [bins, columns] both."""

    low: np.ndarray
    high: np.ndarray
    width: int
    n_samples: int


def checked_audio(x, samplerate_hz: float, channel: int | None) -> np.ndarray:
    """x as [samples, channels]."""
    x = np.asarray(x)
    if not samplerate_hz > 0:
        raise DssError(f"samplerate_hz is {samplerate_hz}; right would be above 0")
    if x.ndim not in (1, 2) or 0 in x.shape:
        raise DssError(f"x {x.shape} should be [samples, channels], with one sample at least")
    x = x.reshape(len(x), -1)
    if channel is not None and not 0 <= channel < x.shape[1]:
        raise DssError(f"channel is {channel}; right would be 0 to {x.shape[1] - 1}")
    return x if channel is None else x[:, channel : channel + 1]


def checked_annotations(table: pd.DataFrame) -> pd.DataFrame:
    """The table, if it is one of annotations."""
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise DssError(
            f"These are no annotations: they lack {', '.join(missing)}; right would be the columns "
            f"{', '.join(COLUMNS)}"
        )
    return table


def envelope(values: np.ndarray, what: str) -> Envelope:
    """The extremes of [samples, columns] in at most BINS bins, computed block by block."""
    n_samples, n_columns = values.shape
    width = -(-n_samples // BINS) if n_samples > 2 * BINS else 1
    block_samples = max(1, 2**22 // (width * n_columns)) * width
    low, high = [], []
    for start in range(0, n_samples, block_samples):
        block = np.asarray(values[start : start + block_samples])
        block = np.pad(block, ((0, -len(block) % width), (0, 0)), mode="edge")
        # Columns one after the other in memory: extremes are 10 times faster to find like this.
        block = np.ascontiguousarray(block.T).reshape(n_columns, -1, width)
        low.append(block.min(axis=2).T.astype(np.float32))
        high.append(block.max(axis=2).T.astype(np.float32))
    low, high = np.concatenate(low), np.concatenate(high)
    if not np.isfinite(low + high).all():
        raise DssError(f"{what}: there are values that are not numbers (NaN or infinite)")
    return Envelope(low, high, width, n_samples)


def waveform_inches(wave: Envelope) -> float:
    """Height of a row with the waveforms of all channels."""
    return float(np.clip(0.3 * wave.low.shape[1], 1, 3))


def draw_waveform(axis: Axes, wave: Envelope, time: Time) -> None:
    """Channels one above the other, the first at the top."""
    n_channels = wave.low.shape[1]
    largest = max(np.abs(wave.low).max(), np.abs(wave.high).max(), 1e-6)
    offsets = 2 * largest * np.arange(n_channels)[::-1]
    if wave.width > 1:  # an area is drawn in a fraction of the time that a dense line takes
        middles = (np.arange(len(wave.low)) + 0.5) * wave.width
        seconds = time.start + middles * time.span / wave.n_samples
        for low, high, offset in zip(wave.low.T, wave.high.T, offsets, strict=True):
            look = {"facecolor": INK, "edgecolor": INK, "lw": 0.5, "step": "mid"}
            axis.fill_between(seconds, low + offset, high + offset, **look)
    else:
        seconds, values = _points(wave, time)
        axis.plot(seconds, values + offsets, color=INK, lw=0.5)
    axis.margins(y=0.02)
    axis.set_ylabel("audio" if n_channels == 1 else "channel")
    if n_channels > 1:
        axis.set_yticks(offsets, range(n_channels))


def within(table: pd.DataFrame, time: Time) -> pd.DataFrame:
    """The annotations in this time, without those that the same pixels show, and their lane."""
    rows = found(table)[COLUMNS]
    rows = rows.assign(stop_seconds=rows["stop_seconds"].fillna(rows["start_seconds"]))
    rows = rows[(rows["stop_seconds"] >= time.start) & (rows["start_seconds"] <= time.stop)]
    rows = rows.sort_values("start_seconds", ignore_index=True)
    pixels = rows.assign(**{c: rows[c] // (time.span / BINS) for c in COLUMNS[1:]})
    rows = rows[~pixels.duplicated()]
    return rows.assign(lane=_lanes(rows))


def _lanes(rows: pd.DataFrame) -> np.ndarray:
    """The lane of each annotation, so that none overlaps another: [rows]; mostly all are 0."""
    starts, stops = rows["start_seconds"].to_numpy(), rows["stop_seconds"].to_numpy()
    if (starts[1:] >= np.maximum.accumulate(stops)[:-1]).all():
        return np.zeros(len(rows), int)
    ends, lanes = [], []
    for start, stop in zip(starts, stops, strict=True):
        lane = next((i for i, end in enumerate(ends) if end <= start), len(ends))
        if stop > start:
            ends[lane : lane + 1] = [stop]
        lanes.append(lane if stop > start else 0)  # events reach over all lanes
    return np.array(lanes, int)


def bars_inches(rows: pd.DataFrame, time: Time) -> float:
    """Height of a row of annotations: enough for upright names on bars that are too short."""
    inches = (rows["stop_seconds"] - rows["start_seconds"]) / time.span * ROW_INCHES
    letters = rows["name"].str.len() * LETTER_INCHES + 0.1
    upright = letters[(inches < letters) & (inches > 0.14)]
    return float(min(max(0.36, upright.max() if len(upright) else 0) * _n_lanes(rows), 2))


def draw_annotations(axis: Axes, rows: pd.DataFrame, label: str, time: Time, colors) -> None:
    """Events as ticks over the full height, segments as bars, in lanes where they overlap."""
    is_event = rows["start_seconds"] == rows["stop_seconds"]
    events, segments = rows[is_event], rows[~is_event]
    axis.vlines(events["start_seconds"], 0, 1, events["name"].map(colors), lw=1.2)
    lane_inches = bars_inches(rows, time) / _n_lanes(rows)
    spans = segments[["start_seconds", "stop_seconds"]].clip(time.start, time.stop).to_numpy()
    middles = 1 - (segments["lane"].to_numpy() + 0.5) / _n_lanes(rows)
    corners = np.empty((len(segments), 4, 2))
    corners[:, :, 0] = spans[:, [0, 1, 1, 0]]
    corners[:, :, 1] = middles[:, None] + 0.43 / _n_lanes(rows) * np.array([-1, -1, 1, 1])
    rgb = {name: to_rgb(colors[name]) for name in segments["name"].unique()}
    bars = PolyCollection(corners, color=[rgb[name] for name in segments["name"]])
    axis.add_collection(bars, autolim=False)
    inches = (spans[:, 1] - spans[:, 0]) / time.span * ROW_INCHES
    for i in np.flatnonzero(inches > LETTER_INCHES):
        name = segments["name"].iat[i]
        letters = LETTER_INCHES * len(name) + 0.03
        flat, upright = inches[i] > letters, inches[i] > 0.14 and lane_inches > letters
        if flat or upright:
            light = to_oklab(np.array([rgb[name]]))[0, 0] > 0.68
            look = {"color": "black" if light else "white", "rotation": 0 if flat else 90}
            look |= {"ha": "center", "va": "center", "fontsize": 9}
            axis.text(spans[i].mean(), middles[i], name, **look)
    axis.set(ylim=(0, 1), yticks=[])
    axis.spines[["left", "bottom"]].set_visible(False)
    look = {"rotation": 0, "ha": "right", "va": "center", "fontsize": 9, "linespacing": 1}
    axis.set_ylabel(textwrap.fill(label, 14), **look)


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
    """Height of a row that `draw_image` draws into."""
    return float(np.clip(0.17 * len(_occurring(p)), 0.6, 5))


def draw_image(axis: Axes, p: Envelope, names, time: Time, colors, what: str) -> set[str]:
    """A row for each class that reaches 0.1, from white to its colour.

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
        to_axis = axis.get_xaxis_transform()
        axis.broken_barh(spans, (0, 1), transform=to_axis, zorder=4, **UNKNOWN)


def draw_cuts(axes: Sequence[Axes], cuts: Sequence[float]) -> None:
    """Mark where one recording ends and the next begins, in seconds."""
    for axis in axes:
        to_axis = axis.get_xaxis_transform()
        lines = axis.vlines(cuts, 0, 1, "black", "--", transform=to_axis)
        lines.set_path_effects([withStroke(linewidth=3, foreground="white")])  # on dark rows


def _points(envelope: Envelope, time: Time) -> tuple[np.ndarray, np.ndarray]:
    """Lines through the extremes: seconds [points], values [points, columns]."""
    values, at = envelope.high, np.arange(len(envelope.high))
    if envelope.width > 1:
        values = np.stack([envelope.low, envelope.high], axis=1).reshape(-1, values.shape[1])
        at = (np.arange(len(values)) / 2 + 0.25) * envelope.width
    return time.start + at * time.span / envelope.n_samples, values


def _n_lanes(rows: pd.DataFrame) -> int:
    return 1 + int(rows["lane"].max()) if len(rows) else 1


def _occurring(p: Envelope) -> np.ndarray:
    """The classes that reach 0.1."""
    return np.flatnonzero(p.high.max(axis=0) >= 0.1)
