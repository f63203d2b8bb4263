"""Tabular exports of BORIS: a row for each start, each stop, and each point event.

https://www.boris.unito.it/user_guide. Older versions write some lines about the observation above
the table, and have a column `Status` instead of `Behavior type`.
"""

import csv
import io
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import pandas as pd

from dss.data.formats.rows import Row, in_order, lanes
from dss.data.text_files import read_text
from dss.data.text_tables import COLUMNS, check_twice, parse
from dss.errors import DssError

WHAT = "a tabular export of BORIS"
KINDS = ("Behavior type", "Status")
NEEDED = {"Time", "Behavior"}
MEDIA = ("Media file", "Media file name", "Media file path")
MOST_LINES = 100  # above the table
# The columns of version 8 and later for an observation of media files, without modifiers.
HEADER = (
    *("Observation id", "Observation date", "Description", "Observation duration"),
    *("Observation type", "Source", "Time offset (s)", "Media duration (s)", "FPS", "Subject"),
    *("Behavior", "Behavioral category", "Behavior type", "Time", "Media file name"),
    *("Image index", "Image file path", "Comment"),
)


def is_tabular(text: str) -> bool:
    """Whether a text is, or begins like, a tabular export of BORIS."""
    return _header(text) is not None


def read_boris(path: Path) -> tuple[pd.DataFrame, list[tuple[int, str]]]:
    """States as segments, points as events; and the rows without a counterpart, with what is wrong.

    Raises: DssError if it is not such a table, or contains events of several media files.
    """
    text = read_text(path)
    header = _header(text)
    if header is None:
        raise DssError(f"{path}: cannot be read as {WHAT}")
    n_above, separator = header
    lines = [*io.StringIO(text, None)][n_above:]
    wanted = {name.lower() for name in ("Subject", *NEEDED, *KINDS)}
    check_twice(lines[0].split(separator), wanted, path, n_above + 1)
    table = parse("".join(lines), separator, path, WHAT, dtype=str)
    if not {*table} >= NEEDED or not {*KINDS} & {*table}:
        there = ", ".join(map(str, table))
        raise DssError(
            f"{path}, row {n_above + 1}: the columns are {there}; it should be Behavior, Time "
            f"and {KINDS[0]}"
        )
    table.index += n_above
    media = next((name for name in MEDIA if name in table), None)
    files = table[media].dropna().unique() if media else []
    if len(files) > 1:
        raise DssError(
            f"{path}: contains events of {len(files)} media files ({files[0]}, {files[1]}, ...). "
            "Export each observation separately."
        )
    return _paired(table)


def write_boris(
    rows: Iterable[Row], path: Path, recording: Path | None, duration_seconds: float | None
) -> None:
    """Write tabular events, divided by tabs: segments as states, events as points.

    In BORIS, a subject has one state of a name at a time. Annotations of one name that overlap have
    the subjects 2, 3, ... The recording and its length may be unknown.
    """
    by_name: dict[str, list[Row]] = {}
    for row in in_order(rows):
        by_name.setdefault(row[0], []).append(row)
    events = []
    for name, own in by_name.items():
        for subject, lane in enumerate(lanes(own), start=1):
            who = {"Subject": subject if subject > 1 else "", "Behavior": name}
            for _, start, stop in lane:
                kinds = {"START": start, "STOP": stop} if stop > start else {"POINT": start}
                events += [(time, who | {"Behavior type": kind}) for kind, time in kinds.items()]
    about: dict[str, object] = {"Time offset (s)": 0}
    if recording:
        about |= {"Observation id": recording.stem, "Observation type": "Media file(s)"}
        about |= {"Source": f"player #1:{recording.name}", "Media file name": recording.name}
    if duration_seconds is not None:
        duration = f"{duration_seconds:.6f}"
        about |= {"Observation duration": duration, "Media duration (s)": duration}
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, HEADER, restval="", delimiter="\t", lineterminator="\n")
        table.writeheader()
        for time, event in sorted(events, key=lambda event: event[0]):
            table.writerow({**about, **event, "Time": f"{time:.6f}"})


def _paired(table: pd.DataFrame) -> tuple[pd.DataFrame, list[tuple[int, str]]]:
    kind = next(name for name in KINDS if name in table)
    who = [name for name in table if name in ("Subject", "Behavior") or name.startswith("Modifier")]
    keys = table[who].fillna("").itertuples(index=False, name=None)
    events = table[["Behavior", "Time", kind]].itertuples(name=None)
    rows: dict[int, tuple] = {}
    started: dict[tuple, int] = {}
    broken = []
    for key, (row, name, time, what) in zip(keys, events, strict=True):
        what = str(what).strip().upper()
        if what == "POINT":
            rows[row] = (name, time, time)
        elif what == "STOP" and key in started:
            first = started.pop(key)
            rows[first] = (*rows[first][:2], time)
        elif what == "START" and key not in started:
            started[key] = row
            rows[row] = (name, time, None)
        else:
            rows[row] = (name, time, None)
            broken.append((row, f"{name} has a {what}, but {_lacking(what)}"))
    broken += [(row, f"{key[who.index('Behavior')]} has no STOP") for key, row in started.items()]
    found = pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS, dtype=object)
    return found.sort_index(), sorted(broken)


def _lacking(what: str) -> str:
    if what == "STOP":
        return "no START before it"
    return "no STOP before it" if what == "START" else "should have START, STOP or POINT"


def _header(text: str) -> tuple[int, str] | None:
    """The number of lines above the header, and the separator of its columns."""
    for n_above, line in enumerate(islice(io.StringIO(text, None), MOST_LINES)):
        for separator in "\t,;":
            columns = {field.strip(' "\n') for field in line.split(separator)}
            if columns >= NEEDED and columns & {*KINDS}:
                return n_above, separator
    return None
