"""Formats of annotation files, and how each is read (`dss.data.table_writing` writes them).

| format | file | what it holds |
| --- | --- | --- |
| csv | .csv, .tsv, .txt | name,start_seconds,stop_seconds, or the column names of other programs |
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

A format may be followed by the part of the file to read: `raven:Species` takes the names from the
column Species, `textgrid:notes,calls` and `elan:notes,calls` read these tiers.
"""

import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dss.data import textgrid, xml_formats
from dss.data.boris import is_tabular, read_boris
from dss.data.mat5 import check_mat
from dss.data.shared_tables import is_shared, read_shared
from dss.data.text_tables import (
    COLUMNS,
    HEAD_BYTES,
    RAVEN_TIMES,
    fix_further_columns,
    has_columns,
    numbers,
    parse,
    parse_times,
    raise_broken,
    read_raven_rows,
    read_rows,
    read_text,
)
from dss.errors import DssError
from dss.support.caching import cached_by_file, stamp

RAVEN_NAMES = ("Annotation", "Label", "Species", "Call Type", "Type", "Name", "Common Name")
ALIASES = {"aud-seq": "audacity", "aud-bbox": "audacity", "simple-seq": "csv"}
FROM_CROWSETTA = ("notmat", "timit", "yarden", "birdsong-recognition-dataset", "generic-seq")
IN_SAMPLES = "birdsong-recognition-dataset"
OF_MANY_RECORDINGS = {"yarden": "*.mat", IN_SAMPLES: "*.xml", "generic-seq": "*.csv"}
BY_ENDING = {
    ".not.mat": "notmat",
    ".textgrid": "textgrid",
    ".phn": "timit",
    ".wrd": "timit",
    ".svl": "svl",
    ".eaf": "elan",
    ".xml": "birdsong-recognition-dataset",
}
FORMATS = ("csv", "audacity", "raven", "textgrid", "svl", "elan", "boris", *FROM_CROWSETTA)
WITH_PARTS = ("raven", "textgrid", "elan")


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
            f"annotation_format is {format!r}, but only raven:COLUMN, textgrid:TIER and elan:TIER "
            "can name the part of a file to read"
        )
    return name, part


def guess_format(path: Path) -> str | None:
    """The format of an annotation file by its ending and content; None if it is none of them."""
    name = path.name.lower()
    for ending, format in BY_ENDING.items():
        if name.endswith(ending):
            return format
    if not name.endswith((".csv", ".txt", ".tsv")):
        return None
    text = read_text(path, HEAD_BYTES)
    if is_tabular(text):
        return "boris"
    if name.endswith(".csv"):
        return "generic-seq" if "notated_path" in text.partition("\n")[0] else "csv"
    first = text.strip().partition("\n")[0].split("\t")
    if set(RAVEN_TIMES) <= {word.strip() for word in first}:
        return "raven"
    if text.startswith("File type") and "ooTextFile" in text[:100]:
        return "textgrid"
    if len(first) == 1:
        first = first[0].split(None, 2)
    is_audacity = len(first) in (2, 3) and not np.isnan(numbers(pd.Series(first[:2]))).any()
    if is_audacity:
        return "audacity"
    return "csv" if has_columns(path, COLUMNS) else None


def format_of_name(path: Path) -> str:
    """The usual format of files with such a name."""
    by_ending = {**BY_ENDING, ".selections.txt": "raven", ".txt": "audacity"}
    name = path.name.lower()
    return next((f for ending, f in by_ending.items() if name.endswith(ending)), "csv")


def read_table(path: Path, format: str, recording: Path | None = None) -> pd.DataFrame:
    """Read an annotation file.

    Arguments:
        path: the file.
        format: one of `FORMATS`, with or without the part to read.
        recording: the audio file, for formats with many recordings per file or times in samples.

    Returns: a table with the columns name, start_seconds and stop_seconds; the index is the row in
        the file, or counts from 1 if the file has no rows.
    Raises: as `raise_broken` does, for all rows without a name, with a time that is not a number or
        with too many fields.
    """
    name, part = split_format(format)
    broken: list[tuple[int, str]] = []
    if name == "csv":
        if recording and is_shared(path, recording):
            table, broken = read_shared(path, name, recording)
        else:
            table, broken = read_rows(path, COLUMNS)
    elif name == "boris":
        table, broken = read_boris(path)
    elif name == "audacity":
        table = _read_audacity(path)
    elif name == "raven":
        table = _read_raven(path, part, recording)
    elif name == "textgrid":
        table = _counted(textgrid.read(read_text(path), path, _tiers(part)))
    elif name == "svl":
        table = _counted(xml_formats.read_svl(read_text(path), path))
    elif name == "elan":
        table = _counted(xml_formats.read_elan(read_text(path), path, _tiers(part)))
    else:
        table = _read_with_crowsetta(path, name, recording)
    broken += [(row, "the name is missing") for row in table.index[table["name"].isna()]]
    raise_broken(broken + parse_times(table), table, path)
    fix_further_columns(table, path)
    return table


def _tiers(part: str) -> list[str]:
    return [tier.strip() for tier in part.split(",") if part]


def _read_audacity(path: Path) -> pd.DataFrame:
    """Label tracks: https://manual.audacityteam.org/man/importing_and_exporting_labels.html."""
    text = read_text(path)
    if not text.strip():
        return pd.DataFrame(columns=COLUMNS)
    if "\t" not in text:  # programs that imitate Audacity separate by spaces
        text = re.sub(r"(?m)^[ ]*(\S+)[ ]+(\S+)[ ]+", r"\1\t\2\t", text)
    names = ["start_seconds", "stop_seconds", "name"]
    try:
        table = parse(text, "\t", header=None, names=names, quoting=3, dtype=str)
    except pd.errors.ParserError as error:
        raise DssError(f"{path}: cannot be read as Audacity labels ({error})") from None
    is_frequency = table["start_seconds"] == "\\"
    return table.loc[~is_frequency, COLUMNS]


def _read_raven(path: Path, column: str, recording: Path | None) -> pd.DataFrame:
    """Selection tables of Raven; a selection with one row per view counts once."""
    table = read_raven_rows(path)
    files = table["Begin File"].dropna().unique() if "Begin File" in table else []
    if recording and (len(files) > 1 or is_shared(path, recording)):
        table, _ = read_shared(path, "raven", recording)
    elif len(files) > 1:
        raise DssError(
            f"{path}: contains selections of {len(files)} recordings ({files[0]}, {files[1]}, "
            "...). Name the recording to read (recording)."
        )
    there = ", ".join(map(str, table.columns))
    column = column or next((name for name in RAVEN_NAMES if name in table), "")
    if column not in table and table.empty:  # Raven adds the column with the first name
        return pd.DataFrame(columns=COLUMNS)
    if column not in table:
        raise DssError(
            f"{path}, row 1: there is no column {column or RAVEN_NAMES[0]!r} with the names of "
            f"the selections, only {there}. Name the column to use: annotation_format "
            "raven:COLUMN."
        )
    table = table.rename(columns={**RAVEN_TIMES, column: "name"})
    if "Selection" in table:
        table = table.drop_duplicates(["Selection", *COLUMNS])
    return table[COLUMNS].copy()


def _read_with_crowsetta(path: Path, format: str, recording: Path | None) -> pd.DataFrame:
    if not path.is_file():
        raise DssError(f"{path}: there are no annotations here")
    if format in OF_MANY_RECORDINGS:
        # Times in samples need the recordings, some of which may be added later.
        folder = recording.parent if recording and format == IN_SAMPLES else None
        by_name = _of_many(path, format, folder, folder and stamp(folder))
        seq = _of_recording(by_name, path, recording).seq
    else:
        more = {"audio_path": recording} if format == "timit" else {}
        seq = _parse_with_crowsetta(path, format, more).seq
    n_names, n_onsets, n_offsets = map(len, (seq.labels, seq.onsets_s, seq.offsets_s))
    if not n_names == n_onsets == n_offsets:
        raise DssError(
            f"{path}: has {n_names} names, {n_onsets} onsets and {n_offsets} offsets; there "
            "should be one of each per annotation"
        )
    return _counted(zip(map(str, seq.labels), seq.onsets_s, seq.offsets_s, strict=True))


@cached_by_file(2)  # or the file would be parsed again for each recording
def _of_many(path: Path, format: str, folder: Path | None, changed: Any) -> dict[str, Any]:
    """The annotations of many recordings in a file, by the name of the recording."""
    more = {"wav_path": folder} if format == IN_SAMPLES else {}
    found = _parse_with_crowsetta(path, format, more)
    by_name: dict[str, list] = {}
    for annotation in found if isinstance(found, list) else [found]:
        name = re.split(r"[/\\]", str(annotation.notated_path))[-1]
        by_name.setdefault(name, annotation)
    return by_name


def _parse_with_crowsetta(path: Path, format: str, more: dict[str, Any]):
    import crowsetta

    if path.suffix.lower() == ".mat":
        check_mat(path)
    exact = {} if format == "generic-seq" else {"round_times": False}  # generic-seq never rounds
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of times in samples: dss converts them
            return crowsetta.formats.by_name(format).from_file(path, **more).to_annot(**exact)
    except Exception as error:  # crowsetta and its libraries raise all kinds of errors
        raise DssError(
            f"{path}: cannot be read as {format} ({type(error).__name__}: {error})"
        ) from error


def _counted(rows: Iterable[tuple]) -> pd.DataFrame:
    """An annotation table whose rows are counted from 1."""
    table = pd.DataFrame([*rows], columns=COLUMNS)
    table.index += 1
    return table


def _of_recording(by_name: dict[str, Any], path: Path, recording: Path | None):
    """The annotations of this recording, from those of many."""
    names = [*by_name]
    if recording is None and len(names) > 1:
        raise DssError(
            f"{path}: contains annotations of {len(names)} recordings ({names[0]}, {names[1]}, "
            "...). Name the recording to read (recording)."
        )
    name = names[0] if recording is None else recording.name
    if name not in by_name:
        others = f"{names[0]}{' and others' * (len(names) > 1)}"
        raise DssError(f"{path}: contains no annotations of {name}, only of {others}")
    return by_name[name]
