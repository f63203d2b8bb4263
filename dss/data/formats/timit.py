"""Transcriptions of TIMIT (.phn, .wrd): first sample, last sample and name, an annotation per line.

https://catalog.ldc.upenn.edu/LDC93S1 describes the format.
"""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from dss.data.formats.rows import Row, in_order, in_samples
from dss.data.text_tables import COLUMNS


def read_timit(text: str, samplerate_hz: float) -> pd.DataFrame:
    """Read a transcription; the index is the line. What is not a number stays text.

    The file counts the samples of the recording, which has this sample rate.
    """
    rows: dict[int, tuple] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            first, last, name = [*line.split(None, 2), None, None][:3]
            times = (_seconds(sample, samplerate_hz) for sample in (first, last))
            rows[number] = (name and name.strip(), *times)
    return pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS, dtype=object)


def write_timit(rows: Iterable[Row], path: Path, samplerate_hz: float) -> None:
    """Write a transcription, in the order of first samples."""
    lines = in_samples(in_order(rows), samplerate_hz)
    path.write_text("".join(f"{first} {last} {name}\n" for name, first, last in lines), "utf-8")


def _seconds(sample: str | None, samplerate_hz: float) -> float | str | None:
    try:
        return int(sample or "") / samplerate_hz
    except ValueError:
        return sample
