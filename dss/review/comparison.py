"""Review predictions: compare them with manual annotations, and apply other thresholds."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from dss.data.annotated_recordings import annotations_of
from dss.data.annotated_stretches import read_annotated
from dss.data.annotation_files import read_named_annotations
from dss.data.annotation_paths import AnnotationFinder
from dss.data.annotations import occurrences, read_annotations
from dss.data.audio import Loader
from dss.data.batches import array_of, split_stretches
from dss.data.dataset import open_dataset
from dss.data.ownership import check_replaceable, is_by_dss, write
from dss.data.recordings import open_at_own_rate
from dss.data.text_tables import TIMES
from dss.errors import DssError, MissingAnnotations, warn
from dss.evaluate.matching import match
from dss.evaluate.pair import pair_of, song_names, types_in
from dss.evaluate.true_annotations import TrueAnnotations
from dss.options import FileOptions, ToleranceOptions
from dss.review.proofread import has_confidence, is_confirmed
from dss.runs import read_params

COMPARED_BYTES = 2**18  # at the beginning of recordings with the same name
MOSTLY = 0.5  # fraction of a recording: if less is annotated, there is more to annotate


def manual_annotations(
    recording: Path,
    predicted: Path,
    options: FileOptions | None = None,
    find_file: AnnotationFinder | None = None,
    samplerate_hz: float | None = None,
) -> TrueAnnotations | None:
    """The manual annotations of a recording, if there are readable ones.

    A file that dss wrote counts once somebody corrected it, as people do to train again. It does
    not count unchanged, or as a copy of a file next to `predicted`; nor does a list of proposals
    without any confirmed one.

    Arguments:
        recording: the audio file.
        predicted: the file that dss wrote for the recording, which does not count.
        options, find_file, samplerate_hz: as for `read_manual`.

    Warns: DssWarning if there are annotations that cannot be read.
    """
    try:
        by_hand = read_manual(recording, options or FileOptions(), find_file, samplerate_hz)
    except MissingAnnotations:
        return None
    except DssError as error:
        warn(f"{error.problems[0] if error.problems else error}; nothing is compared with this")
        return None
    file, table = by_hand.file, by_hand.table
    is_unseen = "confirmed" in table and not is_confirmed(table).any()
    is_unchanged = is_by_dss(file) or is_by_dss(file, predicted.parent)
    if file.resolve() == predicted.resolve() or is_unseen or is_unchanged:
        return None
    return by_hand


def read_manual(
    recording: Path,
    options: FileOptions,
    find_file: AnnotationFinder | None = None,
    samplerate_hz: float | None = None,
) -> TrueAnnotations:
    """Read the annotations of a recording, as for a dataset.

    Arguments:
        recording: the audio file.
        options: how to read them.
        find_file: finds them where the options say that they are.
        samplerate_hz: of the recording, if its file does not store it.

    Raises: DssError if there are none, or they cannot be read.
    """
    rate = _own_rate(recording, options, samplerate_hz)
    return TrueAnnotations(recording, *annotations_of(recording, options, find_file, rate))


def annotations_in(
    file: Path, recording: Path, options: FileOptions, samplerate_hz: float | None = None
) -> pd.DataFrame:
    """The annotations in the file of an annotated recording.

    What dss wrote is read as such. A file that was there before, and was skipped, is read as the
    options say; arguments as for `read_manual`.
    """
    if is_by_dss(file):
        return read_annotations(file, recording=recording)
    rate = _own_rate(recording, options, samplerate_hz)
    how = options.annotation_format, recording, options.unnamed, options.time_unit, rate
    return read_named_annotations(file, *how)


def is_predicted(file: Path) -> bool:
    """Whether a file holds predictions, perhaps corrected, and not manual annotations alone."""
    return is_by_dss(file) or not file.is_file() or has_confidence(file)


def _own_rate(
    recording: Path, options: FileOptions, samplerate_hz: float | None
) -> Callable[[], float]:
    return lambda: open_at_own_rate(recording, options.loader, samplerate_hz).samplerate_hz


def agrees_with_manual(by_dss: pd.DataFrame, by_hand: TrueAnnotations) -> np.ndarray:
    """Which predictions match manual annotations, as judged by `evaluate`: [annotations] bool."""
    numbered, types = by_dss.assign(row=range(len(by_dss))), types_in([by_hand.table], [by_dss])
    annotated = read_annotated(by_hand.recording, np.inf)
    pair = pair_of(by_hand.table, numbered, annotated, types, "")
    agrees = np.zeros(len(by_dss), bool)
    for name in song_names([pair]):
        both = [table[table["name"] == name] for table in (pair.true, pair.predicted)]
        a, b = (table[TIMES].to_numpy(float) for table in both)
        right = match(a, b, ToleranceOptions().tolerance_seconds)[:, 1]
        agrees[both[1]["row"].to_numpy(int)[right]] = True
    return agrees


class InDataset(NamedTuple):
    """Recordings in a dataset.

    Attributes:
        names: their names, including subfolders.
        folder: the data folder of the dataset.
    """

    names: frozenset[str]
    folder: Path


def learned_from(trunk: Path, least_annotated: float = 0) -> InDataset | None:
    """The recordings a run was trained and validated on; None if its dataset cannot tell.

    Arguments:
        least_annotated: as for `in_dataset`.
    """
    with suppress(DssError, OSError):  # of paths that no file can have
        tree = open_dataset(read_params(trunk).get("data_dir") or "")
        if {"filename_train", "filename_val"} <= tree.attrs.keys():
            return in_dataset(tree, ["train", "val"], least_annotated)
    return None


def in_dataset(tree: xr.DataTree, splits: Iterable[str], least_annotated: float = 0) -> InDataset:
    """The recordings in some splits of a dataset.

    Arguments:
        least_annotated: leave out recordings of which a smaller fraction is annotated.
    """
    n_samples, n_known = Counter[str](), Counter[str]()
    for split in splits:
        names, stretches = tree.attrs.get(f"filename_{split}", ()), split_stretches(tree, split)
        n_samples.update(dict.fromkeys(names, 0))
        is_whole = "annotated" not in tree[split] or len(names) != len(stretches)
        if is_whole or not least_annotated:
            continue
        annotated = array_of(tree[split]["annotated"])
        for name, (first, last) in zip(names, stretches, strict=True):
            n_samples[name] += last - first
            n_known[name] += int(np.count_nonzero(annotated[first:last]))
    enough = (name for name, n in n_samples.items() if n_known[name] >= least_annotated * n)
    return InDataset(frozenset(enough), Path(tree.attrs.get("made_from", "")))


def is_among(recording: Path, learned: InDataset) -> bool:
    """Whether a dataset contains a recording, or a copy of it.

    It does if the name and subfolder are the same, unless the files visibly differ: many recorders
    start numbering again every day.
    """
    path = recording.resolve().as_posix()
    alike = [name for name in learned.names if path.endswith(f"/{name}")]
    return any(not _differ(recording, learned.folder / name) for name in alike)


def _differ(a: Path, b: Path) -> bool:
    """Whether two files exist, and differ in length or at the beginning."""
    if not (a.is_file() and b.is_file()):
        return False
    with a.open("rb") as opened, b.open("rb") as other:
        begin_alike = opened.read(COMPARED_BYTES) == other.read(COMPARED_BYTES)
    return not begin_alike or a.stat().st_size != b.stat().st_size


def save(
    tables: Mapping[Path, pd.DataFrame],
    targets: Mapping[Path, Path],
    format: str,
    proposals: bool = False,
    loader: Loader | None = None,
    samplerate_hz: float | None = None,
) -> list[Path]:
    """Write predictions; annotations that were made or changed by hand are never replaced.

    Arguments:
        tables: the annotation table of each recording.
        targets: the file to write for each recording.
        format: as for `dss.data.write_annotations`.
        proposals: whether to add a column `confirmed` with the value False.
        loader: as for `dss.predict.predict`.
        samplerate_hz: for recordings that do not store their rate.

    Returns: the files.
    Raises: DssError if such a file would be replaced; nothing is written then.
    """
    check_replaceable(targets.values())
    for recording, table in tables.items():
        table = occurrences(table)
        if proposals and format == "csv":
            table = table.assign(confirmed=False)
        file = targets[recording]
        opened = open_at_own_rate(recording, loader, samplerate_hz)
        write(table, file, format, opened.duration_seconds, opened.samplerate_hz)
    return [targets[recording] for recording in tables]
