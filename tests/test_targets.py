import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from dss.data.targets import add_gaps, make_targets

TYPES = {"p": "event", "a": "segment", "b": "segment"}
RATE = 1000


def table(*rows):
    return pd.DataFrame(rows, columns=["name", "start_seconds", "stop_seconds"])


def targets(*rows, stop=100, start=0, std=0.0):
    return make_targets(table(*rows), TYPES, RATE, start, stop, std)


def test_a_segment_lasts_from_onset_to_before_offset():
    y = targets(("a", 0.010, 0.020))
    assert np.flatnonzero(y[:, 2]).tolist() == list(range(10, 20))
    np.testing.assert_array_equal(y[:, 0], 1 - y[:, 2])


def test_a_segment_shorter_than_a_sample_marks_one():
    assert np.flatnonzero(targets(("a", 0.0101, 0.0102))[:, 2]).tolist() == [10]


def test_an_event_is_one_sample_or_a_gaussian_between_samples():
    assert np.flatnonzero(targets(("p", 0.05, 0.05))[:, 1]).tolist() == [50]
    y = targets(("p", 0.0505, 0.0505), std=0.002)[:, 1]
    expected = np.exp(-0.5 * ((np.arange(46, 56) - 50.5) / 2) ** 2)
    np.testing.assert_allclose(y[46:56], expected, atol=1e-3)


def test_of_two_close_events_the_higher_target_counts():
    y = targets(("p", 0.050, 0.050), ("p", 0.052, 0.052), std=0.002)[:, 1]
    assert y[50] == y[52] == 1
    np.testing.assert_allclose(y[51], np.exp(-0.125), atol=1e-3)


def test_zeros_and_ones_are_the_same_as_bytes():
    rows = table(("a", 0.1, 0.2), ("b", 0.2, 0.9), ("p", 0.95, 0.95), ("a", 0.99, 1.5))
    types = {"a": "segment", "b": "segment", "p": "event"}
    y = make_targets(rows, types, 1000, 0, 1000)
    as_bytes = make_targets(rows, types, 1000, 0, 1000, dtype=np.uint8)
    assert as_bytes.dtype == np.uint8
    np.testing.assert_array_equal(as_bytes, y)


def test_song_types_that_overlap_share_the_probability():
    y = targets(("a", 0.01, 0.03), ("b", 0.02, 0.04))
    np.testing.assert_array_equal(y[25], [0, 0, 0.5, 0.5])


def test_unknown_names_and_types_not_found_leave_noise():
    assert (targets(("noise", 0, 0.1), ("x", 0, 0.1), ("p", np.nan, np.nan))[:, 0] == 1).all()


def test_a_gap_shortens_both_sides_but_deletes_nothing():
    rows = table(("a", 0.10, 0.20), ("a", 0.20, 0.21), ("p", 0.205, 0.205), ("b", 0.30, 0.40))
    gaps = add_gaps(rows, TYPES, gap_seconds=0.02)
    assert gaps["start_seconds"].round(6).tolist() == [0.10, 0.2025, 0.205, 0.30]
    assert gaps["stop_seconds"].round(6).tolist() == [0.19, 0.21, 0.205, 0.40]


annotations = st.lists(
    st.tuples(st.sampled_from(list(TYPES)), st.integers(0, 400), st.integers(0, 60)), max_size=20
)


@given(annotations, st.sampled_from([0.0, 0.0015]), st.integers(0, 400))
@settings(max_examples=60, deadline=None)
def test_rows_sum_to_one_and_parts_are_the_whole(rows, std, cut):
    rows = table(*[(n, t / RATE, (t + (0 if n == "p" else d)) / RATE) for n, t, d in rows])
    rows = rows.astype({"start_seconds": float, "stop_seconds": float})
    whole = make_targets(rows, TYPES, RATE, 0, 400, std)
    np.testing.assert_array_equal(whole.sum(axis=1), 1)
    assert whole.min() >= 0
    parts = [make_targets(rows, TYPES, RATE, a, b, std) for a, b in ((0, cut), (cut, 400))]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
