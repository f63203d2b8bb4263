"""What more annotations would bring: train on parts of the data, and extrapolate."""

from collections.abc import Iterator
from pathlib import Path
from typing import Unpack

import numpy as np
import pandas as pd

from dss.data.batches import split_stretches
from dss.data.contents import song_stretches
from dss.data.dataset import open_dataset
from dss.errors import DssError
from dss.evaluate.samples import scores_of_confusion
from dss.options import LearningCurveOptions, TrainOptions, takes_options
from dss.options.arguments import LearningCurveArguments
from dss.runs import run_file
from dss.support import hdf5
from dss.support.files import replacing
from dss.support.progress import say
from dss.train.suggestions import complete
from dss.train.training import train
from dss.train.training_data import open_chunks, targets_name

ALL = "all"
N_DRAWS = 400  # resampled sets of test recordings, for the intervals
N_BLOCKS = 20  # minimum number of blocks of a test split, to resample from
MOST_EPOCHS = 400
SLOPES = np.linspace(0, 1, 41)  # of the error against the annotated seconds, both logarithmic
TRAINING_SPREAD = 0.25  # relative spread of the error between trainings with other data or seeds
COLUMNS = ["song_type", "seconds", "song_seconds", "f1", "low", "high", "is_measured"]


@takes_options
def learning_curve(
    *, options: LearningCurveOptions | None = None, **named: Unpack[LearningCurveArguments]
) -> pd.DataFrame:
    """Train on parts of a dataset, and estimate how much more annotations would help.

    The parts are nested: larger parts contain the smaller ones. Each is trained for as many steps
    as all of the data, and scored on the test split by samples. The error, 1 - F1, is modelled as a
    power law of the annotated seconds, down to an unknown floor; the interval comes from test
    recordings, floors and trainings drawn at random.

    Source of the power law: Hestness et al. (2017), https://arxiv.org/abs/1712.00409.

    Returns: a table with song_type (`all`: the mean of all), seconds (annotated, for training and
        validation), song_seconds (of this song type), f1, low and high (90 % interval), and
        is_measured (False in the last row of each type: the estimate for `more` times the data). It
        is also written to `learning_curve.csv` in the folder of the runs, `learning_curve` in the
        save folder.
    Raises: DssError before any training if the test split is empty, or the training options are
        invalid.
    """
    options = LearningCurveOptions.given(options, named)
    given = TrainOptions.checked(options.values_given(TrainOptions))
    if given.fraction_data < 1:
        raise DssError("fraction_data: does not apply here; give the parts to train on (parts)")
    tree = open_dataset(given.data_dir)
    if not tree["test"].sizes["time"]:
        raise DssError(
            f"{given.data_dir}: the test split is empty, so nothing can be scored; make the "
            "dataset with one (test_fraction)"
        )
    folder = given.run_dir / "learning_curve"
    settled, _ = complete(given)
    parts = sorted({*options.parts})
    amounts = [_amounts(tree, settled.model_copy(update={"fraction_data": p})) for p in parts]
    scores = []
    for part in parts:
        say(f"Part {part:g} of the data, {parts.index(part) + 1} of {len(parts)} trainings")
        update = {"fraction_data": part, "save_prefix": f"{100 * part:.0f}_percent"}
        update |= {"save_dir": folder, "nb_epoch": min(MOST_EPOCHS, round(settled.nb_epoch / part))}
        names, counts = _confusions(train(options=settled.model_copy(update=update)), tree)
        scores.append(_drawn_f1(counts, settled.seed))
    table = _table(names, np.array(scores), np.array(amounts), options.more, settled.seed)
    with replacing(folder / "learning_curve.csv") as file:
        table.to_csv(file, index=False, float_format="%.6g")
    return table


def format_learning_curve(table: pd.DataFrame) -> str:
    """The result of `learning_curve` as sentences."""
    sentences = []
    for name, rows in table.groupby("song_type", sort=False):
        now, more = rows[rows["is_measured"]].iloc[-1], rows.iloc[-1]
        of_it = more["song_seconds"] - now["song_seconds"]
        of_it = f" ({of_it:.2g} s of *{name}*)" if name != ALL else ""
        what = f"F1 of *{name}*" if name != ALL else "the mean F1 of all song types"
        sentences.append(
            f"{more['seconds'] - now['seconds']:.3g} s more annotations{of_it} should raise {what} "
            f"from {now['f1']:.2f} to about {more['f1']:.2f} "
            f"({more['low']:.2f} to {more['high']:.2f})."
        )
    return "\n".join(sentences)


def extrapolate(seconds: np.ndarray, f1: np.ndarray, more: float, seed: int = 0) -> np.ndarray:
    """F1 with more annotations, for each draw.

    Arguments:
        seconds: [parts] annotated, increasing.
        f1: [parts, draws].
        more: how many times the last of these seconds.
        seed: for drawing floors and differences between trainings.

    Returns: [draws] F1, at least that with all of the data.
    """
    rng = np.random.default_rng(seed)
    error = np.clip(1 - f1, 1e-4, 1)
    error = error * np.exp(TRAINING_SPREAD * rng.standard_normal(error.shape))
    floor = rng.uniform(0, 0.9, error.shape[1]) * error.min(axis=0)
    log_error, log_seconds = np.log(error - floor), np.log(seconds / seconds[-1])
    weights = np.sqrt(seconds / seconds.sum())[:, None]  # large parts tell most
    offsets = log_error[None] + SLOPES[:, None, None] * log_seconds[None, :, None]
    means = (offsets * weights).sum(axis=1, keepdims=True) / weights.sum()
    misfit = (weights * (offsets - means) ** 2).sum(axis=1)  # [slopes, draws]
    best = misfit.argmin(axis=0)
    scale = np.exp(np.take_along_axis(means[:, 0], best[None], axis=0)[0])
    return np.clip(1 - floor - scale * more ** -SLOPES[best], 0, 1)


def _table(names, scores, amounts, more: float, seed: int) -> pd.DataFrame:
    """Arguments: scores [parts, draws, names], with the original data as first draw; amounts
    [parts, 1 + names] seconds, in all and by name.
    """
    mean = np.ma.masked_invalid(scores).mean(axis=2, keepdims=True).filled(np.nan)
    scores = np.concatenate([mean, scores], axis=2)
    rows = []
    for i, name in enumerate([ALL, *names]):
        f1, seconds = scores[:, :, i], amounts[:, 0]
        if np.isnan(f1[:, 0]).any():  # not in the test split
            continue
        f1 = np.where(np.isnan(f1), f1[:, :1], f1)
        low, high = np.quantile(f1, [0.05, 0.95], axis=1)
        for part in range(len(f1)):
            song = amounts[part, i]
            rows.append((name, seconds[part], song, f1[part, 0], low[part], high[part], True))
        expected = extrapolate(seconds, f1, more, seed)
        low, middle, high = np.quantile(expected, [0.05, 0.5, 0.95])
        times = more * seconds[-1], more * amounts[-1, i]
        rows.append((name, *times, middle, low, high, False))
    return pd.DataFrame(rows, columns=COLUMNS)


def _amounts(tree, options: TrainOptions) -> np.ndarray:
    """Annotated seconds of train and validation, in all and of each song type."""
    y_name, amounts = targets_name(tree, options), []
    for split in ("train", "val"):
        chunks = open_chunks(tree, split, y_name, options)
        known, stretches = chunks.annotated, chunks.stretches
        n_known = np.diff(stretches).sum()
        if known is not None:
            n_known = sum(np.count_nonzero(known[a:b]) for a, b in stretches)
        song = song_stretches(chunks.y, stretches, known)
        amounts.append([n_known, *(np.diff(s).sum() for s in song[1:])])
    return np.sum(amounts, axis=0) / tree.attrs["samplerate_x_Hz"]


def _confusions(run: Path, tree) -> tuple[list[str], np.ndarray]:
    """The song types, and a confusion matrix for each block of the test split.

    Returns: names, and counts [blocks, true classes, predicted classes].
    """
    with hdf5.reading(run_file(run, "_results.h5")) as file:
        names = [name.decode() for name in file["class_names"][()].tolist()]
        labels, predictions = file["labels"][()], file["predictions"][()]
        known = file["known"][()].astype(bool)
    n = len(names)
    counts = [
        np.bincount(
            labels[a:b][known[a:b]].astype(int) * n + predictions[a:b][known[a:b]], minlength=n * n
        )
        for a, b in _blocks(split_stretches(tree, "test"))
    ]
    return names[1:], np.reshape(counts, (-1, n, n))


def _blocks(stretches: np.ndarray) -> Iterator[tuple[int, int]]:
    """The stretches of the test split, with long ones cut into blocks."""
    longest = max(1, -(-int(np.diff(stretches).sum()) // N_BLOCKS))
    for first, last in stretches:
        for start in range(first, last, longest):
            yield start, min(start + longest, last)


def _drawn_f1(counts: np.ndarray, seed: int) -> np.ndarray:
    """F1 by song type: for all blocks, then for blocks resampled repeatedly: [draws, names]."""
    rng = np.random.default_rng(seed)  # the same blocks for all parts
    n_blocks = len(counts)
    drawn = rng.multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), N_DRAWS)
    sums = np.tensordot(np.vstack([np.ones(n_blocks), drawn]), counts, axes=1)
    f1 = scores_of_confusion(sums)["f1"][:, :-1]  # without the row `all`
    return np.where(sums.sum(axis=2)[:, 1:] > 0, f1, np.nan)
