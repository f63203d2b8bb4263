"""Which chunks an epoch trains on, in which order; and batches of them, made ahead of their use."""

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
        batch_size: chunks in a batch; the last one is filled up with chunks of weight 0, so that
            the network is traced once.
        rng: where all is drawn from.
        song: where each class is, as `dss.data.contents.song_stretches` gives it, to draw each
            class equally often; None to take every chunk once.
        augmentations: how to vary the chunks, if at all.
        samplerate_hz: of the audio, which augmentations need.
        part: which chunks of each batch to give. All are drawn: the parts add up to the whole.
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
    """All chunks of a split in their order, in batches (x, y, weight) of one size."""
    return _batches(chunks, *chunks.grid(), batch_size, part)


def ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The same batches; the next one is made while the last one is used."""
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
    """As many chunks as there are, drawn so that each class has the same share of the draws.

    A draw takes a class first, each with the same probability, and a sample of the class second:
    the chunk in which it is. So a chunk may come several times in an epoch, or not at all.

    Returns: numbers of the chunks, in random order.
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
    # One random number for all draws, evenly spaced: no class is missed by chance.
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
