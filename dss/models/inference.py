"""Run a network over audio of any length, in the chunks that it was trained on."""

from collections.abc import Callable, Iterator

import numpy as np

from dss import models
from dss.models.backend import keras, tf
from dss.options import NetworkOptions


class Network:
    """A network traced for inference in batches of one fixed size."""

    def __init__(self, model: keras.Model, options: NetworkOptions, batch_size: int = 32):
        self.nb_hist = options.nb_hist
        self.padding = models.padding(options)
        self.stride = self.nb_hist - 2 * self.padding
        self.batch_size = batch_size
        self._forward = tf.function(lambda x: model(x, training=False), jit_compile=True)

    def blocks(
        self, read: Callable[[int, int], np.ndarray], n_samples: int
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Probabilities for each sample, block by block.

        The chunks lie on a grid from the start of the audio, with silence beyond both ends, so
        that the result depends neither on the batch size nor on how the audio is read.

        Arguments:
            read: gives the samples from start to before stop: [stop - start, channels].
            n_samples: length of the audio.

        Yields: first sample of the block, probabilities [samples, classes] float32.
        """
        step = self.stride * self.batch_size
        for start in range(0, n_samples, step):
            first, last = start - self.padding, start + step + self.padding
            x = read(max(first, 0), min(last, n_samples))
            x = np.pad(x, [(max(-first, 0), max(last - n_samples, 0)), (0, 0)])
            chunks = np.lib.stride_tricks.sliding_window_view(x, self.nb_hist, axis=0)[
                :: self.stride
            ]
            p = self._forward(np.ascontiguousarray(chunks.transpose(0, 2, 1))).numpy()
            p = p[:, self.padding : self.nb_hist - self.padding].reshape(step, -1)
            yield start, p[: n_samples - start]
