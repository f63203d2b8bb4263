"""A corpus: the recordings of a data folder with their annotations, read and checked together."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from dss.data import targets
from dss.data.annotated_recordings import AnnotatedRecording, read_annotated_recordings
from dss.data.annotated_stretches import known_stretches
from dss.data.annotations import EVENT, NOISE, definitions_path, occurrences, segments_in
from dss.data.automatic_options import EVENT_STD_SECONDS, chosen_options
from dss.data.check import find_problems
from dss.data.overlaps import overlap_warnings, overlaps, without_overlaps
from dss.data.problems import as_table, format_problems, problems_of, raise_errors
from dss.data.recordings import Recording
from dss.data.song_types import song_types
from dss.data.splits import Song
from dss.data.stretches import as_mask, complement, intersection, union
from dss.data.text_tables import TIMES
from dss.errors import DssError, raise_problems, warn
from dss.options import DatasetOptions
from dss.support.units import counted

LONGEST_NAME = 200  # bytes
BOUNDARIES = ("onset", "offset")


@dataclass(frozen=True, eq=False)
class Corpus:
    """The recordings, annotations and options that a dataset is made from."""

    sources: list["Source"]  # sorted by path
    types: dict[str, str]  # the category of each song type
    options: DatasetOptions  # including those chosen from the data
    reasons: dict[str, str]  # for the chosen options
    gaps_within_types: bool  # whether only segments of the same song type are moved apart
    fixed: list[str]  # a sentence per fix

    @property
    def samplerate_hz(self) -> float:
        """The sample rate of all recordings."""
        return self.sources[0].recording.samplerate_hz

    @cached_property
    def tables(self) -> list[pd.DataFrame]:
        """The annotations as the targets show them: with gaps, and boundaries as events."""
        return [_with_targets(source.annotations, self) for source in self.sources]


@dataclass(frozen=True)
class Source:
    """A recording and its annotations."""

    recording: Recording
    name: str  # its path relative to the data folder
    annotations: pd.DataFrame  # with renamed song types
    known: np.ndarray | None  # [stretches, 2] seconds where all types are known; None: everywhere

    def known_samples(self, start_sample: int, stop_sample: int) -> np.ndarray:
        """Whether each sample of a stretch is known: [samples] bool."""
        if self.known is None:
            return np.ones(stop_sample - start_sample, bool)
        return as_mask(self.known, self.recording.samplerate_hz, start_sample, stop_sample)

    @property
    def known_seconds(self) -> float:
        """How many seconds are known."""
        duration = self.recording.duration_seconds
        return duration - self.unknown_seconds(0, self.recording.n_samples)

    def unknown_seconds(self, start_sample: int, stop_sample: int) -> float:
        """How many seconds of a stretch are unknown."""
        if self.known is None:
            return 0.0
        stretch = np.array([[start_sample, stop_sample]]) / self.recording.samplerate_hz
        known = intersection(self.known, stretch)
        return max(0.0, float(np.diff(stretch).sum() - np.diff(known).sum()))

    def song(self, types: Mapping[str, str], reach_seconds: float, group: str) -> Song:
        """What a split must not cut: annotations, with the targets around events."""
        table = occurrences(self.annotations)[lambda t: t["name"].isin(types)]
        times = table[TIMES].to_numpy()
        reach = np.where(table["name"].map(types) == EVENT, reach_seconds, 0)[:, None] * [-1, 1]
        extents = np.round((times + reach) * self.recording.samplerate_hz).astype(int)
        extents[:, 1] += 1
        extents = np.clip(extents, 0, self.recording.n_samples)
        known = self.known
        if known is not None:
            known = np.round(known * self.recording.samplerate_hz).astype(int)
        return Song(self.recording.n_samples, extents, table["name"].tolist(), group, known)


def read_corpus(folder: Path, options: DatasetOptions) -> Corpus:
    """Read all annotations of a data folder and the headers of its recordings.

    Raises: DssError that lists all problems, by file and row.
    """
    recordings, fixed = _read_folder(folder, options)
    problems = as_table(find_problems(recordings, options.tolerance_seconds))
    raise_errors(problems)
    if len(problems):
        n, first = len(problems), format_problems(problems)[0]
        others = (
            f" (and {counted(n - 1, 'more warning')}: see `dss check {folder}`)" if n > 1 else ""
        )
        warn(f"{first}{others}")
    types, old_types, old_names = _types(recordings, folder, options)
    renamed = [_renamed(found.table, options.rename) for found in recordings]
    annotated = [
        _annotated_stretches(found, new, options, types)
        for found, new in zip(recordings, renamed, strict=True)
    ]
    root = folder.parent if folder.is_file() else folder
    names = [found.recording.path.relative_to(root).as_posix() for found in recordings]

    def known_with(event_std_seconds: float | None) -> list[np.ndarray]:
        reach = targets.GAUSSIAN_REACH * (event_std_seconds or 0)
        return [
            known_stretches(found.table, old_types, stretches, reach, old_names)
            for found, stretches in zip(recordings, annotated, strict=True)
        ]

    known = known_with(options.event_std_seconds or EVENT_STD_SECONDS)
    seconds, all_seconds = (
        [float(np.diff(of_one).sum()) for of_one in stretches] for stretches in (known, annotated)
    )
    are_excerpts = sum(seconds) < sum(all_seconds)
    settled, reasons = chosen_options(renamed, seconds, types, options, names, are_excerpts)
    if options.overlaps == "share":
        for sentence in overlap_warnings(renamed, types, 1 / recordings[0].recording.samplerate_hz):
            warn(sentence)
    sources = []
    known = known_with(settled.event_std_seconds)
    for name, found, new, of_one in zip(names, recordings, renamed, known, strict=True):
        whole = [[0, found.recording.duration_seconds]]
        is_all = of_one.shape == (1, 2) and np.allclose(of_one, whole)
        sources.append(Source(found.recording, name, new, None if is_all else of_one))
    if options.boundary_targets:
        types |= dict.fromkeys(BOUNDARIES, EVENT)
    within_types = options.gap_seconds is None
    return Corpus(sources, types, settled, reasons, within_types, fixed)


def _types(
    recordings: list[AnnotatedRecording], folder: Path, options: DatasetOptions
) -> tuple[dict[str, str], dict[str, str], set[str]]:
    """The categories of the song types to make targets for, by their new names and by those in the
    files; and all names in the files.
    """
    definitions = [definitions_path(found.recording.path) for found in recordings]
    by_file = _by_file(recordings)
    old_names = _old_names(by_file, definitions, options.rename) if options.rename else []
    all_types = song_types(by_file, definitions, options.rename)
    types = _wanted_types(all_types, folder, options)
    new_names = {old: options.rename.get(old, old) for old in old_names or all_types}
    old_types = {old: types[new] for old, new in new_names.items() if new in types}
    return types, old_types, {*new_names}.union(*(found.table["name"] for found in recordings))


def _annotated_stretches(
    found: AnnotatedRecording,
    table: pd.DataFrame,
    options: DatasetOptions,
    types: Mapping[str, str],
) -> np.ndarray:
    """The annotated stretches of a recording, without those that count as unknown: in seconds."""
    end = found.recording.duration_seconds
    stretches = found.annotated(options.tolerance_seconds)
    stretches = intersection(stretches, complement(found.unknown, end))
    if options.overlaps == "unknown":
        shared = [overlap[2:] for overlap in overlaps(table, types)]
        stretches = intersection(stretches, complement(union(np.array(shared)), end))
    return stretches


def _with_targets(table: pd.DataFrame, corpus: Corpus) -> pd.DataFrame:
    types, options = corpus.types, corpus.options
    if options.overlaps in ("shorter", "later"):
        table = without_overlaps(table, types, options.overlaps).reset_index(drop=True)
    if options.boundary_targets:
        segments = segments_in(table, types)
        rows = [
            segments.assign(name=name, start_seconds=segments[time], stop_seconds=segments[time])
            for name, time in zip(BOUNDARIES, TIMES, strict=True)
        ]
        table = pd.concat([table, *rows], ignore_index=True)
    return targets.add_gaps(table, types, options.gap_seconds or 0, corpus.gaps_within_types)


def _read_folder(
    folder: Path, options: DatasetOptions
) -> tuple[list[AnnotatedRecording], list[str]]:
    """The recordings with their annotations, and the fixes as sentences."""
    recordings, failed, fixed = read_annotated_recordings(folder, options)
    problems = [problem for path, error in failed for problem in problems_of(error, path)]
    problems = [*dict.fromkeys(problems)]  # problems of options would appear once per file
    heading = "These recordings and annotations cannot be read:"
    raise_problems(format_problems(as_table(problems)), heading)
    sentences = [f"{file}: {what}" for file, what in fixed]
    if options.strict:
        raise_problems(sentences, "These files need fixes, which strict forbids:")
    return recordings, sentences


def _by_file(recordings: list[AnnotatedRecording]) -> dict[Path, pd.DataFrame]:
    """The tables by file; the tables of several recordings in one file are combined."""
    parts: dict[Path, list[pd.DataFrame]] = {}
    for found in recordings:
        parts.setdefault(found.file, []).append(found.table)
    return {path: pd.concat(of_file) for path, of_file in parts.items()}


def _renamed(table: pd.DataFrame, rename: Mapping[str, str]) -> pd.DataFrame:
    return table.assign(name=[rename.get(name, name) for name in table["name"]])


def _old_names(by_file, definitions: list[Path], rename: Mapping[str, str]) -> list[str]:
    """The song types by their names in the files; and `noise`, if something is renamed to it.

    Raises: DssError if an old name does not exist.
    """
    old = [*song_types(by_file, definitions)]
    if any((table["name"] == NOISE).any() for table in by_file.values()):
        old += [NOISE] * (NOISE in rename)
    unknown = [name for name in rename if name not in old]
    raise_problems(unknown, f"rename: the song types are {', '.join(old)}, but not:")
    return old


def _wanted_types(types: dict[str, str], folder: Path, options: DatasetOptions) -> dict[str, str]:
    """The song types to make targets for, among all annotated ones."""
    if options.song_types is not None:
        unknown = [name for name in options.song_types if name not in types]
        heading = f"{folder}: the song types are {', '.join(types) or 'none'}, but not:"
        raise_problems(unknown, heading)
        types = {name: types[name] for name in options.song_types}
    if not types:
        raise DssError(f"{folder}: the annotations contain no song types")
    if options.individual_targets:
        raise_problems(
            [name for name in types if not _can_be_a_file(name)],
            "individual_targets: no file can be named after these song types, which contain a "
            "slash, a backslash or a control character, or are very long; rename them (rename):",
        )
        first: dict[str, str] = {}
        alike = [(first.setdefault(name.casefold(), name), name) for name in types]
        raise_problems(
            [f"{one} and {other}" for one, other in alike if one != other],
            "individual_targets: files whose names differ only in case are the same file on "
            "Windows and macOS; rename one of these song types (rename):",
        )
    clash = [name for name in BOUNDARIES if name in types and options.boundary_targets]
    raise_problems(clash, "boundary_targets adds song types with these names; rename yours:")
    return types


def _can_be_a_file(name: str) -> bool:
    """Whether y_NAME.npy is a valid file name on all systems."""
    return (
        name.isprintable() and not {*'/\\:*?"<>|'} & {*name} and len(name.encode()) <= LONGEST_NAME
    )
