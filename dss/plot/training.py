"""Figures of training: its history, the confusion matrix, and the learning curve."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dss.errors import DssError
from dss.plot.colors import ALL_COLOR, FIRST_COLORS, song_colors
from dss.plot.figure import SongFigure, plain_style
from dss.plot.labels import LETTER_INCHES, legend_below, shortened

F1 = "val_f1_"  # prefix of columns in a history
LEARNING_CURVE = ("song_type", "seconds", "f1", "low", "high", "is_measured")  # columns
MOST_COLORED = 10  # of more song types, only those with the lowest F1 have a colour and a name
PALE = "#d0d0d0"
APART = 1.02  # factor in seconds between the intervals of song types


@plain_style()
def plot_confusion(matrix: np.ndarray, class_names: Sequence[str]) -> Figure:
    """Plot a confusion matrix: the fraction of each true class that was predicted as each class.

    With up to 12 classes, the cells contain numbers. Rows of classes that never occur are empty.

    Arguments:
        matrix: [true classes, predicted classes] numbers of samples.
        class_names: the names of the rows and columns.

    Raises: DssError if matrix and names do not match.
    """
    matrix, n = np.asarray(matrix), len(class_names)
    if n == 0 or matrix.shape != (n, n):
        raise DssError(f"The matrix {matrix.shape} should be {(n, n)}, for {n} class names")
    totals = matrix.sum(axis=1, keepdims=True)
    part = np.divide(matrix, totals, out=np.full((n, n), np.nan), where=totals > 0)
    inches = float(np.clip(0.75 * n, 3, 8.5))
    names = [shortened(name) for name in class_names]
    longest = LETTER_INCHES * max(map(len, names))
    upright = longest > 0.9 * inches / n
    figure = SongFigure(figsize=(inches + 1.4 + longest, inches + 0.8 + longest * upright))
    axis = figure.subplots()
    axis.spines[:].set_visible(True)
    image = axis.imshow(part, vmin=0, vmax=1, cmap="Blues")
    figure.colorbar(image, label="fraction of the true class", shrink=0.7)
    every = -(-n // 52)  # as many names as fit
    axis.set_xticks(range(0, n, every), names[::every], rotation=90 if upright else 0)
    axis.set_yticks(range(0, n, every), names[::every])
    axis.tick_params(labelsize=9)
    axis.set(xlabel="predicted", ylabel="true")
    for (row, column), value in np.ndenumerate(part if n <= 12 else np.empty((0, 0))):
        text = "" if np.isnan(value) else f"{value:.1%}\n{matrix[row, column]:,}"
        color = "white" if value > 0.5 else "black"
        axis.text(column, row, text, ha="center", va="center", color=color, fontsize=9)
    return figure


@plain_style()
def plot_history(history: pd.DataFrame) -> Figure:
    """Plot the loss of each epoch of training, and the F1 of each song type if it is known.

    A star marks the best epoch, whose weights are kept. F1 is computed on the validation split, by
    samples; song types that it lacks are left out. Of many song types, only those with the lowest
    F1 have a colour.

    Arguments:
        history: columns epoch, loss, val_loss, and val_f1_<class>, as in `_history.csv`; other
            columns are ignored.

    Raises: DssError if there is no epoch, or a column is missing.
    """
    missing = [name for name in ("epoch", "loss", "val_loss") if name not in history]
    if missing or history.empty:
        raise DssError(f"The history lacks {', '.join(missing) or 'rows: no epoch has ended'}")
    f1 = history.filter(regex=f"^{F1}").rename(columns=lambda name: name.removeprefix(F1))
    f1 = f1.dropna(axis=1, how="all")
    figure = SongFigure(figsize=(8 if f1.empty else 12, 4))
    axes = figure.subplots(1, 1 if f1.empty else 2, squeeze=False)[0]
    _draw_losses(axes[0], history)
    if not f1.empty:
        colors = _colors(f1.ffill().iloc[-1])
        for name, values in f1.items():
            look = _look(name, colors) | {"marker": _marker(f1)}
            axes[1].plot(history["epoch"], values, **look)
        axes[1].set(ylabel="validation F1", ylim=(-0.02, 1.02))
        legend_below(figure, _named_lines(axes[1], f1.shape[1] - len(colors)))
    for axis in axes:
        axis.set_xlim(history["epoch"].min() - 0.5, history["epoch"].max() + 0.5)
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    return figure


@plain_style()
def plot_learning_curve(table: pd.DataFrame) -> Figure:
    """Plot F1 of each song type, and their mean in black, against the annotated seconds.

    The estimates for more annotations are dashed, with the 90 % interval as a bar. The pale band is
    the interval of the mean. Of many song types, only those with the lowest F1 have a colour.

    Arguments:
        table: the result of `dss.train.learning_curve`, which is also in `learning_curve.csv`.

    Raises: DssError if the table is something else.
    """
    missing = [name for name in LEARNING_CURVE if name not in table]
    if missing or table.empty:
        raise DssError(f"The learning curve lacks {', '.join(missing) or 'rows'}")
    names = [name for name in table["song_type"].unique() if name != "all"]
    of_types = table[table["song_type"].isin(names)]
    colors = _colors(of_types.groupby("song_type", sort=False)["f1"].last())
    mean = names[0] if len(names) == 1 else "all"
    figure = SongFigure(figsize=(8, 4))
    axis = figure.subplots()
    nth = itertools.count(-(len(colors) // 2))
    for name, rows in table.groupby("song_type", sort=False):
        if name == "all" != mean:
            continue  # the same as the only song type
        look = _look(name, {"all": ALL_COLOR, **colors}) | {"lw": 2 if name == mean else 1.2}
        measured, last = rows[rows["is_measured"]], rows[-2:]
        axis.plot(measured["seconds"], measured["f1"], marker="o", **look)
        axis.plot(last["seconds"], last["f1"], **look | {"ls": "--", "label": None})
        if name == mean:
            band = {"color": look["color"], "alpha": 0.12, "lw": 0}
            axis.fill_between(rows["seconds"], rows["low"], rows["high"], **band)
        if look["label"]:
            x, low, high = rows[["seconds", "low", "high"]].iloc[-1]
            axis.vlines(x * APART ** next(nth), low, high, color=look["color"], lw=look["lw"])
    axis.set_xscale("log")
    seconds = sorted(table["seconds"].unique())
    axis.set_xticks(seconds, [f"{s:.3g}" for s in seconds])
    axis.minorticks_off()
    axis.set(xlabel="annotated (s)", ylabel="F1, by samples", ylim=(None, 1.01))
    legend_below(figure, _named_lines(axis, len(names) - len(colors)))
    return figure


def _colors(f1: pd.Series) -> dict[str, str]:
    """The colours of the song types, or of the ten with the lowest F1 if there are more."""
    lowest = f1.sort_values(kind="stable").index[:MOST_COLORED]
    return {name: c for name, c in song_colors(f1.index.tolist()).items() if name in lowest}


def _look(name: str, colors: Mapping[str, str]) -> dict[str, Any]:
    """How to draw the line of a song type: pale and without a name if it has no colour."""
    if name in colors:
        return {"color": colors[name], "label": name, "ms": 4}
    return {"color": PALE, "label": None, "ms": 2, "zorder": 1}


def _named_lines(axis: Axes, n_pale: int) -> list[Artist]:
    """What the legend contains: the lines with names, and what all pale ones are."""
    lines = axis.get_legend_handles_labels()[0]
    pale = f"{n_pale} song types with a higher F1"
    return [*lines, Line2D([], [], color=PALE, label=pale)] if n_pale else lines


def _draw_losses(axis: Axes, history: pd.DataFrame) -> None:
    epochs, red = history["epoch"], FIRST_COLORS[4]
    look: dict[str, Any] = {"marker": _marker(history), "ms": 4}
    axis.plot(epochs, history["loss"], color=FIRST_COLORS[0], label="training", **look)
    axis.plot(epochs, history["val_loss"], color=red, label="validation", **look)
    if "best_epoch" in history:
        is_best = history["epoch"] == history["best_epoch"].iloc[-1]
        epoch, loss = history.loc[is_best, ["epoch", "val_loss"]].iloc[0]
        best = f"best epoch: {epoch:g}\n(loss {loss:.4g})"
        axis.axvline(epoch, color="black", lw=1, ls="--", zorder=0)
        axis.plot(epoch, loss, "*", ms=14, color=red, mec="black", label=best, ls="")
    losses = history[["loss", "val_loss"]].to_numpy()
    losses = losses[np.isfinite(losses)]
    if len(losses) and losses.max() > 20 * losses.min() > 0:
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter("{x:g}")
    axis.set_ylabel("loss")
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1))


def _marker(history: pd.DataFrame) -> str:
    return "o" if len(history) < 40 else ""
