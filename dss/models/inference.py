"""Run a network over audio of any length, block by block."""

from collections.abc import Callable, Iterator

import numpy as np

from dss import models
from dss.models.backend import keras, tf
from dss.options import NetworkOptions


class Network:
    """A network traced for inference in blocks of one fixed size.

    Blocks overlap by what the filters reach, so that each sample is judged by all that can matter
    for it, wherever a block begins. Where that would be all of the recording (see `models.reach`),
    blocks are batches of the chunks that the network was trained on; these lie on a grid from the
    start of the audio, and of each only the middle `stride` samples count. Either way a result
    does not depend on how long the blocks are.
    """

    def __init__(self, model: keras.Model, options: NetworkOptions, block_samples: int):
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
        # Compiled with XLA it is no faster, of separable filters slower, and begins seconds later.
        self._forward = tf.function(self._middle(model, options))

    def _middle(self, model: keras.Model, options: NetworkOptions) -> Callable:
        """A function from chunks to the probabilities of their middle `stride` samples.

        What is left out is left out before frames become samples.
        """
        logits = model.get_layer("logits")
        scores = keras.Model(model.input, logits.input)
        hop = 2**options.nb_pre_conv
        cut = max(0, self.padding // hop - 1)  # frames; a sample lies between two
        first = self.padding - cut * hop

        def middle(x):
            frames = scores(x, training=False)
            samples = logits(frames[:, cut : frames.shape[1] - cut])
            return keras.ops.softmax(samples[:, first : first + self.stride])

        return middle

    @property
    def block_samples(self) -> int:
        """Samples that get a probability in one block."""
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
        """Probabilities of one block: [block_samples, classes] float32.

        Arguments:
            x: audio [padding + block_samples + padding, channels].
        """
        chunks = np.lib.stride_tricks.sliding_window_view(x, self.nb_hist, axis=0)[:: self.stride]
        chunks = np.ascontiguousarray(chunks.transpose(0, 2, 1), np.float32)
        return self._forward(chunks).numpy().reshape(self.block_samples, -1)
