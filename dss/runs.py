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
from dss.errors import DssError, raise_problems
from dss.models import das
from dss.options import DetectOptions, NetworkOptions, Options
from dss.support import yaml_files
from dss.support.files import replacing

if TYPE_CHECKING:
    import keras

    from dss.models.inference import Network

MOST_SAMPLES = 2**27  # of a chunk, or in reach of the filters: an hour at 37 kHz
MOST_NAMED = 3  # folders with runs, where there is none
STAMP = "%Y%m%d_%H%M%S"  # in the name of a run: when it was begun
SUFFIXES = {
    "_model.h5": "weights of the best epoch; needed to annotate",
    "_params.yaml": "options, song types, rate; needed to annotate",
    "_results.h5": "scores, labels, predictions of the test split",
    "_history.csv": "losses and scores of each epoch",
    "_confusion.png": "confusion matrix as a picture",
    "_checkpoint.h5": "where an interrupted training goes on",
    "_tensorboard": "a folder: losses and scores for TensorBoard",
}


def run_file(trunk: str | Path, suffix: str) -> Path:
    """One file of a run, such as `20261123_101500` + `_model.h5`."""
    return Path(f"{trunk}{suffix}")


def list_files(run: str | Path) -> pd.DataFrame:
    """The files of a run that are there: a row a file, with its size and what it holds.

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
    """The size of a file, or of all files in a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def run_trunk(run: str | Path) -> Path:
    """The common trunk of a run's files, from the trunk itself or the path of any one of them.

    Raises: DssError if there is no such run.
    """
    text = str(run)
    for suffix in SUFFIXES:
        text = text.removesuffix(suffix)
    trunk = Path(text)
    params, weights = (run_file(trunk, suffix) for suffix in ("_params.yaml", "_model.h5"))
    if not params.is_file():
        raise DssError(f"{run}: is not a run: there is no {params}")
    if not weights.is_file():
        raise DssError(
            f"{run}: has no weights: there is no {weights}. If training was stopped in its first "
            f"epoch, start it again with dss train --options {params}"
        )
    return trunk


def can_annotate(trunk: str | Path) -> bool:
    """Whether a run has what annotating needs: one that was killed early has no weights."""
    return all(run_file(trunk, suffix).is_file() for suffix in ("_params.yaml", "_model.h5"))


def latest_run(folder: str | Path) -> Path:
    """The trunk of the run that was begun last of those in a folder, as their names say.

    Of a run without a time in its name, it is that of the last change.

    Raises: DssError if there is none.
    """
    runs = _runs(Path(folder), "*_params.yaml")
    if not runs:
        beside = sorted({run.parent for run in _runs(Path(folder).parent, "*/*_params.yaml")})
        named = ", ".join(map(str, beside[:MOST_NAMED])) + ", ..." * (len(beside) > MOST_NAMED)
        there = f" There are runs in {named}." if beside else ""
        raise DssError(
            f"{folder}: holds no run. Train a network first: notebook 3, or dss train.{there}"
        )
    return max(runs, key=_begun)


def _runs(folder: Path, pattern: str) -> list[Path]:
    """The trunks of the runs whose options fit a pattern, of those that can annotate."""
    trunks = [Path(str(path).removesuffix("_params.yaml")) for path in folder.glob(pattern)]
    return [trunk for trunk in trunks if can_annotate(trunk)]


def _begun(trunk: Path) -> tuple[str, float]:
    """When a run was begun, as YYYYMMDD_hhmmss, and when its options were last written."""
    changed = run_file(trunk, "_params.yaml").stat().st_mtime
    stamp = re.search(r"(?<!\d)(\d{8}_\d{6})$", trunk.name)
    return stamp[1] if stamp else f"{datetime.fromtimestamp(changed):{STAMP}}", changed


def new_trunk(save_dir: Path, prefix: str) -> Path:
    """`[PREFIX_]YYYYMMDD_hhmmss`, with the next second that no run has taken."""
    stamp = datetime.now().replace(microsecond=0)
    while True:
        name = f"{stamp:{STAMP}}"
        trunk = save_dir / (f"{prefix}_{name}" if prefix else name)
        try:
            run_file(trunk, "_params.yaml").touch(exist_ok=False)  # taken, before another run does
            return trunk
        except FileExistsError:
            stamp = datetime.fromtimestamp(stamp.timestamp() + 1)


def write_params(trunk: Path, params: dict[str, Any]) -> None:
    """Write `_params.yaml`: plain YAML, in the order given."""
    with replacing(run_file(trunk, "_params.yaml")) as part:
        part.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")


@dataclass(frozen=True, eq=False)
class Run:
    """A trained network with what is needed to use it."""

    trunk: Path
    params: dict[str, Any]
    options: NetworkOptions
    model: "keras.Model"
    _networks: dict[int, "Network"] = field(default_factory=dict, init=False, repr=False)

    def network(self, block_samples: int) -> "Network":
        """The network ready to be run over audio in blocks of about so many samples.

        Tracing it takes seconds.
        """
        from dss.models.inference import Network

        if block_samples not in self._networks:
            self._networks[block_samples] = Network(self.model, self.options, block_samples)
        return self._networks[block_samples]

    @property
    def samplerate_hz(self) -> float:
        """The sample rate of the recordings that the network was trained with."""
        return self.params["samplerate_x_Hz"]

    @property
    def song_types(self) -> dict[str, str]:
        """The song types that the network knows, each with its category: event or segment."""
        names, types = self.params["class_names"][1:], self.params["class_types"][1:]
        return dict(zip(names, types, strict=True))


def open_run(run: str | Path | Run) -> Run:
    """What `load_run` gives, or gave the last time if the files are still the same.

    Arguments:
        run: the trunk of a run's files, any one of them, or a run that was loaded before.
    """
    if isinstance(run, Run):
        return run
    trunk = run_trunk(run).resolve()
    files = [run_file(trunk, suffix) for suffix in ("_params.yaml", "_model.h5")]
    return _loaded(trunk, *(file.stat().st_mtime_ns for file in files))


@lru_cache(maxsize=2)
def _loaded(trunk: Path, *changed: int) -> Run:
    return load_run(trunk)


def load_run(run: str | Path) -> Run:
    """Rebuild a trained network.

    Arguments:
        run: the trunk of a run's files, or any one of them.

    Raises: DssError if files are missing or do not fit each other, with the layer that differs.
    """
    trunk = run_trunk(run)
    params = read_params(trunk)
    shape = {name: params[name] for name in NetworkOptions.model_fields if name in params}
    _check_options(NetworkOptions, shape, "", run_file(trunk, "_params.yaml"))
    options = NetworkOptions(**shape)
    if params.get("data_padding", models.padding(options)) != models.padding(options):
        raise DssError(
            f"{run_file(trunk, '_params.yaml')}: data_padding is {params['data_padding']}, but "
            f"{models.padding(options)} is what kernel_size and nb_conv make it"
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
            f"{run_file(trunk, '_params.yaml')}: the network would look at {reach:,} samples, in "
            f"chunks of {options.nb_hist:,}; more than {MOST_SAMPLES:,} cannot be right."
        )


def read_params(trunk: Path) -> dict[str, Any]:
    """What `_params.yaml` says, be it written by dss or by DAS. No code in it is run.

    Raises: DssError if it cannot be read, lacks what is needed, or holds what cannot be right.
    """
    source = run_file(trunk, "_params.yaml")
    params = yaml_files.read(source, das.DasLoader) or {}
    if not isinstance(params, dict):
        raise DssError(f"{source}: holds {params!r}; it should be the options of a run by name")
    needed = ["samplerate_x_Hz", "class_names", "class_types"]
    is_das = das.is_das_params(params)
    needed += ["nb_hist", "nb_conv", "kernel_size"] if is_das else ["nb_channels"]
    missing = [name for name in needed if name not in params]
    if missing:
        raise DssError(f"{source}: lacks {', '.join(missing)}")
    if is_das:
        try:
            params = das.params_from_das(params, source)
        except (TypeError, KeyError, OverflowError, ValueError) as error:
            if isinstance(error, DssError):
                raise
            raise DssError(f"{source}: is damaged: {error!r}. Copy it again.") from None
    _check_params(params, source)
    return params


def _check_params(params: dict[str, Any], source: Path) -> None:
    """Raise a DssError if what a network is rebuilt from cannot be right."""
    problems, n_channels = class_problems(params), params["nb_channels"]
    if not isinstance(n_channels, int) or n_channels < 1:
        problems.append(f"nb_channels: {n_channels!r}")
    detect = params.get("detect", {})
    stored = [detect.get(name, {}) for name in ("options", "learned")] if _is_map(detect) else []
    if not stored or not all(map(_is_map, stored)):
        problems.append(f"detect: {detect!r}; it should be what `dss tune` writes, or be left out")
    raise_problems(problems, f"{source}: these values cannot be right:")
    for options in stored:
        _check_options(DetectOptions, options, "detect: ", source)


def _is_map(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(name, str) for name in value)


def _check_options(kind: type[Options], values: dict[str, Any], where: str, source: Path) -> None:
    """Raise a DssError that names the file if options in it cannot be used."""
    problems = [f"{where}{name}: {why}" for name, why in kind.problems(values).items()]
    raise_problems(problems, f"{source}: these options cannot be used:")
