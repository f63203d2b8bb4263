"""Fit a network to chunks of audio: training steps, learning rate schedule, and early stopping."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from dss.data.batches import Chunks
from dss.data.contents import BROKEN_AUDIO
from dss.errors import DssError
from dss.models.backend import keras
from dss.models.checkpoint import load_checkpoint, save_checkpoint
from dss.models.layers import Standardize
from dss.models.sampling import ahead, all_batches, training_batches
from dss.models.turns import Turns
from dss.models.workers import ALONE, Workers
from dss.options import TrainOptions

WARM_UP = 0.05  # fraction of all steps in which the learning rate rises to its full value
EQUAL_F1 = 0.02  # smaller differences may be chance
EXPLODED = 100  # no network that learns has such a loss: guessing among 20 classes costs 3


class Exploded(DssError):
    """Nothing can be learned any more: the weights are lost."""


@dataclass
class Progress:
    """The progress of training: with the weights, everything that the next epoch depends on."""

    epoch: int = 0
    learning_rate: float = 0.0
    best_epoch: int = 0
    highest_f1: float = 0.0
    lowest_loss: float = math.inf
    waited: int = 0  # epochs since the lowest validation loss


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

    In each epoch, each member of the network learns from all chunks, in an order of its own.

    Arguments:
        model: a network from `dss.models.build`, standardized.
        train, val: chunks of the two splits.
        class_names: the names of the columns of the targets.
        options: batch size, epochs, learning rate, seed, augmentations, early stopping.
        after_epoch: called with the scores of each epoch, and whether it is the best so far. The
            scores, means of the members: epoch, loss, val_loss, val_accuracy, val_f1_<class> by
            samples, learning_rate, and the best epoch so far.
        checkpoint: a file that training resumes from if it exists, written after each epoch.
        samplerate_hz: the sample rate of the audio.
        n_val: the number of annotations in the validation split.
        song: where each class occurs, to draw all classes equally often; None to use each chunk
            once.
        workers: the processes that train together, which call this with the same arguments.

    Returns: whether training was completed; False after Ctrl-C.
    Raises: DssError if the loss is not finite, or explodes, with the learning rate.
    """
    # A shift of the grid can add a chunk to every stretch.
    most_chunks = len(train.grid(train.stride - 1)[0])
    steps_per_epoch = math.ceil(most_chunks / options.batch_size)
    turns = Turns(model, options, steps_per_epoch, workers)
    at = Progress(learning_rate=options.learning_rate)
    if checkpoint.is_file():
        at = Progress(**load_checkpoint(checkpoint, turns.arrays, asdict(at)))
    turns.vary_dropout(workers.index)
    try:
        while at.epoch < options.nb_epoch:
            at.epoch += 1
            of_members = []
            for member in turns:
                drawn = training_batches(
                    train,
                    options.batch_size,
                    np.random.default_rng([options.seed, member, at.epoch]),
                    song=song,
                    augmentations=options.augmentations,
                    samplerate_hz=samplerate_hz,
                    part=workers.part,
                )
                loss = _learn_epoch(turns, ahead(drawn), at, options, workers)
                scores = _validate(turns.judge, val, options.batch_size, class_names, workers)
                _check_loss(scores["val_loss"], at, options)
                of_members.append({"loss": loss, **scores})
            scores = {name: float(np.mean([m[name] for m in of_members])) for name in of_members[0]}
            is_best = _record_scores(scores, at, n_val)
            rates = {"learning_rate": at.learning_rate, "best_epoch": at.best_epoch}
            after_epoch({"epoch": at.epoch, **scores, **rates}, is_best)
            if at.waited >= options.early_stopping_patience:
                break
            if options.reduce_lr and at.waited and at.waited % options.reduce_lr_patience == 0:
                at.learning_rate /= 10
            if workers.is_first:
                save_checkpoint(checkpoint, turns.arrays, asdict(at))
    except KeyboardInterrupt:
        if not at.best_epoch:
            raise
        return False
    except Exploded:
        checkpoint.unlink(missing_ok=True)  # or the same would happen again
        raise
    return True


def standardize(model: keras.Model, train: Chunks, n_chunks: int = 64) -> None:
    """Set mean and standard deviation of the features from chunks spread over the training data.

    Raises: DssError if they are not finite.
    """
    layer = next((layer for layer in model.layers if isinstance(layer, Standardize)), None)
    if layer is None:
        return
    starts, owner = train.grid()
    drawn = np.unique(np.linspace(0, len(starts) - 1, n_chunks).astype(int))
    frontend = keras.Model(model.input, layer.input)
    batches = np.array_split(drawn, math.ceil(len(drawn) / 8))
    values = [np.asarray(frontend(train.batch(starts[b], owner[b])[0])) for b in batches]
    features = np.concatenate(values)
    if not np.isfinite(features).all():
        raise DssError(f"Training cannot start: {BROKEN_AUDIO}")
    layer.set_statistics(features)


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


def _learn_epoch(turns: Turns, batches, at: Progress, options, workers: Workers) -> float:
    """Train a member on all batches of an epoch; returns the mean loss."""
    losses: list[float] = []
    for batch in batches:
        workers.stop_if_alone()
        if not options.reduce_lr:
            epochs = at.epoch - 1 + len(losses) / turns.steps_per_epoch
            at.learning_rate = options.learning_rate * _schedule(epochs / options.nb_epoch)
        turns.optimizer.learning_rate.assign(at.learning_rate)
        losses.append(float(turns.learn(*batch)))
        if not losses[-1] < EXPLODED:
            n_broken = workers.sum(np.array([not np.isfinite(batch[0]).all()], np.float32))[0]
            _check_loss(losses[-1], at, options, bool(n_broken))
    turns.average()
    return float(np.mean(losses))


def _check_loss(
    loss: float, at: Progress, options: TrainOptions, broken_audio: bool = False
) -> None:
    """Raise an error that explains why the loss exploded, if it did."""
    if loss < EXPLODED:
        return
    if broken_audio:
        raise Exploded(f"Training stopped in epoch {at.epoch}: {BROKEN_AUDIO}")
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
