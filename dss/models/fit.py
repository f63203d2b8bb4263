"""Fit a network to chunks of audio: training steps, learning rate schedule, and early stopping."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dss.data.batches import Chunks
from dss.errors import DssError
from dss.models.backend import keras
from dss.models.checkpoint import load_checkpoint, save_checkpoint
from dss.models.layers import Standardize
from dss.models.sampling import ahead, all_batches, training_batches
from dss.models.training_step import (
    average_weights,
    make_optimizer,
    make_training_step,
    make_validation_step,
    weight_vector,
)
from dss.models.workers import ALONE, Workers
from dss.options import TrainOptions

WARM_UP = 0.05  # fraction of all steps in which the learning rate rises to its full value
EQUAL_F1 = 0.02  # smaller differences may be chance
COMPILE_STEPS = 200  # with fewer steps, compiling takes longer than it saves
EXPLODED = 100  # no network that learns has such a loss: guessing among 20 classes costs 3


class Exploded(DssError):
    """Nothing can be learned any more: the weights are lost."""


@dataclass
class Progress:
    """The progress of training: with the weights, everything that the next epoch depends on."""

    epoch: int = 0
    step: int = 0
    learning_rate: float = 0.0
    best_epoch: int = 0
    highest_f1: float = 0.0
    lowest_loss: float = math.inf
    waited: int = 0  # epochs since the lowest validation loss
    random: dict[str, Any] | None = None


def fit(
    model: keras.Model,
    train: Chunks,
    val: Chunks,
    class_names: Sequence[str],
    options: TrainOptions,
    after_epoch: Callable[[dict[str, float], bool], None],
    *,
    checkpoint: Path,
    samplerate_hz: float,
    n_val: int,
    song: list[np.ndarray] | None = None,
    workers: Workers = ALONE,
) -> bool:
    """Train a network in place; `after_epoch` is to keep its weights if they are the best so far.

    The learning rate rises, then falls along a cosine to zero at the last epoch (Loshchilov &
    Hutter 2017, arXiv:1608.03983). With `reduce_lr` it is constant instead, and divided by 10 when
    the validation loss stops falling. Ctrl-C after the first epoch ends training early.

    Arguments:
        model: a network from `dss.models.build`, standardized.
        train, val: chunks of the two splits.
        class_names: the names of the columns of the targets.
        options: batch size, epochs, learning rate, seed, augmentations, early stopping.
        after_epoch: called with the scores of each epoch, and whether it is the best so far. The
            scores: epoch, loss, val_loss, val_accuracy, val_f1_<class> by samples, learning_rate,
            and the best epoch so far.
        checkpoint: a file that training resumes from if it exists, written after each epoch.
        samplerate_hz: the sample rate of the audio.
        n_val: the number of annotations in the validation split.
        song: where each class occurs, to draw all classes equally often; None to use each chunk
            once.
        workers: the processes that train together, which call this with the same arguments.

    Returns: whether training was completed; False after Ctrl-C.
    Raises: DssError if the loss is not finite, or explodes, with the learning rate.
    """
    rng = np.random.default_rng(options.seed)
    # A shift of the grid can add a chunk to every stretch.
    most_chunks = len(train.grid(train.stride - 1)[0])
    total_steps = options.nb_epoch * math.ceil(most_chunks / options.batch_size)
    optimizer = make_optimizer(options, total_steps // options.nb_epoch)
    row = weight_vector(model)
    learn = make_training_step(model, row, optimizer, workers, compiled=total_steps > COMPILE_STEPS)
    judge = make_validation_step(model, compiled=total_steps > COMPILE_STEPS)
    at = Progress(learning_rate=options.learning_rate)
    state = [*model.variables, row, *optimizer.variables]
    if checkpoint.is_file():
        at = Progress(**load_checkpoint(checkpoint, state))
        if at.random:
            rng.bit_generator.state = at.random
    workers.vary_dropout(model)
    try:
        while at.epoch < options.nb_epoch:
            at.epoch += 1
            drawn = training_batches(
                train,
                options.batch_size,
                rng,
                song=song,
                augmentations=options.augmentations,
                samplerate_hz=samplerate_hz,
                part=workers.part,
            )
            batches = ahead(drawn)
            loss = _learn_epoch(learn, optimizer, batches, at, options, total_steps, workers)
            average_weights(model, row, optimizer)
            scores = _validate(judge, val, options.batch_size, class_names, workers)
            _check_loss(scores["val_loss"], at, options)
            is_best = _record_scores(scores, at, n_val)
            rates = {"learning_rate": at.learning_rate, "best_epoch": at.best_epoch}
            after_epoch({"epoch": at.epoch, "loss": loss, **scores, **rates}, is_best)
            if at.waited >= options.early_stopping_patience:
                break
            if options.reduce_lr and at.waited and at.waited % options.reduce_lr_patience == 0:
                at.learning_rate /= 10
            at.random = dict(rng.bit_generator.state)
            if workers.is_first:
                save_checkpoint(checkpoint, state, asdict(at))
    except KeyboardInterrupt:
        if not at.best_epoch:
            raise
        return False
    except Exploded:
        checkpoint.unlink(missing_ok=True)  # or the same would happen again
        raise
    return True


def standardize(model: keras.Model, train: Chunks, n_chunks: int = 64) -> None:
    """Set mean and standard deviation of the features from chunks spread over the training data."""
    layer = next((layer for layer in model.layers if isinstance(layer, Standardize)), None)
    if layer is None:
        return
    starts, owner = train.grid()
    drawn = np.unique(np.linspace(0, len(starts) - 1, n_chunks).astype(int))
    features = keras.Model(model.input, layer.input)
    batches = np.array_split(drawn, math.ceil(len(drawn) / 8))
    values = [np.asarray(features(train.batch(starts[b], owner[b])[0])) for b in batches]
    layer.set_statistics(np.concatenate(values))


def _schedule(progress: float) -> float:
    """The learning rate after this fraction of the steps, as a fraction of the full one."""
    if progress < WARM_UP:
        return (progress + 1e-3) / (WARM_UP + 1e-3)
    return 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP)))


def _record_scores(scores: dict[str, float], at: Progress, n_val: int) -> bool:
    """Record how good an epoch is; returns whether to keep its weights.

    They are kept if F1, the mean of all classes with examples, is the highest so far, or within
    chance of it: a standard error, which is larger for fewer annotations. Among equally good
    epochs, the last is kept, as the learning rate is lower. The lowest loss would depend on a few
    wrong or missing annotations: the surer the network is of the truth, the more they add to the
    loss.
    """
    all_f1 = [value for name, value in scores.items() if name.startswith("val_f1_")]
    f1 = float(np.mean([value for value in all_f1 if not math.isnan(value)]))
    loss = scores["val_loss"]
    at.highest_f1 = max(f1, at.highest_f1)
    error = math.sqrt(at.highest_f1 * (1 - at.highest_f1) / n_val) if n_val else math.inf
    is_best = f1 >= at.highest_f1 - max(EQUAL_F1, error)
    if is_best:
        at.best_epoch = at.epoch
    at.waited = 0 if loss < at.lowest_loss else at.waited + 1
    at.lowest_loss = min(at.lowest_loss, loss)
    return is_best


def _learn_epoch(
    learn, optimizer, batches, at: Progress, options, total_steps: int, workers: Workers
) -> float:
    """Train on all batches of an epoch; returns the mean loss."""
    losses = []
    for batch in batches:
        workers.stop_if_alone()
        if not options.reduce_lr:
            at.learning_rate = options.learning_rate * _schedule(at.step / total_steps)
        optimizer.learning_rate.assign(at.learning_rate)
        losses.append(float(learn(*batch)))
        if not losses[-1] < EXPLODED:
            n_broken = workers.sum(np.array([not np.isfinite(batch[0]).all()], np.float32))[0]
            _check_loss(losses[-1], at, options, bool(n_broken))
        at.step += 1
    return float(np.mean(losses))


def _check_loss(
    loss: float, at: Progress, options: TrainOptions, broken_audio: bool = False
) -> None:
    """Raise an error that explains why the loss exploded, if it did."""
    if loss < EXPLODED:
        return
    if broken_audio:
        raise Exploded(
            f"Training stopped in epoch {at.epoch}: the audio contains NaN or infinite values. "
            "Make the dataset again from recordings without them."
        )
    kept = f" The weights of epoch {at.best_epoch} are saved." if at.best_epoch else ""
    raise Exploded(
        f"Training stopped in epoch {at.epoch}: the loss became {loss:.3g} at a learning rate of "
        f"{at.learning_rate:.2g}. Use a smaller one: learning_rate {options.learning_rate / 10:g} "
        f"instead of {options.learning_rate:g}.{kept}"
    )


def _validate(
    judge, val: Chunks, batch_size: int, class_names: Sequence[str], workers: Workers
) -> dict[str, float]:
    """The scores of the validation split, by samples."""
    batches = ahead(all_batches(val, batch_size, workers.part))
    found = []
    for batch in batches:
        workers.stop_if_alone()
        found.append(np.concatenate([np.ravel(v) for v in judge(*batch)]))
    total, count, *counts = workers.sum(np.sum(found, axis=0, dtype=float))
    if not count:
        raise DssError("The validation split has no annotations. Give it more of the data.")
    confusion = np.reshape(counts, (len(class_names), -1))
    either = confusion.sum(axis=0) + confusion.sum(axis=1)
    f1 = np.divide(
        2 * np.diag(confusion), either, out=np.full(len(either), np.nan), where=either > 0
    )
    return {
        "val_loss": float(np.float32(total / count)),  # remove rounding errors
        "val_accuracy": float(np.trace(confusion) / confusion.sum()),
        **{f"val_f1_{name}": float(value) for name, value in zip(class_names, f1, strict=True)},
    }
