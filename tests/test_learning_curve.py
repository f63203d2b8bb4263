import numpy as np
import pandas as pd
import pytest
from conftest import TINY, tone_song, write_recording

from dss.data import make_dataset
from dss.errors import DssError
from dss.plot import plot_learning_curve
from dss.train import format_learning_curve, learning_curve
from dss.train.learning_curve import _table, extrapolate

SECONDS = np.array([10.0, 20, 40, 80])


@pytest.mark.parametrize(("slope", "floor"), [(0.5, 0.0), (0.3, 0.02), (0.0, 0.1), (1.0, 0.01)])
def test_a_power_law_is_continued_within_two_hundredths(slope, floor):
    def f1(seconds):
        return 1 - floor - 0.2 * (seconds / 10) ** -slope

    expected = extrapolate(SECONDS, np.tile(f1(SECONDS)[:, None], (1, 400)), 2)
    assert np.median(expected) == pytest.approx(f1(160), abs=0.02)
    low, high = np.quantile(expected, [0.05, 0.95])
    assert low < f1(160) < high


def test_noise_is_not_taken_for_getting_worse():
    f1 = np.tile(np.array([[0.9], [0.7], [0.8], [0.75]]), (1, 400))
    assert np.median(extrapolate(SECONDS, f1, 2)) > 0.72
    perfect = extrapolate(SECONDS, np.ones((4, 400)), 2)
    assert ((perfect > 0.99) & (perfect <= 1)).all()


@pytest.mark.filterwarnings("error")
def test_test_recordings_drawn_without_any_song_count_as_all_of_them():
    f1 = np.full((2, 3, 1), 0.8)
    f1[:, 1] = np.nan
    table = _table(["a"], f1, np.array([[1.0, 1.0], [2.0, 2.0]]), 2, 0)
    assert table.loc[table["is_measured"], "low"].tolist() == pytest.approx([0.8] * 4)


def test_the_sentence_says_what_more_annotations_bring():
    rows = [("s7", 30, 4, 0.95, 0.9, 0.97, True), ("s7", 60, 8, 0.97, 0.96, 0.98, False)]
    columns = ["song_type", "seconds", "song_seconds", "f1", "low", "high", "is_measured"]
    said = format_learning_curve(pd.DataFrame(rows, columns=columns))
    assert said == (
        "30 s more annotations (4 s of *s7*) should raise F1 of *s7* from 0.95 to about 0.97 "
        "(0.96 to 0.98)."
    )


def test_parts_of_a_dataset_are_trained_with_and_judged(tmp_path):
    for i in range(4):
        write_recording(tmp_path / "song", f"x_{i}", *with_rate(tone_song(i, seconds=6)))
    store = make_dataset(tmp_path / "song", event_std_seconds=0.003, test_fraction=0.25)
    table = learning_curve(data_dir=store, nb_epoch=8, parts=[0.25, 0.5, 1], **TINY)
    assert table["song_type"].unique().tolist() == ["all", "a", "b", "p"]
    of_a = table[table["song_type"] == "a"]
    assert of_a["is_measured"].tolist() == [True, True, True, False]
    np.testing.assert_allclose(of_a["seconds"] / of_a["seconds"].iloc[2], [0.25, 0.5, 1, 2], 0.05)
    assert (of_a["low"] <= of_a["high"]).all()
    assert of_a["f1"].iloc[2] > 0.5
    folder = tmp_path / "song.res" / "learning_curve"
    assert len(list(folder.glob("*_percent_*_model.h5"))) == 3
    read = pd.read_csv(folder / "learning_curve.csv")
    assert len(plot_learning_curve(read).axes[0].lines) == 2 * 4


def test_without_a_test_split_nothing_is_trained(tmp_path, folder):
    store = make_dataset(folder, test_fraction=0)
    with pytest.raises(DssError, match="the test split is empty"):
        learning_curve(data_dir=store)
    with pytest.raises(DssError, match="fraction_data"):
        learning_curve(data_dir=store, fraction_data=0.5)
    with pytest.raises(DssError, match=r"parts: .* should be at least 3 values, not 2"):
        learning_curve(data_dir=store, parts=[0.5, 1])
    assert not (tmp_path / "song.res").exists()


def with_rate(song):
    x, rows = song
    return x, 1000, rows
