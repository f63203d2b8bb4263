"""Write the annotations of one recording into a table of many; all other lines stay as they are.

The tables are those of `dss.data.formats.shared_tables`, among them crowsetta's `generic-seq`.
Annotations that have not changed keep their line, with whatever its other columns say.
"""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dss.data.column_names import columns_of, duration_column, unit_of
from dss.data.csv_layout import layout_of
from dss.data.formats import RAVEN_NAMES, read_table
from dss.data.formats.shared_tables import OFFSET, Shared, read_all
from dss.data.text_files import encoding_of
from dss.data.text_tables import COLUMNS, RAVEN_TIMES, TIMES
from dss.data.time_texts import numbers
from dss.data.time_units import AUTO, in_units, time_columns, units_of
from dss.errors import DssError

BEGIN, END = RAVEN_TIMES
GENERIC = ("label", "onset_s", "offset_s", "notated_path", "annot_path", "sequence", "annotation")
SAMPLE_COLUMNS = ("onset_sample", "offset_sample")
HIGHEST_HZ = 20_000  # of a box in a selection table, where the sample rate is unknown
# What a new selection of Raven says besides its name, its times and its highest frequency.
SELECTION = {"View": "Spectrogram 1", "Channel": 1, "Low Freq (Hz)": "0.0"}
HIGHEST = "High Freq (Hz)"
MARK = b"\xef\xbb\xbf"  # of UTF-8, at the start of some files


def write_shared(
    table: pd.DataFrame,
    path: Path,
    format: str,
    recording: Path,
    samplerate: Callable[[], float],
    replaced: Path,
    time_unit: str = AUTO,
) -> None:
    """Write the annotations of a recording into a table of many: csv, raven or generic-seq.

    Tables of generic-seq may be new. Those that count samples need the sample rate. Times are in
    the units that columns say, or else in the one that is given.

    Raises: DssError if that table cannot be read, or lacks what a new row needs.
    """
    content = f"{','.join(GENERIC)}\n".encode()
    shared = Shared(pd.DataFrame(columns=GENERIC), [], "notated_path", {})
    if replaced.is_file():
        content, shared = replaced.read_bytes(), read_all(replaced, format)
    own = shared.rows_of(recording)
    encoding = encoding_of(content)
    lines = [*io.StringIO(content.decode(encoding, "surrogateescape"), "")]
    if format != "raven" and any(line.count('"') % 2 for line in lines):
        raise DssError(f"{replaced}: has line breaks in quotes, so its lines cannot be replaced")
    end = "\r\n" if lines[0].endswith("\r\n") else "\n"
    lines[-1] = lines[-1].rstrip("\r\n") + end
    there: dict[tuple, list[str]] = {}
    if len(own):
        old = read_table(replaced, format, recording, time_unit, samplerate)
        for row, key in zip(old.index, _keys(old), strict=True):
            there.setdefault(key, []).append(lines[row - 1])
    about = time_unit, samplerate, shared, own
    new = _NewRows("".join(lines), replaced, format, recording, *about)
    table = table[table["start_seconds"].notna()]
    written = [
        there[key].pop(0) if there.get(key) else new.line(row) + end
        for key, row in zip(_keys(table), table.to_dict("records"), strict=True)
    ]
    gone = {row - 1 for row in own.index}
    place = min(gone, default=len(lines))
    rest = [line for i, line in enumerate(lines) if i >= place and i not in gone]
    text = "".join([*lines[:place], *written, *rest])
    path.write_bytes(_encoded(text, encoding, content.startswith(MARK), replaced))


def highest_hz(samplerate: Callable[[], float]) -> str:
    """Where a new box in a selection table ends: half the sample rate, as far as it is known."""
    try:
        return f"{samplerate() / 2:.1f}"
    except (DssError, OSError):  # the recording is elsewhere
        return f"{HIGHEST_HZ:.1f}"


def _encoded(text: str, encoding: str, has_mark: bool, path: Path) -> bytes:
    try:
        return MARK * has_mark + text.encode(encoding.removesuffix("-sig"), "surrogateescape")
    except UnicodeEncodeError as error:
        raise DssError(
            f"{path}: its encoding has no {text[error.start]!r}; save it as UTF-8"
        ) from None


def _keys(table: pd.DataFrame) -> list[tuple]:
    """The annotations, with times in microseconds, as files hold them."""
    times = (table[name].astype(float).mul(1e6).round() for name in COLUMNS[1:])
    return [*zip(table["name"], *times, strict=True)]


def _last(table: pd.DataFrame, column: str) -> int:
    """The highest number in a column, or -1 if there is none."""
    highest = numbers(table[column]).max() if column in table else np.nan
    return -1 if np.isnan(highest) else int(highest)


class _NewRows:
    """Makes new rows for a recording in a table."""

    def __init__(
        self,
        text: str,
        path: Path,
        format: str,
        recording: Path,
        time_unit: str,
        samplerate: Callable[[], float],
        shared: Shared,
        own: pd.DataFrame,
    ):
        layout = layout_of(text)
        self.path, self.format, self.separator = path, format, layout.separator
        self.header = [name.strip() for name in layout.header]
        self.columns = columns_of(COLUMNS, self.header)
        self.columns |= time_columns(self.header)
        self.units = units_of(self.columns, path, time_unit)
        self.samplerate = samplerate
        self.has_commas = layout.separator == ";" and bool(re.search(r"\d,\d", text))
        file = own[shared.column].iloc[0] if len(own) else recording.name
        self.fixed: dict[str, Any] = {shared.column: file}
        self.n_selections, self.begin = 0, 0.0
        if format == "generic-seq":
            number = 1 + _last(shared.table, "annotation")
            self.fixed |= {"annot_path": path.name, "sequence": 0, "annotation": number}
            self.fixed |= {name: own[name].iloc[0] for name in GENERIC[4:] if len(own)}
        elif format == "raven":
            self.fixed |= SELECTION
            if HIGHEST in self.header:
                self.fixed[HIGHEST] = highest_hz(samplerate)
            self.n_selections = max(0, _last(shared.table, "Selection"))
            if OFFSET in self.header and own.empty:
                raise DssError(
                    f"{path}: has no selection in {recording.name} yet, so its place among the "
                    "recordings is unknown. Add one in Raven."
                )
            if OFFSET in self.header:
                self.begin = float((numbers(own[BEGIN]) - numbers(own[OFFSET])).iloc[0])

    def line(self, row: dict[str, Any]) -> str:
        """The line of an annotation, without its end."""
        times = self._times(*(float(row[name]) for name in TIMES))
        values = {**row, **self.fixed, self._name(): row["name"], **times}
        if "Selection" in self.header:
            self.n_selections += 1
            values["Selection"] = self.n_selections
        texts = [self._text(values.get(name, "")) for name in self.header]
        if self.format == "raven":
            return "\t".join(texts)
        line = io.StringIO()
        csv.writer(line, delimiter=self.separator, lineterminator="").writerow(texts)
        return line.getvalue()

    def _name(self) -> str:
        if self.format != "raven":
            return self.columns["name"]
        name = next((name for name in RAVEN_NAMES if name in self.header), None)
        if name is None:
            raise DssError(f"{self.path}: has no column Annotation for the names; add it in Raven")
        return name

    def _times(self, start: float, stop: float) -> dict[str, Any]:
        times = self._in(self.columns, self.units, start, stop)
        if self.format == "raven":
            first, last = times.values()
            return {BEGIN: self.begin + first, END: self.begin + last, OFFSET: first}
        for column in filter(None, [duration_column(self.header)]):  # there may be stops, too
            columns = {**self.columns, "stop_seconds": column}
            units = {**self.units, "stop_seconds": unit_of(column) or self.units["start_seconds"]}
            times |= self._in(columns, units, start, stop)
        if SAMPLE_COLUMNS[0] in self.header:
            columns = dict(zip(TIMES, SAMPLE_COLUMNS, strict=True))
            times |= self._in(columns, dict.fromkeys(TIMES, "samples"), start, stop)
        return times

    def _in(self, columns, units, start: float, stop: float) -> dict[str, Any]:
        times = in_units(start, stop, columns, units, self.path, self.samplerate)
        both = zip(TIMES, times, strict=True)
        return {columns[t]: round(v) if units[t] == "samples" else float(v) for t, v in both}

    def _text(self, value: Any) -> str:
        if not isinstance(value, float):
            return str(value)
        text = "" if pd.isna(value) else f"{value:.6f}"
        return text.replace(".", ",") if self.has_commas else text
