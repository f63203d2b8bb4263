"""Go on from a run: resume one that was interrupted, or train its network further."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from dss.data.contents import fingerprint
from dss.data.dataset import open_dataset
from dss.errors import DssError, raise_problems
from dss.options import NetworkOptions, TrainOptions
from dss.runs import load_run, read_params, run_file, run_trunk
from dss.train.presets import PRESETS

if TYPE_CHECKING:
    import keras

# Options of a network that fit any weights.
FREE = ("nb_hist", "ignore_boundaries", "dropout")


def inherit(options: TrainOptions) -> tuple[TrainOptions, Path | None]:
    """The options with what comes from the run in `continue_from`, if there is one.

    A run that was interrupted is resumed with all its options if none that is given differs, and
    the data are the same. From any other run the shape of the network is taken.

    Returns: the options, and the trunk of the run that is resumed, or None.
    Raises: DssError if there is no such run, or a shape is given that is not that of the run.
    """
    if options.continue_from is None:
        return options, None
    trunk = run_trunk(options.continue_from)
    params = read_params(trunk)
    given = {name: getattr(options, name) for name in options.model_fields_set}
    stored = {name: params[name] for name in TrainOptions.model_fields if name in params}
    again = given
    if _was_lowered(params) and given.get("batch_size", 0) >= params["batch_size"]:
        again = {**given, "batch_size": params["batch_size"]}  # it would be lowered again
    if run_file(trunk, "_checkpoint.h5").is_file() and not _differing(again, stored):
        if params["data_sha256"] != fingerprint(open_dataset(options.data_dir)):
            raise DssError(
                f"{trunk}: cannot resume: {options.data_dir} is not the data it was trained "
                "with. To train it further on other data, change an option, such as nb_epoch."
            )
        now = {"data_dir": options.data_dir, "devices": options.devices}
        return TrainOptions.checked({**stored, **now}), trunk
    shape = {name: params[name] for name in NetworkOptions.model_fields if name in params}
    problems = [
        f"{name}: {given[name]}, but the network of {trunk} has {shape[name]}. Leave it out."
        for name in shape.keys() & given.keys() - set(FREE)
        if given[name] != shape[name]
    ]
    raise_problems(problems, "A network that you train further keeps its architecture:")
    return TrainOptions.checked({**shape, **given}), None


def _was_lowered(params: Mapping[str, Any]) -> bool:
    """Whether the batch size given was more than the chunks of the data, and these were taken."""
    return any(said.startswith("batch_size:") for said in params.get("warnings", []))


def _differing(given: Mapping[str, Any], stored: Mapping[str, Any]) -> set[str]:
    """The options given, by themselves or by a preset, that are not those of a run."""
    wanted = {**PRESETS.get(given.get("preset") or "", {}), **given}
    before = TrainOptions.checked(stored)
    own = {"data_dir", "continue_from", "devices", "auto", "preset"}
    return {name for name in wanted.keys() - own if not _same(wanted[name], getattr(before, name))}


def _same(a: Any, b: Any) -> bool:
    return a == b or (isinstance(a, Path) and isinstance(b, Path) and a.resolve() == b.resolve())


def check_fits(options: TrainOptions, tree: xr.DataTree) -> None:
    """Raise a DssError if the run to go on from was trained with other kinds of recordings."""
    if options.continue_from is None:
        return
    params = read_params(run_trunk(options.continue_from))
    stated = {
        "sample rate": (params["samplerate_x_Hz"], tree.attrs["samplerate_x_Hz"]),
        "number of channels": (params["nb_channels"], tree["train"].sizes["channel"]),
    }
    problems = [
        f"{what}: {there:g} in {options.data_dir}, but {here:g} in the run"
        for what, (here, there) in stated.items()
        if here != there
    ]
    raise_problems(problems, f"The network of {options.continue_from} does not fit this dataset:")


def put_weights(model: "keras.Model", trunk: Path, class_names: list[str]) -> None:
    """Put the weights of a run into a network; of the last layer those of the classes it has.

    Arguments:
        model: a network of the shape of the run's, but maybe with other classes.
        trunk: the run.
        class_names: of the network. Classes that the run does not know keep their weights.
    """
    run = load_run(trunk)
    known = {weight.path: weight.numpy() for weight in run.model.weights}
    old_names = run.params["class_names"]
    both = [name for name in class_names if name in old_names]
    new, old = ([names.index(name) for name in both] for names in (class_names, old_names))
    for weight in model.weights:
        values = known[weight.path]
        if weight.path.startswith("scores/"):
            extended = np.array(weight.numpy())
            extended[..., new] = values[..., old]
            values = extended
        weight.assign(values)
