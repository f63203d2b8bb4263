"""The errors and the warning that dss raises about its input."""

import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MOST_SHOWN = 200  # characters of a value in a message
PACKAGE = os.path.dirname(__file__) + os.sep


class DssError(ValueError):
    """Invalid input: the message says what is wrong, in which file and row, and how to fix it.

    The command line prints the message without a traceback and exits with code 2; notebooks also
    show the message alone. If `raise_problems` raised the error, `problems` lists the individual
    problems and `rest` holds everything that could be read despite them.
    """

    problems: Sequence[str] = ()
    rest: Any = None

    def _render_traceback_(self) -> list[str]:
        """The text that IPython shows instead of a traceback."""
        return [f"{type(self).__name__}: {self}"]


class MissingAnnotations(DssError):
    """A recording has no annotations, or the table of many recordings does not list it."""


class DssWarning(UserWarning):
    """Input that works but is probably not intended: the message says what and why."""


def warn(message: str) -> None:
    """Give a DssWarning, which Python shows with the line that called dss, however deep this is."""
    depth, outermost, frame = 1, 1, sys._getframe()
    while frame.f_back:
        frame, depth = frame.f_back, depth + 1
        if frame.f_code.co_filename.startswith(PACKAGE):
            outermost = depth
    # A command of dss itself has no caller: a level beyond the stack would show as `sys:1`.
    warnings.warn(message, DssWarning, stacklevel=min(outermost + 1, depth))


def reason(error: Exception) -> str:
    """The message of an error; for libsndfile without the file, which is named anyway."""
    return getattr(error, "error_string", "") or str(error) or type(error).__name__


def shown(value: Any) -> str:
    """A value as in Python, for a message: its beginning if it is long."""
    text = repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]} ..."


def naming(path: Path, error: Exception) -> str:
    """The message of an error, which names this file."""
    return str(error) if str(path) in str(error) else f"{path}: {error}"


def raise_problems(problems: Sequence[str], heading: str, rest: Any = None) -> None:
    """Raise one DssError that lists all `problems` under a `heading`; do nothing if there are none.

    The message shows at most 30: the first rows of a broken file tell as much as all of them.
    """
    if not problems:
        return
    lines = [f"  {problem}" for problem in problems[:30]]
    if len(problems) > 30:
        lines.append(f"  ... and {len(problems) - 30} more")
    error = DssError("\n".join([heading, *lines]))
    error.problems, error.rest = tuple(problems), rest
    raise error
