"""Mending files while they are read: noted where it happens, reported once per file.

Only what is certain is mended, such as the length of a recording whose header claims too much.
Doubtful cases give a warning, and impossible ones an error.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from dss.errors import DssWarning

Mended = tuple[str, str]  # a file, and what was mended in it

_collected: ContextVar[dict[Mended, None] | None] = ContextVar("collected", default=None)


@contextmanager
def collecting() -> Iterator[dict[Mended, None]]:
    """Collect what is mended in this context, each once. Elsewhere, mending gives a warning."""
    mended: dict[Mended, None] = {}
    token = _collected.set(mended)
    try:
        yield mended
    finally:
        _collected.reset(token)


def note(file: str | Path, what: str) -> None:
    """Report that something was mended in a file.

    Arguments:
        file: the recording or its annotations.
        what: what was wrong, how often, and what dss does about it, without the file.
    """
    mended = _collected.get()
    if mended is None:
        warnings.warn(f"{file}: {what}", DssWarning, stacklevel=2)
    else:
        mended[str(file), what] = None


def listed(values: Sequence[object], most: int = 3) -> str:
    """The first few of many values, such as rows: `3, 5, 9 and 12 more`."""
    more = len(values) - most
    return ", ".join(map(str, values[:most])) + (f" and {more} more" if more > 0 else "")
