"""The contents of a dataset: where song is, what is silent or clipped, and a fingerprint."""

import hashlib
from collections.abc import Iterator
from itertools import chain

import numpy as np
import xarray as xr

from dss.data.batches import array_of, split_stretches
from dss.data.levels import level_problems
from dss.data.splits import SPLITS
from dss.data.stores import DAMAGED
from dss.data.stretches import of_mask, union
from dss.errors import DssError
from dss.support.lazy import Lazy

PRESENT = 0.3  # a song type is present from this target on: even if three share a sample
BLOCK_SAMPLES = 2**20
BROKEN_AUDIO = (
    "the audio contains NaN or infinite values. "
    "Make the dataset again from recordings without them."
)


def song_stretches(
    y: np.ndarray | Lazy, stretches: np.ndarray, annotated: np.ndarray | Lazy | None = None
) -> list[np.ndarray]:
    """Where each class occurs, noise included.

    Arguments:
        y: targets [samples, classes], read block by block.
        stretches: [stretches, 2] first and one past the last sample of the stretches to search.
        annotated: [samples], 0 for unknown samples: these are not noise, whatever the targets say.

    Returns: for each class [occurrences, 2]: first and one past the last sample, in order.
        Occurrences end at the ends of stretches.
    Raises: DssError if targets are not numbers.
    """
    found = [[np.empty((0, 2), int)] for _ in range(y.shape[1])]
    for first, last in stretches:
        pieces: list[list[np.ndarray]] = [[] for _ in found]
        for start, stop in _blocks(first, last):
            values = np.asarray(y[start:stop])
            if not np.isfinite(values).all():
                where = getattr(y, "filename", None) or getattr(y, "source", "the dataset")
                raise DssError(
                    f"{where}: some targets are not numbers (NaN or infinite). {DAMAGED}"
                )
            there = values >= PRESENT
            if annotated is not None:
                there[:, 0] &= np.asarray(annotated[start:stop]) > 0
            for column, piece in enumerate(pieces):
                piece.append(start + of_mask(there[:, column]))
        for column, piece in enumerate(pieces):
            found[column].append(union(np.concatenate(piece)).astype(int))
    return [np.concatenate(of_class) for of_class in found]


def annotated_parts(annotated: np.ndarray | Lazy | None, stretches: np.ndarray) -> np.ndarray:
    """The annotated parts of stretches: [parts, 2] first and one past the last sample of each.

    Arguments:
        annotated: [samples], 0 for unknown samples, read block by block; None: all are annotated.
        stretches: [stretches, 2], as the parts, which end at the ends of stretches.
    """
    if annotated is None:
        return stretches
    found = [np.empty((0, 2), int)]
    for first, last in stretches:
        pieces = [a + of_mask(np.asarray(annotated[a:b]) > 0) for a, b in _blocks(first, last)]
        found.append(union(np.concatenate(pieces)).astype(int))
    return np.concatenate(found)


def song_type_warnings(song: list[np.ndarray], class_names: list[str], split: str) -> list[str]:
    """A warning for each song type without an example in a split."""
    effect = {
        "train": "the network cannot learn it",
        "val": "training cannot show how well it is recognized",
    }[split]
    return [
        f"{name}: has no example in the {split} split, so {effect}. Annotate more of it, or give "
        f"the {split} split a larger share of the data."
        for name, of_class in zip(class_names[1:], song[1:], strict=True)
        if not len(of_class)
    ]


def audio_warnings(tree: xr.DataTree, split: str) -> list[str]:
    """A warning for each recording that is silent or clipped in a split, by channel."""
    x = array_of(tree[split]["x"])
    stretches = split_stretches(tree, split)
    names = tree.attrs.get(f"filename_{split}") or []
    if len(names) != len(stretches):
        names = [f"the {split} split"] * len(stretches)
    of_recording: dict[str, list[np.ndarray]] = {}
    for name, stretch in zip(names, stretches, strict=True):
        of_recording.setdefault(name, []).append(stretch)
    warnings = []
    for name, parts in of_recording.items():
        edges = chain.from_iterable(_blocks(*part) for part in parts)
        blocks = (np.asarray(x[start:stop], np.float32) for start, stop in edges)
        for channel, problem in level_problems(blocks, f"samples in {split}"):
            where = name if x.shape[1] == 1 else f"{name}, channel {channel}"
            warnings.append(f"{where}: {problem}")
    return warnings


def fingerprint(tree: xr.DataTree) -> str:
    """A hash of the samples, targets and class names of all splits, to identify the data."""
    digest = hashlib.sha256(repr(tree.attrs["class_names"]).encode())
    for split in SPLITS:
        for name in sorted(tree[split].data_vars):
            values = array_of(tree[split][name])
            digest.update(f"{split}/{name} {values.shape} {values.dtype}".encode())
            for start, stop in _blocks(0, len(values)):
                digest.update(np.asarray(values[start:stop]).tobytes())
    return digest.hexdigest()


def _blocks(first: int, last: int) -> Iterator[tuple[int, int]]:
    for start in range(first, last, BLOCK_SAMPLES):
        yield start, min(start + BLOCK_SAMPLES, last)
