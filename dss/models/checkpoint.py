"""Checkpoints: all that a training which was interrupted needs to go on as if it had not been."""

import json
from pathlib import Path
from typing import Any

from dss.errors import DssError
from dss.files import replacing
from dss.models.backend import keras


def save_checkpoint(
    path: Path, model: keras.Model, optimizer: keras.Optimizer, state: dict[str, Any]
) -> None:
    """Write the weights, the optimizer's memory, and `state`, plain numbers, to an HDF5 file."""
    import h5py

    with replacing(path) as part, h5py.File(part, "w") as file:
        file.attrs["state"] = json.dumps(state)
        for name, variable in _variables(model, optimizer).items():
            file[name] = variable.numpy()


def load_checkpoint(path: Path, model: keras.Model, optimizer: keras.Optimizer) -> dict[str, Any]:
    """Put all numbers back; returns the state.

    Raises: DssError if the checkpoint is of another network.
    """
    import h5py

    with h5py.File(path) as file:
        variables = _variables(model, optimizer)
        for name, variable in variables.items():
            if name not in file or file[name].shape != tuple(variable.shape):
                raise DssError(f"{path}: is of another network: {variable.path} does not fit")
        for name, variable in variables.items():
            variable.assign(file[name][()])
        return json.loads(file.attrs["state"])


def _variables(model, optimizer) -> dict[str, Any]:
    """By place, not by name: names of the optimizer's variables are not unique."""
    groups = {"model": model.variables, "optimizer": optimizer.variables}
    return {f"{g}/{i:05}": v for g, variables in groups.items() for i, v in enumerate(variables)}
