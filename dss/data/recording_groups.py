"""Groups of recordings, such as individuals or days: as given, or as file names tell."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import regex

from dss.data.text_tables import read_csv
from dss.errors import DssError, raise_problems

MATCH_SECONDS = 1  # to match a pattern with a path
FEWEST_GROUPS = 3  # with two, testing on one of them leaves half of the data
LARGEST_GROUP = 0.5  # largest fraction of the recordings in one group
SEPARATOR = r"[/_\-. ]"
# Letters and digits, such as llb3, g17y2U, VALP007; but not mere counters of recordings.
INDIVIDUAL = re.compile(r"(?=.*[a-z])(?=.*\d)[a-z0-9]+", re.IGNORECASE)
COUNTED = re.compile(
    r"(ch|chan|channel|mic|f|file|rec|recording|part|take|trial|session|song|call|s|t|n|no|v)\d+"
    r"|(day|night|week|month|set|batch|exp|experiment)\d+"
    r"|\d+(khz|hz|ms|s|min|db|am|pm)|\d{1,2}[a-z]{3}\d{2,4}|\d{8}t\d{6}[a-z]*",
    re.IGNORECASE,
)
DAYS = (
    r"(?<!\d)((?:19|20)\d\d[-_.]?\d\d[-_.]?\d\d)(?=\D|$)",  # 2019_12_01, 20191201
    r"(?i)(?<!\d)(\d{1,2}(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)(?:\d\d){1,2})(?!\d)",
    r"(?<![\dA-Za-z])(\d{6})(?=[_\-. T])",  # 130519, in any order of day, month and year
    r"(?<![\dA-Za-z])([345]\d{4})(?=[_.])",  # 43592: days since 1900, as Sound Analysis Pro counts
    r"(?i)(?<![a-z])(day[_-]?\d+)(?!\d)",  # day1
)
FORMATS = {0: ("%Y%m%d",), 1: ("%d%b%Y", "%d%b%y"), 2: ("%y%m%d", "%d%m%y", "%m%d%y")}


class FilenameGroups(NamedTuple):
    """Recordings grouped by their names."""

    pattern: str  # a regular expression whose brackets match the group in the path of a recording
    kind: str  # individual or day
    n_recordings: Counter[str]  # of each group, by its name

    @property
    def are_enough(self) -> bool:
        """Whether a group can be spared for testing."""
        n = self.n_recordings.values()
        return len(n) >= FEWEST_GROUPS and max(n) <= LARGEST_GROUP * sum(n)


def recording_groups(paths: Sequence[str], groups: str | None) -> list[str]:
    """The group, such as the individual, that each recording belongs to.

    Arguments:
        paths: the paths of the recordings, relative to the data folder.
        groups: a CSV file with the columns file,group; or a pattern (regular expression) whose
            parentheses match the group in the path; or None: each recording is a group.

    Raises: DssError that lists the recordings without a group.
    """
    if groups is None:
        return list(paths)
    if groups.endswith(".csv"):
        group_of = _read_groups(Path(groups))
        found = [group_of.get(path, group_of.get(Path(path).name)) for path in paths]
    else:
        try:
            pattern = regex.compile(groups)
        except regex.error as error:
            raise DssError(f"groups: {groups!r} is not a regular expression ({error})") from None
        if pattern.groups != 1:
            raise DssError(
                f"groups: {groups!r} needs parentheses around the individual, such as "
                "'(bird[0-9]+)'"
            )
        try:
            matches = [pattern.search(path, timeout=MATCH_SECONDS) for path in paths]
        except TimeoutError:
            raise DssError(
                f"groups: {groups!r} takes more than {MATCH_SECONDS} s to match a path. A "
                "repetition within a repetition tries too many combinations: simplify it."
            ) from None
        found = [match and match[1] for match in matches]
    missing = [path for path, group in zip(paths, found, strict=True) if not group]
    raise_problems(missing, f"These recordings match no group in {groups!r}:")
    return [group for group in found if group]


def groups_in_filenames(paths: Sequence[str]) -> FilenameGroups | None:
    """Find the individuals, or else the days, in the names of recordings.

    Arguments:
        paths: the paths of the recordings, relative to the data folder.

    Returns: individuals if one can be spared for testing, or else days if one can, or else
        whichever there are; None if there are none, or each recording comes from another individual
        or day.
    """
    groups = [g for g in (_individuals(paths), _days(paths)) if g]
    if any(len(g.n_recordings) == len(paths) for g in groups):  # as good as splitting by recordings
        return None
    return next((g for g in groups if g.are_enough), groups[0] if groups else None)


def _read_groups(path: Path) -> dict[str, str]:
    """The group of each file, from a CSV file with the columns file,group."""
    table = read_csv(path, ["file", "group"])
    group_of: dict[str, str] = {}
    problems = []
    for row, file, group in table[["file", "group"]].itertuples(name=None):
        if pd.isna(file) or pd.isna(group):
            problems.append(f"{path}, row {row}: needs a file and a group")
        elif group_of.setdefault(file, group) != group:
            before = group_of[file]
            problems.append(
                f"{path}, row {row}: {file} is in the group {group}, but in {before} in an "
                "earlier row"
            )
    raise_problems(problems, "These groups are invalid; correct them:")
    return group_of


def _individuals(paths: Sequence[str]) -> FilenameGroups | None:
    """Group by the first part of the names that looks like an individual in all of them."""
    parts = [re.split(f"{SEPARATOR}+", path.rpartition(".")[0]) for path in paths]
    for i in range(min(map(len, parts), default=0)):
        column = [part[i] for part in parts]
        if all(INDIVIDUAL.fullmatch(p) and not COUNTED.fullmatch(p) for p in column):
            before = rf"(?:[^/_\-. ]+{SEPARATOR}+){{{i}}}" if i else ""
            if len({*column}) > 1:
                return FilenameGroups(rf"^{before}([^/_\-. ]+)", "individual", Counter(column))
    return None


def _days(paths: Sequence[str]) -> FilenameGroups | None:
    for number, pattern in enumerate(DAYS):
        days = [match[1] for path in paths if (match := re.search(pattern, path))]
        are_all = len(days) == len(paths) and len({*days}) > 1
        if are_all and (number not in FORMATS or any(_are_dates(days, f) for f in FORMATS[number])):
            return FilenameGroups(pattern, "day", Counter(days))
    return None


def _are_dates(days: list[str], format: str) -> bool:
    digits = pd.Series(days).str.replace(r"[-_.]", "", regex=True)
    return bool(pd.to_datetime(digits, format=format, errors="coerce").notna().all())
