"""Pair true and predicted annotations, recording by recording."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, TypeGuard

import numpy as np
import pandas as pd

from dss.data.annotated_stretches import read_annotated
from dss.data.annotation_files import annotation_endings, read_named_annotations
from dss.data.column_names import called, has_times
from dss.data.formats import samplerate_of
from dss.data.formats.guessing import guess_format
from dss.data.recording_files import AUDIO_ENDINGS, visible_files
from dss.data.text_tables import header_of
from dss.errors import DssError, raise_problems, warn
from dss.evaluate.doubts import doubts
from dss.evaluate.pair import Pair, pair_of, types_in
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

Annotations: TypeAlias = str | Path | pd.DataFrame | TrueAnnotations
Recordings: TypeAlias = Annotations | Sequence[Annotations]


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
    types, pairs = types_in(*tables), []
    for number, (given, t, p) in enumerate(zip(true, *tables, strict=True), start=1):
        if isinstance(given, TrueAnnotations):
            source = str(given.file if several[given.file] == 1 else given.recording)
            where = _stretches(given.recording)
            pair = pair_of(t, p, where, types, source, given.recording)
        else:
            source = f"table {number}" if isinstance(given, pd.DataFrame) else str(given)
            pair = pair_of(t, p, _stretches(given), types, source)
        pairs.append(pair)
    return pairs


def stem_of(path: Path) -> str | None:
    """The stem of the recording that an annotation file is named after."""
    ending = ENDINGS.search(path.name)
    return path.name[: ending.start()] if ending else None


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
