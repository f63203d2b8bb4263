import io

import numpy as np
import pandas as pd
import pytest
import soundfile
from conftest import tone_song, write_recording

from dss.data import annotations_path, open_recording, read_annotations
from dss.data.recordings import Recording
from dss.errors import DssError
from dss.widgets import Viewer


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
