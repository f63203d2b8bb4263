"""A training step: the gradient of a batch, the update of all weights, and their average."""

import math
from collections.abc import Callable

import numpy as np

from dss.models.backend import keras, tf
from dss.models.layers import UpsampleLinear
from dss.models.tcn import split_at_patterns
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


class Forward:
    """A network as a function of its weights and a batch of audio.

    The filters on a spectrogram are never compiled: there are few of them, and XLA takes more than
    twice as long for them as TensorFlow itself. So what comes before and after them is compiled
    part by part; a network without any is compiled with the whole step.

    Attributes:
        compiles_step: whether XLA should compile the function that calls this one.
    """

    def __init__(self, network: keras.Model, compiled: bool):
        parts = split_at_patterns(network) if compiled else [network]
        by_xla = True, False, True  # before, in, and after the filters on a spectrogram
        self._has_parts = len(parts) > 1
        self.compiles_step = compiled and not self._has_parts
        numbers = {id(variable): i for i, variable in enumerate(network.trainable_variables)}
        self._calls = []
        for part, is_compiled in zip(parts, by_xla, strict=False):
            call = self.compile_part(part.stateless_call) if is_compiled else part.stateless_call
            which = [numbers[id(variable)] for variable in part.trainable_variables]
            self._calls.append((call, which, part.non_trainable_variables))

    def compile_part(self, function: Callable) -> Callable:
        """Compile a function that a step calls, unless the step is compiled anyway."""
        return tf.function(function, jit_compile=True) if self._has_parts else function

    def __call__(self, weights: list[tf.Tensor], x: tf.Tensor, training: bool) -> tf.Tensor:
        """The scores at each frame, with these weights instead of the network's own."""
        for call, which, variables in self._calls:
            values = [variable.value for variable in variables]
            x, states = call([weights[i] for i in which], values, x, training=training)
            for variable, state in zip(variables, states, strict=True):
                variable.assign(state)
        return x


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
    forward = Forward(network, compiled)

    @forward.compile_part
    def loss_of(scores, y, weight):
        return _cross_entropy(interpolate(scores), y, weight)

    def find(x, y, weight):
        """The gradient and the loss, averaged over the samples that count; and their number."""
        count = tf.reduce_sum(weight)
        with tf.GradientTape() as tape:
            tape.watch(row.value)
            scores = forward(_shaped(network, row.value), x, training=True)
            loss = loss_of(scores, y, weight) / tf.maximum(count, 1)
            scaled_loss = optimizer.scale_loss(loss)
        return [tape.gradient(scaled_loss, row.value), loss], count

    @forward.compile_part
    def apply(means):
        gradient, loss = means
        optimizer.apply([gradient], [row])
        return loss

    return workers.step(find, apply, forward.compiles_step)


def make_validation_step(
    network: keras.Model, interpolate: keras.Layer, compiled: bool
) -> Callable:
    """A function of a batch: the sum of the loss, the samples that count, the confusion matrix."""
    forward = Forward(network, compiled)

    @forward.compile_part
    def score(scores, y, weight):
        scores = interpolate(scores)
        n_classes = scores.shape[-1]
        true, predicted = (tf.one_hot(tf.argmax(v, axis=-1), n_classes) for v in (y, scores))
        confusion = tf.einsum("bti,btj,bt->ij", true, predicted, weight)
        return _cross_entropy(scores, y, weight), tf.reduce_sum(weight), confusion

    @tf.function(jit_compile=forward.compiles_step)
    def judge(x, y, weight):
        weights = [variable.value for variable in network.trainable_variables]
        return score(forward(weights, x, training=False), y, weight)

    return judge


def average_weights(network: keras.Model, row: keras.Variable, optimizer: keras.Optimizer) -> None:
    """Set the weights to their average over the last steps, which is what is evaluated and saved.

    The average lies nearer the middle of a minimum than any single step (Polyak & Juditsky 1992).
    """
    latest = row.numpy()
    optimizer.finalize_variable_values([row])
    for variable, values in zip(
        network.trainable_variables, _shaped(network, row.value), strict=True
    ):
        variable.assign(values)
    row.assign(latest)


def _shaped(network: keras.Model, row: tf.Tensor) -> list[tf.Tensor]:
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
