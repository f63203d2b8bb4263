import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dss.data.batches import Chunks, draw_fraction


def chunks_of(lengths, nb_hist, padding):
    edges = np.concatenate([[0], np.cumsum(lengths)])
    x = np.arange(1.0, edges[-1] + 1)[:, None]
    stretches = np.stack([edges[:-1], edges[1:]], axis=1)
    return Chunks(x, x.repeat(2, axis=1), stretches, nb_hist, padding)


@given(
    st.lists(st.integers(1, 90), min_size=1, max_size=5),
    st.integers(1, 40),
    st.integers(0, 19),
    st.integers(0, 99),
)
@settings(max_examples=150, deadline=None)
def test_every_sample_counts_once_wherever_the_grid_begins(lengths, nb_hist, padding, shift):
    padding = min(padding, (nb_hist - 1) // 2)
    chunks = chunks_of(lengths, nb_hist, padding)
    starts, owner = chunks.grid(shift % chunks.stride)
    x, y, weight = chunks.batch(starts, owner)
    counted = np.sort(x[:, :, 0][weight > 0])
    np.testing.assert_array_equal(counted, np.arange(1, sum(lengths) + 1))
    np.testing.assert_array_equal(y[weight > 0][:, 1], x[weight > 0][:, 0])


def test_a_chunk_sees_silence_beyond_its_stretch():
    chunks = chunks_of([10, 10], nb_hist=8, padding=2)
    starts, owner = chunks.grid()
    assert list(zip(starts, owner, strict=True)) == [
        (-2, 0),
        (2, 0),
        (6, 0),
        (8, 1),
        (12, 1),
        (16, 1),
    ]
    x, _, weight = chunks.batch(starts[[0, 2, 3]], owner[[0, 2, 3]])
    assert x[:, :, 0].tolist() == [
        [0, 0, 1, 2, 3, 4, 5, 6],
        [7, 8, 9, 10, 0, 0, 0, 0],
        [0, 0, 11, 12, 13, 14, 15, 16],
    ]
    assert weight[1].tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


def test_a_fraction_is_drawn_from_all_stretches_by_the_seed():
    stretches = np.array([[0, 100], [100, 150], [150, 400]])
    drawn = draw_fraction(stretches, 0.5, seed=1)
    assert (drawn[:, 1] - drawn[:, 0]).sum() == 200
    assert all(any(a >= first and b <= last for first, last in stretches) for a, b in drawn)
    np.testing.assert_array_equal(drawn, draw_fraction(stretches, 0.5, seed=1))
    assert len({str(draw_fraction(stretches, 0.5, seed=s)) for s in range(9)}) > 1


def test_a_fraction_of_what_is_known_is_drawn_where_little_is():
    stretches, known = np.array([[0, 1000], [1000, 4000]]), np.zeros(4000, np.uint8)
    known[100:200] = known[3000:3100] = 1
    for seed in range(9):
        drawn, all_drawn = (draw_fraction(stretches, f, seed, known) for f in (0.5, 1))
        n_known = sum(known[first:last].sum() for first, last in drawn)
        assert 50 <= n_known <= 150  # the last piece is cut by its duration
        assert sum(known[first:last].sum() for first, last in all_drawn) == 200


def test_every_part_of_a_single_stretch_may_be_drawn():
    times_drawn = np.zeros(1000, int)
    for seed in range(200):
        for fraction in (0.02, 0.3):
            drawn = draw_fraction(np.array([[0, 1000]]), fraction, seed)
            assert np.diff(drawn).sum() == 1000 * fraction
            assert (drawn[1:, 0] > drawn[:-1, 1]).all()
            for first, last in drawn:
                times_drawn[first:last] += 1
    assert times_drawn.min() > 0.5 * times_drawn.mean()


@given(st.lists(st.integers(1, 90), min_size=1, max_size=30), st.floats(0.01, 1))
@settings(max_examples=100, deadline=None)
def test_no_drawn_stretch_reaches_over_the_end_of_one(lengths, fraction):
    edges = np.concatenate([[0], np.cumsum(lengths)])
    drawn = draw_fraction(np.stack([edges[:-1], edges[1:]], axis=1), fraction, seed=0)
    assert np.diff(drawn).sum() == round(fraction * edges[-1])
    assert (np.diff(drawn.ravel()) >= 0).all()
    inner = np.searchsorted(edges, drawn[:, 0], "right")
    assert (drawn[:, 1] <= edges[inner]).all()
