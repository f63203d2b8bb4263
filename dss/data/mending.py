"""What is mended in files while they are read: noted where it is mended, said once per file.

Only what is certain is mended, such as the length of a recording whose header claims too much. What
is doubtful is a warning, and what cannot be right is an error.
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
    """Within, what is mended is collected: each once, in order. Elsewhere, it is a warning."""
    mended: dict[Mended, None] = {}
    token = _collected.set(mended)
    try:
        yield mended
    finally:
        _collected.reset(token)


def note(file: str | Path, what: str) -> None:
    """Say that something was mended in a file.

    Arguments:
        file: the recording or its annotations.
        what: what was wrong, how often, and what is done about it, without the file.
    """
    mended = _collected.get()
    if mended is None:
        warnings.warn(f"{file}: {what}", DssWarning, stacklevel=2)
    else:
        mended[str(file), what] = None


def listed(values: Sequence[object], most: int = 3) -> str:
    """The first few values of many, such as rows: `3, 5, 9 and 12 more`."""
    more = len(values) - most
    return ", ".join(map(str, values[:most])) + (f" and {more} more" if more > 0 else "")
