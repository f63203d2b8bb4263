"""Continue from a run: resume an interrupted one, or train its network further."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from dss.data.contents import fingerprint
from dss.data.dataset import open_dataset
from dss.errors import DssError, raise_problems
from dss.options import NetworkOptions, TrainOptions
from dss.runs import check_options, load_run, read_params, run_file, run_trunk
from dss.support.files import resolved
from dss.train.presets import PRESETS

if TYPE_CHECKING:
    import keras

# Network options that any weights fit.
FREE = ("nb_hist", "ignore_boundaries", "dropout")


def options_to_continue(options: TrainOptions) -> tuple[TrainOptions, Path | None]:
    """Complete the options from the run in `continue_from`, if there is one.

    An interrupted run is resumed with all its options, provided that the data are the same and no
    given option differs. From any other run, only the architecture of the network is taken.

    Returns: the options, and the trunk of the run to resume, or None.
    Raises: DssError if there is no such run, or a given option contradicts the run's architecture.
    """
    if options.continue_from is None:
        return options, None
    trunk = run_trunk(options.continue_from)
    params = read_params(trunk)
    given = options.values_given()
    stored = {name: params[name] for name in TrainOptions.model_fields if name in params}
    again, is_interrupted = given, run_file(trunk, "_checkpoint.h5").is_file()
    if is_interrupted:
        check_options(TrainOptions, stored, run_file(trunk, "_params.yaml"))
        lowered = params.get("batch_size", 0)
        if _was_lowered(params) and given.get("batch_size", 0) >= lowered:
            again = {**given, "batch_size": lowered}  # or it would be lowered again
    if is_interrupted and not _differing(again, stored):
        if params.get("data_sha256") != fingerprint(open_dataset(options.data_dir)):
            raise DssError(
                f"{trunk}: cannot be resumed, because {options.data_dir} differs from the data it "
                "was trained on. To train it further on other data, change an option, such as "
                "nb_epoch."
            )
        now = {"data_dir": options.data_dir, "devices": options.devices}
        return TrainOptions.checked({**stored, **now}), trunk
    known = {name: params[name] for name in NetworkOptions.model_fields if name in params}
    shape = dict(NetworkOptions(**known))  # an older run has the defaults of newer options
    problems = [
        f"{name}: {given[name]}, but the network of {trunk} has {shape[name]}. Leave this option "
        "out."
        for name in shape.keys() & given.keys() - set(FREE)
        if given[name] != shape[name]
    ]
    raise_problems(problems, "A network that you train further keeps its architecture:")
    return TrainOptions.checked({**shape, **given}), None


def _was_lowered(params: Mapping[str, Any]) -> bool:
    """Whether the given batch size exceeded the number of chunks, and was lowered to it."""
    return any(text.startswith("batch_size:") for text in params.get("warnings") or [])


def _differing(given: Mapping[str, Any], stored: Mapping[str, Any]) -> set[str]:
    """The options, given directly or by a preset, in which a run differs."""
    wanted = {**PRESETS.get(given.get("preset") or "", {}), **given}
    before = TrainOptions.checked(stored)
    own = {"data_dir", "continue_from", "devices", "auto", "preset"}
    return {name for name in wanted.keys() - own if not _same(wanted[name], getattr(before, name))}


def _same(a: Any, b: Any) -> bool:
    return a == b or (isinstance(a, Path) and isinstance(b, Path) and resolved(a) == resolved(b))


def check_run_fits(options: TrainOptions, tree: xr.DataTree) -> None:
    """Raise a DssError if the run to continue was trained with a different kind of recordings."""
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


def copy_weights(model: "keras.Model", trunk: Path, class_names: list[str]) -> None:
    """Copy the weights of a run into a network; in the last layer, only of shared classes.

    Arguments:
        model: a network with the architecture of the run, but possibly other classes.
        trunk: the run.
        class_names: the classes of the network. Classes that are new to the run keep their weights.
    """
    run = load_run(trunk)
    known = {weight.path: weight.numpy() for weight in run.model.weights}
    old_names = run.params["class_names"]
    both = [name for name in class_names if name in old_names]
    new, old = ([names.index(name) for name in both] for names in (class_names, old_names))
    for weight in model.weights:
        values = known[weight.path]
        if weight.path.startswith("scores"):
            extended = np.array(weight.numpy())
            extended[..., new] = values[..., old]
            values = extended
        weight.assign(values)
