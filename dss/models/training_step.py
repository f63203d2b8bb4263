"""A training step: the gradient of a batch, the update of all weights, and their average."""

import math
from collections.abc import Callable

import numpy as np

from dss.models.backend import keras, tf
from dss.models.layers import UpsampleLinear
from dss.models.workers import Workers
from dss.options import TrainOptions

WEIGHT_DECAY = 0.01
AVERAGED_EPOCHS, AVERAGED_PART = 2, 0.1  # to average weights over; this part of all if less
FINE = 4  # points per frame at which the loss is computed


def make_optimizer(options: TrainOptions, steps_per_epoch: int) -> keras.Optimizer:
    """AdamW, which also averages the weights over the last steps."""
    epochs = min(AVERAGED_EPOCHS, AVERAGED_PART * options.nb_epoch)
    momentum = max(0.0, 1 - 1 / (epochs * steps_per_epoch))
    optimizer = keras.optimizers.AdamW(
        weight_decay=WEIGHT_DECAY, use_ema=True, ema_momentum=momentum
    )
    if options.mixed_precision == "float16":  # small gradients would vanish
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def weight_vector(network: keras.Model) -> keras.Variable:
    """All trainable weights in a single vector: [weights].

    A step then has one gradient and one update, rather than one for each array of weights: it
    compiles in a tenth of the time, and processes that train together exchange one message.
    """
    values = [np.ravel(variable.numpy()) for variable in network.trainable_variables]
    return keras.Variable(np.concatenate(values), name="weights")


def make_training_step(
    network: keras.Model,
    interpolate: keras.Layer,
    row: keras.Variable,
    optimizer: keras.Optimizer,
    workers: Workers,
    compiled: bool,
) -> Callable:
    """A function that takes one training step on a batch, and returns the loss.

    Frames are interpolated to `FINE` points, not to samples: between these, scores are nearly
    straight lines, and a loss at each sample would cost as much as two blocks.

    Arguments:
        network: from audio to scores at each frame.
        interpolate: the layer from these to scores at each sample.
        row: the weights of the network, from `weight_vector`.
        optimizer: from `make_optimizer`.
        workers: the processes that train together.
        compiled: whether to compile the step with XLA.
    """
    optimizer.build([row])
    if isinstance(interpolate, UpsampleLinear) and interpolate.factor > FINE:
        interpolate = UpsampleLinear(FINE, dtype="float32")

    def find(x, y, weight):
        """The gradient and the loss, averaged over the samples that count; and their number."""
        count = tf.reduce_sum(weight)
        with tf.GradientTape() as tape:
            tape.watch(row.value)
            scores, states = network.stateless_call(
                _parts(network, row.value), network.non_trainable_variables, x, training=True
            )
            scores = interpolate(scores)
            loss = _cross_entropy(scores, y, weight) / tf.maximum(count, 1)
            scaled_loss = optimizer.scale_loss(loss)
        for variable, state in zip(network.non_trainable_variables, states, strict=True):
            variable.assign(state)
        return [tape.gradient(scaled_loss, row.value), loss], count

    def apply(means):
        gradient, loss = means
        optimizer.apply([gradient], [row])
        return loss

    return workers.step(find, apply, compiled)


def make_validation_step(
    network: keras.Model, interpolate: keras.Layer, compiled: bool
) -> Callable:
    """A function of a batch: the sum of the loss, the samples that count, the confusion matrix."""

    @tf.function(jit_compile=compiled)
    def judge(x, y, weight):
        scores = interpolate(network(x, training=False))
        n_classes = scores.shape[-1]
        true, predicted = (tf.one_hot(tf.argmax(v, axis=-1), n_classes) for v in (y, scores))
        confusion = tf.einsum("bti,btj,bt->ij", true, predicted, weight)
        return _cross_entropy(scores, y, weight), tf.reduce_sum(weight), confusion

    return judge


def average_weights(network: keras.Model, row: keras.Variable, optimizer: keras.Optimizer) -> None:
    """Set the weights to their average over the last steps, which is what is evaluated and saved.

    The average lies nearer the middle of a minimum than any single step (Polyak & Juditsky 1992).
    """
    latest = row.numpy()
    optimizer.finalize_variable_values([row])
    for variable, values in zip(
        network.trainable_variables, _parts(network, row.value), strict=True
    ):
        variable.assign(values)
    row.assign(latest)


def _parts(network: keras.Model, row: tf.Tensor) -> list[tf.Tensor]:
    """The weights of the vector, in their shapes in the network."""
    shapes = [variable.shape for variable in network.trainable_variables]
    parts = tf.split(row, [math.prod(shape) for shape in shapes])
    return [tf.reshape(part, shape) for part, shape in zip(parts, shapes, strict=True)]


def _cross_entropy(scores: tf.Tensor, y: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    """The sum of the cross entropies of all samples that count.

    Arguments:
        scores: [chunks, points, classes], each for all samples nearest to the point.
        y: targets [chunks, samples, classes].
        weight: [chunks, samples].
    """
    chunks, points, classes = scores.shape
    y = weight[:, :, None] * tf.cast(y, tf.float32)
    y = tf.reduce_sum(tf.reshape(y, (chunks, points, -1, classes)), axis=2)
    return -tf.reduce_sum(y * tf.nn.log_softmax(scores))
