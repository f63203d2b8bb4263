"""Write the annotations of one recording into a table of many; all other lines stay as they are.

The tables are those of `dss.data.formats.shared_tables`, among them crowsetta's `generic-seq`.
Annotations that have not changed keep their line, with whatever its other columns say.
"""

import csv
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dss.data.column_names import columns_of, duration_column, unit_of
from dss.data.csv_layout import layout_of
from dss.data.formats import RAVEN_NAMES, read_table
from dss.data.formats.shared_tables import OFFSET, Shared, read_all
from dss.data.text_files import encoding_of
from dss.data.text_tables import COLUMNS, RAVEN_TIMES
from dss.data.time_texts import numbers
from dss.errors import DssError

BEGIN, END = RAVEN_TIMES
GENERIC = ("label", "onset_s", "offset_s", "notated_path", "annot_path", "sequence", "annotation")
SAMPLE_COLUMNS = ("onset_sample", "offset_sample")
HIGHEST_HZ = 20_000  # of a box in a selection table, by default
# What a new selection of Raven says besides its name and its times.
SELECTION = {
    "View": "Spectrogram 1",
    "Channel": 1,
    "Low Freq (Hz)": 0,
    "High Freq (Hz)": HIGHEST_HZ,
}
MARK = b"\xef\xbb\xbf"  # of UTF-8, at the start of some files


def write_shared(
    table: pd.DataFrame,
    path: Path,
    format: str,
    recording: Path,
    samplerate_hz: float | None,
    replaced: Path,
) -> None:
    """Write the annotations of a recording into a table of many: csv, raven or generic-seq.

    Tables of generic-seq may be new, and may count samples, too: these need the sample rate.

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
        old = read_table(replaced, format, recording)
        for row, key in zip(old.index, _keys(old), strict=True):
            there.setdefault(key, []).append(lines[row - 1])
    new = _NewRows("".join(lines), replaced, format, recording, samplerate_hz, shared, own)
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
        samplerate_hz: float | None,
        shared: Shared,
        own: pd.DataFrame,
    ):
        layout = layout_of(text)
        self.path, self.format, self.separator = path, format, layout.separator
        self.header = [name.strip() for name in layout.header]
        self.columns = columns_of(COLUMNS, self.header)
        self.samplerate_hz = samplerate_hz
        self.has_commas = layout.separator == ";" and bool(re.search(r"\d,\d", text))
        file = own[shared.column].iloc[0] if len(own) else recording.name
        self.fixed: dict[str, Any] = {shared.column: file}
        if unit := unit_of(self.columns.get("start_seconds")):
            raise DssError(f"{path}: its times are in {unit}, but dss writes seconds here")
        self.n_selections, self.begin = 0, 0.0
        if format == "generic-seq":
            number = 1 + _last(shared.table, "annotation")
            self.fixed |= {"annot_path": path.name, "sequence": 0, "annotation": number}
            self.fixed |= {name: own[name].iloc[0] for name in GENERIC[4:] if len(own)}
        elif format == "raven":
            self.fixed |= SELECTION
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
        times = self._times(*(float(row[name]) for name in COLUMNS[1:]))
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
        if self.format == "raven":
            return {BEGIN: self.begin + start, END: self.begin + stop, OFFSET: start}
        times = {self.columns["start_seconds"]: start, self.columns.get("stop_seconds"): stop}
        times |= {duration_column(self.header): stop - start}
        if SAMPLE_COLUMNS[0] in self.header:
            if not self.samplerate_hz:
                raise DssError(f"{self.path}: counts samples, too; give samplerate_hz")
            both = zip(SAMPLE_COLUMNS, (start, stop), strict=True)
            times |= {name: round(time * self.samplerate_hz) for name, time in both}
        return times

    def _text(self, value: Any) -> str:
        if not isinstance(value, float):
            return str(value)
        text = "" if pd.isna(value) else f"{value:.6f}"
        return text.replace(".", ",") if self.has_commas else text
