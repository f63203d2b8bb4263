"""Train a network on a dataset, and write the files of the run."""

import platform
import shlex
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import dss
from dss import models
from dss.data.contents import annotated_parts, fingerprint
from dss.errors import warn
from dss.models.worker_addresses import worker_count, worker_index
from dss.options import TrainOptions, takes_options
from dss.options.arguments import TrainArguments
from dss.predict.calibrate import calibrate
from dss.runs import SUFFIXES, Run, new_trunk, read_params, run_file, write_params
from dss.support.files import check_writable, remove
from dss.support.progress import bar, say
from dss.support.writers import Removed, only_writer
from dss.train import history
from dss.train.durations import learned_durations
from dss.train.launch_workers import launch_workers
from dss.train.results import write_results
from dss.train.resume import copy_weights, options_to_continue
from dss.train.suggestions import complete
from dss.train.training_data import TrainingData, adapt_to_data, open_training_data

if TYPE_CHECKING:
    import keras

    from dss.models.workers import Workers


@takes_options
def train(*, options: TrainOptions | None = None, **named: Unpack[TrainArguments]) -> Path:
    """Train a network on a dataset.

    The best epoch so far is always on disk: it is kept when you stop training, with Ctrl-C or in
    any other way, and `continue_from` resumes from there. If the dataset has a test split, the
    network is scored on it at the end, by samples.

    Returns: the trunk of the run's files in the save folder, which `dss.predict.predict` takes.
    Raises: DssError before anything is written if the options are inconsistent or do not fit the
        data; if the loss becomes NaN or infinite: the files of the best epoch are then kept; and
        if the files of the run are removed meanwhile.
    Warns: DssWarning about valid but questionable settings: chunks shorter than the receptive
        field, batches larger than the data, song types without examples, silent or clipped
        recordings.
    """
    options = TrainOptions.given(options, named)
    if options.devices > 1 and worker_count() == 1:
        return launch_workers(options)
    options, resumed = options_to_continue(options)
    options, reasons = complete(options)
    models.check(options)
    data = open_training_data(options)
    options, doubts = adapt_to_data(options, data)
    if worker_index() == 0:
        for name, why in reasons.items():
            say(f"{name} {why}")
        for sentence in doubts:
            warn(sentence)
    check_writable(options.run_dir)
    params = _params(data, options, reasons, doubts)
    if resumed:  # all options are complete and consistent now
        params |= {name: read_params(resumed).get(name) for name in ("chosen", "warnings")}
    from dss.models.workers import join  # loads TensorFlow, which nothing needs before

    workers = join(options, params["data_sha256"])
    trunk = resumed
    if trunk is None:
        own = str(new_trunk(options.run_dir, options.save_prefix)) if workers.is_first else ""
        trunk = Path(workers.same(own))  # the same in all processes
    if not workers.is_first:  # the first process writes all files
        _fit(trunk, _model(data, params, options, resumed), data, params, options, workers)
        workers.same()  # all files exist before any process continues
        return trunk
    with only_writer(trunk.parent, [trunk.name]):
        try:
            write_params(trunk, params)
            model = _model(data, params, options, resumed)
            rate = params["samplerate_x_Hz"]
            reach = 1000 * models.receptive_field(options) / rate
            size = f"{model.count_params():,} weights, receptive field {reach:.1f} ms"
            say(f"{trunk.name}: {size}")
            rows, came_to_end = _fit(trunk, model, data, params, options, workers)
            models.load_weights(model, run_file(trunk, "_model.h5"))
            run = Run(trunk, params, options, model)
            params["detect"] |= calibrate(run)
            write_params(trunk, params)
        except BaseException as error:
            _remove_unusable(trunk, error)
            raise
        write_results(run, rows, data.tree, data.y_name)
        if came_to_end:  # last: a run killed before this can be resumed
            remove(run_file(trunk, "_checkpoint.h5"))
    workers.same()
    return trunk


def _check_still_there(trunk: Path, epoch: float) -> None:
    """Raise an error if somebody removed the files of a run while it is trained."""
    if not run_file(trunk, "_params.yaml").is_file():
        raise Removed(
            f"{trunk.parent}: the files of the run {trunk.name} were removed while it was trained, "
            f"so training stopped after epoch {epoch:g}. Nothing of it is kept: train again."
        )


def _remove_unusable(trunk: Path, error: BaseException) -> None:
    """Remove the files of a run that ended with an error, unless it has a usable network."""
    if not run_file(trunk, "_model.h5").is_file():
        for suffix in SUFFIXES:
            remove(run_file(trunk, suffix))
        if isinstance(error, KeyboardInterrupt):
            say(f"{trunk.name}: stopped before its first epoch ended, so nothing is kept")


def _params(data: TrainingData, options: TrainOptions, reasons, doubts) -> dict[str, Any]:
    """The contents of `_params.yaml`."""
    attributes, padding = data.tree.attrs, models.padding(options)
    class_types = list(attributes["class_types" + data.y_name.removeprefix("y")])
    rate, chunks = attributes["samplerate_x_Hz"], data.chunks["train"]
    parts = annotated_parts(chunks.annotated, chunks.stretches)
    song, classes = data.song["train"], (data.class_names, class_types)
    libraries = ("tensorflow", "keras", "numpy", "h5py")
    absolute = options.model_copy(
        update={
            name: path.resolve()
            for name in ("data_dir", "save_dir", "continue_from")
            if (path := getattr(options, name)) is not None
        }
    )
    return {
        "class_names": data.class_names,
        "class_types": class_types,
        "samplerate_x_Hz": rate,
        "samplerate_y_Hz": attributes["samplerate_y_Hz"],
        "nb_channels": data.tree["train"].sizes["channel"],
        "data_padding": padding,
        "stride": options.nb_hist - 2 * padding,
        "receptive_field_samples": models.receptive_field(options),
        **absolute.to_yaml_types(),
        "chosen": reasons,
        "warnings": doubts,
        "fixed": attributes.get("fixed", []),
        "data_sha256": fingerprint(data.tree),
        "versions": {
            "dss": dss.__version__,
            "python": platform.python_version(),
            **{name: version(name) for name in libraries},
        },
        "command": shlex.join(["dss", "train", *absolute.to_switches()]),
        "detect": {"options": learned_durations(song, *classes, chunks.stretches, rate, parts)},
    }


def _model(data: TrainingData, params, options: TrainOptions, resumed) -> "keras.Model":
    """The initial network, with new weights or the weights of the run that it continues."""
    from dss.models.backend import keras, tf
    from dss.models.fit import standardize

    keras.utils.set_random_seed(options.seed)
    # TensorFlow has no deterministic gradient of separable convolutions on GPUs.
    if tf.config.list_physical_devices("GPU") and not any(options.use_separable):
        tf.config.experimental.enable_op_determinism()
    shape = (params["nb_channels"], len(params["class_names"]))
    model = models.build(options, *shape, options.mixed_precision)
    if options.continue_from and not resumed:
        copy_weights(model, options.continue_from, params["class_names"])
    else:
        standardize(model, data.chunks["train"])
    models.freeze(model, options.freeze)
    return model


def _fit(
    trunk: Path, model, data: TrainingData, params, options: TrainOptions, workers: "Workers"
) -> tuple[list[dict[str, float]], bool]:
    """Fit the network, writing files after each epoch.

    Returns: the scores of all epochs, and whether training was completed.
    """
    from dss.models.fit import fit

    checkpoint = run_file(trunk, "_checkpoint.h5")
    log = history.History(trunk, options.nb_epoch)
    n_done = 0
    if workers.is_first and checkpoint.is_file():
        n_done = models.epochs_done(checkpoint)
        log.read(n_done)
        say(f"{trunk.name}: resumes after epoch {n_done} of {options.nb_epoch}")
    total = {"total": options.nb_epoch, "initial": n_done, "unit": "epoch"}
    with (
        bar(**total, desc="train", hidden=not workers.is_first) as progress,
        workers.stopping_together(),
    ):

        def after_epoch(scores: dict[str, float], is_best: bool) -> None:
            if not workers.is_first:
                return
            _check_still_there(trunk, scores["epoch"])
            if is_best:
                models.save_weights(model, run_file(trunk, "_model.h5"))
            row = log.add(scores)
            if options.tensorboard:
                history.log_to_tensorboard(run_file(trunk, "_tensorboard"), row)
            history.show(progress, row, options.nb_epoch)

        came_to_end = fit(
            model,
            data.chunks["train"],
            data.chunks["val"],
            data.class_names,
            options,
            after_epoch,
            checkpoint=checkpoint,
            samplerate_hz=params["samplerate_x_Hz"],
            n_val=sum(map(len, data.song["val"][1:])),
            song=data.song["train"] if options.balance else None,
            workers=workers,
        )
    if not came_to_end and workers.is_first:
        last = f"epoch {log.rows[-1]['epoch']:g} of {options.nb_epoch}"
        say(f"{trunk.name}: stopped after {last}; --continue-from {trunk} resumes it")
    elif workers.is_first and log.rows and log.rows[-1]["epoch"] < options.nb_epoch:
        say(
            f"{trunk.name}: ends early, as the validation loss has not fallen for "
            f"{options.early_stopping_patience} epochs; the weights of the best epoch are kept"
        )
    return log.rows, came_to_end
