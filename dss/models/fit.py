"""Fit a network to chunks of audio: batches, learning rate, and what happens after each epoch."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from dss.data.batches import Chunks
from dss.models.backend import keras
from dss.models.layers import Standardize
from dss.options import TrainOptions

EARLY_STOPPING_EPOCHS = 20
WARM_UP = 0.05  # part of all steps in which the learning rate rises to its full value
WEIGHT_DECAY = 0.01


def fit(
    model: keras.Model,
    train: Chunks,
    val: Chunks,
    options: TrainOptions,
    *,
    after_epoch: Callable[[int, dict[str, float], bool], None],
    log_dir: Path | None = None,
) -> None:
    """Train a network in place; it ends with the weights of the epoch of lowest validation loss.

    The learning rate rises, then falls along a cosine to zero at the last epoch (Loshchilov &
    Hutter 2017, arXiv:1608.03983). With `reduce_lr` it stays, until the validation loss does.

    Arguments:
        model: a network as `dss.models.build` gives it.
        train, val: chunks of the two splits.
        options: batch size, epochs, learning rate, seed.
        after_epoch: called with the number of the epoch, its losses, and whether it is the best.
        log_dir: a folder for TensorBoard logs.
    """
    _standardize(model, train)
    batches = _Batches(train, options.batch_size, np.random.default_rng(options.seed))
    logits = keras.Model(model.input, model.get_layer("logits").output)
    logits.compile(
        optimizer=keras.optimizers.AdamW(
            _learning_rate(options, len(batches)), weight_decay=WEIGHT_DECAY
        ),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        weighted_metrics=["accuracy"],
        jit_compile=True,
    )
    callbacks = [
        _AfterEpoch(after_epoch),
        keras.callbacks.EarlyStopping(patience=EARLY_STOPPING_EPOCHS, restore_best_weights=True),
    ]
    if options.reduce_lr:
        callbacks.append(
            keras.callbacks.ReduceLROnPlateau(factor=0.1, patience=options.reduce_lr_patience)
        )
    if log_dir:
        callbacks.append(keras.callbacks.TensorBoard(log_dir))
    logits.fit(
        batches,
        validation_data=_Batches(val, options.batch_size),
        epochs=options.nb_epoch,
        callbacks=callbacks,
        verbose=0,
    )


def _standardize(model: keras.Model, train: Chunks, n_chunks: int = 64) -> None:
    """Set mean and standard deviation of the features from chunks all over the training data."""
    layer = next(layer for layer in model.layers if isinstance(layer, Standardize))
    starts, owner = train.grid()
    drawn = np.unique(np.linspace(0, len(starts) - 1, n_chunks).astype(int))
    x, _, _ = train.batch(starts[drawn], owner[drawn])
    features = keras.Model(model.input, layer.input).predict(x, batch_size=8, verbose=0)
    layer.set_statistics(features)


def _learning_rate(options: TrainOptions, n_steps: int):
    if options.reduce_lr:
        return options.learning_rate
    total = options.nb_epoch * n_steps
    warm_up = max(1, round(WARM_UP * total))
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, total - warm_up), warmup_target=options.learning_rate, warmup_steps=warm_up
    )


class _Batches(keras.utils.PyDataset):
    """Batches of one size; with a random generator in a new order and cut anew every epoch.

    The last batch is filled up with chunks of weight 0, so that the network is compiled once.
    """

    def __init__(self, chunks: Chunks, batch_size: int, rng: np.random.Generator | None = None):
        super().__init__()
        self.chunks, self.batch_size, self.rng = chunks, batch_size, rng
        # A shift of the grid can add a chunk to every stretch.
        shift = chunks.stride - 1 if rng else 0
        self.n_batches = -(-len(chunks.grid(shift)[0]) // batch_size)
        self.on_epoch_end()

    def __len__(self):
        return self.n_batches

    def on_epoch_end(self):
        shift = self.rng.integers(self.chunks.stride) if self.rng else 0
        starts, owner = self.chunks.grid(shift)
        order = self.rng.permutation(len(starts)) if self.rng else np.arange(len(starts))
        surplus = self.n_batches * self.batch_size - len(order)
        self.starts, self.owner = starts[order], owner[order]
        self.counts = np.pad(np.ones(len(order), np.float32), (0, surplus))
        self.starts, self.owner = (np.pad(v, (0, surplus)) for v in (self.starts, self.owner))

    def __getitem__(self, i):
        rows = slice(i * self.batch_size, (i + 1) * self.batch_size)
        x, y, weight = self.chunks.batch(self.starts[rows], self.owner[rows])
        return x, y, weight * self.counts[rows, None]


class _AfterEpoch(keras.callbacks.Callback):
    def __init__(self, after_epoch):
        super().__init__()
        self.after_epoch = after_epoch
        self.best = np.inf

    def on_epoch_end(self, epoch, logs=None):
        is_best = logs["val_loss"] < self.best
        self.best = min(self.best, logs["val_loss"])
        losses = {name: float(value) for name, value in logs.items()}
        losses["learning_rate"] = float(self.model.optimizer.learning_rate)
        self.after_epoch(epoch, losses, is_best)
