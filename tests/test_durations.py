import numpy as np
import pytest

from dss.train.durations import learned_durations

RATE = 1000.0
WHOLE = np.array([[0, 100_000]])


def limits(milliseconds, kind="segment", stretches=WHOLE):
    starts = 500 + 1000 * np.arange(len(milliseconds))
    song = [np.empty((0, 2), int), np.stack([starts, starts + milliseconds], axis=1)]
    found = learned_durations(song, ["noise", "a"], ["segment", kind], stretches, RATE)
    return found["segment_durations"].get("a")


def test_limits_of_a_stereotyped_syllable_are_narrow():
    shortest, longest = limits([98, 99, 100, 101, 102] * 4)
    assert 0.07 < shortest < 0.098
    assert 0.102 < longest < 0.14


def test_limits_of_song_of_any_duration_are_wide():
    shortest, longest = limits(np.geomspace(50, 900, 20).astype(int))
    assert shortest < 0.01
    assert longest > 1000


def test_few_annotations_set_no_limits_and_events_last_no_time():
    assert limits([100] * 9) is None
    assert limits([1] * 20, kind="event") is None


def test_segments_cut_by_the_end_of_a_stretch_do_not_count():
    cut = np.array([[0, 510], [510, 100_000]])  # the first segment, 10 ms of it, ends a stretch
    assert limits([10] + [100] * 12, stretches=cut) == pytest.approx((100 / 1300, 0.13), abs=2e-3)


def test_excerpts_say_neither_how_long_song_lasts_nor_how_long_it_pauses():
    onsets = 1000 * np.arange(1, 15)
    excerpts = np.stack([onsets, onsets + 100], axis=1)  # each is all that is annotated there
    song = [np.empty((0, 2), int), excerpts]
    what = song, ["noise", "a"], ["segment"] * 2, WHOLE, RATE
    assert {"segment_fill_seconds"} < learned_durations(*what).keys()
    assert learned_durations(*what, excerpts) == {"segment_durations": {}}
    looked_at = excerpts + np.array([-50, 50])
    assert learned_durations(*what, looked_at)["segment_durations"].keys() == {"a"}


def filled(onsets, offsets, stretches=WHOLE):
    song = [np.empty((0, 2), int), np.stack([onsets, offsets], axis=1)]
    found = learned_durations(song, ["noise", "a"], ["segment"] * 2, stretches, RATE)
    return found.get("segment_fill_seconds")


def test_gaps_that_nobody_left_are_filled():
    onsets = 1000 * np.arange(1, 20)
    assert filled(onsets, onsets + 90) == 0.03  # a third of the duration
    assert filled(onsets, onsets + 960) == 0.02  # half the pause
    assert filled(onsets[:10], onsets[:10] + 90) is None  # nine pauses are too few
    apart = np.stack([onsets - 20, onsets + 980], axis=1)
    assert filled(onsets, onsets + 960, apart) is None  # a stretch each: no pause is known


def test_what_no_option_can_be_is_not_learned():
    onsets = 1000 + 400_000 * np.arange(50)
    whole = np.array([[0, 20_000_000]])
    assert filled(onsets, onsets + 200_000, whole) is None  # a minute at most
    assert longest_interval(10 * onsets, stretches=10 * whole) is None  # an hour at most
    assert longest_interval(5 * onsets, stretches=10 * whole) == 2600


def longest_interval(*middles, stretches=WHOLE):
    """The longest interval learned from events of several types."""
    song = [np.stack([np.array(m) - 2, np.array(m) + 2], axis=1) for m in middles]
    names, kinds = [str(i) for i in range(len(song))], ["event"] * len(song)
    song, names, kinds = [np.empty((0, 2), int), *song], ["noise", *names], ["segment", *kinds]
    found = learned_durations(song, names, kinds, stretches, RATE)
    return found.get("event_interval_max_seconds")


def test_events_that_come_in_trains_are_not_found_alone():
    trains = np.concatenate([start + 40 * np.arange(4) for start in range(1000, 90_000, 6000)])
    assert longest_interval(trains) == pytest.approx(0.052)
    assert longest_interval([*trains, 500, 600]) == pytest.approx(0.13)
    assert longest_interval(trains, trains * 1.1) == pytest.approx(0.0572)


def test_events_that_may_be_alone_are_not_limited():
    apart = np.arange(1000, 90_000, 1500)
    assert longest_interval(apart) == pytest.approx(1.95)
    assert longest_interval(apart[:49]) is None  # too few
    assert longest_interval(apart, apart[:49]) is None  # the limit would be for both types
    alone = np.array([[0, 2000], [2000, 100_000]])
    assert longest_interval(apart, stretches=alone) is None
    assert longest_interval([]) is None


def shortest_of_all(milliseconds):
    starts = 500 + 1000 * np.arange(len(milliseconds))
    song = [np.empty((0, 2), int), np.stack([starts, starts + milliseconds], axis=1)]
    found = learned_durations(song, ["noise", "a"], ["segment"] * 2, WHOLE, RATE)
    return found.get("segment_min_seconds")


def test_song_that_is_shorter_than_most_is_not_deleted():
    assert shortest_of_all([100] * 20) is None
    assert shortest_of_all([13] * 20) == pytest.approx(0.01)
    assert shortest_of_all([13] * 9) is None


def joined(pause, n_touching=0, n_types=2):
    """What is learned from 100 segments of one type, or of two alternating ones, with a pause
    between them.
    """
    onsets = 500 + 500 * np.arange(100)
    offsets = onsets + 500 - pause
    offsets[:n_touching] = onsets[:n_touching] + 500
    song = [np.stack([onsets, offsets], axis=1)[i::n_types] for i in range(n_types)]
    names, kinds = ["noise", *"ab"[:n_types]], ["segment"] * (1 + n_types)
    song = [np.empty((0, 2), int), *song]
    return learned_durations(song, names, kinds, WHOLE, RATE).get("segment_join_touching")


def test_types_that_never_touch_are_joined_where_they_do():
    assert joined(20) is True
    assert joined(1) is False
    assert joined(20, n_touching=1) is False  # one of 99
    assert joined(20, n_types=1) is None
