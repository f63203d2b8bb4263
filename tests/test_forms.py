import asyncio
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from dss.errors import DssError, DssWarning
from dss.options import (
    AugmentOptions,
    DatasetOptions,
    PredictOptions,
    TrainCommandOptions,
    TrainOptions,
    written_fields,
)
from dss.support.progress import bar
from dss.widgets import Form
from dss.widgets.forms.chooser import Chooser
from dss.widgets.forms.prediction import PredictFormOptions


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    (tmp_path / "work" / "song.npy").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")


def wait_until(condition):
    for _ in range(200):
        if condition():
            return
        time.sleep(0.05)
    raise TimeoutError


def shown(widget):
    """The text of everything visible in a widget."""
    if widget.layout.display == "none":
        return ""
    own = (getattr(widget, name, "") for name in ("value", "description", "titles"))
    return " ".join(map(str, [*own, *map(shown, getattr(widget, "children", ()))]))


@pytest.mark.parametrize("options_class", [DatasetOptions, PredictOptions, TrainCommandOptions])
def test_a_form_left_alone_gives_the_defaults(options_class):
    form = Form(options_class, lambda **named: named, values={})
    needed = {n for n, f in options_class.model_fields.items() if f.is_required()}
    assert set(form.problems) == needed
    form.options = dict.fromkeys(needed, "song.npy")
    expected = options_class(**dict.fromkeys(needed, "song.npy"))
    assert form.options_class.checked(form.options) == expected


@pytest.mark.parametrize("options_class", [DatasetOptions, TrainCommandOptions])
def test_every_option_has_its_label_unit_tooltip_and_help_in_the_form(options_class):
    form = Form(options_class, print, values={})
    text = shown(form.widget)
    for name, option in written_fields(options_class).items():
        field = form._fields[name]
        assert option.title in text
        assert option.description.split(". ")[0].rstrip(".")[:60] in field.message.replace(
            "&#x27;", "'"
        )
        assert option.description in field.input.tooltip
        assert option.json_schema_extra["unit"] in field.input.description
    form._in_full.value = True
    assert (
        "at least" in form._fields["nb_filters" if "nb_filters" in form.options else "seed"].message
    )


def test_a_form_runs_what_its_button_does():
    form = Form(DatasetOptions, lambda **named: named, "Make dataset")
    form.options = {"rename": {"a": "x"}, "song_types": ["x", "b"], "gap_seconds": 0.002}
    given = form.run()
    assert given is form.result
    assert form.options["rename"] == "a=x"
    assert DatasetOptions(**given).rename == {"a": "x"}
    assert DatasetOptions(**given).song_types == ["x", "b"]


@pytest.mark.parametrize("how", ["text", "mapping", "options"])
def test_augmentations_are_shown_as_they_are_written(how):
    values = {"gain_db": 6.0, "background": 0.5}
    given = {"text": "{gain_db: 6.0, background: 0.5}", "options": AugmentOptions(**values)}
    form = Form(TrainOptions, dict, values={"data_dir": "song.npy"})
    form.options = {"augmentations": given.get(how, values)}
    assert TrainOptions(**form.run()).augmentations == AugmentOptions(**values)
    form.options = {"augmentations": None}
    assert "augmentations" not in form.options


def test_what_cannot_be_used_is_said_beside_the_field_and_the_button_waits():
    form = Form(TrainOptions, print, values={"data_dir": "song.npy"})
    assert not form._button.disabled
    form.options = {"nb_epoch": "many"}
    assert form._button.disabled
    assert "should be a whole number" in form._fields["nb_epoch"].message
    assert "whole number" not in form._fields["batch_size"].message
    with pytest.raises(DssError, match="nb_epoch: 'many' should be a whole number"):
        form.run()
    form.options = {"nb_epoch": 3, "data_dir": "nowhere.npy"}
    assert "nowhere.npy does not exist" in form._fields["data_dir"].message
    assert "Please check: Data folder<" in shown(form.widget)  # by the buttons
    form.options = {"data_dir": "sing.npy"}
    assert "did you mean song.npy?" in form._fields["data_dir"].message
    form.options = {"data_dir": "data/song.npy"}
    assert "there is no folder" in form._fields["data_dir"].message
    form.options = {"data_dir": "song.npy"}
    assert "Cannot be used" not in shown(form.widget)
    assert not form._button.disabled
    with pytest.raises(DssError, match="nb_epochs: there is no such option; did you mean nb_epoch"):
        form.options = {"nb_epochs": 3}


def test_a_fold_says_what_in_it_is_changed_or_wrong():
    form = Form(TrainOptions, print, values={"data_dir": "song.npy"})
    assert "More: Network, " in shown(form.widget)
    form.options = {"dropout": 2, "nb_lstm_units": 4}
    assert "Filters on the spectrogram · 2 changed · ⚠ Dropout" in shown(form.widget)


def test_the_button_does_not_wait_and_what_goes_wrong_is_shown():
    goes_on = threading.Event()

    def action(**named):
        assert goes_on.wait(10)
        raise DssError("there is no such <thing>")

    form = Form(PredictOptions, action)
    form._button.click()
    wait_until(lambda: form._button.disabled)
    assert "Stop" in shown(form.widget)
    goes_on.set()
    wait_until(lambda: not form._button.disabled)
    assert "there is no such &lt;thing&gt;" in form._status.value
    assert "Stop" not in shown(form.widget)


def test_progress_is_shown_and_stop_ends_the_work():
    begun = threading.Event()

    def action(**named):
        with bar(total=10**6, desc="train") as progress:
            for _ in range(10**6):
                progress.update()
                begun.set()
                time.sleep(0.001)

    form = Form(PredictOptions, action)
    form._button.click()
    assert begun.wait(10)
    wait_until(lambda: "train" in shown(form.widget))
    form._stop.click()
    wait_until(lambda: not form._button.disabled)
    assert "Stopped" in form._status.value
    assert "train" not in shown(form.widget)


def test_stop_means_what_works_now_and_not_what_comes_next():
    form = Form(PredictOptions, lambda **named: [*bar(range(3), desc="train")])
    form.stop()
    assert form.run() == [0, 1, 2]


def test_what_is_probably_not_meant_is_shown_with_the_result():
    def action(**named):
        import warnings

        warnings.warn("song is rare", DssWarning, stacklevel=2)
        return Path("a & b.npy")

    form = Form(PredictOptions, action)
    form._button.click()
    wait_until(lambda: "song is rare" in form._status.value)
    assert "a &amp; b.npy" in form._status.value


def test_finish_waits_for_the_button_or_does_its_work_once():
    n_runs = []

    def action(**named):
        time.sleep(0.1)
        n_runs.append(1)
        return len(n_runs)

    pressed = Form(PredictOptions, action)
    pressed._button.click()
    assert pressed.finish() == 1
    assert pressed.finish() == 1
    assert Form(PredictOptions, action).finish() == 2
    pressed._button.click()
    pressed._buttons.children[-1].click()  # Defaults: what it does is not waited for
    wait_until(lambda: pressed.options["event_threshold"] == "0.4")
    assert pressed.finish() == 3


def test_finish_says_what_went_wrong_and_can_be_tried_again():
    results = [DssError("no such thing"), None]

    def action(**named):
        result = results.pop(0)
        if result:
            raise result
        return "made"

    form = Form(PredictOptions, action)
    with pytest.raises(DssError, match="no such thing"):
        form.finish()
    assert form.finish() == "made"


@pytest.mark.parametrize("how", ["finish", "await"])
def test_what_a_cell_waits_for_goes_on_if_it_is_interrupted(how):
    goes_on, n_runs = threading.Event(), []

    def action(**named):
        n_runs.append(1)
        return goes_on.wait(10) and "made"

    form = Form(PredictOptions, action)
    # As a kernel has it; in a process that was started in the background it would be ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            form.finish() if how == "finish" else asyncio.run(waiting(form))
    finally:
        signal.signal(signal.SIGINT, before)
    assert form._work.is_waited_for  # for the kernel as well: else it closes the thread's socket
    goes_on.set()
    assert form.finish() == "made"
    assert n_runs == [1]


async def waiting(form):
    return await form


def test_while_a_cell_awaits_a_form_its_buttons_work():
    def action(**named):
        with bar(total=10**6, desc="train") as progress:
            for _ in range(10**6):
                progress.update()
                time.sleep(0.001)

    form = Form(PredictOptions, action)

    async def run_cell():
        asyncio.get_running_loop().call_later(0.2, form._stop.click)  # as the kernel handles it
        return await form

    with pytest.raises(DssError, match="Stopped"):
        asyncio.run(run_cell())
    form.action = lambda **named: "made"
    assert asyncio.run(waiting(form)) == "made"


def test_an_app_takes_what_was_made_before_and_makes_nothing_anew(monkeypatch, tmp_path):
    def action(**named):
        path = tmp_path / "work" / "made.npy"
        path.mkdir()
        return path

    Form(PredictOptions, action, remember="make").run()
    form = Form(PredictOptions, action, remember="make", values={})
    with pytest.raises(FileExistsError):
        form.finish()
    monkeypatch.setenv("VOILA_REQUEST_URL", "http://localhost:8866")
    assert form.finish() == tmp_path / "work" / "made.npy"
    (tmp_path / "work" / "made.npy").rmdir()
    form.result = None
    assert form.finish().is_dir()


def test_a_form_remembers_what_was_last_used_in_this_folder():
    for threshold in ("0.7", None):
        form = Form(PredictOptions, lambda **named: 1, remember="predict")
        if threshold:
            form.options = {"event_threshold": threshold}
            form.run()
        assert form.options["event_threshold"] == "0.7"
    assert Form(PredictOptions, print).options["event_threshold"] == "0.4"


def test_a_button_that_is_clicked_twice_works_once():
    calls, may_end = [], threading.Event()

    def action(**named):
        calls.append(named)
        may_end.wait(60)
        return "done"

    form = Form(PredictOptions, action)
    form._button.click()
    form._button.click()
    may_end.set()
    assert form.finish() == "done"
    assert len(calls) == 1


def test_a_result_of_other_options_is_faded():
    form = Form(PredictOptions, lambda **named: "done")
    form.run()
    assert "dss-stale" not in form._status._dom_classes
    threshold = form.options["event_threshold"]
    form.options = {"event_threshold": 0.7}
    assert "dss-stale" in form._status._dom_classes
    form.options = {"event_threshold": f"{threshold}00"}  # the same number
    assert "dss-stale" not in form._status._dom_classes


def test_what_a_blank_field_stands_for_is_reported():
    form = Form(TrainOptions, print, values={"data_dir": "song.npy", "learning_rate": ""})
    default = TrainOptions.model_fields["learning_rate"].default
    assert f"Blank means {default}." in form._fields["learning_rate"].message
    assert "Left blank" not in form._fields["batch_size"].message
    assert "Left blank" not in form._fields["save_prefix"].message  # blank is what it is


def test_defaults_leave_what_has_none():
    form = Form(TrainOptions, print, values={"data_dir": "song.npy", "nb_epoch": 7})
    form._reset()
    assert form.options["data_dir"] == "song.npy"
    assert form.options["nb_epoch"] != "7"


@pytest.mark.parametrize("text", ["- 1", "predict: 3\npredict chosen: [1]", "predict: [1"])
def test_a_memory_that_makes_no_sense_is_ignored(text):
    Path(".dss_forms.yaml").write_text(text)
    form = Form(PredictOptions, dict, remember="predict")
    assert form.last_used == {}
    form.run()
    assert form.last_used == form.options


def test_values_that_are_given_win_over_what_was_last_used():
    before = Form(PredictOptions, dict, values={"event_threshold": 0.6}, remember="predict")
    before.run()
    assert "As last time" not in shown(before.widget)  # nobody chose anything
    before.options = {"event_threshold": 0.7}
    before.run()
    Form(PredictOptions, dict, values={"event_threshold": 0.6}, remember="predict").run()
    given = Form(PredictOptions, print, values={"segment_threshold": 0.4}, remember="predict")
    assert given.options["event_threshold"] == "0.4"
    assert "As last time" in shown(given.widget)
    button = next(b for b in given._buttons.children if b.description == "As last time")
    button.click()
    wait_until(lambda: given.options["event_threshold"] == "0.7")
    assert given.options["segment_threshold"] == "0.5"


def test_a_path_is_chosen_by_clicks_and_relative_if_it_is_near(tmp_path):
    for folder in ("data/birds", "data/old.npy"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "data" / "notes.txt").write_text("x")
    form = Form(TrainOptions, print, values={"data_dir": "song.npy"})
    chooser = form._fields["data_dir"].chooser
    assert "notes" not in shown(form.widget)
    chooser.open("song.npy")
    entries = dict(chooser._list.options)
    assert list(entries) == [".. (the folder above)", "▦ song.npy"]
    chooser._list.value = entries[".. (the folder above)"]
    chooser._list.value = dict(chooser._list.options)["▸ data/"]
    entries = dict(chooser._list.options)
    assert list(entries)[1:] == ["▸ birds/", "▦ old.npy"]  # what is no dataset is not listed
    chooser._list.value = entries["▦ old.npy"]
    assert form.options["data_dir"] == os.path.join("..", "data", "old.npy")
    assert not chooser.is_open
    chooser.open("/nowhere/at/all")
    assert chooser.folder == Path("/")


def test_only_runs_with_a_network_are_listed(tmp_path):
    folder = tmp_path / "song.res"
    folder.mkdir()
    for name in ("killed_params.yaml", "whole_params.yaml", "whole_model.h5"):
        (folder / name).touch()
    chooser = Chooser("run", print)
    chooser.show(folder)
    assert [text for text, _ in chooser._list.options][1:] == ["◆ whole"]


def test_a_single_recording_is_chosen_by_clicks(tmp_path):
    (tmp_path / "bird.wav").touch()
    (tmp_path / "bird_annotations.csv").touch()
    taken = []
    chooser = Chooser("view", taken.append)
    chooser.show(tmp_path)
    assert "bird_annotations.csv" not in dict(chooser._list.options)
    chooser._list.value = dict(chooser._list.options)["bird.wav"]
    assert taken == [os.path.join("..", "bird.wav")]
    chooser.open(taken[0])
    assert chooser.folder == tmp_path


def test_what_will_be_written_gets_its_folder_by_clicks_and_keeps_its_name(tmp_path):
    form = Form(DatasetOptions, print, values={"store_dir": "new.npy"})
    chooser = form._fields["store_dir"].chooser
    (tmp_path / "sets").mkdir()
    chooser.open("new.npy")
    chooser.show(tmp_path / "sets")
    chooser._here.click()
    assert form.options["store_dir"] == os.path.join("..", "sets", "new.npy")


def test_what_will_be_written_and_has_no_name_yet_gets_only_its_folder(tmp_path):
    form = Form(DatasetOptions, print)
    field = form._fields["store_dir"]
    field.widget.children[0].children[0].children[1].click()  # opens the chooser
    assert field.chooser.folder == Path.cwd()
    field.chooser.show(tmp_path)
    field.chooser._here.click()
    assert form.options["store_dir"] == os.path.join("..", "")


def test_a_folder_says_how_many_recordings_are_in_it(tmp_path):
    for name in ("a.wav", "a_annotations.csv", "b.FLAC"):
        (tmp_path / name).touch()
    chooser = Chooser("recordings", print)
    chooser.show(tmp_path)
    assert "contains 2 recordings" in chooser._where.value
    chooser.show(tmp_path / "work")
    assert "contains 0 recordings" in chooser._where.value


def test_a_run_is_chosen_as_one_thing(tmp_path):
    for suffix in ("_params.yaml", "_model.h5", "_history.csv"):
        (tmp_path / "work" / f"20261123_101500{suffix}").touch()
    form = Form(TrainOptions, print, values={"data_dir": "song.npy"})
    chooser = form._fields["continue_from"].chooser
    chooser.open("")
    chooser.show(tmp_path / "work")
    assert list(dict(chooser._list.options))[1:] == ["◆ 20261123_101500"]
    chooser._list.index = 1
    assert form.options["continue_from"] == "20261123_101500"
    assert "does not exist" not in form._fields["continue_from"].message


def test_values_that_a_list_or_a_checkbox_cannot_show_are_an_error_or_forgotten():
    values = {"overwrite": "maybe", "test_split": "moon", "seed": 7}
    Path(".dss_forms.yaml").write_text(f"make: {values}")
    form = Form(DatasetOptions, dict, remember="make")
    assert form.options["seed"] == "7"
    assert form.options["overwrite"] is False
    for name, said in (("overwrite", "'maybe' should be True or False"), ("test_split", "'moon' ")):
        with pytest.raises(DssError, match=f"{name}: {said}"):
            Form(DatasetOptions, dict, values={name: values[name]})


def test_a_folder_without_a_place_for_the_memory_is_worked_in_all_the_same():
    Path(".dss_forms.yaml").mkdir()
    assert Form(PredictOptions, lambda **named: 1, remember="predict").run() == 1


def test_a_run_without_weights_is_said_beside_its_field():
    (Path("song.res")).mkdir()
    Path("song.res/a_params.yaml").touch()
    form = Form(PredictFormOptions, print, values={"recordings": ".", "run": "song.res/a"})
    assert "has no weights: there is no song.res/a_model.h5" in form._fields["run"].message
    form.options = {"run": "song.rs/a"}
    assert "there is no folder" in form._fields["run"].message
