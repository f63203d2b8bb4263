"""Annotations in JSON: exports of Label Studio, and tables such as those of WhisperSeg and AVGN.

- Label Studio, JSON and JSON-MIN: tasks with the name of a recording and labels with start and end.
- A table as columns, `{"onset": [...], "offset": [...], "cluster": [...]}`, or as rows,
  `[{"start": ..., "end": ..., "label": ...}, ...]`, with the names of columns that CSV files have;
  it may lie anywhere in the file, but there must not be a second one.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import Any

import pandas as pd

from dss.data.column_names import TIMES, columns_of, has_times, recording_column
from dss.data.text_tables import COLUMNS
from dss.data.time_units import time_columns
from dss.errors import DssError

UPLOAD = r"^[0-9a-f]{8}-"  # what Label Studio puts before the name of a file
MOST_LEVELS = 20


def read_json(text: str, path: Path) -> tuple[dict[str, list[tuple]], dict[str, str]]:
    """Read the annotations of each recording; "" is the one that the file is named after.

    Returns: the annotations, and the columns that their times come from, if it is a table; see
        `dss.data.time_units`.
    Raises: DssError if there are no annotations, or more than one table of them.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DssError(f"{path}: cannot be read as JSON ({error})") from None
    tasks = content if isinstance(content, list) else [content]
    found = [task for task in map(_task, tasks) if task]
    if found:
        by_name: dict[str, list[tuple]] = {}
        for name, labels in found:
            by_name.setdefault(name, []).extend(labels)
        return by_name, {}
    tables = [*_tables(content)]
    if len(tables) != 1:
        count = f"{len(tables)} tables" if tables else "no table"
        raise DssError(
            f"{path}: contains {count} with starts and stops; there should be one, or the tasks of "
            "Label Studio"
        )
    return _by_recording(tables[0], path)


def _task(task: Any) -> tuple[str, list[tuple]] | None:
    """The recording of a task of Label Studio, and its labels."""
    if not isinstance(task, dict):
        return None
    data = task.get("data", task)
    audio = data.get("audio") if isinstance(data, dict) else None
    results = task.get("annotations") or ([{"result": task["label"]}] if "label" in task else [])
    if not isinstance(audio, str) or not isinstance(results, list):
        return None
    labels: list[tuple] = []
    for result in results[-1:]:  # the latest annotation of a task counts
        for item in (result.get("result") if isinstance(result, dict) else None) or []:
            value = item.get("value", item) if isinstance(item, dict) else None
            if isinstance(value, dict) and isinstance(names := value.get("labels"), list):
                times = [value.get(end, "missing") for end in ("start", "end")]
                labels += [(str(name), *times) for name in names]
    return _file(audio), labels


def _tables(content: Any, level: int = 0) -> Iterator[dict[str, list]]:
    """All tables with starts and stops, as columns."""
    if level > MOST_LEVELS:
        return
    if isinstance(content, dict):
        columns = {name: column for name, column in content.items() if isinstance(column, list)}
        if has_times(columns):
            yield columns
            return
        children = [*content.values()]
    elif isinstance(content, list):
        rows = [row for row in content if isinstance(row, dict)]
        if rows and has_times(rows[0]):
            yield {name: [row.get(name) for row in rows] for name in rows[0]}
            return
        children = content
    else:
        return
    for child in children:
        yield from _tables(child, level + 1)


def _by_recording(
    columns: dict[str, list], path: Path
) -> tuple[dict[str, list[tuple]], dict[str, str]]:
    times = time_columns([*columns])
    found = columns_of(COLUMNS, [*columns]) | times
    file_column = recording_column(columns)
    used = [column for column in (*found.values(), file_column) if column]
    if len({len(columns[column]) for column in used}) > 1:
        raise DssError(f"{path}: the lists {', '.join(used)} should have the same length")
    table = pd.DataFrame({column: pd.Series(columns[column], dtype=object) for column in used})
    table = table.rename(columns={there: column for column, there in found.items()})
    table[TIMES] = table[TIMES].astype(object).where(table[TIMES].notna(), "missing")
    names = table["name"] if "name" in table else [None] * len(table)
    files = [_file(file) for file in table[file_column]] if file_column else [""] * len(table)
    by_name: dict[str, list[tuple]] = {}
    for file, name, start, stop in zip(files, names, *(table[time] for time in TIMES), strict=True):
        by_name.setdefault(file, []).append((None if name is None else str(name), start, stop))
    return by_name, times


def _file(path: Any) -> str:
    """The name of a file on any system, without what Label Studio puts before it."""
    return re.sub(UPLOAD, "", PureWindowsPath(str(path)).name)
