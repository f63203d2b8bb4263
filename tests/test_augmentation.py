import numpy as np
import pytest

from dss.errors import DssError
from dss.models.augmentation import add_background, augment, check_augmentations, shift_starts
from dss.options import AugmentOptions, TrainOptions

RATE = 1000.0


def tone(hz=100.0, n_chunks=50, channels=1, seconds=1.0):
    time = np.arange(round(seconds * RATE)) / RATE
    wave = np.sin(2 * np.pi * hz * time)[None, :, None]
    return np.tile(wave, (n_chunks, 1, channels)).astype("float32")


def varied(x, seed=0, **options):
    return augment(x, AugmentOptions(**options), RATE, np.random.default_rng(seed))


def test_nothing_asked_for_changes_nothing():
    x = tone()
    np.testing.assert_array_equal(varied(x), x)


def test_gain_is_even_in_decibels_and_bounded():
    x = tone()
    gain = 20 * np.log10(varied(x, gain_db=6).std(axis=(1, 2)) / x.std(axis=(1, 2)))
    assert np.abs(gain).max() <= 6.001
    assert gain.min() < -4
    assert gain.max() > 4


def test_noise_is_a_part_of_the_level_of_the_chunk():
    x = tone() * np.array([1, 10] * 25, "float32")[:, None, None]
    added = (varied(x, noise=0.1) - x).std(axis=(1, 2)) / x.std(axis=(1, 2))
    assert 0.08 < added.max() < 0.105
    assert added.min() < 0.03


def test_chunks_are_turned_upside_down_with_the_probability_given():
    x = tone()
    y = varied(x, invert=0.3)
    is_turned = (y == -x).all(axis=(1, 2))
    assert ((y == x).all(axis=(1, 2)) | is_turned).all()
    assert 0.1 < is_turned.mean() < 0.5


def test_frequencies_move_by_the_same_number_of_hz():
    x = tone(hz=200)
    y = varied(x, frequency_shift_hz=50)
    peaks = np.abs(np.fft.rfft(y[:, :, 0], axis=1)).argmax(axis=1)  # 1 Hz a bin
    assert peaks.min() < 170
    assert peaks.max() > 230
    assert peaks.min() >= 149
    assert peaks.max() <= 251
    np.testing.assert_allclose(y.std(axis=1), x.std(axis=1), rtol=0.1)


def test_dropped_channels_are_silent_and_one_stays():
    y = varied(tone(channels=3), channel_drop=0.9)
    silent = (y == 0).all(axis=1)
    assert silent.sum(axis=1).max() == 2
    assert silent.any(axis=0).all()


def test_time_shifts_move_the_place_a_chunk_is_taken_from():
    options = AugmentOptions(time_shift_seconds=0.05)
    starts = np.full(500, 1000)
    shifted = shift_starts(starts, options, RATE, np.random.default_rng(0)) - starts
    assert (shifted.min(), shifted.max()) == (-50, 50)


def test_the_same_seed_varies_in_the_same_way():
    x, options = tone(), {"gain_db": 6, "noise": 0.1, "frequency_shift_hz": 20}
    np.testing.assert_array_equal(varied(x, 1, **options), varied(x, 1, **options))
    assert (varied(x, 1, **options) != varied(x, 2, **options)).any()
    np.testing.assert_array_equal(x, tone())


def test_they_are_declared_in_yaml_as_a_file_as_text_or_as_a_mapping(tmp_path):
    (tmp_path / "a.yaml").write_text("gain_db: 6\nnoise: 0.1\n")
    for given in (tmp_path / "a.yaml", "{gain_db: 6, noise: 0.1}", {"gain_db": 6, "noise": 0.1}):
        options = TrainOptions.checked({"data_dir": "x", "augmentations": given})
        assert options.augmentations == AugmentOptions(gain_db=6, noise=0.1)
        words = options.to_switches(["augmentations"])
        again = TrainOptions.checked({"data_dir": "x", "augmentations": words[1]})
        assert again.augmentations == options.augmentations


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{gain: 6}", "augmentations: gain: there is no such option; did you mean gain_db"),
        ("{noise: -1}", "augmentations: noise: -1"),
        ("nowhere.yaml", "augmentations: nowhere.yaml: there is no such file"),
        ("{gain_db: [}", "cannot be read as YAML"),
    ],
)
def test_what_cannot_be_read_is_an_error(given, message):
    with pytest.raises(DssError, match=message):
        TrainOptions.checked({"data_dir": "x", "augmentations": given})


def test_what_the_recordings_cannot_give_is_an_error():
    with pytest.raises(DssError, match="channel_drop: the recordings have one channel"):
        check_augmentations(AugmentOptions(channel_drop=0.5), 1, RATE)
    with pytest.raises(DssError, match="frequency_shift_hz: 600 Hz would move all sound"):
        check_augmentations(AugmentOptions(frequency_shift_hz=600), 2, RATE)


def with_background(x, y, weight, share=1.0, seed=0):
    rng = np.random.default_rng(seed)
    return add_background(x, y, weight, AugmentOptions(background=share), RATE, rng)


def two_halves(n_chunks=40):
    """Chunks with song (100 Hz) in the first half, and something else (30 Hz) in the second."""
    x = np.concatenate([tone(100, n_chunks, seconds=0.5), tone(30, n_chunks, seconds=0.5)], axis=1)
    y = np.zeros((n_chunks, 1000, 2), "uint8")
    y[:, :500, 1], y[:, 500:, 0] = 1, 1
    return x, y, np.ones((n_chunks, 1000), "float32")


def test_what_is_added_as_background_is_no_song():
    x, y, weight = two_halves()
    added = with_background(x, y, weight) - x
    power = np.abs(np.fft.rfft(added[:, :, 0], axis=1)) ** 2
    assert power[:, 30].min() > 100 * power[:, 100].max()
    level = np.abs(added).max(axis=(1, 2))
    assert 0.2 < level.min() < 0.6
    assert 1.2 < level.max() <= 2.01


def test_background_is_added_to_some_chunks_and_never_what_is_not_known():
    x, y, weight = two_halves()
    changed = (with_background(x, y, weight, share=0.5) != x).any(axis=(1, 2))
    assert 0.2 < changed.mean() < 0.8
    np.testing.assert_array_equal(with_background(x, y, weight * y[:, :, 1]), x)
    np.testing.assert_array_equal(with_background(x, y, weight, share=0), x)
