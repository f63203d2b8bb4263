"""Figures: black on white, rows that share their time, a legend of song types below."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

WIDTH_INCHES = 12
ROW_INCHES = WIDTH_INCHES - 1.3  # what labels and margins leave of it
LETTER_INCHES = 0.077  # of the font size 9
BINS = 1000  # columns that a row is drawn with: about its pixels
STYLE = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "legend.frameon": False,
}
UNKNOWN = {"facecolor": (1, 1, 1, 0.4), "edgecolor": "#a0a0a0", "hatch": "///", "linewidth": 0}


@contextmanager
def plain_style() -> Iterator[None]:
    """Draw in matplotlib's own style and ours, then restore what is set."""
    with matplotlib.style.context(["default", STYLE]):
        yield


class Time(NamedTuple):
    """The stretch of time that is shown, in seconds."""

    start: float
    stop: float

    @property
    def span(self) -> float:
        """Length in seconds."""
        return self.stop - self.start


class SongFigure(Figure):
    """A figure that is white however it is saved, and shows itself in notebooks."""

    def __init__(self, figsize: tuple[float, float], layout: str = "constrained"):
        super().__init__(figsize, dpi=100, facecolor="white", layout=layout)

    def savefig(self, *args, **named):
        """Save the figure as matplotlib does, in our style."""
        with plain_style():  # dark styles set the background of what is saved
            super().savefig(*args, **named)

    def _repr_png_(self) -> bytes:
        """For notebooks that never import pyplot, which is what makes figures show themselves."""
        buffer = io.BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()


def figure_rows(heights: Sequence[float], title: str | None) -> tuple[Figure, list[Axes]]:
    """A figure with rows of these heights in inches."""
    figure = SongFigure(figsize=(WIDTH_INCHES, sum(heights) + 0.12 * len(heights) + 1.0))
    if title:
        figure.suptitle(title, x=0.01, ha="left")
    return figure, [*figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]]


def share_time(axes: Sequence[Axes], time: Time) -> None:
    """Give rows one time axis, whose numbers stand below the last of them."""
    for axis in axes[1:]:
        axis.sharex(axes[0])
    for axis in axes[:-1]:
        has_line = axis.spines["bottom"].get_visible()
        axis.tick_params(axis="x", bottom=has_line, labelbottom=False)
    axes[0].set_xlim(*time)
    axes[0].ticklabel_format(axis="x", useOffset=False)
    axes[-1].set_xlabel("time (s)")


def draw_legend(figure: Figure, names: list[str], colors, with_unknown: bool) -> None:
    """Names and colours below the figure: 60 at most, a column for as many as are side by side."""
    n_columns = max(1, int(ROW_INCHES / (LETTER_INCHES * max(map(len, names), default=1) + 0.6)))
    handles = [Patch(color=colors[name], label=name) for name in names[:60]]
    if len(names) > 60:
        handles.append(Patch(alpha=0, label=f"+ {len(names) - 60}"))
    if with_unknown:
        handles.append(Patch(label="not annotated", **UNKNOWN))
    if handles:
        look = {"ncols": n_columns, "handlelength": 1.2, "fontsize": 9}
        figure.legend(handles=handles, loc="outside lower center", **look)
