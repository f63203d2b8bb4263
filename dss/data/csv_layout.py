"""The layout of a CSV file: its separator, and anything besides header and rows.

There may be comments (`# ...`), blank lines, and the `sep=;` of spreadsheets above the header, and
comments among the rows, or a repeated header where files were appended to each other.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from dss.data import fixes

SEPARATORS = ",;\t"
COMMENT = re.compile(rf"#(?![{SEPARATORS}])")  # or else a column of this name
SPREADSHEET = re.compile(r"sep=(.)\s*", re.IGNORECASE)


class Layout(NamedTuple):
    """The separator, the number of lines above the header, and the fields of the header."""

    separator: str
    n_above: int
    header: list[str]


def layout_of(text: str) -> Layout:
    """Determine the layout of a CSV file from its text, or its first lines."""
    stated, n_above, line = None, 0, ""
    for n_above, line in enumerate(io.StringIO(text, None)):
        stated = SPREADSHEET.fullmatch(line) if n_above == 0 else stated
        if line.strip() and not COMMENT.match(line) and not SPREADSHEET.fullmatch(line):
            break
    separator = stated[1] if stated else max(SEPARATORS, key=line.count)
    return Layout(separator, n_above, next(fields(line, separator), []))


def table_text(text: str, layout: Layout, path: Path) -> str:
    """A CSV file from its header on; other lines are blanked, so that row numbers stay right.

    Repeated headers are noted as fixes of the file at `path`.
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
        what = f"repeats its header ({fixes.listed_rows(again)}), as if files were appended"
        fixes.note(path, f"{what}; these rows are left out")
    return "".join(lines)


def fields(text: str, separator: str) -> Iterator[list[str]]:
    """The fields of each row."""
    return csv.reader(io.StringIO(text, None), delimiter=separator, skipinitialspace=True)


def too_long(rows: Iterable[list[str]], n_columns: int, separator: str) -> list[tuple[int, str]]:
    """Rows with more fields than the header, of which pandas would drop the last."""
    return [
        (
            row,
            f"has {len(fields)} fields, but the header {n_columns}; put fields that contain "
            f"{separator!r} in quotes",
        )
        for row, fields in enumerate(rows, start=2)
        if any(field.strip() for field in fields[n_columns:])
    ]
