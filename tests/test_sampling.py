import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dss.data.batches import Chunks

NB_HIST, PADDING = 100, 10


def sparse_chunks(n_samples=40_000, song_at=((5000, 5030), (20_000, 20_040))):
    """Chunks of a long recording with one song type in a few places."""
    y = np.zeros((n_samples, 2), "float32")
    for start, stop in song_at:
        y[start:stop, 1] = 1
    y[:, 0] = 1 - y[:, 1]
    x = np.arange(n_samples, dtype="float32")[:, None]
    return Chunks(x, y, np.array([[0, n_samples]]), NB_HIST, PADDING)


def song_of(chunks):
    from dss.data.contents import song_stretches

    return song_stretches(chunks.y, chunks.stretches)


def test_every_sample_counts_once_an_epoch_in_another_order():
    from dss.models.sampling import training_batches

    chunks, rng = sparse_chunks(n_samples=1234, song_at=()), np.random.default_rng(0)
    epochs = []
    for _ in range(2):
        batches = list(training_batches(chunks, 8, rng))
        counted = np.concatenate([x[:, :, 0][weight > 0] for x, _, weight in batches])
        assert {len(x) for x, _, _ in batches} == {8}
        epochs.append(counted)
    np.testing.assert_array_equal(*map(np.sort, epochs))
    np.testing.assert_array_equal(np.sort(epochs[0]), np.arange(1234))
    assert (epochs[0] != epochs[1]).any()


def test_balanced_chunks_hold_sparse_song_as_often_as_noise():
    from dss.models.sampling import training_batches

    chunks = sparse_chunks()
    song = song_of(chunks)

    def part_with_song(song):
        rng = np.random.default_rng(0)
        batches = training_batches(chunks, 8, rng, song=song)
        ys, weights = zip(*((y, w) for _, y, w in batches), strict=True)
        there = (np.concatenate(ys)[:, :, 1] * np.concatenate(weights)).max(axis=1) > 0
        return there.mean()

    assert part_with_song(None) < 0.02
    assert 0.4 < part_with_song(song) < 0.6


@given(
    st.lists(st.tuples(st.integers(0, 990), st.integers(1, 60)), max_size=20), st.integers(0, 79)
)
def test_balanced_draws_are_chunks_that_there_are(song_at, shift):
    from dss.models.sampling import draw_balanced

    at = [(start, min(start + length, 1000)) for start, length in song_at]
    chunks = sparse_chunks(1000, at)
    starts, owner = chunks.grid(shift)
    drawn = draw_balanced(chunks, starts, owner, song_of(chunks), np.random.default_rng(0))
    assert len(drawn) == len(starts)
    assert set(drawn) <= set(range(len(starts)))
    if at:
        *_, weight = chunks.batch(starts[drawn], owner[drawn])
        _, y, _ = chunks.batch(starts[drawn], owner[drawn])
        assert (y[:, :, 1] * weight).any()


def test_batches_made_ahead_are_the_same_and_errors_reach_the_loop():
    from dss.models.sampling import ahead

    assert list(ahead(iter(range(1, 5)))) == [1, 2, 3, 4]

    def broken():
        yield 1
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(ahead(broken()))


def test_chunks_may_be_shifted_beyond_all_audio():
    chunks = sparse_chunks()
    starts = np.array([-2 * chunks.nb_hist, len(chunks.x) + 5])
    x, y, weight = chunks.batch(starts, np.zeros(2, int))
    assert not any(a.any() for a in (x, y, weight))
