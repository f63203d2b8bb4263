"""Annotations of many recordings in one table, with a column that names the recording of each row.

Examples are a selection table of Raven (`Begin File`, `File Offset (s)`), or a CSV file with a
column `filename`. The table is next to the recordings, or in the folder above.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from dss.data.column_names import COLUMNS, RECORDINGS, has_times, recording_column
from dss.data.missing_headers import lacks_header, missing_header
from dss.data.spreadsheets import WORKBOOK
from dss.data.text_tables import (
    RAVEN_TIMES,
    header_of,
    read_raven_rows,
    read_rows,
)
from dss.data.time_texts import numbers
from dss.errors import DssError, MissingAnnotations
from dss.support.caching import cached_by_file, cached_by_folder

TABLES = (".csv", ".txt", ".tsv", WORKBOOK)
OFFSET = "File Offset (s)"


class Shared(NamedTuple):
    """A table of many recordings."""

    table: pd.DataFrame
    broken: list[tuple[int, str]]  # unreadable rows, and why
    column: str  # names the recordings
    files: dict[str, list[str]]  # the names in it, by the file name without folders, in lower case

    def file_of(self, recording: Path) -> str | None:
        """The table's name for a recording; None if it does not list it.

        Paths may come from another computer, and the ending may be missing; of several files with
        the same name, the one with the most folders in common counts.
        """
        own = [part.lower() for part in recording.parts[-2::-1]]
        names = dict.fromkeys((recording.name.lower(), recording.stem.lower()))
        alike = [file for name in names for file in self.files.get(name, ())]

        def in_common(file: str) -> int:
            folders = _parts(file)[-2::-1]
            pairs = zip(folders, own, strict=False)
            return next((i for i, (a, b) in enumerate(pairs) if a != b), len(folders))

        return max(alike, key=in_common, default=None)

    def rows_of(self, recording: Path) -> pd.DataFrame:
        """The rows of a recording; there may be none."""
        return self.table[self.table[self.column] == self.file_of(recording)]


def find_shared(recording: Path, format: str | None = None) -> list[Path]:
    """Find tables that list this recording, next to it or in the folder above.

    Arguments:
        recording: the audio file.
        format: csv or raven, to find only this format, with or without the column of names.
    """
    found = []
    for folder in dict.fromkeys((recording.parent, recording.parent.parent)):
        for path, kind in shared_in(folder):
            wanted, _, column = (format or kind).partition(":")
            shared = _read(path, f"{kind}:{column}") if wanted == kind else None
            if shared and shared.file_of(recording) is not None:
                found.append(path)
    return found


def is_shared(path: Path, recording: Path | None) -> bool:
    """Whether a table is not named after the recording whose annotations are wanted."""
    if recording is None:
        return False
    name, stem = path.name.lower(), recording.stem.lower()
    return not (name.startswith(stem) and name[len(stem)] in "._-")


def read_shared(
    path: Path, format: str, recording: Path | None
) -> tuple[pd.DataFrame, list[tuple[int, str]]]:
    """Read the rows of one recording in a table, and what is wrong with some of them.

    Arguments:
        path: the table; all of it is read if no column names recordings.
        format: csv, raven or generic-seq; times in selection tables are converted to count from
            the recording.
        recording: the audio file; None for the only recording in the table.

    Raises: DssError if the table has no row of this recording, or does not say where in it the
        times are.
    """
    shared = _read(path, format)
    if shared is None:
        return _rows(path, format)
    files = [file for alike in shared.files.values() for file in alike]
    if recording is None and len(files) > 1:
        raise DssError(several(path, files))
    file = shared.file_of(recording) if recording else next(iter(files), None)
    if file is None:
        raise MissingAnnotations(
            f"{path}: the column {shared.column!r} does not list {recording and recording.name}; "
            "add rows for it"
        )
    rows = shared.table[shared.table[shared.column] == file]
    broken = [(row, why) for row, why in shared.broken if row in rows.index]
    if format == "raven":
        n_files = shared.table[shared.column].nunique()
        if OFFSET not in rows and n_files > 1:
            raise DssError(
                f"{path}: contains selections of {n_files} recordings, but not where they are in "
                f"each. Add the measurement {OFFSET!r} in Raven, and save the table again."
            )
        rows = _from_offsets(rows) if OFFSET in rows else rows
    return rows.copy(), broken


def read_all(path: Path, format: str) -> Shared:
    """Read the rows of all recordings in a table; the format is csv, raven or generic-seq.

    Raises: DssError if it does not name its recordings.
    """
    shared = _read(path, format)
    if shared is None:
        raise DssError(f"{path}: no column names the recordings ({', '.join(RECORDINGS)})")
    return shared


def lists_many(path: Path, format: str, recording: Path | None) -> bool:
    """Whether a table, csv or raven, names its recordings, and is not named after this one.

    Raises: DssError if it names several recordings, and none is given.
    """
    if recording_column(_header(path)) is None:
        return False
    files = [file for alike in read_all(path, format).files.values() for file in alike]
    if recording is None and len(files) > 1:
        raise DssError(several(path, files))
    return is_shared(path, recording)


def several(path: Path, recordings: Sequence[str]) -> str:
    """The message about a file of several recordings, none of which is named."""
    first, second = recordings[:2]
    return (
        f"{path}: contains annotations of {len(recordings)} recordings ({first}, {second}, ...). "
        "Name the recording (recording)."
    )


def _parts(file: str) -> list[str]:
    return re.split(r"[/\\]", str(file).strip().lower())


def _from_offsets(rows: pd.DataFrame) -> pd.DataFrame:
    """Selections of Raven with times from the start of their own recording."""
    begin, end = (numbers(rows[name]) for name in RAVEN_TIMES)
    start = numbers(rows[OFFSET])
    times = dict(zip(RAVEN_TIMES, (start, start + end - begin), strict=True))
    # Other values stay text, or they would stand for a song type that was not found.
    return rows.assign(
        **{n: t.astype(object).where(t.notna(), "missing") for n, t in times.items()}
    )


@cached_by_folder  # otherwise, a folder would be listed once per recording in it
def shared_in(folder: Path) -> list[tuple[Path, str]]:
    """The tables of many recordings in a folder, each with its format."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in TABLES or not path.is_file():
            continue
        try:
            columns = _header(path)
        except DssError:  # a workbook that cannot be read
            continue
        is_raven = {*RAVEN_TIMES} <= {*columns}
        if recording_column(columns) and (is_raven or has_times(columns)):
            found.append((path, "raven" if is_raven else "csv"))
    return found


def _header(path: Path) -> list[str]:
    first = header_of(path)
    guessed = missing_header(first) if lacks_header(first) else None
    return guessed[0] if guessed else first


@cached_by_file(4)  # otherwise, a table would be read once per recording in it
def _read(path: Path, format: str) -> Shared | None:
    table, broken = _rows(path, format)
    column = recording_column(table.columns)
    if column is None:
        return None
    table[column] = table[column].astype(str)
    files: dict[str, list[str]] = {}
    for file in table[column].unique():
        files.setdefault(_parts(file)[-1], []).append(file)
    return Shared(table, broken, column, files)


def _rows(path: Path, format: str) -> tuple[pd.DataFrame, list[tuple[int, str]]]:
    kind, _, part = format.partition(":")
    return (read_raven_rows(path), []) if kind == "raven" else read_rows(path, COLUMNS, part)
