import dataclasses
import functools
import gc
import shutil
import weakref

import numpy as np
import pandas as pd
import pytest
import soundfile
import zarr
from conftest import tone_song, write_recording

from dss.cli import main
from dss.data import make_dataset, open_dataset, read_annotations
from dss.errors import DssError, DssWarning
from dss.evaluate import evaluate
from dss.predict import Stream, predict, predict_files, probabilities
from dss.predict.stored_probabilities import probabilities_path, stored_probabilities
from dss.runs import load_run
from dss.support.progress import Stopped, bar, shown_by


@pytest.fixture(scope="module")
def run(tiny_run):
    return load_run(tiny_run[0])


@pytest.fixture
def recordings(tmp_path):
    """Two recordings that the tiny network has not seen, one of them in a subfolder."""
    for i, name in enumerate(("new", "day/2")):
        x, rows = tone_song(seed=100 + i, seconds=5)
        write_recording((tmp_path / "songs" / name).parent, name.split("/")[-1], x, 1000, rows)
    return tmp_path / "songs"


def assert_song_is_found(recordings, found):
    scores = evaluate(recordings / "new_annotations.csv", found, tolerance_seconds=0.015)
    assert (scores["f1"] > 0.8).all()


def test_song_is_found_in_a_new_recording(run, recordings):
    assert_song_is_found(recordings, predict(recordings / "new.wav", run))


def test_a_file_and_an_array_give_the_same(run, recordings):
    x, _ = soundfile.read(recordings / "new.wav", dtype="float32")
    pd.testing.assert_frame_equal(predict(recordings / "new.wav", run), predict(x, run))


def test_integers_are_scaled_as_those_of_files_are(run, recordings):
    x, _ = soundfile.read(recordings / "new.wav", dtype="int16")
    expected = predict(recordings / "new.wav", run)
    pd.testing.assert_frame_equal(predict(x, run), expected)
    stream = Stream(run)
    live = [stream.add(x[start : start + 700]) for start in range(0, len(x), 700)]
    live = pd.concat([*live, stream.add(x[:0]), stream.end()])
    live = live.sort_values("start_seconds", ignore_index=True)
    pd.testing.assert_frame_equal(live, expected, atol=1e-5)
    for wrong in (x.astype(np.int64), x > 0, np.zeros((5, 1, 1))):
        with pytest.raises(DssError, match=r"the array: is .* should be \[samples, channels\]"):
            predict(wrong, run)
        with pytest.raises(DssError, match="the block: is "):
            stream.add(wrong)


def test_a_npy_file_has_the_sample_rate_of_the_network_or_what_is_given(run, recordings, tmp_path):
    from dss.data.recordings import open_recording

    expected = predict(recordings / "new.wav", run)
    opened = open_recording(recordings / "new.wav")
    np.save(recordings / "slow.npy", opened.read())
    np.save(recordings / "fast.npy", opened.resampled(2000).read())
    pd.testing.assert_frame_equal(predict(recordings / "slow.npy", run), expected)
    fast = predict(recordings / "fast.npy", run, samplerate_hz=2000)
    assert fast["name"].tolist() == expected["name"].tolist()
    times = ["start_seconds", "stop_seconds"]
    np.testing.assert_allclose(fast[times], expected[times], atol=0.01)
    pattern, out = recordings / "*s*.npy", tmp_path / "out"  # fast and slow
    assert len(predict_files(pattern, run, save_dir=out, samplerate_hz=2000)) == 2
    pd.testing.assert_frame_equal(
        read_annotations(out / "fast_annotations.csv").reset_index(drop=True), fast, atol=1e-6
    )
    how = {"save_dir": out, "samplerate_hz": 2000}  # which the formats state, not the network's
    (selections,) = predict_files(recordings / "fast.npy", run, format="raven", **how)
    assert "\t0.0\t1000.0\t" in selections.read_text()
    (layer,) = predict_files(recordings / "fast.npy", run, format="svl", **how)
    assert 'sampleRate="2000"' in layer.read_text()


def test_what_a_loader_reads_is_annotated(run, recordings, tmp_path):
    def load(path):
        return soundfile.read(path.with_suffix(".wav"))[::-1]

    (recordings / "new.mat").write_text("what only the loader understands")
    expected = predict(recordings / "new.wav", run)
    pd.testing.assert_frame_equal(predict(recordings / "new.mat", run, loader=load), expected)
    written = predict_files(
        recordings, run, loader=load, endings=[".mat"], save_dir=tmp_path / "out"
    )
    assert written == [tmp_path / "out/new_annotations.csv"]
    again = read_annotations(written[0]).reset_index(drop=True)
    pd.testing.assert_frame_equal(again, expected, atol=1e-6)
    with pytest.raises(DssError, match=r"new\.mat: the loader failed"):
        predict(recordings / "new.mat", run, loader=lambda path: 1 / 0)


def test_a_pattern_takes_recordings_and_folders_of_them(run, recordings, tmp_path):
    (recordings / "notes").mkdir()
    (recordings / "notes/day.txt").write_text("windy")
    np.save(recordings / "table.npy", np.zeros(5))
    written = predict_files(recordings / "*", run, save_dir=tmp_path / "out")
    assert written == [tmp_path / f"out/{stem}_annotations.csv" for stem in ("day/2", "new")]
    with pytest.raises(DssError, match="no file matches this pattern"):
        predict_files(recordings / "notes/*", run)


@pytest.mark.parametrize("n", [1, 100, 5000])
def test_every_sample_gets_a_prediction_whatever_the_batch_size(run, recordings, n):
    x, _ = soundfile.read(recordings / "new.wav", dtype="float32")
    p = [probabilities(x[:n], run, batch_size=size) for size in (1, 7, 32)]
    assert p[0].shape == (n, 4)
    np.testing.assert_allclose(p[0].sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(p[1], p[0], atol=1e-5)
    np.testing.assert_allclose(p[2], p[0], atol=1e-5)


def test_a_folder_is_annotated_file_by_file(tiny_run, recordings, tmp_path):
    written = predict_files(recordings, tiny_run[0], save_dir=tmp_path / "out")
    names = [path.relative_to(tmp_path / "out").as_posix() for path in written]
    assert names == ["day/2_annotations.csv", "new_annotations.csv"]
    again = read_annotations(written[1]).reset_index(drop=True)
    pd.testing.assert_frame_equal(again, predict(recordings / "new.wav", tiny_run[0]), atol=1e-6)


def test_a_folder_a_pattern_and_its_files_give_the_same(run, recordings):
    whole = predict(recordings, run)
    assert set(whole["recording"]) == {str(recordings / "day/2.wav"), str(recordings / "new.wav")}
    pd.testing.assert_frame_equal(predict(f"{recordings}/**/*.wav", run), whole)
    one = whole[whole["recording"] == str(recordings / "new.wav")].drop(columns="recording")
    pd.testing.assert_frame_equal(one.reset_index(drop=True), predict(recordings / "new.wav", run))
    with pytest.raises(DssError, match="no file matches this pattern"):
        predict(recordings / "*.flac", run)


def test_a_pattern_keeps_the_folders_below_it(run, recordings, tmp_path):
    written = predict_files(f"{recordings}/*/*.wav", run, save_dir=tmp_path / "out")
    assert written == [tmp_path / "out/day/2_annotations.csv"]


def test_annotations_that_are_there_stay_unless_asked(run, recordings, capsys):
    before = (recordings / "new_annotations.csv").read_text()
    with pytest.raises(DssError, match="already exist"):
        predict_files(recordings, run, existing="error")
    assert predict_files(recordings, run) == []
    assert "skipped 2 of 2 recordings, which already have annotations" in capsys.readouterr().err
    assert (recordings / "new_annotations.csv").read_text() == before
    (recordings / "day/2_annotations.csv").unlink()
    assert predict_files(recordings, run) == [recordings / "day/2_annotations.csv"]
    with pytest.raises(DssError, match="You made or changed"):
        predict_files(recordings / "new.wav", run, existing="overwrite")
    assert (recordings / "new_annotations.csv").read_text() == before
    by_dss = (recordings / "day/2_annotations.csv").read_text()
    predict_files(recordings / "day", run, existing="overwrite", event_threshold=0.999)
    assert (recordings / "day/2_annotations.csv").read_text() != by_dss


def test_another_sample_rate_is_resampled(run, recordings):
    from dss.data.recordings import open_recording

    x = open_recording(recordings / "new.wav").resampled(2500).read()
    soundfile.write(recordings / "fast.wav", x, 2500, subtype="FLOAT")
    assert_song_is_found(recordings, predict(recordings / "fast.wav", run))


def test_another_number_of_channels_is_an_error_unless_one_is_picked(run, recordings):
    x, _rate = soundfile.read(recordings / "new.wav", dtype="float32")
    two = np.stack([np.zeros_like(x), x], axis=1)
    with pytest.raises(DssError, match=r"has 2 channels, .* trained with 1 channel\. Pick one"):
        predict(two, run)
    pd.testing.assert_frame_equal(predict(two, run, channel=1), predict(x, run))
    assert len(predict(two, run, channel=0)) == 0
    with pytest.raises(DssError, match="there is no channel 2; it has the channels 0 to 1"):
        predict(two, run, channel=2)
    mean = predict(two, run, mix=True)
    pd.testing.assert_frame_equal(mean, predict(x / 2, run))
    with pytest.raises(DssError, match="channel, mix: give only one of these"):
        predict(two, run, channel=0, mix=True)
    same = np.stack([x, x], 1)
    with pytest.warns(DssWarning, match="has 2 identical channels; one is used"):
        pd.testing.assert_frame_equal(predict(same, run), predict(x, run))


def test_a_truncated_recording_is_annotated_and_said_once_unless_it_is_strict(
    tiny_run, recordings, tmp_path, capsys
):
    path = recordings / "new.wav"
    path.write_bytes(path.read_bytes()[:-2000])
    command = ["predict", str(path), str(tiny_run[0]), "--save-dir", str(tmp_path / "out")]
    assert main([*command, "--strict"]) == 2
    assert "1 s are missing; the rest was read; this is not fixed" in capsys.readouterr().err
    assert main(command) == 0
    assert capsys.readouterr().err.count("1 s are missing") == 1
    assert len(read_annotations(tmp_path / "out" / "new_annotations.csv"))


def test_a_broken_recording_does_not_stop_the_others(run, recordings, tmp_path):
    (recordings / "broken.wav").write_bytes(b"RIFF")
    flac = recordings / "cut.flac"  # is read as far as it goes
    soundfile.write(flac, np.random.default_rng(0).uniform(-1, 1, 50000), 1000)
    flac.write_bytes(flac.read_bytes()[:20000])
    with pytest.raises(DssError, match=r"1 of 4 recordings could not(.|\n)*broken"):
        predict_files(recordings, run, save_dir=tmp_path / "out")
    written = sorted(p.relative_to(tmp_path / "out").as_posix() for p in _files(tmp_path / "out"))
    assert written == [
        ".dss_written",
        "cut_annotations.csv",
        "day/.dss_written",
        "day/2_annotations.csv",
        "new_annotations.csv",
    ]


def test_the_command_exits_with_2_after_a_broken_recording(tiny_run, recordings, tmp_path, capsys):
    (recordings / "broken.wav").write_bytes(b"RIFF")
    out = tmp_path / "out"
    words = ["predict", str(recordings), str(tiny_run[0]), "--save-dir", str(out)]
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out.split() == [
        f"{out}/day/2_annotations.csv",
        f"{out}/new_annotations.csv",
    ]
    assert "broken.wav: " in captured.err
    assert "100% done, 0:00:00 left" in captured.err


def test_a_long_recording_tells_a_log_how_far_it_is(run, recordings, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("dss.predict.files.TOLD_SECONDS", 0)
    predict_files(recordings / "new.wav", run, save_dir=tmp_path, batch_size=1)
    lines = [line for line in capsys.readouterr().err.splitlines() if "done" in line]
    assert len(lines) > 5
    assert lines[-1] == "100% done, 0:00:00 left"


def test_ctrl_c_leaves_finished_files_and_no_half_written_one(run, recordings, tmp_path):
    def stop_after_the_first(path):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_files(
            recordings,
            run,
            after_each=stop_after_the_first,
            probabilities=True,
            save_dir=tmp_path / "out",
        )
    assert {p.name for p in (tmp_path / "out/day").iterdir()} == {
        ".dss_written",
        "2_annotations.csv",
        "2_probabilities.zarr",
    }
    assert not (tmp_path / "out/new_annotations.csv").exists()
    rest = predict_files(recordings, run, save_dir=tmp_path / "out")
    assert rest == [tmp_path / "out/new_annotations.csv"]


def test_probabilities_of_another_annotation_do_not_stay(run, recordings, tmp_path):
    how = {"save_dir": tmp_path / "out", "existing": "overwrite"}
    file, *_ = predict_files(recordings, run, probabilities=True, **how)
    assert probabilities_path(file).is_dir()
    predict_files(recordings, run, **how)
    assert not probabilities_path(file).exists()


def test_work_that_is_stopped_leaves_finished_files_and_no_half_written_one(
    run, recordings, tmp_path, monkeypatch
):
    at_once = functools.partial(bar, mininterval=0, miniters=0)
    monkeypatch.setattr("dss.predict.files.bar", at_once)
    out = tmp_path / "out"

    def stop(what, done, total):
        if (out / "day/2_annotations.csv").exists():
            raise Stopped

    with shown_by(stop), pytest.raises(Stopped):
        predict_files(recordings, run, save_dir=out, probabilities=True, batch_size=1)
    names = {path.relative_to(out).as_posix() for path in _files(out)}
    assert {name for name in names if ".zarr/" not in name} == {
        "day/.dss_written",
        "day/2_annotations.csv",
    }
    assert not any(name.startswith(("new", ".new")) for name in names)


def test_probabilities_are_written_with_their_names(run, recordings, tmp_path):
    wav = recordings / "new.wav"
    predict_files(wav, run, save_dir=tmp_path, probabilities=True, batch_size=3)
    array = zarr.open_array(tmp_path / "new_probabilities.zarr", mode="r")
    assert array.attrs["class_names"] == ["noise", "a", "b", "p"]
    assert array.attrs["samplerate_hz"] == 1000
    np.testing.assert_allclose(array[:], probabilities(wav, run), atol=1e-3)


def test_probabilities_that_are_not_all_there_are_damaged(tmp_path):
    annotations = tmp_path / "new_annotations.csv"
    array = zarr.create_array(
        str(probabilities_path(annotations)),
        shape=(10**12, 2),
        chunks=(1000, 2),
        dtype="float16",
        attributes={"samplerate_hz": 1000, "class_names": ["noise", "a"]},
    )
    array[:1000] = 0.5
    with pytest.raises(DssError, match="1 of 1000000000 chunks exist"):
        stored_probabilities(annotations)
    array.attrs["samplerate_hz"] = 10**30
    with pytest.raises(DssError, match="cannot be read"):
        stored_probabilities(annotations)


def test_proposals_are_marked(run, recordings, tmp_path):
    (written,) = predict_files(recordings / "new.wav", run, save_dir=tmp_path, proposals=True)
    assert not read_annotations(written)["confirmed"].any()


@pytest.mark.parametrize(
    ("format", "name"),
    [
        ("audacity", "new_annotations.txt"),
        ("raven", "new_annotations.selections.txt"),
        ("textgrid", "new_annotations.TextGrid"),
        ("svl", "new_annotations.svl"),
        ("elan", "new_annotations.eaf"),
        ("notmat", "new.wav.not.mat"),
    ],
)
def test_other_programs_get_their_formats(run, recordings, tmp_path, format, name):
    wav = recordings / "new.wav"
    atol = 0.51 / soundfile.info(wav).samplerate if format == "svl" else 2e-6  # it counts samples
    assert predict_files(wav, run, save_dir=tmp_path, format=format) == [tmp_path / name]
    columns = ["name", "start_seconds", "stop_seconds"]
    again = read_annotations(tmp_path / name)[columns].sort_values(columns[1:], ignore_index=True)
    pd.testing.assert_frame_equal(again, predict(wav, run)[columns], atol=atol, check_dtype=False)
    with pytest.raises(DssError, match="proposals: the format"):
        predict_files(wav, run, save_dir=tmp_path, format=format, proposals=True)


def test_what_was_annotated_can_be_trained_with(run, recordings):
    """Annotate, correct, train again."""
    for file in recordings.rglob("*_annotations.csv"):
        file.unlink()
    predict_files(recordings, run, proposals=True)
    tree = open_dataset(make_dataset(recordings, val_fraction=0.3, test_fraction=0))
    assert tree.attrs["class_names"] == ["noise", "a", "b", "p"]


def test_what_was_tuned_is_used_unless_something_else_is_given(run, recordings):
    wav = recordings / "new.wav"
    stored = {"options": {"event_threshold": 0.99999, "segment_min_seconds": 0.09}}
    stricter = dataclasses.replace(run, params={**run.params, "detect": stored})
    assert "p" in set(predict(wav, run)["name"])
    tuned = predict(wav, stricter)
    assert "p" not in set(tuned["name"])
    assert (tuned["stop_seconds"] - tuned["start_seconds"]).min() >= 0.09
    assert "p" in set(predict(wav, stricter, event_threshold=0.5)["name"])


def test_options_that_contradict_each_other_are_an_error_before_any_work(run, recordings):
    options = {"segment_threshold": 0.3, "segment_hold_threshold": 0.4}
    for annotate in (predict, predict_files):
        with pytest.raises(DssError, match=r"^segment_hold_threshold .0.4. should not be above"):
            annotate(recordings, run, **options)


def test_a_tuned_hold_threshold_follows_the_threshold(run, recordings, tmp_path):
    stored = run.params["detect"] | {"options": {"segment_hold_threshold": 0.4}}
    held = dataclasses.replace(run, params={**run.params, "detect": stored})
    (file,) = predict_files(recordings / "new.wav", held, save_dir=tmp_path, segment_threshold=0.3)
    expected = predict(recordings / "new.wav", run, segment_threshold=0.3)
    again = read_annotations(file).reset_index(drop=True)
    pd.testing.assert_frame_equal(again, expected, atol=1e-6)


@pytest.mark.parametrize("n", [0, 1, 700, 5000])
@pytest.mark.parametrize("block", [77, 1000])
def test_live_gives_what_the_whole_gives_in_time(run, recordings, n, block):
    x, _ = soundfile.read(recordings / "new.wav", dtype="float32")
    x = x[:n]
    stream = Stream(run, segment_min_seconds=0.03)
    live = []
    for start in range(0, n, block):
        found = stream.add(x[start : start + block])
        now = min(start + block, n) / 1000
        late = stream.delay_seconds + block / 1000
        assert (found["stop_seconds"] > now - late).all()
        live.append(found)
    live = pd.concat([*live, stream.end()]).sort_values("start_seconds", ignore_index=True)
    if n:
        offline = predict(x, run, segment_min_seconds=0.03)
        pd.testing.assert_frame_equal(live, offline, atol=1e-5, check_dtype=False)
    else:
        assert len(live) == 0


def test_live_audio_of_too_many_channels_is_an_error(run):
    with pytest.raises(DssError, match="the block: has 2 channels"):
        Stream(run).add(np.zeros((10, 2)))


def test_two_recordings_of_one_name_are_an_error(run, recordings, tmp_path):
    soundfile.write(recordings / "new.flac", np.zeros(500), 1000)
    with pytest.raises(DssError, match="Recordings with the same name"):
        predict_files(recordings, run, save_dir=tmp_path / "out")


def test_a_run_is_loaded_once_and_again_when_its_files_have_changed(tiny_run, tmp_path):
    from dss.runs import open_run, read_params, run_file, write_params

    trunk = tmp_path / "copy"
    for suffix in ("_params.yaml", "_model.h5"):
        shutil.copy(run_file(tiny_run[0], suffix), run_file(trunk, suffix))
    first = open_run(trunk)
    assert open_run(f"{trunk}_model.h5") is first
    assert first.network(4) is first.network(4)
    write_params(trunk, read_params(trunk) | {"detect": {"options": {"event_threshold": 0.7}}})
    assert open_run(trunk).params["detect"]["options"]["event_threshold"] == 0.7


def test_a_run_that_nobody_uses_any_more_leaves_the_memory(tiny_run):
    run = load_run(tiny_run[0])
    run.network(1)
    alive = weakref.ref(run)
    del run
    gc.collect()
    assert alive() is None


def test_what_is_no_run_is_an_error(recordings):
    with pytest.raises(DssError, match="is not a run: there is no .*_params.yaml"):
        predict(recordings / "new.wav", recordings / "nothing")


def _files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_folder_that_cannot_be_written_is_said_before_the_network_is_loaded(
    tiny_run, recordings, tmp_path, monkeypatch
):
    monkeypatch.setattr("dss.predict.files.open_run", None)
    (tmp_path / "file").touch()
    with pytest.raises(DssError, match="file: is a file, not a folder"):
        predict_files(recordings, tiny_run[0], save_dir=tmp_path / "file" / "sub")
