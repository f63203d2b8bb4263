"""Networks: built by name from options, saved as plain numbers, loaded name by name.

A network is never unpickled and no code in a file is run: it is rebuilt from the options in
`_params.yaml`, and the weights of `_model.h5` are put in by name, shape by shape.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dss.errors import DssError, raise_problems
from dss.models.checkpoint import epochs_done as epochs_done  # for all who train
from dss.options import NetworkOptions
from dss.support import hdf5
from dss.support.files import replacing

if TYPE_CHECKING:  # TensorFlow is imported only where a network is built
    import h5py
    import keras

BLOCK_SAMPLES = 2**17, 2**15  # longer ones are not faster on CPUs


def build(
    options: NetworkOptions, nb_channels: int, nb_classes: int, mixed_precision: str = ""
) -> "keras.Model":
    """Build the network that the options describe, with random weights.

    Arguments:
        options: the architecture and its shape.
        nb_channels: of the audio.
        nb_classes: song types and noise.
        mixed_precision: "bfloat16" or "float16" to compute with 16 bits; weights keep 32.

    Returns: a model from audio [batch, nb_hist, nb_channels] to probabilities [batch, nb_hist,
        nb_classes].
    Raises: DssError if the options do not fit each other; see `check`.
    """
    from dss.models.backend import keras
    from dss.models.das import das_tcn
    from dss.models.tcn import tcn

    check(options)
    architecture = {"tcn": tcn, "das_tcn": das_tcn}[options.model_name]
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy(f"mixed_{mixed_precision}" if mixed_precision else "float32")
    try:
        return architecture(nb_channels, nb_classes, options)
    finally:
        keras.config.set_dtype_policy(usual)


def padding(options: NetworkOptions) -> int:
    """How many samples at both ends of a chunk are ignored, because filters reach beyond them."""
    if not options.ignore_boundaries:
        return 0
    if options.model_name == "das_tcn":
        return options.kernel_size * options.nb_conv
    return options.kernel_size * options.nb_conv * 2**options.nb_pre_conv


def first_chunk(options: NetworkOptions) -> int:
    """The sample at which the chunks of a recording begin: minus the padding, or more before.

    Those of DAS begin at multiples of the stride, and its predictions depend on that.
    """
    before = padding(options)
    return -before if options.model_name == "tcn" else 2 * before - options.nb_hist


def reach(options: NetworkOptions) -> int | None:
    """How many samples before or after a sample can change its prediction: a multiple of frames.

    None if all of the chunk does: with an LSTM, and in a model of DAS by the loudest sound in it.
    """
    if options.model_name != "tcn" or options.nb_lstm_units:
        return None
    taps = options.kernel_size - 1
    frames = options.nb_conv * sum(math.ceil(taps * dilation / 2) for dilation in options.dilations)
    if options.nb_pre_conv == 0:
        return frames
    hop = 2**options.nb_pre_conv
    # A sample is interpolated between two frames, and the window is wider than a frame.
    return (frames + 1 + math.ceil(max(options.pre_nb_dft - hop, 0) / 2 / hop)) * hop


def best_block(options: NetworkOptions, n_samples: int) -> int:
    """Of the two usual sizes of a block, the one with which so many samples are done sooner.

    Of long blocks less is computed twice, for what the filters reach; short ones are filled by
    short recordings.
    """
    overlap = 2 * (reach(options) or 0)
    return min(BLOCK_SAMPLES, key=lambda block: math.ceil(n_samples / block) * (block + overlap))


def receptive_field(options: NetworkOptions) -> int:
    """How many samples of audio the filters reach: those that can change one prediction.

    An LSTM reaches all of the chunk, whatever this says.
    """
    frames = 1 + options.nb_conv * sum(options.dilations) * (options.kernel_size - 1)
    if options.nb_pre_conv == 0:
        return frames
    hop = 2**options.nb_pre_conv
    # A sample is interpolated between two frames, and the window is wider than a frame.
    return frames * hop + max(options.pre_nb_dft, hop)


def count_weights(options: NetworkOptions, nb_channels: int, nb_classes: int) -> int:
    """How many weights the network has that `build` makes, without building it."""
    is_das = options.model_name == "das_tcn"
    separable = options.use_separable * (options.nb_conv if len(options.use_separable) == 1 else 1)
    filters, taps, n_features, total = options.nb_filters, options.kernel_size, nb_channels, 0
    if options.nb_pre_conv and not options.pre_nb_dft:
        n_features *= 2**options.nb_pre_conv
    elif options.nb_pre_conv:
        n_frequencies = options.pre_nb_dft // 2 + 1
        n_features *= n_frequencies
        total += 2 * options.pre_nb_dft * n_frequencies
    total += n_features * filters + filters + (0 if is_das else 2 * n_features)
    for is_separable in separable:
        depth = 4 if is_das else 1  # filters for each channel
        first = filters * depth * (taps + filters) if is_separable else taps * filters**2
        norm = 0 if is_das else 2 * filters
        total += len(options.dilations) * (first + filters + norm + filters**2 + filters)
    units, width = options.nb_lstm_units, filters
    if units:
        total, width = total + 8 * units * (width + units + 1), 2 * units
    return total + width * nb_classes + nb_classes


def check(options: NetworkOptions, n_samples: int = 0) -> None:
    """Raise a DssError if no network can be built with these options; it lists all reasons.

    `n_samples` of audio are there to train with; 0 if that is not known.
    """
    problems = []
    if 0 < n_samples < options.nb_hist:
        problems.append(
            f"nb_hist: a chunk of {options.nb_hist} samples is longer than all audio to train "
            f"with, {n_samples} samples; right would be much less"
        )
    needed = 2 * padding(options)
    if options.nb_hist <= needed:
        problems.append(
            f"nb_hist: a chunk of {options.nb_hist} samples is too short for the filters: "
            f"{padding(options)} samples (kernel_size x nb_conv x 2**nb_pre_conv) are ignored at "
            "both ends, and nothing is left. Right would be "
            f"more than {needed}, shorter filters, fewer blocks, or ignore_boundaries False."
        )
    if options.nb_hist % 2**options.nb_pre_conv:
        hop = 2**options.nb_pre_conv
        nearest = max(1, round(options.nb_hist / hop)) * hop
        problems.append(
            f"nb_hist: {options.nb_hist} is no multiple of the downsampling by {hop}; right would "
            f"be {nearest}"
        )
    is_raw_tcn = options.model_name == "tcn" and not options.pre_nb_dft
    if options.nb_pre_conv and options.pre_nb_dft < 8 and not is_raw_tcn:
        problems.append(
            f"pre_nb_dft: a window of {options.pre_nb_dft} samples is too short for an STFT; right "
            "would be 8 or more, or 0 for none, which das_tcn cannot do without"
        )
    if len(options.use_separable) not in (1, options.nb_conv):
        problems.append(
            f"use_separable: has {len(options.use_separable)} values for {options.nb_conv} blocks "
            "(nb_conv); right would be one value a block, or one for all"
        )
    raise_problems(problems, "A network cannot be built with these options:")


def freeze(model: "keras.Model", names: Sequence[str]) -> None:
    """Keep the weights of layers as they are; block0 means all layers of the first block.

    Raises: DssError if the network has no such layers, or nothing would be left to be trained.
    """
    with_weights = [layer for layer in model.layers if layer.trainable_weights]
    parts = list(dict.fromkeys(layer.name.split("_")[0] for layer in with_weights))
    unknown = [name for name in names if name not in parts]
    if unknown:
        raise DssError(
            f"freeze: the network has no {' and no '.join(unknown)}; right would be among "
            f"{', '.join(parts)}"
        )
    if set(parts) <= set(names):
        raise DssError("freeze: leaves nothing to be trained")
    for layer in with_weights:
        layer.trainable = layer.name.split("_")[0] not in names


def resized(model: "keras.Model", options: NetworkOptions, nb_hist: int) -> "keras.Model":
    """The same network to predict with, for chunks of another length: 32 bits throughout.

    Arguments:
        model: a network that `build` made.
        options: with which it was built.
        nb_hist: samples of a chunk.
    """
    from dss.models.layers import LogSpectrogram

    options = options.model_copy(update={"nb_hist": nb_hist})
    other = build(options, model.input_shape[-1], model.output_shape[-1])
    other.set_weights(model.get_weights())
    for layer in other.layers:
        if isinstance(layer, LogSpectrogram):
            layer.settle()
    return other


def save_weights(model: "keras.Model", path: Path) -> None:
    """Write all weights to an HDF5 file: a plain array for each, named as in the network."""
    import h5py

    with replacing(path) as part, h5py.File(part, "w") as file:
        for weight in model.weights:
            file[weight.path] = weight.numpy()


def load_weights(model: "keras.Model", path: Path) -> None:
    """Put the weights of an HDF5 file into a network.

    Raises: DssError that lists what is missing, is of another shape, or belongs to no layer, or
        says that the file is damaged; the network is unchanged then.
    """
    with hdf5.reading(path) as file:
        is_das = "model_weights" in file
        stored = _das_arrays(file, model) if is_das else dict(_arrays(file))
    problems = []
    for weight in model.weights:
        if weight.path not in stored:
            problems.append(f"{weight.path}: is not in the file")
        elif stored[weight.path].shape != tuple(weight.shape):
            problems.append(
                f"{weight.path}: has shape {stored[weight.path].shape} in the file, and "
                f"{tuple(weight.shape)} in the network"
            )
    unknown = stored.keys() - {weight.path for weight in model.weights}
    problems += [f"{name}: belongs to no layer of the network" for name in sorted(unknown)]
    raise_problems(problems, f"{path}: the weights do not fit the network that the run describes:")
    for weight in model.weights:
        weight.assign(stored[weight.path])


def _das_arrays(file: "h5py.File", model: "keras.Model") -> dict[str, np.ndarray]:
    """The weights of a model of DAS: in the order of ours, each by the path of ours."""
    from dss.models.das import read_arrays

    arrays = read_arrays(file)
    if len(arrays) != len(model.weights):
        raise DssError(
            f"{file.filename}: holds {len(arrays)} arrays, but the network that the parameters "
            f"describe has {len(model.weights)}"
        )
    return dict(zip((weight.path for weight in model.weights), arrays, strict=True))


def _arrays(group: "h5py.Group") -> Iterator[tuple[str, np.ndarray]]:
    """All arrays in an HDF5 group and the groups in it, each with its path."""
    for item in group.values():
        if hasattr(item, "shape"):
            yield item.name.removeprefix("/"), item[()]
        else:
            yield from _arrays(item)
