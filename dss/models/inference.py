"""Run a network over audio of any length, in the chunks that it was trained on."""

from collections.abc import Callable, Iterator

import numpy as np

from dss import models
from dss.models.backend import keras, tf
from dss.options import NetworkOptions


class Network:
    """A network traced for inference in batches of one fixed size.

    The chunks lie on a grid from the start of the audio; of each, only the middle `stride` samples
    count. So a result depends neither on the batch size nor on how the audio is read.
    """

    def __init__(self, model: keras.Model, options: NetworkOptions, batch_size: int = 32):
        self.nb_hist = options.nb_hist
        self.padding = models.padding(options)
        self.stride = self.nb_hist - 2 * self.padding
        self.batch_size = batch_size
        self.first_sample = models.first_chunk(options) + self.padding
        self._forward = tf.function(lambda x: model(x, training=False), jit_compile=True)

    @property
    def block_samples(self) -> int:
        """Samples that get a probability in one batch."""
        return self.stride * self.batch_size

    def blocks(
        self, read: Callable[[int, int], np.ndarray], n_samples: int
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Probabilities for each sample, block by block, with silence beyond both ends.

        Arguments:
            read: gives the samples from start to before stop: [stop - start, channels].
            n_samples: length of the audio.

        Yields: first sample of the block, probabilities [samples, classes] float32.
        """
        for start in range(self.first_sample, n_samples, self.block_samples):
            first, last = start - self.padding, start + self.block_samples + self.padding
            x = read(max(first, 0), min(last, n_samples))
            x = np.pad(x, [(max(-first, 0), max(last - n_samples, 0)), (0, 0)])
            yield max(start, 0), self.block(x)[max(-start, 0) : n_samples - start]

    def block(self, x: np.ndarray) -> np.ndarray:
        """Probabilities of one batch: [block_samples, classes] float32.

        Arguments:
            x: audio [padding + block_samples + padding, channels].
        """
        chunks = np.lib.stride_tricks.sliding_window_view(x, self.nb_hist, axis=0)[:: self.stride]
        chunks = np.ascontiguousarray(chunks.transpose(0, 2, 1), np.float32)
        p = self._forward(chunks).numpy()
        return p[:, self.padding : self.nb_hist - self.padding].reshape(self.block_samples, -1)
