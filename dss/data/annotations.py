"""Annotations: a table of names, starts and stops: found, read, written, and checked.

An annotation table is a pandas DataFrame with the columns `name`, `start_seconds` and
`stop_seconds`, a row an annotation, in the order of their starts. An event has start = stop. A row
with NaN as start names a song type that was looked for in this recording and not found.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from dss.data.formats import FORMATS, guess_format, read_table, split_format, write_table
from dss.data.texttables import COLUMNS
from dss.errors import DssError, raise_problems
from dss.support.files import replacing

NOISE = "noise"
EVENT = "event"
SEGMENT = "segment"
ABSENT = "not_"  # a row named not_x says that x is not in this stretch
ROUNDING_SECONDS = 0.001  # a time may be written with three digits


def annotations_path(recording: str | Path) -> Path:
    """Where the annotations of a recording are: STEM_annotations.csv beside STEM.wav."""
    recording = Path(recording)
    return recording.with_name(f"{recording.stem}_annotations.csv")


def definitions_path(recording: str | Path) -> Path:
    """Where the song types of a recording may be defined: STEM_definitions.csv."""
    recording = Path(recording)
    return recording.with_name(f"{recording.stem}_definitions.csv")


def annotated_path(recording: str | Path) -> Path:
    """Where the stretches of a recording that somebody looked at may be: STEM_annotated.csv."""
    recording = Path(recording)
    return recording.with_name(f"{recording.stem}_annotated.csv")


def read_annotations(
    path: str | Path, format: str | None = None, recording: str | Path | None = None
) -> pd.DataFrame:
    """Read an annotation table from a file.

    Arguments:
        path: CSV with name,start_seconds,stop_seconds; Audacity labels, a Raven selection table, a
            Praat TextGrid, or another format that `dss.data.formats` lists.
        format: the format; default: what the ending and the content say. `raven:Species` takes the
            names from the column Species, `textgrid:notes` reads the tier notes.
        recording: the audio file, for formats with many recordings in a file or times in samples.

    Returns: the table, with further columns of a CSV file kept; the index is the row in the file
        (the header is row 1), which is what error messages name.
    Raises: DssError if the file is missing, of no known format, lacks a column, or holds a time
        that is not a number; all such rows are listed at once.
    """
    path = Path(path)
    if not path.is_file():
        raise DssError(f"{path}: there are no annotations here")
    format = format or guess_format(path)
    if format is None:
        raise DssError(
            f"{path}: is of no known format. Right would be a CSV file with the columns "
            f"{','.join(COLUMNS)}, or name the format: {', '.join(FORMATS)}."
        )
    return read_table(path, format, recording and Path(recording))


def write_annotations(
    annotations: pd.DataFrame,
    path: str | Path,
    format: str = "csv",
    duration_seconds: float | None = None,
) -> None:
    """Write an annotation table, times to the microsecond, replacing what is there.

    Only CSV holds rows without a time and further columns, as they are; the other formats leave
    them out. Events are point labels in Audacity, boxes without a duration in Raven, points of a
    tier in Praat.

    Arguments:
        annotations: the table.
        path: the file.
        format: csv, audacity, raven or textgrid.
        duration_seconds: the length of the recording, where a TextGrid should end; default: the
            last annotation.

    Raises: DssError if the format cannot be written, or cannot hold one of the names.
    """
    with replacing(Path(path)) as part:
        write_table(annotations, part, split_format(format)[0], duration_seconds)


def found(annotations: pd.DataFrame) -> pd.DataFrame:
    """The rows with a time: without those that name a song type which does not occur."""
    return annotations[annotations["start_seconds"].notna()]


def is_absence(name: str, names: Container[str]) -> bool:
    """Whether this is no song type, but says that another one is not there."""
    return name.startswith(ABSENT) and name.removeprefix(ABSENT) in names


def is_song(names: pd.Series, others: Iterable[str] = ()) -> pd.Series:
    """Which of the names in annotations are song types: bool; not `noise` and `not_<song type>`.

    Arguments:
        names: the names in a recording.
        others: those in other recordings: `not_x` says that x is not there if there is one in any.
    """
    there = {*names, *others}
    song = {name for name in there if name != NOISE and not is_absence(name, there)}
    return names.isin(song)


def time_problems(
    annotations: pd.DataFrame, duration_seconds: float, tolerance_seconds: float = 0
) -> Iterator[tuple[int, str, str]]:
    """What is wrong with the times of an annotation table: row, name and problem.

    Arguments:
        annotations: a table as `read_annotations` gives it.
        duration_seconds: the length of the recording.
        tolerance_seconds: how far beyond the end is no problem yet.
    """
    for row, name, start, stop in found(annotations)[COLUMNS].itertuples(name=None):
        if np.isnan(stop):
            yield row, name, "has a start and no stop; for an event, stop = start"
        elif stop < start:
            yield row, name, f"stops at {stop:g} s, before it starts at {start:g} s"
        elif start < 0:
            yield row, name, f"starts at {start:g} s, before the recording"
        elif stop > duration_seconds + tolerance_seconds:
            text = f"stops at {stop:g} s, but the recording ends at {duration_seconds:g} s"
            yield row, name, text


def read_definitions(path: Path) -> dict[str, str]:
    """The category, event or segment, of each name in a `STEM_definitions.csv`."""
    try:
        table = pd.read_csv(path, header=None, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DssError(f"{path}: cannot be read as CSV ({error})") from None
    if table.shape[1] != 2:
        raise DssError(f"{path}: has {table.shape[1]} columns; right would be name,category")
    problems = [
        f"{path}, row {row}: the category of {name} is {category!r}; right would be {EVENT} or "
        f"{SEGMENT}"
        for row, (name, category) in enumerate(table.itertuples(index=False, name=None), start=1)
        if category not in (EVENT, SEGMENT)
    ]
    raise_problems(problems, "These definitions cannot be read:")
    return dict(table.itertuples(index=False, name=None))


def song_types(
    tables: Mapping[Path, pd.DataFrame],
    definitions: Iterable[Path] = (),
    rename: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The song types in annotation tables, each with its category: event or segment.

    A type is an event if its annotations have start = stop, a segment if they do not. One that was
    never found is what the definitions say; else a segment if its row has a stop, or an event.

    Arguments:
        tables: annotation tables by the file that they are from.
        definitions: `STEM_definitions.csv` files: rows of a name and a category.
        rename: new names, by the names in the files.

    Returns: category by name, sorted by name, without `noise` and `not_<song type>`.
    Raises: DssError if a name is used both as an event and as a segment: which, and where.
    """
    categories, never_found, problems = {}, {}, []
    stated = [*_stated_categories(tables, definitions)]
    names = {name for _, name, _, _ in stated}
    for path, old_name, category, row in stated:
        name = (rename or {}).get(old_name, old_name)
        if is_absence(old_name, names):
            continue
        if row is None:
            never_found[name] = max(category, never_found.get(name, category))
        elif categories.setdefault(name, (category, path, row))[0] != category:
            was, where, first_row = categories[name]
            problems.append(
                f"{path}, row {row}: {name} is used as {category}, but as {was} in {where}, row "
                f"{first_row}. Use two names, or make start = stop in all of them or in none."
            )
    raise_problems(problems, "A song type is either an event or a segment:")
    kinds = never_found | {name: category for name, (category, _, _) in categories.items()}
    return {name: kinds[name] for name in sorted(kinds) if name != NOISE}


def _stated_categories(tables, definitions):
    """What each file says: (file, name, category, row), the row None for a type not found."""
    for path in definitions:
        for row, (name, category) in enumerate(read_definitions(path).items(), start=1):
            yield path, name, category, row
    for path, table in tables.items():
        stated = {}  # loops over rows are quicker than pandas where there are many small tables
        for row, name, start, stop in table[COLUMNS].itertuples(name=None):
            if np.isnan(start):
                stated.setdefault((name, EVENT if np.isnan(stop) else SEGMENT, False), None)
            else:
                stated.setdefault((name, EVENT if start == stop else SEGMENT, True), row)
        for (name, category, _), row in stated.items():
            yield path, name, category, row
