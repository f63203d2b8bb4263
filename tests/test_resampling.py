import itertools

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from dss.data import open_recording, resample
from dss.data.recordings import array_recording
from dss.errors import DssError

RATES = [500, 1000, 2500, 8000, 22050, 24414.0625, 32000, 44100, 250_000]


def tone(hz, samplerate_hz, seconds=3.0):
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * samplerate_hz)) / samplerate_hz)


def middle(x, samplerate_hz):
    """Without a second at both ends, where a tone begins and ends abruptly."""
    return x[round(samplerate_hz) : -round(samplerate_hz)]


@pytest.mark.parametrize("new", [500, 8000, 24414.0625, 44100, 250_000])
@pytest.mark.parametrize("old", [1000, 32000, 44100])
def test_a_tone_that_both_rates_can_hold_stays_what_it_is(old, new):
    hz = 0.4 * min(old, new)
    np.testing.assert_allclose(
        middle(resample(tone(hz, old), old, new), new), middle(tone(hz, new), new), atol=1e-3
    )


@pytest.mark.parametrize("hz", [260, 300, 400, 490, 3900, 15_900])
def test_a_tone_that_the_new_rate_cannot_hold_vanishes(hz):
    old = 1000 if hz < 500 else 32_000
    new = 500 if hz < 500 else 2 * round(hz / 1.1)
    assert np.abs(middle(tone(hz, old), old)).max() > 0.9
    assert np.abs(middle(resample(tone(hz, old), old, new), new)).max() < 1e-3


@given(
    old=st.sampled_from(RATES),
    new=st.sampled_from(RATES),
    n_samples=st.integers(1, 1000),
    cuts=st.lists(st.integers(0, 2000), max_size=4),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_a_stretch_has_the_same_samples_however_it_is_read(old, new, n_samples, cuts, seed):
    x = np.random.default_rng(seed).uniform(-1, 1, (n_samples, 2)).astype(np.float32)
    resampled = array_recording(x, old).resampled(new)
    if old != new:
        blocks = max(1, 100 // max(resampled.reader.up, resampled.reader.down))
        resampled.reader.block = resampled.reader.up * blocks  # several blocks in little time
    assert resampled.n_samples == max(1, round(n_samples * new / old))
    whole = resampled.read()
    assert whole.shape == (resampled.n_samples, 2)
    edges = [0, *sorted(cuts), resampled.n_samples]
    parts = [resampled.read(a, b) for a, b in itertools.pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate(parts)[: len(whole)], whole)


@pytest.mark.parametrize(("old", "new"), [(44100, 32000), (1000, 44100), (250_000, 2500)])
def test_no_block_can_be_told_from_the_whole_resampled_at_once(old, new, monkeypatch):
    x = np.random.default_rng(0).uniform(-1, 1, (200_000, 1)).astype(np.float32)
    monkeypatch.setattr("dss.data.resampling.BLOCK_SAMPLES", 20_000)
    monkeypatch.setattr("dss.data.resampling.CONTEXTS", 1)
    recording = array_recording(x, old).resampled(new)
    assert recording.n_samples > 3 * recording.reader.block
    at_once = soxr.resample(x, old, new)
    n = min(len(at_once), recording.n_samples)
    np.testing.assert_allclose(recording.read()[:n], at_once[:n], atol=1e-5)


def test_the_duration_stays_and_the_original_rate_is_the_recording_itself(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(44100), 44100)
    recording = open_recording(tmp_path / "a.wav")
    assert recording.resampled(44100) is recording
    resampled = recording.resampled(8000)
    assert (resampled.samplerate_hz, resampled.n_samples) == (8000, 8000)
    assert resampled.duration_seconds == recording.duration_seconds
    assert resampled.path == recording.path


def test_memory_does_not_grow_with_the_recording(monkeypatch):
    longest = 0
    n_samples = 40_000_000
    recording = array_recording(np.zeros((1, 1)), 32_000)

    def read(start, stop):
        nonlocal longest
        longest = max(longest, stop - start)
        return np.zeros((stop - start, 1), np.float32)

    object.__setattr__(recording, "n_samples", n_samples)
    object.__setattr__(recording, "reader", read)
    resampled = recording.resampled(2500)
    for start in range(0, resampled.n_samples, 1_000_000):
        resampled.read(start, start + 1000)
    assert 0 < longest < 500_000


def test_arrays_keep_their_axes_and_integers_are_scaled():
    x = (2**14 * tone(10, 1000)).astype(np.int16)
    y = resample(x, 1000, 500)
    assert (y.shape, y.dtype) == ((1500,), np.float32)
    assert 0.45 < np.abs(middle(y, 500)).max() < 0.55
    assert resample(x[:, None], 1000, 500).shape == (1500, 1)


def test_rates_without_a_simple_ratio_are_refused():
    with pytest.raises(DssError, match="to 1e.09 Hz, which is more than 1000 times as much"):
        array_recording(np.zeros(10), 8000).resampled(1e9)
    recording = array_recording(np.zeros(10), 44100)
    object.__setattr__(recording, "n_samples", 10**8)
    with pytest.raises(DssError, match="these have no simple ratio"):
        recording.resampled(44100.02)
    with pytest.raises(DssError, match="to 0 Hz"):
        recording.resampled(0)
