"""Tables of problems in a data folder, by file and row, as sentences and errors."""

import re
from pathlib import Path

import pandas as pd

from dss.errors import raise_problems

ERROR, WARNING, FIXED = "error", "warning", "fixed"
COLUMNS = ["file", "row", "name", "problem", "severity"]
MESSAGE = re.compile(r"(.+?)(?:, row (\d+))?(?: \(([^)]*)\))?: (.*)", re.DOTALL)
Problem = tuple[str, int | None, str | None, str, str]  # the columns


def raise_errors(problems: pd.DataFrame) -> None:
    """Raise the errors in a table of problems as one DssError; do nothing if there are none."""
    errors = problems[problems["severity"] == ERROR]
    way = " (--skip-bad-rows leaves out impossible times)" * bool(errors["name"].notna().any())
    raise_problems(
        format_problems(errors), f"These recordings and annotations cannot be used{way}:"
    )


def format_problems(problems: pd.DataFrame) -> list[str]:
    """A sentence for each problem in a table."""
    sentences = []
    for file, row, name, problem, _ in problems.itertuples(index=False, name=None):
        where = "" if pd.isna(row) else f", row {row}"
        sentences.append(f"{file}{where}{'' if pd.isna(name) else f' ({name})'}: {problem}")
    return sentences


def as_table(problems: list[Problem]) -> pd.DataFrame:
    """The problems as a table, sorted by file and row."""
    table = pd.DataFrame(problems, columns=COLUMNS).astype({"row": "Int64"})
    return table.sort_values(["file", "row"], ignore_index=True, kind="stable", na_position="first")


def problems_of(error: Exception, path: Path) -> list[Problem]:
    """The problems listed by an error, which start with a file and possibly a row and a name.

    A system error, such as missing permission, is about `path` if it names no file.
    """
    if isinstance(error, OSError):
        text = f"cannot be read ({error.strerror or error})"
        return [(str(error.filename or path), None, None, text, ERROR)]
    found = []
    for text in getattr(error, "problems", None) or [str(error)]:
        match = MESSAGE.fullmatch(text)
        if not match:  # not about a file
            raise error
        file, row, name, problem = match.groups()
        found.append((file, int(row) if row else None, name, problem, ERROR))
    return found
