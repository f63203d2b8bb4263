"""Runs: the files that training writes, and a trained network read back from them."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from dss import models
from dss.data.stores import class_problems
from dss.errors import DssError, raise_problems, shown
from dss.models import das
from dss.options import DetectOptions, NetworkOptions, Options
from dss.support import yaml_files
from dss.support.files import replacing
from dss.support.units import listed

if TYPE_CHECKING:
    import keras

    from dss.models.inference import Network

MOST_CHANNELS = 2**16 - 1  # as in a wav file
MOST_SAMPLES = 2**27  # of a chunk, or of the receptive field: an hour at 37 kHz
COPY = "Copy the file again, or correct it."
STAMP = "%Y%m%d_%H%M%S"  # of a run's start, in its name
SUFFIXES = {
    "_model.h5": "weights of the best epoch; needed to annotate",
    "_params.yaml": "options, song types, rate; needed to annotate",
    "_results.h5": "scores, labels, predictions of the test split",
    "_history.csv": "losses and scores of each epoch",
    "_confusion.png": "confusion matrix as a picture",
    "_checkpoint.h5": "for resuming interrupted training",
    "_tensorboard": "a folder: losses and scores for TensorBoard",
}


def run_file(trunk: str | Path, suffix: str) -> Path:
    """One file of a run, such as `20261123_101500` + `_model.h5`."""
    return Path(f"{trunk}{suffix}")


def list_files(run: str | Path) -> pd.DataFrame:
    """List the files of a run: one row per file, with size and content.

    Arguments:
        run: the trunk of a run's files.
    """
    files = [(run_file(run, suffix), holds) for suffix, holds in SUFFIXES.items()]
    rows = {
        path.name: {"kB": round(_n_bytes(path) / 1000, 1), "holds": holds}
        for path, holds in files
        if path.exists()
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["kB", "holds"])


def _n_bytes(path: Path) -> int:
    """The size of a file, or the total size of a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def run_trunk(run: str | Path) -> Path:
    """The common trunk of a run's files, from the trunk itself, the path of any of the files, or a
    folder with a single run.

    Raises: DssError if there is no such run, or the folder has several.
    """
    text = str(run)
    for suffix in SUFFIXES:
        text = text.removesuffix(suffix)
    trunk = Path(text)
    if trunk.is_dir() and (runs := _runs(trunk, "*_params.yaml")):
        if len(runs) > 1:
            last = latest_run(trunk)
            raise DssError(f"{run}: holds {len(runs)} runs; name one, such as the last: {last}")
        (trunk,) = runs
    params, weights = (run_file(trunk, suffix) for suffix in ("_params.yaml", "_model.h5"))
    if not params.is_file():
        raise DssError(f"{run}: {_why_no_run(trunk, params)}")
    if not weights.is_file():
        raise DssError(
            f"{run}: has no weights: there is no {weights}. If training was stopped in its first "
            f"epoch, start it again with dss train --options {params}"
        )
    return trunk


def _why_no_run(trunk: Path, params: Path) -> str:
    """What is there instead of a run, and which runs are meant instead."""
    if trunk.name.endswith((".npy", ".zarr")) and trunk.is_dir():
        runs, why = _runs(trunk.with_suffix(".res"), "*_params.yaml"), "is a dataset, not a run"
    else:
        runs, why = _runs(trunk.parent, "*_params.yaml"), f"is not a run: there is no {params}"
    last = sorted(runs, key=_begun)[-3:]
    return f"{why}; did you mean {' or '.join(map(str, last))}?" if last else why


def can_annotate(trunk: str | Path) -> bool:
    """Whether a run can annotate: a run that was killed early has no weights."""
    return all(run_file(trunk, suffix).is_file() for suffix in ("_params.yaml", "_model.h5"))


def latest_run(folder: str | Path) -> Path:
    """The trunk of the run in a folder that was started last, according to their names.

    Runs without a time in their name are dated by their last change.

    Raises: DssError if there is none.
    """
    runs = _runs(Path(folder), "*_params.yaml")
    if not runs:
        beside = sorted({run.parent for run in _runs(Path(folder).parent, "*/*_params.yaml")})
        named = listed(beside)
        there = f" There are runs in {named}." if beside else ""
        raise DssError(
            f"{folder}: contains no run. Train a network first: notebook 3, or dss train.{there}"
        )
    return max(runs, key=_begun)


def _runs(folder: Path, pattern: str) -> list[Path]:
    """The trunks of runs that can annotate and whose parameter files match a pattern."""
    trunks = [Path(str(path).removesuffix("_params.yaml")) for path in folder.glob(pattern)]
    return [trunk for trunk in trunks if can_annotate(trunk)]


def _begun(trunk: Path) -> tuple[str, float]:
    """When a run was started, as YYYYMMDD_hhmmss, and when its options were last written."""
    changed = run_file(trunk, "_params.yaml").stat().st_mtime
    stamp = re.search(r"(?<!\d)(\d{8}_\d{6})$", trunk.name)
    return stamp[1] if stamp else f"{datetime.fromtimestamp(changed):{STAMP}}", changed


def new_trunk(save_dir: Path, prefix: str) -> Path:
    """`[PREFIX_]YYYYMMDD_hhmmss`, with the next second that no other run uses."""
    stamp = datetime.now().replace(microsecond=0)
    while True:
        name = f"{stamp:{STAMP}}"
        trunk = save_dir / (f"{prefix}_{name}" if prefix else name)
        try:
            run_file(trunk, "_params.yaml").touch(exist_ok=False)  # before another run takes it
            return trunk
        except FileExistsError:
            stamp = datetime.fromtimestamp(stamp.timestamp() + 1)


def write_params(trunk: Path, params: dict[str, Any]) -> None:
    """Write `_params.yaml`: plain YAML, in the order given."""
    with replacing(run_file(trunk, "_params.yaml")) as part:
        part.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")


@dataclass(frozen=True, eq=False)
class Run:
    """A trained network with everything needed to use it."""

    trunk: Path
    params: dict[str, Any]
    options: NetworkOptions
    model: "keras.Model"
    _networks: dict[int, "Network"] = field(default_factory=dict, init=False, repr=False)

    def network(self, block_samples: int) -> "Network":
        """Prepare the network for audio in blocks of about this many samples.

        Tracing takes seconds.
        """
        from dss.models.inference import Network

        if block_samples not in self._networks:
            self._networks[block_samples] = Network(
                self.model, self.options, block_samples, f"{self.trunk}_model.h5"
            )
        return self._networks[block_samples]

    @property
    def samplerate_hz(self) -> float:
        """The sample rate of the recordings that the network was trained on."""
        return self.params["samplerate_x_Hz"]

    @property
    def song_types(self) -> dict[str, str]:
        """The song types that the network knows, with their categories: event or segment."""
        names, types = self.params["class_names"][1:], self.params["class_types"][1:]
        return dict(zip(names, types, strict=True))


def open_run(run: str | Path | Run) -> Run:
    """Load a run with `load_run`, or reuse the last result if the files are unchanged.

    Arguments:
        run: the trunk of a run's files, any of them, or a run that was loaded before.
    """
    if isinstance(run, Run):
        return run
    trunk = run_trunk(run).absolute()
    files = [run_file(trunk, suffix) for suffix in ("_params.yaml", "_model.h5")]
    return _loaded(trunk, *(file.stat().st_mtime_ns for file in files))


@lru_cache(maxsize=2)
def _loaded(trunk: Path, *changed: int) -> Run:
    return load_run(trunk)


def load_run(run: str | Path) -> Run:
    """Load a trained network.

    Arguments:
        run: the trunk of a run's files, or any of them.

    Raises: DssError if files are missing or do not match, with the layer that differs.
    """
    trunk = run_trunk(run)
    params = read_params(trunk)
    options = NetworkOptions(**_of(NetworkOptions, params))
    if params.get("data_padding", models.padding(options)) != models.padding(options):
        raise DssError(
            f"{run_file(trunk, '_params.yaml')}: data_padding is {params['data_padding']}, but "
            f"should be {models.padding(options)} for this kernel_size and nb_conv"
        )
    n_classes, n_channels = len(params["class_names"]), params["nb_channels"]
    _check_size(trunk, options, n_channels, n_classes)
    model = models.build(options, n_channels, n_classes)
    models.load_weights(model, run_file(trunk, "_model.h5"))
    return Run(trunk, params, options, model)


def _check_size(trunk: Path, options: NetworkOptions, n_channels: int, n_classes: int) -> None:
    """Raise a DssError if the network would be larger than the file of its weights can be."""
    path = run_file(trunk, "_model.h5")
    claimed, there = 4 * models.count_weights(options, n_channels, n_classes), path.stat().st_size
    if claimed > there:
        raise DssError(
            f"{run_file(trunk, '_params.yaml')}: describes a network with {claimed:,} bytes of "
            f"weights, but {path.name} has {there:,} bytes. One of them is damaged, or from "
            "another run."
        )
    reach = models.receptive_field(options)
    if max(reach, options.nb_hist) > MOST_SAMPLES:
        raise DssError(
            f"{run_file(trunk, '_params.yaml')}: the network would see {reach:,} samples, in "
            f"chunks of {options.nb_hist:,}; more than {MOST_SAMPLES:,} is impossible"
        )


def read_params(trunk: Path) -> dict[str, Any]:
    """Read `_params.yaml`, written by dss or by DAS. No code in it is run.

    Raises: DssError if it cannot be read, is incomplete, or contains invalid values.
    """
    source = run_file(trunk, "_params.yaml")
    try:
        params = yaml_files.read(source, das.DasLoader) or {}
    except DssError as error:
        raise DssError(f"{error}. {COPY}") from None
    if not isinstance(params, dict):
        raise DssError(
            f"{source}: contains {shown(params)}; it should be the options of a run by name. {COPY}"
        )
    needed = ["samplerate_x_Hz", "class_names", "class_types"]
    is_das = das.is_das_params(params)
    needed += ["nb_hist", "nb_conv", "kernel_size"] if is_das else ["nb_channels"]
    missing = [name for name in needed if name not in params]
    if missing:
        raise DssError(f"{source}: lacks {', '.join(missing)}. {COPY}")
    if is_das:
        try:
            params = das.params_from_das(params, source)
        except (TypeError, KeyError, OverflowError, ValueError) as error:
            if isinstance(error, DssError):
                raise
            raise DssError(f"{source}: is damaged ({error!r}). {COPY}") from None
    _check_params(params, source)
    return params


def _check_params(params: dict[str, Any], source: Path) -> None:
    """Raise a DssError if the parameters for rebuilding a network are invalid."""
    problems, n_channels = class_problems(params), params["nb_channels"]
    if type(n_channels) is not int or not 0 < n_channels <= MOST_CHANNELS:  # True is an int, too
        problems.append(f"nb_channels: {shown(n_channels)}")
    for name in ("data_dir", "y_suffix"):
        if not isinstance(params.get(name) or "", str):
            problems.append(f"{name}: {shown(params[name])}; it should be text")
    said = params.get("warnings") or []
    if not isinstance(said, list) or not all(isinstance(text, str) for text in said):
        problems.append(f"warnings: {shown(said)}; it should be a list of texts")
    detect = params.get("detect", {})
    stored = [detect.get(name, {}) for name in ("options", "learned")] if _is_map(detect) else []
    if not stored or not all(map(_is_map, stored)):
        problems.append(
            f"detect: {shown(detect)}; it should be what `dss tune` writes, or be left out"
        )
    raise_problems(problems, f"{source}: these values are invalid. {COPY}")
    for options in stored:
        check_options(DetectOptions, options, source, "detect: ")
    check_options(NetworkOptions, _of(NetworkOptions, params), source)


def check_options(
    kind: type[Options], values: dict[str, Any], source: Path, where: str = ""
) -> None:
    """Raise a DssError that names the file if options stored in it cannot be used."""
    problems = [f"{where}{name}: {why}" for name, why in kind.problems(values).items()]
    raise_problems(problems, f"{source}: these options cannot be used. {COPY}")


def _of(kind: type[Options], params: dict[str, Any]) -> dict[str, Any]:
    """The options of one kind among all parameters of a run."""
    return {name: params[name] for name in kind.model_fields if name in params}


def _is_map(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(name, str) for name in value)
