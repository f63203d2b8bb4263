"""Formats of annotation files: read into a table, and written from one.

| format | file | what it holds |
| --- | --- | --- |
| csv | .csv | name,start_seconds,stop_seconds, or the column names of other programs |
| audacity | .txt | labels: start, stop, name; further lines with frequencies are skipped |
| raven | .txt | selection tables; boxes become segments |
| textgrid | .TextGrid | tiers of Praat: intervals with a name become segments, points events |
| notmat | .not.mat | evsonganaly; one letter a syllable |
| timit | .phn, .wrd | transcriptions of TIMIT |
| yarden | .mat | SongAnnotationGUI; one file for many recordings |
| birdsong-recognition-dataset | .xml | Koumura & Okanoya 2016; one file for many recordings |
| generic-seq | .csv | crowsetta's own; one file for many recordings |

A format may be followed by which part of the file to read: `raven:Species` takes the names from
the column Species, `textgrid:notes,calls` takes these tiers.
"""

import csv
import io
import re
from collections.abc import Container, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dss.data import textgrid
from dss.errors import DssError, raise_problems

COLUMNS = ["name", "start_seconds", "stop_seconds"]
# What other programs call the columns of a CSV file; the first that is there counts.
OTHER_NAMES = {
    "name": ("label", "annotation"),
    "start_seconds": ("onset_s", "start_time", "onset", "start"),
    "stop_seconds": ("offset_s", "end_time", "offset", "stop", "end"),
}
TEXTS = ("name", *OTHER_NAMES["name"], "file", "group")  # columns that may look like numbers
RAVEN_TIMES = {"Begin Time (s)": "start_seconds", "End Time (s)": "stop_seconds"}
RAVEN_NAMES = ("Annotation", "Label", "Species", "Call Type", "Type", "Name")
RAVEN_COLUMNS = (
    *("Selection", "View", "Channel"),
    *RAVEN_TIMES,
    *("Low Freq (Hz)", "High Freq (Hz)", "Annotation"),
)
HEAD_BYTES = 2**16  # of a file, which say what it holds
HIGHEST_HZ = 20_000  # of a box in a selection table, where nobody says how high it should be
ALIASES = {"aud-seq": "audacity", "aud-bbox": "audacity", "simple-seq": "csv"}
FROM_CROWSETTA = ("notmat", "timit", "yarden", "birdsong-recognition-dataset", "generic-seq")
IN_SAMPLES = "birdsong-recognition-dataset"
OF_MANY_RECORDINGS = {
    "yarden": "*.mat",
    IN_SAMPLES: "*.xml",
    "generic-seq": "*.csv",
}
FORMATS = ("csv", "audacity", "raven", "textgrid", *FROM_CROWSETTA)


def split_format(format: str) -> tuple[str, str]:
    """A format, and which part of a file to read: "raven:Species" is ("raven", "Species").

    Raises: DssError if there is no such format.
    """
    name, _, part = format.partition(":")
    name = ALIASES.get(name.lower(), name.lower())
    if name not in FORMATS:
        raise DssError(
            f"annotation_format is {format!r}; right would be one of {', '.join(FORMATS)}"
        )
    if part and name not in ("raven", "textgrid"):
        raise DssError(
            f"annotation_format is {format!r}, but only raven:COLUMN and textgrid:TIER say which "
            "part of a file to read"
        )
    return name, part


def guess_format(path: Path) -> str | None:
    """The format of an annotation file by its ending and content; None if it is none of them."""
    name = path.name.lower()
    for ending, format in {
        ".not.mat": "notmat",
        ".textgrid": "textgrid",
        ".phn": "timit",
        ".wrd": "timit",
        ".xml": "birdsong-recognition-dataset",
    }.items():
        if name.endswith(ending):
            return format
    if not name.endswith((".csv", ".txt", ".tsv")):
        return None
    text = _read_text(path, HEAD_BYTES)
    if name.endswith(".csv"):
        return "generic-seq" if "notated_path" in text.partition("\n")[0] else "csv"
    first = text.strip().partition("\n")[0].split("\t")
    if set(RAVEN_TIMES) <= {word.strip() for word in first}:
        return "raven"
    if text.startswith("File type") and "ooTextFile" in text[:100]:
        return "textgrid"
    is_audacity = len(first) in (2, 3) and not np.isnan(_numbers(pd.Series(first[:2]))).any()
    return "audacity" if is_audacity else None


def read_table(path: Path, format: str, recording: Path | None = None) -> pd.DataFrame:
    """Read an annotation file.

    Arguments:
        path: the file.
        format: one of `FORMATS`, with or without the part to read.
        recording: the audio file, for formats that hold many recordings or times in samples.

    Returns: a table with the columns name, start_seconds and stop_seconds; the index is the row in
        the file, or a count from 1 where the file has no rows.
    Raises: as `raise_broken` does, for all rows without a name, with a time that is not a number or
        with too many fields.
    """
    name, part = split_format(format)
    broken = []
    if name == "csv":
        table, broken = _read_csv(path, COLUMNS)
    elif name == "audacity":
        table = _read_audacity(path)
    elif name == "raven":
        table = _read_raven(path, part)
    elif name == "textgrid":
        tiers = [tier.strip() for tier in part.split(",") if part]
        table = _counted(textgrid.read(_read_text(path), path, tiers))
    else:
        table = _read_with_crowsetta(path, name, recording)
    broken += [(row, "the name is missing") for row in table.index[table["name"].isna()]]
    raise_broken(broken + parse_times(table), table, path)
    return table


def write_table(
    table: pd.DataFrame, path: Path, format: str, duration_seconds: float | None
) -> None:
    """Write annotations; in formats other than csv, those that have a time.

    Raises: DssError if the format cannot be written, or not hold these annotations.
    """
    if format == "csv":
        table, further = table.copy(), table.columns.difference([*COLUMNS, "confidence"])
        # Only floats are rounded; whole numbers may be floats since a row without one was added.
        table[further] = table[further].convert_dtypes().astype(object)
        table.to_csv(path, index=False, float_format="%.6f", na_rep="NaN")
        return
    table = table[table["start_seconds"].notna()]
    broken = [name for name in table["name"].unique() if re.search(r"[\t\r\n]", name)]
    raise_problems([repr(n) for n in broken], "These names hold a tab or a line break; rename:")
    rows = [*table[COLUMNS].itertuples(index=False, name=None)]
    if format == "audacity":
        path.write_text("".join(f"{a:.6f}\t{b:.6f}\t{name}\n" for name, a, b in rows), "utf-8")
    elif format == "raven":
        lines = [
            f"{i}\tSpectrogram 1\t1\t{a:.6f}\t{b:.6f}\t0.0\t{HIGHEST_HZ:.1f}\t{name}\n"
            for i, (name, a, b) in enumerate(rows, start=1)
        ]
        path.write_text("".join(["\t".join(RAVEN_COLUMNS) + "\n", *lines]), "utf-8")
    elif format == "textgrid":
        textgrid.write(rows, path, duration_seconds)
    else:
        raise DssError(
            f"Annotations cannot be written as {format}; right would be csv, audacity, raven or "
            "textgrid"
        )


def read_csv(path: Path, columns: list[str]) -> pd.DataFrame:
    """A CSV file with these columns as text, or more; the index is the row that an editor shows.

    Commas or, with decimal commas, semicolons may divide the columns.

    Raises: DssError if it is no CSV file, lacks a column, or has rows with more than its columns.
    """
    table, broken = _read_csv(path, columns)
    problems = [f"{path}, row {row}: {problem}" for row, problem in broken]
    raise_problems(problems, "These rows cannot be read:")
    return table


def _read_csv(path: Path, columns: list[str]) -> tuple[pd.DataFrame, list[tuple[int, str]]]:
    """What `read_csv` gives; and rows that are too long, cut in the table, with what is wrong."""
    text = _read_text(path)
    first = text.partition("\n")[0]
    separator = ";" if first.count(";") > first.count(",") else ","
    try:
        lines = _fields(text, separator)
        header = next(lines, [])
        broken = _too_long(lines, len(header), separator)
        if broken:
            cut = io.StringIO()
            rows = (fields[: len(header)] for fields in _fields(text, separator))
            csv.writer(cut, delimiter=separator).writerows(rows)
            text = cut.getvalue()
        texts = {column: str for column in header if column.strip() in TEXTS}
        table = _parse(text, separator, dtype=texts)
    except (csv.Error, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DssError(f"{path}: cannot be read as CSV ({error})") from None
    there = ", ".join(map(str, table.columns))
    called = {_called(column, table.columns): column for column in columns}
    table = table.rename(columns=called)
    missing = [column for column in columns if column not in table]
    if missing:
        raise DssError(
            f"{path}, row 1: there is no column {' and no column '.join(missing)}, only "
            f"{there}. Right would be {','.join(columns)}."
        )
    return table, broken


def has_columns(path: Path, columns: list[str]) -> bool:
    """Whether the header of a CSV file names these columns, or as other programs call them."""
    lines = _read_text(path, HEAD_BYTES).splitlines() or [""]
    there = [name.strip(' "') for name in re.split("[,;]", lines[0])]
    return all(_called(column, there) for column in columns)


def raise_broken(broken: list[tuple[int, str]], table: pd.DataFrame, path: Path) -> None:
    """Raise a DssError if rows of annotations cannot be read; the rest is (path, other rows)."""
    if not broken:
        return
    rest = path, table.drop(index=[row for row, _ in broken])
    problems = [f"{path}, row {row}: {problem}" for row, problem in broken]
    raise_problems(problems, "These annotations cannot be read:", rest)


def parse_times(table: pd.DataFrame) -> list[tuple[int, str]]:
    """Turn the times of a table from text into numbers; rows, and what is wrong with them."""
    problems = []
    for column in COLUMNS[1:]:
        numbers = _numbers(table[column])
        for row in table.index[numbers.isna() & table[column].notna()]:
            said = str(table.at[row, column])
            problems.append((row, f"{column} is {said!r}; right would be a number"))
        table[column] = numbers
    return problems


def _called(column: str, there: Container[str]) -> str | None:
    """What a column is called in a CSV file; None if it is not there."""
    return next((name for name in (column, *OTHER_NAMES.get(column, ())) if name in there), None)


def _numbers(column: pd.Series) -> pd.Series:
    """Numbers, with decimal points or commas; NaN for what is none, and for infinity."""
    if column.dtype != float:
        column = column.astype(str).str.replace(",", ".")
    numbers = pd.to_numeric(column, errors="coerce").astype(float)
    return numbers.where(np.isfinite(numbers))


def _read_text(path: Path, n_bytes: int = -1) -> str:
    """A text file in the encodings that programs write: UTF-8, UTF-16, or that of old Windows."""
    if not path.is_file():
        raise DssError(f"{path}: there is no such file")
    with path.open("rb") as file:
        content = file.read(n_bytes)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _fields(text: str, separator: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, None), delimiter=separator, skipinitialspace=True)


def _too_long(rows: Iterable[list[str]], n_columns: int, separator: str) -> list[tuple[int, str]]:
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


def _parse(text: str, separator: str, **named) -> pd.DataFrame:
    """A table whose index is the row that an editor shows."""
    table = pd.read_csv(
        io.StringIO(text),
        sep=separator,
        keep_default_na=False,
        na_values=["NaN", "nan", ""],
        index_col=False,  # or one comma too many in all rows would shift the columns
        skip_blank_lines=False,  # or rows would not be counted as an editor does
        skipinitialspace=True,
        **named,
    )
    if "header" not in named:
        table = table.rename(columns=str.strip)
        table.index += 1
    table.index += 1
    return table.dropna(how="all")


def _read_audacity(path: Path) -> pd.DataFrame:
    """Label tracks: https://manual.audacityteam.org/man/importing_and_exporting_labels.html."""
    text = _read_text(path)
    if not text.strip():
        return pd.DataFrame(columns=COLUMNS)
    names = ["start_seconds", "stop_seconds", "name"]
    try:
        table = _parse(text, "\t", header=None, names=names, quoting=3, dtype=str)
    except pd.errors.ParserError as error:
        raise DssError(f"{path}: cannot be read as Audacity labels ({error})") from None
    is_frequency = table["start_seconds"] == "\\"
    return table.loc[~is_frequency, COLUMNS]


def _read_raven(path: Path, column: str) -> pd.DataFrame:
    """Selection tables of Raven; a selection with a row for each view counts once."""
    try:
        table = _parse(_read_text(path), "\t", quoting=3, dtype=str)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DssError(f"{path}: cannot be read as selection table ({error})") from None
    there = ", ".join(map(str, table.columns))
    missing = [name for name in RAVEN_TIMES if name not in table]
    if missing:
        raise DssError(f"{path}, row 1: there is no column {missing[0]!r}, only {there}")
    column = column or next((name for name in RAVEN_NAMES if name in table), "")
    if column not in table:
        raise DssError(
            f"{path}, row 1: there is no column {column or RAVEN_NAMES[0]!r} with the names of the "
            f"selections, only {there}. Say which one it is: annotation_format raven:COLUMN."
        )
    files = table["Begin File"].dropna().unique() if "Begin File" in table else []
    if len(files) > 1:
        raise DssError(
            f"{path}: holds selections of {len(files)} recordings ({files[0]}, {files[1]}, ...). "
            "Save a table for each."
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
        changed = [p.stat() for p in (path, folder) if p and p.exists()]
        times_and_sizes = (n for s in changed for n in (s.st_mtime_ns, s.st_size))
        by_name = _of_many(path, format, folder, *times_and_sizes)
        seq = _of_recording(by_name, path, recording).seq
    else:
        more = {"audio_path": recording} if format == "timit" else {}
        seq = _parse_with_crowsetta(path, format, more).seq
    return _counted(zip(map(str, seq.labels), seq.onsets_s, seq.offsets_s, strict=True))


@lru_cache(maxsize=2)  # or the file would be parsed again for each recording
def _of_many(path: Path, format: str, folder: Path | None, *changed: int) -> dict[str, Any]:
    """The annotations of many recordings in a file, by the name of the recording."""
    more = {"wav_path": folder} if format == IN_SAMPLES else {}
    found = _parse_with_crowsetta(path, format, more)
    by_name = {}
    for annotation in found if isinstance(found, list) else [found]:
        name = re.split(r"[/\\]", str(annotation.notated_path))[-1]
        by_name.setdefault(name, annotation)
    return by_name


def _parse_with_crowsetta(path: Path, format: str, more: dict[str, Any]):
    import crowsetta

    exact = {} if format == "generic-seq" else {"round_times": False}  # that one never rounds
    try:
        return crowsetta.formats.by_name(format).from_file(path, **more).to_annot(**exact)
    except Exception as error:  # crowsetta and its own libraries raise anything
        raise DssError(
            f"{path}: cannot be read as {format} ({type(error).__name__}: {error})"
        ) from error


def _counted(rows: Iterable[tuple]) -> pd.DataFrame:
    """An annotation table whose rows are counted from 1."""
    table = pd.DataFrame([*rows], columns=COLUMNS)
    table.index += 1
    return table


def _of_recording(by_name: dict[str, Any], path: Path, recording: Path | None):
    """Of the annotations of many recordings, those of this one."""
    names = [*by_name]
    if recording is None and len(names) > 1:
        raise DssError(
            f"{path}: holds annotations of {len(names)} recordings ({names[0]}, {names[1]}, ...). "
            "Say of which to read them (recording)."
        )
    name = names[0] if recording is None else recording.name
    if name not in by_name:
        others = f"{names[0]}{' and others' * (len(names) > 1)}"
        raise DssError(f"{path}: holds no annotations of {name}, only of {others}")
    return by_name[name]
