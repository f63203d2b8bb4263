"""Annotations by dss looked at again: beside those by hand, and with other thresholds."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from dss.data.annotation_files import find_annotations
from dss.data.annotations import found, read_annotations
from dss.data.audio import Loader
from dss.data.dataset import open_dataset
from dss.data.recordings import open_recording, unsaid_rate
from dss.data.texttables import COLUMNS
from dss.errors import DssError, raise_problems
from dss.evaluate.matching import match
from dss.options import DetectOptions, EvaluateOptions
from dss.predict.ownership import check_replaceable, is_by_dss, write
from dss.predict.stored_probabilities import detect_stored, stored_probabilities
from dss.review.proofread import is_confirmed
from dss.runs import read_params

COMPARED_BYTES = 2**18  # of the beginning of recordings of one name


def by_hand(recording: Path, by_dss: Path) -> Path | None:
    """The file of annotations by hand beside a recording, if there is one that can be read.

    What dss wrote counts as well once somebody corrected it, as one does to train again. It does
    not as it was written, or copied from where `by_dss` is; nor does a list of proposals none of
    which is confirmed.

    Arguments:
        recording: the audio file.
        by_dss: the file that dss wrote for it, which does not count.
    """
    try:
        file = find_annotations(recording)
        table = read_annotations(file, recording=recording)
    except DssError:
        return None
    is_unseen = "confirmed" in table and not is_confirmed(table).any()
    is_unchanged = is_by_dss(file) or is_by_dss(file, by_dss.parent)
    return None if file.resolve() == by_dss.resolve() or is_unseen or is_unchanged else file


def is_by_hand(by_dss: pd.DataFrame, by_hand: pd.DataFrame) -> np.ndarray:
    """Which annotations by dss were made by hand, too, as `evaluate` has it: [annotations] bool."""
    tolerance = EvaluateOptions().tolerance_seconds
    agrees = np.zeros(len(by_dss), bool)
    for name in by_hand["name"].unique():
        rows = np.flatnonzero(by_dss["name"] == name)
        hand = found(by_hand[by_hand["name"] == name])
        a, b = (table[COLUMNS[1:]].to_numpy(float) for table in (hand, by_dss.iloc[rows]))
        agrees[rows[match(a, b, tolerance)[:, 1]]] = True
    return agrees


class Learned(NamedTuple):
    """The recordings that a run was trained and validated with.

    Attributes:
        names: as the dataset names them, with subfolders.
        folder: what the dataset was made from.
    """

    names: frozenset[str]
    folder: Path


def learned_from(trunk: Path) -> Learned | None:
    """What a run was trained and validated with; None if its dataset is gone, or does not say."""
    try:
        attributes = open_dataset(read_params(trunk).get("data_dir") or "").attrs
    except DssError:
        return None
    train, val = (attributes.get(f"filename_{split}") for split in ("train", "val"))
    if train is None or val is None:
        return None
    return Learned(frozenset([*train, *val]), Path(attributes.get("made_from", "")))


def was_learned(recording: Path, learned: Learned) -> bool:
    """Whether a recording is one of those learned from, or a copy of one.

    It is one of the same name and subfolder, unless it can be seen that this is another one: many
    recorders begin to count anew every day.
    """
    path = recording.resolve().as_posix()
    alike = [name for name in learned.names if path.endswith(f"/{name}")]
    return any(not _differ(recording, learned.folder / name) for name in alike)


def _differ(a: Path, b: Path) -> bool:
    """Whether two files are there, and are not equally long or begin otherwise."""
    if not (a.is_file() and b.is_file()):
        return False
    with a.open("rb") as opened, b.open("rb") as other:
        begin_alike = opened.read(COMPARED_BYTES) == other.read(COMPARED_BYTES)
    return not begin_alike or a.stat().st_size != b.stat().st_size


def detect_again(
    files: Mapping[Path, Path],
    types: Mapping[str, str],
    options: DetectOptions,
    after_block: Callable[[], None] = lambda: None,
) -> dict[Path, pd.DataFrame]:
    """Annotate recordings with other thresholds, from the probabilities that were written.

    Arguments:
        files: file of annotations by recording; the probabilities are beside it.
        types: category by song type, in the order of the classes, without noise.
        options: thresholds, distances, gaps and lengths.
        after_block: is called again and again on the way; what it raises ends the work.

    Returns: annotation table by recording.
    Raises: DssError if the probabilities of a recording were not written.
    """
    stored = {recording: stored_probabilities(file) for recording, file in files.items()}
    raise_problems(
        [str(recording) for recording, p in stored.items() if p is None],
        "The probabilities of these recordings were not written (--probabilities), or are not "
        "there any more; annotate them again:",
    )
    return {
        recording: detect_stored(p, types, after_block=after_block, options=options)
        for recording, p in stored.items()
    }


def save(
    tables: Mapping[Path, pd.DataFrame],
    targets: Mapping[Path, Path],
    format: str,
    proposals: bool = False,
    loader: Loader | None = None,
    *,
    samplerate_hz: float | None = None,
) -> list[Path]:
    """Write annotations by dss; those made or changed by hand are never replaced.

    Arguments:
        tables: annotation table by recording.
        targets: file to write, by recording.
        format: as for `dss.data.write_annotations`.
        proposals: whether to add a column `confirmed` that is False.
        loader: as for `dss.predict.predict`.
        samplerate_hz: of recordings that do not say it.

    Returns: the files.
    Raises: DssError if such a file would be replaced; nothing is written then.
    """
    check_replaceable(targets.values())
    for recording, table in tables.items():
        table = found(table)
        if proposals and format == "csv":
            table = table.assign(confirmed=False)
        file = targets[recording]
        opened = open_recording(recording, loader, unsaid_rate(recording, loader, samplerate_hz))
        write(table, file, format, opened.duration_seconds, opened.samplerate_hz)
    return [targets[recording] for recording in tables]
