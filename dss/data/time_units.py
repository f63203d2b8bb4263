"""The units of times in annotation files: what their columns say, and what the option says.

A column such as `onset_ms`, `Begin Time (ms)` or `start_sample` says its unit. Readers of tables
keep the columns that times come from in the attribute `times` of a table; here these times become
seconds, and go back into the units of their columns.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dss.data import fixes
from dss.data.column_names import TIMES, columns_of, duration_column, is_duration, plain, unit_of
from dss.data.time_texts import numbers
from dss.errors import DssError

AUTO = "auto"  # what the columns say, or else seconds
Times = Any  # an array or a number
WORDS = {"s": "seconds", "ms": "milliseconds", "samples": "samples"}
OTHERS = ("ms", "samples")  # than seconds
OWN_NAMES = {*map(plain, TIMES)}  # of dss, and the usual ones: they may hold any unit
NEW_COLUMNS = {  # of files whose unit is not seconds
    unit: {time: time.replace("seconds", unit) for time in TIMES} for unit in OTHERS
}


def time_columns(header: Sequence[Any]) -> dict[str, Any]:
    """The columns of a table with starts and stops, or durations if there are no stops."""
    found = columns_of(TIMES, [*header])
    duration = duration_column(header)
    if "stop_seconds" not in found and duration is not None:
        found["stop_seconds"] = duration
    return found


def to_seconds(
    table: pd.DataFrame,
    path: Path,
    time_unit: str = AUTO,
    samplerate: Callable[[], float] | None = None,
) -> None:
    """Convert the times of a table to seconds; what is not a number stays as it is.

    Durations in the place of stops become stops. The attribute `unit` of the table is then the unit
    that its columns say, if it is not seconds.

    Arguments:
        table: annotations; its attribute `times` says which columns its times come from.
        path: the file, for messages.
        time_unit: the unit of columns that do not say theirs: s, ms, samples, or auto for seconds.
        samplerate: returns the sample rate in Hz of the recording, for times in samples.

    Raises: DssError if the unit of a column is unclear, or is not the one that was given.
    """
    columns = table.attrs.pop("times", None) or {}
    units = units_of(columns, path, time_unit)
    _note(columns, units, path, time_unit)
    starts = None
    for time in TIMES:
        per_second = _per_second(units[time], path, samplerate)
        is_length = is_duration(columns.get(time, time))
        if per_second == 1 and not is_length:
            continue
        parsed = numbers(table[time], per_second)
        if is_length:
            starts = numbers(table["start_seconds"]) if starts is None else starts
            parsed = parsed + starts
        # Other values stay text, so that messages can show them.
        is_whole = bool(parsed.notna().all())
        table[time] = (
            parsed if is_whole else parsed.astype(object).where(parsed.notna(), table[time])
        )
    told = {unit_of(name) for name in columns.values()} & {*OTHERS}
    table.attrs["unit"] = min(told, default=None)


def units_of(columns: Mapping[str, Any], path: Path, time_unit: str = AUTO) -> dict[str, str]:
    """The units of starts and stops: s, ms or samples.

    Arguments:
        columns: the columns that they come from, as from `time_columns`.
        path, time_unit: as for `to_seconds`.

    Raises: DssError if a unit is unclear, or is not the one that was given.
    """
    said = {time: unit_of(columns.get(time, "")) for time in TIMES}
    told = {time: unit for time, unit in said.items() if unit in OTHERS}
    others = [columns[time] for time, unit in told.items() if time_unit not in (AUTO, unit)]
    if others:
        words = WORDS[unit_of(others[0])]
        raise DssError(
            f"{path}: {_say(others)} that times are in {words}, but you say that they are in "
            f"{WORDS[time_unit]}. Leave out --time-unit, or rename the columns."
        )
    unclear = [columns[time] for time in TIMES if time in columns and not said[time]]
    if told and unclear and time_unit == AUTO:
        one, name = next((unit, columns[time]) for time, unit in told.items())
        raise DssError(
            f"{path}: the column {name} says that it holds {WORDS[one]}, but {unclear[0]} does not "
            f"say its unit. Rename it, for example to {unclear[0]}_{one} or {unclear[0]}_s; or "
            f"give --time-unit {one} if both are in {WORDS[one]}."
        )
    otherwise = "s" if time_unit == AUTO else time_unit
    return {time: told.get(time, otherwise) for time in TIMES}


def as_in_file(
    table: pd.DataFrame,
    path: Path,
    header: Sequence[str],
    time_unit: str = AUTO,
    samplerate: Callable[[], float] | None = None,
) -> pd.DataFrame:
    """A table as a CSV file stores it: with the columns and units of the file that it replaces.

    Where that file does not say its unit, times have the given one, and new files say it.

    Arguments:
        table: annotations in seconds.
        path, time_unit, samplerate: as for `to_seconds`.
        header: the columns of the file that is replaced; empty if there is none.
    """
    columns = time_columns(header)
    units = units_of(columns, path, time_unit)
    if not {*units.values()} & {*OTHERS}:
        return table
    if not any(unit_of(name) in OTHERS for name in columns.values()):
        has_own = plain(columns.get("start_seconds", "")) in OWN_NAMES
        columns = {} if has_own else NEW_COLUMNS[time_unit]
    starts, stops = (table[time].to_numpy(float) for time in TIMES)
    names = [columns.get(time, time) for time in TIMES]
    # Durations are still there as a further column; others get back the names that they had.
    table = table.rename(
        columns={t: n for t, n in zip(TIMES, names, strict=True) if n not in table}
    )
    times = in_units(starts, stops, columns, units, path, samplerate)
    table = table.assign(**dict(zip(names, times, strict=True)))
    gone = [time for time in TIMES if time in table and time not in names]
    whole = {columns.get(t, t): "Int64" for t in TIMES if units[t] == "samples"}
    return table.drop(columns=gone).astype(whole)


def in_units(
    starts: Times,
    stops: Times,
    columns: Mapping[str, Any],
    units: Mapping[str, str],
    path: Path,
    samplerate: Callable[[], float] | None,
) -> list[Times]:
    """Starts and stops, or durations, in other units; samples are whole numbers.

    A segment lasts at least a sample, or it would be an event.

    Arguments:
        starts, stops: times in seconds.
        columns, units: as from `time_columns` and `units_of`.
        path, samplerate: as for `to_seconds`.
    """
    is_length = is_duration(columns.get("stop_seconds", ""))
    found = []
    for time, seconds in zip(TIMES, (starts, stops), strict=True):
        rate = _per_second(units[time], path, samplerate)
        first, last = starts * rate, seconds * rate
        if units[time] == "samples":
            first = np.round(first)
            last = np.maximum(np.round(last), first + (seconds > starts))
        found.append(last - first if is_length and time == "stop_seconds" else last)
    return found


def _per_second(unit: str, path: Path, samplerate: Callable[[], float] | None) -> float:
    if unit != "samples":
        return 1000.0 if unit == "ms" else 1.0
    if samplerate is None:
        raise DssError(f"{path}: has times in samples; here, they should be in seconds")
    return samplerate()


def _note(columns: Mapping[str, Any], units: Mapping[str, str], path: Path, time_unit: str) -> None:
    """Note what columns say about the unit, once per folder: files of a lab are alike."""
    if time_unit == AUTO:
        names = {columns[time]: units[time] for time in TIMES if units[time] in OTHERS}
        words = " and ".join(dict.fromkeys(WORDS[unit] for unit in names.values()))
        doubt = ""
        if any("frame" in plain(name) for name in names):
            doubt = " (frames count as samples; those of a video or a spectrogram are not)"
        if names:
            fixes.note(path.parent, f"times are read in {words}, as {_say([*names])}{doubt}")
        return
    stated = [
        name for name in columns.values() if unit_of(name) == "s" and plain(name) not in OWN_NAMES
    ]
    if stated and time_unit != "s":
        what = f"{_say(stated)} that times are in seconds, but they are read in {WORDS[time_unit]}"
        fixes.note(path.parent, f"{what}, as you say (--time-unit)")


def _say(columns: Sequence[Any]) -> str:
    """`the column onset_ms says`, or `the columns onset_ms and offset_ms say`."""
    names = [*dict.fromkeys(map(str, columns))]
    several = len(names) > 1
    return f"the column{'s' * several} {' and '.join(names)} {'say' if several else 'says'}"
