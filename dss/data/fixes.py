"""Fixes to what files say, made while they are read and reported once per file.

Only what is certain is fixed, such as the length of a recording whose header claims too much.
Doubtful cases give a warning, and impossible ones an error.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from dss.errors import warn
from dss.support.units import listed

Fix = tuple[str, str]  # a file, and what was fixed

_collected: ContextVar[dict[Fix, None] | None] = ContextVar("collected", default=None)


@contextmanager
def collecting() -> Iterator[dict[Fix, None]]:
    """Collect the fixes in this context, each once. Elsewhere, a fix gives a warning."""
    fixed: dict[Fix, None] = {}
    token = _collected.set(fixed)
    try:
        yield fixed
    finally:
        _collected.reset(token)


def note(file: str | Path, what: str) -> None:
    """Report that something was fixed while reading a file.

    Arguments:
        file: the recording or its annotations.
        what: what was wrong, how often, and what dss does about it, without the file.
    """
    fixed = _collected.get()
    if fixed is None:
        warn(f"{file}: {what}")
    else:
        fixed[str(file), what] = None


def listed_rows(rows: Sequence[int]) -> str:
    """The first few of many rows: `row 3`, or `rows 3, 5, 9 and 12 more`."""
    return f"row{'s' * (len(rows) > 1)} {listed(rows)}"
