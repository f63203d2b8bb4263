import time

import pytest

from dss.data import make_dataset
from dss.errors import DssError
from dss.options import DatasetOptions, PredictOptions, TrainOptions
from dss.widgets import Form


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


@pytest.mark.parametrize("options_class", [DatasetOptions, PredictOptions, TrainOptions])
def test_a_form_left_alone_gives_the_defaults(options_class):
    form = Form(options_class, lambda **named: named, values={})
    needed = {n for n, f in options_class.model_fields.items() if f.is_required()}
    assert set(form.problems) == needed
    form.options = dict.fromkeys(needed, "x")
    assert form.options_class.checked(form.options) == options_class(**dict.fromkeys(needed, "x"))


def test_a_form_runs_what_its_button_does(folder):
    form = Form(DatasetOptions, lambda **named: make_dataset(folder, **named), "Make dataset")
    form.options = {"rename": {"a": "x"}, "song_types": ["x", "b"], "gap_seconds": 0.002}
    assert form.run().name == "song.npy"
    assert form.result.is_dir()


def test_what_cannot_be_used_is_said_beside_the_field_and_the_button_waits():
    form = Form(TrainOptions, print, values={"data_dir": "x.npy"})
    assert not form._button.disabled
    form.options = {"nb_epoch": "many"}
    assert form._button.disabled
    assert "should be a whole number" in form._messages["nb_epoch"].value
    assert "whole number" not in form._messages["batch_size"].value
    with pytest.raises(DssError, match="nb_epoch: 'many' should be a whole number"):
        form.run()
    form.options = {"nb_epoch": 3}
    assert not form._button.disabled
    with pytest.raises(DssError, match="nb_epochs: there is no such option; did you mean nb_epoch"):
        form.options = {"nb_epochs": 3}


def test_the_button_does_not_wait_and_an_error_is_shown():
    def action(**named):
        time.sleep(0.2)
        raise DssError("there is no such thing")

    form = Form(PredictOptions, action)
    form._button.click()
    assert form._button.disabled
    for _ in range(100):
        if not form._button.disabled:
            break
        time.sleep(0.05)
    assert "there is no such thing" in form._output.outputs[0]["text"]


def test_a_form_remembers_what_was_last_used_in_this_folder():
    for threshold in ("0.7", None):
        form = Form(PredictOptions, lambda **named: 1, remember="predict")
        if threshold:
            form.options = {"event_threshold": threshold}
            form.run()
        assert form.options["event_threshold"] == "0.7"
    assert Form(PredictOptions, print).options["event_threshold"] == "0.5"
