"""Problems within annotation tables: contradictions, overlaps, names, kinds and durations."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import pandas as pd

from dss.data.annotated_recordings import AnnotatedRecording
from dss.data.annotations import ABSENT, EVENT, NOISE, SEGMENT, plain_rows, time_problems
from dss.data.problems import COLUMNS, ERROR, WARNING, Problem
from dss.data.song_types import is_absence, song_names
from dss.support.units import readable

SHORT_SECONDS = 0.001
SHORT_PART = 0.1  # of the median of a song type
MANY = 50  # song types
ENOUGH = 5  # segments, for a meaningful median

Tables = list[tuple[str, pd.DataFrame]]  # annotation files, and their tables


def problems_within(
    found: AnnotatedRecording, names: set[str], with_times: bool
) -> Iterator[Problem]:
    """Problems within the annotations of one recording.

    `names` are those in all recordings: `not_x` marks the absence of x only if x is a name. The end
    of the recording counts only `with_times`: if its sample rate can be trusted.
    """
    recording, file, table, _ = found
    step, song = 1 / recording.samplerate_hz, song_names(names)
    overlaps = _overlaps(table, song, step)
    for problems in (_unconfirmed(table), _contradictions(table), _denied(table, song), overlaps):
        yield from ((str(file), *problem, WARNING) for problem in problems)
    if with_times:
        for problem in time_problems(table, recording.duration_seconds, step):
            yield str(file), *problem, ERROR


def problems_between(
    recordings: Sequence[AnnotatedRecording], names: set[str], definitions: dict[str, str]
) -> Iterator[Problem]:
    """Problems of names and durations across the files and annotations of all recordings.

    `names` are those in all recordings, and `definitions` the categories of defined names.
    """
    tables = [(str(found.file), found.table) for found in recordings]
    yield from _kinds(tables, definitions)
    yield from _short(tables, song_names(names))
    yield from _names(tables, song_names(names), definitions)


def _unconfirmed(table: pd.DataFrame) -> Iterator[tuple[None, None, str]]:
    """Proposals of a network (`dss predict --proposals`) that nobody reviewed."""
    if "confirmed" in table:
        n = int((table["confirmed"].astype(str).str.lower() == "false").sum())
        if n:
            message = "annotations were never confirmed; they count" if n > 1 else ""
            message = message or "annotation was never confirmed; it counts"
            yield None, None, f"{n} {message} as correct"


def _contradictions(table: pd.DataFrame) -> Iterator[tuple[int, str, str]]:
    first: dict[str, int] = {}
    without_time = []
    for row, name, start, _ in plain_rows(table):
        if math.isnan(start):
            without_time.append((row, name))
        else:
            first.setdefault(name, row)
    for row, name in without_time:
        if name in first:
            text = f"has no time, which means that it does not occur; but row {first[name]} is one"
            yield row, name, text


def _denied(table: pd.DataFrame, song: set[str]) -> Iterator[tuple[int, str, str]]:
    """Song of a type that another row says is absent there."""
    absent: dict[str, list[tuple[int, float, float]]] = {}
    for row, name, start, stop in plain_rows(table):
        if name not in song:
            absent.setdefault(name, []).append((row, start, stop))
    for row, name, start, stop in plain_rows(table) if absent else ():
        for other_row, first, last in absent.get(ABSENT + name, ()):
            if first <= (start + stop) / 2 < last:
                yield row, name, f"lies in {ABSENT}{name} (row {other_row}): correct one of them"
                break


def _overlaps(
    table: pd.DataFrame, song: set[str], tolerance_seconds: float
) -> Iterator[tuple[int, str, str]]:
    """Segments that begin before an earlier one ends, except duplicates."""
    rows: dict[tuple[str, float, float], int] = {}
    for row, name, start, stop in sorted(_segments(table, song), key=lambda segment: segment[2]):
        rows.setdefault((name, start, stop), row)
    last = None  # of the earlier ones, the one that ends last
    for (name, start, stop), row in rows.items():
        if last and last[2] - start > tolerance_seconds:
            other_row, other_name, other_stop = last
            shared = min(stop, other_stop) - start
            what = "another" if other_name == name else other_name
            yield row, name, f"overlaps {what} (row {other_row}) by {readable(shared)}"
        if not last or stop > last[2]:
            last = row, name, stop


def _kinds(tables: Tables, definitions: dict[str, str]) -> Iterator[Problem]:
    """Events whose other annotations of the same name are segments, or the reverse."""
    all_rows = [
        (file, row, name, EVENT if start == stop else SEGMENT)
        for file, table in tables
        for row, name, start, stop in plain_rows(table)
        if stop >= start and name != NOISE
    ]
    counts = Counter((name, kind) for _, _, name, kind in all_rows)
    usual = {name: kind for (name, kind), _ in reversed(counts.most_common())} | definitions
    for file, row, name, kind in all_rows:
        if kind != usual[name]:
            what = "start = stop, as an event" if kind == EVENT else "start < stop, as a segment"
            n_usual = counts[name, usual[name]]
            why = f"{n_usual} of {n_usual + counts[name, kind]} {name} are {usual[name]}s"
            if name in definitions:
                why = f"{name} is defined as {usual[name]}"
            yield file, row, name, f"has {what}, but {why}; use two names, or correct it", ERROR


def _short(tables: Tables, song: set[str]) -> Iterator[Problem]:
    """Segments that are far shorter than the others of their name."""
    segments = [
        (file, row, name, stop - start)
        for file, table in tables
        for row, name, start, stop in _segments(table, song)
    ]
    by_name = pd.DataFrame(segments, columns=[*COLUMNS[:3], "seconds"]).groupby("name")["seconds"]
    medians = by_name.median()[by_name.size() >= ENOUGH].to_dict()
    for file, row, name, seconds in segments:
        if seconds < max(SHORT_SECONDS, SHORT_PART * medians.get(name, 0)):
            text = f"lasts {readable(seconds)}"
            if name in medians:
                text += f"; the median of {name} is {readable(medians[name])}"
            yield file, row, name, text, WARNING


def _names(tables: Tables, song: set[str], definitions: dict[str, str]) -> Iterator[Problem]:
    """Names that are not defined, that seem to mark absence, or that differ from others only in
    case or spaces."""
    first: dict[str, tuple[str, int]] = {}
    counts: dict[str, int] = {}
    for file, table in tables:
        for row, name, _, _ in plain_rows(table):
            first.setdefault(name, (file, row))
            counts[name] = counts.get(name, 0) + 1
    rare = [name for name, n in counts.items() if n < ENOUGH]
    if len(counts) > MANY and len(rare) > len(counts) / 2:
        text = f"is one of {len(counts)} names, most of which occur less than {ENOUGH} times: are "
        text += "these song types? Name their column (annotation_format), or choose (song_types)."
        yield *first[rare[0]], rare[0], text, WARNING
    alike: dict[str, str] = {}
    for name in sorted(counts, key=lambda name: -counts[name]):
        usual = alike.setdefault("".join(name.split()).casefold(), name)
        if usual != name:
            text = (
                f"{name!r} ({counts[name]} of these) differs from {usual!r} ({counts[usual]}) only"
            )
            yield *first[name], name, f"{text} in case or spaces: are they the same?", WARNING
        if name in song and name.startswith(ABSENT):
            other = name.removeprefix(ABSENT)
            text = f"is learned as a song type, as there is no {other}. If it says where there is"
            yield *first[name], name, f"{text} none, add a row {other},NaN,NaN.", WARNING
        is_known = name in definitions or name == NOISE or is_absence(name, {*definitions})
        if definitions and not is_known:
            text = f"is not defined, only {', '.join(definitions)}"
            yield *first[name], name, text, WARNING


def _segments(table: pd.DataFrame, song: set[str]) -> list[tuple[int, str, float, float]]:
    """Segments of song: not those that mark noise, or absence."""
    return [
        (row, name, start, stop)
        for row, name, start, stop in plain_rows(table)
        if stop > start and name in song
    ]
