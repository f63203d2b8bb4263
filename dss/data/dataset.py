"""Datasets: opened lazily, and checked.

For each of the splits train, val and test, a dataset has `x` [samples, channels] float32, `y`
[samples, classes], `y_<song type>` [samples, 2] if it has individual targets, and `annotated`
[samples] if some samples are unknown; and it has attributes. `dss.data.stores` stores datasets,
`dss.data.assembly` makes them.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dss.data import stores
from dss.data.splits import SPLITS
from dss.errors import DssError, raise_problems, warn

if TYPE_CHECKING:
    import xarray as xr

# Attributes that training and prediction can do without, and their types.
ABOUT: dict[str, type] = {"made_from": str, "made_with": dict, "chosen": dict, "fixed": list}
ABOUT |= {f"filename_{split}": list for split in SPLITS}


def open_dataset(path: str | Path) -> "xr.DataTree":
    """Open a dataset without reading it: slices are read from disk when they are used.

    Datasets made by DeepSS or DAS can be opened, too.

    Arguments:
        path: NAME.npy, NAME.zarr or NAME.h5.

    Returns: a tree with the nodes train, val and test (including empty ones), each with x (time,
        channel), y (time, song_type) and the other arrays of the dataset; time is in seconds from
        the start of the split. The attributes of the tree are those of the dataset.
    Raises: DssError if there is no dataset, or it is incomplete or damaged.

    Example:
        >>> from dss.data import open_dataset
        >>> tree = open_dataset("finch.npy")
        >>> tree.attrs["class_names"]
        ['noise', 'a', 'b', 'c', 'd', 'e', 'f']
        >>> tree["test"]["x"].dims
        ('time', 'channel')
    """
    import xarray as xr

    path = Path(path)
    attributes = stores.read_attributes(path)
    needed = ("samplerate_x_Hz", "class_names", "class_types")
    missing = [name for name in needed if name not in attributes]
    if missing:
        raise DssError(f"{path}: its attributes lack {', '.join(missing)}. {stores.DAMAGED}")
    problems = stores.class_problems(attributes)
    raise_problems(problems, f"{path}: these attributes are invalid; make the dataset again:")
    _leave_out_invalid(attributes, path)
    # y has a row for each sample of x, so both have the same rate if the dataset does not say.
    attributes.setdefault("samplerate_y_Hz", attributes["samplerate_x_Hz"])
    nodes = {split: _open_split(path, split, attributes) for split in SPLITS}
    channels = {split: x.sizes["channel"] for split, x in nodes.items() if x.sizes["time"]}
    if len({*channels.values()}) > 1:
        raise DssError(f"{path}: the splits have different channels, {channels}. {stores.DAMAGED}")
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=attributes), **nodes}, name=path.name)


def _leave_out_invalid(attributes: dict[str, Any], path: Path) -> None:
    """Remove attributes about how a dataset was made that are not as dss writes them, and warn."""
    for name, kind in ABOUT.items():
        value = attributes.get(name)
        are_right = isinstance(value, kind)
        if isinstance(value, list):
            are_right &= all(isinstance(text, str) for text in value)
        if name in attributes and not are_right:
            text = f"{path}: its attribute {name} is {str(value)[:50]!r}, which is ignored"
            warn(text)
            del attributes[name]


def dimension(name: str) -> str:
    """The second dimension of an array of a dataset: channel of x, song_type of y."""
    return "channel" if name == "x" else "song_type" + name.removeprefix("y")


def _open_split(path: Path, split: str, attributes: dict[str, Any]) -> "xr.Dataset":
    import xarray as xr

    arrays = stores.read_arrays(path, split)
    class_names = {
        name: attributes.get("class_names" + name.removeprefix("y")) or []
        for name in arrays
        if name.startswith("y")
    }
    if not arrays and "made_with" in attributes and attributes.get(f"filename_{split}"):
        raise DssError(f"{path}: has no {split}, but should have. {stores.DAMAGED}")
    if not arrays:
        empty = {
            "x": np.empty((0, 1), np.float32),
            "y": np.empty((0, len(attributes["class_names"]))),
        }
        arrays = {name: xr.Variable(("time", dimension(name)), v) for name, v in empty.items()}
        class_names = {"y": attributes["class_names"]}
    missing = {"x", "y"} - arrays.keys()
    if missing:
        raise DssError(f"{path}: {split} lacks {' and '.join(sorted(missing))}; make it again")
    for name, array in arrays.items():
        n_dims = 1 if name == "annotated" else 2
        where, names = f"{path}: {split}/{name}", class_names.get(name)
        _check_array(where, array, n_dims, arrays["x"], names)
    variables = {name: _named(name, array, path) for name, array in arrays.items()}
    step = 1 / attributes["samplerate_x_Hz"]
    # Half a step less than the length, so that rounding cannot add or lose a sample.
    index = xr.indexes.RangeIndex.arange(0, (len(arrays["x"]) - 0.5) * step, step, dim="time")
    dataset = xr.Dataset(variables, coords=xr.Coordinates.from_xindex(index))
    dataset["time"].attrs["units"] = "s"
    return dataset.assign_coords({dimension(n): names for n, names in class_names.items()})


def _check_array(
    where: str, array: "xr.Variable", n_dims: int, x: "xr.Variable", names: list[str] | None
) -> None:
    """Raise a DssError if an array, called `where`, differs from x in length, or has the wrong
    dimensions, or classes other than `names`; these are None if it is not a target.
    """
    if array.ndim != n_dims or array.dtype.kind not in "biuf":
        right = "[samples]" if n_dims == 1 else "[samples, columns]"
        raise DssError(
            f"{where} is {array.dtype} {array.shape}; it should be numbers {right}. "
            f"{stores.DAMAGED}"
        )
    has_classes = names is None or array.shape[1] == len(names)
    if array.shape[:1] != x.shape[:1] or not has_classes:
        and_names = "" if names is None else f" and its classes {names}"
        raise DssError(
            f"{where} {array.shape} does not fit x {x.shape}{and_names}. {stores.DAMAGED}"
        )


def _named(name: str, array: "xr.Variable", path: Path) -> "xr.Variable":
    """Name the dimensions of an array, which stays on disk, unread."""
    import xarray as xr

    dims = ("time", dimension(name))[: array.ndim]
    long_name = {"x": "audio", "annotated": "whether it was annotated"}.get(name, "probability")
    attributes, encoding = {"long_name": long_name}, {"source": str(path)}
    return xr.Variable(dims, array._data, attributes, encoding, fastpath=True)
