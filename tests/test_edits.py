import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from dss.data import annotations_path, read_annotations
from dss.data.annotated_stretches import read_annotated
from dss.data.ownership import write
from dss.errors import DssError
from dss.review.edits import Edited, Edits, mark_annotated, n_outside_annotated
from dss.review.table_edits import (
    annotate,
    annotation_at,
    copy_annotations,
    remove,
    rename,
    rows_of_type,
)


def table(*rows):
    columns = ["name", "start_seconds", "stop_seconds"]
    return pd.DataFrame(rows, columns=columns).astype({"name": str})


SONG = table(("a", 1.0, 1.2), ("pulse", 2.0, 2.0), ("b", 3.0, 3.5))


@pytest.fixture
def recording(tmp_path):
    soundfile.write(tmp_path / "bird.wav", np.zeros(5000), 1000)
    SONG.to_csv(tmp_path / "bird_annotations.csv", index=False)
    return tmp_path / "bird.wav"


def test_a_new_annotation_is_put_where_it_starts():
    changed, row = annotate(SONG, " a ", 2.5, 2.6)
    assert row == 2
    assert changed["name"].tolist() == ["a", "pulse", "a", "b"]
    assert changed.loc[row].tolist() == ["a", 2.5, 2.6]
    assert len(SONG) == 3


def test_an_annotation_that_is_changed_keeps_what_else_is_said_of_it_but_no_confidence():
    song = SONG.assign(confidence=0.9, remark=["x", "y", "z"])
    changed, row = annotate(song, "b", 3.9, 4.0, row=0)
    assert row == 2
    assert changed["name"].tolist() == ["pulse", "b", "b"]
    assert changed.at[row, "remark"] == "x"
    assert np.isnan(changed.at[row, "confidence"])
    assert changed["confidence"].tolist()[:2] == [0.9, 0.9]


def test_a_song_type_that_was_looked_for_and_is_found_after_all_is_not_absent_any_more():
    absent = pd.concat([SONG, table(("c", np.nan, np.nan), ("d", np.nan, np.nan))])
    changed, _ = annotate(absent.reset_index(drop=True), "c", 4.0, 4.1)
    assert changed["name"].tolist() == ["a", "pulse", "b", "c", "d"]


@pytest.mark.parametrize(
    ("name", "start", "stop", "says"),
    [
        ("", 1, 2, "The name is blank"),
        ("pulse", 1, 2, "pulse is used for events: click where it is"),
        ("a", 2, 2, "a is used for segments: mark where it starts and stops"),
    ],
)
def test_what_cannot_be_annotated_is_reported(name, start, stop, says):
    with pytest.raises(DssError, match=says):
        annotate(SONG, name, start, stop)


def test_the_only_annotation_of_a_type_may_become_one_of_the_other_kind():
    changed, row = annotate(SONG, "pulse", 2.0, 2.1, row=1)
    assert changed.loc[row].tolist() == ["pulse", 2.0, 2.1]


def test_the_shortest_annotation_at_a_time_is_the_one_that_is_meant():
    nested = table(("a", 1.0, 2.0), ("b", 1.4, 1.5), ("pulse", 1.7, 1.7))
    assert annotation_at(nested, 1.45, 0.01) == 1
    assert annotation_at(nested, 1.2, 0.01) == 0
    assert annotation_at(nested, 1.705, 0.01) == 2
    assert annotation_at(nested, 2.005, 0.01) == 0
    assert annotation_at(nested, 2.1, 0.01) is None
    assert annotation_at(nested.iloc[:0], 1.0, 0.01) is None


def test_nothing_is_written_before_it_is_saved(recording):
    edits, before = Edits(), Edited(SONG)
    edits.put(recording, Edited(remove(SONG, 0)), before)
    assert edits.unsaved == [recording]
    assert len(read_annotations(annotations_path(recording))) == 3
    assert edits.save() == [annotations_path(recording)]
    assert edits.unsaved == []
    assert read_annotations(annotations_path(recording))["name"].tolist() == ["pulse", "b"]


def test_undo_takes_back_what_was_saved_too(recording):
    edits, before = Edits(), Edited(SONG)
    edits.put(recording, Edited(remove(SONG, 0)), before)
    edits.save()
    assert edits.undo() == recording
    assert edits.of(recording) is before
    assert edits.unsaved == [recording]
    edits.save()
    assert len(read_annotations(annotations_path(recording))) == 3
    assert edits.undo() is None


def test_what_another_program_wrote_meanwhile_is_not_overwritten(recording, tmp_path):
    other = tmp_path / "bird2.wav"
    edits = Edits()
    edits.put(other, Edited(SONG), Edited(SONG.iloc[:0]))
    edits.put(recording, Edited(remove(SONG, 0)), Edited(SONG))
    annotations_path(recording).write_text("name,start_seconds,stop_seconds\nc,1,2\n")
    with pytest.raises(DssError, match="Another program has changed"):
        edits.save()
    assert read_annotations(annotations_path(recording))["name"].tolist() == ["c"]
    assert not annotations_path(other).exists()
    annotations_path(recording).rename(tmp_path / "moved_away.csv")
    edits.save()
    assert read_annotations(annotations_path(recording))["name"].tolist() == ["pulse", "b"]


@pytest.mark.parametrize(
    ("there", "says"),
    [
        ("name,start_seconds,stop_seconds\na,1,2\n", "contains annotations that are not shown"),
        ("name,start_seconds,stop_seconds\na,1,x\nb,1.5,2\n", "row 2: stop_seconds is 'x'"),
    ],
)
def test_annotations_that_are_not_shown_are_never_replaced(recording, there, says):
    annotations_path(recording).write_text(there)
    edits = Edits()
    with pytest.raises(DssError, match=says):
        edits.put(recording, Edited(SONG), Edited(SONG.iloc[:0]))
    assert edits.unsaved == edits.save() == []
    assert annotations_path(recording).read_text() == there


def test_annotations_as_dss_wrote_them_are_replaced_by_those_corrected(recording):
    annotations_path(recording).unlink()
    write(SONG, annotations_path(recording), "csv")
    edits = Edits()
    edits.put(recording, Edited(remove(SONG, 0)), Edited(SONG.iloc[1:]))
    edits.save()
    assert len(read_annotations(annotations_path(recording))) == 2
    with pytest.raises(DssError, match="You made or changed"):
        write(SONG, annotations_path(recording), "csv")


def test_stretches_that_were_seen_are_written_beside_the_annotations(recording):
    edits = Edits()
    seen = mark_annotated(mark_annotated(Edited(SONG), 3.0, 4.0), 0.5, 3.2)
    edits.put(recording, seen, Edited(SONG))
    edits.save()
    assert read_annotated(recording, 5.0).tolist() == [[0.5, 4.0]]


def test_annotations_outside_of_what_was_seen_are_counted():
    assert n_outside_annotated(Edited(SONG)) == 0
    seen = mark_annotated(Edited(SONG), 0.5, 1.05)
    assert n_outside_annotated(seen) == 3
    assert n_outside_annotated(mark_annotated(seen, 1.0, 2.0)) == 1


times = st.floats(0, 100).map(lambda t: round(t, 3))


@given(
    st.lists(st.tuples(st.sampled_from("abc"), times, st.floats(0.001, 9)), min_size=1, max_size=6)
)
@settings(deadline=None, max_examples=30)
def test_annotations_are_sorted_and_each_can_be_found_and_removed(rows):
    song = table()
    for name, start, length in rows:
        song, row = annotate(song, name, start, start + length)
        assert song.loc[row].tolist() == [name, start, start + length]
        assert song["start_seconds"].is_monotonic_increasing
    for _ in rows:
        middle = song.loc[0, ["start_seconds", "stop_seconds"]].mean()
        song = remove(song, annotation_at(song, middle, 0.0))
    assert not len(song)


def test_redo_makes_the_changes_again_that_were_undone(recording):
    edits, first = Edits(), Edited(SONG)
    once = Edited(remove(SONG, 0))
    twice = Edited(remove(once.annotations, 0))
    edits.put(recording, once, first)
    edits.put(recording, twice, first)
    edits.undo()
    edits.undo()
    assert edits.of(recording) is None
    assert edits.redo() == edits.redo() == recording
    assert edits.of(recording) is twice
    assert edits.redo() is None
    edits.undo()
    assert edits.of(recording) is once
    edits.put(recording, first, first)
    assert edits.redo() is None  # what was undone cannot be redone any more
    edits.undo()
    edits.undo()
    assert edits.unsaved == []


def test_all_annotations_of_a_song_type_are_renamed_or_removed():
    song = table(("a", 1.0, 1.2), ("b", 2.0, 2.1), ("a", 3.0, 3.2)).assign(confidence=0.9)
    assert rows_of_type(song, "a") == [0, 2]
    assert rows_of_type(song, "a", (1.1, 2.5)) == [0]
    renamed = rename(song, [0, 2], " c ")
    assert renamed["name"].tolist() == ["c", "b", "c"]
    assert renamed["confidence"].isna().tolist() == [True, False, True]
    assert song["name"].tolist() == ["a", "b", "a"]
    assert remove(song, [0, 2])["name"].tolist() == ["b"]
    with pytest.raises(DssError, match="pulse is used for events"):
        rename(SONG, [0], "pulse")


def test_predictions_are_taken_over_where_nothing_is_annotated_by_hand():
    others = table(("a", 0.1, 0.2), ("a", 1.1, 1.3), ("a", 5.0, 5.1))
    taken, n = copy_annotations(SONG, others, "a")
    assert n == 2
    assert taken["start_seconds"].tolist() == [0.1, 1.0, 2.0, 3.0, 5.0]
    same, n = copy_annotations(SONG, others.iloc[[1]], "a")
    assert (n, len(same)) == (0, len(SONG))
    none, n = copy_annotations(SONG.iloc[:0], others, "a")
    assert n == len(none) == 3
