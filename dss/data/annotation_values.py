"""The values in tables of annotations: times as numbers, and which rows are wrong."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from dss.data import fixes
from dss.data.column_names import TIMES
from dss.data.text_tables import MISSING
from dss.data.time_texts import numbers
from dss.errors import raise_problems

# Columns that dss writes, but people and other programs as well, and what they contain.
FURTHER = {"confidence": "a number from 0 to 1", "confirmed": "True or False"}
LATEST_SECONDS = 1e7  # four months: no recording has later times
NO_NAME = "the name is missing; --unnamed NAME gives one to all such annotations"


class Unread(NamedTuple):
    """Annotations with unreadable rows: their file, all rows, and what is wrong."""

    file: Path
    table: pd.DataFrame
    broken: list[tuple[int, str]]


def raise_broken(broken: list[tuple[int, str]], table: pd.DataFrame, path: Path) -> None:
    """Raise a DssError if rows of annotations cannot be read; its rest is `Unread`."""
    if not broken:
        return
    rest = Unread(path, table, broken)
    problems = [f"{path}, row {row}: {problem}" for row, problem in broken]
    heading = "These annotations cannot be read (--skip-bad-rows leaves them out):"
    raise_problems(problems, heading, rest)


def parse_times(table: pd.DataFrame) -> list[tuple[int, str]]:
    """Convert times in a table from text to numbers; returns rows, and what is wrong with them."""
    problems = []
    for column in TIMES:
        if table[column].dtype == float and not _are_late(table[column]):
            continue
        parsed = numbers(table[column])
        texts = table[column][parsed.isna()].dropna().astype(str)
        for row, text in texts[~texts.isin(MISSING)].items():
            problems.append((row, f"{column} is {text!r}; it should be a number"))
        for row, time in parsed[parsed.abs() > LATEST_SECONDS].items():
            late = f"{column} is {time:g} s, longer than any recording"
            problems.append((row, f"{late}; --time-unit samples, if it is in samples"))
        table[column] = parsed
    return problems


def fix_further_columns(table: pd.DataFrame, path: Path) -> None:
    """Clear invalid values in the columns `confidence` and `confirmed`, and note it."""
    for column, right in FURTHER.items():
        if column not in table or (column == "confidence" and _are_parts(table[column])):
            continue
        texts = table[column].astype(str).str.strip()
        is_there = table[column].notna() & ~texts.isin(MISSING)
        if column == "confidence":
            parsed = numbers(table[column])
            is_wrong = is_there & ~parsed.between(0, 1)
            table[column] = parsed.where(~is_wrong)
        else:
            is_wrong = is_there & ~texts.str.lower().isin(("true", "false"))
            table[column] = table[column].where(~is_wrong)
        if rows := [*table.index[is_wrong]]:
            what = f"{column} is {texts[is_wrong].iloc[0]!r}; it should be {right}"
            fixes.note(path, f"{what}; it counts as missing ({fixes.listed_rows(rows)})")


def _are_parts(confidence: pd.Series) -> bool:
    """Whether all values in a column of floats are from 0 to 1, or missing."""
    return confidence.dtype == float and bool((confidence.isna() | confidence.between(0, 1)).all())


def _are_late(times: pd.Series) -> bool:
    """Whether a column of floats has infinite times, or times later than in any recording."""
    return bool((np.abs(times.to_numpy()) > LATEST_SECONDS).any())
