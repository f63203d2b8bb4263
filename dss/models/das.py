"""The network of DAS 0.32, and how to read the files of models trained with DAS.

DAS writes `_model.h5` with Keras 2 and `_params.yaml` with Python tags. dss reads only the arrays
from the first, matching them by order, and accepts only the tags that DAS writes in the second, as
plain values. It runs no code from either file.

Source: Steinfath, Palacios, Rottschaefer, Yuezak & Clemens (2021), eLife 10:e68837; software at
https://github.com/janclemenslab/das, release 0.32.13.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from dss.errors import DssError
from dss.options import NetworkOptions
from dss.support import yaml_files

if TYPE_CHECKING:
    import h5py
    import keras

ARCHITECTURES = ("tcn", "tcn_stft")  # identical in DAS
OLD_NAMES = {"nb_kernels": "nb_filters", "pre_nb_conv": "nb_pre_conv"}
DEPTH_MULTIPLIER = 4  # of separable convolutions
# DAS has functions that build other variants, but its training never uses them.
USUAL = {
    "activation": "norm_relu",
    "use_skip_connections": True,
    "padding": "same",
    "use_resnet": False,
}


def das_tcn(nb_channels: int, nb_classes: int, options: NetworkOptions) -> "keras.Model":
    """Build the network of DAS, with the same arguments and result as `dss.models.tcn.tcn`.

    It differs from `tcn` in the frontend (decibels relative to the loudest sound in the chunk, not
    standardized), in the normalization (by the largest filter), and in that it repeats frames
    instead of interpolating them.
    """
    from dss.models.backend import keras
    from dss.models.geometry import separable_blocks
    from dss.models.layers import DecibelSpectrogram, DilatedConv1D, NormalizeByMaximum
    from dss.models.tcn import class_scores

    layers = keras.layers
    hop = 2**options.nb_pre_conv
    inputs = keras.Input((options.nb_hist, nb_channels), name="audio")
    x = inputs
    if hop > 1:
        x = DecibelSpectrogram(options.pre_nb_dft, hop, name="spectrogram", dtype="float32")(x)
    x = layers.Conv1D(options.nb_filters, 1, name="input")(x)
    skips = []
    for block, separable in enumerate(separable_blocks(options)):
        for dilation in options.dilations:
            name = f"block{block}_dilation{dilation}"
            shape = (options.nb_filters, options.kernel_size, dilation)
            y = DilatedConv1D(*shape, separable, DEPTH_MULTIPLIER, name=name)(x)
            y = layers.Activation("relu", name=f"{name}_relu")(y)
            y = NormalizeByMaximum(name=f"{name}_norm")(y)
            if options.dropout:
                y = layers.SpatialDropout1D(options.dropout, name=f"{name}_dropout")(y)
            y = layers.Conv1D(options.nb_filters, 1, name=f"{name}_mix")(y)
            x = layers.Add(name=f"{name}_add")([x, y])
            skips.append(y)
    x = class_scores(skips, nb_classes, options)
    logits = layers.UpSampling1D(hop, name="logits", dtype="float32")(x)
    probabilities = layers.Softmax(name="probabilities", dtype="float32")(logits)
    return keras.Model(inputs, probabilities, name="das_tcn")


def is_das_params(params: dict[str, Any]) -> bool:
    """Tell whether `_params.yaml` is from DAS: files from dss list its versions."""
    return "versions" not in params and "nb_classes" in params


def params_from_das(params: dict[str, Any], source: Path) -> dict[str, Any]:
    """Convert parameters written by DAS to those that `dss.runs` needs.

    Raises: DssError if dss does not support this kind of model.
    """
    params = {**{new: params[old] for old, new in OLD_NAMES.items() if old in params}, **params}
    if params.get("model_name") not in ARCHITECTURES:
        raise DssError(
            f"{source}: is a DAS model of type {params.get('model_name')}, which dss cannot read. "
            f"Use a model of type {' or '.join(ARCHITECTURES)}."
        )
    for name, usual in USUAL.items():
        if params.get(name, usual) != usual:
            raise DssError(
                f"{source}: is a DAS model with {name} {params[name]}; dss can only read models "
                f"with {name} {usual}."
            )
    if params.get("upsample") is False or params.get("output_stride", 1) != 1:
        raise DssError(
            f"{source}: this DAS model makes fewer predictions than there are samples, which dss "
            "cannot use. Use a model trained with upsampling."
        )
    separable = params.get("use_separable", False)
    separable = list(separable) if isinstance(separable, list | tuple) else [separable]
    nb_conv = params["nb_conv"]
    known = {name: params[name] for name in NetworkOptions.model_fields if params.get(name)}
    return {
        **known,
        "model_name": "das_tcn",
        "use_separable": (separable + separable[-1:] * nb_conv)[:nb_conv],
        "ignore_boundaries": bool(params.get("data_padding")),
        "dropout": 0.0,
        "nb_channels": params.get("nb_channels") or params["nb_freq"],
        "samplerate_x_Hz": float(params["samplerate_x_Hz"]),
        "samplerate_y_Hz": float(params.get("samplerate_y_Hz") or params["samplerate_x_Hz"]),
        "class_names": [str(name) for name in params["class_names"]],
        "class_types": [str(name) for name in params["class_types"]],
        "data_padding": int(params.get("data_padding") or 0),
    }


def read_arrays(file: "h5py.File") -> list[np.ndarray]:
    """Read all weights of a model saved by Keras 2, in the order of its layers."""
    group = file["model_weights"]
    layers = [group[_text(name)] for name in group.attrs["layer_names"]]
    return [layer[_text(name)][()] for layer in layers for name in layer.attrs["weight_names"]]


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name


class DasLoader(yaml_files.Loader):  # type: ignore[valid-type, misc]  # it is written in C, or not
    """A safe loader that also reads numpy's scalars and strings, as plain values."""


def _tuple(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> tuple:
    return tuple(loader.construct_sequence(node, deep=True))


def _dtype(loader: yaml.SafeLoader, node: yaml.MappingNode) -> str:
    """Return the name of a numpy dtype with its byte order, such as <f8 or <U4."""
    fields = loader.construct_mapping(node, deep=True)
    return str(fields.get("state", (3, "<"))[1]).replace("|", "") + str(fields["args"][0])


def _scalar(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> Any:
    """Return a numpy number or string as a plain value, from its dtype and its bytes."""
    dtype, data = loader.construct_sequence(node, deep=True)
    try:
        if np.dtype(dtype).kind not in "biufU":
            raise TypeError(f"the dtype {dtype} is neither a number nor a string")
        return np.frombuffer(data, dtype)[0].item()
    except (TypeError, ValueError) as error:
        raise yaml.constructor.ConstructorError(None, None, str(error), node.start_mark) from None


PYTHON = "tag:yaml.org,2002:python"
DasLoader.add_constructor(f"{PYTHON}/tuple", _tuple)
DasLoader.add_constructor(f"{PYTHON}/object/apply:numpy.dtype", _dtype)
for core in ("core", "_core"):
    DasLoader.add_constructor(f"{PYTHON}/object/apply:numpy.{core}.multiarray.scalar", _scalar)
