import numpy as np
import pytest

from dss.durations import learned_durations

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
    assert longest > 5


def test_few_annotations_and_events_set_no_limits():
    assert limits([100] * 9) is None
    assert limits([1] * 20, kind="event") is None


def test_segments_cut_by_the_end_of_a_stretch_do_not_count():
    cut = np.array([[0, 510], [510, 100_000]])  # the first segment, 10 ms of it, ends a stretch
    assert limits([10] + [100] * 12, stretches=cut) == pytest.approx((100 / 1300, 0.13), abs=2e-3)


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
