"""What programs call the columns of tables: names, starts, stops, durations, recordings.

Only letters and digits count: "Begin Time (s)" and "begin_time_s" are the same column.
"""

import re
from collections.abc import Iterable
from typing import Any

TIMES = ["start_seconds", "stop_seconds"]
COLUMNS = ["name", *TIMES]
# The first of these that is there holds the names ...
NAMES = (
    *("name", "label", "labels", "annotation", "behavior", "commonname", "eventlabel"),
    "manualid",
)
# ... or else the only one of these.
OTHER_NAMES = (
    *("type", "songtype", "calltype", "class", "species", "syllable", "cluster", "text"),
    *("category", "vocalization", "element"),
)
TIME_WORDS = {  # a time offset, as in BORIS, is no stop
    "start_seconds": "(?:time)?(?:onset|start|begin)(?:time)?",
    "stop_seconds": "(?:(?:time)?(?:stop|end)|offset)(?:time)?",
}
OF = "(?:syllable|call|event|segment|note|song)?"  # what the times are of
UNITS = {  # the first that is there counts
    "s": "(?:in)?(?:s|secs?|seconds?)",
    "": "",  # in the unit of all times
    "ssmsec": "ssmsec",  # ELAN: seconds.milliseconds
    "hhmmssms": "hhmmssms",  # ELAN: a clock time
    "ms": "(?:in)?(?:ms|msecs?|milliseconds?)",
    "samples": "(?:in)?(?:samples?|frames?)(?:index|idx)?",
}
OTHER_TIMES = {"start_seconds": ("tmin", "mint", "time"), "stop_seconds": ("tmax", "maxt")}
DURATION = f"{OF}(?:durations?|dur|length)"
# The first of these that is there names the recording of each row.
RECORDINGS = (
    *("filename", "file", "recording", "beginfile", "beginpath", "mediafilename", "notatedpath"),
    *("audiofile", "audiofilename", "audiopath", "filepath", "wavfile", "wav", "soundfile"),
    *("infile", "soundfiles", "fname"),
)
KALEIDOSCOPE = {"infile", "offset", "duration"}  # its offset counts from the start of the file
# Columns that may look like numbers.
TEXTS = {*NAMES, *OTHER_NAMES, *RECORDINGS, "group"}


def called(column: str, header: Iterable[Any]) -> Any:
    """The column of a table that is one of `COLUMNS`; None if it is missing, or unclear."""
    there = _by_plain_name(header)
    if plain(column) in there:
        return there[plain(column)]
    if column == "name":
        usual = [name for name in NAMES if name in there]
        others = [name for name in OTHER_NAMES if name in there]
        found = usual[:1] or (others if len(others) == 1 else [])
        return there[found[0]] if found else None
    for unit in UNITS if column in TIME_WORDS else ():
        if found := [name for name in there if _is_time(column, unit, name)]:
            return there[found[0]]
    return next((there[name] for name in OTHER_TIMES.get(column, ()) if name in there), None)


def columns_of(columns: Iterable[str], header: list[Any], name_column: str = "") -> dict[str, Any]:
    """The column of a table for each of these that is there.

    Arguments:
        columns: `COLUMNS`, or others.
        header: the columns of the table.
        name_column: the column of names, if it is not clear.
    """
    found = {column: called(column, header) for column in columns}
    there = _by_plain_name(header)
    if name_column:
        found["name"] = there.get(plain(name_column))
    if {*there} >= KALEIDOSCOPE:
        found |= {"start_seconds": there["offset"], "stop_seconds": None}
    return {column: name for column, name in found.items() if name is not None}


def unit_of(column: Any) -> str:
    """The unit that the name of a column of times or durations says: s, ms or samples; or none."""
    name = plain(column)
    for unit in UNITS:
        if is_duration(column, unit) or any(_is_time(time, unit, name) for time in TIME_WORDS):
            return unit if unit in ("", "ms", "samples") else "s"
    return ""


def duration_column(header: Iterable[Any]) -> Any:
    """The column of durations, which some programs write instead of stops; or None."""
    header = [*header]
    found = (column for unit in UNITS for column in header if is_duration(column, unit))
    return next(found, None)


def is_duration(column: Any, unit: str | None = None) -> bool:
    """Whether a column holds durations, of this unit if one is given."""
    units = UNITS.values() if unit is None else [UNITS[unit]]
    return any(re.fullmatch(DURATION + each, plain(column)) for each in units)


def has_times(header: Iterable[Any]) -> bool:
    """Whether a table has starts, and stops or durations."""
    found = columns_of(TIMES, [*header])
    return "start_seconds" in found and (
        "stop_seconds" in found or duration_column(header) is not None
    )


def recording_column(header: Iterable[Any]) -> Any:
    """The column that names recordings; None if there is none."""
    return _first_of(RECORDINGS, header)


def is_read(column: Any) -> bool:
    """Whether dss may read a column, which must therefore not occur twice."""
    name = plain(column)
    known = {*TEXTS, *map(plain, COLUMNS), "confidence", "confirmed", "probability"}
    is_time = any(_is_time(time, unit, name) for time in TIME_WORDS for unit in UNITS)
    return name in known or is_time or is_duration(column)


def plain(column: Any) -> str:
    """The letters and digits of the name of a column, in lower case.

    Names with characters that cannot be printed come from damaged files, and stay as they are.
    """
    name = str(column).strip().lower()
    return re.sub(r"[\W_]+", "", name) if name.isprintable() else name


def _is_time(column: str, unit: str, name: str) -> bool:
    return re.fullmatch(OF + TIME_WORDS[column] + UNITS[unit], name) is not None


def _first_of(names: Iterable[str], header: Iterable[Any]) -> Any:
    there = _by_plain_name(header)
    return next((there[name] for name in names if name in there), None)


def _by_plain_name(header: Iterable[Any]) -> dict[str, Any]:
    """The columns by their plain names; of several that are alike, the first."""
    by_name: dict[str, Any] = {}
    for column in header:
        by_name.setdefault(plain(column), column)
    return by_name
