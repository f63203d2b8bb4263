"""Write annotation tables as CSV, or in the formats of other programs.

| format | what dss writes |
| --- | --- |
| csv | all rows and columns |
| audacity | one line per annotation; events are points |
| raven | one selection per annotation; events have no duration |
| textgrid | tiers of Praat: segments as intervals, events as points |
| svl | a layer of Sonic Visualiser: regions, or time instants if there are only events |
| elan | tiers of ELAN |
| notmat | evsonganaly; single-letter names |
| boris | tabular events of BORIS |
| timit | transcriptions of TIMIT |
| generic-seq, yarden, birdsong-recognition-dataset | into the file of many recordings |
"""

import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pandas as pd

from dss.data.column_names import recording_column
from dss.data.formats import OF_MANY_RECORDINGS, samplerate_of, textgrid, xml_formats
from dss.data.formats.boris import write_boris
from dss.data.formats.koumura import KOUMURA, write_koumura
from dss.data.formats.notmat import write_notmat
from dss.data.formats.rows import Row
from dss.data.formats.shared_tables import lists_many
from dss.data.formats.shared_writing import HIGHEST, highest_hz, write_shared
from dss.data.formats.timit import write_timit
from dss.data.formats.yarden import write_yarden
from dss.data.text_tables import COLUMNS, RAVEN_TIMES, header_of
from dss.data.time_units import AUTO, as_in_file, time_columns
from dss.errors import DssError, raise_problems

RAVEN_COLUMNS = (
    *("Selection", "View", "Channel"),
    *RAVEN_TIMES,
    *("Low Freq (Hz)", HIGHEST, "Annotation"),
)
ENDINGS = {
    **{"csv": ".csv", "audacity": ".txt", "raven": ".selections.txt", "textgrid": ".TextGrid"},
    **{"svl": ".svl", "elan": ".eaf", "boris": ".tsv", "timit": ".phn"},
}
OF_ALL = {"yarden": "annotation.mat", KOUMURA: "Annotation.xml", "generic-seq": "annotations.csv"}
IN_SAMPLES = ("svl", "notmat", "timit", "yarden", KOUMURA)  # these need the sample rate
NO_NAMES = {
    "notmat": (r".{2,}", "Names in .not.mat files have one letter; rename (one=o):"),
    "svl": (r".*[^\x20-\ud7ff\ue000-\U0010ffff].*", "These names cannot be in XML; rename:"),
    "yarden": (
        r"(?!(0|-?[1-9]\d{0,8})\Z).*",
        "Names in files of SongAnnotationGUI are whole numbers; rename (one=1):",
    ),
}
NO_NAMES["elan"] = NO_NAMES[KOUMURA] = NO_NAMES["svl"]


def written_path(recording: Path, format: str) -> Path:
    """The annotation file of a recording, next to it."""
    if format in OF_ALL:
        return recording.with_name(OF_ALL[format])
    if format == "notmat":
        return recording.with_name(f"{recording.name}.not.mat")
    return recording.with_name(f"{recording.stem}_annotations{ENDINGS[format]}")


def path_beside(annotations: Path, ending: str) -> Path:
    """The file STEM_`ending` next to a `written_path`, for the same recording."""
    stem = annotations.name.partition("_annotations.")[0].removesuffix(".not.mat")
    return annotations.with_name(f"{stem}_{ending}")


def check_names(names: Iterable[str], format: str) -> None:
    """Raise a DssError if a format does not allow one of these names."""
    if format == "csv":
        return
    names = dict.fromkeys(names)
    broken = [repr(name) for name in names if re.search(r"[\t\r\n]", name)]
    raise_problems(broken, "These names contain a tab or a line break; rename:")
    if format in NO_NAMES:
        pattern, heading = NO_NAMES[format]
        raise_problems([repr(n) for n in names if re.fullmatch(pattern, n, re.DOTALL)], heading)


def write_table(
    table: pd.DataFrame,
    path: Path,
    format: str,
    duration_seconds: float | None = None,
    samplerate_hz: float | None = None,
    recording: Path | None = None,
    replaced: Path | None = None,
    time_unit: str = AUTO,
) -> None:
    """Write annotations; formats other than csv keep only those that have a time.

    In notmat, the other contents of a replaced file are kept, and in files of many recordings the
    annotations of the others. The writers of the formats take what they need of these:

    Arguments:
        table: the annotations; writers take them as rows.
        path: the file to write.
        format: one of those above.
        duration_seconds: the length of the recording.
        samplerate_hz: its sample rate.
        recording: the audio file, for files of many recordings.
        replaced: the file that this one replaces, which may not exist; by default, `path`.
        time_unit: as for `dss.data.write_annotations`.

    Raises: DssError if the format does not allow these annotations, or needs to know more.
    """
    replaced = replaced or path
    if of_many(format, replaced, table, recording):
        _write_of_many(table, path, format, samplerate_hz, recording, replaced, time_unit)
        return
    if format == "csv":
        header = header_of(replaced) if replaced.is_file() else []
        rate = partial(samplerate_of, replaced, recording, samplerate_hz)
        table = as_in_file(table, replaced, header, time_unit, rate).copy()
        own = [*COLUMNS, "confidence", *time_columns([*table]).values()]
        further = table.columns.difference(own)
        # Only floats are rounded; whole numbers become floats when a row without one is added.
        table[further] = table[further].convert_dtypes().astype(object)
        table.to_csv(path, index=False, float_format="%.6f", na_rep="NaN")
        return
    rows = _rows(table, format, samplerate_hz)
    match format:
        case "audacity":
            lines = (f"{a:.6f}\t{b:.6f}\t{name}\n" for name, a, b in rows)
            path.write_text("".join(lines), "utf-8")
        case "raven":
            highest = highest_hz(partial(samplerate_of, replaced, recording, samplerate_hz))
            lines = (
                f"{i}\tSpectrogram 1\t1\t{a:.6f}\t{b:.6f}\t0.0\t{highest}\t{name}\n"
                for i, (name, a, b) in enumerate(rows, start=1)
            )
            path.write_text("".join(["\t".join(RAVEN_COLUMNS) + "\n", *lines]), "utf-8")
        case "textgrid":
            textgrid.write(rows, path, duration_seconds)
        case "svl":
            xml_formats.write_svl(rows, path, samplerate_hz or 0)
        case "elan":
            xml_formats.write_elan(rows, path)
        case "notmat":
            write_notmat(rows, path, samplerate_hz or 0, replaced)
        case "boris":
            write_boris(rows, path, recording, duration_seconds)
        case "timit":
            write_timit(rows, path, samplerate_hz or 0)


def of_many(format: str, path: Path, table: pd.DataFrame, recording: Path | None) -> bool:
    """Whether a file has, or will have, annotations of other recordings, too.

    Arguments:
        format: its format.
        path: the file, which may not exist.
        table: the annotations to write; if they name their recordings, they are written as a whole.
        recording: the audio file.

    Raises: DssError if the file has several recordings, and it is unclear which one is written.
    """
    if format in OF_MANY_RECORDINGS:
        return True
    is_whole = recording_column(table.columns) is not None
    is_table = format in ("csv", "raven") and path.is_file() and not is_whole
    return is_table and lists_many(path, format, recording)


def _write_of_many(
    table: pd.DataFrame,
    path: Path,
    format: str,
    samplerate_hz: float | None,
    recording: Path | None,
    replaced: Path,
    time_unit: str,
) -> None:
    if recording is None:
        raise DssError(f"{format} files are for many recordings; give recording")
    rows = _rows(table, format, samplerate_hz)
    if format == "yarden":
        write_yarden(rows, path, recording, samplerate_hz or 0, replaced)
    elif format == KOUMURA:
        write_koumura(rows, path, recording, samplerate_hz or 0, replaced)
    else:
        rate = partial(samplerate_of, replaced, recording, samplerate_hz)
        write_shared(table, path, format, recording, rate, replaced, time_unit)


def _rows(table: pd.DataFrame, format: str, samplerate_hz: float | None) -> list[Row]:
    """The annotations that have a time, checked."""
    table = table[table["start_seconds"].notna()]
    check_names(table["name"], format)
    if format in IN_SAMPLES and not samplerate_hz:
        raise DssError(f"{format} files hold the sample rate, or count samples; give samplerate_hz")
    return [*table[COLUMNS].itertuples(index=False, name=None)]
