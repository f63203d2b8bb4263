import os
import shutil
import subprocess
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest
import yaml
from conftest import TINY

from dss import models
from dss.data import make_dataset
from dss.errors import DssError
from dss.options import TrainOptions
from dss.runs import read_params, run_file, run_trunk
from dss.train import train
from dss.train.presets import PRESETS
from dss.widgets import TrainingForm
from dss.widgets.forms import memory, training_process


@pytest.fixture
def store(folder, tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    yield make_dataset(folder, individual_targets=True)
    TrainingForm({}).stop()


def wait_until(condition):
    for _ in range(2400):
        if condition():
            return
        time.sleep(0.1)
    raise TimeoutError


def test_training_runs_in_a_process_of_its_own_and_is_watched(store):
    form = TrainingForm({"data_dir": store, "nb_epoch": 3, **TINY})
    trunk = form.run()
    assert run_trunk(trunk) == trunk
    assert len(pd.read_csv(run_file(trunk, "_history.csv"))) == 3
    assert bytes(form._curves.value[:4]) == b"\x89PNG"
    assert form._work.bar.value == 1
    assert f"<b>{trunk}</b>" in form._status.value
    assert "<th>precision</th>" in form._status.value  # the scores of the test split
    assert f"<th>{trunk.name}_model.h5</th>" in form._status.value
    assert len(form._below.children) == 2  # losses, confusion matrix
    assert not form.is_running


def test_a_training_is_found_again_and_stopped_and_keeps_its_best_epoch(store):
    form = TrainingForm({"data_dir": store, "nb_epoch": 5000, **TINY, "learning_rate": 1e-5})
    form._button.click()
    wait_until(lambda: "of 5000" in form._status.value)
    again = TrainingForm({"data_dir": store, "nb_epoch": 7})
    assert again.is_running
    assert again.options["nb_epoch"] == "5000"  # what is trained, not what is given
    wait_until(lambda: "of 5000" in again._status.value)
    assert again._button.disabled
    with pytest.raises(DssError, match="still running"):
        again.run()
    again._stop.click()
    wait_until(lambda: "stopping: " in again._status.value)
    assert run_trunk(again.finish())
    assert memory.last_result("train") == again.result  # what an app shows
    assert form.finish() == again.result
    assert len(pd.read_csv(run_file(form.result, "_history.csv"))) < 5000
    assert "It was stopped early" in again._status.value


def test_a_process_that_has_no_words_yet_is_one_that_begins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    training_process.STATE.write_text(
        yaml.safe_dump({"process": os.getpid(), "folder": "", "started": 0.0, "log": ""})
    )
    assert not training_process.is_running()  # these tests train nothing, and say so
    monkeypatch.setattr(psutil.Process, "cmdline", lambda self: [])
    assert training_process.is_running()


def test_what_went_wrong_in_the_process_is_reported(store):
    (store.parent / "full").write_text("a file, where a folder is needed")
    form = TrainingForm({"data_dir": store, **TINY, "save_dir": store.parent / "full"})
    with pytest.raises(DssError, match="full: is a file, not a folder"):
        form.run()
    assert not form._button.disabled


def test_a_training_that_failed_after_an_epoch_is_no_success(store, tiny_run):
    folder = store.with_suffix(".res")
    folder.mkdir()
    for suffix in ("_params.yaml", "_model.h5", "_history.csv"):
        shutil.copy(run_file(tiny_run[0], suffix), run_file(folder / "20261123_101500", suffix))
    log = store.parent / "log"
    log.write_text(
        "dss: warning: song is rare\ndss: Training stopped in epoch 2: the loss became 1e9\n"
    )
    last = {"process": 10**9, "folder": str(folder), "started": 0.0, "log": str(log)}
    training_process.STATE.write_text(yaml.safe_dump(last))
    form = TrainingForm({"data_dir": store})
    form._work.launch(form._watch_found, form._status)
    said = "Training stopped in epoch 2: the loss became 1e9\nThe best epoch before that is "
    with pytest.raises(DssError, match=said):
        form.finish()
    assert "20261123_101500" in form._status.value
    assert "✓" not in form._status.value


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (
            "dss: warning: bird.wav: is clipped",
            "was killed: the machine may have run out of memory",
        ),
        ("dss: warning: bird.wav: is clipped\nepoch 1/9: loss 0.3", "was killed"),
        ("epoch 1/9: loss 0.3", "was killed"),
        ("", "was killed"),
        (
            "epoch 3/9\nFatal Python error: Aborted\n\nThread 0x1:",
            r"crashed in TensorFlow or another library \(Aborted\).*: .*log\n",
        ),
        ("dss: stopped", "was stopped before its first epoch"),
        ("dss: warning: a\nTraceback (most recent ...\n  x\nValueError: bad", "^ValueError: bad"),
        ("dss: warning: a\ndss: two things:\n  this\n  and that", "^two things:\n  this\n  and"),
    ],
)
def test_why_a_training_ended_is_reported(store, log, said):
    path = store.parent / "log"
    path.write_text(log)
    last = {"process": 10**9, "folder": str(store.parent), "started": 0.0, "log": str(path)}
    training_process.STATE.write_text(yaml.safe_dump(last))
    with pytest.raises(DssError, match=said) as error:
        training_process.result()
    assert str(error.value).endswith("Nothing was kept")


def test_a_training_that_was_stopped_after_an_epoch_keeps_it(store, tiny_run):
    folder = store.with_suffix(".res")
    folder.mkdir()
    for suffix in ("_params.yaml", "_model.h5"):
        shutil.copy(run_file(tiny_run[0], suffix), run_file(folder / "20261123_101500", suffix))
    log = store.parent / "log"
    log.write_text("epoch 1/9: loss 0.3\ndss: stopped")
    last = {"process": 10**9, "folder": str(folder), "started": 0.0, "log": str(log)}
    training_process.STATE.write_text(yaml.safe_dump(last))
    with pytest.raises(DssError, match="^The training was stopped\nThe best epoch before that is"):
        training_process.result()


def test_a_chunk_longer_than_all_data_is_marked(store):
    form = TrainingForm({"data_dir": store, **TINY, "nb_hist": 10**6})
    assert "longer than all audio" in form.problems["nb_hist"]
    with pytest.raises(DssError, match="longer than all audio"):
        train(data_dir=store, **TINY | {"nb_hist": 10**6})


def test_what_the_numbers_mean_follows_what_is_typed(store):
    form = TrainingForm({"data_dir": store, **TINY})
    assert "256 ms" in form._fields["nb_hist"].message
    assert "8 ms" in form._fields["kernel_size"].message
    before = models.count_weights(TrainOptions(data_dir=store, **TINY), 1, 4)
    assert f"{before:,} weights" in form._meaning.value
    form._fields["nb_filters"].input.value = "24"
    after = models.count_weights(TrainOptions(data_dir=store, **TINY | {"nb_filters": 24}), 1, 4)
    assert f"{after:,} weights" in form._meaning.value
    form._fields["y_suffix"].input.value = "a"
    assert f"{after - 2 * 25:,} weights" in form._meaning.value  # two classes instead of four


def test_what_cannot_be_trained_is_said_beside_the_field(store):
    form = TrainingForm({"data_dir": store, **TINY})
    assert form._fields["y_suffix"].input.options == ("a", "b", "p")
    form.options = {"y_suffix": "nothing"}
    assert "a, b, p, not for 'nothing'" in form.problems["y_suffix"]
    with pytest.raises(DssError, match="y_suffix"):
        form.run()
    form.options = {"nb_hist": 8, "y_suffix": ""}
    assert "too short for the filters" in form._fields["nb_hist"].message
    assert form._button.disabled
    form.options = {"data_dir": "nowhere.npy"}
    assert "nowhere.npy does not exist" in form._fields["data_dir"].message
    form.options = {"data_dir": store.parent}
    assert form._button.disabled
    assert form.problems["data_dir"]


def test_suggestions_fill_the_form_and_say_why(store):
    form = TrainingForm({"data_dir": store})
    suggesting = form._buttons.children[0]
    suggesting.click()
    wait_until(lambda: "<th>Chunk duration</th>" in form._aside.value)
    assert "enough chunks to draw from" in form._aside.value
    assert not form.problems


def test_a_preset_shows_at_once_what_it_means_and_what_is_changed_then_stays(store):
    form = TrainingForm({"data_dir": store})
    form._fields["preset"].input.value = "songbird"
    assert form.options["nb_pre_conv"] == "5"
    form._fields["preset"].input.value = "fly"
    assert form.options["nb_pre_conv"] == "2"
    assert "freeze" not in form.options  # nothing of the other preset stays
    given = {name: form._given()[name] for name in PRESETS["fly"]}
    expected = TrainOptions(data_dir=store, **PRESETS["fly"])
    assert TrainOptions(data_dir=store, **given) == expected
    default = TrainOptions.model_fields["nb_epoch"].default
    form._fields["nb_epoch"].input.value = str(default)
    assert form._given()["nb_epoch"] == str(default)  # else the preset would choose it
    form._fields["augmentations"].input.value = ""
    assert form._given()["augmentations"] is None


def test_what_is_left_at_its_default_is_not_given(store):
    form = TrainingForm({"data_dir": store, "continue_from": "x", "hours": 3})
    assert form._given() == {"data_dir": str(store), "continue_from": "x"}
    form.options = {"auto": False, "continue_from": "", "nb_hist": 512}
    assert form._given() == {"data_dir": str(store), "auto": False, "nb_hist": "512"}
    assert not form.problems


def test_options_left_at_their_defaults_are_said_to_be_chosen(store):
    form = TrainingForm({"data_dir": store})
    assert "are chosen from the data when you press Train" in form._meaning.value
    assert "Chosen from the data." in form._fields["nb_hist"].message
    form.options = {"nb_hist": 512}
    assert "Chosen from the data." not in form._fields["nb_hist"].message
    assert "512 ms" in form._fields["nb_hist"].message
    assert "Chosen from the data." in form._fields["nb_conv"].message
    form.options = {"auto": False}
    assert "weights" in form._meaning.value
    assert "Chosen from the data." not in form._fields["nb_conv"].message


def test_defaults_that_are_not_used_are_no_problem(store):
    form = TrainingForm({"data_dir": store, "nb_conv": 60})  # with the default chunk, too long
    assert not form.problems
    form.options = {"auto": False}
    assert "nb_hist" in form.problems or "nb_conv" in form.problems


def test_a_training_whose_epochs_are_chosen_counts_these(store):
    form = TrainingForm({"data_dir": store, "nb_filters": 4, "nb_conv": 1})
    seen = []
    form._status.observe(lambda change: seen.append(change["new"]), names="value")
    trunk = form.run()
    nb_epoch = read_params(trunk)["nb_epoch"]
    assert 12 <= nb_epoch < TrainOptions.model_fields["nb_epoch"].default
    assert form._work.bar.value == len(pd.read_csv(run_file(trunk, "_history.csv"))) / nb_epoch
    assert any(f"of {nb_epoch}, at most" in said for said in seen)


def test_the_script_is_written_and_shown(store):
    form = TrainingForm({"data_dir": store, **TINY, "write_script": "job.sh"})
    form.options = {"scheduler": "slurm", "hours": 7, "gpus": 1, "modules": "cuda/12.4 cudnn"}
    button = form._folds[-1].widget.children[0].children[-1]
    assert button.description == "Write script"
    button.click()
    wait_until(lambda: "<pre>" in form._aside.value)
    assert "#SBATCH --time=7:00:00" in form._aside.value
    script = (store.parent / "work" / "job.sh").read_text()
    assert "module load cuda/12.4 cudnn" in script
    assert "--nb-hist 256" in script
    assert "--dropout" not in script
    subprocess.run(["bash", "-n", "job.sh"], check=True)
    with pytest.raises(DssError, match="already exists"):
        form.write_script()


def test_the_learning_curve_is_shown_with_its_sentences(store, monkeypatch):
    form = TrainingForm({"data_dir": store, "nb_epoch": 1, **TINY})
    rows = [("all", 30, 9, 0.9, 0.8, 0.95, True), ("all", 60, 18, 0.93, 0.9, 0.96, False)]
    columns = ["song_type", "seconds", "song_seconds", "f1", "low", "high", "is_measured"]
    with monkeypatch.context() as trained:
        table = pd.DataFrame(rows, columns=columns)
        trained.setattr(training_process, "learning_curve", lambda options, given: table)
        form.learning_curve()
    assert (
        "30 s more annotations should raise the mean F1 of all song types from 0.90"
        in form._aside.value
    )
    assert "data:image/png;base64," in form._aside.value
    form.options = {"fraction_data": 0.5}
    with pytest.raises(DssError, match="give the parts to train on"):
        form.learning_curve()


@pytest.mark.parametrize("text", ["- 1", "process: soon", "process: 5\nfolder: 5", "\x00", "[1"])
def test_a_damaged_note_of_the_last_training_is_as_if_there_was_none(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    training_process.STATE.write_text(text)
    assert training_process.state() == {}
    assert not training_process.is_running()
    assert training_process.trunk() is None
    with pytest.raises(DssError, match=r"\.dss_training\.yaml or .* was removed or damaged"):
        training_process.result()


@pytest.mark.parametrize(
    "text", ["", "epoch,loss\na,b\n", "epoch,loss,val_loss,seconds_left\n1,2", "\x00\xff" * 99]
)
def test_a_damaged_history_is_followed_as_if_it_was_empty(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    trunk = tmp_path / "20260101_101010"
    Path(f"{trunk}_params.yaml").write_text("nb_epoch: [")
    Path(f"{trunk}_history.csv").write_text(text)
    state = {"process": 1, "folder": str(tmp_path), "started": 1.0, "log": "x.log"}
    training_process.STATE.write_text(str(state))
    assert training_process.trunk() == trunk
    assert training_process.history().empty
    assert training_process.nb_epoch() is None
