"""Figures of numbers: song types by split, durations and intervals."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dss.data.annotations import occurrences
from dss.data.report import describe
from dss.data.splits import SPLITS
from dss.errors import DssError
from dss.plot.bars import checked_annotations
from dss.plot.colors import paler, song_colors
from dss.plot.figure import WIDTH_INCHES, SongFigure, plain_style
from dss.plot.labels import LETTER_INCHES, shortened

NAMES_INCHES = 7.5  # for names below the counts
MOST_COLUMNS = 8  # of histograms


@plain_style()
def plot_counts(counts: xr.DataTree | pd.DataFrame) -> Figure:
    """Plot how many seconds, and how many annotations of each song type, are in each split.

    Seconds of which nothing is known do not count. A cross marks a song type that a split lacks.
    Empty splits are left out.

    Arguments:
        counts: a dataset, by dss or another program, or its table from `dss.data.describe`: one row
            per split, with the column `seconds` and one for each song type.

    Raises: DssError if the table is something else.

    Example:
        >>> from dss.data import open_dataset
        >>> from dss.plot import plot_counts
        >>> plot_counts(open_dataset("finch.npy")).savefig("counts.png")
    """
    table = describe(counts) if isinstance(counts, xr.DataTree) else counts
    splits = [s for s in SPLITS if s in table.index and table.get("seconds", {}).get(s, 0) > 0]
    names = [name for name in table.columns if name not in ("seconds", "unknown")]
    if not splits or not names:
        raise DssError("These are not the counts of a dataset: give dss.data.describe(tree)")
    colors, many = song_colors(names), len(names) > 10
    longest = LETTER_INCHES * max(len(shortened(name)) for name in names)
    upright = longest > NAMES_INCHES / len(names)
    figure = SongFigure(figsize=(WIDTH_INCHES, 4 + longest * upright))
    seconds_axis, axis = figure.subplots(1, 2, width_ratios=[1, 5])
    width = 0.8 / len(splits)
    for i, split in enumerate(splits):
        pale = 0.75 * i / max(len(splits) - 1, 1)
        values = table.loc[split, names].to_numpy(float)
        at = np.arange(len(names)) + (i + 0.5) * width - 0.4
        look = {"color": [paler(c, pale) for c in colors.values()], "lw": 0.7}
        bars = axis.bar(at, values, 0.9 * width, edgecolor=list(colors.values()), **look)
        if not many:
            axis.bar_label(bars, [f"{v:.0f}" if v else "" for v in values], fontsize=9)
        absent = at[values == 0]
        axis.plot(absent, 0 * absent, "kx", ms=4, clip_on=False, in_layout=False)
        look = {"color": paler("#404040", pale), "edgecolor": "#404040", "label": split}
        seconds = table.at[split, "seconds"] - table.get("unknown", {}).get(split, 0)
        bars = seconds_axis.bar(i, seconds, 0.8, **look)
        seconds_axis.bar_label(bars, fmt="{:.0f}" if seconds > 100 else "{:.3g}", fontsize=9)
    seconds_axis.set_title("seconds")
    seconds_axis.set_xticks(range(len(splits)), splits)
    axis.set(title="annotations", xlim=(-0.6, len(names) - 0.4))
    shown = [shortened(name) for name in names]
    axis.set_xticks(range(len(names)), shown, rotation=90 if upright else 0, fontsize=9)
    values = table.loc[splits, names].to_numpy(float)
    if values.max() > 100 * values[values > 0].min(initial=np.inf):
        axis.set_yscale("symlog", linthresh=10)
        axis.yaxis.set_major_formatter("{x:g}")
    figure.legend(*seconds_axis.get_legend_handles_labels(), loc="outside upper right", ncols=3)
    return figure


@plain_style()
def plot_durations(annotations: pd.DataFrame | Sequence[pd.DataFrame]) -> Figure:
    """Plot histograms of durations and of intervals between successive onsets, by song type.

    Each axis ends at 4 times the median; the number of longer values is given.

    Arguments:
        annotations: an annotation table, or a list of tables, one per recording, so that no
            interval spans two recordings.

    Raises: DssError if no annotation has a time.

    Example:
        >>> from dss.data import read_annotations
        >>> from dss.plot import plot_durations
        >>> annotations = read_annotations("finch/bird1_01_annotations.csv")
        >>> plot_durations(annotations).savefig("durations.png")
    """
    tables = [annotations] if isinstance(annotations, pd.DataFrame) else annotations
    tables = [occurrences(checked_annotations(t)).sort_values("start_seconds") for t in tables]
    names = sorted(set().union(*(table["name"] for table in tables)))
    colors = song_colors(names)
    durations, intervals = {}, {}
    for name in names:
        mine = [table[table["name"] == name] for table in tables]
        duration = np.concatenate([t["stop_seconds"] - t["start_seconds"] for t in mine])
        durations[name] = 1000 * duration[duration > 0]
        intervals[name] = 1000 * np.concatenate([np.diff(t["start_seconds"]) for t in mine])
    parts = {}
    for what, part in (("duration", durations), ("interval between onsets", intervals)):
        if there := {name: values for name, values in part.items() if len(values)}:
            parts[f"{what} (ms)"] = there
    if not parts:
        raise DssError("There is nothing to plot: no segments, and no two onsets of one song type")
    n_columns = int(np.clip(max(map(len, parts.values())), 2, MOST_COLUMNS))
    n_rows = [-(-len(part) // n_columns) for part in parts.values()]
    heights = [1.3 * n + 0.4 for n in n_rows]
    width = min(3.5 * n_columns, WIDTH_INCHES)
    figure = SongFigure(figsize=(width, sum(heights)), constrained=False)
    boxes = figure.subfigures(len(parts), 1, squeeze=False, height_ratios=heights)[:, 0]
    for box, n, height, (what, part) in zip(boxes, n_rows, heights, parts.items(), strict=True):
        box.suptitle(what, x=0.01, y=1 - 0.05 / height, ha="left")
        # Set by hand: computing a layout takes seconds with 100 panels.
        edges = {"left": 0.02, "right": 0.98, "bottom": 0.28 / height, "top": 1 - 0.55 / height}
        gaps = {"wspace": 0.4, "hspace": 0.75}
        axes = box.subplots(n, n_columns, squeeze=False, gridspec_kw=edges | gaps).ravel()
        for axis, (name, values) in zip(axes, part.items(), strict=False):
            _draw_histogram(axis, values, name, colors[name])
        for axis in axes[len(part) :]:
            axis.remove()
    return figure


def _draw_histogram(axis: Axes, values_ms: np.ndarray, name: str, color: str) -> None:
    high = min(values_ms.max(), 4 * np.median(values_ms))
    shown = values_ms[values_ms <= high]
    low = shown.min() if shown.min() > high / 2 else 0.0
    bins = np.linspace(low, max(high, low + 1), int(np.clip(2 * len(shown) ** 0.5, 8, 40)) + 1)
    axis.hist(shown, [*bins], color=color)
    tallest = np.histogram(shown, bins)[0].max()
    longer = len(values_ms) - len(shown)
    text = f"n = {len(values_ms)}" + (f", {longer} longer" if longer else "")
    axis.text(1, 1, text, ha="right", va="top", fontsize=9, transform=axis.transAxes)
    axis.set(ylim=(0, 1.3 * tallest), yticks=[])
    axis.set_title(shortened(name, 11), fontsize=10)
    axis.xaxis.set_major_locator(MaxNLocator(nbins=2, integer=True))
    axis.tick_params(labelsize=9)
    axis.spines["left"].set_visible(False)
