"""Open the dataset that a network is trained on, and check that it can be."""

from typing import NamedTuple

import numpy as np
import xarray as xr

from dss import models
from dss.data.batches import Chunks, array_of, draw_fraction, split_stretches
from dss.data.contents import audio_warnings, song_stretches, song_type_warnings
from dss.data.dataset import open_dataset
from dss.errors import DssError
from dss.options import TrainOptions
from dss.train.resume import check_run_fits


class TrainingData(NamedTuple):
    """A dataset to train on.

    Attributes:
        tree: the dataset.
        y_name: the name of the targets.
        class_names: noise and the song types.
        chunks: by split, train and val.
        song: by split, where each class occurs (`dss.data.contents.song_stretches`).
    """

    tree: xr.DataTree
    y_name: str
    class_names: list[str]
    chunks: dict[str, Chunks]
    song: dict[str, list[np.ndarray]]


def open_training_data(options: TrainOptions) -> TrainingData:
    """Open the dataset, and check that the network can be trained on it."""
    tree = open_dataset(options.data_dir)
    models.check(options, tree["train"].sizes["time"])
    check_run_fits(options, tree)
    y_name = targets_name(tree, options)
    chunks = {split: open_chunks(tree, split, y_name, options) for split in ("train", "val")}
    song = {s: song_stretches(c.y, c.stretches, c.annotated) for s, c in chunks.items()}
    if not any(map(len, song["train"][1:])):
        raise DssError(
            f"{options.data_dir}: the train split contains no song at all. Make the dataset again "
            "with more annotated recordings."
        )
    class_names = list(tree.attrs["class_names" + y_name.removeprefix("y")])
    return TrainingData(tree, y_name, class_names, chunks, song)


def targets_name(tree: xr.DataTree, options: TrainOptions) -> str:
    """The name of the targets to train on: y, or y_<song type>.

    Raises: DssError if the dataset lacks them.
    """
    name = f"y_{options.y_suffix}" if options.y_suffix else "y"
    if name not in tree["train"]:
        there = [n[2:] for n in map(str, tree["train"].data_vars) if n.startswith("y_")]
        raise DssError(
            f"y_suffix: {options.data_dir} has no individual targets for {options.y_suffix!r}; it "
            f"has them for {', '.join(there) or 'no song type'}"
        )
    return name


def open_chunks(tree: xr.DataTree, split: str, y_name: str, options: TrainOptions) -> Chunks:
    """The chunks of the part of a split that the options ask for.

    Raises: DssError if the split is empty.
    """
    stretches = split_stretches(tree, split)
    if not len(stretches):
        raise DssError(f"{options.data_dir}: the {split} split is empty; make the dataset with one")
    node = tree[split]
    annotated = array_of(node["annotated"]) if "annotated" in node else None
    if options.fraction_data < 1:
        stretches = draw_fraction(stretches, options.fraction_data, options.seed, annotated)
    x, y = array_of(node["x"]), array_of(node[y_name])
    return Chunks(x, y, stretches, options.nb_hist, models.padding(options), annotated)


def adapt_to_data(options: TrainOptions, data: TrainingData) -> tuple[TrainOptions, list[str]]:
    """The options with a batch size that the data can fill, and warnings about the data."""
    doubts = []
    reach, nb_hist = models.receptive_field(options), options.nb_hist
    if reach > nb_hist:
        doubts.append(
            f"the receptive field is {reach} samples, longer than a chunk of {nb_hist} samples, "
            "so part of it never sees any audio. Use longer chunks (nb_hist), shorter filters "
            "(kernel_size), or fewer blocks (nb_conv)."
        )
    n_chunks = len(data.chunks["train"].grid()[0])
    if options.batch_size > n_chunks:
        doubts.append(
            f"batch_size: {options.batch_size} is more than the {n_chunks} training chunks, so "
            f"dss uses {n_chunks}, and each epoch is a single step. Use smaller batches or "
            "shorter chunks (nb_hist) to learn faster."
        )
        options = options.model_copy(update={"batch_size": n_chunks})
    for split, of_split in data.song.items():
        doubts += song_type_warnings(of_split, data.class_names, split)
        doubts += audio_warnings(data.tree, split)
    if options.augmentations:
        from dss.models.augmentation import check_augmentations

        nb_channels = data.tree["train"].sizes["channel"]
        rate = data.tree.attrs["samplerate_x_Hz"]
        check_augmentations(options.augmentations, nb_channels, rate)
    return options, doubts
