"""TextGrid files of Praat: interval tiers contain segments, point tiers contain events.

The intervals of a tier neither overlap nor leave gaps; unnamed ones mean nothing. Like Praat
(https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html), dss reads text in quotes,
<flags> and numbers that stand alone, and skips the words between them. So it reads the long and the
short format alike, and numbers such as 5e-05, on which other readers fail.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from dss.data.formats.rows import Row, in_order, lanes
from dss.errors import DssError

OUR_TIERS = re.compile(r"(segments|events|annotations)( \d+)?")  # that dss writes
TOKEN = re.compile(
    r'"(?P<text>(?:[^"]|"")*)"|(?P<flag><\w+>)|(?<!\S)(?P<number>[-+]?\d[\d.]*(?:[eE][-+]?\d+)?)(?!\S)'
    r"|![^\n]*"  # a comment
)


def read(text: str, path: Path, tiers: list[str]) -> list[Row]:
    """Read the named intervals and points in these tiers of a TextGrid (see `rows_of_tiers`).

    Returns: name, start and stop of each, sorted by start; for a point, start = stop.
    Raises: DssError if the file is not a TextGrid, or it is unclear which tiers to read.
    """
    try:
        there = [*_tiers(_tokens(text))]
    except (StopIteration, ValueError, OverflowError, RuntimeError):
        raise DssError(
            f"{path}: cannot be read as TextGrid. It should be a text file: use Save as text file "
            "in Praat."
        ) from None
    return rows_of_tiers(there, tiers, path, "textgrid")


def rows_of_tiers(
    there: Sequence[tuple[str, list[Row]]], tiers: Sequence[str], path: Path, format: str
) -> list[Row]:
    """The annotations in the chosen tiers of a file, sorted by start.

    Arguments:
        there: the name and the annotations of each tier.
        tiers: the names of the tiers to read; if empty, the only tier that contains anything, or
            those that dss writes.
        path: the file, for error messages.
        format: its format, for error messages.

    Raises: DssError if there is no such tier, or it is unclear which to read.
    """
    names = [name for name, _ in there]
    missing = [name for name in tiers if name not in names]
    if missing:
        raise DssError(
            f"{path}: there is no tier {missing[0]!r}, only {', '.join(map(repr, names))}"
        )
    filled = [name for name, rows in there if rows]
    if not tiers and len(filled) > 1 and not all(map(OUR_TIERS.fullmatch, filled)):
        raise DssError(
            f"{path}: there are {len(filled)} tiers, {', '.join(filled)}. Name the tier or tiers "
            f"to read: annotation_format {format}:{filled[0]}."
        )
    chosen = [row for name, rows in there if not tiers or name in tiers for row in rows]
    return in_order(chosen)


def write(rows: Iterable[Row], path: Path, duration_seconds: float | None) -> None:
    """Write annotations as TextGrid: segments as intervals, events as points.

    Overlapping annotations go into further tiers: `segments 2`, `events 2`, ...
    """
    rows = in_order((name, round(a, 6), round(b, 6)) for name, a, b in rows)
    end = max([duration_seconds or 0.001, *(stop for _, _, stop in rows)])
    segments = lanes([row for row in rows if row[2] > row[1]]) or [[]]
    events = lanes([row for row in rows if row[2] == row[1]])
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", *_span(0, end)]
    lines += ["tiers? <exists>", f"size = {len(segments) + len(events)}", "item []:"]
    tiers = [("segments", i, lane) for i, lane in enumerate(segments)]
    tiers += [("events", i, lane) for i, lane in enumerate(events)]
    for number, (name, i, lane) in enumerate(tiers, start=1):
        is_interval = name == "segments"
        parts = [*_filled(lane, end)] if is_interval else lane
        what = "intervals" if is_interval else "points"
        lines += [f"    item [{number}]:"]
        lines += [f'        class = "{"IntervalTier" if is_interval else "TextTier"}"']
        lines += [f'        name = "{name}{f" {i + 1}" if i else ""}"']
        lines += [f"        {line}" for line in _span(0, end)]
        lines += [f"        {what}: size = {len(parts)}"]
        for j, (label, start, stop) in enumerate(parts, start=1):
            label = label.replace('"', '""')
            entry = [*_span(start, stop), f'text = "{label}"']
            if not is_interval:
                entry = [f"number = {start:.6f}", f'mark = "{label}"']
            lines += [f"        {what} [{j}]:", *(f"            {line}" for line in entry)]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _tokens(text: str) -> Iterator[str | float]:
    for match in TOKEN.finditer(text):
        if match["text"] is not None:
            yield match["text"].replace('""', '"')
        elif match["number"]:
            yield float(match["number"])
        elif match["flag"]:
            yield match["flag"]


def _tiers(tokens: Iterator[str | float]) -> Iterator[tuple[str, list[Row]]]:
    """The tiers, each with its name and its named intervals or points."""
    if (next(tokens), next(tokens)) != ("ooTextFile", "TextGrid"):
        raise ValueError
    _, _, flag = (next(tokens) for _ in range(3))
    for _ in range(_count(next(tokens)) if flag == "<exists>" else 0):
        is_interval, name = next(tokens) == "IntervalTier", str(next(tokens))
        _, _, n = (next(tokens) for _ in range(3))
        rows = []
        for _ in range(_count(n)):
            start = float(next(tokens))
            stop = float(next(tokens)) if is_interval else start
            label = str(next(tokens)).strip()
            if label:
                rows.append((label, start, stop))
        yield name, rows


def _count(number: str | float) -> int:
    if int(number) < 0:
        raise ValueError("a count is negative")
    return int(number)


def _span(start: float, stop: float) -> list[str]:
    return [f"xmin = {start:.6f}", f"xmax = {stop:.6f}"]


def _filled(lane: list[Row], end: float) -> Iterator[Row]:
    """Fill the gaps between intervals with unnamed ones, up to the end."""
    last = 0.0
    for name, start, stop in lane:
        if start > last:
            yield "", last, start
        yield name, start, stop
        last = stop
    if end > last:
        yield "", last, end
