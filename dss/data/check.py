"""Checks of annotations: a table of everything that is wrong, or probably not meant, at once."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd

from dss.data.annotated import known_stretches, read_annotated
from dss.data.annotation_files import unread_annotations
from dss.data.annotations import (
    EVENT,
    NOISE,
    SEGMENT,
    annotations_path,
    definitions_path,
    found,
    is_absence,
    is_song,
    read_definitions,
    song_types,
    time_problems,
)
from dss.data.audio import Loader
from dss.data.choices import EVENT_STD_SECONDS
from dss.data.inputs import read_inputs
from dss.data.levels import level_problems, spread_blocks
from dss.data.rates import proposed_rate
from dss.data.recordings import Recording
from dss.data.targets import GAUSSIAN_REACH
from dss.errors import DssError, raise_problems
from dss.options import SourceOptions, takes_options
from dss.support.units import readable

ERROR, WARNING, MENDED = "error", "warning", "mended"
COLUMNS = ["file", "row", "name", "problem", "severity"]
SHORT_SECONDS = 0.001
SHORT_PART = 0.1  # of the median of a song type
ENOUGH = 5  # segments, for a median that says something
NEVER_FOUND = "was never found: the network cannot learn it. Leave it out."
MESSAGE = re.compile(r"(.+?)(?:, row (\d+))?(?: \(([^)]*)\))?: (.*)", re.DOTALL)

Problem = tuple[str, int | None, str | None, str, str]  # the columns


@takes_options
def check_annotations(
    folder: str | Path,
    loader: Loader | None = None,
    annotation_loader: Callable[[Path], pd.DataFrame] | None = None,
    *,
    options: SourceOptions,
) -> pd.DataFrame:
    """Check the recordings and annotations of a folder, and list every problem at once.

    Errors are what no dataset can be made of: recordings or annotations that are missing or cannot
    be read, times that are not numbers, before the start, after the end or in the wrong order,
    names that are used for events and for segments. Warnings are what is probably not meant:
    overlaps, doubles, very short segments, names that are almost the same or not defined, song
    types that were never found, proposals that nobody confirmed, `noise` that makes the rest of its
    recording unknown, a second file of annotations for a recording, which is not read, and channels
    that are silent or clipped. Of the audio half a minute of each recording is read, in 60 blocks
    spread evenly, so that hours of it on a network drive take no longer.

    Arguments:
        folder: recordings with their annotations; or one recording.
        loader: as for `open_recording`.
        annotation_loader: as for `recording_annotations`.

    Returns: a table with the columns file, row, name, problem and severity (error, warning, or
        mended: what dss puts right unless it is strict), a row a problem, by file and row; without
        rows if all is well.
    Raises: DssError if there is no such folder, or no recording in it.

    Example:
        >>> from dss.data import check_annotations
        >>> check_annotations("finch").empty  # no problems found
        True
    """
    inputs, failed, mended = read_inputs(Path(folder), options, loader, annotation_loader)
    recordings = [found.recording for found in inputs]
    tables = [(found.file, found.table) for found in inputs]
    problems = [problem for path, error in failed for problem in _problems_of(error, path)]
    severity = ERROR if options.strict else MENDED
    problems += [(file, None, None, what, severity) for file, what in mended]
    problems += find_problems(recordings, tables).itertuples(index=False, name=None)
    problems += [*_never_found(recordings, tables), *_unknown(recordings, tables)]
    problems += _levels(recordings)
    return _as_table(problems)


def find_problems(
    recordings: Sequence[Recording], tables: Sequence[tuple[Path, pd.DataFrame]]
) -> pd.DataFrame:
    """What is wrong with the annotations of opened recordings, whose audio is not read.

    Arguments:
        recordings: the recordings.
        tables: for each, the file of its annotations and their table, as `recording_annotations`
            gives them.
    """
    problems = [*_same_stems(recordings), *_channels(recordings), *_rates(recordings, tables)]
    usual_rate = _usual([recording.samplerate_hz for recording in recordings])
    for recording, (source, table) in zip(recordings, tables, strict=True):
        step = 1 / recording.samplerate_hz
        in_file = [
            *((*p, WARNING) for p in _unconfirmed(table)),
            *((*p, WARNING) for p in _contradictions(table)),
            *((*p, WARNING) for p in _overlaps(table, step)),
        ]
        if recording.samplerate_hz == usual_rate:  # or nobody knows whether it is the right one
            wrong = time_problems(table, recording.duration_seconds, step)
            in_file += ((*p, ERROR) for p in wrong)
        problems += [(str(source), *problem) for problem in in_file]
        try:
            problems += _unread(recording, source)
            read_annotated(recording.path, recording.duration_seconds)
        except (DssError, OSError) as error:
            problems += _problems_of(error, recording.path)
    by_file, unreadable = _definitions(recordings)
    definitions = {name: kind for of_file in by_file.values() for name, kind in of_file.items()}
    problems += unreadable
    problems += [*_kinds(tables, definitions), *_short(tables), *_names(tables, definitions)]
    return _as_table(problems)


def raise_errors(problems: pd.DataFrame) -> None:
    """Raise the errors in a table of problems as one DssError; do nothing if there are none."""
    errors = problems[problems["severity"] == ERROR]
    raise_problems(format_problems(errors), "These recordings and annotations cannot be used:")


def format_problems(problems: pd.DataFrame) -> list[str]:
    """A sentence for each problem of a table."""
    sentences = []
    for file, row, name, problem, _ in problems.itertuples(index=False, name=None):
        where = "" if pd.isna(row) else f", row {row}"
        sentences.append(f"{file}{where}{'' if pd.isna(name) else f' ({name})'}: {problem}")
    return sentences


def _as_table(problems: list[Problem]) -> pd.DataFrame:
    table = pd.DataFrame(problems, columns=COLUMNS).astype({"row": "Int64"})
    return table.sort_values(["file", "row"], ignore_index=True, kind="stable", na_position="first")


def _problems_of(error: Exception, path: Path) -> list[Problem]:
    """The problems that an error lists, which begin with a file and perhaps a row and a name.

    An error of the system, such as that a file may not be read, is about `path` if it names none.
    """
    if isinstance(error, OSError):
        text = f"cannot be read ({error.strerror or error})"
        return [(str(error.filename or path), None, None, text, ERROR)]
    found = []
    for text in getattr(error, "problems", None) or [str(error)]:
        match = MESSAGE.fullmatch(text)
        if not match:  # it is about no file
            raise error
        file, row, name, problem = match.groups()
        found.append((file, int(row) if row else None, name, problem, ERROR))
    return found


def _same_stems(recordings: Sequence[Recording]) -> Iterator[Problem]:
    first: dict[Path, Path] = {}
    for path in (recording.path for recording in recordings):
        other = first.setdefault(path.with_suffix(""), path)
        if other != path:
            text = f"has the same name as {other.name}, so that both have the same annotations"
            yield str(path), None, None, f"{text}; rename or move one", ERROR


def _usual(values: Sequence[float]) -> float | None:
    return pd.Series(values).mode().get(0)


def _channels(recordings: Sequence[Recording]) -> Iterator[Problem]:
    usual = _usual([recording.n_channels for recording in recordings])
    for recording in recordings:
        if (n := recording.n_channels) != usual:
            text = f"has {n} channel{'s' * (n > 1)}, not {usual} as most of the others; use one "
            text += "channel of each (--channel 0), or the mean of its channels (--mix)"
            yield str(recording.path), None, None, text, ERROR


def _rates(recordings: Sequence[Recording], tables) -> Iterator[Problem]:
    """Recordings of another sample rate than most, and which rate suits all of them."""
    usual = _usual([recording.samplerate_hz for recording in recordings])
    others = [recording for recording in recordings if recording.samplerate_hz != usual]
    if not others:
        return
    with suppress(DssError, OSError):  # audio that cannot be read is a problem of its own
        rate = proposed_rate(recordings, [table for _, table in tables])
        for recording in others:
            text = f"the sample rate is {recording.samplerate_hz:g} Hz, not {usual:g} Hz as most "
            text += f"of the others have; resample them all (--samplerate-hz {rate:g}, which keeps "
            yield str(recording.path), None, None, f"{text}the band of the song)", ERROR


def _unread(recording: Recording, source: Path) -> Iterator[Problem]:
    """Files that are not read because STEM_annotations.csv counts first."""
    if source != annotations_path(recording.path):
        return
    for path in unread_annotations(recording.path):
        text = f"{path.name} is there too and is not read; {source.name} is"
        yield str(source), None, None, text, WARNING


def _unconfirmed(table: pd.DataFrame) -> Iterator[tuple[None, None, str]]:
    """Proposals of a network (`dss predict --proposals`) that nobody looked at."""
    if "confirmed" in table:
        n = int((table["confirmed"].astype(str).str.lower() == "false").sum())
        if n:
            said = "annotations were never confirmed; they count" if n > 1 else ""
            said = said or "annotation was never confirmed; it counts"
            yield None, None, f"{n} {said} as true"


def _contradictions(table: pd.DataFrame) -> Iterator[tuple[int, str, str]]:
    there = found(table)
    for row, name in table.loc[table["start_seconds"].isna(), "name"].items():
        rows = there.index[there["name"] == name]
        if len(rows):
            yield (
                row,
                name,
                f"has no time, which means that there is none; but row {rows[0]} is one",
            )


def _overlaps(table: pd.DataFrame, tolerance_seconds: float) -> Iterator[tuple[int, str, str]]:
    """Segments that begin before an earlier one ends, but for those that are there twice."""
    table = _segments(table).sort_values("start_seconds", kind="stable")
    table = table.drop_duplicates(["name", "start_seconds", "stop_seconds"])
    last = None  # of those before, the one that ends last
    for row, name, start, stop in _plain_rows(table):
        if last and last[2] - start > tolerance_seconds:
            other_row, other_name, other_stop = last
            shared = min(stop, other_stop) - start
            what = "another" if other_name == name else other_name
            yield row, name, f"overlaps {what} (row {other_row}) by {readable(shared)}"
        if not last or stop > last[2]:
            last = row, name, stop


def _plain_rows(table: pd.DataFrame) -> Iterator[tuple[int, str, float, float]]:
    return table[["name", "start_seconds", "stop_seconds"]].itertuples(name=None)


def _segments(table: pd.DataFrame) -> pd.DataFrame:
    """Segments of song or noise, without those that say what is not there."""
    return table[is_song(table["name"]) & (table["stop_seconds"] > table["start_seconds"])]


def _levels(recordings: Sequence[Recording]) -> Iterator[Problem]:
    """Channels that are silent or clipped, and audio that cannot be read."""
    for recording in recordings:
        try:
            wrong = level_problems(spread_blocks(recording), "samples looked at")
        except (DssError, OSError) as error:
            yield from _problems_of(error, recording.path)
            continue
        for channel, problem in wrong:
            text = problem if recording.n_channels == 1 else f"channel {channel} {problem}"
            yield str(recording.path), None, None, text, WARNING


def _never_found(recordings: Sequence[Recording], tables) -> Iterator[Problem]:
    """Song types that are looked for or defined, but never annotated."""
    named: dict[str, tuple[str, int]] = {}
    for path, definitions in _definitions(recordings)[0].items():
        for row, name in enumerate(definitions, start=1):
            named.setdefault(name, (str(path), row))
    for source, table in tables:
        for row, name in table.loc[table["start_seconds"].isna(), "name"].items():
            named.setdefault(name, (str(source), row))
    there = {name for _, table in tables for name in found(table)["name"]}
    for name, (file, row) in named.items():
        if name not in {*there, NOISE} and not is_absence(name, {*there, *named}):
            yield file, row, name, NEVER_FOUND, WARNING


def _unknown(recordings: Sequence[Recording], tables) -> Iterator[Problem]:
    """Annotations of noise, where they make the rest of their recording unknown."""
    by_recording = {r.path: table for r, (_, table) in zip(recordings, tables, strict=True)}
    if not any((table["name"] == NOISE).any() for table in by_recording.values()):
        return  # and no definitions need be read
    reach = GAUSSIAN_REACH * EVENT_STD_SECONDS
    with suppress(DssError, OSError):  # which are among the problems already
        types = song_types(by_recording, _definitions(recordings)[0])
        names = set(types).union(*(table["name"] for table in by_recording.values()))
        for recording, (source, table) in zip(recordings, tables, strict=True):
            rows = table.index[table["name"] == NOISE]
            if not len(rows):
                continue
            looked_at = read_annotated(recording.path, recording.duration_seconds)
            known = known_stretches(table, types, looked_at, reach, names)
            unknown = float(np.diff(looked_at).sum() - np.diff(known).sum())
            if unknown > 1 / recording.samplerate_hz:
                text = f"the other {readable(unknown)} are unknown: neither song nor noise"
                text = f"means that in this recording only what is annotated is known; {text}"
                yield str(source), rows[0], NOISE, text, WARNING


def _definitions(
    recordings: Sequence[Recording],
) -> tuple[dict[Path, dict[str, str]], list[Problem]]:
    """The category by name that each file of definitions gives, and what is wrong with them."""
    definitions, problems = {}, []
    for path in (definitions_path(recording.path) for recording in recordings):
        try:
            if path.is_file():
                definitions[path] = read_definitions(path)
        except (DssError, OSError) as error:
            problems += _problems_of(error, path)
    return definitions, problems


def _kinds(tables, definitions: dict[str, str]) -> Iterator[Problem]:
    """Annotations that are events where the others of their name are segments, or the reverse."""
    all_rows = [
        (str(source), row, name, EVENT if start == stop else SEGMENT)
        for source, table in tables
        for row, name, start, stop in _plain_rows(found(table))
        if stop >= start and name != NOISE
    ]
    counts = Counter((name, kind) for _, _, name, kind in all_rows)
    usual = {name: kind for (name, kind), _ in reversed(counts.most_common())} | definitions
    for source, row, name, kind in all_rows:
        if kind != usual[name]:
            what = "start = stop, as an event" if kind == EVENT else "start < stop, as a segment"
            n_usual = counts[name, usual[name]]
            why = f"{n_usual} of {n_usual + counts[name, kind]} {name} are {usual[name]}s"
            if name in definitions:
                why = f"{name} is defined as {usual[name]}"
            yield source, row, name, f"has {what}, but {why}; use two names, or correct it", ERROR


def _short(tables) -> Iterator[Problem]:
    """Segments that are far shorter than the others of their name."""
    segments = [
        (str(source), row, name, stop - start)
        for source, table in tables
        for row, name, start, stop in _plain_rows(_segments(table))
    ]
    by_name = pd.DataFrame(segments, columns=[*COLUMNS[:3], "seconds"]).groupby("name")["seconds"]
    medians = by_name.median()[by_name.size() >= ENOUGH].to_dict()
    for source, row, name, seconds in segments:
        if seconds < max(SHORT_SECONDS, SHORT_PART * medians.get(name, 0)):
            text = f"lasts {readable(seconds)}"
            if name in medians:
                text += f"; the median of {name} is {readable(medians[name])}"
            yield source, row, name, text, WARNING


def _names(tables, definitions: dict[str, str]) -> Iterator[Problem]:
    """Names that are not defined, and those that differ from others only in case or blanks."""
    first: dict[str, tuple[str, int]] = {}
    counts: dict[str, int] = {}
    for source, table in tables:
        for row, name in table["name"].items():
            first.setdefault(name, (str(source), row))
            counts[name] = counts.get(name, 0) + 1
    alike: dict[str, str] = {}
    for name in sorted(counts, key=lambda name: -counts[name]):
        usual = alike.setdefault("".join(name.split()).casefold(), name)
        if usual != name:
            text = (
                f"{name!r} ({counts[name]} of these) differs from {usual!r} ({counts[usual]}) only"
            )
            yield *first[name], name, f"{text} in case or blanks: are they the same?", WARNING
        is_known = name in definitions or name == NOISE or is_absence(name, {*definitions})
        if definitions and not is_known:
            text = f"is not defined, only {', '.join(definitions)}"
            yield *first[name], name, text, WARNING
