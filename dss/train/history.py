"""The progress of training: the scores of all epochs, in `_history.csv` and on the screen."""

import csv
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import numpy as np

from dss.runs import run_file
from dss.support.files import replacing
from dss.support.progress import say

COUNTS = ("epoch", "best_epoch")  # integer columns
NEEDED = {"epoch", "loss", "val_loss", "seconds_left"}


@dataclass
class History:
    """The scores of the epochs, written to `_history.csv` as they come, with the time left."""

    trunk: Path
    nb_epoch: int
    rows: list[dict[str, float]] = field(default_factory=list)
    ends: list[float] = field(default_factory=lambda: [time.monotonic()])  # start and epochs

    def read(self, n_epochs: int) -> None:
        """Keep the first epochs of an interrupted run; drop later ones.

        Rows that a power cut or a full disk made unreadable are lost; training continues.
        """
        path = run_file(self.trunk, "_history.csv")
        self.rows = [row for row in rows_in(path) if row["epoch"] <= n_epochs]
        if len(self.rows) < n_epochs:
            say(f"{path}: is damaged; the scores of {n_epochs - len(self.rows)} epochs are lost")
        if self.rows:
            self._write()

    def add(self, scores: dict[str, float]) -> dict[str, float]:
        """Write the scores of an epoch; returns them with the added columns."""
        self.ends.append(time.monotonic())
        # The first epoch compiles the network, too: it tells little about the next ones.
        counted = self.ends[-max(2, len(self.ends) - 1) :]
        per_epoch = (counted[-1] - counted[0]) / (len(counted) - 1)
        left = per_epoch * (self.nb_epoch - scores["epoch"])
        row = {**scores, "seconds_left": round(left, 1)}
        self.rows.append(row)
        if len(self.rows) == 1:
            self._write()
        else:  # append, so that `tail -f` works
            with run_file(self.trunk, "_history.csv").open("a", newline="") as file:
                csv.DictWriter(file, fieldnames=row).writerow(row)
        return row

    def _write(self) -> None:
        """Write all rows at once, so that readers never find the file empty."""
        with (
            replacing(run_file(self.trunk, "_history.csv")) as part,
            part.open("w", newline="") as file,
        ):
            writer = csv.DictWriter(file, fieldnames=self.rows[0])
            writer.writeheader()
            writer.writerows(self.rows)


def rows_in(path: Path) -> list[dict[str, float]]:
    """The epochs in a `_history.csv`; rows that are damaged, or not complete yet, are left out."""
    lines = path.read_text("utf-8", "replace").splitlines() if path.is_file() else []
    try:
        rows = [_numbers(row) for row in csv.DictReader(lines)]
    except csv.Error:
        return []
    return [row for row in rows if row.keys() >= NEEDED]


def _numbers(row: dict[str, str]) -> dict[str, float]:
    """A row as numbers; empty if the row is incomplete."""
    try:
        return {name: (int if name in COUNTS else float)(text) for name, text in row.items()}
    except (TypeError, ValueError):
        return {}


def log_to_tensorboard(folder: Path, scores: dict[str, float]) -> None:
    """Log the scores of an epoch for TensorBoard."""
    from dss.models.backend import tf

    with tf.summary.create_file_writer(str(folder)).as_default(step=scores["epoch"]):
        for name, value in scores.items():
            tf.summary.scalar(name, value)


def show(progress, row: dict[str, float], nb_epoch: int) -> None:
    """Show the scores of an epoch on the progress bar, or as a line without one.

    Song types that the validation split lacks have no F1, as a warning says before training.
    """
    f1 = {name.removeprefix("val_f1_"): v for name, v in row.items() if name.startswith("val_f1_")}
    known = {name: v for name, v in f1.items() if name != "noise" and not np.isnan(v)}
    f1_text = ", F1 " * bool(known) + " ".join(f"{name} {v:.2f}" for name, v in known.items())
    progress.set_postfix_str(f"loss {row['loss']:.4f}, val {row['val_loss']:.4f}{f1_text}")
    progress.update()
    if progress.disable:
        left = timedelta(seconds=round(row["seconds_left"]))
        say(
            f"epoch {row['epoch']}/{nb_epoch}: loss {row['loss']:.4f}, validation loss "
            f"{row['val_loss']:.4f}{f1_text}, at most {left} left"
        )
