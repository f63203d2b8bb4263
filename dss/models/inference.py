"""Run a network over audio of any length, block by block."""

from collections.abc import Callable, Iterator

import numpy as np

from dss import models
from dss.errors import DssError
from dss.models.backend import keras, tf
from dss.options import NetworkOptions

FEW_CLASSES = 16  # up to which products of small matrices are the faster softmax
LOWEST = -80.0  # of the exponents of the exponential function: 0 is never divided by 0


class Network:
    """A network traced for inference in blocks of one fixed size.

    Blocks overlap by the receptive field, so that each prediction uses everything it depends on,
    wherever a block begins. If that is the whole recording (see `models.reach`), blocks are batches
    of the chunks that the network was trained on: these lie on a grid from the start of the audio,
    and only the middle `stride` samples of each count. Either way, results do not depend on the
    block size.
    """

    def __init__(
        self,
        model: keras.Model,
        options: NetworkOptions,
        block_samples: int,
        source: str = "the network",
    ):
        """`source` is the file of its weights, for messages."""
        self._source = source
        reach = models.reach(options)
        if reach is None:
            self.nb_hist, self.padding = options.nb_hist, models.padding(options)
            self.stride = self.nb_hist - 2 * self.padding
            self.batch_size = max(1, block_samples // self.nb_hist)
            self.first_sample = models.first_chunk(options) + self.padding
        else:
            hop = 2**options.nb_pre_conv
            self.padding, self.stride = reach, max(1, block_samples // hop) * hop
            self.nb_hist = self.stride + 2 * self.padding
            self.batch_size, self.first_sample = 1, 0
            model = models.resized(model, options, self.nb_hist)
        # XLA does not make it faster, separable filters slower, and the start seconds later.
        self._forward = tf.function(self._middle(model, options))

    def _middle(self, model: keras.Model, options: NetworkOptions) -> Callable:
        """A function from chunks to the probabilities of their middle `stride` samples.

        The rest is dropped before frames are interpolated to samples.
        """
        logits = model.get_layer("logits")
        scores = keras.Model(model.input, logits.input)
        hop = 2**options.nb_pre_conv
        cut = max(0, self.padding // hop - 1)  # frames; samples lie between two of them
        first = self.padding - cut * hop

        def middle(x):
            frames = scores(x, training=False)
            p = _probabilities(frames[:, cut : frames.shape[1] - cut], logits)
            return p[:, first : first + self.stride]

        return middle

    @property
    def block_samples(self) -> int:
        """The number of samples that get a probability in one block."""
        return self.stride * self.batch_size

    def blocks(
        self, read: Callable[[int, int], np.ndarray], n_samples: int
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Compute probabilities for each sample, block by block, with silence beyond both ends.

        Arguments:
            read: returns the samples from start to before stop: [stop - start, channels].
            n_samples: the length of the audio.

        Yields: first sample of the block, probabilities [samples, classes] float32.
        """
        for start in range(self.first_sample, n_samples, self.block_samples):
            first, last = start - self.padding, start + self.block_samples + self.padding
            x = read(max(first, 0), min(last, n_samples))
            x = np.pad(x, [(max(-first, 0), max(last - n_samples, 0)), (0, 0)])
            yield max(start, 0), self.block(x)[max(-start, 0) : n_samples - start]

    def block(self, x: np.ndarray) -> np.ndarray:
        """Compute the probabilities of one block: [block_samples, classes] float32.

        `x` is its audio: [padding + block_samples + padding, channels].

        Raises: DssError if they are not numbers, as with weights that are far too large.
        """
        chunks = np.lib.stride_tricks.sliding_window_view(x, self.nb_hist, axis=0)[:: self.stride]
        chunks = np.ascontiguousarray(chunks.transpose(0, 2, 1), np.float32)
        p = self._forward(chunks).numpy().reshape(self.block_samples, -1)
        if not np.isfinite(p).all():
            raise DssError(
                f"{self._source}: gives probabilities that are not numbers, so its weights are "
                "damaged. Copy the run again, or train again."
            )
        return p


def _probabilities(frames: tf.Tensor, interpolate: keras.Layer) -> tf.Tensor:
    """The softmax of scores that are interpolated between frames: [chunks, samples, classes].

    For few classes, TensorFlow's own softmax takes longer than all else but the spectrogram. It
    subtracts the highest score of each sample; here it is that of the frames around it, which no
    score between them exceeds.
    """
    n_frames, n_classes = frames.shape[1:]
    scores = interpolate(frames)
    if n_classes > FEW_CLASSES:
        return tf.nn.softmax(scores)
    highest = tf.nn.max_pool1d(tf.reduce_max(frames, axis=2, keepdims=True), 3, 1, "SAME")
    n_samples = scores.shape[1]
    by_frame = tf.reshape(scores, (-1, n_frames, n_samples // n_frames * n_classes))
    exps = tf.exp(tf.maximum(by_frame - highest, LOWEST))
    exps = tf.reshape(exps, (-1, n_classes))
    sums = exps @ tf.ones((n_classes, n_classes))  # the same in each column
    return tf.reshape(exps / sums, (-1, n_samples, n_classes))
