"""Train a network with a dataset, and write the files of the run.

python -m dss.train --data-dir song.npy --nb-epoch 20
"""

import csv
import json
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import xarray as xr

import dss
from dss import models
from dss.data.batches import Chunks, array_of, draw_fraction, split_stretches
from dss.data.dataset import open_dataset
from dss.errors import DssError
from dss.files import check_writable, replacing
from dss.options import TrainOptions, takes_options
from dss.progress import bar, say
from dss.runs import run_file, write_params


@takes_options
def train(*, options: TrainOptions) -> Path:
    """Train a network.

    The best epoch so far is on disk at any time: stop with Ctrl-C, and it stays. With a test split
    the network is judged in the end, sample by sample.

    Returns: the trunk of the run's files in the save folder, which `dss.predict.predict` takes.
    Raises: DssError before anything is written if the options do not fit each other or the data.
    """
    models.check(options)
    tree = open_dataset(options.data_dir)
    y_name = _targets_name(tree, options)
    train_chunks, val_chunks = (_chunks(tree, split, y_name, options) for split in ("train", "val"))
    save_dir = options.save_dir or options.data_dir.with_suffix(".res")
    check_writable(save_dir)
    trunk = _new_trunk(save_dir, options.save_prefix)

    from dss.models.backend import keras
    from dss.models.fit import fit

    keras.utils.set_random_seed(options.seed)
    params = _params(tree, y_name, options)
    model = models.build(options, params["nb_channels"], len(params["class_names"]))
    write_params(trunk, params)
    reach = models.receptive_field(options) / tree.attrs["samplerate_x_Hz"]
    say(f"{trunk.name}: {model.count_params():,} weights, receptive field {1000 * reach:.1f} ms")
    history = []
    with bar(total=options.nb_epoch, unit="epoch", desc="train") as progress:

        def after_epoch(scores: dict[str, float], is_best: bool) -> None:
            history.append(scores)
            _append_history(run_file(trunk, "_history.csv"), scores)
            if is_best:
                models.save_weights(model, run_file(trunk, "_model.h5"))
            if options.tensorboard:
                _log_to_tensorboard(run_file(trunk, "_tensorboard"), scores)
            _show(progress, scores, options.nb_epoch)

        fit(model, train_chunks, val_chunks, params["class_names"], options, after_epoch)
    _write_results(trunk, history, tree, y_name, model, options)
    return trunk


def main(arguments: list[str] | None = None) -> int:
    """The command `dss-train`, which is `dss train`."""
    from dss.cli import main as dss_main

    return dss_main(["train", *(sys.argv[1:] if arguments is None else arguments)])


def _targets_name(tree: xr.DataTree, options: TrainOptions) -> str:
    """The targets to train with: y, or y_<song type>."""
    name = f"y_{options.y_suffix}" if options.y_suffix else "y"
    if name not in tree["train"]:
        there = [n.removeprefix("y_") for n in tree["train"].data_vars if n.startswith("y_")]
        raise DssError(
            f"y_suffix: {options.data_dir} has no targets for {options.y_suffix!r} alone; it has "
            f"them for {', '.join(there) or 'no single song type'}"
        )
    return name


def _chunks(tree: xr.DataTree, split: str, y_name: str, options: TrainOptions) -> Chunks:
    stretches = split_stretches(tree, split)
    if not len(stretches):
        raise DssError(f"{options.data_dir}: the {split} split is empty; make the dataset with one")
    if options.fraction_data < 1:
        stretches = draw_fraction(stretches, options.fraction_data, options.seed)
    x, y = array_of(tree[split]["x"]), array_of(tree[split][y_name])
    annotated = array_of(tree[split]["annotated"]) if "annotated" in tree[split] else None
    return Chunks(x, y, stretches, options.nb_hist, models.padding(options), annotated)


def _new_trunk(save_dir: Path, prefix: str) -> Path:
    """[PREFIX_]YYYYMMDD_hhmmss, with the next second that no run has taken."""
    stamp = datetime.now().replace(microsecond=0)
    while True:
        name = f"{stamp:%Y%m%d_%H%M%S}"
        trunk = save_dir / (f"{prefix}_{name}" if prefix else name)
        try:
            run_file(trunk, "_params.yaml").touch(exist_ok=False)  # taken, before another run does
            return trunk
        except FileExistsError:
            stamp = datetime.fromtimestamp(stamp.timestamp() + 1)


def _params(tree: xr.DataTree, y_name: str, options: TrainOptions) -> dict:
    """What `_params.yaml` says."""
    from dss.models.backend import tf

    suffix = y_name.removeprefix("y")
    attributes = tree.attrs
    padding = models.padding(options)
    return {
        "class_names": list(attributes[f"class_names{suffix}"]),
        "class_types": list(attributes[f"class_types{suffix}"]),
        "samplerate_x_Hz": attributes["samplerate_x_Hz"],
        "samplerate_y_Hz": attributes["samplerate_y_Hz"],
        "nb_channels": tree["train"].sizes["channel"],
        "data_padding": padding,
        "stride": options.nb_hist - 2 * padding,
        "receptive_field_samples": models.receptive_field(options),
        **options.to_yaml_types(),
        "versions": {"dss": dss.__version__, "tensorflow": tf.__version__, "numpy": np.__version__},
        "command": sys.argv,
    }


def _append_history(path: Path, row: dict[str, float]) -> None:
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=row)
        if row["epoch"] == 1:
            writer.writeheader()
        writer.writerow(row)


def _log_to_tensorboard(folder: Path, scores: dict[str, float]) -> None:
    from dss.models.backend import tf

    with tf.summary.create_file_writer(str(folder)).as_default(step=scores["epoch"]):
        for name, value in scores.items():
            tf.summary.scalar(name, value)


def _show(progress, row: dict[str, float], nb_epoch: int) -> None:
    progress.set_postfix({name: f"{row[name]:.4f}" for name in ("loss", "val_loss")})
    progress.update()
    if progress.disable:
        say(
            f"epoch {row['epoch']}/{nb_epoch}: loss {row['loss']:.4f}, validation loss "
            f"{row['val_loss']:.4f}, validation accuracy {row['val_accuracy']:.4f}"
        )


def _write_results(trunk, history, tree, y_name, model, options) -> None:
    """Write `_results.h5`: the history, and how the test split went if there is one."""
    import h5py

    names = tree.attrs["class_names" + y_name.removeprefix("y")]
    with replacing(run_file(trunk, "_results.h5")) as part, h5py.File(part, "w") as file:
        for column in history[0]:
            file[f"history/{column}"] = [row[column] for row in history]
        file["class_names"] = names
        if tree["test"].sizes["time"]:
            _write_test(
                file, names, tree["test"], split_stretches(tree, "test"), y_name, model, options
            )


def _write_test(file, names, test, stretches, y_name, model, options) -> None:
    from sklearn.metrics import classification_report, confusion_matrix

    from dss.models.inference import Network

    network = Network(model, options)
    x = array_of(test["x"])
    labels = np.argmax(test[y_name].values, axis=1)
    predictions = np.empty(len(labels), labels.dtype)
    for first, last in stretches:
        audio = np.asarray(x[first:last])
        for start, p in network.blocks(lambda a, b, audio=audio: audio[a:b], len(audio)):
            predictions[first + start : first + start + len(p)] = p.argmax(axis=1)
    if "annotated" in test:
        known = test["annotated"].values > 0
        labels, predictions = labels[known], predictions[known]
    report = classification_report(
        labels,
        predictions,
        labels=range(len(names)),
        target_names=names,
        output_dict=True,
        zero_division=0,
    )
    file["confusion_matrix"] = confusion_matrix(labels, predictions, labels=range(len(names)))
    file["report"] = json.dumps(report)
    file["labels"], file["predictions"] = labels.astype(np.uint16), predictions.astype(np.uint16)


if __name__ == "__main__":
    sys.exit(main())
