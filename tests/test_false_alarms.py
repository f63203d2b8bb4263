import numpy as np
import pandas as pd
import pytest
from conftest import write_recording

from dss.data import annotations_path, make_dataset, open_dataset, read_annotations
from dss.data.annotated_stretches import read_annotated
from dss.errors import DssError
from dss.evaluate.true_annotations import TrueAnnotations
from dss.plot.bars import CROSSED
from dss.review.comparison import agrees_with_manual
from dss.review.edits import Edited
from dss.review.false_alarms import is_rejected, reject
from dss.widgets import Viewer
from dss.widgets.viewer.editor_panel import ALL

pytestmark = pytest.mark.usefixtures("nothing_edited")


def table(*rows):
    columns = ["name", "start_seconds", "stop_seconds"]
    return pd.DataFrame(rows, columns=columns).astype({"name": str})


NONE = Edited(table())
FOUND = table(("a", 0.5, 0.7), ("b", 1.0, 1.2), ("a", 2.0, 2.2), ("p", 3.0, 3.0))


@pytest.fixture
def recordings(tmp_path):
    """One annotated recording, and one without annotations."""
    x = np.random.default_rng(0).standard_normal((2, 4000, 1)) / 100
    song = [("a", 0.5, 0.7), ("b", 1.0, 1.2), ("p", 3.0, 3.0)]
    annotated = write_recording(tmp_path / "song", "annotated", x[0], 1000, song)
    new = write_recording(tmp_path / "song", "new", x[1], 1000, [])
    annotations_path(new).unlink()
    return annotated, new


def rows(edited):
    return edited.annotations.to_numpy().tolist()


def test_where_nothing_is_annotated_a_false_alarm_becomes_noise():
    edited = reject(NONE, [[1.0, 1.2], [3.0, 3.0]], 3.002)
    assert rows(edited) == [["noise", 1.0, 1.2], ["noise", 2.995, 3.002]]
    assert edited.annotated_stretches is None
    edited = reject(edited, [[1.1, 1.4]], 3.002)  # overlaps what is noise already
    assert rows(edited)[:2] == [["noise", 1.0, 1.2], ["noise", 1.2, 1.4]]


def test_noise_never_covers_song():
    some = Edited(table(("noise", 0.0, 0.2), ("a", 1.1, 1.3)))
    assert rows(reject(some, [[1.0, 1.4]], 4.0)) == [
        ["noise", 0.0, 0.2],
        ["noise", 1.0, 1.1],
        ["a", 1.1, 1.3],
        ["noise", 1.3, 1.4],
    ]


def test_where_stretches_were_looked_at_a_false_alarm_is_one_of_them():
    seen = Edited(table(("a", 0.1, 0.2)), np.array([[0.0, 0.5]]))
    edited = reject(seen, [[1.0, 1.2]], 4.0)
    assert rows(edited) == rows(seen)
    assert edited.annotated_stretches.tolist() == [[0.0, 0.5], [1.0, 1.2]]


def test_where_all_is_annotated_only_what_is_wrong_goes():
    whole = Edited(FOUND)
    assert reject(whole, [[1.5, 1.6]], 4.0) is whole
    assert rows(reject(whole, [[1.0, 1.2]], 4.0, rows=[1])) == FOUND.drop(1).to_numpy().tolist()
    only = Edited(table(("a", 1.0, 1.2)))
    assert rows(reject(only, [[1.0, 1.2]], 4.0, rows=[0])) == []  # and not `noise` and unknown


def test_what_lies_in_noise_is_rejected():
    by_hand = table(("noise", 0.4, 0.65), ("b", 1.0, 1.2), ("noise", 2.995, 3.005))
    assert is_rejected(FOUND, by_hand).tolist() == [True, False, False, True]
    assert is_rejected(FOUND, table()).tolist() == [False] * 4
    by_hand = table(("not_a", 0.4, 0.65), ("not_p", 0.9, 1.3), ("not_p", 2.9, 3.1))
    assert is_rejected(FOUND, by_hand).tolist() == [True, False, False, True]


def test_song_that_goes_on_beyond_an_excerpt_agrees_with_it(tmp_path):
    def agree(by_hand):
        return agrees_with_manual(found, TrueAnnotations(recording, recording, by_hand)).tolist()

    recording, by_hand = tmp_path / "fly.wav", table(("a", 1.0, 1.5), ("noise", 3.0, 4.0))
    found = table(("b", 1.0, 1.5), ("a", 0.6, 1.7), ("a", 3.2, 3.4), ("a", 5.0, 5.5))
    assert agree(by_hand) == [False, True, False, False]
    assert agree(by_hand[:1]) == [False] * 4  # all is annotated, so that the onset is wrong
    (tmp_path / "fly_annotated.csv").write_text("start_seconds,stop_seconds\n1,2\n")
    assert agree(by_hand[:1]) == [False, True, False, False]


def test_rejected_predictions_are_known_noise_in_the_next_dataset(recordings):
    viewer = Viewer(recordings[1], {"manual": table(), "predicted": FOUND})
    viewer.stretch = (0, 4)
    viewer.editor.mark(0.5, 0.7)
    viewer.editor._which.value = ALL
    viewer.editor.press("0")
    assert "2 false alarms" in viewer._status.value
    assert "stays unknown" in viewer._status.value
    viewer.editor.mark(1.0, 1.2)
    viewer.editor.press("0")
    viewer.selection = (1.5, 1.6)
    viewer.editor.press("0")
    viewer.editor.undo()
    viewer.editor.save()
    found = read_annotations(annotations_path(recordings[1]))
    assert found["name"].tolist() == ["noise"] * 3
    store = make_dataset(recordings[0].parent, test_fraction=0, val_split="files")
    data = open_dataset(store)
    split = next(s for s in ("train", "val") if "new.wav" in data.attrs[f"filename_{s}"])
    known = np.asarray(data[split].annotated) > 0
    assert known.sum() == pytest.approx(600, abs=3)
    assert known[500:700].all()
    assert known[1000:1200].all()
    assert known[2000:2200].all()
    assert (np.asarray(data[split].y)[known, 0] == 1).all()


def test_false_alarms_are_crossed_before_and_after_they_are_saved(recordings):
    viewer = Viewer(recordings[1], {"manual": table(), "predicted": FOUND})

    def crossed():
        drawn = [bars for axis in viewer.drawing._figure.axes for bars in axis.collections]
        return sum(len(bars.get_paths()) for bars in drawn if bars.get_hatch() == CROSSED["hatch"])

    viewer.stretch = (0, 4)
    assert crossed() == 0
    viewer.editor.mark(0.5, 0.7)
    viewer.editor.press("0")
    assert crossed() == 1
    viewer.editor.save()
    assert crossed() == 1
    viewer.editor.undo()
    assert crossed() == 0


def test_in_an_annotated_recording_it_is_said_that_nothing_is_to_do(recordings):
    viewer = Viewer(recordings[0])
    viewer.selection = (2.0, 2.1)
    viewer.editor.reject()
    assert "already count as noise" in viewer._status.value
    assert not viewer.editor.draft.edits.unsaved
    viewer.editor.mark(1.0, 1.2)
    viewer.editor.reject()
    assert viewer.annotations["annotations"]["name"].tolist() == ["a", "p"]
    viewer.editor.save()
    assert read_annotated(recordings[0], 4.0).tolist() == [[0.0, 4.0]]
    viewer.selection = None
    with pytest.raises(DssError, match="Nothing is marked"):
        viewer.editor.reject()
