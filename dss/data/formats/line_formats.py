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

    Raises: DssError for a line that is none of RTTM, or a time that is not a number.
    """
    by_name: dict[str, list[Row]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split()
        if not fields or fields[0].startswith(";"):
            continue
        times = numbers(pd.Series(fields[3:5], dtype=str))
        if len(fields) < RTTM_FIELDS or times.isna().any():
            raise DssError(
                f"{path}, row {number}: should have {RTTM_FIELDS} fields or more, of which the "
                "fourth and fifth are start and duration in seconds"
            )
        by_name.setdefault(fields[1], []).append((fields[7], times[0], times.sum()))
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
