"""The picture of a segment map: points to select, a legend of colours, and a gallery."""

from pathlib import Path
from typing import Any

import numpy as np
import traitlets

from dss.widgets.browser import BrowserWidget, as_bytes, script

HERE = Path(__file__).parent


class Scatter(BrowserWidget):
    """Points on a canvas, with a legend above and a gallery of spectrograms beside.

    What the user does arrives as a dictionary: `{"do": "choose", "points", "how"}` with the numbers
    of points, and "set", "add" or "toggle"; `{"do": "kind", "kind", "how"}` after a click in the
    legend; `{"do": "hover", "point"}`; `{"do": "open", "point"}` after a click on a point or a
    picture; and `{"do": "key", "key"}` with the key as browsers name it, or "undo", "redo", "all".

    Attributes:
        xy: [points, 2] float32, 0 to 1, as bytes.
        kinds: [points] uint16, the number of the colour, as bytes.
        chosen: [chosen] uint32, the numbers of the selected points, as bytes.
        colors, labels: of the kinds.
        pointed: the point under the mouse: its number, `text` and `picture`, a jpeg.
        gallery: the same for several points.
        heading: what the gallery shows.
    """

    _esm = script(HERE / "scatter.js")
    _css = HERE / "scatter.css"

    xy = traitlets.Bytes().tag(sync=True)
    kinds = traitlets.Bytes().tag(sync=True)
    chosen = traitlets.Bytes().tag(sync=True)
    colors: traitlets.List = traitlets.List().tag(sync=True)
    labels: traitlets.List = traitlets.List().tag(sync=True)
    pointed = traitlets.Dict().tag(sync=True)
    gallery: traitlets.List = traitlets.List().tag(sync=True)
    heading = traitlets.Unicode().tag(sync=True)

    def place(self, xy: np.ndarray) -> None:
        """Set the positions of the points: [points, 2]."""
        self.xy = as_bytes(xy, "<f4")

    def paint(self, kinds: np.ndarray, labels: list[str], colors: list[str]) -> None:
        """Set the kinds of the points [points]."""
        with self.hold_sync():
            self.labels, self.colors = labels, colors
            self.kinds = as_bytes(kinds, "<u2")

    def show_gallery(self, cards: list[dict[str, Any]], heading: str) -> None:
        """Show these pictures below a heading."""
        with self.hold_sync():
            self.gallery, self.heading = cards, heading

    def choose(self, chosen: np.ndarray) -> None:
        """Highlight these points [chosen]."""
        self.chosen = as_bytes(chosen, "<u4")
