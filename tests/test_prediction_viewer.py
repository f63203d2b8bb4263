import re
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import tone_song, write_recording

from dss.data import read_annotations
from dss.data.annotated_stretches import write_annotated
from dss.errors import DssError
from dss.evaluate import evaluate
from dss.evaluate.true_annotations import TrueAnnotations
from dss.options import PredictFilesOptions
from dss.plot import plot_mistakes
from dss.predict import predict
from dss.predict.detection import with_run_options
from dss.predict.near_misses import near_misses_path
from dss.review.comparison import agrees_with_manual
from dss.widgets import PredictForm, PredictionViewer
from dss.widgets.viewer import predictions

pytestmark = pytest.mark.usefixtures("nothing_edited")
OWN = PredictFilesOptions.model_fields
TIMES = ["start_seconds", "stop_seconds"]


@pytest.fixture
def values(tiny_run, tmp_path):
    """The values of a form for three new recordings, one of them without manual annotations."""
    for i in range(3):
        x, rows = tone_song(seed=20 + i)
        path = write_recording(tmp_path / "new", f"bird_{20 + i}", x, 1000, rows)
    path.with_name(f"{path.stem}_annotations.csv").unlink()
    folder = str(tmp_path / "annotated")
    return {"recordings": str(tmp_path / "new"), "run": str(tiny_run[0]), "save_dir": folder}


@pytest.fixture
def form(values, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    form = PredictForm(values)
    form.run()
    return form


@pytest.fixture
def viewer(form):
    viewer = PredictionViewer(form)
    assert viewer.scores is not None
    return viewer


def test_by_hand_and_by_dss_are_shown_with_their_scores(viewer, values, tmp_path):
    assert list(viewer.annotations) == ["manual", "predicted"]
    found = [predict(tmp_path / "new" / f"bird_{i}.wav", values["run"]) for i in (20, 21)]
    hand = [tmp_path / "new" / f"bird_{i}_annotations.csv" for i in (20, 21)]
    expected = evaluate(hand, found)
    assert viewer.scores["predicted"].tolist() == expected["predicted"].tolist()
    np.testing.assert_allclose(viewer.scores["f1"], expected["f1"])
    assert "2 recordings that the network did not learn from" in viewer._message.value
    viewer.show("bird_22.wav")
    assert list(viewer.annotations) == ["predicted"]


def test_manual_annotations_are_read_as_the_check_reads_them(form, values, tmp_path):
    """Those of one recording lie elsewhere, in samples, without names."""
    there = tmp_path / "new" / "bird_20_annotations.csv"
    expected = read_annotations(there).query("name == 'a'")
    lines = (f"{1000 * a:.0f},{1000 * b:.0f}\n" for a, b in expected[TIMES].to_numpy())
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "bird_20.csv").write_text(f"start,stop\n{''.join(lines)}")
    for file in (tmp_path / "new").glob("*.csv"):
        file.unlink()
    assert PredictionViewer(form).compared == ([], [])
    how = {"annotations_at": "../labels/{stem}.csv", "time_unit": "samples", "unnamed": "a"}
    viewer = PredictionViewer(form, **how)
    assert [len(by_hand.table) for by_hand in viewer.compared[0]] == [len(expected)]
    assert viewer.scores.loc["a", "recall"] > 0.8
    assert viewer.view.name == "bird_20.wav"
    np.testing.assert_allclose(viewer.annotations["manual"][TIMES], expected[TIMES], atol=1e-3)
    true, predicted = viewer.compared
    assert len(plot_mistakes(true, predicted).axes) > 0
    viewer.editor.draft.put(viewer.editor.draft.now._replace(annotations=expected[:1]))
    viewer.editor.draft.save()
    assert [len(by_hand.table) for by_hand in viewer.compared[0]] == [1]
    viewer.editor.draft.edits.forget_saved()


def test_recordings_of_another_form_are_shown_and_saved(values, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x, _ = tone_song(seed=30)
    x.astype(np.float32).tofile(tmp_path / "new" / "bird.raw")

    def load(path):
        return 1000, np.fromfile(path, np.float32)

    form = PredictForm({**values, "endings": [".raw"]}, loader=load)
    form.run()
    viewer = PredictionViewer(form)
    assert viewer.recording.duration_seconds == len(x) / 1000
    assert viewer.save(tmp_path / "again") == [tmp_path / "again" / "bird_annotations.csv"]


def test_arrays_are_shown_and_saved_at_the_rate_of_the_network(values, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save(tmp_path / "bird.npy", tone_song(seed=20)[0])
    form = PredictForm(values | {"recordings": str(tmp_path / "bird.npy")})
    form.run()
    viewer = PredictionViewer(form)
    assert viewer.recording.samplerate_hz == 1000
    assert viewer.save(tmp_path / "again", "textgrid") == [
        tmp_path / "again/bird_annotations.TextGrid"
    ]


def test_moving_a_threshold_changes_the_picture_and_then_the_scores(viewer, values, tmp_path):
    before, picture = viewer.scores, viewer._image.value
    viewer.stretch = (0, 4)
    viewer.thresholds = {"segment_threshold": 0.9, "event_threshold": 0.9}
    expected = predict(
        tmp_path / "new" / "bird_20.wav",
        values["run"],
        segment_threshold=0.9,
        event_threshold=0.9,
    )
    at_once = viewer.annotations["predicted"]
    assert viewer._image.value != picture
    assert at_once["name"].tolist() == expected["name"].tolist()
    assert viewer.scores["predicted"]["all"] <= before["predicted"]["all"]
    np.testing.assert_allclose(viewer.annotations["predicted"][TIMES], expected[TIMES], atol=0.002)


def test_a_slider_that_is_moved_by_hand_does_the_same(viewer):
    viewer.sliders._sliders["segment_min_seconds"].value = 0.1
    viewer.sliders._sliders["segment_threshold"].value = 0.98
    assert viewer.thresholds["segment_threshold"] == 0.98
    durations = np.diff(viewer.annotations["predicted"].query("name != 'p'")[TIMES])
    assert (durations >= 0.1 - 1e-9).all()
    assert viewer.scores is not None


def test_a_slider_can_be_moved_below_a_tuned_hold_threshold(tiny_run, values, tmp_path):
    from dss.runs import read_params, write_params

    stored = {"segment_threshold": 0.6, "segment_hold_threshold": 0.5}
    params = read_params(tiny_run[0]) | {"detect": {"options": stored}}
    write_params(tmp_path / "tuned", params)
    shutil.copy(f"{tiny_run[0]}_model.h5", tmp_path / "tuned_model.h5")
    form = PredictForm(values | {"run": str(tmp_path / "tuned")})
    viewer = PredictionViewer(form.run())
    assert viewer.sliders.options.segment_hold_threshold == 0.5
    viewer.sliders._sliders["segment_threshold"].value = 0.3
    expected = predict(tmp_path / "new" / "bird_20.wav", values["run"], segment_threshold=0.3)
    assert viewer.scores is not None
    np.testing.assert_allclose(viewer.annotations["predicted"][TIMES], expected[TIMES], atol=0.002)


def test_what_dss_found_beside_annotations_by_hand_is_taken_over_by_a_click(viewer):
    by_hand, by_dss = viewer.annotations.values()
    name, *times = by_dss.loc[by_dss["name"] == "a", ["name", *TIMES]].iloc[1]
    viewer.editor._put(
        viewer.editor.draft.now._replace(
            annotations=by_hand[(by_hand["start_seconds"] - times[0]).abs() > 0.1]
        )
    )
    viewer.editor.click(sum(times) / 2, 0.001)
    assert viewer.selection == tuple(times)
    assert viewer.editor.chosen is None
    viewer.editor.press("Enter")
    after = viewer.annotations["manual"]
    assert [name, *times] in after[["name", *TIMES]].to_numpy().tolist()
    assert len(after) == len(by_hand)


def test_a_false_alarm_in_a_new_recording_becomes_noise_and_the_rest_stays_unknown(
    viewer, tmp_path
):
    viewer.show("bird_22.wav")
    by_dss = viewer.annotations["predicted"]
    times = by_dss.loc[by_dss["name"] == "a", TIMES].iloc[0].tolist()
    viewer.editor.mark(*times)
    viewer.editor.press("0")
    assert "stays unknown" in viewer._status.value
    assert viewer.annotations["manual"].to_numpy().tolist() == [["noise", *times]]
    assert len(viewer.annotations["predicted"]) == len(by_dss)
    viewer.editor.save()
    checked = viewer.least_certain
    in_new = checked[checked["file"].str.contains("bird_22")]
    assert times[0] not in in_new["start_seconds"].tolist()
    assert viewer.view.unknown_seconds == pytest.approx(4 - np.diff(times)[0], abs=0.002)


def test_the_next_annotation_by_dss_brings_its_name(viewer):
    by_hand, by_dss = viewer.annotations.values()
    viewer.editor._put(viewer.editor.draft.now._replace(annotations=by_hand.iloc[:0]))
    viewer.editor._name.value = "b"
    name, *times = by_dss.loc[by_dss["name"] == "a", ["name", *TIMES]].iloc[0]
    viewer.editor.mark(*times)
    assert viewer.editor._name.value == name
    assert viewer.editor.chosen is None


def test_a_recording_whose_only_change_is_undone_follows_the_thresholds_again(viewer):
    viewer.show("bird_22.wav")
    viewer.editor.click(viewer.annotations["predicted"][TIMES].iloc[0].mean(), 0.001)
    viewer.editor.delete()
    assert "manual" in viewer.annotations
    viewer.editor.undo()
    assert list(viewer.annotations) == ["predicted"]
    assert viewer.editor.draft.edits.of(viewer.recording.path) is None


def test_what_was_made_by_hand_too_is_not_worth_checking(viewer, tmp_path):
    table = viewer.least_certain
    assert "bird_22" in set(table["file"].map(lambda f: Path(f).name.split("_annotations")[0]))
    for file, rows in table[table["found"] == "annotation"].groupby("file"):
        hand = tmp_path / "new" / Path(file).name
        if hand.is_file():
            manual = TrueAnnotations(hand, hand, read_annotations(hand))
            agree = agrees_with_manual(rows, manual)
            assert not agree.any()
    by_hand, by_dss = viewer.annotations.values()
    agree = agrees_with_manual(by_dss, TrueAnnotations(hand, hand, by_hand))
    assert agree.sum() == evaluate(by_hand, by_dss).loc["all", "matched"]


def test_a_recording_annotated_in_part_may_be_annotated_next(viewer, tmp_path):
    assert len(viewer.least_certain)
    _, known = viewer._predictions.to_check()
    assert len(known) == 2
    (hand,) = tmp_path.glob("new/bird_20_annotations.csv")
    by_hand, recording = hand.read_text(), hand.with_name("bird_20.wav")
    hand.write_text(by_hand + "noise,0,0.05\n")
    viewer.saved([recording])
    assert len(viewer.least_certain)
    _, known = viewer._predictions.to_check()
    assert [file.name for file in known] == ["bird_21_annotations.csv"]
    hand.write_text(by_hand)
    for stretches, n_known in (([[0, 1]], 1), ([[0, 3.5]], 2)):
        write_annotated(recording, np.array(stretches))
        viewer.saved([recording])
        assert len(viewer._predictions.to_check()[1]) == n_known


def test_a_click_shows_the_least_certain_annotation(viewer):
    table = viewer.least_certain
    assert table["confidence"].is_monotonic_increasing
    row = table.iloc[1]
    viewer.stretch = (0, 0.5)
    viewer.checking._list.value = 1
    start, stop = viewer.stretch
    assert row["file"].endswith(viewer.view.name.replace(".wav", "_annotations.csv"))
    assert start <= row["start_seconds"] <= row["stop_seconds"] <= stop
    assert viewer.selection == pytest.approx(tuple(row[TIMES]))
    assert viewer.editor._name.value == row["name"]  # Enter gives it


def test_missed_song_is_marked_and_once_added_and_saved_no_longer_listed(viewer):
    (file,) = (f for r, f in viewer._annotated.files.items() if r.stem == "bird_22")
    near = near_misses_path(file)
    near.write_text("name,start_seconds,stop_seconds,probability\na,3.9,3.95,0.45\n")

    def listed():
        _ = viewer.least_certain  # waits for it
        return [t for t, _ in viewer.checking._list.options if "a missed?" in t and "bird_22" in t]

    viewer._later(0)
    (text,) = listed()
    viewer.checking._list.value = [t for t, _ in viewer.checking._list.options].index(text)
    assert viewer.selection == (3.9, 3.95)
    viewer.editor.name_marked()
    viewer.editor.save()
    assert not listed()


def test_annotations_are_saved_as_the_thresholds_make_them(viewer, tmp_path):
    viewer.thresholds = {"segment_threshold": 0.95}
    files = viewer.save(tmp_path / "praat", "textgrid")
    assert [file.name for file in files] == [
        f"bird_{i}_annotations.TextGrid" for i in range(20, 23)
    ]
    first = read_annotations(files[0])
    assert sorted(first["name"]) == sorted(viewer.annotations["predicted"]["name"])


def test_annotations_by_hand_are_never_replaced(form, viewer, values, tmp_path):
    hand = (tmp_path / "new" / "bird_20_annotations.csv").read_bytes()
    with pytest.raises(DssError, match=r"(?s)You made or changed .*bird_20_annotations.csv"):
        viewer.save(values["recordings"])
    form.options = {"save_dir": "", "existing": "overwrite"}
    assert "bird_20_annotations.csv has manual annotations" in form.problems["save_dir"]
    form.options = {"existing": "skip"}
    assert "is skipped" in form.hints["save_dir"]
    assert (tmp_path / "new" / "bird_20_annotations.csv").read_bytes() == hand


def test_the_viewer_shows_what_the_form_annotates_next(form, viewer, tmp_path):
    x, rows = tone_song(seed=30)
    write_recording(tmp_path / "other", "bird_30", x, 1000, rows)
    assert form.hints["existing"] == "3 recordings have annotations already and will be skipped."
    form.options = {"recordings": str(tmp_path / "other")}
    form.run()
    assert [view.name for view in viewer.views] == ["bird_30.wav"]
    assert viewer.scores["true"]["all"] == len(rows)


def test_what_was_stored_with_a_run_is_filled_in(tiny_run, values, tmp_path):
    from dss.runs import read_params, write_params

    stored = {"segment_threshold": 0.35, "segment_durations": {"a": [0.01, 0.3]}}
    params = read_params(tiny_run[0]) | {"detect": {"options": stored}}
    write_params(tmp_path / "tuned", params)
    shutil.copy(f"{tiny_run[0]}_model.h5", tmp_path / "tuned_model.h5")
    assert PredictForm(values).options["segment_threshold"] != "0.35"
    form = PredictForm(values | {"run": str(tmp_path / "tuned")})
    assert form.options["segment_threshold"] == "0.35"
    assert form.options["segment_durations"] == "a=0.01:0.3"
    assert form.problems == {}


def test_durations_that_are_cleared_are_no_limits(tiny_run, values, tmp_path):
    form = PredictForm(values)
    assert form.options["segment_durations"]
    form.options = {"segment_durations": {}}
    form.run()
    assert form.result.options.segment_durations == {}


def test_what_was_stored_with_another_run_does_not_stay(tiny_run, values, tmp_path):
    from dss.runs import read_params, write_params

    stored = {"event_interval_max_seconds": 0.5, "segment_durations": {"call A": [0.01, 0.3]}}
    params = read_params(tiny_run[0]) | {"detect": {"options": stored}}
    params["class_names"] = ["noise", "call A", *params["class_names"][2:]]
    write_params(tmp_path / "tuned", params)
    write_params(tmp_path / "untuned", params | {"detect": {}})
    for name in ("tuned", "untuned"):
        shutil.copy(f"{tiny_run[0]}_model.h5", tmp_path / f"{name}_model.h5")
    form = PredictForm(values | {"run": str(tmp_path / "tuned")})
    assert form.options["event_interval_max_seconds"] == "0.5"
    assert form.problems == {}
    form._fields["run"].input.value = str(tmp_path / "untuned")
    assert "event_interval_max_seconds" not in form.options
    assert "segment_durations" not in form.options
    form._fields["run"].input.value = str(tmp_path / "tuned")
    form._fields["event_interval_max_seconds"].input.value = ""  # nor what is cleared by hand
    given = PredictFilesOptions(**{n: v for n, v in form._given().items() if n in OWN})
    assert with_run_options(given, params).event_interval_max_seconds is None


def test_stop_ends_it_and_recordings_that_are_done_stay_done(values, tmp_path, monkeypatch):
    import dss.data.ownership

    form, write = PredictForm(values), dss.data.ownership.write_annotations

    def write_and_stop(*arguments):
        write(*arguments)
        form.stop()
        time.sleep(0.2)  # bars are drawn ten times a second

    monkeypatch.setattr(dss.data.ownership, "write_annotations", write_and_stop)
    with pytest.raises(DssError, match="Stopped: recordings annotated so far stay annotated"):
        form.finish()
    assert "Stopped" in form._status.value
    written = [path.name for path in (tmp_path / "annotated").glob("*_annotations.csv")]
    assert written == ["bird_20_annotations.csv"]


def test_what_is_annotated_and_with_what_is_said_at_once(values, tmp_path):
    form = PredictForm(values)
    assert "3 recordings." in form._fields["recordings"].message
    assert "a, b, p; 1000 Hz." in form._fields["run"].message
    form.options = {"recordings": str(tmp_path / "new" / "*.mp3")}
    assert "no file matches this pattern" in form._fields["recordings"].message
    assert form._button.disabled


def test_without_probabilities_thresholds_cannot_be_moved(values):
    form = PredictForm(values | {"probabilities": False})
    form.run()
    viewer = PredictionViewer(form)
    assert all(slider.disabled for slider in viewer.sliders._sliders.values())
    assert len(viewer.scores)
    with pytest.raises(DssError, match="tick Write probabilities"):
        viewer.thresholds = {"segment_threshold": 0.2}


def test_a_network_is_not_judged_by_what_it_learned(tiny_run, values, tmp_path):
    learned = tiny_run[1].parent / "song"
    form = PredictForm(values | {"recordings": str(learned)})
    form.run()
    viewer = PredictionViewer(form)
    assert viewer.scores["true"]["all"] < sum(
        len(read_annotations(file)) for file in learned.glob("*_annotations.csv")
    )
    assert "1 recording that the network did not learn from" in viewer._message.value


def test_without_annotations_by_hand_there_are_no_scores(values, tmp_path):
    for file in (tmp_path / "new").glob("*_annotations.csv"):
        file.unlink()
    form = PredictForm(values)
    form.run()
    viewer = PredictionViewer(form)
    assert viewer.scores[["true", "precision", "recall", "f1"]].empty
    assert viewer.compared == ([], [])
    assert "Nothing to compare with" in viewer._message.value
    assert "bird_20" in viewer.checking._next.value


def test_every_option_of_detection_can_be_set(viewer):
    viewer.thresholds = {"segment_hold_threshold": 0.2, "segment_threshold": 0.997}
    assert viewer.thresholds["segment_hold_threshold"] == 0.2
    assert viewer.thresholds["segment_threshold"] == 0.997
    before = viewer.thresholds
    viewer.thresholds = before
    assert viewer.thresholds == before
    slider = viewer.sliders._sliders["segment_threshold"]
    assert slider.max == 0.997
    viewer.thresholds = {"segment_threshold": 0.357}
    slider.value = 0.36  # as a browser sends it back, in steps of the slider
    assert viewer.thresholds["segment_threshold"] == 0.357
    slider.value = 0.37
    assert viewer.thresholds["segment_threshold"] == 0.37
    with pytest.raises(DssError, match="did you mean segment_threshold"):
        viewer.thresholds = {"segment_thresholds": 0.2}


def test_what_is_worth_annotating_next_is_not_annotated_by_hand(viewer):
    assert "bird_22" in viewer.checking._next.value
    assert "bird_20" not in viewer.checking._next.value
    texts = [text for text, _ in viewer.checking._list.options]
    assert re.fullmatch(r"[abp], confidence 0\.\d\d, at 0:0\d\.\d{3} in bird_2\d", texts[0])


def test_sounds_unlike_any_annotated_are_listed_if_one_asks(viewer, monkeypatch):
    assert not any("unlike" in text for text, _ in viewer.checking._list.options)
    by_name = {Path(file).name[:7]: str(file) for file in viewer._annotated.files.values()}
    sounds = pd.DataFrame(
        [(by_name["bird_22"], "", 0.5, 0.6, 9.0), (by_name["bird_20"], "", 0.5, 0.6, 9.0)],
        columns=["file", "name", *TIMES, "distance"],
    )
    monkeypatch.setattr(predictions, "find_novel_in_run", lambda files, run, options: sounds)
    viewer.checking.look_for_novel()
    texts = [text for text, _ in viewer.checking._list.options]
    listed = [text for text in texts if "unlike" in text]
    assert listed == ["new? unlike anything annotated, at 0:00.500 in bird_22"]
    viewer.checking._list.value = texts.index(listed[0])
    assert viewer.view.name == "bird_22.wav"
    assert "2 sounds are unlike" in viewer.checking._message.value


def test_what_was_saved_is_not_said_of_other_annotations(form, viewer, tmp_path):
    viewer.saving._chooser.open(str(tmp_path))
    viewer.saving._chooser._here.click()
    viewer.saving._folder.value += "/saved"
    viewer.saving._clicked()
    assert "3 files in <b>" in viewer.saving._message.value
    form.options = {"save_dir": str(tmp_path / "again")}
    form.run()
    assert viewer.saving._message.value == ""


def test_nothing_is_shown_before_something_was_annotated(values):
    with pytest.raises(DssError, match="press Annotate"):
        PredictionViewer(PredictForm(values))


def test_annotations_by_dss_are_corrected_by_hand_and_count_then(viewer, tmp_path):
    viewer.show("bird_22.wav")
    judged = viewer.scores["true"]["all"]
    found = viewer.annotations["predicted"]
    row = found.iloc[0]
    viewer.editor.click((row["start_seconds"] + row["stop_seconds"]) / 2, 0.001)
    viewer.editor.delete()
    assert list(viewer.annotations) == ["manual", "predicted"]
    assert len(viewer.annotations["manual"]) == len(found) - 1
    assert "confidence" not in viewer.annotations["manual"]
    file = tmp_path / "new" / "bird_22_annotations.csv"
    assert not file.exists()
    assert viewer.editor.save() == [file]
    assert viewer.scores["true"]["all"] == judged + len(found) - 1
    assert len(read_annotations(tmp_path / "annotated" / file.name)) == len(found)
