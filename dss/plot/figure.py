"""Figures: black on white, rows with a common time axis, a legend of song types below."""

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

WIDTH_INCHES = 10  # so that text is legible in a notebook of 1000 pixels
LEFT_INCHES, RIGHT_INCHES = 1.15, 0.15  # beside rows: labels, numbers
ROW_INCHES = WIDTH_INCHES - LEFT_INCHES - RIGHT_INCHES
LABEL_INCHES = 0.55  # right end of upright row labels
TIME_INCHES = 0.32  # for the name of the time axis, below the last row
GAP_INCHES = 0.12  # between rows
BELOW_INCHES = 0.55  # below the last row: numbers and name of the time axis
LEGEND_LINE_INCHES = 0.2
LETTER_INCHES = 0.077  # per letter at font size 9
BINS = 1000  # columns per row, about as many as pixels
STYLE = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "legend.frameon": False,
}
JPEG = {"quality": 92, "subsampling": 0}
UNKNOWN: dict[str, Any] = {"fc": "#ffffff66", "ec": "#a0a0a0", "hatch": "///", "lw": 0}

_ONE_DRAWS = threading.RLock()  # matplotlib's settings are shared by all threads


@contextmanager
def plain_style() -> Iterator[None]:
    """Draw in matplotlib's default style and ours, then restore the settings."""
    with _ONE_DRAWS, matplotlib.style.context(["default", "fast", STYLE]):
        yield


@contextmanager
def quick_garbage_collection() -> Iterator[None]:
    """Free what figures leave behind at once, for viewers that draw one after the other.

    Figures are reference cycles of thousands of objects. Once they are old, about every tenth
    figure triggers a collection of all of Python's objects, which takes longer than drawing.
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
    """The stretch of time to show, in seconds."""

    start: float
    stop: float

    @property
    def span(self) -> float:
        """The duration in seconds."""
        return self.stop - self.start


class SongFigure(Figure):
    """A figure that is white however it is saved, and displays itself in notebooks.

    Attributes:
        kinds: what its rows show, if others of the same kinds can be drawn into it.
        heights: the heights of its rows in inches; they never shrink when the figure is drawn
            again, so that scrolling does not make it jump.
        n_legend_lines: the minimum number of legend lines.
    """

    def __init__(self, figsize: tuple[float, float], constrained: bool = True):
        layout: Literal["constrained"] | None = "constrained" if constrained else None
        super().__init__(figsize, dpi=100, facecolor="white", layout=layout)
        self.kinds: tuple[str, ...] = ()
        self.heights: Sequence[float] = ()
        self.n_legend_lines = 0

    def savefig(self, *args, **named):
        """Save the figure like matplotlib, in our style."""
        with plain_style():  # dark styles change the background of saved figures
            super().savefig(*args, **named)

    def jpeg(self) -> bytes:
        """The figure as a jpeg, in a tenth of the time that png takes.

        Drawing it again is faster still, since the shapes of letters are cached.
        """
        canvas = self.canvas if isinstance(self.canvas, FigureCanvasAgg) else FigureCanvasAgg(self)
        with plain_style():
            canvas.draw()
        picture, buffer = Image.fromarray(np.asarray(canvas.buffer_rgba())), io.BytesIO()
        picture.convert("RGB").save(buffer, "jpeg", **JPEG)
        return buffer.getvalue()

    def _repr_png_(self) -> bytes:
        """For notebooks without pyplot, which normally makes figures display themselves."""
        buffer = io.BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()


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


def draw_legend(figure: FigureBase, names: list[str], colors, with_unknown: bool) -> int:
    """Draw names and colours below the figure: at most 60, in as many columns as fit.

    Returns: the number of lines.
    """
    handles = [Patch(color=colors[name], label=name) for name in names[:60]]
    if len(names) > 60:
        handles.append(Patch(alpha=0, label=f"+ {len(names) - 60}"))
    if with_unknown:
        handles.append(Patch(label="not annotated", **UNKNOWN))
    return _put_legend(figure, handles, ROW_INCHES, loc="lower center") if handles else 0


def legend_below(figure: Figure, handles: Sequence[Artist], title: str | None = None) -> None:
    """Make a figure taller, and put a legend there, with as many columns as fit."""
    width, height = figure.get_size_inches()
    n_lines = _put_legend(figure, handles, width, loc="outside lower center", title=title)
    n_lines += title is not None
    figure.set_size_inches(width, height + LEGEND_LINE_INCHES * n_lines + 0.1)


def _put_legend(figure: FigureBase, handles: Sequence[Artist], inches: float, **look) -> int:
    """Draw a legend of at most this width. Returns: the number of lines."""
    longest = max(len(str(handle.get_label())) for handle in handles)
    n_columns = max(1, int(inches / (LETTER_INCHES * longest + 0.6)))
    look |= {"ncols": n_columns, "handlelength": 1.2, "fontsize": 9, "borderaxespad": 0.2}
    figure.legend(handles=handles, **look)
    return -(-len(handles) // n_columns)


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


def shortened(name: str, n_letters: int = 22) -> str:
    """Cut the middle out of long names: their beginnings and ends distinguish them."""
    if len(name) <= n_letters:
        return name
    n_last = (n_letters - 1) // 2
    return f"{name[: n_letters - 1 - n_last]}…{name[-n_last:]}"


def ending_of(name: str, n_letters: int) -> str:
    """Cut off the beginning of the long name of a file, which says less than its end."""
    return name if len(name) <= n_letters else f"…{name[1 - n_letters :]}"
