"""The annotations in a folder of recordings, read as for a dataset, to compare predictions with."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from dss.data.annotated_recordings import annotations_of
from dss.data.annotation_files import read_named_annotations
from dss.data.annotation_paths import annotation_finder, proposed_pattern
from dss.data.formats.shared_tables import read_all, shared_in
from dss.data.recording_files import AUDIO_ENDINGS, find_recordings
from dss.data.recordings import open_at_own_rate
from dss.errors import DssError, MissingAnnotations, raise_problems
from dss.options import FileOptions


class TrueAnnotations(NamedTuple):
    """The true annotations of a recording, and where they come from."""

    recording: Path
    file: Path
    table: pd.DataFrame


def true_annotations(
    folder: Path,
    options: FileOptions,
    is_left_out: Callable[[Path], bool],
    samplerate_hz: float | None = None,
) -> dict[str, TrueAnnotations]:
    """The annotations of each recording in a folder, by its path in it, without ending.

    Arguments:
        folder: recordings with annotations, wherever the options say that they are; recordings
            without annotations are left out.
        options: how to read them, as for a dataset.
        is_left_out: whether a recording does not count.
        samplerate_hz: the sample rate of recordings that do not store it.

    Raises: DssError that lists what cannot be read.
    """
    try:
        recordings = find_recordings(folder, options.endings)
    except DssError:  # a folder of annotations alone
        return {}
    find = annotation_finder(options.annotations_at, folder)
    found, missing, problems = {}, [], []
    for recording in (path for path in recordings if not is_left_out(path)):

        def own_rate_hz(path: Path = recording) -> float:
            return open_at_own_rate(path, options.loader, samplerate_hz).samplerate_hz

        try:
            file, table = annotations_of(recording, options, find, own_rate_hz)
        except MissingAnnotations:
            missing.append(recording)
        except DssError as error:
            problems.append(str(error))
        else:
            name = recording.with_suffix("").relative_to(folder).as_posix()
            found[name] = TrueAnnotations(recording, file, table)
    raise_problems(problems, "These annotations cannot be read:")
    if missing and not found and (pattern := proposed_pattern(folder, missing)):
        raise DssError(f"{folder}: the annotations are elsewhere: --annotations-at '{pattern}'")
    return found


def listed_annotations(
    folder: Path, stems: Iterable[str], options: FileOptions, samplerate_hz: float | None = None
) -> dict[str, TrueAnnotations]:
    """The annotations in tables of many recordings that lie in a folder without these recordings.

    Arguments:
        folder: the folder of the tables.
        stems: the recordings to look for first, by path without ending; others are listed by name.
        options: how to read them, as for a dataset.
        samplerate_hz: the sample rate of the recordings, for times in samples.

    Raises: DssError that says what cannot be read.
    """
    found: dict[str, TrueAnnotations] = {}
    for path, kind in shared_in(folder):
        format = options.annotation_format or kind
        if format.partition(":")[0] != kind:
            continue
        shared = read_all(path, format)
        rest = {file for alike in shared.files.values() for file in alike}
        possible = [(stem, folder / f"{stem}{end}") for stem in stems for end in AUDIO_ENDINGS]
        recordings = {shared.file_of(at): (stem, at) for stem, at in possible}
        for file in sorted(rest):
            name = re.split(r"[/\\]", file.strip())[-1]
            stem, recording = recordings.get(file, (Path(name).stem, folder / name))
            if stem in found:
                other = found[stem].file
                raise DssError(f"{path} and {other}: both contain annotations of {stem}")
            how = format, recording, options.unnamed, options.time_unit, samplerate_hz
            found[stem] = TrueAnnotations(recording, path, read_named_annotations(path, *how))
    return found
