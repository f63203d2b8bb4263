import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dss.data.targets import make_targets
from dss.postprocess import detect

TYPES = {"p": "event", "a": "segment", "b": "segment"}
EXACT = {"segment_fill_seconds": 0, "segment_min_seconds": 0, "event_distance_seconds": 0}


def probabilities(n=200, **columns):
    """[n, 4]: for p, a, b a list of (samples, probability); noise is the rest."""
    p = np.zeros((n, 4), np.float32)
    for name, values in columns.items():
        for index, value in values:
            p[index, 1 + list(TYPES).index(name)] = value
    p[:, 0] = 1 - p[:, 1:].sum(axis=1)
    return p


def found(p, **options):
    return detect([p], TYPES, 1000, **{**EXACT, **options})


def test_an_event_is_at_its_peak_between_samples():
    t = np.arange(200)
    p = probabilities(p=[(slice(None), 0.9 * np.exp(-0.5 * ((t - 100.3) / 3) ** 2))])
    table = found(p)
    assert table["name"].tolist() == ["p"]
    assert table["start_seconds"][0] == pytest.approx(0.1003, abs=2e-5)
    assert table["confidence"][0] == pytest.approx(0.9, abs=0.01)


def test_the_threshold_of_events_is_the_threshold():
    p = probabilities(p=[(20, 0.4), (60, 0.6)])
    assert found(p)["start_seconds"].tolist() == [0.06]
    assert len(found(p, event_threshold=0.3)) == 2


def test_of_close_events_the_most_probable_stays():
    p = probabilities(p=[(20, 0.6), (25, 0.9), (30, 0.7), (100, 0.6)])
    table = found(p, event_distance_seconds=0.006)
    assert table["start_seconds"].tolist() == [0.025, 0.1]


def test_events_at_both_ends_are_found():
    assert len(found(probabilities(p=[(0, 0.9), (199, 0.9)]))) == 2


def test_segments_have_onset_offset_and_confidence():
    table = found(probabilities(a=[(slice(10, 30), 0.8)], b=[(slice(30, 40), 0.9)]))
    assert table["name"].tolist() == ["a", "b"]
    assert table["start_seconds"].tolist() == [0.01, 0.03]
    assert table["stop_seconds"].tolist() == [0.03, 0.04]
    assert table["confidence"].round(4).tolist() == [0.8, 0.9]


def test_short_gaps_are_filled_and_then_short_segments_deleted():
    p = probabilities(a=[(slice(10, 14), 0.9), (slice(16, 20), 0.9), (slice(50, 54), 0.9)])
    table = found(p, segment_fill_seconds=0.003, segment_min_seconds=0.005)
    assert table[["start_seconds", "stop_seconds"]].to_numpy().tolist() == [[0.01, 0.02]]


def test_an_event_within_a_segment_does_not_end_it():
    p = probabilities(a=[(slice(10, 60), 0.9), (30, 0.1)], p=[(30, 0.85)])
    assert found(p, segment_fill_seconds=0.003)["name"].tolist() == ["a", "p"]


def test_nothing_found_is_an_empty_table():
    table = found(probabilities())
    assert len(table) == 0
    assert list(table) == ["name", "start_seconds", "stop_seconds", "confidence"]


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 300), max_size=6))
@settings(max_examples=60, deadline=None)
def test_blocks_give_what_the_whole_gives(seed, cuts):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet([0.3, 0.2, 0.2, 0.2], size=300).astype(np.float32)
    whole = detect([p], TYPES, 1000, segment_min_seconds=0)
    blocks = np.split(p, sorted(cuts))
    parts = detect(blocks, TYPES, 1000, segment_min_seconds=0)
    assert whole["name"].tolist() == parts["name"].tolist()
    np.testing.assert_allclose(whole.iloc[:, 1:], parts.iloc[:, 1:], rtol=1e-6)


@given(
    st.lists(st.tuples(st.sampled_from("pab"), st.integers(2, 30), st.integers(2, 30)), max_size=15)
)
@settings(max_examples=60, deadline=None)
def test_targets_turn_back_into_annotations(steps):
    import pandas as pd

    rows, t = [], 10
    for name, length, pause in steps:
        rows.append((name, t / 1000, (t + (0 if name == "p" else length)) / 1000))
        t += length + pause
    table = pd.DataFrame(rows, columns=["name", "start_seconds", "stop_seconds"])
    table = table.astype({"start_seconds": float, "stop_seconds": float})
    again = found(make_targets(table, TYPES, 1000, 0, t + 10, event_std_seconds=0.0004))
    assert again["name"].tolist() == table["name"].tolist()
    np.testing.assert_allclose(again.iloc[:, 1:3], table.iloc[:, 1:3], atol=1e-9)
