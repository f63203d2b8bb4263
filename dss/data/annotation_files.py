"""Find the annotation file of a recording, and read it."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from dss.data.annotation_values import NO_NAME, Unread, parse_times, raise_broken
from dss.data.annotations import (
    SampleRate,
    annotations_path,
    read_annotations,
    samplerate_function,
)
from dss.data.formats import OF_MANY_RECORDINGS, lists, samplerate_of, split_format
from dss.data.formats.guessing import guess_format
from dss.data.formats.shared_tables import find_shared
from dss.data.ownership import is_by_dss
from dss.data.spreadsheets import WORKBOOK, can_read
from dss.data.text_tables import COLUMNS
from dss.data.time_units import AUTO, to_seconds
from dss.errors import DssError, MissingAnnotations
from dss.support.caching import cached_by_folder

SPREADSHEETS = (".xlsx", ".xls", ".ods", ".numbers")
LABEL_FILES = {".json": "json", ".rttm": "rttm"}  # of one or many recordings
MOST_SHOWN = 3  # files in a message


def find_annotations(recording: str | Path, format: str | None = None) -> Path:
    """Find the file with the annotations of a recording.

    STEM_annotations.csv takes precedence, unless it contains predictions that nobody has changed.
    Otherwise, it is the annotation file named after the recording: STEM.txt, STEM.csv,
    STEM.TextGrid, STEM.wav.not.mat, STEM.Table.1.selections.txt, STEM_annotations.txt, ... Files
    for many recordings are searched in the folder of the recording and the one above; selection
    tables of Raven and CSV files that name their recordings are found without a format.

    Arguments:
        recording: the audio file.
        format: find only files of this format (see `dss.data.formats`).

    Raises: DssError if there is no such file, or more than one.
    """
    recording = Path(recording)
    usual = annotations_path(recording)
    name, part = split_format(format) if format else (None, "")
    has_usual = usual.is_file() and name in (None, "csv")
    if has_usual and not is_by_dss(usual):
        return usual
    named = [path for path in _possible_annotations(recording, name) if path.is_file()]
    there = [path for path in named if _may_be(path, name)]
    if has_usual:
        there = [path for path in there if not is_by_dss(path)]
    if not there and name in ("csv", "raven", None):
        there = find_shared(recording, name and f"{name}:{part}")
    if not there and name is None:
        there = _label_files_of(recording)
    if not there and has_usual:
        return usual
    if not there:
        what = f"annotations in the format {name}" if name else "annotations"
        unread = named or _unknown(recording) or _spreadsheets_near(recording)
        others = ", ".join(_why_unread(path) for path in unread)
        raise MissingAnnotations(
            f"{recording}: there are no {what} next to it{f' ({others})' * bool(others)}; add "
            f"{usual.name if name in (None, 'csv') else 'a file named after the recording'}"
        )
    if name in OF_MANY_RECORDINGS and len(there) > 1:
        there = [path for path in there if lists(path, name, recording)] or there
    if len(there) > 1:
        raise DssError(
            f"{recording}: there are several annotation files, "
            f"{', '.join(path.name for path in there)}. Choose the format to read "
            "(--annotation-format), name the file (--annotations-at), or move the others."
        )
    return there[0]


def recording_annotations(
    recording: str | Path,
    format: str | None = None,
    loader: Callable[[Path], pd.DataFrame] | None = None,
    find_file: Callable[[Path], Path] | None = None,
    unnamed: str | None = None,
    time_unit: str = AUTO,
    samplerate_hz: SampleRate = None,
) -> tuple[Path, pd.DataFrame]:
    """Read the annotations of a recording; returns their file and their table.

    Arguments:
        recording: the audio file.
        format: as for `read_annotations`.
        loader: a function that reads a format of your own: `loader(recording) -> table` with the
            columns name, start_seconds and stop_seconds. Errors then name the recording.
        find_file: a function that finds the file if it is not next to the recording, from
            `dss.data.annotation_paths.annotation_finder`. STEM_annotations.csv takes precedence.
        unnamed: the name of annotations that have none.
        time_unit, samplerate_hz: as for `read_annotations`.
    """
    recording = Path(recording)
    if loader is None:
        how = format, recording, unnamed, time_unit, samplerate_hz
        return _read_found(recording, find_file, *how)
    try:
        table = loader(recording)
    except Exception as error:
        raise DssError(
            f"{recording}: the annotation loader failed: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(table, pd.DataFrame) or not set(COLUMNS) <= {*table.columns}:
        what = ",".join(map(str, getattr(table, "columns", [type(table).__name__])))
        raise DssError(
            f"{recording}: the annotation loader returned {what}; it should return a pandas "
            f"DataFrame with the columns {','.join(COLUMNS)}"
        )
    table = table.reset_index(drop=True).rename(index=lambda i: i + 1)
    table["name"] = table["name"].map(str)
    rate = samplerate_function(samplerate_hz) or partial(samplerate_of, recording, recording)
    to_seconds(table, recording, time_unit, rate)
    raise_broken(parse_times(table), table, recording)
    return recording, table


def _read_found(
    recording: Path, find_file: Callable[[Path], Path] | None, format: str | None, *how: Any
) -> tuple[Path, pd.DataFrame]:
    """The annotation file of a recording and its table; arguments as above.

    Predictions that nobody has changed count if there is nothing else. They are in the format and
    the unit of dss, whatever is said about the others.
    """
    usual = annotations_path(recording)
    are_predicted = is_by_dss(usual)
    try:
        if find_file and (are_predicted or not usual.is_file()):
            path = find_file(recording)
        else:
            path = find_annotations(recording, format)
        if path != usual or not are_predicted:
            return path, read_named_annotations(path, format, *how)
    except MissingAnnotations:
        if not are_predicted:
            raise
    return usual, read_annotations(usual)


def read_named_annotations(
    path: Path,
    format: str | None = None,
    recording: Path | None = None,
    unnamed: str | None = None,
    time_unit: str = AUTO,
    samplerate_hz: SampleRate = None,
) -> pd.DataFrame:
    """Read annotations; those without a name are called `unnamed`.

    Other arguments and errors as for `read_annotations`.
    """
    try:
        return read_annotations(path, format, recording, time_unit, samplerate_hz)
    except DssError as error:
        if unnamed is None or not isinstance(error.rest, Unread):
            raise
        return _named(error.rest, unnamed)


def _named(unread: Unread, name: str) -> pd.DataFrame:
    """Annotations of which some had no name; raises a DssError for what else is wrong with them."""
    file, table, broken = unread
    table["name"] = table["name"].fillna(name)
    raise_broken([(row, what) for row, what in broken if what != NO_NAME], table, file)
    return table


def unread_annotations(recording: str | Path) -> list[Path]:
    """Other annotation files of a recording, which are ignored due to STEM_annotations.csv."""
    recording = Path(recording)
    unread = []
    for path in annotations_beside(recording):
        if path != annotations_path(recording):
            with suppress(DssError):
                read_annotations(path, recording=recording)
                unread.append(path)
    return unread


def existing_annotations(recording: Path) -> list[Path]:
    """Files that may contain annotations of a recording, next to it or in a table of many."""
    tables = *find_shared(recording), *_label_files_of(recording)
    return [*annotations_beside(recording), *tables]


def annotations_beside(recording: Path) -> list[Path]:
    """Files named after the recording that may contain its annotations, in any format."""
    return [path for path in _possible_annotations(recording, None) if _may_be(path, None)]


def annotation_endings(ending: str) -> str:
    """A pattern for what follows a recording's stem in the name of its annotation file.

    `ending` is a pattern for the recording's ending, which may be part of the name.
    """
    return (
        rf"((?:{ending})?([._](annotations|labels))?\.(csv|txt|tsv|textgrid|phn|wrd|svl|eaf|xlsx"
        rf"|json|rttm|vtt|srt)"
        rf"|(?:{ending}|_annotations)?(\.table\.\d+)?\.selections\.(txt|csv)"
        rf"|(?:{ending})?\.birdnet\.(results\.(csv|txt)|selection\.table\.txt)|(?:{ending})\.not\.mat)"
    )


def _possible_annotations(recording: Path, format: str | None) -> list[Path]:
    """Files that may be annotations of a recording, judging by their names."""
    if format in OF_MANY_RECORDINGS:
        pattern = OF_MANY_RECORDINGS[format]
        return sorted([*recording.parent.glob(pattern), *recording.parent.parent.glob(pattern)])
    rest, n = _rest_of_name(recording.suffix), len(recording.stem)
    alike = _names_with_stem(recording.parent, recording.stem.lower())
    return sorted(recording.parent / file for file in alike if rest.fullmatch(file[n:]))


def _label_files_of(recording: Path) -> list[Path]:
    """Files of labels of many recordings that list this one, next to it or in the folder above."""
    folders = dict.fromkeys((recording.parent, recording.parent.parent))
    files = [path for folder in folders for path in _label_files(folder)]
    return [path for path in files if lists(path, LABEL_FILES[path.suffix.lower()], recording)]


@cached_by_folder
def _label_files(folder: Path) -> list[Path]:
    files = (path for path in sorted(folder.iterdir()) if path.suffix.lower() in LABEL_FILES)
    return [path for path in files if path.is_file() and guess_format(path)]


@lru_cache(maxsize=64)  # or a pattern would be compiled once per recording
def _rest_of_name(ending: str) -> re.Pattern[str]:
    return re.compile(annotation_endings(re.escape(ending)), re.IGNORECASE)


def _names_with_stem(folder: Path, stem: str) -> Iterator[str]:
    """The names of the files in a folder that start with a stem, ignoring case."""
    names = _names(folder)
    for lower, name in islice(names, bisect_left(names, (stem,)), None):
        if not lower.startswith(stem):
            break
        yield name


@cached_by_folder  # otherwise, a folder would be listed once per recording in it
def _names(folder: Path) -> list[tuple[str, str]]:
    return sorted((path.name.lower(), path.name) for path in folder.iterdir())


def _unknown(recording: Path) -> list[Path]:
    """Files named after a recording that dss does not know, for a message."""
    n = len(recording.stem)
    alike = _names_with_stem(recording.parent, recording.stem.lower())
    names = (name for name in alike if name[n:].startswith(".") and name != recording.name)
    return [recording.with_name(name) for name in sorted(names)][:MOST_SHOWN]


def _spreadsheets_near(recording: Path) -> list[Path]:
    """Workbooks next to a recording or in the folder above that cannot be read, for a message."""
    folders = dict.fromkeys((recording.parent, recording.parent.parent))
    there = [folder / name for folder in folders for _, name in _names(folder)]
    return [path for path in there if not can_read() and path.suffix.lower() in SPREADSHEETS]


def _why_unread(path: Path) -> str:
    if not path.stat().st_size:
        return f"{path.name} is empty"
    if path.suffix.lower() in SPREADSHEETS:
        can_be = path.suffix.lower() == WORKBOOK and not can_read()
        return f"{path.name} is a spreadsheet: {'install openpyxl, or ' * can_be}save it as CSV"
    return f"{path.name} is of another format"


def _may_be(path: Path, format: str | None) -> bool:
    """Whether a file may contain annotations in this format, or in any format if none is given."""
    guess = guess_format(path)
    return guess in (format, None) if format else guess is not None
