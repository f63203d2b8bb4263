"""Runs that were stopped, killed, resumed, repeated, or trained further."""

import csv
import shlex
import shutil
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import TINY

from dss.cli import main
from dss.data import make_dataset
from dss.errors import DssError
from dss.options import TrainOptions, read_options
from dss.runs import load_run, run_file
from dss.train import train
from dss.train.resume import options_to_continue
from dss.train.suggestions import complete


@pytest.fixture
def store(tiny_run):
    return tiny_run[1]


def weights(trunk):
    with h5py.File(run_file(trunk, "_model.h5")) as file:
        names = []
        file.visit(names.append)
        return {n: file[n][()] for n in names if isinstance(file[n], h5py.Dataset)}


def assert_same_weights(a, b):
    a, b = weights(a), weights(b)
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


def params(trunk):
    return yaml.safe_load(run_file(trunk, "_params.yaml").read_text())


def stop_in_epoch(monkeypatch, epoch):
    """Press Ctrl-C when this epoch has been shown."""
    from dss.train import history

    shown = history.show

    def show(progress, row, nb_epoch):
        shown(progress, row, nb_epoch)
        if row["epoch"] == epoch:
            raise KeyboardInterrupt

    monkeypatch.setattr(history, "show", show)


def test_a_run_whose_batch_was_too_large_for_the_data_is_resumed(store, tmp_path, monkeypatch):
    options = {"data_dir": store, "save_dir": tmp_path, **TINY, "nb_epoch": 3, "batch_size": 5000}
    with monkeypatch.context() as patch:
        stop_in_epoch(patch, 2)
        stopped = train(**options)
    said = params(stopped)["warnings"]
    assert train(**options, continue_from=stopped) == stopped
    assert params(stopped)["warnings"] == said
    assert len(pd.read_csv(run_file(stopped, "_history.csv"))) == 3


@pytest.mark.parametrize("how", [{"dropout": 0.2, "balance": True}, {"nb_members": 2}])
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(
    store, tmp_path, monkeypatch, capsys, how
):
    options = {"data_dir": store, "nb_epoch": 4, **TINY, **how}
    whole = train(save_dir=tmp_path / "whole", **options)
    with monkeypatch.context() as patch:
        stop_in_epoch(patch, 3)
        stopped = train(save_dir=tmp_path / "stopped", **options)
    said = f"stopped after epoch 3 of 4; --continue-from {stopped} resumes it"
    assert said in capsys.readouterr().err
    assert run_file(stopped, "_checkpoint.h5").is_file()
    assert len(pd.read_csv(run_file(stopped, "_history.csv"))) == 3
    given = options | {"save_dir": tmp_path / "stopped"}  # as a form does
    resumed = train(**given, continue_from=stopped)
    assert resumed == stopped
    assert not run_file(stopped, "_checkpoint.h5").exists()
    assert_same_weights(whole, resumed)
    a, b = (
        pd.read_csv(run_file(t, "_history.csv")).drop(columns="seconds_left")
        for t in (whole, resumed)
    )
    pd.testing.assert_frame_equal(a, b)
    assert params(whole)["command"].replace("whole", "stopped") == params(resumed)["command"]


def test_a_run_that_was_stopped_before_its_results_gets_them_and_is_not_trained_again(
    store, tmp_path, monkeypatch
):
    from dss.train import training

    def killed(*arguments):
        raise SystemExit

    options = {"data_dir": store, "save_dir": tmp_path, "nb_epoch": 2, **TINY}
    with monkeypatch.context() as patch:
        patch.setattr(training, "write_results", killed)
        with pytest.raises(SystemExit):
            train(**options)
    (checkpoint,) = tmp_path.glob("*_checkpoint.h5")
    trunk = tmp_path / checkpoint.name.removesuffix("_checkpoint.h5")
    before = weights(trunk)
    assert train(**options, continue_from=trunk) == trunk
    assert run_file(trunk, "_results.h5").is_file()
    assert not checkpoint.exists()
    assert all(np.array_equal(before[name], value) for name, value in weights(trunk).items())
    assert len(pd.read_csv(run_file(trunk, "_history.csv"))) == 2


@pytest.mark.parametrize("damage", ["", "<html>", "half a row", "gone"])
def test_a_damaged_history_does_not_keep_a_run_from_going_on(tmp_path, capsys, damage):
    from dss.train.history import History

    history = History(tmp_path / "run", 4)
    for epoch in (1, 2, 3):
        history.add({"epoch": epoch, "loss": 1 / epoch, "val_loss": 1.0, "best_epoch": 1})
    file = run_file(history.trunk, "_history.csv")
    header, first, second, _ = file.read_text().splitlines()
    file.write_text(f"{header}\n{first}\n{second[:3]}" if damage == "half a row" else damage)
    if damage == "gone":
        file.unlink()
    again = History(history.trunk, 4)
    again.read(2)  # epochs of the checkpoint
    left = history.rows[:1] if damage == "half a row" else []
    assert again.rows == left
    assert f"is damaged; the scores of {2 - len(left)} epochs are lost" in capsys.readouterr().err
    again.add({"epoch": 3, "loss": 0.1, "best_epoch": 3})
    assert pd.read_csv(file)["epoch"].tolist() == [*range(1, len(left) + 1), 3]


def test_a_full_disk_does_not_keep_a_run_from_going_on(store, tmp_path, monkeypatch):
    from dss.models import fit

    options = {"data_dir": store, "save_dir": tmp_path, "nb_epoch": 2, **TINY}
    written = fit.save_checkpoint

    def full(path, state, at):
        if at["epoch"] == 2:
            raise DssError(f"{path}: cannot be written, as the disk is full")
        written(path, state, at)

    with monkeypatch.context() as patch:
        patch.setattr(fit, "save_checkpoint", full)
        with pytest.raises(DssError, match="disk is full"):
            train(**options)
    (checkpoint,) = tmp_path.glob("*_checkpoint.h5")
    trunk = tmp_path / checkpoint.name.removesuffix("_checkpoint.h5")
    assert train(**options, continue_from=trunk) == trunk


def test_a_run_is_not_resumed_with_other_data(store, folder, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        stop_in_epoch(patch, 2)
        stopped = train(data_dir=store, save_dir=tmp_path / "s", nb_epoch=3, **TINY)
    further = train(data_dir=store, continue_from=stopped, nb_epoch=2)
    assert further != stopped
    assert run_file(stopped, "_checkpoint.h5").is_file()
    with pytest.raises(DssError, match="differs from the data it was trained on"):
        train(data_dir=make_dataset(folder), continue_from=stopped)


def test_a_killed_run_leaves_the_best_epoch_and_a_history_to_follow(store, tmp_path):
    words = ["--data-dir", store, "--save-dir", tmp_path / "runs", "--nb-epoch", "4000"]
    words += TrainOptions(data_dir=store, **TINY).to_switches(TINY)
    process = subprocess.Popen(
        [sys.executable, "-m", "dss.train", *map(str, words)], stderr=subprocess.PIPE
    )
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            histories = list((tmp_path / "runs").glob("*_history.csv"))
            if histories and len(histories[0].read_text().splitlines()) > 3:
                break
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    with histories[0].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["seconds_left"]) > 0
    assert {"epoch", "loss", "val_loss", "val_f1_a"} <= rows[0].keys()
    run = load_run(histories[0])
    p = run.model.predict(np.zeros((1, 256, 1), "float32"), verbose=0)
    np.testing.assert_allclose(p.sum(axis=2), 1, atol=1e-5)
    assert run_file(run.trunk, "_checkpoint.h5").is_file()


def test_the_command_in_the_params_repeats_the_run(store, tmp_path, monkeypatch, capsys):
    options = {**TINY, "nb_epoch": 1, "augmentations": {"gain_db": 3}, "save_prefix": "my run"}
    trunk = train(data_dir=store, save_dir=tmp_path / "runs", **options)
    program, *words = shlex.split(params(trunk)["command"])
    assert program == "dss"
    monkeypatch.chdir("/")
    assert main(words) == 0
    again = capsys.readouterr().out.strip().removeprefix("The files of the run begin with ")
    assert again != str(trunk)
    assert_same_weights(trunk, again)


def test_the_params_of_a_run_repeat_it(store, tmp_path, capsys):
    trunk = train(data_dir=store, save_dir=tmp_path / "runs", nb_epoch=1, **TINY)
    again = train(**read_options(run_file(trunk, "_params.yaml"), TrainOptions))
    assert_same_weights(trunk, again)
    words = ["--options", f"{trunk}_params.yaml", "--seed", "9", "--save-prefix", "other"]
    assert main(["train", *words]) == 0
    other = capsys.readouterr().out.strip().removeprefix("The files of the run begin with ")
    assert (params(other)["seed"], params(other)["nb_hist"]) == (9, 256)


def test_options_in_a_file_are_checked(tmp_path, capsys):
    (tmp_path / "o.yaml").write_text("data_dir: x.npy\nnb_filter: 8\n")
    assert main(["train", "--options", str(tmp_path / "o.yaml")]) == 2
    assert (
        "o.yaml: these options cannot be used:\n  nb_filter: there is no such option; did you "
        "mean nb_filters" in capsys.readouterr().err
    )


def test_params_say_which_data_and_which_versions(tiny_run):
    said = params(tiny_run[0])
    assert len(said["data_sha256"]) == 64
    assert said["versions"].keys() == {"dss", "python", "tensorflow", "keras", "numpy", "h5py"}


def test_a_network_is_trained_further_with_new_song_types(tiny_run, folder, tmp_path):
    """The run knows a, b, p; the new data a, b, and chirps."""
    trunk, _ = tiny_run
    store = make_dataset(folder, rename={"p": "chirp"}, store_dir=tmp_path / "new.npy")
    further = train(data_dir=store, continue_from=trunk, nb_epoch=1, learning_rate=1e-9)
    old, new = load_run(trunk), load_run(further)
    assert list(new.song_types) == ["a", "b", "chirp"]
    for name in ("input", "block0_dilation4_mix"):
        for a, b in zip(
            *(run.model.get_layer(name).get_weights() for run in (old, new)), strict=True
        ):
            np.testing.assert_allclose(a, b, atol=1e-6)
    a, b = (run.model.get_layer("scores").get_weights()[0] for run in (old, new))
    np.testing.assert_allclose(a[:, :3], b[:, :3], atol=1e-6)
    assert (np.abs(a[:, 3] - b[:, 3]) > 1e-3).any()


def test_how_a_network_is_trained_further_is_chosen_from_the_new_data(tiny_run):
    trunk, store = tiny_run
    continued, resumed = options_to_continue(TrainOptions(data_dir=store, continue_from=trunk))
    options, reasons = complete(continued)
    assert resumed is None
    assert reasons.keys() == {"batch_size", "nb_epoch", "augmentations", "learning_rate"}
    assert (options.batch_size, options.nb_filters) == (2, params(trunk)["nb_filters"])
    given = TrainOptions(data_dir=store, continue_from=trunk, auto=False)
    assert complete(options_to_continue(given)[0])[1] == {}


def test_frozen_layers_stay_as_they_are(tiny_run, tmp_path):
    trunk, store = tiny_run
    further = train(
        data_dir=store,
        continue_from=trunk,
        save_dir=tmp_path,
        nb_epoch=1,
        freeze=["input", "block0"],
    )
    old, new = weights(trunk), weights(further)
    changed = {name for name in old if (old[name] != new[name]).any()}
    assert changed == {"scores/kernel", "scores/bias"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nb_filters": 3}, "nb_filters: 3, but the network of .* has 8"),
        ({"freeze": ["blocks"]}, "has no blocks. Choose from input, block0, scores"),
        ({"freeze": ["input", "block0", "scores"]}, "nothing can be trained"),
        ({"continue_from": "nowhere"}, "nowhere: is not a run"),
    ],
)
def test_what_cannot_be_continued_is_an_error(tiny_run, tmp_path, options, message):
    trunk, store = tiny_run
    with pytest.raises(DssError, match=message):
        train(
            **{
                "data_dir": store,
                "continue_from": trunk,
                "save_dir": tmp_path,
                "nb_epoch": 1,
                **options,
            }
        )
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_not_trained_further_at_another_sample_rate(tiny_run, folder, tmp_path):
    store = make_dataset(folder, samplerate_hz=500, store_dir=tmp_path / "slow.npy")
    with pytest.raises(DssError, match=r"sample rate: 500 in .*slow.npy, but 1000 in the run"):
        train(data_dir=store, continue_from=tiny_run[0])


def test_a_run_killed_in_its_first_epoch_says_how_to_train_it_again(store, tmp_path, monkeypatch):
    """A process that is killed removes nothing."""
    from dss.train import training as module

    with monkeypatch.context() as patch:
        patch.setattr(module, "_remove_unusable", lambda *_: None)
        patch.setattr(module, "_fit", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            train(data_dir=store, save_dir=tmp_path, nb_epoch=1, **TINY)
    left = next(tmp_path.iterdir())
    trunk = str(left).removesuffix("_params.yaml")
    for use in (lambda: train(data_dir=store, continue_from=trunk), lambda: load_run(trunk)):
        with pytest.raises(DssError, match=f"has no weights.*--options {left}"):
            use()
    again = train(**read_options(left, TrainOptions) | {"save_dir": tmp_path})
    assert run_file(again, "_model.h5").is_file()


def test_ctrl_c_in_the_first_epoch_leaves_nothing_and_says_so(store, tmp_path, monkeypatch, capsys):
    from dss.train import training as module

    monkeypatch.setattr(module, "_fit", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        train(data_dir=store, save_dir=tmp_path, nb_epoch=1, **TINY)
    assert list(tmp_path.iterdir()) == []
    assert "stopped before its first epoch ended, so nothing is kept" in capsys.readouterr().err


@pytest.mark.parametrize("removed", ["folder", "files"])
def test_training_stops_if_its_run_is_removed(store, tmp_path, monkeypatch, removed):
    from dss.train import history

    shown, folder, epochs = history.show, tmp_path / "res", []

    def show(progress, row, nb_epoch):
        shown(progress, row, nb_epoch)
        epochs.append(row["epoch"])
        for path in [folder] if removed == "folder" else folder.glob("*_*.*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    monkeypatch.setattr(history, "show", show)
    with pytest.raises(DssError, match=r"res: the files of the run .* removed .* after epoch 2\. "):
        train(data_dir=store, save_dir=folder, nb_epoch=9, **TINY)
    assert epochs == [1]
    assert not folder.exists() or not [*folder.iterdir()]
