import numpy as np
import pandas as pd
import pytest
from conftest import tone_song, write_recording

from dss.data import read_annotations, write_annotations
from dss.errors import DssError
from dss.review.naming import Naming
from dss.review.segment_features import describe_segments, list_segments
from dss.review.views import open_views


@pytest.fixture
def songs(tmp_path):
    for i in range(3):
        x, rows = tone_song(seed=i)
        rows = [("x" if stop > start else name, start, stop) for name, start, stop in rows]
        write_recording(tmp_path / "song", f"bird_{i}", x, 1000, rows)
    return tmp_path / "song"


def naming_of(folder):
    views = open_views(folder)
    return Naming(views, describe_segments(views, list_segments(views)))


def tables(folder):
    return [read_annotations(f) for f in sorted(folder.glob("*_annotations.csv"))]


def test_names_are_written_where_they_changed_and_nothing_else_is(songs):
    naming, before = naming_of(songs), tables(songs)
    assert naming.save() == []
    first = np.flatnonzero(naming.segments["view"] == 0)
    naming.name(first[:3], " low ")
    assert naming.n_unsaved == 3
    assert [file.name for file in naming.save()] == ["bird_0_annotations.csv"]
    assert naming.n_unsaved == 0
    after = tables(songs)
    assert (after[0]["name"] == "low").sum() == 3
    for one, other in zip(before[1:], after[1:], strict=True):
        pd.testing.assert_frame_equal(one, other)
    times = ["start_seconds", "stop_seconds"]
    pd.testing.assert_frame_equal(before[0][times], after[0][times])


def test_what_is_thrown_out_is_deleted_and_comes_back_when_undone_and_saved(songs):
    naming, before = naming_of(songs), tables(songs)
    naming.throw_out(np.array([0, 1]))
    naming.save()
    assert len(tables(songs)[0]) == len(before[0]) - 2
    naming.undo()
    assert naming.n_unsaved == 2
    naming.save()
    pd.testing.assert_frame_equal(tables(songs)[0], before[0])


def test_undo_and_redo_go_back_and_forth_until_something_else_is_done(songs):
    naming = naming_of(songs)
    states = [(naming.names, naming.groups)]
    for change in (
        lambda: naming.name(np.array([2, 5]), "b"),
        lambda: naming.merge(np.arange(6)),
        lambda: naming.split(np.arange(10)),
        lambda: naming.throw_out(np.array([1])),
    ):
        change()
        states.append((naming.names, naming.groups))

    def is_at(i):
        return (naming.names == states[i][0]).all() and (naming.groups == states[i][1]).all()

    for i in (3, 2, 1, 0):
        naming.undo()
        assert is_at(i)
    with pytest.raises(DssError, match="nothing to undo"):
        naming.undo()
    for i in (1, 2, 3, 4):
        naming.redo()
        assert is_at(i)
    naming.undo()
    naming.name(np.array([0]), "c")
    with pytest.raises(DssError, match="nothing to redo"):
        naming.redo()


def test_groups_are_merged_and_split(songs):
    naming = naming_of(songs)
    assert naming.groups.max() >= 1
    everything = np.arange(len(naming.names))
    naming.merge(everything)
    assert (naming.groups == 0).all()
    assert naming.split(everything) >= 2
    assert naming.groups.max() >= 1
    assert naming.groups.min() == 0


def test_without_a_choice_or_a_name_nothing_changes(songs):
    naming = naming_of(songs)
    with pytest.raises(DssError, match="Nothing is selected"):
        naming.name(np.array([], int), "a")
    with pytest.raises(DssError, match="The name is blank"):
        naming.name(np.array([0]), "  ")
    with pytest.raises(DssError, match="nothing to undo"):
        naming.undo()


def test_a_file_that_another_program_changed_is_not_replaced(songs):
    naming = naming_of(songs)
    file = songs / "bird_0_annotations.csv"
    file.write_text("name,start_seconds,stop_seconds\nz,0.1,0.2\n")
    naming.name(np.arange(len(naming.names)), "a")
    with pytest.raises(DssError, match="contains annotations that are not shown"):
        naming.save()
    assert file.read_text().endswith("z,0.1,0.2\n")
    assert {*tables(songs)[1]["name"]} == {"x", "p"}
    assert naming.n_unsaved > 0


def test_other_columns_stay_and_the_confidence_of_an_old_name_goes(songs):
    file = songs / "bird_1_annotations.csv"
    table = read_annotations(file).assign(confidence=0.5, who="me")
    table.to_csv(file, index=False)
    naming = naming_of(songs)
    chosen = np.flatnonzero(naming.segments["view"] == 1)[:2]
    naming.name(chosen, "b")
    naming.save()
    after = read_annotations(file)
    assert (after["who"] == "me").all()
    assert (after["confidence"].isna() == (after["name"] == "b")).all()
    assert (after["name"] == "b").sum() == 2


def test_times_in_milliseconds_stay_so(songs):
    for file in songs.glob("*_annotations.csv"):
        table = read_annotations(file)
        table[["start_seconds", "stop_seconds"]] *= 1000
        write_annotations(table, file)
    before = tables(songs)
    views = open_views(songs, time_unit="ms")
    naming = Naming(views, describe_segments(views, list_segments(views)))
    naming.name(np.arange(3), "new")
    assert len(naming.save()) == 1
    after = tables(songs)
    for one, other in zip(before, after, strict=True):
        assert np.allclose(one.iloc[:, 1:], other.iloc[:, 1:], atol=1e-3)
    assert sum((table["name"] == "new").sum() for table in after) == 3
