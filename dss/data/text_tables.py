"""Tables in text files, such as CSV, with rows counted as an editor counts them."""

import csv
import io
import re
import warnings
from collections.abc import Container, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from dss.data import fixes
from dss.data.column_names import (
    COLUMNS,
    OTHER_NAMES,
    TEXTS,
    TIMES,
    columns_of,
    is_read,
    plain,
)
from dss.data.csv_layout import Layout, fields, layout_of, table_text, too_long
from dss.data.missing_headers import lacks_header, missing_header
from dss.data.plain_tables import read_plain
from dss.data.text_files import HEAD_BYTES, is_text, read_text
from dss.data.time_texts import numbers
from dss.data.time_units import time_columns, to_seconds
from dss.errors import DssError, raise_problems

RAVEN_TIMES = {"Begin Time (s)": "start_seconds", "End Time (s)": "stop_seconds"}
MISSING = ["", "NaN", "nan", "NA", "None", "<NA>"]  # values that stand for no number
# Columns of Raven and others with texts that are no names.
NO_NAMES = re.compile(
    "view|channel|(?:begin|end).*(?:file|path|date|time|hour)|unnamed.*|recordist"
)
MOST_COLUMNS = 2000  # no program writes more
MOST_SHOWN = 300  # letters of the names of columns
# Before pandas 3.1, numbers are read exactly only on request; since then the request is deprecated.
IS_EXACT = tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1)
EXACTLY: dict[str, Any] = {} if IS_EXACT else {"float_precision": "round_trip"}


def read_csv(path: Path, columns: list[str]) -> pd.DataFrame:
    """Read a CSV file with at least these columns as text; the index is the row as shown by an
    editor.

    Commas or tabs separate the columns or, if there are decimal commas, semicolons. Times are in
    seconds, or in milliseconds if their columns say so.

    Raises: DssError if it is not a CSV file, lacks a column, or has rows with more fields than
        columns.
    """
    table, broken = read_rows(path, columns)
    problems = [f"{path}, row {row}: {problem}" for row, problem in broken]
    raise_problems(problems, "These rows cannot be read:")
    if {*TIMES} <= {*table}:
        to_seconds(table, path)
    return table


def read_rows(
    path: Path, columns: list[str], name_column: str = ""
) -> tuple[pd.DataFrame, list[tuple[int, str]]]:
    """Read like `read_csv`; rows that are too long are cut, and returned with what is wrong.

    Times are as they are in the file: see `dss.data.time_units.to_seconds`.

    Arguments:
        path: the file.
        columns: the required columns.
        name_column: the column of names, if it is not clear.
    """
    text = read_text(path)
    table = None if name_column else read_plain(text, columns)
    if table is not None:
        return table, []
    separator, n_above, header = layout_of(text)
    if not header:
        raise DssError(f"{path}: contains no header. The columns should be {','.join(columns)}.")
    added = _missing_header(header, separator, path) if columns == COLUMNS else None
    try:
        text = table_text(text, Layout(separator, n_above, header), path)
        if added:
            text, header, n_above = f"{separator.join(added)}\n{text}", added, n_above - 1
        broken = too_long(islice(fields(text, separator), 1, None), len(header), separator)
        if broken:
            cut = io.StringIO()
            rows = (row[: len(header)] for row in fields(text, separator))
            csv.writer(cut, delimiter=separator).writerows(rows)
            text = cut.getvalue()
        texts = {column: str for column in header if plain(column) in {*TEXTS, plain(name_column)}}
        missing_as = {name: [""] if name in texts else MISSING for name in header}
        table = parse(text, separator, path, "CSV", dtype=texts, na_values=missing_as)
    except csv.Error as error:
        raise DssError(f"{path}: cannot be read as CSV ({error})") from None
    table.index += n_above
    broken = [(row + n_above, what) for row, what in broken]
    there = listed_columns(table)
    check_twice(header, {f.strip(' "').lower() for f in header if is_read(f)}, path, n_above + 1)
    found = columns_of(columns, [*table], name_column)
    if {*TIMES} <= {*columns} and "start_seconds" in found:
        table = with_stops(table, found)
    table = table.rename(columns={found[column]: column for column in found})
    missing = [column for column in columns if column not in table]
    if missing == ["name"] and not name_column and not other_texts(table):
        table["name"], missing = pd.NA, []
    if missing:
        if not is_text(text.partition("\n")[0]):
            raise DssError(f"{path}: is no text, or is damaged. Copy it, or export it, again.")
        several = "are no columns" if len(missing) > 1 else "is no column"
        lacks = f"there {several} {', '.join(missing)}, only {there}"
        way = f"The columns should be {','.join(columns)}"
        if missing == ["name"]:
            way += "; or say which column has the names: annotation_format csv:COLUMN"
        raise DssError(f"{path}, row {n_above + 1}: {lacks}. {way}.")
    return table, broken


def read_raven_rows(path: Path) -> pd.DataFrame:
    """Read a selection table of Raven as text; the index is the row as shown by an editor.

    Raises: DssError if it is not a selection table.
    """
    text = read_text(path)
    table = parse(text, "\t", path, "a selection table", quoting=3, dtype=str)
    missing = [name for name in RAVEN_TIMES if name not in table]
    if missing:
        there = listed_columns(table)
        raise DssError(f"{path}, row 1: there is no column {missing[0]!r}, only {there}")
    header = text.partition("\n")[0].split("\t")
    check_twice(header, {name.strip().lower() for name in header}, path)
    return table


def check_twice(header: Iterable[str], wanted: Container[str], path: Path, row: int = 1) -> None:
    """Raise a DssError if one of the wanted columns, in lower case, occurs more than once.

    `row` is that of the header in the file.
    """
    names = [field.strip(' "\r\n').lower() for field in header]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if found := [name for name in twice if name in wanted]:
        raise DssError(
            f"{path}, row {row}: the column {found[0]} occurs {names.count(found[0])} times. "
            "Remove or rename all but one."
        )


def listed_columns(table: pd.DataFrame) -> str:
    """The names of the columns of a table, for a message."""
    names = (str(name) if str(name).isprintable() else repr(name) for name in table)
    text = ", ".join(names)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]} ..."


def header_of(path: Path) -> list[str]:
    """The names of the columns in the header of a CSV file."""
    return [name.strip() for name in layout_of(read_text(path, HEAD_BYTES)).header]


def other_texts(table: pd.DataFrame) -> list[str]:
    """The columns of a table that may hold names: those with texts, except times and files."""
    return [
        column
        for column in table
        if not NO_NAMES.fullmatch(plain(column))
        if not is_read(column) or plain(column) in OTHER_NAMES
        if (table[column].notna() & numbers(table[column]).isna()).any()
    ]


def _why(error: Exception) -> str:
    """Why pandas cannot parse a table, without its words about its own work."""
    if never_closed := re.search(r"EOF inside string starting at row (\d+)", str(error)):
        return f'a quote (") opens in row {int(never_closed[1]) + 1}, and is never closed'
    return str(error).removeprefix("Error tokenizing data. C error: ")


def with_stops(table: pd.DataFrame, found: dict[str, Any]) -> pd.DataFrame:
    """A table whose columns of times are known, as `dss.data.time_units.to_seconds` needs them.

    Where there are no stops, durations take their place, or starts if the table is of points.

    Arguments:
        table: with the columns of the file.
        found: the columns of the file, by what they hold, as from `columns_of`.
    """
    names = {str(field).strip().lower() for field in table}
    is_of_points = names in ({"time", "label"}, {"time", "value", "label"})
    times = {time: found[time] for time in TIMES if time in found}
    if "stop_seconds" not in times:
        times |= (
            {"stop_seconds": found["start_seconds"]} if is_of_points else time_columns([*table])
        )
        if "stop_seconds" in times:
            table = table.assign(stop_seconds=table[times["stop_seconds"]])
    table.attrs["times"] = times
    return table


def _missing_header(first: list[str], separator: str, path: Path) -> list[str] | None:
    """The columns of a table that a program exported without a header; None if it has one.

    Raises: DssError if the columns cannot be guessed.
    """
    if not lacks_header(first):
        return None
    guessed = missing_header(first)
    if guessed is None:
        raise DssError(
            f"{path}, row 1: there is no header. Add a first row that names the columns, such as "
            f"{separator.join(['start_seconds', 'stop_seconds', 'name'])}."
        )
    header, program = guessed
    what = "time and label" if len(header) == 2 else ", ".join(header).lower()
    fixes.note(path, f"has no header; read as exported by {program}: {what}")
    return header


def parse(text: str, separator: str, path: Path, what: str, **named: Any) -> pd.DataFrame:
    """A table whose index is the row as shown by an editor; names such as nan or NA are kept.

    Raises: DssError if the text of the file cannot be read as `what`, or has too many columns.
    """
    n_columns = text.partition("\n")[0].count(separator) + 1
    if n_columns > MOST_COLUMNS:
        raise DssError(f"{path}: cannot be read as {what} (it has {n_columns} columns)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pd.errors.ParserWarning)  # of commas that end all rows
            table = pd.read_csv(
                io.StringIO(text),
                sep=separator,
                **{"na_values": [""], **EXACTLY, **named},
                keep_default_na=False,
                index_col=False,  # or one comma too many in all rows would shift the columns
                skip_blank_lines=False,  # or rows would not be counted as in an editor
                skipinitialspace=True,
            )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DssError(f"{path}: cannot be read as {what} ({_why(error)})") from None
    if "header" not in named:
        table = table.rename(columns=str.strip)
        table.index += 1
    table.index += 1
    return table.dropna(how="all")
