"""Choose the chunks of an epoch and their order, and prepare batches of them in advance."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from dss.data.batches import Chunks
from dss.data.stretches import overlap
from dss.models.augmentation import add_background, augment, shift_starts
from dss.options import AugmentOptions

Batch = tuple[np.ndarray, np.ndarray, np.ndarray]
WHOLE = slice(None)


def training_batches(
    chunks: Chunks,
    batch_size: int,
    rng: np.random.Generator,
    *,
    song: list[np.ndarray] | None = None,
    augmentations: AugmentOptions | None = None,
    samplerate_hz: float = 1.0,
    part: slice = WHOLE,
) -> Iterator[Batch]:
    """The batches (x, y, weight) of one epoch, cut anew and in random order.

    Arguments:
        chunks: of the training split.
        batch_size: chunks per batch; the last batch is filled with chunks of weight 0, so that the
            network is traced only once.
        rng: the source of randomness.
        song: where each class occurs, from `dss.data.contents.song_stretches`, to draw all classes
            equally often; None to use every chunk once.
        augmentations: how to vary the chunks, if at all.
        samplerate_hz: the sample rate of the audio, for augmentations.
        part: which chunks of each batch to return. All are drawn, so that the parts add up to the
            whole.
    """
    starts, owner = chunks.grid(int(rng.integers(chunks.stride)))
    if song is None:
        order = rng.permutation(len(starts))
    else:
        order = draw_balanced(chunks, starts, owner, song, rng)
    if augmentations:
        starts = shift_starts(starts, augmentations, samplerate_hz, rng)
    if not augmentations:
        yield from _batches(chunks, starts[order], owner[order], batch_size, part)
        return
    for x, y, weight in _batches(chunks, starts[order], owner[order], batch_size):
        x = add_background(x, y, weight, augmentations, samplerate_hz, rng)
        x = augment(x, augmentations, samplerate_hz, rng)
        yield x[part], y[part], weight[part]


def all_batches(chunks: Chunks, batch_size: int, part: slice = WHOLE) -> Iterator[Batch]:
    """All chunks of a split in order, in batches (x, y, weight) of equal size."""
    return _batches(chunks, *chunks.grid(), batch_size, part)


def ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Prepare the next batch while the last one is used."""
    with ThreadPoolExecutor(1) as worker:
        upcoming = worker.submit(next, batches, None)
        while (batch := upcoming.result()) is not None:
            upcoming = worker.submit(next, batches, None)
            yield batch


def draw_balanced(
    chunks: Chunks,
    starts: np.ndarray,
    owner: np.ndarray,
    song: list[np.ndarray],
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw chunks so that each class gets the same share; as many draws as there are chunks.

    Each draw picks a class, all with the same probability, then a sample of that class, and takes
    the chunk that contains it. So a chunk may occur several times in an epoch, or not at all.

    Returns: the numbers of the chunks, in random order.
    """
    first, last = chunks.stretches[owner].T
    start = np.clip(starts + chunks.padding, first, last)
    stop = np.clip(starts + chunks.nb_hist - chunks.padding, first, last)
    probability = np.zeros(len(starts))
    for of_class in song:
        if not len(of_class):
            continue
        there = overlap(of_class, start, stop)
        if there.any():
            probability += there / there.sum()
    edges = np.cumsum(probability / probability.sum())
    # One random number for all draws, evenly spaced, so that no class is missed by chance.
    draws = (np.arange(len(starts)) + rng.random()) / len(starts)
    drawn = np.searchsorted(edges, draws, side="right")
    return rng.permutation(np.minimum(drawn, len(starts) - 1))


def _batches(
    chunks: Chunks, starts: np.ndarray, owner: np.ndarray, batch_size: int, part: slice = WHOLE
) -> Iterator[Batch]:
    places = np.arange(batch_size)[part]
    for first in range(0, len(starts), batch_size):
        rows = np.arange(first, min(first + batch_size, len(starts)))
        filled = np.resize(rows, batch_size)[part]
        x, y, weight = chunks.batch(starts[filled], owner[filled])
        weight[places >= len(rows)] = 0
        yield x, y, weight
