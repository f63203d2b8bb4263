"""Problems of recordings: names, channels, sample rates, levels, annotation files left unread."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd

from dss.data.annotated_recordings import AnnotatedRecording
from dss.data.annotation_files import unread_annotations
from dss.data.annotations import annotations_path
from dss.data.levels import level_problems, spread_blocks
from dss.data.problems import ERROR, WARNING, Problem, problems_of
from dss.data.recording_files import visible_files
from dss.data.recordings import Recording
from dss.data.sample_rates import proposed_rate
from dss.errors import DssError
from dss.support.progress import bar
from dss.support.units import counted, listed

# Files of annotations, judging by their names, which begin with that of a recording.
OF_ONE_RECORDING = re.compile(
    r"([^.]+?)(?:_annotations\.csv|(?:_(?:annotations|labels))?(?:\..*)?"
    r"\.(?:textgrid|not\.mat|selections\.txt|eaf|svl|phn))"
)


def differences(annotated: Sequence[AnnotatedRecording]) -> Iterator[Problem]:
    """Recordings that share a name, or differ from the others in channels or sample rate."""
    recordings = [found.recording for found in annotated]
    yield from _same_stems(recordings)
    yield from _channels(recordings)
    yield from _rates(recordings, [found.table for found in annotated])


def unread_files(found: AnnotatedRecording) -> Iterator[Problem]:
    """Files that are not read because STEM_annotations.csv takes precedence."""
    recording, file = found.recording.path, found.file
    for path in unread_annotations(recording) if file == annotations_path(recording) else ():
        text = f"{path.name} also exists but is not read; {file.name} is"
        yield str(file), None, None, text, WARNING


def without_recording(folder: Path, sources: Sequence[Path]) -> Iterator[Problem]:
    """Annotation files that are neither read nor named after any other file in their folder.

    Arguments:
        folder: the data folder, or its only recording.
        sources: the annotation files that are read.
    """
    names: dict[Path, list[str]] = {}
    for path in visible_files(folder) if folder.is_dir() else ():
        names.setdefault(path.parent, []).append(path.name)
    lost = []
    for place, there in names.items():
        found = {name: OF_ONE_RECORDING.fullmatch(name.lower()) for name in there}
        others = {name.lower().partition(".")[0] for name in there if not found[name]}
        lost += [place / name for name, of in found.items() if of and of[1] not in others]
    if lost := sorted({*lost} - {*sources}):
        files = listed([path.relative_to(folder) for path in lost])
        have = f"{counted(len(lost), 'annotation file')} {'has' if len(lost) == 1 else 'have'}"
        yield str(folder), None, None, f"{have} no recording: {files}", WARNING


def level_warnings(recordings: Sequence[Recording]) -> Iterator[Problem]:
    """Silent or clipped channels, and unreadable audio."""
    for recording in bar(recordings, desc="looking at levels", unit="recording", delay=1):
        try:
            wrong = level_problems(spread_blocks(recording), "samples looked at")
        except (DssError, OSError) as error:
            yield from problems_of(error, recording.path)
            continue
        for channel, problem in wrong:
            text = problem if recording.n_channels == 1 else f"channel {channel} {problem}"
            yield str(recording.path), None, None, text, WARNING


def _same_stems(recordings: Sequence[Recording]) -> Iterator[Problem]:
    first: dict[str, Path] = {}
    for path in (recording.path for recording in recordings):
        stem = path.with_suffix("")
        other = first.setdefault(str(stem).lower(), path)
        if other == path:
            continue
        if other.with_suffix("") == stem:
            text = f"has the same name as {other.name}, so both would get the same annotations"
            yield str(path), None, None, f"{text}; rename or move one", ERROR
        else:
            text = f"differs from {other} only in case: on Windows and macOS, these are the same "
            yield str(path), None, None, f"{text}file; rename one", WARNING


def _channels(recordings: Sequence[Recording]) -> Iterator[Problem]:
    usual = most_frequent([recording.n_channels for recording in recordings])
    for recording in recordings:
        if (n := recording.n_channels) != usual:
            text = f"has {counted(n, 'channel')}, but most of the others have {usual}; use one "
            text += "channel of each (--channel 0), or the mean of the channels (--mix)"
            yield str(recording.path), None, None, text, ERROR


def _rates(recordings: Sequence[Recording], tables: list[pd.DataFrame]) -> Iterator[Problem]:
    """Recordings with an unusual sample rate, and a rate that suits all of them."""
    usual = most_frequent([recording.samplerate_hz for recording in recordings])
    others = [recording for recording in recordings if recording.samplerate_hz != usual]
    if not others:
        return
    with suppress(DssError, OSError):  # unreadable audio is reported separately
        rate = proposed_rate(recordings, tables)
        for recording in others:
            text = f"the sample rate is {recording.samplerate_hz:g} Hz, not {usual:g} Hz as most "
            text += "of the others have; resample them all "
            text += f"(--samplerate-hz {rate:.15g}, which keeps the band of the song)"
            yield str(recording.path), None, None, text, ERROR


def most_frequent(values: Sequence[float]) -> float | None:
    """The most frequent of some values; None if there are none."""
    return pd.Series(values).mode().get(0)
