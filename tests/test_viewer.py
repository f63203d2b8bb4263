import io
import re
import threading
import time

import numpy as np
import pandas as pd
import PIL.Image
import pytest
import soundfile
from conftest import tone_song, write_recording
from matplotlib.colors import to_hex

from dss.data import annotations_path, make_dataset, open_recording, read_annotations
from dss.data.recordings import Recording
from dss.errors import DssError
from dss.plot import overview
from dss.plot.colors import FIRST_COLORS
from dss.plot.overview import Overview
from dss.plot.recording import draw_recording
from dss.review.view import no_annotations
from dss.review.views import open_views
from dss.widgets import InspectForm, Viewer
from dss.widgets.forms import memory
from dss.widgets.viewer import proposing
from dss.widgets.viewer.editor_panel import ALL, ONE, SHOWN

TIMES = ["start_seconds", "stop_seconds"]


pytestmark = pytest.mark.usefixtures("nothing_edited")


@pytest.fixture
def recording(tmp_path):
    x, rows = tone_song(seed=0, channels=2)
    return write_recording(tmp_path, "bird", x, 1000, rows)


def test_scrolling_and_zooming_stay_within_the_recording(recording):
    viewer = Viewer(recording, start_seconds=1, stop_seconds=2)
    viewer.move(0.5)
    assert viewer.stretch == (1.5, 2.5)
    viewer.zoom(2)
    assert viewer.stretch == pytest.approx((1.75, 2.25))
    viewer.move(-100)
    assert viewer.stretch == pytest.approx((0, 0.5))
    viewer.zoom(0.001)
    assert viewer.stretch == (0, 4)
    viewer.zoom(1e9)
    assert viewer.stretch[1] - viewer.stretch[0] == pytest.approx(0.02)


def test_every_annotation_is_visited_in_order(recording):
    table = read_annotations(annotations_path(recording))
    viewer = Viewer(recording, table, start_seconds=0, stop_seconds=0.05)
    viewer.options = {"song_type": "b"}
    middles = table[table["name"] == "b"][["start_seconds", "stop_seconds"]].mean(axis=1)
    for expected in middles:
        viewer.go(1)
        assert np.mean(viewer.stretch) == pytest.approx(expected)
    viewer.go(1)
    assert np.mean(viewer.stretch) == pytest.approx(middles.iloc[-1])
    viewer.go(-1)
    assert np.mean(viewer.stretch) == pytest.approx(middles.iloc[-2])


def test_the_next_annotation_is_marked_and_chosen_even_where_it_cannot_be_in_the_middle(recording):
    viewer = Viewer(recording, start_seconds=0, stop_seconds=4)
    table = viewer.annotations["annotations"].reset_index(drop=True)
    is_later = table[TIMES].mean(axis=1) > 2
    for row in table.index[is_later]:
        do(viewer, "key", key="n")
        assert viewer.selection == tuple(table.loc[row, TIMES])
        assert viewer.editor.chosen == row
    do(viewer, "key", key="p")
    assert viewer.editor.chosen == len(table) - 2
    do(viewer, "key", key="1")
    assert len(viewer.annotations["annotations"]) == len(table)
    viewer.stretch = (0, 1)  # where nothing is marked
    viewer.go(1)
    assert viewer.selection == tuple(table[table[TIMES].mean(axis=1) > 0.5].iloc[0][TIMES])


def test_the_frequencies_found_widen_while_one_scrolls_and_those_chosen_stay(tmp_path):
    t = np.arange(20_000) / 1000
    low, high = (np.sin(2 * np.pi * hz * t) * (t % 1 < 0.3) for hz in (50, 350))
    x = np.where(t < 10, low, high)[:, None] + 0.001
    viewer = Viewer(write_recording(tmp_path, "bird", 0.5 * x, 1000, []), start_seconds=0)
    first = viewer.controls.frequency_range_hz.value
    assert first[1] < 300  # what is above the song is not drawn
    viewer.stretch = (12, 15)
    assert viewer.controls.frequency_range_hz.value[1] > 350
    viewer.stretch = (0, 3)
    assert viewer.controls.frequency_range_hz.value[1] > 350
    viewer.controls.frequency_range_hz.value = (100, 200)
    assert viewer.options["frequency_range_hz"] == (100, 200)
    viewer.stretch = (12, 15)
    assert viewer.options["frequency_range_hz"] == (100, 200)
    viewer.options = {"frequency_range_hz": None}
    assert viewer.controls.frequency_range_hz.value[1] > 350
    viewer.stretch = (0, 3)
    viewer.controls.automatic_range.value = False
    viewer.controls.automatic_range.value = True
    assert viewer.controls.frequency_range_hz.value == first


def test_all_channels_are_named_in_their_menu(recording):
    channel = Viewer(recording).controls.channel
    assert channel.label == "all channels"
    viewer = Viewer(recording)
    viewer.options = {"channel": 1}
    assert viewer.controls.channel.label == "channel 1"
    viewer.options = {"channel": None}
    assert viewer.controls.channel.label == "all channels"
    assert viewer.options["channel"] is None


def test_only_what_is_shown_is_read_and_the_picture_changes(recording):
    opened, spans = open_recording(recording), []

    def reader(start, stop):
        spans.append(stop - start)
        return opened.read(start, stop)

    watched = Recording(opened.path, 1000, opened.n_samples, 2, reader)
    viewer = Viewer(watched, start_seconds=1, stop_seconds=1.5)
    pictures = [viewer._image.value]
    viewer.move(1)
    pictures.append(viewer._image.value)
    viewer.options = {"channel": 1}
    pictures.append(viewer._image.value)
    viewer.options = {"log_frequency": True}
    pictures.append(viewer._image.value)
    viewer.annotations = pd.DataFrame(
        {"name": ["x"], "start_seconds": [1.6], "stop_seconds": [1.8]}
    )
    pictures.append(viewer._image.value)
    assert len(set(map(bytes, pictures))) == len(pictures)
    assert max(spans) == 500
    assert all(bytes(picture[:3]) == b"\xff\xd8\xff" for picture in pictures)


def test_a_picture_is_the_same_whatever_was_shown_before(recording):
    viewer = Viewer(recording)
    for stretch, options in [
        ((1.0, 2.0), {"log_frequency": True}),
        ((0.0, 4.0), {"log_frequency": False}),
        ((1.0, 1.1), {"channel": 1}),
        ((2.5, 4.0), {"channel": None, "contrast_db": (-60, -20)}),
        ((0.0, 0.02), {"contrast_db": None}),  # nothing is annotated
        ((1.0, 3.0), {}),
    ]:
        viewer.options = {"frequency_range_hz": (0, 400), **options}
        viewer.stretch = stretch
        fresh = Viewer(recording, start_seconds=stretch[0], stop_seconds=stretch[1])
        fresh.options = viewer.options
        shown, expected = (
            np.asarray(PIL.Image.open(io.BytesIO(v._image.value)), int) for v in (viewer, fresh)
        )
        assert shown.shape == expected.shape
        assert np.abs(shown - expected).max() <= 2


def test_the_picture_does_not_jump_while_one_scrolls(tmp_path):
    rows = [("a", 1.0, 2.0), ("a_long_name", 5.0, 5.2)]
    recording = write_recording(tmp_path, "bird", tone_song(seed=0, seconds=8)[0], 1000, rows)
    viewer = Viewer(recording, start_seconds=0, stop_seconds=3)

    def height():
        return PIL.Image.open(io.BytesIO(viewer._image.value)).height

    low = height()
    viewer.stretch = (4, 7)  # where a name stands upright
    high = height()
    assert high > low
    viewer.stretch = (0, 3)
    assert height() == high


def test_what_is_shown_can_be_heard(recording):
    viewer = Viewer(recording, start_seconds=1, stop_seconds=1.5)
    viewer.play()
    x, rate = soundfile.read(io.BytesIO(viewer._player.children[0].value))
    assert len(x) / rate == pytest.approx(0.5)
    assert rate >= 3000  # browsers play nothing below
    assert abs(x).max() == pytest.approx(0.9, abs=0.01)


def test_annotations_of_another_kind_are_an_error(recording):
    with pytest.raises(DssError, match="a table, or a dictionary of tables"):
        Viewer(recording, [1, 2])


def test_a_folder_a_dataset_and_another_folder_are_shown_in_turn(folder):
    viewer = Viewer(folder, stop_seconds=1)
    assert viewer.controls.view_name.options == ("bird_0.wav", "bird_1.wav", "bird_2.wav")
    assert set(viewer.annotations["annotations"]["name"]) == {"a", "b", "p"}
    pictures = [viewer._image.value]
    viewer.controls.view_name.value = "bird_2.wav"
    assert viewer.recording.path.name == "bird_2.wav"
    pictures.append(viewer._image.value)
    viewer.open(make_dataset(folder, test_fraction=0))
    assert viewer.controls.view_name.options == ("train", "val")
    with_targets = viewer.drawing._values()
    assert with_targets.high.shape[1] == 4
    pictures.append(viewer._image.value)
    viewer.open(folder / "bird_1.wav")
    assert viewer.drawing._values() is None
    assert len(set(map(bytes, pictures))) == 3
    with pytest.raises(DssError, match="choose from bird_1.wav"):
        viewer.show("bird_0.wav")


@pytest.fixture
def other_folder(tmp_path):
    """A recording whose song is later, and of other types."""
    x, rows = tone_song(seed=3, seconds=20)
    rows = [(name.upper(), start, stop) for name, start, stop in rows if start > 10]
    return write_recording(tmp_path / "other", "bird", x, 1000, rows).parent


def test_another_folder_is_shown_as_if_it_were_the_first(folder, other_folder):
    viewer = Viewer(folder, start_seconds=1, stop_seconds=1.02)
    viewer.show("bird_1.wav")
    assert viewer.stretch == pytest.approx((1, 1.02))
    viewer.selection = (0.0, 0.01)
    viewer.editor.annotate("new")
    viewer.open(other_folder)
    fresh = Viewer(other_folder)
    assert viewer.stretch == fresh.stretch
    assert viewer.stretch[0] > 9
    assert viewer.stretch[1] - viewer.stretch[0] == pytest.approx(3)
    assert viewer.editor.names == fresh.editor.names == ["A", "B", "P"]
    assert "<b>1</b> A," in viewer.editor._panel._help.value
    assert viewer.controls.frequency_range_hz.value == fresh.controls.frequency_range_hz.value


def test_keys_and_colours_are_those_of_all_recordings_and_stay(tmp_path, monkeypatch):
    for name in "cab":
        rows = [(name, 0.5, 0.6)]
        write_recording(tmp_path, f"bird_{name}", tone_song(seed=0)[0], 1000, rows)
    drawn = []

    def watch(*arguments, **named):
        figure = draw_recording(*arguments, **named)
        (patch,) = figure.legends[0].legend_handles
        drawn.append((patch.get_label(), to_hex(patch.get_facecolor())))
        return figure

    monkeypatch.setattr("dss.widgets.viewer.drawing.draw_recording", watch)
    viewer = Viewer(tmp_path, stop_seconds=1)
    viewer.show("bird_c.wav")
    assert viewer.editor.names == ["a", "b", "c"]
    assert drawn[0] == ("a", FIRST_COLORS[0])
    assert drawn[-1] == ("c", FIRST_COLORS[2])
    viewer.selection = (2.0, 2.1)
    viewer.editor.annotate("B")
    assert viewer.editor.names == ["a", "b", "c", "B"]
    assert drawn[-1] == ("c", FIRST_COLORS[2])


def test_the_song_types_of_very_many_recordings_are_not_all_read_at_once(folder, monkeypatch):
    monkeypatch.setattr("dss.widgets.viewer.shown_annotations.READ_AT_ONCE", 1)
    annotations_path(folder / "bird_1.wav").write_text("name,start_seconds,stop_seconds\n0,1,2\n")
    viewer = Viewer(folder)
    assert viewer.editor.names == ["a", "b", "p"]
    viewer.show("bird_1.wav")
    viewer.show("bird_2.wav")
    assert viewer.editor.names == ["a", "b", "p", "0"]


def test_sliders_and_buttons_move_the_same_stretch(recording):
    viewer = Viewer(recording, start_seconds=1, stop_seconds=2)
    viewer.controls.start.value = 1.5
    assert viewer.stretch == pytest.approx((1.5, 2.5))
    viewer.controls.duration.value = 0.5
    assert viewer.stretch == pytest.approx((1.75, 2.25))
    assert viewer.controls.start.value == pytest.approx(1.75)
    viewer.move(1)
    assert viewer.controls.start.value == pytest.approx(2.25)


def test_a_contrast_that_is_chosen_stays_until_it_is_found_by_itself_again(recording):
    viewer = Viewer(recording, start_seconds=1, stop_seconds=1.5)
    found = viewer.controls.contrast_db.value
    viewer.controls.contrast_db.value = (-90, -30)
    assert viewer.options["contrast_db"] == (-90, -30)
    viewer.move(1)
    assert viewer.controls.contrast_db.value == (-90, -30)
    viewer.options = {"contrast_db": None}
    viewer.move(-1)
    assert viewer.controls.contrast_db.value == found


def test_a_table_that_lacks_columns_is_reported(recording):
    with pytest.raises(DssError, match="start_seconds"):
        Viewer(recording, pd.DataFrame({"name": ["a"]}))


def test_without_a_further_annotation_the_viewer_says_so(recording):
    viewer = Viewer(recording, read_annotations(annotations_path(recording)), stop_seconds=4)
    viewer.options = {"song_type": "a"}
    viewer.stretch = (3.9, 4)
    viewer.go(1)
    assert "There is no a after 3.950 s" in viewer._status.value


def test_a_long_recording_is_summed_up_once_and_nothing_is_lost(tmp_path):
    rng = np.random.default_rng(0)
    x = (0.01 * rng.standard_normal((5_000_000, 1))).astype(np.float32)
    x[3_210_000] = 0.9
    x[4_000_000:4_200_000, 0] += 0.3 * np.sin(2 * np.pi * 0.3 * np.arange(200_000))
    spans = []

    def reader(start, stop):
        spans.append(stop - start)
        return x[start:stop]

    drawn = Overview(Recording(tmp_path / "long.wav", 1000, *x.shape, reader))
    wave, power = drawn.draw(0, len(x))
    assert sum(spans) == len(x)
    assert max(spans) < len(x) / 2
    assert wave.high.max() == pytest.approx(0.9)
    assert wave.high.argmax() / len(wave.high) == pytest.approx(3.21 / 5, abs=0.002)
    row, column = np.unravel_index(power.argmax(), power.shape)
    assert row / (len(power) - 1) * 500 == pytest.approx(300, abs=3)
    assert 4 / 5 <= column / power.shape[1] <= 4.2 / 5
    spans.clear()
    drawn.draw(1_000_000, 4_900_000)
    assert not spans


@pytest.fixture
def slow_recording(monkeypatch, tmp_path):
    """A recording of which little is read until an event is set; and that event."""
    monkeypatch.setattr(overview, "MOST_UNKNOWN", 100)
    x = np.zeros((5_000_000, 1), np.float32)
    x[4_999_000:] = 0.9
    may_read = threading.Event()

    def reader(start, stop):
        is_little = stop - start <= overview.BLOCK_SAMPLES * overview.SPECTRUM_BLOCKS
        assert is_little or may_read.wait(60)
        return x[start:stop]

    return Recording(tmp_path / "slow.wav", 1000, *x.shape, reader), may_read


def test_what_was_not_read_yet_is_sketched(slow_recording):
    recording, may_read = slow_recording
    drawn = Overview(recording)
    assert drawn.sketches(0, recording.n_samples)
    wave, power = drawn.draw(0, recording.n_samples)
    assert power.shape[1] == len(wave.low) == overview.SKETCHED
    assert (wave.low <= wave.high).all()
    assert np.isfinite(power).all()
    may_read.set()
    drawn.fill()
    assert not drawn.sketches(0, recording.n_samples)
    at_once = Overview(recording)
    at_once.fill()
    wave, power = drawn.draw(0, recording.n_samples)
    expected_wave, expected_power = at_once.draw(0, recording.n_samples)
    np.testing.assert_array_equal(power, expected_power)
    np.testing.assert_array_equal(wave.high, expected_wave.high)
    assert wave.high.max() == np.float32(0.9)


def test_a_sketch_is_drawn_again_once_all_is_read(slow_recording):
    recording, may_read = slow_recording
    viewer = Viewer(recording, no_annotations(), start_seconds=0, stop_seconds=3)
    viewer.stretch = (0, np.inf)
    assert "a sketch" in viewer.drawing._title(False)
    sketch = viewer._image.value
    may_read.set()
    begun = time.monotonic()
    while viewer._image.value == sketch and time.monotonic() - begun < 60:
        time.sleep(0.05)
    assert "a sketch" not in viewer.drawing._title(False)
    exact = viewer._image.value
    viewer._draw()
    assert exact == viewer._image.value != sketch


def wait_for_threads():
    for thread in threading.enumerate():
        if any(name in thread.name for name in ("_measure", "_find_all", "_propose_in", "_wait")):
            thread.join(60)


def do(viewer, what, **how):
    """Send what the browser would send when somebody does this on the picture."""
    viewer._image._handle_custom_msg({"do": what, **how}, [])


def test_what_is_dragged_over_is_marked_and_annotated_with_a_key(recording):
    viewer = Viewer(recording, start_seconds=1, stop_seconds=2)
    before = len(viewer.annotations["annotations"])
    do(viewer, "select", start=0.1, stop=0.3, is_edge=False)
    assert viewer.selection == pytest.approx((1.1, 1.3))
    assert viewer._image.selection == pytest.approx((0.1, 0.3))
    do(viewer, "key", key="1")
    table = viewer.annotations["annotations"]
    assert len(table) == before + 1
    assert [viewer.editor.names[0], *viewer.selection] == table.loc[viewer.editor.chosen].tolist()
    do(viewer, "select", start=0.1, stop=0.4, is_edge=True)
    changed = viewer.annotations["annotations"].loc[viewer.editor.chosen]
    assert changed["stop_seconds"] == pytest.approx(1.4)
    assert len(read_annotations(annotations_path(recording))) == before
    viewer.editor.save()
    assert len(read_annotations(annotations_path(recording))) == before + 1


def test_a_click_chooses_an_annotation_that_delete_deletes_and_undo_brings_back(recording):
    viewer = Viewer(recording)
    table = viewer.annotations["annotations"]
    start, stop = table.iloc[1][["start_seconds", "stop_seconds"]]
    viewer.stretch = (0, 1)
    do(viewer, "click", at=(start + stop) / 2)
    assert viewer.selection == (start, stop)
    do(viewer, "key", key="Delete")
    assert start not in viewer.annotations["annotations"]["start_seconds"].tolist()
    do(viewer, "key", key="undo")
    assert start in viewer.annotations["annotations"]["start_seconds"].tolist()
    do(viewer, "key", key="Delete")
    assert "No annotation is selected" in viewer._status.value


def test_all_of_a_song_type_are_renamed_deleted_and_brought_back_at_once(recording):
    viewer = Viewer(recording)

    def names():
        return viewer.annotations["annotations"]["name"].tolist()

    before, table = names(), viewer.annotations["annotations"]
    name, start, stop = table.iloc[1][["name", "start_seconds", "stop_seconds"]]
    n = before.count(name)
    assert n > 1
    viewer.editor.mark(start, stop)
    viewer.editor._which.value = ALL
    viewer.editor.annotate("new")
    assert names().count("new") == n
    assert f"Renamed {n} annotations from {name} to new" in viewer._status.value
    assert viewer.editor._which.value == ONE
    do(viewer, "key", key="undo")
    assert names() == before
    do(viewer, "key", key="redo")
    assert names().count("new") == n
    viewer.editor.undo()
    viewer.stretch = (start - 0.01, stop + 0.01)
    viewer.editor.mark(start, stop)
    viewer.editor._which.value = SHOWN
    viewer.editor.delete()
    assert 0 < names().count(name) < n
    do(viewer, "key", key="redo")
    assert "nothing to redo" in viewer._status.value


def test_all_predictions_of_a_song_type_are_taken_over_at_once(recording):
    by_hand = read_annotations(annotations_path(recording))
    name, start, stop = by_hand.iloc[1][["name", "start_seconds", "stop_seconds"]]
    annotations_path(recording).unlink()
    predicted = by_hand[by_hand["name"] == name]
    viewer = Viewer(recording, {"manual": by_hand.drop(index=predicted.index), "dss": predicted})
    viewer.editor.mark(start, stop)
    viewer.editor._which.value = ALL
    viewer.editor.press("Enter")
    assert f"{len(predicted)} predictions" in viewer._status.value
    assert viewer.annotations["manual"]["name"].tolist().count(name) == len(predicted)


def test_song_is_proposed_at_a_threshold_and_taken_over(tmp_path, nothing_edited):
    x, rate = 0.001 * np.random.default_rng(0).standard_normal((3000, 1)), 1000
    for onset in (500, 1000, 2000):
        x[onset : onset + 100] += np.sin(np.arange(100))[:, None]
    soundfile.write(tmp_path / "a.wav", x, rate, subtype="FLOAT")
    soundfile.write(tmp_path / "b.wav", x[600:], rate, subtype="FLOAT")
    viewer = Viewer(tmp_path)
    assert "proposed" not in viewer.annotations
    viewer.proposer._is_on.value = True
    assert len(viewer.annotations["proposed"]) == 3
    assert "3 in the recording" in viewer.proposer._said.value
    chosen = viewer.proposer.threshold.value
    viewer.proposer.threshold.value = viewer.proposer.threshold.max
    assert len(viewer.annotations["proposed"]) == 0
    viewer.proposer.threshold.value = chosen
    start, stop = viewer.annotations["proposed"].loc[1, ["start_seconds", "stop_seconds"]]
    viewer.editor.mark(start, stop)
    viewer.editor._which.value = ALL
    viewer.editor.annotate("chirp")
    assert viewer.annotations["annotations"]["name"].tolist() == ["chirp"] * 3
    assert len(viewer.annotations["proposed"]) == 0  # all are annotations now
    viewer.show("b.wav")
    assert len(viewer.annotations["proposed"]) == 2
    viewer.proposer._is_on.value = False
    assert "proposed" not in viewer.annotations
    viewer.show("a.wav")
    assert viewer.annotations.keys() == {"annotations"}
    viewer.editor.undo()
    assert viewer.annotations["annotations"].empty


@pytest.fixture
def chirps(tmp_path):
    """Three recordings of chirps; the last one has an annotation."""
    x, rate = 0.001 * np.random.default_rng(0).standard_normal((3000, 1)), 1000
    for onset in (500, 1000, 2000):
        x[onset : onset + 100] += np.sin(np.arange(100))[:, None]
    for number, name in enumerate(("a", "b")):
        soundfile.write(tmp_path / f"{name}.wav", x[600 * number :], rate, subtype="FLOAT")
    write_recording(tmp_path, "c", x, rate, [("d", 0.5, 0.6)])
    return tmp_path


def test_proposals_are_kept_in_all_recordings_without_annotations_and_undone(
    chirps, nothing_edited
):
    viewer = Viewer(chirps)
    assert viewer.proposer._everywhere.disabled
    viewer.proposer._is_on.value = True
    viewer.proposer._everywhere.click()
    wait_for_threads()
    assert "Kept 5 proposals as song in 2 recordings." in viewer._status.value
    assert len(viewer.annotations["proposed"]) == 0
    assert viewer.editor.widget.selected_index == 0  # Save is in sight
    viewer.editor.save()
    assert [len(read_annotations(chirps / f"{n}_annotations.csv")) for n in "abc"] == [3, 2, 1]
    viewer.editor.undo()
    viewer.editor.save()
    assert [len(read_annotations(chirps / f"{n}_annotations.csv")) for n in "abc"] == [0, 0, 1]


def test_kept_proposals_spare_annotations(chirps, nothing_edited):
    viewer = Viewer(chirps)
    viewer.show("c.wav")
    viewer.proposer._is_on.value = True
    assert "2 in the recording" in viewer.proposer._said.value
    viewer.proposer._here.click()
    assert viewer.annotations["annotations"]["name"].tolist() == ["d", "song", "song"]
    assert "0 in the recording" in viewer.proposer._said.value
    viewer.editor.undo()
    assert "2 in the recording" in viewer.proposer._said.value


def test_what_you_change_in_one_recording_applies_to_the_next(chirps):
    viewer = Viewer(chirps)
    viewer.proposer._is_on.value = True
    viewer.show("b.wav")
    automatic = viewer.proposer.threshold.value
    viewer.show("a.wav")
    viewer.proposer.threshold.value += 5
    viewer.proposer._shortest.value = 40
    viewer.show("b.wav")
    assert viewer.proposer.threshold.value == automatic + 5
    assert viewer.proposer._shortest.value == 40


def test_after_saving_a_form_can_look_again_and_the_view_stays(chirps, nothing_edited):
    form = InspectForm({"path": chirps})
    form.run()
    viewer = Viewer(form)
    assert viewer._again.widget.layout.display == "none"
    viewer.show("b.wav")
    viewer.stretch = 0.5, 1.5
    viewer.selection = 0.6, 0.7
    viewer.editor.annotate("x")
    viewer.editor.save()
    assert viewer._again.widget.layout.display == ""
    viewer._again.widget.click()
    assert viewer._again.widget.description == "Looking again ..."
    wait_for_threads()
    assert "b_annotations.csv" not in form._status.value
    assert viewer._again.widget.layout.display == "none"
    assert (viewer.view.name, viewer.stretch) == ("b.wav", (0.5, 1.5))
    assert viewer.annotations["annotations"]["name"].tolist() == ["x"]


def test_loudness_of_a_long_recording_is_measured_meanwhile(recording, monkeypatch):
    monkeypatch.setattr(proposing, "AT_ONCE_SECONDS", 0)
    viewer = Viewer(recording, no_annotations())
    viewer.proposer._is_on.value = True
    wait_for_threads()
    assert len(viewer.annotations["proposed"])
    assert not viewer.proposer.threshold.disabled


def test_undo_elsewhere_is_said_and_names_of_another_folder_go(recording, folder):
    viewer = Viewer(recording)
    do(viewer, "select", start=0.1, stop=0.11, is_edge=False)
    viewer.editor.annotate("chirp")
    assert "Not saved yet" in viewer.editor._message.value
    other = write_recording(folder / "other", "cage", np.zeros((4000, 1)), 1000, [("x", 1, 2)])
    viewer.open(other.parent)
    assert viewer.editor._name.value == ""
    viewer.editor.undo()
    assert "not in this viewer" in viewer._status.value
    assert "Not saved yet" not in viewer.editor._message.value


def test_the_wheel_zooms_where_it_is_and_scrolls(recording):
    viewer = Viewer(recording, start_seconds=1, stop_seconds=2)
    do(viewer, "zoom", at=0.5, factor=2)
    assert viewer.stretch == pytest.approx((1.25, 1.75))
    do(viewer, "scroll", by=0.5)
    assert viewer.stretch == pytest.approx((1.5, 2.0))
    do(viewer, "select", start=0.4, stop=0.6, is_edge=False)
    do(viewer, "double", at=0.5)
    assert viewer.stretch == pytest.approx((1.65, 1.85))
    assert viewer._image.selection == pytest.approx((0.25, 0.75))


def test_what_was_dragged_over_is_seen_when_one_clicks_on_it_twice(recording):
    viewer = Viewer(recording)
    start, stop = viewer.annotations["annotations"].iloc[1][TIMES]
    viewer.stretch = (0, 1)
    do(viewer, "select", start=0, stop=stop, is_edge=False)
    do(viewer, "click", at=(start + stop) / 2)
    do(viewer, "double", at=(start + stop) / 2)
    assert viewer.selection == (0, stop)
    assert viewer.editor.chosen is None
    assert viewer.stretch == pytest.approx((0, 2 * stop))
    viewer.stretch = (0, 1)
    do(viewer, "select", start=0.9, stop=0.95, is_edge=False)
    do(viewer, "click", at=(start + stop) / 2)  # beside it
    do(viewer, "double", at=(start + stop) / 2)
    assert viewer.selection == (start, stop)
    assert viewer.stretch[1] - viewer.stretch[0] == pytest.approx(2 * (stop - start))


def test_enter_in_the_field_of_the_name_does_what_add_does(recording):
    viewer = Viewer(recording)
    viewer.selection = (0.0, 0.01)
    viewer.editor._name.value = "chirp"
    viewer.editor._name._handle_custom_msg({"event": "submit"}, [])
    assert viewer.annotations["annotations"].iloc[0].tolist() == ["chirp", 0.0, 0.01]
    viewer.selection = None
    viewer.editor._name._handle_custom_msg({"event": "submit"}, [])
    assert "Nothing is marked" in viewer._status.value


def test_after_undo_nothing_is_marked_the_name_is_forgotten_and_rows_are_as_before(recording):
    viewer = Viewer(recording, start_seconds=0, stop_seconds=3)
    names = viewer.editor.names

    def height():
        return PIL.Image.open(io.BytesIO(viewer._image.value)).height

    low = height()
    viewer.selection = (0.0, 3.0)
    viewer.editor.annotate("typo")
    assert height() > low
    assert viewer.editor.names == [*names, "typo"]
    do(viewer, "key", key="undo")
    assert height() == low
    assert viewer.selection is None
    assert viewer.editor.names == names
    viewer.selection = (0.0, 3.0)
    viewer.editor.annotate("a")
    do(viewer, "key", key="Delete")
    assert height() == low


def test_who_saves_twice_still_reads_what_was_saved(recording):
    viewer = Viewer(recording)
    assert viewer.editor.save() == []
    assert "There is nothing to save." in viewer.editor._message.value
    viewer.selection = (0.0, 0.01)
    viewer.editor.annotate("a")
    viewer.editor.save()
    assert viewer.editor.save() == []
    assert "Saved bird_annotations.csv." in viewer.editor._message.value
    viewer.selection = (0.0, 0.02)
    viewer.editor.annotate("a")
    viewer.editor.undo()
    viewer.editor.save()
    assert "There is nothing to save." in viewer.editor._message.value


@pytest.mark.parametrize(("name", "what"), [("noise", "song"), ("not_a", "a")])
def test_what_a_name_means_that_is_no_song_type_is_reported(recording, name, what):
    viewer = Viewer(recording)
    viewer.selection = (0.0, 0.01)
    viewer.editor.annotate(name)
    assert f"{name} says that there is no {what} here" in viewer._status.value


def test_the_mark_covers_the_rows_and_neither_title_nor_legend(recording):
    viewer = Viewer(recording)
    picture = np.asarray(PIL.Image.open(io.BytesIO(viewer._image.value)).convert("L"))
    height, width = picture.shape
    left, right, top, bottom = viewer._image.edges * np.array([width, width, height, height])
    rows = np.flatnonzero((picture < 100).any(axis=1))  # with ink
    assert rows[0] < top - 10
    assert rows[-1] > bottom + 10
    inside = picture[round(top) : round(bottom), round(left) : round(right)]
    assert (inside < 100).mean() > 0.2
    assert (picture < 100).sum() - (inside < 100).sum() < 0.02 * picture.size


def test_annotations_of_several_recordings_wait_until_they_are_saved(tmp_path):
    for name in ("one", "two"):
        x, rows = tone_song(seed=0)
        write_recording(tmp_path, name, x, 1000, rows)
    viewer = Viewer(tmp_path)
    for name in ("one.wav", "two.wav"):
        viewer.show(name)
        viewer.selection = (0.0, 0.01)
        viewer.editor.annotate("new")
    viewer.show("one.wav")
    assert viewer.annotations["annotations"].iloc[0]["name"] == "new"
    assert "Not saved yet: one.wav, two.wav" in viewer.editor._message.value
    assert len(viewer.editor.save()) == 2
    for name in ("one", "two"):
        table = read_annotations(tmp_path / f"{name}_annotations.csv")
        assert table.iloc[0].tolist() == ["new", 0.0, 0.01]


def test_what_is_not_saved_is_there_again_when_the_cell_runs_again(recording):
    viewer = Viewer(recording)
    viewer.selection = (0.0, 0.01)
    viewer.editor.annotate("new")
    viewer = Viewer(recording)
    assert viewer.annotations["annotations"].iloc[0]["name"] == "new"
    assert "Not saved yet: bird.wav" in viewer.editor._message.value
    viewer.editor.undo()
    assert "new" not in viewer.annotations["annotations"]["name"].tolist()
    assert "Not saved" not in viewer.editor._message.value


def test_what_was_saved_is_read_again_when_it_is_opened_again(recording):
    viewer = Viewer(recording)
    viewer.selection = (0.0, 0.01)
    viewer.editor.annotate("new")
    viewer.editor.save()
    annotations_path(recording).write_text("name,start_seconds,stop_seconds\nc,1,2\n")
    viewer.open(recording)
    assert viewer.annotations["annotations"]["name"].tolist() == ["c"]
    viewer.selection = (0.0, 0.01)
    viewer.editor.annotate("a")
    viewer.editor.save()
    assert read_annotations(annotations_path(recording))["name"].tolist() == ["a", "c"]


def test_what_was_saved_is_there_when_the_same_recordings_are_shown_again(recording):
    recordings = open_views(recording)
    viewer = Viewer(recordings)
    viewer.selection = (0.0, 0.01)
    viewer.editor.annotate("new")
    viewer.editor.save()
    assert Viewer(recordings).annotations["annotations"].iloc[0]["name"] == "new"


def test_what_was_not_seen_is_hatched_and_what_is_annotated_there_is_reported(recording):
    viewer = Viewer(recording, start_seconds=0, stop_seconds=1)
    n = (
        viewer.annotations["annotations"][["start_seconds", "stop_seconds"]].mean(axis=1) > 1
    ).sum()
    picture = viewer._image.value
    viewer.editor.mark_view_annotated()
    assert f"{n} annotations outside" in viewer._status.value
    viewer.move(1)
    viewer.move(-0.5)
    assert viewer._image.value != picture
    viewer.editor.save()
    text = recording.with_name("bird_annotated.csv").read_text()
    assert text.splitlines() == ["start_seconds,stop_seconds", "0.000000,1.000000"]


def test_splits_of_a_dataset_and_arrays_cannot_be_annotated(recording, tmp_path):
    store = make_dataset(recording, store_dir=tmp_path / "d.npy", test_split="samples")
    viewer = Viewer(store)
    assert viewer.editor.widget.layout.display == "none"
    shown = viewer.annotations["annotations"]
    do(viewer, "select", start=0.1, stop=0.2, is_edge=False)
    do(viewer, "key", key="1")
    assert "This cannot be annotated" in viewer._status.value
    assert viewer.annotations["annotations"] is shown
    array = Recording(recording.with_name("none"), 1000, 500, 1, lambda a, b: np.zeros((b - a, 1)))
    assert Viewer(array).editor.widget.layout.display == "none"
    assert Viewer(recording).editor.widget.layout.display == ""


def test_who_reads_other_annotations_is_told_when_saving(recording, tmp_path):
    labels = recording.with_name("bird.txt")
    labels.write_text("0.5\t0.6\ta\n")
    annotations_path(recording).unlink()
    viewer = Viewer(open_views(recording, annotation_format="audacity"))
    viewer.selection = (1.0, 1.1)
    viewer.editor.annotate("a")
    viewer.editor.save()
    assert "But this viewer reads other annotations" in viewer.editor._message.value
    viewer = Viewer(recording)
    viewer.selection = (3.0, 3.1)
    viewer.editor.annotate("a")
    viewer.editor.save()
    assert "Saved bird_annotations.csv. bird.txt: no longer read." in viewer.editor._message.value


def test_the_table_lists_all_and_a_row_jumps_to_its_annotation(recording):
    by_hand = read_annotations(annotations_path(recording))
    found = by_hand[1:3].assign(confidence=[0.9, 0.4])
    viewer = Viewer(recording, {"manual": by_hand, "predicted": found})
    rows = viewer.events._rows
    assert rows.rows == {}  # nobody sees it yet
    viewer.events.widget.selected_index = 0
    table = viewer.events.table
    assert len(table) == len(by_hand) + 2
    assert viewer.events.widget.titles == (f"All annotations: {len(table)}",)
    confidence = np.frombuffer(rows.rows["confidence"], "<f4")
    assert confidence[~np.isnan(confidence)].tolist() == pytest.approx([0.9, 0.4])
    predicted = int(table.index[table["table"] == "predicted"][1])
    rows._handle_custom_msg({"do": "row", "row": predicted}, [])
    times = table.loc[predicted, TIMES]
    assert viewer.selection == tuple(times)
    assert np.mean(viewer.stretch) == pytest.approx(max(times.mean(), 1.5))
    assert rows.pointed == predicted  # and not the one by hand at the same time
    assert viewer.editor.chosen is None
    rows._handle_custom_msg({"do": "row", "row": predicted - 1}, [])
    assert viewer.editor.chosen is not None


def test_the_table_follows_what_is_marked_and_changed(recording):
    viewer = Viewer(recording)
    viewer.events.widget.selected_index = 0
    n = len(viewer.events.table)
    viewer.go(1)
    row = viewer.events._rows.pointed
    assert tuple(viewer.events.table.loc[row, TIMES]) == viewer.selection
    sent = viewer.events._rows.rows
    viewer.move(0.1)
    assert viewer.events._rows.rows is sent  # scrolling sends nothing anew
    viewer.events._rows._handle_custom_msg({"do": "key", "key": "Delete"}, [])
    assert len(viewer.events.table) == n - 1
    assert len(np.frombuffer(viewer.events._rows.rows["names"], "<u2")) == n - 1
    assert viewer.events._rows.pointed == -1
    viewer.editor.undo()
    assert len(viewer.events.table) == n


def test_duration_and_frequencies_of_what_is_marked_are_reported(tmp_path):
    rate, t = 8000, np.arange(24_000) / 8000
    x = 0.3 * np.sin(2 * np.pi * 1000 * t) * ((t > 1) & (t < 1.2))
    hum = 0.5 * np.sin(2 * np.pi * 150 * t)
    x = (x + hum + 0.001 * np.random.default_rng(0).standard_normal(len(t)))[:, None]
    viewer = Viewer(write_recording(tmp_path, "bird", 0.5 * x, rate, []))
    viewer.selection = (1.0, 1.2)
    said = viewer._marked.value
    assert "200.0 ms" in said
    low, high, peak = map(float, re.search(r">(\S+) to (\S+) kHz, .* (\S+) kHz<", said).groups())
    assert 0.9 < low <= peak == pytest.approx(1.0, abs=0.05)
    assert peak <= high < 1.1
    viewer.selection = (0.2, 0.4)
    assert viewer._marked.value == "0.2000 to 0.4000 s: 200.0 ms"
    viewer.selection = (1.0, 1.0)
    assert viewer._marked.value == "1.0000 s"


def test_how_the_recordings_of_a_folder_were_shown_is_remembered(recording, folder):
    viewer = Viewer(recording)
    before = viewer.options
    viewer.controls.window_seconds.value = 0.032
    viewer.controls.contrast_db.value = (-70, -10)
    viewer.controls.waveform.value = False
    viewer.controls.channel.value = 1
    do(viewer, "zoom", at=0.5, factor=2)
    chosen = viewer.options
    viewer.open(folder)  # another one
    assert viewer.options == {**before, "channel": 0}
    viewer.open(recording)
    assert viewer.options == chosen
    viewer = Viewer(recording)
    assert viewer.options == chosen
    assert np.diff(viewer.stretch) == pytest.approx(1.5)
    assert np.diff(Viewer(recording, start_seconds=1).stretch) == pytest.approx(3)
    viewer.settings.reset()
    assert viewer.options == before
    assert np.diff(viewer.stretch) == pytest.approx(3)
    assert Viewer(recording).options == before


def test_a_remembered_look_that_makes_no_sense_is_left_out(recording):
    kept = {"channel": 7, "contrast_db": "dark", "waveform": False, "seconds": "a", "window": 3}
    memory.remember("viewer", {str(recording.parent): kept})
    viewer = Viewer(recording)
    assert viewer.options["waveform"] is False
    assert viewer.options["channel"] is None
    assert viewer.options["contrast_db"] is None
    assert np.diff(viewer.stretch) == pytest.approx(3)
    memory.MEMORY.write_text("viewer: [dark]\n")
    assert Viewer(recording).options["waveform"] is True


def test_the_window_of_the_spectra_is_chosen(recording):
    viewer = Viewer(recording)
    picture = viewer._image.value
    viewer.controls.window_seconds.value = 0.128
    sharp = viewer._image.value
    assert sharp != picture
    viewer.options = {"window_seconds": 0.1}
    assert viewer.controls.window_seconds.label == "100 ms window"
    viewer.options = {"window_seconds": None}
    assert viewer.controls.window_seconds.label == "automatic window"
    assert viewer._image.value == picture


def test_the_waveform_and_probabilities_can_be_hidden(recording):
    p = np.random.default_rng(0).random((4000, 2), np.float32)
    viewer = Viewer(recording, probabilities=p, class_names=["noise", "a"])

    def height():
        return PIL.Image.open(io.BytesIO(viewer._image.value)).height

    assert viewer.controls.probabilities.layout.display == ""
    heights = [height()]
    for name in ("probabilities", "waveform"):
        viewer.options = {name: False}
        heights.append(height())
    assert heights[0] > heights[1] > heights[2]
    assert Viewer(recording).controls.probabilities.layout.display == "none"


def test_the_line_over_the_loudness_is_the_threshold(recording):
    viewer = Viewer(recording, no_annotations())
    assert viewer._image.line == ()
    height = PIL.Image.open(io.BytesIO(viewer._image.value)).height
    viewer.proposer._is_on.value = True
    assert PIL.Image.open(io.BytesIO(viewer._image.value)).height > height  # with the loudness
    top, bottom, at = viewer._image.line
    assert 0 < top < bottom < 1
    threshold, n = viewer.proposer.threshold, len(viewer.annotations["proposed"])
    do(viewer, "line", at=at)
    assert threshold.value == pytest.approx(at * (threshold.max + 5) - 5, abs=0.1)
    do(viewer, "line", at=1.0)
    assert threshold.value == pytest.approx(threshold.max, abs=0.1)
    assert len(viewer.annotations["proposed"]) < n
    assert viewer._image.line[2] == pytest.approx(1, abs=0.01)
    do(viewer, "line", at=0.0)
    assert threshold.value == threshold.min
    wait_for_threads()
    viewer.options = {"waveform": False}
    assert viewer._image.line[0] < viewer._image.line[1] < 1
    viewer.proposer._is_on.value = False
    assert viewer._image.line == ()


def test_while_the_line_moves_bars_follow_and_then_the_picture(recording):
    viewer = Viewer(recording, no_annotations(), start_seconds=1, stop_seconds=2)
    viewer.proposer._is_on.value = True
    picture, spectrogram_top = viewer._image.value, viewer._image.edges[2]
    assert viewer._image.bars == {}
    do(viewer, "line", at=0.6)
    bars = viewer._image.bars
    assert viewer._image.value == picture
    top, bottom = bars["row"]
    assert spectrogram_top < viewer._image.line[1] < top < bottom < 1
    table = viewer.annotations["proposed"]
    is_seen = (table["stop_seconds"] >= 1) & (table["start_seconds"] <= 2)
    places = np.frombuffer(bars["places"], np.float32).reshape(-1, 2)
    shown = table.loc[is_seen, ["start_seconds", "stop_seconds"]].to_numpy() - 1
    assert places == pytest.approx(shown, abs=1e-5)
    wait_for_threads()
    assert viewer._image.value != picture
    assert viewer._image.bars == {}


def test_of_a_long_recording_what_is_shown_has_its_proposals_first(recording, monkeypatch):
    viewer = Viewer(recording, no_annotations(), start_seconds=3, stop_seconds=3.5)
    viewer.proposer._is_on.value = True
    viewer.proposer.threshold.value = 10
    everywhere = viewer.annotations["proposed"]
    monkeypatch.setattr(proposing, "AT_ONCE_SECONDS", 0)
    monkeypatch.setattr(proposing, "AROUND_SECONDS", 0.5)
    monkeypatch.setattr(proposing, "PATIENCE_SECONDS", 0)
    find_all, asked = viewer.proposer._find_all, []
    monkeypatch.setattr(viewer.proposer, "_find_all", asked.append)
    viewer.proposer.threshold.value = 10.1
    viewer.proposer.threshold.value = 10
    near = viewer.annotations["proposed"]
    is_near = everywhere["start_seconds"].between(2.7, 3.5)
    assert set(everywhere[is_near]["start_seconds"].round(3)) <= set(near["start_seconds"].round(3))
    assert len(near) < len(everywhere)
    find_all(asked[0])  # the threshold was moved again meanwhile
    assert viewer.annotations["proposed"] is near
    find_all(asked[1])
    pd.testing.assert_frame_equal(viewer.annotations["proposed"], everywhere)
