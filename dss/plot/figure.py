"""A figure in the style of dss: black on white, and displayed by notebooks."""

import gc
import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import matplotlib.style
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

WIDTH_INCHES = 10  # so that text is legible in a notebook of 1000 pixels
LEFT_INCHES, RIGHT_INCHES = 1.15, 0.15  # beside rows: labels, numbers
ROW_INCHES = WIDTH_INCHES - LEFT_INCHES - RIGHT_INCHES
STYLE = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "legend.frameon": False,
}
JPEG = {"quality": 92, "subsampling": 0}

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
        return png(self)


def png(figure: Figure, dpi: float = 100) -> bytes:
    """A figure as a picture."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()
