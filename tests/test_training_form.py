import time

import pandas as pd
import pytest
from conftest import TINY

from dss.data import make_dataset
from dss.errors import DssError
from dss.runs import run_file, run_trunk
from dss.widgets import TrainingForm


@pytest.fixture
def store(folder, tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    yield make_dataset(folder)
    TrainingForm().stop()


def wait_until(condition):
    for _ in range(2400):
        if condition():
            return
        time.sleep(0.1)
    raise TimeoutError


def test_training_runs_in_a_process_of_its_own_and_is_watched(store):
    form = TrainingForm({"data_dir": store, "nb_epoch": 3, **TINY})
    assert "chunk 256 ms" in form._meaning.value
    trunk = form.run()
    assert run_trunk(trunk) == trunk
    assert len(pd.read_csv(run_file(trunk, "_history.csv"))) == 3
    assert "epoch 3 of 3" in form._status.value
    assert bytes(form._curves.value[:4]) == b"\x89PNG"
    assert not form.is_running


def test_a_training_is_found_again_and_stopped_and_keeps_its_best_epoch(store):
    form = TrainingForm(
        {
            "data_dir": store,
            "nb_epoch": 5000,
            "learning_rate": 1e-5,
            **{k: v for k, v in TINY.items() if k != "learning_rate"},
        }
    )
    form._button.click()
    wait_until(lambda: "epoch" in form._status.value)
    again = TrainingForm()
    assert again.is_running
    assert again._button.disabled
    wait_until(lambda: "epoch" in again._status.value)
    with pytest.raises(DssError, match="still goes on"):
        again.run()
    again.stop()
    wait_until(lambda: not form.is_running)
    wait_until(lambda: form.result is not None)
    assert run_trunk(form.result)
    assert len(pd.read_csv(run_file(form.result, "_history.csv"))) < 5000


def test_what_cannot_be_trained_is_said(store):
    form = TrainingForm({"data_dir": store, **TINY, "y_suffix": "nothing"})
    with pytest.raises(DssError, match="has no targets for 'nothing' alone"):
        form.run()
    form.options = {"nb_hist": 8}
    assert "too short for the filters" in form._meaning.value
    form.options = {"data_dir": "nowhere.npy"}
    assert "nowhere.npy: there is no such dataset" in form._meaning.value


def test_suggestions_fill_the_form(store):
    form = TrainingForm({"data_dir": store})
    form._suggest.click()
    assert "nb_hist" in form._status.value
    assert not form.problems
