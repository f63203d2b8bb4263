"""Fit a network to chunks of audio: the training step, the learning rate, when to stop."""

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
from dss.models.steps import judging, learning, make_optimizer, one_row, put_average
from dss.models.workers import ALONE, Workers
from dss.options import TrainOptions

WARM_UP = 0.05  # part of all steps in which the learning rate rises to its full value
EQUAL_F1 = 0.02  # the least difference that is taken for more than chance
COMPILE_STEPS = 200  # with fewer, compiling the step takes longer than it saves
EXPLODED = 100  # a loss that no network has which learns: guessing among 20 classes costs 3


class Exploded(DssError):
    """Nothing can be learned any more: the weights are lost."""


@dataclass
class Progress:
    """How far a training is: with the weights, all that the next epoch depends on."""

    epoch: int = 0
    step: int = 0
    learning_rate: float = 0.0
    best_epoch: int = 0
    highest_f1: float = 0.0
    lowest_loss: float = math.inf
    waited: int = 0  # epochs since the validation loss was lowest
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
    """Train a network in place; `after_epoch` keeps its weights when they are the best.

    The learning rate rises, then falls along a cosine to zero at the last epoch (Loshchilov &
    Hutter 2017, arXiv:1608.03983). With `reduce_lr` it stays, and is divided by 10 when the
    validation loss does. Ctrl-C after the first epoch ends the training early.

    Arguments:
        model: a network as `dss.models.build` gives it, standardized.
        train, val: chunks of the two splits.
        class_names: of the columns of the targets.
        options: batch size, epochs, learning rate, seed, augmentations, when to stop.
        after_epoch: called with the scores of each epoch, and whether it is the best so far. The
            scores: epoch, loss, val_loss, val_accuracy, val_f1_<class> by samples, learning_rate,
            and which epoch is the best so far.
        checkpoint: a file from which training goes on if it is there, written after each epoch.
        samplerate_hz: of the audio.
        n_val: annotations in the validation split.
        song: where each class is, to draw each equally often; None to draw all chunks alike.
        workers: the processes that train together, which call this with the same arguments.

    Returns: whether training came to its end; False after Ctrl-C.
    Raises: DssError if the loss is no number any more, or explodes: at which learning rate.
    """
    rng = np.random.default_rng(options.seed)
    # A shift of the grid can add a chunk to every stretch.
    most_chunks = len(train.grid(train.stride - 1)[0])
    total_steps = options.nb_epoch * math.ceil(most_chunks / options.batch_size)
    optimizer = make_optimizer(options, total_steps // options.nb_epoch)
    row = one_row(model)
    learn = learning(model, row, optimizer, workers, compiled=total_steps > COMPILE_STEPS)
    judge = judging(model, compiled=total_steps > COMPILE_STEPS)
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
            put_average(model, row, optimizer)
            scores = _judge(judge, val, options.batch_size, class_names, workers)
            _check_loss(scores["val_loss"], at, options)
            is_best = _note(scores, at, n_val)
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
        checkpoint.unlink(missing_ok=True)  # it would go the same way again
        raise
    return True


def standardize(model: keras.Model, train: Chunks, n_chunks: int = 64) -> None:
    """Set mean and standard deviation of the features from chunks all over the training data."""
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
    """The learning rate, as a part of the full one, when this part of the steps is done."""
    if progress < WARM_UP:
        return (progress + 1e-3) / (WARM_UP + 1e-3)
    return 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP)))


def _note(scores: dict[str, float], at: Progress, n_val: int) -> bool:
    """Note how good an epoch is; returns whether its weights are to be kept.

    They are if F1 is the highest so far, or not below it by more than chance, of which there is the
    more the fewer annotations tell: its standard error. Of epochs that are equally good the last
    one is kept, because the learning rate has fallen farther. The lowest loss would be led by a few
    annotations that are wrong or that nobody made: the surer the network is of the truth, the more
    it loses by them.
    """
    f1, loss = _mean_f1(scores), scores["val_loss"]
    at.highest_f1 = max(f1, at.highest_f1)
    error = math.sqrt(at.highest_f1 * (1 - at.highest_f1) / n_val) if n_val else math.inf
    is_best = f1 >= at.highest_f1 - max(EQUAL_F1, error)
    if is_best:
        at.best_epoch = at.epoch
    at.waited = 0 if loss < at.lowest_loss else at.waited + 1
    at.lowest_loss = min(at.lowest_loss, loss)
    return is_best


def _mean_f1(scores: dict[str, float]) -> float:
    """The mean F1 of the classes, those without examples excepted."""
    f1 = [v for name, v in scores.items() if name.startswith("val_f1_") and not math.isnan(v)]
    return float(np.mean(f1))


def _learn_epoch(
    learn, optimizer, batches, at: Progress, options, total_steps: int, workers: Workers
) -> float:
    """Learn from all batches of an epoch; returns the mean loss."""
    losses = []
    for batch in batches:
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
    """Raise that the loss exploded, if it did, and why."""
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


def _judge(
    judge, val: Chunks, batch_size: int, class_names: Sequence[str], workers: Workers
) -> dict[str, float]:
    """The scores of the validation split, by samples."""
    batches = ahead(all_batches(val, batch_size, workers.part))
    found = [np.concatenate([np.ravel(v) for v in judge(*batch)]) for batch in batches]
    total, count, *counts = workers.sum(np.sum(found, axis=0, dtype=float))
    if not count:
        raise DssError("The validation split has no annotations. Give it more of the data.")
    confusion = np.reshape(counts, (len(class_names), -1))
    either = confusion.sum(axis=0) + confusion.sum(axis=1)
    f1 = np.divide(
        2 * np.diag(confusion), either, out=np.full(len(either), np.nan), where=either > 0
    )
    return {
        "val_loss": float(np.float32(total / count)),  # what lies below is rounding
        "val_accuracy": float(np.trace(confusion) / confusion.sum()),
        **{f"val_f1_{name}": float(value) for name, value in zip(class_names, f1, strict=True)},
    }
