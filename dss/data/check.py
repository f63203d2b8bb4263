"""Checks of annotations: one table of everything that is wrong or questionable."""

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import pandas as pd

from dss.data.annotated_recordings import AnnotatedRecording, read_annotated_recordings
from dss.data.problems import ERROR, FIXED, Problem, as_table, problems_of
from dss.data.recording_problems import (
    differences,
    level_warnings,
    most_frequent,
    unread_files,
    without_recording,
)
from dss.data.song_type_problems import definitions_of, never_found, unknown_stretches
from dss.data.table_problems import problems_between, problems_within
from dss.errors import DssError
from dss.options import SourceOptions, takes_options
from dss.options.arguments import SourceArguments
from dss.support.progress import bar


@takes_options
def check_annotations(
    folder: str | Path, *, options: SourceOptions | None = None, **named: Unpack[SourceArguments]
) -> pd.DataFrame:
    """Check the recordings and annotations of a folder, and list all problems at once.

    Errors prevent making a dataset: recordings or annotations that are missing or unreadable, times
    that are not numbers, before the start, after the end or in the wrong order, and names used for
    both events and segments. Warnings point at probable mistakes: overlaps, duplicates, very short
    segments, song where another row says that there is none, names that are almost the same or
    undefined, song types that were never found, unconfirmed proposals, `noise` or
    `not_<song type>` that make the rest of their recording unknown, a second annotation file that
    is not read, annotation files without a recording, and silent or clipped channels.
    Levels are checked on half a minute of each recording, in 60 blocks spread evenly, so that hours
    of audio on a network drive take no longer.

    Arguments:
        folder: recordings with their annotations; or one recording.

    Returns: a table with the columns file, row, name, problem and severity (error, warning, or
        fixed: what dss fixes by itself unless it is strict), one row per problem, sorted by file
        and row; empty if there are no problems.
    Raises: DssError if there is no such folder, or no recording in it.

    Example:
        >>> from dss.data import check_annotations
        >>> check_annotations("finch").empty  # no problems found
        True
    """
    options = SourceOptions.given(options, named)
    recordings, failed, fixed = read_annotated_recordings(Path(folder), options)
    problems = [problem for path, error in failed for problem in problems_of(error, path)]
    severity = ERROR if options.strict else FIXED
    problems += [(file, None, None, what, severity) for file, what in fixed]
    problems += find_problems(recordings, options.tolerance_seconds)
    problems += never_found(recordings)
    problems += unknown_stretches(recordings, options.tolerance_seconds)
    problems += without_recording(Path(folder), [found.file for found in recordings])
    problems += level_warnings([found.recording for found in recordings])
    return as_table(problems)


def find_problems(
    recordings: Sequence[AnnotatedRecording], tolerance_seconds: float
) -> list[Problem]:
    """Problems with the annotations of opened recordings; their audio is not read.

    Annotated stretches may extend beyond a recording by the tolerance.
    """
    problems = list(differences(recordings))
    by_file, unreadable = definitions_of(recordings)
    definitions = {name: kind for of_file in by_file.values() for name, kind in of_file.items()}
    names = {*definitions}.union(*(found.table["name"] for found in recordings))
    usual_rate = most_frequent([found.recording.samplerate_hz for found in recordings])
    for found in bar(recordings, desc="comparing", unit="recording", delay=1):
        with_times = found.recording.samplerate_hz == usual_rate  # or the rate may be wrong
        problems += problems_within(found, names, with_times)
        try:
            problems += unread_files(found)
            found.annotated(tolerance_seconds)
        except (DssError, OSError) as error:
            problems += problems_of(error, found.recording.path)
    return [*problems, *unreadable, *problems_between(recordings, names, definitions)]
