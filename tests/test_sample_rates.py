import numpy as np
import pandas as pd
import pytest

from dss.data.recordings import array_recording
from dss.data.sample_rates import highest_hz, proposed_rate


def recording(rate, hz, noise=0.01, seconds=5, length=0.2):
    """A tone that comes and goes in noise, and its annotations."""
    t = np.arange(round(seconds * rate)) / rate
    onsets = np.arange(0.3, seconds - 0.5, 0.5)
    x = noise * np.random.default_rng(0).standard_normal(len(t))
    for onset in onsets:
        is_tone = (t >= onset) & (t < onset + length)
        x[is_tone] += 0.3 * np.sin(2 * np.pi * hz * t[is_tone])
    table = pd.DataFrame({"name": "a", "start_seconds": onsets, "stop_seconds": onsets + length})
    return array_recording(x, rate), table


@pytest.mark.parametrize(("hz", "rate"), [(3000, 16_000), (9000, 22_050), (7900, 22_050)])
def test_the_lowest_rate_that_keeps_the_song_is_proposed(hz, rate):
    pairs = [recording(16_000, 3000), recording(22_050, hz), recording(44_100, 3000)]
    assert proposed_rate(*zip(*pairs, strict=True)) == rate


def test_noise_above_the_song_is_not_kept():
    assert highest_hz(*recording(22_050, 3000, noise=0.2)) < 8000


def test_without_annotations_the_lowest_rate_is_proposed_and_clicks_need_the_highest():
    pairs = [recording(16_000, 3000), recording(22_050, 3000)]
    assert proposed_rate([r for r, _ in pairs], [table[:0] for _, table in pairs]) == 16_000
    x = np.zeros(22_050)
    x[[5000, 9000, 15_000]] = 0.9
    times = np.array([5000, 9000, 15_000]) / 22_050
    clicks = pd.DataFrame({"name": "p", "start_seconds": times, "stop_seconds": times})
    pairs[1] = array_recording(x, 22_050), clicks
    assert proposed_rate(*zip(*pairs, strict=True)) == 22_050
