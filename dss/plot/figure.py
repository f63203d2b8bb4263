"""Figures: black on white, rows that share their time, a legend of song types below."""

import gc
import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import matplotlib.style
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, FigureBase
from matplotlib.patches import Patch
from PIL import Image

WIDTH_INCHES = 10  # letters are legible where a notebook is 1000 pixels wide
LEFT_INCHES, RIGHT_INCHES = 1.15, 0.15  # beside rows: labels, numbers
ROW_INCHES = WIDTH_INCHES - LEFT_INCHES - RIGHT_INCHES
LABEL_INCHES = 0.55  # where upright labels of rows end
TIME_INCHES = 0.32  # the name of the time axis, below the last row
GAP_INCHES = 0.12  # between rows
BELOW_INCHES = 0.55  # the last row: numbers and name of the time axis
LEGEND_LINE_INCHES = 0.2
LETTER_INCHES = 0.077  # of the font size 9
BINS = 1000  # columns that a row is drawn with: about its pixels
STYLE = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "legend.frameon": False,
}
JPEG = {"quality": 92, "subsampling": 0}
UNKNOWN: dict[str, Any] = {
    "facecolor": (1, 1, 1, 0.4),
    "edgecolor": "#a0a0a0",
    "hatch": "///",
    "linewidth": 0,
}


_ONE_DRAWS = threading.RLock()  # matplotlib's settings are those of all threads


@contextmanager
def plain_style() -> Iterator[None]:
    """Draw in matplotlib's own style and ours, then restore what is set."""
    with _ONE_DRAWS, matplotlib.style.context(["default", "fast", STYLE]):
        yield


@contextmanager
def young_garbage() -> Iterator[None]:
    """Collect what a figure leaves behind at once, for a viewer that draws one after the other.

    Figures are circles of thousands of objects. Those that live for a while count as old, and every
    tenth figure or so the collector goes through all that Python holds: that takes longer than to
    draw.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.collect(0)
        if was_enabled:
            gc.enable()


class Time(NamedTuple):
    """The stretch of time that is shown, in seconds."""

    start: float
    stop: float

    @property
    def span(self) -> float:
        """Length in seconds."""
        return self.stop - self.start


class SongFigure(Figure):
    """A figure that is white however it is saved, and shows itself in notebooks.

    Attributes:
        kinds: what its rows show, if others of the same kinds can be drawn into it.
        heights: of its rows, in inches; when others are drawn into it, they do not get lower:
            what one scrolls through should not jump.
        n_legend_lines: there are at least.
    """

    def __init__(self, figsize: tuple[float, float], constrained: bool = True):
        layout: Literal["constrained"] | None = "constrained" if constrained else None
        super().__init__(figsize, dpi=100, facecolor="white", layout=layout)
        self.kinds: tuple[str, ...] = ()
        self.heights: Sequence[float] = ()
        self.n_legend_lines = 0

    def savefig(self, *args, **named):
        """Save the figure as matplotlib does, in our style."""
        with plain_style():  # dark styles set the background of what is saved
            super().savefig(*args, **named)

    def jpeg(self) -> bytes:
        """The figure as a jpeg, in a tenth of the time that png takes.

        Drawn again, it takes less: what letters look like is kept.
        """
        canvas = self.canvas if isinstance(self.canvas, FigureCanvasAgg) else FigureCanvasAgg(self)
        with plain_style():
            canvas.draw()
        picture, buffer = Image.fromarray(np.asarray(canvas.buffer_rgba())), io.BytesIO()
        picture.convert("RGB").save(buffer, "jpeg", **JPEG)
        return buffer.getvalue()

    def _repr_png_(self) -> bytes:
        """For notebooks that never import pyplot, which is what makes figures show themselves."""
        buffer = io.BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()


def figure_rows(n_rows: int) -> tuple[SongFigure, list[Axes]]:
    """A figure with rows, one below the other; `place_rows` says where, once all is drawn."""
    figure = SongFigure(figsize=(WIDTH_INCHES, n_rows), constrained=False)
    return figure, [figure.add_axes((0, i, 1, 1)) for i in range(n_rows)]


def figure_rows_again(
    kinds: tuple[str, ...], figure: SongFigure | None
) -> tuple[SongFigure, list[Axes]]:
    """A figure with rows of these kinds: the one given, wiped, if its rows are like this.

    To make rows and their ticks takes longer than to draw into them.
    """
    if figure is None or figure.kinds != kinds:
        figure, axes = figure_rows(len(kinds))
        figure.kinds = kinds
        return figure, axes
    for axis in figure.axes:
        for artist in [*axis.collections, *axis.images, *axis.lines, *axis.texts]:
            artist.remove()
        axis.set_yscale("linear")  # with ticks where it finds them
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
    """Give the rows their places. By hand: to find out what fits takes longer than to draw it.

    Arguments:
        figure: with a row an axis.
        heights: of the rows, in inches.
        title: above the figure.
        above: inches left free above each row.
        longest_name: letters of the longest name that stands beside a row.
        n_legend_lines: what `draw_legend` gave.
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
    """Give rows the same time, whose numbers stand below the last of them."""
    for axis in axes:
        axis.set_xlim(*time)
    for axis in axes[:-1]:
        axis.xaxis.set_visible(False)
    axes[-1].ticklabel_format(axis="x", useOffset=False)
    axes[-1].set_xlabel("time (s)")


def draw_legend(figure: FigureBase, names: list[str], colors, with_unknown: bool) -> int:
    """Names and colours below the figure: 60 at most, a column for as many as are side by side.

    Returns: the number of lines.
    """
    handles = [Patch(color=colors[name], label=name) for name in names[:60]]
    if len(names) > 60:
        handles.append(Patch(alpha=0, label=f"+ {len(names) - 60}"))
    if with_unknown:
        handles.append(Patch(label="not annotated", **UNKNOWN))
    return _put_legend(figure, handles, ROW_INCHES, loc="lower center") if handles else 0


def legend_below(figure: Figure, handles: Sequence[Artist], title: str | None = None) -> None:
    """Make a figure higher, and put a legend there, with as many columns as fit."""
    width, height = figure.get_size_inches()
    n_lines = _put_legend(figure, handles, width, loc="outside lower center", title=title)
    n_lines += title is not None
    figure.set_size_inches(width, height + LEGEND_LINE_INCHES * n_lines + 0.1)


def _put_legend(figure: FigureBase, handles: Sequence[Artist], inches: float, **look) -> int:
    """A legend that is not wider than this. Returns: the number of lines."""
    longest = max(len(str(handle.get_label())) for handle in handles)
    n_columns = max(1, int(inches / (LETTER_INCHES * longest + 0.6)))
    look |= {"ncols": n_columns, "handlelength": 1.2, "fontsize": 9, "borderaxespad": 0.2}
    figure.legend(handles=handles, **look)
    return -(-len(handles) // n_columns)


def figure_panels(
    n_rows: int, n_columns: int, inches: float, above: float, below: float, left: float = 0.15
) -> tuple[SongFigure, np.ndarray]:
    """A figure of panels. By hand: to find out what fits takes many seconds with 100 of them.

    Arguments:
        n_rows, n_columns: of panels.
        inches: height of a panel.
        above, below: inches left free above and below each, for titles, numbers and names.
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


def shortened(name: str, n_letters: int = 22) -> str:
    """A name without its middle, if it is longer: beginnings and ends tell names apart."""
    if len(name) <= n_letters:
        return name
    n_last = (n_letters - 1) // 2
    return f"{name[: n_letters - 1 - n_last]}…{name[-n_last:]}"
