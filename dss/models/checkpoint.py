"""Checkpoints: all that a training which was interrupted needs to go on as if it had not been."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dss.errors import DssError
from dss.support import hdf5
from dss.support.files import replacing

if TYPE_CHECKING:
    import keras

WAY_OUT = (
    "The training cannot go on where it was stopped. To train further from its best weights, give "
    "another nb_epoch, or remove this file."
)


def save_checkpoint(
    path: Path, variables: Sequence["keras.Variable"], state: dict[str, Any]
) -> None:
    """Write the variables, and `state`, plain numbers, to an HDF5 file."""
    import h5py

    with replacing(path) as part, h5py.File(part, "w") as file:
        file.attrs["state"] = json.dumps(state)
        for i, variable in enumerate(variables):
            file[_name(i)] = variable.numpy()


def load_checkpoint(path: Path, variables: Sequence["keras.Variable"]) -> dict[str, Any]:
    """Put all numbers back; returns the state.

    Raises: DssError if the checkpoint is damaged, or of another network.
    """
    with hdf5.reading(path, WAY_OUT) as file:
        for i, variable in enumerate(variables):
            name = _name(i)
            if name not in file or file[name].shape != tuple(variable.shape):
                raise DssError(f"{path}: is of another network: {variable.path} does not fit")
        for i, variable in enumerate(variables):
            variable.assign(file[_name(i)][()])
        return json.loads(file.attrs["state"])


def epochs_done(path: Path) -> int:
    """After how many epochs a checkpoint was written.

    Raises: DssError if the checkpoint is damaged.
    """
    with hdf5.reading(path, WAY_OUT) as file:
        return json.loads(file.attrs["state"])["epoch"]


def _name(place: int) -> str:
    """By place, not by name: names of the optimizer's variables are not unique."""
    return f"{place:05}"
