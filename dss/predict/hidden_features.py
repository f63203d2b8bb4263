"""What the last hidden layer of a network holds of segments: alike for what sounds alike to it."""

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from dss import models
from dss.data.recordings import Recording
from dss.runs import Run

if TYPE_CHECKING:
    import keras


def segment_features(recording: Recording, segments: np.ndarray, run: Run) -> np.ndarray:
    """What the layer before the class scores holds of each segment, in the mean over its frames.

    The recording is read block by block. A segment of no length counts as one frame.

    Arguments:
        recording: what `dss.predict.recording.fitting` gave.
        segments: [segments, 2] start and stop in seconds.
        run: the trained network.

    Returns: [segments, filters] float32.
    """
    hop = 2**run.options.nb_pre_conv
    edges = np.asarray(segments, float).reshape(-1, 2) * run.samplerate_hz / hop
    first = np.clip(edges[:, 0].astype(int), 0, max(0, recording.n_samples // hop - 1))
    last = np.maximum(np.ceil(edges[:, 1]).astype(int), first + 1)
    n_filters = run.model.get_layer("scores").input.shape[-1]
    sums, counts = np.zeros((len(first), n_filters)), np.zeros(len(first))
    for start, frames in _blocks(recording, run):
        before = np.concatenate([np.zeros((1, n_filters)), np.cumsum(frames, axis=0, dtype=float)])
        a, b = (np.clip(edge - start, 0, len(frames)) for edge in (first, last))
        sums += before[b] - before[a]
        counts += b - a
    return (sums / np.maximum(counts, 1)[:, None]).astype(np.float32)


def _blocks(recording: Recording, run: Run) -> Iterator[tuple[int, np.ndarray]]:
    """The first frame of each block, and what the layer holds: [frames, filters]."""
    hop = 2**run.options.nb_pre_conv
    padding = models.reach(run.options)
    if padding is None:  # chunks as the network was trained on
        length = run.options.nb_hist
        padding = models.padding(run.options) // hop * hop
    else:
        length = models.best_block(run.options, recording.n_samples) // hop * hop + 2 * padding
    layer, stride = _layer(run, length), length - 2 * padding
    for start in range(0, recording.n_samples, stride):
        low, high = start - padding, start - padding + length
        x = recording.read(max(low, 0), min(high, recording.n_samples))
        x = np.pad(x, [(max(-low, 0), max(high - recording.n_samples, 0)), (0, 0)])
        frames = layer.predict_on_batch(x[None])[0]
        yield start // hop, frames[padding // hop : (padding + stride) // hop]


@lru_cache(maxsize=4)  # tracing it takes seconds
def _layer(run: Run, n_samples: int) -> "keras.Model":
    from dss.models.backend import keras

    model = models.resized(run.model, run.options, n_samples)
    return keras.Model(model.input, model.get_layer("scores").input)
