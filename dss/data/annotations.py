"""Annotation tables: read, write and check names, starts and stops.

An annotation table is a pandas DataFrame with the columns `name`, `start_seconds` and
`stop_seconds`, one row per annotation, sorted by start. Events have start = stop. A row with NaN as
start names a song type that the annotator looked for in this recording but did not find.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd

from dss.data.formats import FORMATS, READ_ONLY, read_table, split_format
from dss.data.formats.guessing import format_of_name, guess_format
from dss.data.formats.table_writing import of_many, write_table
from dss.data.spreadsheets import WORKBOOK
from dss.data.text_tables import COLUMNS, TIMES
from dss.data.time_units import AUTO
from dss.errors import DssError
from dss.options import SourceOptions
from dss.options.song_type_names import ABSENT as ABSENT
from dss.options.song_type_names import NOISE as NOISE
from dss.support import system
from dss.support.files import check_content, check_writable, replacing

EVENT = "event"
SEGMENT = "segment"
# How far times may extend beyond the ends of a recording by default.
TOLERANCE_SECONDS: float = SourceOptions.model_fields["tolerance_seconds"].default
ROUNDING_SECONDS = 1e-9  # in sums and differences of times
SampleRate = float | Callable[[], float] | None  # a function if it takes time to find out


def annotations_path(recording: str | Path) -> Path:
    """The path of a recording's annotations: STEM_annotations.csv next to STEM.wav."""
    recording = Path(recording)
    return recording.with_name(f"{recording.stem}_annotations.csv")


def definitions_path(recording: str | Path) -> Path:
    """The path of STEM_definitions.csv beside a recording; it may not exist."""
    recording = Path(recording)
    return recording.with_name(f"{recording.stem}_definitions.csv")


def annotated_path(recording: str | Path) -> Path:
    """The path of a recording's annotated stretches, which may not exist: STEM_annotated.csv."""
    recording = Path(recording)
    return recording.with_name(f"{recording.stem}_annotated.csv")


def read_annotations(
    path: str | Path,
    format: str | None = None,
    recording: str | Path | None = None,
    time_unit: str = AUTO,
    samplerate_hz: SampleRate = None,
) -> pd.DataFrame:
    """Read an annotation table from a file.

    Arguments:
        path: CSV with name,start_seconds,stop_seconds; Audacity labels, a Raven selection table, a
            Praat TextGrid, or another format that `dss.data.formats` lists.
        format: the format; by default, detected from the ending and content. `raven:Species` takes
            the names from the column Species, `textgrid:notes` reads the tier notes.
        recording: the audio file, for formats with many recordings per file or times in samples.
        time_unit: the unit of times where columns do not say it: s, ms or samples; by default,
            seconds.
        samplerate_hz: the sample rate of the recording, or a function that returns it, for times in
            samples; by default, from the file of the recording.

    Returns: the table with times in seconds, including extra columns of a CSV file; its index is
        the row in the file (the header is row 1), as in error messages.
    Raises: DssError if the file is missing, has an unknown format, lacks a column, or contains
        times that are not numbers; it lists all such rows.

    Example:
        >>> from dss.data import read_annotations
        >>> read_annotations("finch/bird1_01_annotations.csv").head(3)
          name  start_seconds  stop_seconds
        2    a        1.84330       1.91285
        3    b        1.93595       1.99185
        4    c        2.00835       2.08810
    """
    path = Path(path)
    if not path.is_file():
        raise DssError(f"{path}: there are no annotations here")
    with path.open("rb") as file:
        head = file.read(64)
    if path.suffix.lower() != WORKBOOK:
        check_content(path, head)
    if format is None and not head:
        raise DssError(
            f"{path}: is empty (0 bytes). If the recording has no song, write only the header, "
            f"{','.join(COLUMNS)}, to a CSV file; otherwise, remove this file."
        )
    format = format or guess_format(path)
    if format is None:
        raise DssError(
            f"{path}: has an unknown format. Use a CSV file with the columns "
            f"{','.join(COLUMNS)}, or name the format (annotation_format): {', '.join(FORMATS)}."
        )
    recording = Path(recording) if recording else None
    return read_table(path, format, recording, time_unit, samplerate_function(samplerate_hz))


def write_annotations(
    annotations: pd.DataFrame,
    path: str | Path,
    format: str | None = None,
    duration_seconds: float | None = None,
    samplerate_hz: float | None = None,
    recording: str | Path | None = None,
    time_unit: str = AUTO,
) -> None:
    """Write an annotation table, with times in microseconds, replacing an existing file.

    In a file of many recordings, only the annotations of one are replaced; the others stay as they
    are. Processes that write into the same file wait for each other.

    A CSV file whose columns say that they hold milliseconds or samples keeps these columns.

    Only CSV keeps rows without a time and extra columns; other formats drop them. Events become
    point labels in Audacity, boxes without a duration in Raven, and points in Praat. A .not.mat
    file keeps what the file it replaces contains besides annotations, such as thresholds. ELAN
    shows whole milliseconds and no events: the file also stores the exact times, which dss reads
    for annotations that nobody moved.

    Arguments:
        annotations: the table.
        path: the file.
        format: one of those that `dss.data.formats` lists; by default, the format of the file that
            is replaced, or the one that its name stands for, such as textgrid for a `.TextGrid`.
        duration_seconds: the length of the recording, where a TextGrid ends; by default, the end of
            the last annotation.
        samplerate_hz: the recording's sample rate, which svl, notmat, timit, yarden and
            birdsong-recognition-dataset need, and CSV files with times in samples.
        recording: the audio file, for files of many recordings.
        time_unit: the unit in which CSV files hold times, where they do not say it: s, ms or
            samples; by default, seconds.

    Raises: DssError if the format does not allow one of the names, or needs to know more.

    Example:
        >>> import pandas as pd
        >>> from dss.data import read_annotations, write_annotations
        >>> table = pd.DataFrame({"name": ["a"], "start_seconds": [0.1], "stop_seconds": [0.15]})
        >>> write_annotations(table, "mine_annotations.csv")
        >>> read_annotations("mine_annotations.csv")
          name  start_seconds  stop_seconds
        2    a            0.1          0.15
    """
    path = Path(path)
    if format is None and path.is_file() and path.stat().st_size:
        format = guess_format(path)
    name = split_format(format or format_of_name(path))[0]
    is_workbook = path.suffix.lower() == WORKBOOK
    if name in READ_ONLY or is_workbook:
        what = "workbooks" if is_workbook else name
        raise DssError(f"{path}: dss reads {what}, but does not write this format; write CSV")
    recording = Path(recording) if recording else None
    check_writable(path.parent)
    is_of_many = of_many(name, path, annotations, recording)
    alone = system.locked_folder(path.parent) if is_of_many else nullcontext()
    with alone, replacing(path) as part:
        about = duration_seconds, samplerate_hz, recording
        write_table(annotations, part, name, *about, replaced=path, time_unit=time_unit)


def samplerate_function(samplerate_hz: SampleRate) -> Callable[[], float] | None:
    """A function that returns the sample rate; None if it is not given."""
    if samplerate_hz is None or callable(samplerate_hz):
        return samplerate_hz
    return lambda: samplerate_hz


def occurrences(annotations: pd.DataFrame) -> pd.DataFrame:
    """The rows with a time, without the rows that name a song type that was not found."""
    return annotations[annotations["start_seconds"].notna()]


def segments_in(annotations: pd.DataFrame, types: Mapping[str, str]) -> pd.DataFrame:
    """The rows of segments with a time, judging by the category of each song type."""
    return occurrences(annotations)[lambda table: table["name"].map(types) == SEGMENT]


def times_of(annotations: pd.DataFrame) -> np.ndarray:
    """The times of annotations: [rows, 2] start and stop in seconds."""
    return np.stack([annotations[column].to_numpy(float) for column in TIMES], axis=1)


def plain_rows(annotations: pd.DataFrame) -> Iterator[tuple[int, str, float, float]]:
    """Row in the file, name, start and stop of annotations; faster than pandas for small tables."""
    columns = (annotations[column].tolist() for column in COLUMNS)
    return zip(annotations.index.tolist(), *columns, strict=True)


def beyond_ends(times: np.ndarray, duration_seconds: float) -> np.ndarray:
    """How far times extend beyond the ends of a recording: [rows] seconds; NaN without a time.

    `times` are [rows, 2] starts and stops in seconds.
    """
    out = np.maximum(-times[:, 0], times[:, 1] - duration_seconds)
    return np.where(out <= ROUNDING_SECONDS, np.minimum(out, 0), out - ROUNDING_SECONDS)


def time_problems(
    annotations: pd.DataFrame, duration_seconds: float, tolerance_seconds: float = 0
) -> Iterator[tuple[int, str, str]]:
    """Find invalid times in an annotation table; yields row, name and problem.

    Annotations may extend beyond the end of the recording by the tolerance.
    """
    for row, name, start, stop in plain_rows(annotations):
        if np.isnan(start):
            continue
        if np.isnan(stop):
            yield row, name, "has a start but no stop; for an event, set stop = start"
        elif stop < start:
            yield row, name, f"stops at {stop:g} s, before it starts at {start:g} s"
        elif start < 0:
            yield row, name, f"starts at {start:g} s, before the recording"
        elif stop > duration_seconds + tolerance_seconds:
            text = f"stops at {stop:g} s, but the recording ends at {duration_seconds:g} s"
            yield row, name, text
