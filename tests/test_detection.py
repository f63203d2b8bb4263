import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dss.data.targets import make_targets
from dss.errors import DssError
from dss.options import DetectOptions
from dss.predict.detection import Detector, detect, with_run_options

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
    p = probabilities(p=[(20, 0.35), (60, 0.6)])
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


def test_lonely_events_and_crowded_ones_can_be_left_out():
    at = [10, 30, 33, 60, 90, 190]
    p = probabilities(p=[(i, 0.9) for i in at])
    kept = found(p, event_interval_min_seconds=0.01, event_interval_max_seconds=0.04)
    assert kept["start_seconds"].tolist() == [0.01, 0.06, 0.09]
    assert found(p, event_interval_min_seconds=0.01)["start_seconds"].tolist() == [
        0.01,
        0.06,
        0.09,
        0.19,
    ]


def test_only_the_first_event_of_a_train_waits_for_the_next():
    detector = Detector(TYPES, 1000, DetectOptions(**EXACT, event_interval_max_seconds=0.1))
    assert detector.add(probabilities(n=40, p=[(30, 0.9)])).empty
    assert detector.add(probabilities(n=40, p=[(10, 0.9)]))["start_seconds"].tolist() == [
        0.03,
        0.05,
    ]
    assert detector.add(probabilities(n=300, p=[(150, 0.9)])).empty
    assert detector.end().empty


def test_song_starts_high_and_holds_low():
    p = probabilities(
        a=[(slice(10, 20), 0.4), (slice(20, 25), 0.7), (slice(25, 40), 0.4), (slice(60, 90), 0.4)]
    )
    assert found(p)[["start_seconds", "stop_seconds"]].to_numpy().tolist() == [[0.02, 0.025]]
    held = found(p, segment_hold_threshold=0.3)
    assert held[["start_seconds", "stop_seconds"]].to_numpy().tolist() == [[0.01, 0.04]]


def test_a_short_fragment_becomes_part_of_what_it_is_in():
    p = probabilities(a=[(slice(10, 90), 0.9), (slice(50, 54), 0.1)], b=[(slice(50, 54), 0.85)])
    table = found(p, segment_min_seconds=0.01)
    assert table[["name", "start_seconds", "stop_seconds"]].to_numpy().tolist() == [
        ["a", 0.01, 0.09]
    ]
    assert table["confidence"][0] == pytest.approx((76 * 0.9 + 4 * 0.1) / 80, abs=1e-6)
    assert len(found(p)) == 3


def test_the_name_of_a_fragmented_syllable_is_that_with_most_probability():
    a, b = [slice(10, 14), slice(18, 22)], [slice(14, 18), slice(22, 26)]
    p = probabilities(a=[(s, 0.6) for s in a], b=[(s, 0.95) for s in b])
    table = found(p, segment_min_seconds=0.01)
    assert table[["name", "start_seconds", "stop_seconds"]].to_numpy().tolist() == [
        ["b", 0.01, 0.026]
    ]


def test_two_syllables_that_touch_stay_two():
    p = probabilities(a=[(slice(10, 40), 0.9)], b=[(slice(40, 70), 0.9)])
    table = found(p, segment_min_seconds=0.02, segment_fill_seconds=0.01)
    assert table["name"].tolist() == ["a", "b"]
    assert table["stop_seconds"].tolist() == [0.04, 0.07]


def test_two_types_that_touch_are_one_where_types_never_touch():
    p = probabilities(a=[(slice(10, 40), 0.9)], b=[(slice(40, 50), 0.9), (slice(55, 65), 0.9)])
    table = found(p, segment_join_touching=True)
    assert table[["name", "start_seconds", "stop_seconds"]].to_numpy().tolist() == [
        ["a", 0.01, 0.05],
        ["b", 0.055, 0.065],
    ]
    table = found(p, segment_join_touching=True, segment_durations={"a": (0, 0.035)})
    assert table["name"].tolist() == ["a", "b", "b"]  # no a is so long
    table = found(p, segment_join_touching=True, segment_fill_seconds=0.01)
    assert table[["name", "stop_seconds"]].to_numpy().tolist() == [["a", 0.065]]
    again = probabilities(a=[(slice(10, 20), 0.9), (slice(44, 70), 0.9)], b=[(slice(20, 40), 0.9)])
    table = found(again, segment_join_touching=True, segment_fill_seconds=0.01)
    assert table["name"].tolist() == ["b", "a"]


def test_options_that_contradict_each_other_are_an_error():
    with pytest.raises(DssError, match="segment_hold_threshold .0.6. should not be above"):
        found(probabilities(), segment_hold_threshold=0.6)
    with pytest.raises(DssError, match="event_interval_min_seconds"):
        found(probabilities(), event_interval_min_seconds=0.2, event_interval_max_seconds=0.1)


def test_memory_does_not_grow_with_the_recording():
    rng = np.random.default_rng(0)
    p = rng.dirichlet([0.3, 0.2, 0.2, 0.2], size=1000).astype(np.float32)

    def peak_bytes(n_blocks):
        tracemalloc.start()
        detector = Detector(TYPES, 1000, DetectOptions(segment_min_seconds=0.01))
        n_found = sum(len(detector.add(p)) for _ in range(n_blocks))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak, n_found

    peak_bytes(2)
    few, many = peak_bytes(2), peak_bytes(20)
    assert many[1] > 9 * few[1] > 0
    assert many[0] < 2 * few[0]


def test_nothing_found_is_an_empty_table():
    table = found(probabilities())
    assert len(table) == 0
    assert list(table) == ["name", "start_seconds", "stop_seconds", "confidence"]


@st.composite
def detection(draw):
    """Random probabilities that last a while, and options for all that detection can do."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    p = rng.dirichlet([0.3, 0.2, 0.2, 0.2], size=300)[np.sort(rng.integers(0, 300, 300))]
    milliseconds = st.integers(0, 30).map(lambda n: n / 1000)
    options = {
        "event_threshold": draw(st.sampled_from([0.2, 0.5])),
        "event_distance_seconds": draw(milliseconds),
        "event_interval_min_seconds": draw(milliseconds),
        "event_interval_max_seconds": draw(st.none() | st.just(0.05)),
        "segment_threshold": draw(st.sampled_from([0.5, 0.8])),
        "segment_hold_threshold": draw(st.none() | st.just(0.3)),
        "segment_fill_seconds": draw(milliseconds),
        "segment_min_seconds": draw(milliseconds),
        "segment_join_touching": draw(st.booleans()),
    }
    return p.astype(np.float32), options


@given(detection(), st.lists(st.integers(0, 300), max_size=6))
@settings(max_examples=80, deadline=None)
def test_blocks_give_what_the_whole_gives(detection, cuts):
    p, options = detection
    whole = detect([p], TYPES, 1000, **options)
    parts = detect(np.split(p, sorted(cuts)), TYPES, 1000, **options)
    assert whole["name"].tolist() == parts["name"].tolist()
    np.testing.assert_allclose(whole.iloc[:, 1:], parts.iloc[:, 1:], rtol=1e-6)


@given(detection())
@settings(max_examples=100, deadline=None)
def test_what_is_found_is_as_the_options_say(detection):
    p, options = detection
    table = found(p, **options)
    assert table["confidence"].between(0, 1).all()
    segments = table[table["name"] != "p"]
    assert (segments["start_seconds"][1:].to_numpy() >= segments["stop_seconds"][:-1] - 1e-9).all()
    length = segments["stop_seconds"] - segments["start_seconds"]
    assert (length >= options["segment_min_seconds"] - 1e-9).all()
    events = table[table["name"] == "p"]
    assert (events["confidence"] >= options["event_threshold"]).all()
    if not options["event_interval_min_seconds"] and options["event_interval_max_seconds"] is None:
        assert (
            events["start_seconds"].diff()[1:] >= options["event_distance_seconds"] - 1e-9
        ).all()


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


def test_segments_are_as_long_as_their_type_can_be():
    p = probabilities(
        a=[(slice(10, 14), 0.9), (slice(40, 50), 0.9), (slice(60, 90), 0.9)],
        b=[(slice(14, 30), 0.9), (slice(120, 124), 0.9)],
    )
    table = found(p, segment_durations={"a": (0.005, 0.02)})
    assert table["name"].tolist() == ["b", "a", "a", "a", "b"]
    # The short a is part of the b; the long one is two, one after the other.
    assert table["start_seconds"].tolist() == [0.01, 0.04, 0.06, 0.075, 0.12]
    assert table["stop_seconds"].tolist() == [0.03, 0.05, 0.075, 0.09, 0.124]
    with pytest.raises(DssError, match="the shorter first: a=2:1"):
        found(p, segment_durations="a=2:1")
    with pytest.raises(DssError, match="written as name=shortest:longest"):
        found(p, segment_durations="a=2")


def with_stored(stored, **given):
    """The given options, completed by those stored with a run."""
    return with_run_options(DetectOptions.checked(given), {"detect": {"options": stored}})


def test_lifting_the_limits_of_one_type_keeps_those_of_the_others():
    stored = {"segment_durations": {"a": [0.01, 0.1], "b": [0.02, 0.2]}}
    durations = with_stored(stored, segment_durations="a=0:60").segment_durations
    assert durations == {"a": (0, 60), "b": (0.02, 0.2)}


def test_what_is_given_counts_more_than_what_is_stored():
    stored = {"segment_hold_threshold": 0.4, "event_interval_max_seconds": 0.5}
    assert with_stored(stored).segment_hold_threshold == 0.4
    assert with_stored(stored, segment_threshold=0.3).segment_hold_threshold == 0.3
    assert with_stored(stored, event_interval_min_seconds=2).event_interval_max_seconds is None
    for none in (None, "none"):
        given = dict.fromkeys(stored, none)
        assert with_stored(stored, **given) == DetectOptions()
    with pytest.raises(DssError, match="segment_hold_threshold .0.6. should not be above"):
        with_stored(stored, segment_hold_threshold=0.6)


@given(
    st.fixed_dictionaries({}, optional={"segment_threshold": st.floats(0.1, 1)}),
    st.fixed_dictionaries(
        {},
        optional={
            "segment_threshold": st.floats(0.1, 1),
            "segment_hold_threshold": st.floats(0.1, 1),
            "segment_durations": st.just({"a": [0, 1]}),
        },
    ),
)
def test_what_is_stored_is_added_once(given, stored):
    params = {"detect": {"options": stored}}
    once = with_stored(stored, **given)
    assert with_run_options(once, params) == once


def test_durations_of_song_types_that_are_not_there_are_an_error():
    params = {"class_names": ["noise", *TYPES], "class_types": ["segment", *TYPES.values()]}
    for name in ("trill", "p"):  # p is an event
        with pytest.raises(DssError, match=f"no segments called {name}; choose from a, b"):
            with_run_options(DetectOptions(segment_durations={name: (0, 1)}), params)


def test_no_option_is_infinite():
    with pytest.raises(DssError, match="segment_fill_seconds: .*finite"):
        DetectOptions.checked({"segment_fill_seconds": float("inf")})


def test_a_longest_duration_below_a_sample_ends():
    p = probabilities(a=[(slice(10, 90), 0.9)])
    table = found(p, segment_durations={"a": (0, 1e-5)}, segment_min_seconds=0)
    assert len(table) > 1
    assert (table["stop_seconds"] > table["start_seconds"]).all()
