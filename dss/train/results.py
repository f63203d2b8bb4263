"""The results of a run: its history, and how well the network does on the test split."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from dss import models
from dss.data.batches import array_of, split_stretches
from dss.errors import DssError
from dss.runs import Run, run_file
from dss.support import hdf5
from dss.support.files import replacing
from dss.support.progress import say

MOST_NUMBERED = 12  # classes; larger matrices are shown by colours alone


def write_results(
    run: Run, history: list[dict[str, float]], tree: xr.DataTree, y_name: str
) -> None:
    """Write `_results.h5`; with a test split, also print its scores and draw `_confusion.png`.

    A test split without annotated stretches counts as none.

    The file contains `history/<column>`, `class_names`, and for the test split `labels` and
    `predictions` [samples], `known` [samples] (0 for unknown samples, which are not scored),
    `confusion_matrix` [true, predicted], and `report`: precision, recall and F1 by song type as
    JSON.
    """
    class_names, test = run.params["class_names"], {}
    if tree["test"].sizes["time"]:
        test = _judge_test(run, tree, y_name)
    with hdf5.writing(run_file(run.trunk, "_results.h5")) as file:
        for column in history[0]:
            # A slash in the name of a song type would create a group.
            file[f"history/{column.replace('/', '|')}"] = [row[column] for row in history]
        # Fixed-length strings: libhdf5 can hang when it reads damaged variable-length ones.
        file["class_names"] = np.array([name.encode() for name in class_names])
        for name, value in test.items():
            if name == "report":
                file[name] = np.bytes_(json.dumps(value))
            else:
                file.create_dataset(name, data=value, compression="gzip", compression_opts=1)
    if test:
        scores = _scores(test["report"], class_names).rename_axis(None)
        text = scores.rename(columns={"f1": "F1"}).to_string(float_format="{:.3f}".format)
        say(f"Scores on the test split, by samples:\n{text}")
        _draw_confusion(
            run_file(run.trunk, "_confusion.png"), test["confusion_matrix"], class_names
        )


class Results(NamedTuple):
    """How well the network of a run does on its test split, by samples.

    Attributes:
        scores: one row per class, with the columns precision, recall, f1 and samples.
        confusion: [true classes, predicted classes] numbers of samples.
        class_names: noise and the song types, in the order of the rows.
    """

    scores: pd.DataFrame
    confusion: np.ndarray
    class_names: list[str]


def read_results(run: str | Path) -> Results:
    """The scores and the confusion matrix of a run.

    Arguments:
        run: the trunk of a run's files.

    Raises: DssError if there are none, because training was stopped or the dataset has no test
        split; or if the file is damaged.

    Example:
        >>> from dss.train import read_results
        >>> [*read_results(run).scores.columns][:3]
        ['precision', 'recall', 'f1']
    """
    path = run_file(run, "_results.h5")
    if not path.is_file():
        raise DssError(
            f"{path}: does not exist, because training did not finish. Resume it with "
            "continue_from."
        )
    with hdf5.reading(path) as file:
        if "report" not in file:
            raise DssError(
                f"{path}: has no scores, because the dataset has no test split. Make the dataset "
                "with one and train again."
            )
        report, confusion = json.loads(file["report"][()]), file["confusion_matrix"][()]
        names = [name.decode() for name in file["class_names"][()].tolist()]
        return Results(_scores(report, names), confusion, names)


def _judge_test(run: Run, tree: xr.DataTree, y_name: str) -> dict[str, Any]:
    """The predictions and scores on the test split, by samples."""
    from sklearn.metrics import classification_report, confusion_matrix

    test, class_names = tree["test"], run.params["class_names"]
    x, y = array_of(test["x"]), array_of(test[y_name])
    labels, predictions = (np.zeros(len(y), np.uint16) for _ in range(2))
    known = np.ones(len(y), bool)
    if "annotated" in test:
        known = np.asarray(test["annotated"], bool)
    if not known.any():
        say("The test split is not scored: none of it is annotated")
        return {}
    network = run.network(models.best_block(run.options, test.sizes["time"]))
    for first, last in split_stretches(tree, "test"):

        def read(start: int, stop: int, first: int = first) -> np.ndarray:
            return np.asarray(x[first + start : first + stop], np.float32)

        for start, p in network.blocks(read, last - first):
            here = slice(first + start, first + start + len(p))
            predictions[here] = p.argmax(axis=1)
            labels[here] = np.argmax(np.asarray(y[here]), axis=1)
    judged, classes = (labels[known], predictions[known]), range(len(class_names))
    report = classification_report(*judged, labels=classes, output_dict=True, zero_division=0)
    # Classes last, in case one is named like an average, such as accuracy.
    report |= {name: report.pop(str(i)) for i, name in enumerate(class_names)}
    return {
        "labels": labels,
        "predictions": predictions,
        "known": known.astype(np.uint8),
        "confusion_matrix": confusion_matrix(*judged, labels=classes),
        "report": report,
    }


def _scores(report: dict[str, Any], class_names: list[str]) -> pd.DataFrame:
    """The scores of each class as a table."""
    columns = {"precision": "precision", "recall": "recall", "f1-score": "f1", "support": "samples"}
    scores = pd.DataFrame.from_dict({name: report[name] for name in class_names}, orient="index")
    scores = scores[list(columns)].rename(columns=columns).astype(float)
    return scores.astype({"samples": int}).rename_axis("song type")


def _draw_confusion(path: Path, matrix: np.ndarray, class_names: list[str]) -> None:
    """Draw how often each class (row) is predicted as each class (column), as fractions of rows."""
    from matplotlib.figure import Figure
    from sklearn.metrics import ConfusionMatrixDisplay

    size = 2.5 + 0.45 * len(class_names)
    figure = Figure(figsize=(size, size), layout="constrained")
    parts = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    display = ConfusionMatrixDisplay(parts, display_labels=class_names)
    few = len(class_names) <= MOST_NUMBERED
    style = {"cmap": "Blues", "colorbar": not few, "xticks_rotation": "vertical"}
    display.plot(ax=figure.subplots(), include_values=few, values_format=".2f", **style)
    with replacing(path) as part:
        figure.savefig(part, format="png", dpi=120)
