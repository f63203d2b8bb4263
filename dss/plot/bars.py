"""A row of annotations: segments as bars with names, events as ticks."""

import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb

from dss.data.annotations import COLUMNS, occurrences
from dss.data.stretches import overlap
from dss.data.text_tables import TIMES
from dss.errors import DssError
from dss.plot.colors import to_oklab
from dss.plot.figure import ROW_INCHES
from dss.plot.labels import LETTER_INCHES
from dss.plot.layout import BINS, Time

BAR = 0.86  # fraction of the height of its lane
UPRIGHT_INCHES = 0.14  # minimum width of a bar with an upright name
REJECTED = "rejected"  # column of a table: whether an annotation is known to be a false alarm
CROSSED: dict[str, Any] = {"fc": "none", "ec": "white", "hatch": "xxxx", "lw": 0}
LEAST_INK = 0.5  # minimum for a pixel with any bar


def checked_annotations(table: pd.DataFrame) -> pd.DataFrame:
    """Check that a table is an annotation table, and return it."""
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise DssError(
            f"This is not an annotation table: it lacks {', '.join(missing)}. It should have the "
            f"columns {', '.join(COLUMNS)}"
        )
    return table


def within(table: pd.DataFrame, time: Time) -> pd.DataFrame:
    """The annotations in a stretch of time, with lanes in which no segments overlap.

    The column `rejected` is False where the table lacks it.
    """
    rows = occurrences(table).reindex(columns=[*COLUMNS, REJECTED])
    rows[REJECTED] = rows[REJECTED].eq(True)
    rows = rows.assign(stop_seconds=rows["stop_seconds"].fillna(rows["start_seconds"]))
    rows = rows[(rows["stop_seconds"] >= time.start) & (rows["start_seconds"] <= time.stop)]
    rows = rows.sort_values("start_seconds", ignore_index=True)
    lane = np.zeros(len(rows), int)  # events span all lanes
    is_segment = rows["stop_seconds"].to_numpy() > rows["start_seconds"].to_numpy()
    lane[is_segment] = _lanes(rows.loc[is_segment, TIMES].to_numpy())
    return rows.assign(lane=lane)


def bars_inches(rows: pd.DataFrame, time: Time) -> float:
    """The height of a row of annotations, with space for upright names on short bars."""
    inches = (rows["stop_seconds"] - rows["start_seconds"]) / time.span * ROW_INCHES
    wide, inches = rows[inches > UPRIGHT_INCHES], inches[inches > UPRIGHT_INCHES]
    letters = wide["name"].str.len() * LETTER_INCHES + 0.1
    upright = letters[inches < letters]
    least = upright.max() / BAR if len(upright) else 0
    return float(min(max(0.36, least) * _n_lanes(rows), 2))


def draw_annotations(
    axis: Axes,
    rows: pd.DataFrame,
    label: str,
    time: Time,
    colors,
    inches: tuple[float, float] | None = None,
) -> None:
    """Draw annotations from `within`: events over the full height, segments in lanes.

    Arguments:
        colors: by song type.
        inches: width and height of the axis; default: a row across the whole figure.
    """
    width, height = inches or (ROW_INCHES, bars_inches(rows, time))
    is_event = rows["start_seconds"] == rows["stop_seconds"]
    events, segments = rows[is_event], rows[~is_event]
    rgb = {name: to_rgb(colors[name]) for name in rows["name"].unique()}
    for (name, is_rejected), of_name in events.groupby(["name", REJECTED]):
        seconds, color = of_name["start_seconds"].to_numpy(), rgb[name]
        _, first_in_pixel = np.unique(seconds // (time.span / BINS), return_index=True)
        axis.vlines(seconds[first_in_pixel], 0, 1, color, ":" if is_rejected else "-", lw=1.2)
    n_lanes = _n_lanes(rows)
    middles = 1 - (np.arange(n_lanes) + 0.5) / n_lanes
    heights = np.stack([middles - BAR / 2 / n_lanes, middles + BAR / 2 / n_lanes], axis=1)
    draw = _draw_bars if len(segments) <= BINS else _draw_shares
    draw(axis, segments, heights, time, rgb)
    _write_names(axis, segments, middles, time, rgb, (width, BAR * height / n_lanes))
    axis.set(ylim=(0, 1), yticks=[])
    axis.spines[["left", "bottom"]].set_visible(False)
    look: dict[str, Any] = {"rotation": 0, "ha": "right", "va": "center", "fontsize": 9}
    axis.set_ylabel(textwrap.fill(label, 14), linespacing=1, **look)


def _draw_bars(axis: Axes, segments: pd.DataFrame, heights: np.ndarray, time: Time, rgb) -> None:
    corners = np.empty((len(segments), 4, 2))
    corners[:, :, 0] = _spans(segments, time)[:, [0, 1, 1, 0]]
    corners[:, :, 1] = heights[segments["lane"]][:, [0, 0, 1, 1]]
    bars = PolyCollection([*corners], color=[rgb[name] for name in segments["name"]])
    axis.add_collection(bars, autolim=False)
    crossed = corners[segments[REJECTED].to_numpy()]
    if len(crossed):
        axis.add_collection(PolyCollection([*crossed], **CROSSED), autolim=False)


def _draw_shares(axis: Axes, segments: pd.DataFrame, heights: np.ndarray, time: Time, rgb) -> None:
    """Draw more bars than there are pixels: each pixel has the colour of the song type that covers
    most of it, paler if little of it is covered.
    """
    edges = np.linspace(*time, BINS + 1)
    for lane, of_lane in segments.groupby("lane"):
        by_name = dict(list(of_lane.groupby("name")))
        spans = [_spans(of_name, time) for of_name in by_name.values()]
        seconds = np.stack([overlap(s, edges[:-1], edges[1:]) for s in spans], axis=1)
        share = np.maximum(seconds / (time.span / BINS), 0)  # [pixels, names]
        in_all = share.sum(axis=1, keepdims=True)
        ink = np.where(in_all > 1e-6, np.clip(in_all, LEAST_INK, 1), 0)
        color = np.array([rgb[name] for name in by_name])[share.argmax(axis=1)]
        look: dict[str, Any] = {"aspect": "auto", "interpolation": "nearest"}
        axis.imshow((1 - ink * (1 - color))[None], extent=(*time, *heights[lane]), **look)


def _write_names(
    axis: Axes, segments: pd.DataFrame, middles: np.ndarray, time: Time, rgb, inches
) -> None:
    """Write names on bars, horizontally or upright, where they fit.

    Arguments:
        middles: [lanes] the heights of their middles, from 0 to 1.
        inches: the width of the axis, and the height of a bar.
    """
    axis_inches, bar_inches = inches
    spans = _spans(segments, time)
    inches = (spans[:, 1] - spans[:, 0]) / time.span * axis_inches
    names, lanes = segments["name"].to_numpy(), segments["lane"].to_numpy()
    for i in np.flatnonzero(inches > LETTER_INCHES):
        letters = LETTER_INCHES * len(names[i]) + 0.03
        flat, upright = inches[i] > letters, inches[i] > UPRIGHT_INCHES and bar_inches > letters
        if flat or upright:
            light = to_oklab(np.array(rgb[names[i]])[None])[0, 0] > 0.68
            color, rotation = "black" if light else "white", 0 if flat else 90
            look: dict[str, Any] = {"color": color, "rotation": rotation, "fontsize": 9}
            look |= {"ha": "center", "va": "center"}
            axis.text(spans[i].mean(), middles[lanes[i]], names[i], in_layout=False, **look)


def _spans(rows: pd.DataFrame, time: Time) -> np.ndarray:
    """The part of each annotation within this time: [rows, 2] seconds."""
    return rows[TIMES].to_numpy().clip(*time)


def _lanes(spans: np.ndarray) -> np.ndarray:
    """The lane of each span in [n, 2], sorted by start: usually all are 0."""
    starts, stops = spans.T
    if (starts[1:] >= np.maximum.accumulate(stops)[:-1]).all():
        return np.zeros(len(spans), int)
    ends: list[float] = []
    lanes = []
    for start, stop in spans:
        lane = next((i for i, end in enumerate(ends) if end <= start), len(ends))
        ends[lane : lane + 1] = [stop]
        lanes.append(lane)
    return np.array(lanes, int)


def _n_lanes(rows: pd.DataFrame) -> int:
    return 1 + int(rows["lane"].max()) if len(rows) else 1
