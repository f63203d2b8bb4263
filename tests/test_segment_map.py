import numpy as np
import pytest
from conftest import tone_song, write_recording

from dss.data import read_annotations
from dss.review.segment_groups import quick_layout
from dss.widgets import SegmentMap
from dss.widgets.segment_map import segment_map

pytestmark = pytest.mark.usefixtures("nothing_edited")


@pytest.fixture(autouse=True)
def laid_out_at_once(monkeypatch):
    """Use the quick layout; the other one takes seconds and is tested elsewhere."""
    monkeypatch.setattr(segment_map, "lay_out_segments", quick_layout)


@pytest.fixture
def songs(tmp_path):
    """Two recordings with low and high tones, all named x."""
    for i in range(2):
        x, rows = tone_song(seed=i, seconds=8)
        rows = [("x", start, stop) for _, start, stop in rows if stop > start]
        write_recording(tmp_path / "song", f"bird_{i}", x, 1000, rows)
    return tmp_path / "song"


@pytest.fixture
def shown(songs):
    shown = SegmentMap(songs)
    shown.wait()
    return shown


def do(shown, **asked):
    """Send what the browser would send."""
    shown._scatter._handle_custom_msg(asked, [])


def said(shown):
    return shown.buttons.message.value


def kinds(shown):
    return np.frombuffer(shown._scatter.kinds, "<u2")


def test_there_is_a_point_for_each_segment_and_a_colour_for_each_group(shown):
    n = len(shown.naming.names)
    xy = np.frombuffer(shown._scatter.xy, "<f4").reshape(-1, 2)
    assert len(xy) == len(kinds(shown)) == n
    assert shown.buttons.colors_by == "groups"  # all have one name
    labels = np.array(shown._scatter.labels)[kinds(shown)]
    assert {"group 1", "group 2"} <= {*labels}


def test_a_group_is_chosen_named_and_saved_with_three_gestures(shown, songs):
    group = kinds(shown) == 0
    do(shown, do="kind", kind=0, how="set")
    assert (shown.chosen == np.flatnonzero(group)).all()
    assert len(shown._scatter.gallery) == group.sum()
    assert all(card["picture"][:2] == b"\xff\xd8" for card in shown._scatter.gallery)
    shown.buttons._name.value = "low"
    shown.buttons._name._handle_custom_msg({"event": "submit"}, [])
    assert f"Not saved yet: {group.sum()} segments" in said(shown)
    assert shown._scatter.labels[:2] == ["group 1: low", "group 2: x"]
    assert shown.buttons._name.value == ""  # for the name of the next group
    shown.guarded(shown.save)
    assert "Saved 2 files." in said(shown)
    tables = [read_annotations(file) for file in sorted(songs.glob("*.csv"))]
    assert sum((table["name"] == "low").sum() for table in tables) == group.sum()
    assert sum((table["name"] == "x").sum() for table in tables) == (~group).sum()


def test_what_is_drawn_around_is_added_or_taken_out(shown):
    do(shown, do="choose", points=[1, 2, 3], how="set")
    do(shown, do="choose", points=[3, 5], how="add")
    assert shown.chosen.tolist() == [1, 2, 3, 5]
    do(shown, do="choose", points=[2], how="toggle")
    do(shown, do="choose", points=[9], how="toggle")
    assert shown.chosen.tolist() == [1, 3, 5, 9]
    assert np.frombuffer(shown._scatter.chosen, "<u4").tolist() == [1, 3, 5, 9]
    do(shown, do="key", key="Escape")
    assert len(shown.chosen) == 0


def test_keys_name_throw_out_undo_and_redo(shown):
    shown.chosen = [0, 1]
    shown.name("a")
    assert shown.buttons.names == ["x", "a"]
    shown.chosen = [4]
    do(shown, do="key", key="2")
    assert shown.naming.names[4] == "a"
    do(shown, do="key", key="9")  # there is no ninth name
    assert shown.naming.names[4] == "a"
    do(shown, do="key", key="Delete")
    assert shown._scatter.labels[kinds(shown)[4]] == "thrown out"
    do(shown, do="key", key="undo")
    assert shown.naming.names[4] == "a"
    do(shown, do="key", key="redo")
    assert shown.naming.names[4] == ""
    for _ in range(4):
        do(shown, do="key", key="undo")
    assert "There is nothing to undo." in said(shown)
    assert {*shown.naming.names} == {"x"}


def test_groups_are_merged_and_split_on_the_map(shown):
    do(shown, do="key", key="all")
    shown.merge()
    assert {*kinds(shown)} == {0}
    shown.split()
    assert len({*kinds(shown)}) >= 2
    assert "groups." in said(shown)


def test_a_click_shows_and_plays_one_and_the_mouse_shows_where_it_is(shown):
    do(shown, do="open", point=3)
    assert shown.chosen.tolist() == [3]
    assert bytes(shown._player.children[0].value)[:4] == b"RIFF"
    do(shown, do="hover", point=2)
    assert shown._scatter.pointed["point"] == 2
    assert "bird_0.wav" in shown._scatter.pointed["text"]


def test_the_least_typical_are_shown_first(shown):
    low = np.flatnonzero(kinds(shown) == 0)
    odd = np.flatnonzero(kinds(shown) == 1)[:1]
    shown.chosen = np.concatenate([low, odd])
    assert shown._scatter.gallery[0]["point"] == odd[0]


def test_colours_tell_names_once_there_are_several(songs, shown):
    shown.chosen = np.arange(5)
    shown.name("noise")
    shown.save()
    again = SegmentMap(songs)
    assert again.buttons.colors_by == "names"
    labels = np.array(again._scatter.labels)[kinds(again)]
    assert (labels[:5] == "noise").all()
    again.buttons.colors_by = "groups"
    assert "group 1: noise, x" in np.array(again._scatter.labels)[kinds(again)]
    again.wait()


def test_without_segments_it_says_what_to_do_and_others_can_be_opened(tmp_path, songs):
    x, _ = tone_song(seed=0)
    write_recording(tmp_path / "silent", "a", x, 1000, [])
    shown = SegmentMap(tmp_path / "silent")
    assert "annotate some" in said(shown)
    do(shown, do="key", key="all")
    assert "annotate some" in said(shown)
    assert shown._scatter.layout.display == "none"  # and nothing else
    shown.open(songs)
    shown.wait()
    assert shown._scatter.layout.display == ""
    assert "annotate some" not in said(shown)
    assert len(kinds(shown)) == len(shown.naming.names) > 0


def test_what_is_not_saved_in_a_viewer_is_not_lost(shown, songs):
    from dss.widgets import Viewer

    viewer = Viewer(songs)
    viewer.selection = (7.5, 7.6)
    viewer.editor.annotate("y")
    shown.chosen = [0]
    shown.name("a")
    shown.guarded(shown.save)
    assert "has unsaved changes in a viewer" in said(shown)
    assert "a" not in {*read_annotations(songs / "bird_0_annotations.csv")["name"]}
