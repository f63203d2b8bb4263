"""Problems of song types across recordings: never found, defined twice, made unknown by noise."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from dss.data.annotated_recordings import AnnotatedRecording
from dss.data.annotated_stretches import known_stretches
from dss.data.annotations import ABSENT, NOISE, definitions_path, plain_rows
from dss.data.automatic_options import EVENT_STD_SECONDS
from dss.data.problems import WARNING, Problem, problems_of
from dss.data.song_types import is_absence, read_definitions, song_types
from dss.data.targets import GAUSSIAN_REACH
from dss.errors import DssError
from dss.support.units import readable

NEVER_FOUND = "was never found: the network cannot learn it. Leave it out."


def definitions_of(
    recordings: Sequence[AnnotatedRecording],
) -> tuple[dict[Path, dict[str, str]], list[Problem]]:
    """The category of each name in each definitions file, and what is wrong with these files."""
    definitions, problems = {}, []
    paths = (definitions_path(found.recording.path) for found in recordings)
    for path in filter(Path.is_file, paths):
        try:
            definitions[path] = read_definitions(path)
        except (DssError, OSError) as error:
            problems += problems_of(error, path)
    return definitions, problems


def never_found(recordings: Sequence[AnnotatedRecording]) -> Iterator[Problem]:
    """Song types that are looked for or defined, but never annotated."""
    named: dict[str, tuple[str, int]] = {}
    there: set[str] = set()
    for path, definitions in definitions_of(recordings)[0].items():
        for row, name in enumerate(definitions, start=1):
            named.setdefault(name, (str(path), row))
    for found in recordings:
        for row, name, start, _ in plain_rows(found.table):
            if np.isnan(start):
                named.setdefault(name, (str(found.file), row))
            else:
                there.add(name)
    for name, (file, row) in named.items():
        if name not in {*there, NOISE} and not is_absence(name, {*there, *named}):
            yield file, row, name, NEVER_FOUND, WARNING


def unknown_stretches(
    recordings: Sequence[AnnotatedRecording], tolerance_seconds: float
) -> Iterator[Problem]:
    """Annotations of noise, or absence, that make the rest of their recording unknown."""
    by_recording = {found.recording.path: found.table for found in recordings}
    marks = (NOISE, ABSENT)
    if not any(table["name"].str.startswith(marks).any() for table in by_recording.values()):
        return  # and the definitions are not needed
    reach = GAUSSIAN_REACH * EVENT_STD_SECONDS
    with suppress(DssError, OSError):  # reported elsewhere
        types = song_types(by_recording, definitions_of(recordings)[0])
        names = set(types).union(*(table["name"] for table in by_recording.values()))
        for found in recordings:
            written = found.table["name"]
            is_mark = written.map(lambda name: name == NOISE or is_absence(name, names))
            if not is_mark.any():
                continue
            row = is_mark.idxmax()
            annotated = found.annotated(tolerance_seconds)
            known = known_stretches(found.table, types, annotated, reach, names)
            unknown = float(np.diff(annotated).sum() - np.diff(known).sum())
            if unknown > 1 / found.recording.samplerate_hz:
                text = f"the other {readable(unknown)} are unknown: neither song nor noise"
                text = f"means that in this recording only annotated time is known; {text}"
                yield str(found.file), row, written[row], text, WARNING
