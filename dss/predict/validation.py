"""The validation split of a run's dataset, annotated by its network, for tuning and calibration."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from dss.data.batches import split_stretches
from dss.data.dataset import open_dataset
from dss.data.stretches import of_mask
from dss.errors import DssError
from dss.evaluate.pair import Pair, cut_at_edges
from dss.options import DetectOptions, PredictOptions
from dss.predict.detection import detect
from dss.predict.recording import open_for_run, probability_blocks
from dss.runs import Run

BLOCK_SAMPLES = 2**19
# Targets give exact positions of song: nothing needs smoothing.
OF_TARGETS = DetectOptions(
    event_threshold=0.25,
    event_distance_seconds=0,
    segment_threshold=0.5,
    segment_fill_seconds=0,
    segment_min_seconds=0,
)


@dataclass(frozen=True)
class ValidationStretch:
    """A stretch of the validation split with manual annotations."""

    run: Run
    recording: str  # which it is from, if the dataset says
    audio: np.ndarray  # [samples, channels]
    true: pd.DataFrame  # the manual annotations
    annotated_stretches: np.ndarray  # [stretches, 2] seconds

    def blocks(self) -> Iterator[np.ndarray]:
        """The network's probabilities, block by block: [samples, classes]."""
        whole = PredictOptions()  # all channels
        yield from probability_blocks(open_for_run(self.audio, self.run, whole), self.run, whole)

    def store(self, path: Path) -> np.ndarray:
        """The network's probabilities as an array in a file."""
        shape = len(self.audio), 1 + len(self.run.song_types)
        p, done = np.lib.format.open_memmap(path, "w+", np.float32, shape), 0
        for block in self.blocks():
            p[done : done + len(block)] = block
            done += len(block)
        return p

    def pair(self, predicted: pd.DataFrame, names: frozenset[str]) -> Pair:
        """The true and the predicted annotations of these song types."""
        true = self.true[self.true["name"].isin(list(names))]
        predicted = cut_at_edges(predicted, true, self.annotated_stretches)
        return Pair(true, predicted, self.annotated_stretches, names, self.recording)


def validation_stretches(
    run: Run, data_dir: Path | None = None, most_seconds: float = np.inf
) -> list[ValidationStretch]:
    """The stretches of the validation split, up to a total duration in seconds.

    Raises: DssError if the dataset is missing, does not fit the run, or its split is empty.
    """
    if data_dir is None and not run.params.get("data_dir"):
        raise DssError(f"{run.trunk}: does not name its dataset. Give it (--data-dir).")
    source = data_dir or Path(run.params["data_dir"])
    tree = open_dataset(source)
    suffix = run.params.get("y_suffix")
    name = f"y_{suffix}" if suffix else "y"
    names = tree.attrs.get("class_names" + name[1:])
    if list(names or []) != list(run.params["class_names"]):
        raise DssError(
            f"{source}: has the classes {names}, but the network was trained on "
            f"{run.params['class_names']}"
        )
    if (rate := tree.attrs["samplerate_x_Hz"]) != run.samplerate_hz:
        raise DssError(
            f"{source}: has a sample rate of {rate:g} Hz, but the network was trained at "
            f"{run.samplerate_hz:g} Hz"
        )
    val, left, stretches = tree["val"], most_seconds * rate, []
    edges, recordings = split_stretches(tree, "val"), tree.attrs.get("filename_val") or []
    if len(recordings) != len(edges):
        recordings = ["the validation split"] * len(edges)
    for recording, (first, last) in zip(recordings, edges, strict=True):
        last = int(min(last, first + left))
        if last > first:
            stretches.append(_stretch(run, str(recording), val, name, first, last))
            left -= last - first
    if not stretches:
        raise DssError(f"{source}: the val split is empty; make the dataset with one")
    return stretches


def blocks_of(x: np.ndarray) -> Iterator[np.ndarray]:
    """Iterate over an array, block by block."""
    for start in range(0, len(x), BLOCK_SAMPLES):
        yield x[start : start + BLOCK_SAMPLES]


def _stretch(run: Run, recording: str, val, name: str, first: int, last: int) -> ValidationStretch:
    here = slice(first, last)
    targets = (block.astype(np.float32) for block in blocks_of(val[name].data[here]))
    true = detect(targets, run.song_types, run.samplerate_hz, options=OF_TARGETS)
    annotated_stretches = np.array([[0.0, np.inf]])
    if "annotated" in val:
        annotated_stretches = of_mask(val["annotated"].data[here]) / run.samplerate_hz
    return ValidationStretch(run, recording, val["x"].data[here], true, annotated_stretches)
