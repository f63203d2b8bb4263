"""Pair true and predicted annotations, recording by recording."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypeGuard

import numpy as np
import pandas as pd

from dss.data.annotated_stretches import known_stretches, read_annotated
from dss.data.annotation_files import annotation_endings, read_named_annotations
from dss.data.annotations import EVENT, NOISE, SEGMENT, occurrences
from dss.data.column_names import called, has_times
from dss.data.formats import samplerate_of
from dss.data.formats.guessing import guess_format
from dss.data.recording_files import AUDIO_ENDINGS, visible_files
from dss.data.song_types import is_absence
from dss.data.stretches import contain
from dss.data.text_tables import TIMES, header_of
from dss.errors import DssError, raise_problems, warn
from dss.evaluate.doubts import doubts
from dss.evaluate.true_annotations import TrueAnnotations, listed_annotations, true_annotations
from dss.options import EvaluateOptions
from dss.support.files import resolved

ENDING = "_annotations.csv"
LIKE_ANNOTATIONS = "_near_misses.csv"  # has the same columns
# What may follow the stem of a recording in the name of an annotation file.
ENDINGS = re.compile(
    rf"({annotation_endings('|'.join(map(re.escape, AUDIO_ENDINGS)))}|(\.\w+)?\.not\.mat)$",
    re.IGNORECASE,
)
EVENT_REACH_SECONDS = 0.01  # around an event, there is known to be no other one
ALL = "all"  # the row for all song types together

Annotations: TypeAlias = str | Path | pd.DataFrame | TrueAnnotations
Recordings: TypeAlias = Annotations | Sequence[Annotations]


class AnnotationArrays(NamedTuple):
    """The annotations of a table as arrays, which are a hundred times faster."""

    names: np.ndarray  # [annotations] str
    times: np.ndarray  # [annotations, 2]: start and stop in seconds
    is_scored: np.ndarray  # [annotations] bool: whether it starts in an annotated stretch
    is_cut: np.ndarray  # [annotations, 2] bool: whether it starts, stops at the edge of a stretch

    @property
    def is_segment(self) -> np.ndarray:
        """Which annotations are segments, with stop > start: [annotations] bool."""
        return self.times[:, 1] > self.times[:, 0]


@dataclass(frozen=True, eq=False)
class Pair:
    """The true and the predicted annotations of one recording."""

    true: pd.DataFrame
    predicted: pd.DataFrame
    stretches: np.ndarray  # [stretches, 2]: first and last second of annotated stretches
    names: frozenset[str]  # song types that were annotated, or looked for and not found
    # The file of the true annotations, or the number of the table; or the recording, if its
    # annotations are in a file with others.
    source: str
    recording: Path | None = None  # if it is known

    @cached_property
    def arrays(self) -> tuple[AnnotationArrays, AnnotationArrays]:
        """The true annotations and the predicted ones."""
        both = []
        for table in (self.true, self.predicted):
            start, stop = (table[f"{edge}_seconds"].to_numpy(float) for edge in ("start", "stop"))
            names, times = table["name"].to_numpy(object), np.stack([start, stop], axis=1)
            edges = zip((start, stop), _edges(self.stretches), strict=True)
            is_cut = np.stack([np.isin(times, at) for times, at in edges], axis=1)
            both.append(AnnotationArrays(names, times, contain(self.stretches, start), is_cut))
        return both[0], both[1]


def read_pairs(
    true: Recordings, predicted: Recordings, options: EvaluateOptions | None = None
) -> list[Pair]:
    """Read true and predicted annotations, recording by recording; arguments as for `evaluate`."""
    options = options or EvaluateOptions()
    if _is_folder(true) and _is_folder(predicted):
        return _pairs_of_folders(Path(true), Path(predicted), options)
    elif _is_folder(true) or _is_folder(predicted):
        for given in (true, predicted):
            if isinstance(given, str | Path) and not Path(given).exists():
                raise DssError(f"{given}: there is no such file or folder")
        raise DssError(
            f"{true} and {predicted}: one is a folder, the other is not. Give two folders, or two "
            "files."
        )
    true, predicted = (
        [given] if isinstance(given, Annotations) else list(given) for given in (true, predicted)
    )
    if len(true) != len(predicted):
        raise DssError(
            f"There are {len(true)} tables of true annotations, but {len(predicted)} of predicted "
            "ones. Give one of each per recording."
        )
    several = Counter(given.file for given in true if isinstance(given, TrueAnnotations))
    given_rate = EvaluateOptions(samplerate_hz=options.samplerate_hz)
    tables = (
        [_table(t, options) for t in true],
        [_table(p, given_rate, _recording_of(t)) for t, p in zip(true, predicted, strict=True)],
    )
    if not all(isinstance(given, pd.DataFrame) for given in (*true, *predicted)):
        for doubt in doubts(*tables):
            warn(doubt)
    pairs = []
    for number, (given, t, p) in enumerate(zip(true, *tables, strict=True), start=1):
        if isinstance(given, TrueAnnotations):
            source = str(given.file if several[given.file] == 1 else given.recording)
            pair = _pair(t, p, _stretches(given.recording), source, given.recording)
        else:
            source = f"table {number}" if isinstance(given, pd.DataFrame) else str(given)
            pair = _pair(t, p, _stretches(given), source)
        pairs.append(pair)
    return pairs


def song_names(pairs: Sequence[Pair]) -> list[str]:
    """The song types in all tables, including those that were not found."""
    return sorted({name for pair in pairs for name in pair.names} - {NOISE})


def stem_of(path: Path) -> str | None:
    """The stem of the recording that an annotation file is named after."""
    ending = ENDINGS.search(path.name)
    return path.name[: ending.start()] if ending else None


def _pair(
    true: pd.DataFrame,
    predicted: pd.DataFrame,
    annotated_stretches: np.ndarray,
    source: str,
    recording: Path | None = None,
) -> Pair:
    tables = true, predicted
    stated = set().union(*(table["name"] for table in tables))
    names = frozenset(name for name in stated if not is_absence(name, stated))
    known = _known(true, names, annotated_stretches)
    by_hand, found_by = (occurrences(table[table["name"].isin(list(names))]) for table in tables)
    if ALL in names:
        apart = {ALL: f"{ALL} (song type)"}
        by_hand, found_by = (table.replace({"name": apart}) for table in (by_hand, found_by))
        names = names - {ALL} | {*apart.values()}
    found_by = _cut(found_by, by_hand, known)
    return Pair(by_hand, found_by, known, names, source, recording)


def _cut(predicted: pd.DataFrame, true: pd.DataFrame, stretches: np.ndarray) -> pd.DataFrame:
    """Cut predicted segments where a true one of the same name starts or stops at the edge of an
    annotated stretch.

    Nobody looked beyond, so the song may well go on there. What is inside is compared.
    """
    is_segment = true["start_seconds"] < true["stop_seconds"]
    for time, edges in zip(TIMES, _edges(stretches), strict=True):
        for name, edge in true.loc[is_segment & true[time].isin(edges), ["name", time]].to_numpy():
            start, stop = (predicted[t] for t in TIMES)
            reaches_beyond = (predicted["name"] == name) & (start < edge) & (edge < stop)
            both = predicted[reaches_beyond]
            parts = both.assign(stop_seconds=edge), both.assign(start_seconds=edge)
            if len(both):
                predicted = pd.concat([predicted[~reaches_beyond], *parts])
    return predicted.sort_values("start_seconds", ignore_index=True, kind="stable")


def _edges(stretches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The starts and stops of stretches, beyond which nothing is known for more than an instant."""
    apart = stretches[1:, 0] - stretches[:-1, 1] > EVENT_REACH_SECONDS
    first, last = (np.ones(min(len(stretches), 1), bool) for _ in TIMES)
    return stretches[np.append(first, apart), 0], stretches[np.append(apart, last), 1]


def _known(
    true: pd.DataFrame, names: frozenset[str], annotated_stretches: np.ndarray
) -> np.ndarray:
    """The known part of the annotated stretches (`known_stretches`)."""
    is_event = true["start_seconds"] == true["stop_seconds"]
    events = set(true.loc[is_event, "name"])
    types = {name: EVENT if name in events else SEGMENT for name in names - {NOISE}}
    return known_stretches(true, types, annotated_stretches, EVENT_REACH_SECONDS)


def _stretches(annotations: str | Path | pd.DataFrame) -> np.ndarray:
    if isinstance(annotations, pd.DataFrame):
        return np.array([[-np.inf, np.inf]])
    path = Path(annotations)
    annotated = read_annotated(path.with_name(f"{stem_of(path) or path.stem}.wav"), np.inf)
    whole = len(annotated) == 1 and np.isinf(annotated[0, 1])
    return np.array([[-np.inf, np.inf]]) if whole else annotated


def _is_folder(annotations: Recordings) -> TypeGuard[str | Path]:
    return isinstance(annotations, str | Path) and Path(annotations).is_dir()


def _recording_of(true: Annotations) -> Path | None:
    """The recording of true annotations, if it is known and there."""
    if not isinstance(true, TrueAnnotations) or true.recording == true.file:
        return None
    return true.recording if true.recording.is_file() else None


def _table(
    annotations: Annotations, options: EvaluateOptions, recording: Path | None = None
) -> pd.DataFrame:
    """The table, read if it is a file; the recording says the sample rate of times in samples."""
    if isinstance(annotations, pd.DataFrame):
        return annotations
    if isinstance(annotations, TrueAnnotations):
        return annotations.table
    path = Path(annotations)
    how = options.annotation_format, None, options.unnamed, options.time_unit

    def samplerate_hz() -> float:
        try:
            return samplerate_of(path, recording)
        except DssError:
            if options.samplerate_hz is None:
                raise
            return options.samplerate_hz

    return read_named_annotations(path, *how, samplerate_hz)


def _pairs_of_folders(true: Path, predicted: Path, options: EvaluateOptions) -> list[Pair]:
    """The annotations in one folder, and those of the same recordings in the other."""
    found_by = _annotation_files(predicted, true)
    rate = options.samplerate_hz
    by_hand = true_annotations(true, options, _is_in_other(true, predicted), rate)
    by_hand = by_hand or listed_annotations(true, found_by, options, rate)
    for stem, path in _annotation_files(true, predicted, by_hand).items():
        by_hand[stem] = TrueAnnotations(path, path, _table(path, options))
    if not by_hand:
        raise DssError(f"{true}: has no *{ENDING} and no annotations in another format")
    missing = [f"{predicted / stem}{ENDING}" for stem in sorted(by_hand) if stem not in found_by]
    exchange = ""
    if len(missing) == len(by_hand) and any(
        path.suffix.lower() in AUDIO_ENDINGS for path in visible_files(predicted)
    ):
        exchange = f" (did you mean dss evaluate {predicted} {true}?)"
    raise_problems(missing, f"Annotations in {true} have no counterpart to compare with{exchange}:")
    stems = sorted(by_hand)
    return read_pairs([by_hand[s] for s in stems], [found_by[s] for s in stems], options)


def _holds_annotations(path: Path) -> bool:
    """Whether a file with such a name contains annotations; a CSV file may be any table."""
    if path.name.endswith(ENDING):
        return True
    if guess_format(path) == "csv":
        header = header_of(path)
        has_names = called("name", header) is not None
        return not path.name.endswith(LIKE_ANNOTATIONS) and has_names and has_times(header)
    return guess_format(path) is not None


def _is_in_other(folder: Path, other: Path) -> Callable[[Path], bool]:
    """A function that says whether a file in a folder lies in the other one, if that is inside."""
    inner = resolved(other)
    is_within = resolved(folder) in inner.parents
    return lambda path: is_within and inner in resolved(path).parents


def _annotation_files(
    folder: Path, other: Path, known: Mapping[str, TrueAnnotations] | None = None
) -> dict[str, Path]:
    """The annotation file of each recording, by its path in the folder, without ending.

    STEM_annotations.csv takes precedence. Raises DssError if there are several others. Hidden files
    and datasets are left out, as is the other folder if it lies within this one, and what is known
    already.
    """
    known = known or {}
    used = {annotations.file for annotations in known.values()}
    files: dict[str, list[Path]] = {}
    is_in_other = _is_in_other(folder, other)
    for path in sorted(visible_files(folder)):
        stem = stem_of(path)
        if is_in_other(path):
            continue
        if stem and path.is_file() and path not in used and _holds_annotations(path):
            name = path.with_name(stem).relative_to(folder).as_posix()
            if name in known:
                continue
            files.setdefault(name, []).append(path)
    usual = {
        name: [f for f in of_stem if f.name.endswith(ENDING)] for name, of_stem in files.items()
    }
    files = {name: usual[name] or of_stem for name, of_stem in sorted(files.items())}
    raise_problems(
        [", ".join(map(str, of_stem)) for of_stem in files.values() if len(of_stem) > 1],
        "It is unclear which of these annotations to use. Rename or move the others:",
    )
    return {name: of_stem[0] for name, of_stem in files.items()}
