"""The error that dss raises when what it was given cannot be right."""

from collections.abc import Sequence
from typing import Any


class DssError(ValueError):
    """Bad input: the message says what is wrong, in which file and row, and what would be right.

    The command line prints the message without a traceback and exits with code 2; a notebook shows
    the message alone, too. `problems` holds each of several problems, and `rest` what could be read
    in spite of them, as `raise_problems` was given them.
    """

    problems: Sequence[str] = ()
    rest: Any = None

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback."""
        return [f"{type(self).__name__}: {self}"]


class DssWarning(UserWarning):
    """Something that works but is probably not what was meant: the message says what and why."""


def raise_problems(problems: Sequence[str], heading: str, rest: Any = None) -> None:
    """Raise all `problems` as one DssError under a `heading`; do nothing if there are none.

    At most 30 are printed: the first rows of a broken file tell as much as all of them.
    """
    if not problems:
        return
    lines = [f"  {problem}" for problem in problems[:30]]
    if len(problems) > 30:
        lines.append(f"  ... and {len(problems) - 30} more")
    error = DssError("\n".join([heading, *lines]))
    error.problems, error.rest = tuple(problems), rest
    raise error
