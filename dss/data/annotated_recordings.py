"""Recordings read together with their annotations, where what is certain is fixed."""

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from dss.data import fixes
from dss.data.annotated_stretches import read_annotated
from dss.data.annotation_files import recording_annotations
from dss.data.annotation_paths import (
    AnnotationFinder,
    annotation_finder,
    files_by_pattern,
    proposed_pattern,
)
from dss.data.annotation_values import Unread
from dss.data.annotations import SampleRate, beyond_ends, occurrences, time_problems, times_of
from dss.data.recording_files import find_recordings
from dss.data.recordings import Recording, open_at_own_rate
from dss.data.stretches import union
from dss.data.text_tables import COLUMNS, TIMES
from dss.data.time_units import AUTO
from dss.errors import DssError, MissingAnnotations
from dss.options import FileOptions, SourceOptions
from dss.support.progress import bar, say
from dss.support.units import counted, readable

MOST = 0.5  # fraction of the annotations
MOST_PRINTED = 5  # errors printed while files are read
FAR = 10  # times the length of a recording: a single annotation that far uses another unit
MISTAKEN_SECONDS = 1  # beyond the end of a recording: a mistake, not another unit
NOTHING = np.empty((0, 2))  # stretches

Failure = tuple[Path, DssError | OSError]  # a recording, and why it cannot be used


class AnnotatedRecording(NamedTuple):
    """A recording and its annotations."""

    recording: Recording
    file: Path  # the annotation file
    table: pd.DataFrame  # the annotations, fixed
    unknown: np.ndarray = NOTHING  # [stretches, 2] seconds around rows that were skipped

    def annotated(self, tolerance_seconds: float) -> np.ndarray:
        """The stretches that were annotated; arguments and errors as for `read_annotated`."""
        recording = self.recording
        tolerance = _tolerance(recording, tolerance_seconds)
        return read_annotated(recording.path, recording.duration_seconds, tolerance)


def annotations_of(
    path: Path,
    options: FileOptions,
    find_file: AnnotationFinder | None,
    samplerate_hz: SampleRate = None,
) -> tuple[Path, pd.DataFrame]:
    """The annotation file of a recording and its table, read as the options say.

    `samplerate_hz` is that of the file, or a function that returns it, for times in samples.
    """
    how = options.annotation_format, options.annotation_loader, find_file, options.unnamed
    return recording_annotations(path, *how, options.time_unit, samplerate_hz)


def read_annotated_recording(
    path: Path, options: SourceOptions, find_file: AnnotationFinder | None = None
) -> AnnotatedRecording:
    """Read a recording's header and its annotations, and fix what is certain.

    Duplicate annotations count once, and times just beyond the recording are cut at its ends. With
    `skip_bad_rows`, invalid rows are left out.

    Raises: DssError if one of them cannot be read; its `rest` is the recording without the bad
        rows.
    """
    recording = open_at_own_rate(path, options.loader, options.samplerate_hz)
    own_rate = recording.samplerate_hz
    recording = recording.one_channel(options.channel, options.mix)
    recording = recording.resampled(options.samplerate_hz or own_rate)
    bad: list[tuple[int, str]] = []
    failed = None
    try:
        file, table = annotations_of(path, options, find_file, own_rate)
    except DssError as error:
        if not isinstance(error.rest, Unread):
            raise
        failed, (file, table, bad) = error, error.rest
    if options.time_unit in (AUTO, "s") and not table.attrs.get("unit"):
        _check_unit_fits(table, file, recording.duration_seconds, own_rate)
    rows = {row for row, _ in bad}
    rest = table.drop(index=list(rows)) if rows else table
    rest = _within(_without_doubles(rest, file), file, recording, options.tolerance_seconds)
    if failed and not options.skip_bad_rows:
        failed.rest = AnnotatedRecording(recording, file, rest)
        raise failed
    unknown = NOTHING
    if options.skip_bad_rows:
        wrong = time_problems(rest, recording.duration_seconds, 1 / recording.samplerate_hz)
        bad = sorted([*bad, *((row, f"({name}) {problem}") for row, name, problem in wrong)])
        rows |= {row for row, _ in bad}
        for row, problem in bad:
            fixes.note(file, f"row {row} is skipped, the audio around it unknown: {problem}")
        rest = rest.drop(index=list(rows & {*rest.index}))
        unknown = _around(table, rows, recording.duration_seconds)
    return AnnotatedRecording(recording, file, rest, unknown)


def read_annotated_recordings(
    folder: Path, options: SourceOptions
) -> tuple[list[AnnotatedRecording], list[Failure], list[fixes.Fix]]:
    """Read the recordings of a folder with their annotations.

    If some recordings have one channel and others several identical ones, only one channel is used.

    Returns: the readable recordings; the errors of the others, by recording; and the fixes.
    """
    paths = find_recordings(folder, options.endings)
    find_file = annotation_finder(options.annotations_at, folder)
    recordings: list[AnnotatedRecording] = []
    failed: list[Failure] = []
    n_printed = n_skipped = 0
    with fixes.collecting() as fixed:
        progress = bar(paths, desc="reading", unit="recording", delay=1)
        for path in progress:
            wrong: list[str] = []
            try:
                recordings.append(read_annotated_recording(path, options, find_file))
                wrong = [] if progress.disable else _wrong_times(recordings[-1], recordings[0])
            except (DssError, OSError) as error:
                if options.skip_unannotated and isinstance(error, MissingAnnotations):
                    n_skipped += 1
                    continue
                wrong = [str(error)]
                failed.append((path, error))
                if isinstance(rest := getattr(error, "rest", None), AnnotatedRecording):
                    recordings.append(rest)
            if wrong and n_printed < MOST_PRINTED and not progress.disable:
                say(f"error: {wrong[0]}")  # who waits for thousands of files sees it at once
                n_printed += 1
        if n_skipped:
            skipped = counted(n_skipped, "recording")
            fixes.note(folder, f"{skipped} without annotations left out")
        if any(found.recording.n_channels == 1 for found in recordings):
            recordings = [_without_equal_channels(found) for found in recordings]
    if n_skipped == len(paths):
        failed.append((folder, DssError(f"{folder}: no recording has annotations")))
    return recordings, _with_ways_out(failed, folder, len(paths)), [*fixed]


def _with_ways_out(failed: list[Failure], folder: Path, n_recordings: int) -> list[Failure]:
    """The errors, with what to do if annotations are missing: leave out, or look elsewhere."""
    missing = [path for path, error in failed if isinstance(error, MissingAnnotations)]
    if len(missing) < n_recordings:
        way = "(--skip-unannotated leaves out such recordings)"
        failed = [
            (path, DssError(f"{error} {way}") if isinstance(error, MissingAnnotations) else error)
            for path, error in failed
        ]
    are_many = len(missing) > max(1, MOST * n_recordings)  # one may just lack annotations
    if are_many and (pattern := proposed_pattern(folder, missing)):
        found = {path for path, _ in files_by_pattern(pattern, folder, missing)}
        failed = [(path, error) for path, error in failed if path not in found]
        is_beside = pattern.rpartition("/")[0] in ("", "{folder}")
        where = "in files of other names" if is_beside else "elsewhere"
        where = where if "{" in pattern else "in one file"
        are = f"annotations of {len(found)} of these {len(missing)} recordings are {where}"
        failed.append((folder, DssError(f"{folder}: {are}: --annotations-at '{pattern}'")))
    return failed


def _wrong_times(found: AnnotatedRecording, first: AnnotatedRecording) -> list[str]:
    """What cannot be right in the times of a recording, if it has the sample rate of the first."""
    rate = found.recording.samplerate_hz
    if rate != first.recording.samplerate_hz:  # nobody knows which is right
        return []
    wrong = time_problems(found.table, found.recording.duration_seconds, 1 / rate)
    return [f"{found.file}, row {row} ({name}): {problem}" for row, name, problem in wrong]


def _tolerance(recording: Recording, tolerance_seconds: float) -> float:
    """How far times may extend beyond a recording: at least one sample."""
    return max(tolerance_seconds, 1 / recording.samplerate_hz)


def _without_equal_channels(found: AnnotatedRecording) -> AnnotatedRecording:
    with suppress(DssError, OSError):  # reported when levels are checked
        return found._replace(recording=found.recording.without_equal_channels())
    return found


def _check_unit_fits(table: pd.DataFrame, file: Path, end: float, samplerate_hz: float) -> None:
    """Raise a DssError if times fit the recording in another unit, but not in seconds."""
    times = times_of(table)
    times = times[~np.isnan(times[:, 0])]
    is_beyond = times[:, 1] > end + MISTAKEN_SECONDS
    last = times.max(initial=0, where=~np.isnan(times))
    if is_beyond.sum() <= MOST * len(times) or (len(times) == 1 and last < FAR * end):
        return
    fits = ["milliseconds (--time-unit ms)"] if last <= 1000 * end else []
    if last <= end * samplerate_hz and (times == times.round()).all():
        fits.append("samples (--time-unit samples)")
    if fits:
        raise DssError(
            f"{file}: the times reach up to {last:g}, but the recording ends at {end:g} s. They "
            f"would fit as {' or as '.join(fits)}."
        )


def _without_doubles(table: pd.DataFrame, file: Path) -> pd.DataFrame:
    """Drop rows that exactly repeat another row; rows without a time may stay."""
    starts = table["start_seconds"].to_numpy(float)
    starts = starts[~np.isnan(starts)]
    if len({*starts.tolist()}) == len(starts):
        return table
    is_double = table.duplicated(COLUMNS) & table["start_seconds"].notna()
    rows = [*table.index[is_double]]
    if rows:
        s, n = "s" * (len(rows) == 1), counted(len(rows), "annotation")
        fixes.note(file, f"{n} appear{s} twice and count{s} once ({fixes.listed_rows(rows)})")
    return table[~is_double]


def _within(
    table: pd.DataFrame, file: Path, recording: Recording, tolerance_seconds: float
) -> pd.DataFrame:
    """Cut times that lie outside of the recording by no more than the tolerance.

    An event at the very end moves to the last sample. Differences of up to a sample are rounding
    errors and are not reported.
    """
    sample, end = 1 / recording.samplerate_hz, recording.duration_seconds
    times = times_of(table)
    start, stop = times.T
    with np.errstate(invalid="ignore"):
        out = beyond_ends(times, end)
        is_event = start == stop
        # If both ends of a segment lie outside, nothing remains to be cut.
        is_beyond = ~is_event & ((stop <= 0) | (start >= end + sample))
        is_near = (out <= _tolerance(recording, tolerance_seconds)) & ~is_beyond
        is_reported = is_near & (out > sample * 1.001)
        last = np.stack([np.full(len(times), end - sample), np.where(is_event, end - sample, end)])
        cut = times.clip(0, last.T)
        is_near &= (stop >= start) & (cut != times).any(axis=1)
    if is_reported.any():
        n, most = int(is_reported.sum()), readable(float(out[is_reported].max()))
        rows = fixes.listed_rows(table.index[is_reported])
        reach, are = ("reach", "are") if n > 1 else ("reaches", "is")
        what = f"{counted(n, 'annotation')} {reach} up to {most} beyond the recording"
        fixes.note(file, f"{what}, and {are} cut ({rows})")
    if not is_near.any():
        return table
    table = table.copy()
    table[TIMES] = np.where(is_near[:, None], cut, times)
    return table


def _around(table: pd.DataFrame, rows: set[int], duration_seconds: float) -> np.ndarray:
    """The time that skipped rows may occupy: from the row before to the row after each.

    The ends of the recording count as rows.
    """
    good = occurrences(table.drop(index=list(rows)))
    stretches = []
    for row in rows:
        before, after = good[good.index < row], good[good.index > row]
        own = pd.to_numeric(table.loc[row, TIMES], errors="coerce").astype(float)
        edges = [
            before["stop_seconds"].iloc[-1] if len(before) else 0.0,
            after["start_seconds"].iloc[0] if len(after) else duration_seconds,
            *own[np.isfinite(own)],
        ]
        stretches.append((min(edges), max(edges)))
    return union(np.clip(np.array(stretches, float).reshape(-1, 2), 0, duration_seconds))
