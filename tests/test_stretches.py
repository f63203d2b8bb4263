import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dss.data.annotated_stretches import known_stretches
from dss.data.stretches import as_mask, intersection, of_mask, union

stretches = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 12)).map(lambda s: (s[0], s[0] + s[1])), max_size=8
).map(lambda s: np.array(s, float).reshape(-1, 2))


def mask(s):
    return as_mask(s, 1, 0, 70)


@given(stretches, stretches)
def test_stretches_are_sets_of_time(a, b):
    np.testing.assert_array_equal(mask(union(np.concatenate([a, b]))), mask(a) | mask(b))
    np.testing.assert_array_equal(mask(intersection(a, b)), mask(a) & mask(b))
    merged = union(a)
    assert (merged[1:, 0] > merged[:-1, 1]).all()


@given(stretches, st.integers(0, 70))
def test_a_mask_is_the_same_in_parts(s, cut):
    parts = [as_mask(s, 1, 0, cut), as_mask(s, 1, cut, 70)]
    np.testing.assert_array_equal(np.concatenate(parts), mask(s))


@given(stretches)
def test_a_mask_gives_back_its_stretches(s):
    np.testing.assert_array_equal(of_mask(mask(s)), union(s[s[:, 0] < s[:, 1]]))


TYPES = {"p": "event", "s": "segment"}


def known(*rows, types=TYPES, annotated_stretches=((0, 10),), names=()):
    table = pd.DataFrame(rows, columns=["name", "start_seconds", "stop_seconds"])
    return known_stretches(table, types, np.array(annotated_stretches, float), 0.25, names).tolist()


def test_everything_is_known_unless_somebody_says_what_is_noise():
    assert known(("s", 1, 2)) == [[0, 10]]
    assert known(("s", 1, 2), annotated_stretches=((0, 3), (5, 6))) == [[0, 3], [5, 6]]


def test_with_noise_only_what_is_annotated_is_known():
    assert known(("s", 1, 2), ("noise", 4, 5), ("p", 7, 7)) == [[1, 2], [4, 5], [6.75, 7.25]]
    assert known(("noise", 4, 5), annotated_stretches=((0, 4.5),)) == [[4, 4.5]]


def test_a_stretch_is_known_where_every_song_type_is_said_to_be_absent():
    rows = [("s", 0, 1), ("not_p", 2, 5), ("not_s", 4, 6)]
    assert known(*rows) == [[0, 1], [4, 5]]
    assert known(*rows, types={"p": "event"}) == [[0, 1], [2, 5]]


def test_not_x_is_a_song_type_like_any_other_if_there_is_no_x():
    assert known(("not_x", 2, 5)) == [[0, 10]]
    assert known(("not_p", 2, 5)) == pytest.approx([])


def test_what_is_not_asked_for_and_only_in_other_recordings_can_be_absent():
    rows = [("s", 1, 2), ("not_x", 3, 4)]
    assert known(*rows) == [[0, 10]]
    assert known(*rows, names={"x"}) == [[1, 2]]
    assert known(*rows, types=TYPES | {"x": "segment"}) == [[1, 2]]
