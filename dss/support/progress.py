"""Progress of long work: a bar in a terminal, a notebook or a form, or lines in a log."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import tqdm.auto
import tqdm.std

APP = "VOILA_REQUEST_URL"  # set by Voila where it runs a notebook
Show = Callable[[str, float, float | None], None]
_is_quiet: ContextVar[bool] = ContextVar("is_quiet", default=False)
_shown_by: ContextVar[Show | None] = ContextVar("shown_by", default=None)


class Stopped(Exception):
    """Raised in work that was asked to stop."""


def bar(iterable=None, *, hidden: bool = False, **settings):
    """A tqdm bar that shows nothing if hidden, or if nobody sees the output as it is written."""
    if _shown_by.get():
        return _ShownElsewhere(iterable, leave=False, file=io.StringIO(), **settings)
    return tqdm.auto.tqdm(iterable, disable=hidden or not _is_watched(), leave=False, **settings)


@contextmanager
def shown_by(show: Show) -> Iterator[None]:
    """Within the block, bars call `show(what is done, done, total)` instead of being drawn.

    Anything that `show` raises ends the work.
    """
    token = _shown_by.set(show)
    try:
        yield
    finally:
        _shown_by.reset(token)


@contextmanager
def quiet() -> Iterator[None]:
    """Within the block, `say` prints nothing; bars are drawn as ever."""
    token = _is_quiet.set(True)
    try:
        yield
    finally:
        _is_quiet.reset(token)


def say(message: str) -> None:
    """Print a line without breaking a bar."""
    if not _is_quiet.get():
        tqdm.auto.tqdm.write(message, file=sys.stderr)


class _ShownElsewhere(tqdm.std.tqdm):
    """A bar that calls a function instead of drawing."""

    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        self._show()

    def display(self, msg=None, pos=None) -> None:
        """Do nothing: tqdm holds its lock here, and an error would leave it locked."""

    def update(self, n: float = 1) -> None:
        """Advance and report, as often as tqdm would draw."""
        if super().update(n):
            self._show()

    def _show(self) -> None:
        show = _shown_by.get()
        if show:
            show(self.desc.removesuffix(": "), self.n, self.total)


def _is_watched() -> bool:
    ipython = sys.modules.get("IPython")
    in_notebook = bool(ipython and ipython.get_ipython()) and APP not in os.environ
    return sys.stderr.isatty() or in_notebook  # an app is shown after its cells have run
