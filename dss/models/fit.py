"""Fit a network to chunks of audio: the training step, the learning rate, when to stop."""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from dss.data.batches import Chunks
from dss.models.backend import keras, tf
from dss.models.layers import Standardize
from dss.options import TrainOptions

PATIENCE_EPOCHS = 20  # without a lower validation loss; then training stops
WARM_UP = 0.05  # part of all steps in which the learning rate rises to its full value
WEIGHT_DECAY = 0.01
COMPILE_STEPS = 200  # with fewer, compiling the step takes longer than it saves


def fit(
    model: keras.Model,
    train: Chunks,
    val: Chunks,
    class_names: Sequence[str],
    options: TrainOptions,
    after_epoch: Callable[[dict[str, float], bool], None],
) -> None:
    """Train a network in place; it ends with the weights of the epoch of lowest validation loss.

    The learning rate rises, then falls along a cosine to zero at the last epoch (Loshchilov &
    Hutter 2017, arXiv:1608.03983). With `reduce_lr` it stays, and is divided by 10 when the
    validation loss does. Ctrl-C after the first epoch ends the training early.

    Arguments:
        model: a network as `dss.models.build` gives it.
        train, val: chunks of the two splits.
        class_names: of the columns of the targets.
        options: batch size, epochs, learning rate, seed.
        after_epoch: called with the scores of each epoch, and whether it is the best so far. The
            scores: epoch, loss, val_loss, val_accuracy, val_f1_<class> by samples, learning_rate.
    """
    _standardize(model, train)
    rng = np.random.default_rng(options.seed)
    # A shift of the grid can add a chunk to every stretch.
    most_chunks = len(train.grid(train.stride - 1)[0])
    total_steps = options.nb_epoch * math.ceil(most_chunks / options.batch_size)
    optimizer = keras.optimizers.AdamW(weight_decay=WEIGHT_DECAY)
    learn, judge = _steps(model, optimizer, compiled=total_steps > COMPILE_STEPS)
    best = {"epoch": 0, "loss": math.inf, "weights": None}
    rate, step = options.learning_rate, 0
    try:
        for epoch in range(1, options.nb_epoch + 1):
            losses = []
            for batch in _batches(train, options.batch_size, rng):
                if not options.reduce_lr:
                    rate = options.learning_rate * _schedule(step / total_steps)
                optimizer.learning_rate.assign(rate)
                losses.append(learn(*batch))
                step += 1
            scores = _judge(judge, val, options.batch_size, class_names)
            is_best = scores["val_loss"] < best["loss"]
            if is_best:
                best = {"epoch": epoch, "loss": scores["val_loss"], "weights": model.get_weights()}
            loss = float(np.mean([float(loss) for loss in losses]))
            after_epoch({"epoch": epoch, "loss": loss, **scores, "learning_rate": rate}, is_best)
            waited = epoch - best["epoch"]
            if waited >= PATIENCE_EPOCHS:
                break
            if options.reduce_lr and waited and waited % options.reduce_lr_patience == 0:
                rate /= 10
    except KeyboardInterrupt:
        if best["weights"] is None:
            raise
    model.set_weights(best["weights"])


def _standardize(model: keras.Model, train: Chunks, n_chunks: int = 64) -> None:
    """Set mean and standard deviation of the features from chunks all over the training data."""
    layer = next(layer for layer in model.layers if isinstance(layer, Standardize))
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


def _steps(model: keras.Model, optimizer: keras.Optimizer, compiled: bool):
    """Two functions of a batch: learn from it -> loss; judge it -> loss and confusion matrix."""
    logits = keras.Model(model.input, model.get_layer("logits").output)
    variables = model.trainable_variables
    optimizer.build(variables)

    def loss_of(scores, y, weight):
        """The cross entropy of the samples that count: (sum, number of samples)."""
        loss = tf.nn.softmax_cross_entropy_with_logits(tf.cast(y, tf.float32), scores)
        return tf.reduce_sum(weight * loss), tf.reduce_sum(weight)

    @tf.function(jit_compile=compiled)
    def learn(x, y, weight):
        with tf.GradientTape() as tape:
            total, count = loss_of(logits(x, training=True), y, weight)
            loss = total / tf.maximum(count, 1)
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    @tf.function(jit_compile=compiled)
    def judge(x, y, weight):
        scores = logits(x, training=False)
        n_classes = scores.shape[-1]
        true, predicted = (tf.one_hot(tf.argmax(v, axis=-1), n_classes) for v in (y, scores))
        confusion = tf.einsum("bti,btj,bt->ij", true, predicted, weight)
        return *loss_of(scores, y, weight), confusion

    return learn, judge


def _judge(judge, val: Chunks, batch_size: int, class_names: Sequence[str]) -> dict[str, float]:
    """The scores of the validation split, by samples."""
    totals, counts, confusions = zip(
        *(map(np.asarray, judge(*batch)) for batch in _batches(val, batch_size)), strict=True
    )
    confusion = np.sum(confusions, axis=0, dtype=float)
    either = confusion.sum(axis=0) + confusion.sum(axis=1)
    f1 = np.divide(
        2 * np.diag(confusion), either, out=np.full(len(either), np.nan), where=either > 0
    )
    return {
        "val_loss": float(np.sum(totals) / np.sum(counts)),
        "val_accuracy": float(np.trace(confusion) / confusion.sum()),
        **{f"val_f1_{name}": float(value) for name, value in zip(class_names, f1, strict=True)},
    }


def _batches(
    chunks: Chunks, batch_size: int, rng: np.random.Generator | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """All chunks in batches (x, y, weight) of one size; with `rng` cut anew and in random order.

    The last batch is filled up with chunks of weight 0, so that the network is traced once.
    """
    starts, owner = chunks.grid(rng.integers(chunks.stride) if rng else 0)
    order = rng.permutation(len(starts)) if rng else np.arange(len(starts))
    for first in range(0, len(order), batch_size):
        rows = order[first : first + batch_size]
        filled = np.resize(rows, batch_size)
        x, y, weight = chunks.batch(starts[filled], owner[filled])
        weight[len(rows) :] = 0
        yield x, y, weight
