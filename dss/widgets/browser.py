"""Widgets with a side of their own in the browser."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
from numpy.typing import ArrayLike


class BrowserWidget(anywidget.AnyWidget):
    """A widget that reports what the user does, as a dictionary.

    Arguments:
        done: called with what the user does.
    """

    def __init__(self, done: Callable[[dict[str, Any]], None]):
        super().__init__()
        self.on_msg(lambda _, content, __: done(content))


def as_bytes(values: ArrayLike, dtype: str) -> bytes:
    """Numbers as the browser takes them."""
    return np.asarray(values, dtype).tobytes()


def script(path: Path) -> str:
    """The script of a widget, after the functions that all of them share (`browser.js`)."""
    shared = Path(__file__).with_name("browser.js")
    return shared.read_text("utf-8") + path.read_text("utf-8")
