"""Which format an annotation file has, judging by its name and content."""

import re
from pathlib import Path

import pandas as pd

from dss.data.column_names import has_times
from dss.data.formats.boris import is_tabular
from dss.data.formats.koumura import KOUMURA
from dss.data.spreadsheets import WORKBOOK, can_read
from dss.data.text_files import HEAD_BYTES, read_text
from dss.data.text_tables import RAVEN_TIMES, header_of
from dss.data.time_texts import numbers
from dss.errors import DssError

BY_ENDING = {
    ".not.mat": "notmat",
    ".textgrid": "textgrid",
    ".phn": "timit",
    ".wrd": "timit",
    ".svl": "svl",
    ".eaf": "elan",
    ".xml": KOUMURA,
    ".rttm": "rttm",
    ".vtt": "subtitles",
    ".srt": "subtitles",
}
JSON_TIME = re.compile(r'"[\w ()]*(?:onset|start|begin)[\w ()]*"\s*:', re.IGNORECASE)


def guess_format(path: Path) -> str | None:
    """The format of an annotation file by its ending and content; None if it is none of them."""
    name = path.name.lower()
    for ending, format in BY_ENDING.items():
        if name.endswith(ending):
            return format
    if name.endswith(WORKBOOK):
        return "csv" if can_read() and _may_have_times(path) else None
    if not name.endswith((".csv", ".txt", ".tsv", ".json")):
        return None
    text = read_text(path, HEAD_BYTES)
    if name.endswith(".json"):
        return "json" if JSON_TIME.search(text) else None
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
    are_numbers = numbers(pd.Series(first, dtype=str)).notna()
    has_confidence = len(first) == 4 and are_numbers[3]  # BirdNET
    if (len(first) in (2, 3) or has_confidence) and are_numbers[:2].all():
        return "audacity"
    return "csv" if has_times(header_of(path)) else None


def _may_have_times(path: Path) -> bool:
    """Whether a table has columns of times, or is damaged, which reading it will tell."""
    try:
        return has_times(header_of(path))
    except DssError:
        return True


def format_of_name(path: Path) -> str:
    """The usual format of files with such a name."""
    by_ending = {**BY_ENDING, ".selections.txt": "raven", ".txt": "audacity"}
    name = path.name.lower()
    return next((f for ending, f in by_ending.items() if name.endswith(ending)), "csv")
