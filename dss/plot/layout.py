"""Where rows and panels go: placed by hand, since computing a layout takes longer than drawing."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from dss.plot.figure import LEFT_INCHES, RIGHT_INCHES, WIDTH_INCHES, SongFigure
from dss.plot.labels import LEGEND_LINE_INCHES, LETTER_INCHES

LABEL_INCHES = 0.55  # right end of upright row labels
TIME_INCHES = 0.32  # for the name of the time axis, below the last row
GAP_INCHES = 0.12  # between rows
BELOW_INCHES = 0.55  # below the last row: numbers and name of the time axis
BINS = 1000  # columns per row, about as many as pixels


class Time(NamedTuple):
    """The stretch of time to show, in seconds."""

    start: float
    stop: float

    @property
    def span(self) -> float:
        """The duration in seconds."""
        return self.stop - self.start


def figure_rows(n_rows: int) -> tuple[SongFigure, list[Axes]]:
    """A figure with rows, one below the other; `place_rows` places them once all is drawn."""
    figure = SongFigure(figsize=(WIDTH_INCHES, n_rows), constrained=False)
    return figure, [figure.add_axes((0, i, 1, 1)) for i in range(n_rows)]


def figure_rows_again(
    kinds: tuple[str, ...], figure: SongFigure | None
) -> tuple[SongFigure, list[Axes]]:
    """A figure with rows of these kinds: the given one, cleared, if it has such rows.

    Creating rows and their ticks takes longer than drawing into them.
    """
    if figure is None or figure.kinds != kinds:
        figure, axes = figure_rows(len(kinds))
        figure.kinds = kinds
        return figure, axes
    for axis in figure.axes:
        for artist in [*axis.collections, *axis.images, *axis.lines, *axis.texts]:
            artist.remove()
        axis.set_yscale("linear")  # resets its ticks
        axis.autoscale(True)
        axis.relim()
    for legend in [*figure.legends]:
        legend.remove()
    return figure, figure.axes


def place_rows(
    figure: SongFigure,
    heights: Sequence[float],
    title: str | None = None,
    *,
    above: Sequence[float] | None = None,
    longest_name: int = 0,
    n_legend_lines: int = 1,
) -> None:
    """Place the rows of a figure by hand: computing a layout takes longer than drawing.

    Arguments:
        figure: with one axis per row.
        heights: the heights of the rows, in inches.
        title: above the figure.
        above: inches left free above each row.
        longest_name: the number of letters of the longest name beside a row.
        n_legend_lines: the result of `draw_legend`.
    """
    above = above or [0.0, *[GAP_INCHES] * (len(heights) - 1)]
    heights = figure.heights = np.maximum(heights, figure.heights or 0).tolist()
    n_legend_lines = figure.n_legend_lines = max(n_legend_lines, figure.n_legend_lines)
    top = 0.4 if title else 0.15
    legend = LEGEND_LINE_INCHES * n_legend_lines + 0.1 * (n_legend_lines > 0)
    total = top + sum(heights) + sum(above) + BELOW_INCHES + legend
    left = max(LEFT_INCHES, LABEL_INCHES + 0.15 + LETTER_INCHES * longest_name)
    figure.set_size_inches(WIDTH_INCHES, total)
    if title:
        figure.suptitle(title, x=0.01, y=1 - 0.08 / total, ha="left", va="top")
    width = (WIDTH_INCHES - left - RIGHT_INCHES) / WIDTH_INCHES
    edge = total - top
    for axis, height, gap in zip(figure.axes, heights, above, strict=True):
        edge -= gap + height
        axis.set_position((left / WIDTH_INCHES, edge / total, width, height / total))
        is_upright = axis.yaxis.label.get_rotation() != 0
        inches = LABEL_INCHES - left if is_upright else -0.06
        axis.yaxis.set_label_coords(inches / (width * WIDTH_INCHES), 0.5)
        axis.xaxis.set_label_coords(0.5, -TIME_INCHES / height)


def share_time(axes: Sequence[Axes], time: Time) -> None:
    """Give rows a common time axis, with numbers below the last row."""
    for axis in axes:
        axis.set_xlim(*time)
    for axis in axes[:-1]:
        axis.xaxis.set_visible(False)
    axes[-1].ticklabel_format(axis="x", useOffset=False)
    axes[-1].set_xlabel("time (s)")


def figure_panels(
    n_rows: int, n_columns: int, inches: float, above: float, below: float, left: float = 0.15
) -> tuple[SongFigure, np.ndarray]:
    """A figure of panels, placed by hand: computing a layout of 100 panels takes many seconds.

    Arguments:
        n_rows, n_columns: the number of panels.
        inches: the height of a panel.
        above, below: inches left free above and below each panel, for titles, numbers and names.
        left: inches left free beside the first column.

    Returns: the figure, and its axes [rows, columns].
    """
    width = min(2.6 * n_columns + left, WIDTH_INCHES)
    height = n_rows * (above + inches + below)
    figure = SongFigure(figsize=(width, height), constrained=False)
    edges = {"left": left / width, "right": 1 - 0.3 / width}
    edges |= {"bottom": below / height, "top": 1 - above / height}
    gaps = {"wspace": 0.35, "hspace": (above + below) / inches}
    return figure, figure.subplots(n_rows, n_columns, squeeze=False, gridspec_kw=edges | gaps)
