import numpy as np
import pandas as pd
import pytest
import soundfile
from conftest import tone_song, write_recording

from dss.data import read_annotations
from dss.errors import DssError
from dss.evaluate import evaluate
from dss.predict import predict, predict_files, probabilities
from dss.runs import load_run


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


def test_song_is_found_in_a_new_recording(run, recordings):
    scores = evaluate(
        recordings / "new_annotations.csv",
        predict(recordings / "new.wav", run),
        tolerance_seconds=0.015,
    )
    assert (scores["f1"] > 0.8).all()


def test_a_file_and_an_array_give_the_same(run, recordings):
    x, _ = soundfile.read(recordings / "new.wav", dtype="float32")
    pd.testing.assert_frame_equal(predict(recordings / "new.wav", run), predict(x, run))


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


def test_annotations_that_are_there_stay_unless_asked(run, recordings):
    before = (recordings / "new_annotations.csv").read_text()
    with pytest.raises(DssError, match="are there already"):
        predict_files(recordings, run)
    assert (recordings / "new_annotations.csv").read_text() == before
    predict_files(recordings / "new.wav", run, overwrite=True)
    assert (recordings / "new_annotations.csv").read_text() != before


def test_recordings_that_do_not_fit_are_an_error_before_anything_is_written(
    run, recordings, tmp_path
):
    soundfile.write(recordings / "other.wav", np.zeros(500), 2000)
    with pytest.raises(DssError, match=r"other\.wav: the sample rate is 2000 Hz, but the network"):
        predict_files(recordings, run, save_dir=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    soundfile.write(recordings / "other.wav", np.zeros((500, 2)), 1000)
    with pytest.raises(DssError, match=r"other\.wav: has 2 channels, but the network was trained"):
        predict(recordings / "other.wav", run)


def test_two_recordings_of_one_name_are_an_error(run, recordings, tmp_path):
    soundfile.write(recordings / "new.flac", np.zeros(500), 1000)
    with pytest.raises(DssError, match="Two recordings of one name"):
        predict_files(recordings, run, save_dir=tmp_path / "out")


def test_what_is_no_run_is_an_error(recordings):
    with pytest.raises(DssError, match="is not a run: there is no .*_params.yaml"):
        predict(recordings / "new.wav", recordings / "nothing")
