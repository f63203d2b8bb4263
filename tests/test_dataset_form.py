import shutil
import time
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import tone_song, write_recording

from dss.data import describe, format_report, make_dataset, open_dataset
from dss.errors import DssError
from dss.widgets import DatasetForm, InspectForm


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def wait_until(condition):
    for _ in range(400):
        if condition():
            return
        time.sleep(0.05)
    raise TimeoutError


def text(form):
    return " ".join(
        widget.value for widget in form._below.children if isinstance(widget.value, str)
    )


def test_a_preview_shows_the_splits_and_nothing_is_written(folder):
    form = DatasetForm({"data_dir": folder, "test_fraction": 0.3})
    tree = form.preview()
    assert "✓ No problems found" in text(form)
    n = describe(tree).loc["train", "a"]
    assert f'<th>a</th><td class="dss-n{n}">{n}</td>' in text(form)
    assert bytes(form._below.children[-1].value[:4]) == b"\x89PNG"
    assert not folder.with_suffix(".npy").exists()
    assert list(Path.cwd().iterdir()) == []
    assert format_report(tree) == format_report(open_dataset(form.run()))


def test_a_song_type_that_a_split_lacks_stands_out_in_the_preview(folder):
    x, rows = tone_song(seed=5, seconds=2)
    write_recording(folder, "bird_3", x, 1000, [*rows[:2], ("rare", 1.0, 1.1)])
    form = DatasetForm({"data_dir": folder})
    form._preview.click()
    wait_until(lambda: "rare does not occur in" in text(form))
    assert "<th>rare</th>" in text(form)
    assert '<td class="dss-n0">0</td>' in text(form)


def test_what_is_wrong_is_listed_by_file_and_row(folder):
    x, rows = tone_song(seed=5)
    write_recording(folder, "bird_4", x, 1000, [*rows, ("a", 3.0, 99.0)])
    form = DatasetForm({"data_dir": folder})
    with pytest.raises(DssError, match="99"):
        form.preview()
    lines = (folder / "bird_4_annotations.csv").read_text().splitlines()
    (row,) = (i for i, line in enumerate(lines, start=1) if "99" in line)
    assert "bird_4_annotations.csv<" in text(form)
    assert f"row {row} (a)<" in text(form)
    assert "stops at 99 s, but the recording ends at 4 s" in text(form)


def test_the_button_makes_the_dataset_and_says_what_is_in_it(folder):
    form = DatasetForm({"data_dir": folder, "store_dir": "made.npy"})
    form._button.click()
    wait_until(lambda: form.result is not None and not form._button.disabled)
    assert form.result == Path("made.npy")
    assert "<b>made.npy</b>" in form._status.value
    assert "<th>a</th>" in form._status.value
    assert form.finish() == Path("made.npy")


def test_a_preview_fades_when_it_is_of_other_options(folder):
    form = DatasetForm({"data_dir": folder})
    form.run()
    form.options = {"val_fraction": 0.3}
    form.preview()
    assert "dss-stale" not in form._below._dom_classes
    assert "dss-stale" in form._status._dom_classes
    form.options = {"val_fraction": 0.2}
    assert "dss-stale" in form._below._dom_classes


def test_what_a_preview_cannot_show_leaves_the_result(folder):
    form = DatasetForm({"data_dir": folder})
    form.run()
    said = form._status.value
    form.options = {"song_types": "trill"}
    form._preview.click()
    wait_until(lambda: "trill" in form._aside.value)
    assert form._status.value == said


def test_a_dataset_that_is_there_already_is_said_before_the_button_is_pressed(folder):
    form = DatasetForm({"data_dir": folder})
    assert "song.npy." in form._fields["store_dir"].message
    form.run()
    form.options = {"val_fraction": 0.3, "data_dir": f"../{folder.name}"}
    said = "already exists, with other settings (Validation fraction): tick Overwrite"
    assert said in form._fields["store_dir"].message
    assert form._button.disabled
    assert not form._preview.disabled
    with pytest.raises(DssError, match="already exists, with other settings"):
        form.run()
    form.options = {"overwrite": True}
    assert "song.npy will be replaced." in form._fields["store_dir"].message
    assert form.run().is_dir()


def test_a_dataset_is_made_anew_in_the_same_way_without_asking(folder):
    first = open_dataset(DatasetForm({"data_dir": folder, "seed": 3}).run()).attrs
    form = DatasetForm({"data_dir": folder, "seed": 3})
    assert "song.npy already exists with these settings" in form._fields["store_dir"].message
    assert open_dataset(form.run()).attrs["filename_train"] == first["filename_train"]
    shutil.copytree(folder, folder.with_name("others"))
    form.options = {"data_dir": folder.with_name("others"), "store_dir": form.result}
    with pytest.raises(DssError, match=r"with other settings \(Data folder\)"):
        form.run()
    Path("mine.npy").mkdir()  # of another program
    form.options = {"data_dir": folder, "store_dir": "mine.npy"}
    with pytest.raises(DssError, match="already exists, and cannot be read as a dataset"):
        form.run()


def test_what_cannot_be_is_said_beside_the_field(folder):
    form = DatasetForm({"data_dir": folder.with_name("birds"), "store_dir": "made"})
    assert "birds does not exist" in form._fields["data_dir"].message
    assert ".npy" in form.problems["store_dir"]
    assert form._preview.disabled


def test_what_the_folder_holds_is_said_at_once(folder, tmp_path):
    form = DatasetForm({"data_dir": folder})
    assert "3 recordings." in form._fields["data_dir"].message
    assert "Found: a, b, p." in form._fields["song_types"].message
    form.options = {"data_dir": tmp_path / "work"}
    assert "contains no recordings" in form._fields["data_dir"].message
    assert form._button.disabled


def test_the_individuals_that_a_pattern_names_are_reported(folder):
    form = DatasetForm({"data_dir": folder})
    form._fields["groups"].input.value = "bird_([0-9])"
    assert "3 individuals: 0, 1, 2." in form._fields["groups"].message
    form._fields["groups"].input.value = "bird_"
    assert "needs parentheses around the individual" in form._fields["groups"].message
    form._fields["groups"].input.value = "bird_([01])"
    assert "match no group in" in form._fields["groups"].message
    assert "such as bird_2.wav" in form._fields["groups"].message
    assert "3 recordings." in form._fields["data_dir"].message


def test_recordings_of_a_format_of_your_own(tmp_path):
    for i in range(3):
        (tmp_path / "mine").mkdir(exist_ok=True)
        (tmp_path / "mine" / f"{i}.mine").write_text("song")

    def load(path):
        return 1000, tone_song(seed=int(Path(path).stem))[0]

    def load_annotations(path):
        import pandas as pd

        rows = tone_song(seed=int(Path(path).stem))[1]
        return pd.DataFrame(rows, columns=["name", "start_seconds", "stop_seconds"])

    form = DatasetForm(
        {"data_dir": tmp_path / "mine", "endings": ".mine"},
        loader=load,
        annotation_loader=load_annotations,
    )
    form.preview()
    assert open_dataset(form.run()).attrs["class_names"] == ["noise", "a", "b", "p"]


def test_the_form_shows_which_annotations_a_pattern_finds(folder):
    labels = folder.parent / "labels"
    labels.mkdir()
    for path in sorted(folder.glob("*_annotations.csv"))[:2]:
        path.rename(labels / path.name.replace("_annotations", ""))
    values = {"data_dir": str(folder), "annotations_at": "../labels/{stem}.csv"}
    hint = DatasetForm(values).hints["annotations_at"]
    assert hint == (
        "2 of 3 recordings have annotations there, such as bird_0.wav: ../labels/bird_0.csv."
    )


def test_a_button_takes_the_sample_rate_that_is_proposed(folder):
    x, rows = tone_song(seed=5, seconds=2)
    write_recording(folder, "bird_3", x.repeat(2, axis=0), 2000, rows)
    forms = DatasetForm({"data_dir": folder}), InspectForm({"path": folder})
    for form, look in zip(forms, (forms[0].preview, forms[1].run), strict=True):
        with suppress(DssError):
            look()
        (button,) = (w for w in form._below.children if hasattr(w, "click"))
        button.click()
        rate = float(form.options["samplerate_hz"])
        assert button.description == f"Use {rate:,g} Hz"
        assert rate in (1000, 2000)
        assert form.problems == {}
        look()
        assert not any(hasattr(w, "click") for w in form._below.children)
    assert make_dataset(folder, samplerate_hz=rate).exists()
