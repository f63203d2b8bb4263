import pandas as pd
import pytest

from dss.cli import main
from dss.data import write_annotations
from dss.errors import DssError
from dss.review.proofread import least_certain, rank_recordings


@pytest.fixture
def annotated(tmp_path):
    """Two recordings annotated by dss, one partly confirmed, and a manually annotated one."""
    columns = ["name", "start_seconds", "stop_seconds", "confidence", "confirmed"]
    sure = [("a", 1, 1.1, 0.99, False), ("a", 2, 2.1, 0.2, True), ("a", 3, 3.1, 0.8, False)]
    unsure = [("a", 61.5, 61.6, 0.4, False), ("b", 2, 2.1, 0.6, False)]
    write_annotations(pd.DataFrame(sure, columns=columns), tmp_path / "sure_annotations.csv")
    write_annotations(
        pd.DataFrame(unsure, columns=columns)[columns[:-1]], tmp_path / "unsure_annotations.csv"
    )
    by_hand = pd.DataFrame([("a", 1, 2)], columns=columns[:3])
    write_annotations(by_hand, tmp_path / "hand_annotations.csv")
    return tmp_path


def test_the_least_certain_annotation_comes_first(annotated):
    table = least_certain(annotated, n_least=3)
    assert table["confidence"].tolist() == [0.4, 0.6, 0.8]
    assert table["look_at"].tolist() == ["1:01.500", "0:02.000", "0:03.000"]


def test_the_least_certain_recording_comes_first(annotated):
    table = rank_recordings(annotated)
    names = [file.rsplit("/")[-1] for file in table["file"]]
    assert names == ["unsure_annotations.csv", "sure_annotations.csv"]
    assert table["uncertainty"].tolist() == pytest.approx([(0.6 + 0.4) / 7, (0.01 + 0.2) / 7])
    assert table["annotations"].tolist() == [2, 2]


def test_hidden_files_are_left_out(annotated):
    (annotated / "._sure_annotations.csv").write_bytes(b"\0\5\26\7")
    assert len(rank_recordings(annotated)) == 2


def test_a_recording_full_of_near_misses_comes_before_all(annotated):
    """It has no annotation at all; what is near the threshold lasts for a minute."""
    (annotated / "missed_annotations.csv").write_text(
        "name,start_seconds,stop_seconds,confidence\n"
    )
    near = "name,start_seconds,stop_seconds,probability\na,0.5,60.2,0.45\n"
    (annotated / "missed_near_misses.csv").write_text(near)
    first = rank_recordings(annotated).iloc[0]
    assert first["file"].endswith("missed_annotations.csv")
    assert first[["annotations", "near_misses"]].tolist() == [0, 1]
    assert first["uncertainty"] == pytest.approx(0.45 * 60 / 65)
    doubtful = least_certain(annotated)
    assert doubtful["found"].tolist() == ["annotation", "near miss", *["annotation"] * 3]


def novel(file, *rows):
    """What `find_novel_sounds` returns; rows are (start, stop, distance)."""
    columns = ["start_seconds", "stop_seconds", "distance"]
    return pd.DataFrame(rows, columns=columns, dtype=float).assign(file=str(file), name="")


def test_sounds_unlike_any_annotated_make_a_recording_the_next_one(annotated):
    sure = annotated / "sure_annotations.csv"
    table = rank_recordings(annotated, novel(sure, (5, 5.1, 4), (6, 6.1, 2), (7, 7.1, 4)))
    assert table["file"].iloc[0] == str(sure)
    assert table[["annotations", "unlike"]].to_numpy().tolist() == [[2, 3], [2, 0]]
    expected = (0.01 + 0.2 + 0.75 + 0.5 + 0.75) / 10
    assert table["uncertainty"].iloc[0] == pytest.approx(expected)


def test_sounds_unlike_any_annotated_are_among_what_to_look_at(annotated):
    sounds = novel(annotated / "sure_annotations.csv", (1, 1.1, 4), (5, 5.1, 2), (7, 7.1, 1.01))
    table = least_certain(annotated, sounds, n_least=4)
    assert table["found"].tolist() == ["unlike", "annotation", "unlike", "annotation"]
    assert table["start_seconds"].tolist() == [1, 61.5, 5, 2]
    assert table["name"].tolist() == ["a", "a", "", "b"]
    assert table["confidence"].isna().tolist() == [False, False, True, False]


def test_an_annotation_that_is_unlike_any_other_counts_once(annotated):
    sure = annotated / "sure_annotations.csv"
    table = rank_recordings(annotated, novel(sure, (1, 1.1, 4), (3, 3.1, 1.1)))
    uncertainty = table.set_index("file").loc[str(sure), "uncertainty"]
    assert uncertainty == pytest.approx((0.75 + 0.2) / 7)


def test_the_command_lists_both(annotated, capsys):
    assert main(["proofread", str(annotated), "--n-least", "2"]) == 0
    out = capsys.readouterr().out
    assert "1:01.500" in out
    assert "Recordings to annotate next" in out


def test_where_nothing_was_found_the_command_says_so(tmp_path, capsys):
    (tmp_path / "a_annotations.csv").write_text("name,start_seconds,stop_seconds,confidence\n")
    assert main(["proofread", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("Nothing to check")


def test_annotations_by_hand_have_nothing_to_list(annotated):
    with pytest.raises(DssError, match="no annotations with a confidence"):
        least_certain(annotated / "hand_annotations.csv")
