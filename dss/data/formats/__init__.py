"""Formats of annotation files, and how each is read (`dss.data.formats.table_writing` writes them).

| format | file | what it holds |
| --- | --- | --- |
| csv | .csv, .tsv, .txt, .xlsx | name,start_seconds,stop_seconds, or columns of other programs |
| audacity | .txt | labels: start, stop, name; further lines with frequencies are skipped |
| raven | .txt | selection tables; boxes become segments |
| textgrid | .TextGrid | tiers of Praat: intervals with a name become segments, points events |
| notmat | .not.mat | evsonganaly; one letter per syllable |
| timit | .phn, .wrd | transcriptions of TIMIT |
| svl | .svl | layers of Sonic Visualiser: regions become segments, other points events |
| elan | .eaf | tiers of ELAN |
| boris | .csv, .tsv | tabular exports of BORIS; aggregated events are csv |
| yarden | .mat | SongAnnotationGUI; one file for many recordings |
| birdsong-recognition-dataset | .xml | Koumura & Okanoya 2016; one file for many recordings |
| generic-seq | .csv | crowsetta's own format; one file for many recordings |
| json | .json | exports of Label Studio; WhisperSeg, AVGN and other tables in JSON |
| rttm | .rttm | Rich Transcription Time Marked; for one or many recordings |
| subtitles | .vtt, .srt | WebVTT and SubRip |

A format may be followed by the part of the file to read: `csv:Species` and `raven:Species` take the
names from the column Species, `textgrid:notes,calls` and `elan:notes,calls` read these tiers.
"""

import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import pandas as pd

from dss.data.annotation_values import NO_NAME, fix_further_columns, parse_times, raise_broken
from dss.data.audio import SOUND_ENDINGS, open_audio
from dss.data.formats import textgrid, xml_formats
from dss.data.formats.boris import read_boris
from dss.data.formats.json_labels import read_json
from dss.data.formats.koumura import KOUMURA, read_koumura
from dss.data.formats.line_formats import read_rttm, read_subtitles
from dss.data.formats.notmat import read_notmat
from dss.data.formats.rows import Row
from dss.data.formats.shared_tables import is_shared, read_all, read_shared, several
from dss.data.formats.timit import read_timit
from dss.data.formats.yarden import read_yarden
from dss.data.text_files import read_text
from dss.data.text_tables import (
    COLUMNS,
    RAVEN_TIMES,
    other_texts,
    parse,
    read_raven_rows,
    read_rows,
)
from dss.data.time_units import AUTO, to_seconds
from dss.errors import DssError, MissingAnnotations
from dss.support.caching import cached_by_file

RAVEN_NAMES = ("Annotation", "Label", "Species", "Call Type", "Type", "Name", "Common Name")
ALIASES = {"aud-seq": "audacity", "aud-bbox": "audacity", "simple-seq": "csv"}
OF_MANY_RECORDINGS = {
    **{"yarden": "*.mat", KOUMURA: "*.xml", "generic-seq": "*.csv"},
    **{"json": "*.json", "rttm": "*.rttm"},
}
READ_ONLY = ("json", "rttm", "subtitles")
FORMATS = (
    *("csv", "audacity", "raven", "textgrid", "svl", "elan", "boris", "notmat", "timit"),
    *OF_MANY_RECORDINGS,
    "subtitles",
)
OPEN_UNITS = ("csv", "generic-seq", "raven", "audacity", "json")  # others define the unit
WITH_PARTS = ("csv", "raven", "textgrid", "elan")


def split_format(format: str) -> tuple[str, str]:
    """Split a format into its name and the part of a file: "raven:Species" is ("raven", "Species").

    Raises: DssError for an unknown format.
    """
    name, _, part = format.partition(":")
    name = ALIASES.get(name.lower(), name.lower())
    if name not in FORMATS:
        raise DssError(f"annotation_format is {format!r}; it should be one of {', '.join(FORMATS)}")
    if part and name not in WITH_PARTS:
        raise DssError(
            f"annotation_format is {format!r}, but only csv:COLUMN, raven:COLUMN, textgrid:TIER "
            "and elan:TIER can name the part of a file to read"
        )
    return name, part


def read_table(
    path: Path,
    format: str,
    recording: Path | None = None,
    time_unit: str = AUTO,
    samplerate: Callable[[], float] | None = None,
) -> pd.DataFrame:
    """Read an annotation file.

    Arguments:
        path: the file.
        format: one of `FORMATS`, with or without the part to read.
        recording: the audio file, for formats with many recordings per file or times in samples.
        time_unit: the unit of times in formats that leave it open, where columns do not say it: s,
            ms, samples, or auto for seconds.
        samplerate: returns the sample rate of the recording; by default, from its file.

    Returns: a table with the columns name, start_seconds and stop_seconds; the index is the row in
        the file, or counts from 1 if the file has no rows.
    Raises: as `raise_broken` does, for all rows without a name, with a time that is not a number or
        with too many fields.
    """
    name, part = split_format(format)
    samplerate = samplerate or partial(samplerate_of, path, recording)
    broken: list[tuple[int, str]] = []
    match name:
        case "csv" if not is_shared(path, recording):
            table, broken = read_rows(path, COLUMNS, part)
        case "csv" | "generic-seq":
            table, broken = read_shared(path, f"{name}:{part}", recording)
        case "boris":
            table, broken = read_boris(path)
        case "audacity":
            table = _read_audacity(path)
        case "raven":
            table = _read_raven(path, part, recording)
        case "textgrid":
            table = _counted(textgrid.read(read_text(path), path, _tiers(part)))
        case "svl":
            table = _counted(xml_formats.read_svl(read_text(path), path))
        case "elan":
            table = _counted(xml_formats.read_elan(read_text(path), path, _tiers(part)))
        case "timit":
            table = read_timit(read_text(path), samplerate())
        case "subtitles":
            table = read_subtitles(read_text(path))
        case "notmat":
            table = _counted(read_notmat(path))
        case _:
            table = _read_of_many(path, name, recording, samplerate)
    if name in OPEN_UNITS:
        to_seconds(table, path, time_unit, samplerate)
    broken += [(row, NO_NAME) for row in table.index[table["name"].isna()]]
    raise_broken(broken + parse_times(table), table, path)
    fix_further_columns(table, path)
    return table


def lists(path: Path, format: str, recording: Path) -> bool:
    """Whether a file has annotations of many recordings, and of this one among them."""
    try:
        if format in ("generic-seq", "csv", "raven"):
            return read_all(path, format).file_of(recording) is not None
        if format not in OF_MANY_RECORDINGS:
            return False
        return _name_in(_by_recording(path, format)[0], recording, path) is not None
    except DssError:
        return False


def _tiers(part: str) -> list[str]:
    return [tier.strip() for tier in part.split(",") if part]


def _read_audacity(path: Path) -> pd.DataFrame:
    """Label tracks: https://manual.audacityteam.org/man/importing_and_exporting_labels.html."""
    text = read_text(path)
    if not text.strip():
        return pd.DataFrame(columns=COLUMNS)
    if "\t" not in text:  # programs that imitate Audacity separate by spaces
        text = re.sub(r"(?m)^[ ]*(\S+)[ ]+(\S+)[ ]+", r"\1\t\2\t", text)
    names = ["start_seconds", "stop_seconds", "name", "confidence"]
    columns = {"header": None, "names": names}
    table = parse(text, "\t", path, "Audacity labels", **columns, quoting=3, dtype=str)
    is_frequency = table["start_seconds"] == "\\"
    return table.loc[~is_frequency, COLUMNS]


def _read_raven(path: Path, column: str, recording: Path | None) -> pd.DataFrame:
    """Selection tables of Raven; a selection with one row per view counts once."""
    table = read_raven_rows(path)
    files = table["Begin File"].dropna().unique() if "Begin File" in table else []
    if recording and (len(files) > 1 or is_shared(path, recording)):
        table, _ = read_shared(path, "raven", recording)
    elif len(files) > 1:
        raise DssError(several(path, files))
    there = ", ".join(map(str, table.columns))
    column = column or next((name for name in RAVEN_NAMES if name in table), "")
    if not column and (table.empty or not other_texts(table)):  # Raven adds it with the first name
        table["Annotation"], column = pd.NA, "Annotation"
    if column not in table:
        raise DssError(
            f"{path}, row 1: there is no column {column or RAVEN_NAMES[0]!r} with the names of "
            f"the selections, only {there}. Name the column to use: annotation_format "
            "raven:COLUMN."
        )
    table = table.rename(columns={**RAVEN_TIMES, column: "name"})
    if "Selection" in table:
        table = table.drop_duplicates(["Selection", *COLUMNS])
    table.attrs["times"] = {time: there for there, time in RAVEN_TIMES.items()}
    return table[COLUMNS].copy()


def _read_of_many(
    path: Path, format: str, recording: Path | None, samplerate: Callable[[], float]
) -> pd.DataFrame:
    """The annotations of a recording in a file of many."""
    by_name, times = _by_recording(path, format)
    names = [*by_name]
    if recording is None and len(names) > 1:
        raise DssError(several(path, names))
    if recording is None:
        name = names[0] if names else None
    else:
        name = _name_in(by_name, recording, path)
    if name is None:
        others = f"only of {names[0]}{' and others' * (len(names) > 1)}" if names else "nor others"
        of = recording.name if recording else "a recording"
        raise MissingAnnotations(f"{path}: contains no annotations of {of}, {others}")
    rows = by_name[name]
    if format == KOUMURA and rows:
        rate = samplerate()
        rows = [(name, first / rate, last / rate) for name, first, last in rows]
    table = _counted(rows)
    table.attrs["times"] = times
    return table


@cached_by_file(2)  # or the file would be parsed again for each recording
def _by_recording(path: Path, format: str) -> tuple[dict[str, list[Row]], dict[str, str]]:
    """The annotations of each recording in a file of many, and its columns of times, if any."""
    if format == "yarden":
        return read_yarden(path), {}
    if format == "json":
        return read_json(read_text(path), path)
    read = {"rttm": read_rttm, KOUMURA: read_koumura}[format]
    return read(read_text(path), path), {}


def _name_in(by_name: dict[str, list[Row]], recording: Path, path: Path) -> str | None:
    """How a file of many calls a recording: by name, by stem, or "" if it is named after it."""
    names = [recording.name, recording.stem, *[""] * (not is_shared(path, recording))]
    return next((name for name in names if name in by_name), None)


def samplerate_of(path: Path, recording: Path | None, samplerate_hz: float | None = None) -> float:
    """The sample rate of the recording whose samples a file counts, unless it is given."""
    if samplerate_hz:
        return samplerate_hz
    stem = re.sub("[._](annotations|labels)$", "", path.stem)
    beside = (path.with_name(stem + ending) for ending in SOUND_ENDINGS)
    recording = recording or next((path for path in beside if path.is_file()), None)
    is_there = recording is not None and recording.is_file()
    rate = open_audio(recording).samplerate_hz if recording and is_there else None
    if rate is None:
        of = recording.name if recording else "its recording"
        why, way = "is not there", "put the recording next to this file"
        if is_there:
            why, way = "does not store its sample rate", "save the recording as wav or flac"
        raise DssError(
            f"{path}: has times in samples, but {of} {why}. Give the sample rate "
            f"(--samplerate-hz), or {way}."
        )
    return rate


def _counted(rows: Iterable[tuple]) -> pd.DataFrame:
    """An annotation table whose rows are counted from 1."""
    table = pd.DataFrame(
        [(name or None, start, stop) for name, start, stop in rows], columns=COLUMNS
    )
    table.index += 1
    return table
