"""Checkpoints hold everything needed to resume an interrupted training exactly."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dss.errors import DssError, shown
from dss.support import hdf5

ADVICE = (
    "The training cannot resume where it stopped. To train further from its best weights, set "
    "another nb_epoch, or remove this file."
)


def save_checkpoint(path: Path, arrays: Sequence[np.ndarray], state: dict[str, Any]) -> None:
    """Write arrays and `state`, a dictionary of plain values, to an HDF5 file."""
    with hdf5.writing(path) as file:
        file.attrs["state"] = json.dumps(state)
        for i, array in enumerate(arrays):
            file[_name(i)] = array


def load_checkpoint(
    path: Path, arrays: Sequence[np.ndarray], like: Mapping[str, int | float]
) -> dict[str, Any]:
    """Read the values of the arrays, in place; return the state.

    Arguments:
        path: the checkpoint.
        arrays: like those that were saved.
        like: the numbers of the state that are wanted, of the same kinds; it may hold more.

    Raises: DssError if the checkpoint is damaged or belongs to another network.
    """
    with hdf5.reading(path, ADVICE) as file:
        for i, array in enumerate(arrays):
            name = _name(i)
            if name not in file or file[name].shape != array.shape:
                raise DssError(f"{path}: belongs to another network. {ADVICE}")
        for i, array in enumerate(arrays):
            array[...] = file[_name(i)][()]
        state = json.loads(file.attrs["state"])
        return {name: _number(state[name], type(value)) for name, value in like.items()}


def epochs_done(path: Path) -> int:
    """Return the number of epochs completed when a checkpoint was written.

    Raises: DssError if the checkpoint is damaged.
    """
    with hdf5.reading(path, ADVICE) as file:
        return _number(json.loads(file.attrs["state"])["epoch"], int)


def _number(value: Any, kind: type) -> Any:
    """A number of the state; all of them count or measure something."""
    if type(value) not in (int, kind) or not value >= 0:
        raise ValueError(f"its state has {shown(value)} in place of a number")
    return value


def _name(place: int) -> str:
    """Name an array by its position, as the optimizer's names are not unique."""
    return f"{place:05}"
