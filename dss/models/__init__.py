"""Build networks from options, save their weights as plain arrays, and load them by name.

dss never unpickles a network and runs no code from a file: it rebuilds the network from the options
in `_params.yaml` and loads the weights in `_model.h5` by name, checking every shape.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dss.errors import DssError, raise_problems
from dss.models.checkpoint import epochs_done as epochs_done  # for all who train
from dss.models.patterns import bins, pattern_shapes
from dss.options import NetworkOptions
from dss.support import hdf5
from dss.support.files import replacing

if TYPE_CHECKING:  # TensorFlow is imported only where a network is built
    import h5py
    import keras

BLOCK_SAMPLES = 2**18, 2**15  # longer blocks are hardly faster on CPUs


def build(
    options: NetworkOptions, nb_channels: int, nb_classes: int, mixed_precision: str = ""
) -> "keras.Model":
    """Build the network that the options describe, with random weights.

    Arguments:
        options: the architecture and its hyperparameters.
        nb_channels: number of audio channels.
        nb_classes: number of classes: the song types plus noise.
        mixed_precision: "bfloat16" or "float16" to compute with 16 bits; weights keep 32 bits.

    Returns: a model that maps audio [batch, nb_hist, nb_channels] to probabilities [batch, nb_hist,
        nb_classes].
    Raises: DssError if the options contradict each other; see `check`.
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
    """Return how many samples to ignore at each end of a chunk, where filters reach beyond it."""
    if not options.ignore_boundaries:
        return 0
    if options.model_name == "das_tcn":
        return options.kernel_size * options.nb_conv
    return options.kernel_size * options.nb_conv * 2**options.nb_pre_conv


def first_chunk(options: NetworkOptions) -> int:
    """Return the sample at which the first chunk of a recording starts; it is never positive.

    In DAS, chunks start at multiples of the stride, and the predictions depend on that.
    """
    before = padding(options)
    return -before if options.model_name == "tcn" else 2 * before - options.nb_hist


def reach(options: NetworkOptions) -> int | None:
    """Return how many samples before or after a sample can affect its prediction, in whole frames.

    None if the whole chunk can: with an LSTM, or in a DAS model, which normalizes each chunk by its
    loudest sound.
    """
    if options.model_name != "tcn" or options.nb_lstm_units:
        return None
    taps = options.kernel_size - 1
    frames = options.nb_conv * sum(math.ceil(taps * dilation / 2) for dilation in options.dilations)
    if options.nb_pre_conv == 0:
        return frames
    hop = 2**options.nb_pre_conv
    if options.pre_nb_dft:
        frames += math.ceil(options.pre_background / 2) + bool(options.pre_filters)
    # Samples are interpolated between two frames, and the window is wider than a frame.
    return (frames + 1 + math.ceil(max(options.pre_nb_dft - hop, 0) / 2 / hop)) * hop


def best_block(options: NetworkOptions, n_samples: int) -> int:
    """Choose the block size that processes this many samples faster.

    Long blocks overlap less in total; short blocks waste less padding on short recordings.
    """
    overlap = 2 * (reach(options) or 0)
    return min(BLOCK_SAMPLES, key=lambda block: math.ceil(n_samples / block) * (block + overlap))


def receptive_field(options: NetworkOptions) -> int:
    """Return the receptive field: how many samples of audio can affect one prediction.

    This covers the convolutions only; an LSTM always sees the whole chunk, and `pre_background`
    has its own frames.
    """
    frames = 1 + options.nb_conv * sum(options.dilations) * (options.kernel_size - 1)
    if options.nb_pre_conv == 0:
        return frames
    hop = 2**options.nb_pre_conv
    frames += 2 * bool(options.pre_filters)
    # Samples are interpolated between two frames, and the window is wider than a frame.
    return frames * hop + max(options.pre_nb_dft, hop)


def count_weights(options: NetworkOptions, nb_channels: int, nb_classes: int) -> int:
    """Count the weights of the network that `build` returns, without building it."""
    is_das = options.model_name == "das_tcn"
    separable = options.use_separable * (options.nb_conv if len(options.use_separable) == 1 else 1)
    filters, taps, n_features, total = options.nb_filters, options.kernel_size, nb_channels, 0
    if options.nb_pre_conv and not options.pre_nb_dft:
        n_features *= 2**options.nb_pre_conv
    elif options.nb_pre_conv:
        n_frequencies = len(range(options.pre_nb_dft // 2 + 1)[bins(options)])
        n_features *= n_frequencies
        total += 2 * options.pre_nb_dft * n_frequencies
    total += 0 if is_das else 2 * n_features
    if options.pre_filters:
        n_places, below = n_features // nb_channels, nb_channels
        for n, size, stride in pattern_shapes(n_places, options.pre_filters):
            total += math.prod(size) * below * n + n
            n_places, below = math.ceil(n_places / stride), n
        n_features = n_places * below
        total += 2 * n_features
    total += n_features * filters + filters
    for is_separable in separable:
        depth = 4 if is_das else 1  # filters per channel
        first = filters * depth * (taps + filters) if is_separable else taps * filters**2
        norm = 0 if is_das else 2 * filters
        total += len(options.dilations) * (first + filters + norm + filters**2 + filters)
    units, width = options.nb_lstm_units, filters
    if units:
        total, width = total + 8 * units * (width + units + 1), 2 * units
    return total + width * nb_classes + nb_classes


def check(options: NetworkOptions, n_samples: int = 0) -> None:
    """Raise a DssError that lists every reason why these options cannot make a network.

    `n_samples` is the amount of training audio; 0 if unknown.
    """
    problems = []
    if 0 < n_samples < options.nb_hist:
        problems.append(
            f"nb_hist: a chunk of {options.nb_hist} samples is longer than all audio for training "
            f"({n_samples} samples). Use much shorter chunks."
        )
    needed = 2 * padding(options)
    if options.nb_hist <= needed:
        problems.append(
            f"nb_hist: a chunk of {options.nb_hist} samples is too short for the filters: "
            f"{padding(options)} samples (kernel_size x nb_conv x 2**nb_pre_conv) are ignored at "
            f"each end, so nothing is left. Set nb_hist to more than {needed}, use shorter filters "
            "or fewer blocks, or set ignore_boundaries to False."
        )
    if options.nb_hist % 2**options.nb_pre_conv:
        hop = 2**options.nb_pre_conv
        nearest = max(1, round(options.nb_hist / hop)) * hop
        problems.append(
            f"nb_hist: {options.nb_hist} is not a multiple of the downsampling factor {hop}. "
            f"Use {nearest} instead."
        )
    is_raw_tcn = options.model_name == "tcn" and not options.pre_nb_dft
    if options.nb_pre_conv and options.pre_nb_dft < 8 and not is_raw_tcn:
        problems.append(
            f"pre_nb_dft: a window of {options.pre_nb_dft} samples is too short for an STFT. Use 8 "
            "or more, or 0 for no STFT (not with das_tcn, which needs one)."
        )
    has_spectrogram = options.model_name == "tcn" and options.nb_pre_conv and options.pre_nb_dft
    needs = {
        "pre_background": "whose background could be found",
        "pre_filters": "to filter",
        "pre_bins": "to take bins of",
    }
    for name, what in needs.items():
        if getattr(options, name) and not has_spectrogram:
            problems.append(
                f"{name}: there is no spectrogram {what}. Leave it out, or use the model tcn with "
                "an STFT (nb_pre_conv and pre_nb_dft)."
            )
    last_bin = options.pre_nb_dft // 2
    if (
        has_spectrogram
        and options.pre_bins
        and not (
            len(options.pre_bins) == 2 and options.pre_bins[0] < options.pre_bins[1] <= last_bin
        )
    ):
        problems.append(
            f"pre_bins: {' '.join(map(str, options.pre_bins))} cannot be the first and the last "
            f"bin of a spectrogram. Give two numbers from 0 to {last_bin}, the lower one first."
        )
    if len(options.use_separable) not in (1, options.nb_conv):
        problems.append(
            f"use_separable: has {len(options.use_separable)} values for {options.nb_conv} blocks "
            "(nb_conv). Give one value per block, or a single value for all blocks."
        )
    raise_problems(problems, "Cannot build a network with these options:")


def freeze(model: "keras.Model", names: Sequence[str]) -> None:
    """Freeze the weights of some layers; block0 means all layers of the first block.

    Raises: DssError if the network has no such layers, or if no layer would be left to train.
    """
    with_weights = [layer for layer in model.layers if layer.trainable_weights]
    parts = list(dict.fromkeys(layer.name.split("_")[0] for layer in with_weights))
    unknown = [name for name in names if name not in parts]
    if unknown:
        raise DssError(
            f"freeze: the network has no {' and no '.join(unknown)}. Choose from "
            f"{', '.join(parts)}."
        )
    if set(parts) <= set(names):
        raise DssError("freeze: all layers are frozen, so nothing can be trained. Name fewer.")
    for layer in with_weights:
        layer.trainable = layer.name.split("_")[0] not in names


def resized(model: "keras.Model", options: NetworkOptions, nb_hist: int) -> "keras.Model":
    """Rebuild a network for prediction on chunks of another length, with 32 bits throughout.

    Arguments:
        model: a network made by `build`.
        options: the options it was built with.
        nb_hist: the new chunk length in samples.
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
    """Write each weight to an HDF5 file as a plain array, named as in the network."""
    import h5py

    with replacing(path) as part, h5py.File(part, "w") as file:
        for weight in model.weights:
            file[weight.path] = weight.numpy()


def load_weights(model: "keras.Model", path: Path) -> None:
    """Load the weights of an HDF5 file into a network.

    Raises: DssError if the file is damaged, or a list of all weights that are missing, have another
        shape, or belong to no layer. The network then stays unchanged.
    """
    with hdf5.reading(path) as file:
        is_das = "model_weights" in file
        stored = _das_arrays(file, model) if is_das else dict(_arrays(file))
    problems = []
    for weight in model.weights:
        if weight.path not in stored:
            problems.append(f"{weight.path}: missing from the file")
        elif stored[weight.path].shape != tuple(weight.shape):
            problems.append(
                f"{weight.path}: has shape {stored[weight.path].shape} in the file, but "
                f"{tuple(weight.shape)} in the network"
            )
    unknown = stored.keys() - {weight.path for weight in model.weights}
    problems += [f"{name}: belongs to no layer of the network" for name in sorted(unknown)]
    raise_problems(problems, f"{path}: the weights do not match the network of this run:")
    for weight in model.weights:
        weight.assign(stored[weight.path])


def _das_arrays(file: "h5py.File", model: "keras.Model") -> dict[str, np.ndarray]:
    """Return the weights of a DAS model by the paths of our layers; both have the same order."""
    from dss.models.das import read_arrays

    arrays = read_arrays(file)
    if len(arrays) != len(model.weights):
        raise DssError(
            f"{file.filename}: holds {len(arrays)} arrays, but the network described by the "
            f"parameters has {len(model.weights)}. Check that both files are from the same run."
        )
    return dict(zip((weight.path for weight in model.weights), arrays, strict=True))


def _arrays(group: "h5py.Group") -> Iterator[tuple[str, np.ndarray]]:
    """Yield all arrays in an HDF5 group and its subgroups, each with its path."""
    for item in group.values():
        if hasattr(item, "shape"):
            yield item.name.removeprefix("/"), item[()]
        else:
            yield from _arrays(item)
