import numpy as np
import pandas as pd
import pytest

from dss.data import write_annotations
from dss.errors import DssError
from dss.evaluate import evaluate, format_scores


def table(*rows):
    return pd.DataFrame(rows, columns=["name", "start_seconds", "stop_seconds"])


TRUE = table(("a", 0.1, 0.2), ("a", 1.1, 1.2), ("b", 2.1, 2.2), ("noise", 0, 3), ("c", np.nan, 0))


def test_annotations_compared_with_themselves_are_perfect():
    scores = evaluate(TRUE, TRUE)
    assert scores.index.tolist() == ["a", "b", "c", "all"]
    assert scores.loc["all", ["true", "predicted", "matched"]].tolist() == [3, 3, 3]
    assert scores.loc["all", ["precision", "recall", "f1"]].tolist() == [1, 1, 1]
    assert np.isnan(scores.loc["c", "f1"])


def test_onset_and_name_must_be_right():
    predicted = table(("a", 0.104, 0.23), ("b", 1.1, 1.2), ("b", 2.12, 2.2))
    scores = evaluate(TRUE, predicted)
    assert scores["matched"].tolist() == [1, 0, 0, 1]
    assert scores.loc["a", "precision"] == 1
    assert scores.loc["a", "recall"] == 0.5
    assert scores.loc["a", "f1"] == pytest.approx(2 / 3)
    assert scores.loc["a", "onset_error_ms"] == pytest.approx(4)
    assert scores.loc["a", "offset_error_ms"] == pytest.approx(30)
    assert evaluate(TRUE, predicted, tolerance_seconds=0.03).loc["b", "matched"] == 1


def test_each_annotation_is_matched_once_and_as_many_as_possible():
    true = table(("p", 1.000, 1.000), ("p", 1.008, 1.008))
    assert evaluate(true, table(("p", 1.004, 1.004))).loc["p", "matched"] == 1
    # The nearest match of the first one, 1.007, would leave the second one without.
    assert evaluate(true, table(("p", 0.992, 0.992), ("p", 1.007, 1.007))).loc["p", "matched"] == 2


def test_files_and_folders_are_compared_by_name(tmp_path):
    for folder in ("hand", "dss"):
        for name in ("1", "sub/2"):
            path = tmp_path / folder / f"{name}_annotations.csv"
            write_annotations(TRUE, path)
    scores = evaluate(tmp_path / "hand", tmp_path / "dss")
    assert scores.loc["all", "matched"] == 6
    one = "sub/2_annotations.csv"
    assert evaluate(tmp_path / "hand" / one, tmp_path / "dss" / one).loc["all", "matched"] == 3
    assert evaluate([TRUE, TRUE], [TRUE, TRUE.iloc[:1]]).loc["all", "recall"] == pytest.approx(
        4 / 6
    )
    (tmp_path / "dss" / one).unlink()
    with pytest.raises(
        DssError, match="have none to be compared with:\n.*dss/sub/2_annotations.csv"
    ):
        evaluate(tmp_path / "hand", tmp_path / "dss")
    with pytest.raises(DssError, match="one is a folder"):
        evaluate(tmp_path / "hand", tmp_path / "dss" / "1_annotations.csv")


def test_the_text_shows_every_song_type():
    text = format_scores(evaluate(TRUE, TRUE))
    assert [line.split()[0] for line in text.splitlines()[2:]] == ["a", "b", "c", "all"]
    assert "onset error/ms" in text
