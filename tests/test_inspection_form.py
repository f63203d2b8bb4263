import numpy as np
import pytest
import soundfile
from conftest import write_recording

from dss.data import make_dataset
from dss.data.problems import as_table
from dss.errors import DssError, DssWarning
from dss.review.views import summarize
from dss.widgets import InspectForm, SegmentMap, Viewer
from dss.widgets.forms.problems import problems_table


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def test_recordings_and_then_a_dataset_are_looked_at(folder):
    form = InspectForm({"path": folder})
    assert "3 recordings; a, b, p." in form._fields["path"].message
    assert [view.name for view in form.run()] == [f"bird_{i}.wav" for i in range(3)]
    assert "No problems found" in form._status.value
    viewer = Viewer(form)
    form.options = {"path": make_dataset(folder)}
    assert "A dataset." in form._fields["path"].message
    form.run()
    assert [m.name for m in viewer.views] == [m.name for m in form.result]
    assert viewer.view.name == "train"


def test_what_is_wrong_is_listed_and_the_sound_can_still_be_seen(folder):
    write_recording(folder, "late", np.zeros((1000, 1)), 1000, [("a", 5, 6)])
    form = InspectForm({"path": folder})
    form.run()
    for said in ("late_annotations.csv", "row 2 (a)", "stops at 6 s"):
        assert said in form._status.value
    assert len(form.result) == 4


def test_a_recording_that_cannot_be_read_is_listed_and_the_others_are_looked_at(folder):
    (folder / "a_corrupt.wav").write_bytes(b"no sound")
    (folder / "a_corrupt_annotations.csv").write_text("name,start_seconds,stop_seconds\na,1,2\n")
    form = InspectForm({"path": folder})
    with pytest.warns(DssWarning, match="1 of 4 recordings left out: .*a_corrupt.wav"):
        assert len(form.run()) == 3
    assert "a_corrupt.wav" in form._status.value
    assert "cannot be read as audio" in form._status.value
    table = summarize(folder, **form.how)
    assert table.loc["a_corrupt.wav", ["seconds", "samplerate_hz", "channels"]].isna().all()
    assert table.loc["all", ["seconds", "samplerate_hz", "channels"]].tolist() == [12, 1000, 1]


def test_a_broken_h5_is_an_error(tmp_path):
    (tmp_path / "broken.h5").write_bytes(b"no HDF5")
    form = InspectForm({"path": tmp_path / "broken.h5"})
    with pytest.raises(DssError, match=r"broken\.h5: cannot be read as HDF5"):
        form.run()


def test_how_recordings_are_read_is_handed_on(tmp_path):
    (tmp_path / "song").mkdir()
    np.save(tmp_path / "song" / "bird.npy", np.zeros(4000))
    (tmp_path / "song" / "bird_annotations.csv").write_text(
        "name,start_seconds,stop_seconds\na,1,1.1\n"
    )
    form = InspectForm({"path": tmp_path / "song"})
    with pytest.raises(DssError, match="does not store its sample rate"):
        form.run()
    form.options = {"samplerate_hz": 2000}
    (view,) = form.run()
    assert view.recording.samplerate_hz == 2000
    assert summarize(tmp_path / "song", **form.how)["seconds"]["all"] == 2


def test_a_dataset_or_a_folder_is_chosen_by_clicks(folder, tmp_path):
    make_dataset(folder)
    form = InspectForm({"path": folder})
    chooser = form._fields["path"].chooser
    chooser.open(str(folder.with_suffix(".npy")))
    entries = dict(chooser._list.options)
    assert {"▸ song/", "▦ song.npy"} <= set(entries)
    chooser._list.value = entries["▸ song/"]
    assert "contains 3 recordings" in chooser._where.value
    chooser._here.click()
    assert form.options["path"] == "../song"
    chooser.open("../song")
    chooser.show(tmp_path)
    chooser._list.value = entries["▦ song.npy"]
    assert form.options["path"] == "../song.npy"


def test_without_any_annotations_the_form_says_how_to_make_some(folder):
    for file in folder.glob("*.csv"):
        file.unlink()
    form = InspectForm({"path": folder})
    form.run()
    assert "Propose song" in form._status.value
    assert "error" not in form._status.value
    (folder / "bird_0_annotations.csv").write_text("name,start_seconds,stop_seconds\na,1,1.1\n")
    form.run()
    assert "Propose song" not in form._status.value
    assert form._status.value.count("there are no annotations next to it") == 2


def test_problems_are_listed_below_the_files_in_which_they_are():
    problems = [
        ("song/a.csv", 3, "x", "stops before it starts", "error"),
        ("song/a.csv", None, None, "is odd & old", "warning"),
        ("song/b.wav", None, None, "was cut", "fixed"),
    ]
    said = problems_table(as_table(problems))
    assert "nan" not in said.lower()
    assert "<NA>" not in said
    assert said.count("a.csv") == said.count("b.wav") == 1
    assert said.index("is odd &amp; old") < said.index("row 3 (x)") < said.index("b.wav")


def test_annotations_that_cannot_be_read_are_said_by_the_viewer_and_the_map(folder):
    path = folder / "bird_0_annotations.csv"
    path.write_text("name,start_seconds,stop_seconds\na,soon,0.2\n")
    said = "bird_0_annotations.csv, row 2: start_seconds is &#x27;soon&#x27;; it should be a number"
    viewer = Viewer(folder)
    assert said in viewer._status.value
    viewer.show("bird_1.wav")
    assert not viewer._status.value
    assert said in SegmentMap(folder).buttons.message.value


def test_a_recording_that_cannot_be_shown_does_not_hide_the_others(folder):
    soundfile.write(folder / "bird_0.wav", np.full((4000, 1), np.nan), 1000, subtype="FLOAT")
    viewer = Viewer(folder)
    assert "bird_0.wav: sample 0 is not a number" in viewer._status.value
    viewer.show("bird_1.wav")
    assert not viewer._status.value
    (folder / "bird_2.wav").unlink()
    viewer.guarded(lambda: viewer.show("bird_2.wav"))
    assert "bird_2.wav: there is no such recording any more" in viewer._status.value
    with pytest.raises(DssError, match="sample 0 is not a number"):
        Viewer(folder / "bird_0.wav")


def test_a_warning_is_shown_once(folder):
    cut = (folder / "bird_0.wav").read_bytes()
    (folder / "bird_0.wav").write_bytes(cut[: len(cut) // 2])
    form = InspectForm({"path": folder})
    form._button.click()
    form._work.wait()
    assert form._status.value.count('<div class="dss-doubt">') == 1
