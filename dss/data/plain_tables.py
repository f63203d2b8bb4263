"""Read plain CSV tables of names and times, as most annotation files are, without pandas' parser.

The parser takes a millisecond per file, however short. Anything unusual is left to it.
"""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|NaN|nan|")
NAME = re.compile(r'[^\s",](?:[^\t\v\f",]*[^\s",])?')
OTHER_BREAKS = re.compile("[\r\v\f\0]")
TEXT, NUMBERS = "name", ("start_seconds", "stop_seconds", "probability")
FURTHER = "confidence"  # optional last column


def read_plain(text: str, columns: Sequence[str]) -> pd.DataFrame | None:
    """Read a table with exactly these columns: `name` as text, times as numbers.

    Arguments:
        text: the content of a CSV file.
        columns: the header, which `confidence` may follow.

    Returns: the table, with the rows as shown by an editor as index; None if anything is unusual:
        blank lines, quotes, spaces around values, values that are not numbers, rows of another
        length, no rows.
    """
    header, *lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    names = header.split(",")
    is_known = {*columns} <= {TEXT, *NUMBERS} and names in ([*columns], [*columns, FURTHER])
    if not is_known or not lines or OTHER_BREAKS.search(text.replace("\r\n", "")):
        return None
    rows = [line.split(",") for line in lines]
    if any(len(row) != len(names) for row in rows):
        return None
    values: dict[str, pd.api.extensions.ExtensionArray | np.ndarray] = {}
    for column, texts in zip(names, zip(*rows, strict=True), strict=True):
        right = NAME if column == TEXT else NUMBER
        if not all(map(right.fullmatch, texts)):
            return None
        if column == FURTHER and not any("." in text for text in texts):
            return None  # integers stay integers
        if column == TEXT:
            values[column] = pd.array(texts, dtype="str")
        else:
            values[column] = np.array([float(text or "nan") for text in texts])
    if TEXT not in values and any(not any(row) for row in rows):
        return None  # a row without values is a blank line
    return pd.DataFrame(values, index=pd.RangeIndex(2, len(rows) + 2))
