"""A picture of a stretch of time that answers to mouse and keys."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

HERE = Path(__file__).parent


class Picture(anywidget.AnyWidget):
    """A jpeg whose columns are times, on which one can click, drag, and turn the wheel.

    What is done is told as a dictionary, with places as parts of the time axis, 0 to 1:
    `{"do": "select", "start", "stop", "is_edge"}` after dragging (`is_edge`: an edge of the
    selection), `click` with `at`, `double` with `at` after the `click` that it begins with, `zoom`
    with `at` and `factor`, `scroll` with `by`, `line` with `at` while the line is dragged, and
    `key` with `key`, as browsers name it.

    Arguments:
        done: is called with what is done.

    Attributes:
        value: the bytes of the jpeg.
        edges: left, right, top and bottom of the rows, as parts of the picture's width and height.
        selection: (start, stop) of what is marked, as parts of the time axis; empty if nothing is.
        line: (top, bottom, at) of a line to drag up and down: its row, as parts of the picture's
            height, and where the line is in it, from 0 at the bottom to 1; empty if there is none.
    """

    _esm = HERE / "picture.js"
    _css = HERE / "picture.css"

    value = traitlets.Bytes().tag(sync=True)
    edges = traitlets.Tuple((0.0, 1.0, 0.0, 1.0)).tag(sync=True)
    selection = traitlets.Tuple(()).tag(sync=True)
    line = traitlets.Tuple(()).tag(sync=True)

    def __init__(self, done: Callable[[dict[str, Any]], None]):
        super().__init__()
        self.on_msg(lambda _, content, buffers: done(content))
