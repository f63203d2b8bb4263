"""The annotations in a folder of recordings, read as for a dataset, to compare predictions with."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from dss.data.annotation_files import MissingAnnotations
from dss.data.annotation_paths import annotation_finder, proposed_pattern
from dss.data.inputs import annotations_of
from dss.data.recording_files import find_recordings
from dss.data.recordings import open_at_own_rate
from dss.errors import DssError, raise_problems
from dss.options import FileOptions


class TrueAnnotations(NamedTuple):
    """The true annotations of a recording, and where they come from."""

    recording: Path
    file: Path
    table: pd.DataFrame


def true_annotations(
    folder: Path, options: FileOptions, is_left_out: Callable[[Path], bool]
) -> dict[str, TrueAnnotations]:
    """The annotations of each recording in a folder, by its path in it, without ending.

    Arguments:
        folder: recordings with annotations, wherever the options say that they are; recordings
            without annotations are left out.
        options: how to read them, as for a dataset.
        is_left_out: whether a recording does not count.

    Raises: DssError that lists what cannot be read.
    """
    try:
        recordings = find_recordings(folder, options.endings)
    except DssError:  # a folder of annotations alone
        return {}
    find = annotation_finder(options.annotations_at, folder)
    found, missing, problems = {}, [], []
    for recording in (path for path in recordings if not is_left_out(path)):

        def samplerate_hz(path: Path = recording) -> float:
            return open_at_own_rate(path, options.loader, None).samplerate_hz

        try:
            file, table = annotations_of(recording, options, find, samplerate_hz)
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
