"""Build networks from options, save their weights as plain arrays, and load them by name.

dss never unpickles a network and runs no code from a file: it rebuilds the network from the options
in `_params.yaml` and loads the weights in `_model.h5` by name, checking every shape.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dss.errors import DssError, raise_problems
from dss.models.checkpoint import epochs_done as epochs_done  # for all who train
from dss.models.geometry import best_block as best_block
from dss.models.geometry import check as check
from dss.models.geometry import count_weights as count_weights
from dss.models.geometry import first_chunk as first_chunk
from dss.models.geometry import padding as padding
from dss.models.geometry import reach as reach
from dss.models.geometry import receptive_field as receptive_field
from dss.options import NetworkOptions
from dss.support import hdf5

if TYPE_CHECKING:  # TensorFlow is imported only where a network is built
    import h5py
    import keras


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


def freeze(model: "keras.Model", names: Sequence[str]) -> None:
    """Freeze the weights of some layers; block0 means all layers of the first block.

    If there are several members, what they share is frozen in any case.

    Raises: DssError if the network has no such layers, or if no layer would be left to train.
    """
    from dss.models.tcn import members

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
    frozen = {*names, "spectrogram"} if len(members(model)) > 1 else {*names}
    for layer in with_weights:
        layer.trainable = layer.name.split("_")[0] not in frozen


def resized(model: "keras.Model", options: NetworkOptions, nb_hist: int) -> "keras.Model":
    """Rebuild a network for prediction on chunks of another length, with 32 bits throughout.

    `options` are those that it was built with; `nb_hist` is the new length in samples.
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
    with hdf5.writing(path) as file:
        for weight in model.weights:
            file[weight.path] = weight.numpy()


def load_weights(model: "keras.Model", path: Path) -> None:
    """Load the weights of an HDF5 file into a network.

    Raises: DssError if the file is damaged, or a list of all weights that are missing, not numbers,
        have another shape, or belong to no layer. The network then stays unchanged.
    """
    with hdf5.reading(path) as file:
        is_das = "model_weights" in file
        stored = _das_arrays(file, model) if is_das else dict(_arrays(file))
    problems = []
    for weight in model.weights:
        if weight.path not in stored:
            problems.append(f"{weight.path}: missing from the file")
            continue
        values, shape = np.asarray(stored[weight.path]), tuple(weight.shape)
        if values.dtype.kind not in "fiu" or not _fits(values):
            problems.append(f"{weight.path}: contains values that are not numbers")
        elif values.shape != shape:
            problems.append(
                f"{weight.path}: has shape {values.shape} in the file, but {shape} in the network"
            )
    unknown = stored.keys() - {weight.path for weight in model.weights}
    problems += [f"{name}: belongs to no layer of the network" for name in sorted(unknown)]
    way = "Copy both files of the run again:"
    raise_problems(problems, f"{path}: the weights do not match _params.yaml. {way}")
    for weight in model.weights:
        weight.assign(stored[weight.path])


def _fits(values: np.ndarray) -> bool:
    """Whether all values are finite as weights, which have 32 bits."""
    with np.errstate(over="ignore"):
        return bool(np.isfinite(values.astype(np.float32)).all())


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
