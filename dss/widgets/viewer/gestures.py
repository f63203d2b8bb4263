"""What mouse and keys do on the picture of a viewer."""

from typing import Any

import numpy as np

from dss.widgets.viewer.picture import Picture

NEAR = 0.005  # of the view: how far from an annotation a click may be
SEEN_BESIDE = 0.5  # of the selection: margin shown before and after it
FASTEST = 10  # largest zoom by one turn of the wheel


class Gestures:
    """Turns what the user does on the picture into actions of the viewer.

    Arguments:
        viewer: the `dss.widgets.Viewer`.

    Attributes:
        picture: the picture, which reports what the user does.
    """

    def __init__(self, viewer) -> None:
        self._viewer = viewer
        self._dragged: tuple[float, float] | None = None  # what was marked at the last click
        self.picture = Picture(lambda asked: viewer.guarded(lambda: self._answer(asked)))

    def _answer(self, asked: dict[str, Any]) -> None:
        viewer = self._viewer
        start, stop = viewer.stretch
        seconds = {
            name: start + asked[name] * (stop - start)
            for name in ("at", "start", "stop")
            if name in asked
        }
        match asked["do"]:
            case "select":
                viewer.selection = seconds["start"], seconds["stop"]
                if asked["is_edge"]:
                    viewer.editor.move_edges()
                else:
                    viewer.editor.choose(None)
            case "click":
                self._dragged = viewer.selection if viewer.editor.chosen is None else None
                viewer.editor.click(seconds["at"], NEAR * (stop - start))
            case "double":
                self._show_marked(seconds["at"])
            case "zoom":
                at, by = seconds["at"], float(np.clip(asked["factor"], 1 / FASTEST, FASTEST))
                viewer.stretch = at - (at - start) / by, at + (stop - at) / by
            case "scroll":
                viewer.move(asked["by"])
            case "line":
                viewer.proposer.drag(asked["at"])
            case "key":
                self.press(asked["key"])
        viewer.settings.remember()

    def press(self, key: str) -> None:
        """Do what a key stands for, named as browsers do."""
        viewer = self._viewer
        match key:
            case "ArrowLeft" | "ArrowRight":
                viewer.move(0.5 if key == "ArrowRight" else -0.5)
            case "+" | "-":
                viewer.zoom(2 if key == "+" else 0.5)
            case "n" | "p":
                viewer.go(1 if key == "n" else -1)
            case " ":
                viewer.play()
            case "Escape":
                viewer.editor.choose(None)
                viewer.selection = None
            case _:
                viewer.editor.press(key)

    def _show_marked(self, at: float) -> None:
        """Show the selection, with a margin around it."""
        viewer, dragged = self._viewer, self._dragged
        if dragged and dragged[0] <= at <= dragged[1]:  # the first click marked something else
            viewer.editor.choose(None)
            viewer.selection = dragged
        start, stop = viewer.selection or (0, 0)
        if start < stop:
            beside = SEEN_BESIDE * (stop - start)
            viewer.stretch = start - beside, stop + beside
