"""A picture of a stretch of time that responds to mouse and keys."""

from pathlib import Path

import traitlets

from dss.widgets.browser import BrowserWidget, script

HERE = Path(__file__).parent


class Picture(BrowserWidget):
    """A jpeg whose columns are times, which you can click, drag over, and turn the wheel on.

    What the user does arrives as a dictionary, with positions as fractions of the time axis, 0 to
    1: `{"do": "select", "start", "stop", "is_edge"}` after dragging (`is_edge`: an edge of the
    selection), `click` with `at`, `double` with `at` after the `click` that it begins with, `zoom`
    with `at` and `factor`, `scroll` with `by`, `line` with `at` while the line is dragged, and
    `key` with `key`, as browsers name it.

    Attributes:
        value: the bytes of the jpeg.
        edges: left, right, top and bottom of the rows, as fractions of the picture's width and
            height.
        selection: (start, stop) of the marked stretch, as fractions of the time axis; empty if
            nothing is marked.
        line: (top, bottom, at) of a line to drag up and down: its row, as fractions of the
            picture's height, and the position of the line in it, from 0 at the bottom to 1; empty
            without a line.
        bars: what replaces a row of the picture until the next one: `row` (its top and bottom, as
            above), `color`, `places` (bytes of float32 [bars, 2], as fractions of the time axis)
            and a `number` that tells it from what was there before; empty if nothing does.
    """

    _esm = script(HERE / "picture.js")
    _css = HERE / "picture.css"

    value = traitlets.Bytes().tag(sync=True)
    edges = traitlets.Tuple((0.0, 1.0, 0.0, 1.0)).tag(sync=True)
    selection = traitlets.Tuple(()).tag(sync=True)
    line = traitlets.Tuple(()).tag(sync=True)
    bars = traitlets.Dict().tag(sync=True)
