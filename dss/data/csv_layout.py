"""How a CSV file is laid out: what divides its columns, and what it holds beside header and rows.

Above the header may be comments (`# ...`), blank lines, and the `sep=;` of spreadsheets. Among the
rows may be comments and, where files were appended to each other, the header again.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from dss.data import mending

SEPARATORS = ",;\t"
COMMENT = re.compile(rf"#(?![{SEPARATORS}])")  # which may also be what a column is called
SPREADSHEET = re.compile(r"sep=(.)\s*", re.IGNORECASE)


class Layout(NamedTuple):
    """What divides the columns, how many lines are above the header, and the fields of this."""

    separator: str
    n_above: int
    header: list[str]


def layout_of(text: str) -> Layout:
    """The layout of a CSV file.

    Arguments:
        text: all of it, or its first lines.
    """
    said, n_above, line = None, 0, ""
    for n_above, line in enumerate(io.StringIO(text, None)):
        said = SPREADSHEET.fullmatch(line) if n_above == 0 else said
        if line.strip() and not COMMENT.match(line) and not SPREADSHEET.fullmatch(line):
            break
    separator = said[1] if said else max(SEPARATORS, key=line.count)
    return Layout(separator, n_above, next(fields(line, separator), []))


def table_text(text: str, layout: Layout, path: Path) -> str:
    """A CSV file from its header on; lines that are no rows are blank, so that rows keep counting.

    Arguments:
        text: all of it.
        layout: as `layout_of` gives it.
        path: the file, for what is said of headers that are there again.
    """
    lines = [*io.StringIO(text, None)][layout.n_above :]
    again = []
    for i, line in enumerate(lines[1:], start=1):
        if line[0] == "#" and layout.separator not in line:
            lines[i] = "\n"
        elif line.strip() == lines[0].strip():
            lines[i] = "\n"
            again.append(i + layout.n_above + 1)
    if again:
        rows = f"row{'s' * (len(again) > 1)} {mending.listed(again)}"
        mending.note(path, f"has its header again ({rows}), as if files were appended; left out")
    return "".join(lines)


def fields(text: str, separator: str) -> Iterator[list[str]]:
    """The fields of each row."""
    return csv.reader(io.StringIO(text, None), delimiter=separator, skipinitialspace=True)


def too_long(rows: Iterable[list[str]], n_columns: int, separator: str) -> list[tuple[int, str]]:
    """Rows with more fields than the header, of which pandas would drop the last."""
    return [
        (
            row,
            f"has {len(fields)} fields, but the header {n_columns}; a field that holds "
            f"{separator!r} should be in quotes",
        )
        for row, fields in enumerate(rows, start=2)
        if any(field.strip() for field in fields[n_columns:])
    ]
