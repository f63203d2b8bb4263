"""Text with an annotation per line or paragraph: RTTM, and subtitles (WebVTT, SubRip).

RTTM is described in https://www.nist.gov (Rich Transcription), WebVTT in https://www.w3.org/TR/webvtt1.
"""

import re
from pathlib import Path

import pandas as pd

from dss.data.formats.rows import Row
from dss.data.text_tables import COLUMNS
from dss.data.time_texts import numbers
from dss.errors import DssError

RTTM_FIELDS = 8  # kind, file, channel, start, duration, text, subtype, name


def read_rttm(text: str, path: Path) -> dict[str, list[Row]]:
    """Read the segments of each recording in an RTTM file.

    Raises: DssError for a line that is not RTTM, or a time that is not a number.
    """
    lines = {n: line.split() for n, line in enumerate(text.splitlines(), start=1)}
    rows = {n: line[:RTTM_FIELDS] for n, line in lines.items() if line and line[0][0] != ";"}
    table = pd.DataFrame([*rows.values()], [*rows], dtype=object)
    table = table.reindex(columns=range(RTTM_FIELDS))
    start, seconds = numbers(table[3]), numbers(table[4])
    broken = table.index[table[RTTM_FIELDS - 1].isna() | start.isna() | seconds.isna()]
    if len(broken):
        raise DssError(
            f"{path}, row {broken[0]}: should have {RTTM_FIELDS} fields or more, of which the "
            "fourth and fifth are start and duration in seconds"
        )
    by_name: dict[str, list[Row]] = {}
    for file, *row in zip(table[1], table[7], start, start + seconds, strict=True):
        by_name.setdefault(file, []).append(tuple(row))
    return by_name


def read_subtitles(text: str) -> pd.DataFrame:
    """Read subtitles; the index is the line of the times. What is not a number stays text."""
    rows: dict[int, tuple] = {}
    lines = [line.strip() for line in text.splitlines()]
    for number, line in enumerate(lines, start=1):
        if "-->" in line:
            start, _, stop = line.partition("-->")
            words = []
            for word in lines[number:]:
                if not word or "-->" in word:
                    break
                words.append(re.sub(r"<[^>]*>", "", word))
            stop = (stop.split() or [""])[0]  # settings may follow
            rows[number] = (" ".join(words) or None, start.strip() or "missing", stop or "missing")
    return pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS, dtype=object)
