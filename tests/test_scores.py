import numpy as np
import pandas as pd
import pytest
import soundfile

from dss.data import write_annotations
from dss.errors import DssError
from dss.evaluate import precision_recall, timing_errors
from dss.plot import plot_errors, plot_mistakes, plot_precision_recall


def song(rows, **columns):
    return pd.DataFrame(rows, columns=["name", "start_seconds", "stop_seconds"]).assign(**columns)


TRUE = song([("a", 0.5, 0.6), ("a", 1.5, 1.6), ("p", 2, 2), ("p", 2.5, 2.5)])
FOUND = song(
    [("a", 0.502, 0.598), ("a", 1.5, 1.601), ("a", 1.0, 1.1), ("p", 2.001, 2.001)],
    confidence=[0.9, 0.8, 0.6, 0.4],
)


def test_a_higher_threshold_leaves_the_sure_ones():
    table = precision_recall(TRUE, FOUND).set_index(["song_type", "threshold"])
    assert table.loc[("a", 0.5), "precision"] == pytest.approx(2 / 3)
    assert table.loc[("a", 0.7), ["precision", "recall"]].tolist() == [1, 1]
    assert table.loc[("a", 0.85), "recall"] == 0.5
    assert table.loc[("all", 0.3), "recall"] == 0.75
    with pytest.raises(DssError, match="no column confidence"):
        precision_recall(TRUE, TRUE)


def test_errors_are_predicted_minus_true():
    table = timing_errors(TRUE, FOUND)
    assert table["name"].tolist() == ["a", "a", "p"]
    np.testing.assert_allclose(table["onset_error_ms"], [2, 0, 1], atol=1e-9)
    np.testing.assert_allclose(table["offset_error_ms"], [-2, 1, np.nan], atol=1e-9)
    assert timing_errors(TRUE, FOUND[:0]).empty


def test_the_curve_shows_each_song_type_and_its_best_threshold():
    figure = plot_precision_recall(TRUE, FOUND)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[0] == "a: 1.000 at 0.61"
    assert labels[1] == "p: 0.667, none left out"
    assert [label.split(":")[0] for label in labels] == ["a", "p", "all"]


def test_error_histograms_hold_every_match():
    figure = plot_errors(TRUE, FOUND)
    titles = [axis.get_title("left") for axis in figure.axes]
    assert titles[0].startswith("a\nn = 2")
    assert titles[1].startswith("p\nn = 1")
    heights = [sum(bar.get_height() for bar in axis.patches) for axis in figure.axes]
    assert heights[:2] == [2, 1]
    assert "No annotation is correct" in plot_errors(TRUE, FOUND[:0]).get_suptitle()


def test_the_worst_mistakes_are_shown_with_the_sound(tmp_path):
    path = tmp_path / "bird_annotations.csv"
    write_annotations(TRUE, path)
    with pytest.raises(DssError, match="there is no recording next to it"):
        plot_mistakes(path, FOUND)
    soundfile.write(tmp_path / "bird.wav", np.random.default_rng(0).normal(size=8000) / 10, 2000)
    figure = plot_mistakes(path, FOUND)
    titles = [axis.get_title("left") for box in figure.subfigs for axis in box.axes]
    assert [title for title in titles if title] == [
        "bird.wav, 0:01.000\na false positive, confidence 0.60",
        "bird.wav, 0:02.500\np missed",
    ]
    absent = pd.DataFrame([["not_a", 0.9, 1.3]], columns=TRUE.columns)
    figure = plot_mistakes(pd.concat([TRUE, absent]), FOUND, [tmp_path / "bird.wav"])
    assert "not_a" in [text.get_text() for text in figure.legends[0].get_texts()]
    with pytest.raises(DssError, match="There are no mistakes"):
        plot_mistakes(path, TRUE)
    (tmp_path / "bird.wav").rename(tmp_path / "bird.WAV")
    (axis, *_), *_ = (box.axes for box in plot_mistakes(path, FOUND).subfigs)
    assert axis.get_title("left").startswith("bird.WAV")
