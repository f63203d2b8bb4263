import numpy as np
import pytest
import zarr
from conftest import TINY, write_recording

from dss import models
from dss.data import make_dataset
from dss.errors import DssError
from dss.options import TrainOptions
from dss.support.units import readable
from dss.train import suggest
from dss.train.presets import PRESETS
from dss.train.suggestions import complete


def recording_with(
    folder, samplerate, hz, seconds, song_seconds=0.06, event=False, seed=0, every=0.3, n_types=1
):
    """Tones (or pulses) at a frequency every so many seconds over soft noise."""
    rng = np.random.default_rng(seed)
    x = 0.01 * rng.standard_normal((round(seconds * samplerate), 1))
    rows = []
    for start in np.arange(0.2, seconds - 2 * every, every):
        n = round(song_seconds * samplerate)
        first = round(start * samplerate)
        tone = np.sin(2 * np.pi * hz * np.arange(n) / samplerate) * np.hanning(n)
        x[first : first + n, 0] += 0.5 * tone
        stop = start if event else start + song_seconds
        name = "pulse" if event else f"syllable{len(rows) % n_types}"
        rows.append((name, start, stop))
    write_recording(folder, f"r{seed}", x, samplerate, rows)


def dataset(tmp_path, **settings):
    recording_with(tmp_path / "song", **settings)
    return make_dataset(tmp_path / "song", test_fraction=0, event_std_seconds=0.002)


def values(suggestions):
    return {name: suggestion.value for name, suggestion in suggestions.items()}


def test_fly_song_is_worked_on_as_audio(tmp_path):
    store = dataset(tmp_path, samplerate=4000, hz=220, seconds=40, song_seconds=0.012, event=True)
    chosen = suggest(store)
    assert chosen["pre_nb_dft"].value == 0
    assert 0.0005 <= 2 ** chosen["nb_pre_conv"].value / 4000 <= 0.001
    assert "freeze" not in chosen
    assert chosen["pre_background"].value * 2 ** chosen["nb_pre_conv"].value == 200  # 50 ms
    assert "4 kHz" in chosen["nb_pre_conv"].reason
    assert all(suggestion.reason for suggestion in chosen.values())
    models.check(TrainOptions(data_dir=store, **values(chosen)))
    by_sample = suggest(store, {"nb_pre_conv": 0})
    models.check(TrainOptions(data_dir=store, nb_pre_conv=0, **values(by_sample)))
    assert by_sample["kernel_size"].value == 16  # 4 ms: one cycle of 220 Hz
    assert not {"pre_nb_dft", "dilations", "freeze"} & by_sample.keys()
    assert suggest(store, {"model_name": "das_tcn"})["nb_pre_conv"].value == 0


@pytest.mark.parametrize(("samplerate", "hz"), [(22050, 3000), (44100, 4000), (250_000, 70_000)])
def test_birdsong_and_ultrasound_are_downsampled_to_frames_of_about_a_millisecond(
    tmp_path, samplerate, hz
):
    store = dataset(tmp_path, samplerate=samplerate, hz=hz, seconds=8)
    chosen = values(suggest(store))
    assert 0.0005 < 2 ** chosen["nb_pre_conv"] / samplerate < 0.002
    assert chosen["pre_nb_dft"] >= 2 * 2 ** chosen["nb_pre_conv"]
    frame_seconds = 2 ** chosen["nb_pre_conv"] / samplerate
    np.testing.assert_allclose(chosen["pre_background"] * frame_seconds, 0.5, rtol=0.01)
    assert chosen["pre_relative_floor"] == 0.3
    assert "pre_relative_floor" not in suggest(store, {"pre_background": 0})
    by_sample = suggest(store, {"nb_pre_conv": 0})
    models.check(TrainOptions(data_dir=store, nb_pre_conv=0, **values(by_sample)))
    reason = suggest(store)["nb_pre_conv"].reason
    assert f"{hz / 1000:.0f}"[:1] in reason
    models.check(TrainOptions(data_dir=store, **chosen))


def test_the_network_sees_the_frequencies_of_the_song(tmp_path):
    store = dataset(tmp_path, samplerate=44100, hz=4000, seconds=8)
    chosen = suggest(store)
    first, last = np.array(chosen["pre_bins"].value) * 44100 / chosen["pre_nb_dft"].value
    assert first == 0
    assert 8000 <= last <= 9000
    ultrasound = suggest(dataset(tmp_path / "mouse", samplerate=250_000, hz=70_000, seconds=8))
    first = ultrasound["pre_bins"].value[0] * 250_000 / ultrasound["pre_nb_dft"].value
    assert 30_000 <= first <= 35_000
    assert "an octave beyond the song" in chosen["pre_bins"].reason
    high = suggest(store, {"nb_pre_conv": 5, "pre_nb_dft": 8})["pre_bins"].value
    assert high == [0, 4]  # all there are


def test_soft_song_is_seen_although_loud_rumble_comes_with_it(tmp_path):
    import scipy.signal

    rate, rng = 32000, np.random.default_rng(0)
    rumble = scipy.signal.sosfilt(
        scipy.signal.butter(4, 500, fs=rate, output="sos"), rng.standard_normal(20 * rate)
    )
    seconds = np.arange(len(rumble)) / rate
    rows = [("a", start, start + 0.05) for start in np.arange(0.2, 19, 0.3)]
    x = 1e-4 * rng.standard_normal(len(rumble))
    for _, start, stop in rows:
        is_song = (seconds >= start) & (seconds < stop)
        x += is_song * (1e-3 * np.sin(2 * np.pi * 9000 * seconds) + rng.gamma(0.3) * rumble)
    x += 0.2 * rumble
    write_recording(tmp_path / "song", "r", x[:, None], rate, rows)
    chosen = values(suggest(make_dataset(tmp_path / "song", test_fraction=0)))
    assert chosen["pre_bins"][1] * rate / chosen["pre_nb_dft"] > 9500


def test_low_song_gets_a_longer_window(tmp_path):
    chosen = [
        values(suggest(dataset(tmp_path / f"{hz}", samplerate=16000, hz=hz, seconds=8)))
        for hz in (600, 6000)
    ]
    assert [c["pre_nb_dft"] for c in chosen] == [256, 128]


def test_at_8_khz_pulses_are_worked_on_as_audio_and_calls_as_a_spectrogram(tmp_path):
    for event in (True, False):
        store = dataset(
            tmp_path / f"{event}",
            samplerate=8000,
            hz=600,
            seconds=20,
            song_seconds=0.012 if event else 0.1,
            event=event,
        )
        chosen = values(suggest(store))
        assert (chosen["pre_nb_dft"] == 0) == event
        models.check(TrainOptions(data_dir=store, **chosen))


def test_short_syllables_are_seen_in_shorter_frames_and_windows(tmp_path):
    frames, windows = [], []
    for song_seconds in (0.004, 0.04):
        song = {"samplerate": 44100, "hz": 4000, "seconds": 8, "song_seconds": song_seconds}
        store = dataset(tmp_path / str(song_seconds), **song)
        chosen = values(suggest(store))
        frames.append(2 ** chosen["nb_pre_conv"] / 44100)
        windows.append(chosen["pre_nb_dft"] / 44100)
    assert frames == pytest.approx([0.00025, 0.001], rel=0.5)
    assert windows == pytest.approx([0.0015, 0.006], rel=0.1)


def test_all_that_is_seen_of_slow_low_song_takes_longer(tmp_path):
    chosen = {}
    for what, hz, song_seconds in (("slow", 100, 1.5), ("short", 100, 0.1), ("high", 8000, 1.5)):
        song = {"hz": hz, "seconds": 60, "song_seconds": song_seconds, "every": 2 * song_seconds}
        song["n_types"] = 2
        rate = 1000 if hz == 100 else 22050
        store = dataset(tmp_path / what, samplerate=rate, **song)
        options = TrainOptions(data_dir=store, **values(suggest(store)))
        models.check(options)
        frame = 2**options.nb_pre_conv / rate
        seconds = options.pre_nb_dft / rate, options.pre_background * frame
        chosen[what] = [frame, *seconds, models.receptive_field(options) / rate]
    assert chosen["short"] == pytest.approx([0.002, 0.016, 0.5, 0.9], rel=0.3)
    assert chosen["high"] == pytest.approx([0.0015, 0.0058, 4.0, 1.0], rel=0.3)
    assert chosen["slow"] == pytest.approx([0.016, 0.128, 5.0, 10.0], rel=0.3)


@pytest.mark.parametrize("samplerate", [22050, 44100])
def test_a_chunk_holds_all_that_is_seen(tmp_path, samplerate):
    song = {"hz": 3000, "seconds": 8, "song_seconds": 0.2, "n_types": 2}
    store = dataset(tmp_path, samplerate=samplerate, **song)
    options = TrainOptions(data_dir=store, **values(suggest(store)))
    assert models.receptive_field(options) <= options.nb_hist


def test_long_syllables_are_seen_in_a_longer_context(tmp_path):
    reaches = []
    for song_seconds in (0.03, 0.08):
        folder = tmp_path / str(song_seconds)
        song = {"samplerate": 22050, "hz": 3000, "seconds": 8, "song_seconds": song_seconds}
        store = dataset(folder, **song, n_types=2)
        options = TrainOptions(data_dir=store, **values(suggest(store)))
        assert np.all(np.diff(options.dilations) > 0)
        reaches.append(models.receptive_field(options) / 22050)
        assert f"receptive field {readable(reaches[-1])}:" in suggest(store)["dilations"].reason
    np.testing.assert_allclose(reaches, [0.5, 0.8], rtol=0.1)


def test_one_song_type_is_seen_in_a_short_context(tmp_path):
    store = dataset(tmp_path, samplerate=22050, hz=3000, seconds=8)
    chosen = suggest(store)
    options = TrainOptions(data_dir=store, **values(chosen))
    np.testing.assert_allclose(models.receptive_field(options) / 22050, 0.25, rtol=0.1)
    assert "song from noise" in chosen["dilations"].reason


def test_the_less_song_there_is_the_more_networks_learn_it(tmp_path):
    n_members = {}
    for n_types, seconds, song_seconds in [
        *((1, 100, song_seconds) for song_seconds in (0.06, 0.2)),
        *((2, seconds, 0.06) for seconds in (50, 100)),
        (1, 500, 0.01),
    ]:
        which = n_types, seconds, song_seconds
        audio = {"samplerate": 8000, "hz": 2000, "seconds": seconds, "n_types": n_types}
        store = dataset(tmp_path / f"{which}", song_seconds=song_seconds, **audio)
        chosen = suggest(store).get("nb_members")
        n_members[which] = chosen.value if chosen else 1
    assert n_members == {
        (1, 100, 0.06): 3,  # 16 s of song in the training split
        (1, 100, 0.2): 2,  # 53 s
        (2, 50, 0.06): 2,
        (2, 100, 0.06): 1,
        (1, 500, 0.01): 1,  # each would take long
    }
    assert "nb_members" not in suggest(store, {"model_name": "das_tcn"})


def test_what_is_given_stays_and_the_rest_goes_with_it(tmp_path):
    store = dataset(tmp_path, samplerate=8000, hz=500, seconds=200)
    free, tied = values(suggest(store)), values(suggest(store, {"nb_hist": 65536}))
    assert "nb_hist" not in tied
    assert tied["batch_size"] < free["batch_size"]
    options, reasons = complete(
        TrainOptions(data_dir=store, auto=True, kernel_size=5, nb_epoch=400)
    )
    assert (options.kernel_size, options.nb_epoch) == (5, 400)
    assert not {"kernel_size", "nb_epoch"} & reasons.keys()
    assert not options.auto  # nothing is left to be chosen: the options repeat the run


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_fit_a_network_and_leave_what_is_given(preset):
    options, reasons = complete(TrainOptions(data_dir="x", preset=preset, nb_filters=7))
    models.check(options)
    assert options.nb_filters == 7
    assert options.nb_hist == PRESETS[preset]["nb_hist"]
    assert f"preset {preset}" in reasons["nb_hist"]
    assert options.nb_hist > models.receptive_field(options)


def test_a_preset_without_its_frontend_has_no_spectrogram_to_freeze():
    with_it, without = (
        complete(TrainOptions(data_dir="x", preset="mouse", **given))[0]
        for given in ({}, {"nb_pre_conv": 0})
    )
    assert (with_it.freeze, without.freeze) == (["spectrogram"], [])


def test_a_preset_goes_before_the_data(tmp_path):
    store = dataset(tmp_path, samplerate=4000, hz=220, seconds=10)
    options, _ = complete(TrainOptions(data_dir=store, auto=True, preset="songbird"))
    assert options.nb_pre_conv == 5


def test_training_with_auto_says_why(tmp_path, tiny_run, capsys):
    import yaml

    from dss.runs import run_file
    from dss.train import train

    given = {name: TINY[name] for name in ("nb_filters", "nb_conv", "dilations")}
    trunk = train(data_dir=tiny_run[1], save_dir=tmp_path, auto=True, nb_epoch=1, **given)
    params = yaml.safe_load(run_file(trunk, "_params.yaml").read_text())
    assert params["chosen"]["kernel_size"] in capsys.readouterr().err
    assert params["auto"] is False
    assert not given.keys() & params["chosen"].keys()


def test_a_dataset_without_song_is_an_error(tmp_path):
    store = dataset(tmp_path, samplerate=4000, hz=220, seconds=10)
    y = np.load(store / "train" / "y.npy")
    y[:] = [1, 0]
    np.save(store / "train" / "y.npy", y)
    with pytest.raises(DssError, match="the train split has no song"):
        suggest(store)


def test_audio_that_is_not_numbers_cannot_be_suggested_for(folder, tmp_path):
    store = make_dataset(folder, store_dir=tmp_path / "song.npy")
    x = np.load(store / "train" / "x.npy")
    np.save(store / "train" / "x.npy", np.full_like(x, np.nan))
    with pytest.raises(DssError, match="Nothing can be suggested: the audio contains NaN"):
        suggest(store)


@pytest.mark.parametrize("ending", [".npy", ".zarr"])
def test_targets_that_are_not_numbers_are_damaged(folder, tmp_path, ending):
    store = make_dataset(folder, store_dir=tmp_path / f"song{ending}")
    if ending == ".zarr":
        zarr.open(store)["train/y"][:] = np.nan
    else:
        y = np.load(store / "train" / "y.npy")
        np.save(store / "train" / "y.npy", np.full_like(y, np.nan))
    with pytest.raises(DssError, match=rf"song{ending}.*some targets are not numbers"):
        suggest(store)
