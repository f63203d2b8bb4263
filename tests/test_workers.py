"""Several processes train one network as one process does."""

import json
import os
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pandas as pd
import pytest
from conftest import TINY
from hypothesis import given, settings
from hypothesis import strategies as st

from dss.data.batches import Chunks
from dss.errors import DssError
from dss.models.worker_addresses import worker_addresses, worker_count, worker_index
from dss.options import TrainOptions
from dss.runs import run_file
from dss.train import train


def history(trunk):
    return pd.read_csv(run_file(trunk, "_history.csv")).drop(columns="seconds_left")


def test_two_processes_learn_what_one_learns(tiny_run, tmp_path, capfd):
    """Chunks whose number is odd, a last batch that is not full, augmentations, and balance."""
    _, store = tiny_run
    options = {
        **TINY,
        "batch_size": 7,
        "nb_epoch": 3,
        "balance": True,
        "augmentations": {"noise": 0.1, "gain_db": 3},
    }
    one, two = (
        train(data_dir=store, save_dir=tmp_path / str(n), devices=n, **options) for n in (1, 2)
    )
    assert capfd.readouterr().err.count("Waiting for the other processes: localhost:") == 1
    pd.testing.assert_frame_equal(history(one), history(two), rtol=1e-4)
    with h5py.File(run_file(one, "_model.h5")) as a, h5py.File(run_file(two, "_model.h5")) as b:
        np.testing.assert_allclose(a["scores/kernel"][:], b["scores/kernel"][:], atol=1e-3)
    names = [sorted(p.name[15:] for p in (tmp_path / str(n)).iterdir()) for n in (1, 2)]
    assert names[0] == names[1]


def test_they_stop_together_and_the_run_goes_on_from_there(tiny_run, tmp_path):
    _, store = tiny_run
    words = TrainOptions(data_dir=store, **TINY).to_switches(TINY)
    words += ["--data-dir", str(store), "--save-dir", str(tmp_path), "--nb-epoch", "4000"]
    words += ["--early-stopping-patience", "4000", "--devices", "2"]
    process = subprocess.Popen([sys.executable, "-m", "dss.train", *words])
    deadline = time.monotonic() + 120
    while not (lines := list(tmp_path.glob("*_history.csv"))) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    trunk = str(lines[0]).removesuffix("_history.csv")
    assert run_file(trunk, "_results.h5").is_file()
    assert run_file(trunk, "_checkpoint.h5").is_file()


def test_ctrl_c_waits_for_the_end_of_a_step_unless_pressed_again():
    from dss.models.workers import Workers

    alone, numbers = Workers(), np.ones(2)
    with alone.stopping_together():
        signal.raise_signal(signal.SIGINT)  # raises nothing: TensorFlow may be at work
        with pytest.raises(KeyboardInterrupt):
            alone.sum(numbers)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    np.testing.assert_array_equal(alone.sum(numbers), numbers)


def test_what_is_wrong_is_an_error_of_the_one_who_asked(tiny_run, tmp_path):
    with pytest.raises(DssError, match="batch_size: 1 chunks cannot be shared among 2 processes"):
        train(data_dir=tiny_run[1], save_dir=tmp_path, devices=2, **{**TINY, "batch_size": 1})
    assert list(tmp_path.iterdir()) == []


@settings(deadline=None)  # the first example imports TensorFlow
@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 4))
def test_the_parts_of_all_processes_are_the_batch(n_chunks, batch_size, n_workers):
    from dss.models.sampling import all_batches

    n_workers = min(n_workers, batch_size)
    x = np.arange(n_chunks * 4, dtype="float32")[:, None]
    chunks = Chunks(x, np.ones((len(x), 2), "float32"), np.array([[0, len(x)]]), 4, 0)
    whole = [np.concatenate(v) for v in zip(*all_batches(chunks, batch_size), strict=True)]
    parts = [
        list(all_batches(chunks, batch_size, slice(i, None, n_workers))) for i in range(n_workers)
    ]
    x, _, weight = (np.concatenate([b[k] for part in parts for b in part]) for k in range(3))
    np.testing.assert_array_equal(np.sort(x[weight > 0, 0]), np.sort(whole[0][whole[2] > 0, 0]))


def test_tf_config_says_who_trains_together(monkeypatch):
    config = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    assert (worker_count(), worker_index(), worker_addresses()) == (
        2,
        1,
        (["a:1", "b:1"], 1),
    )
    for broken in ("{}", "[1]", "x", json.dumps({**config, "task": {"type": "ps", "index": 0}})):
        monkeypatch.setenv("TF_CONFIG", broken)
        with pytest.raises(DssError, match="TF_CONFIG: is .*; it should list"):
            worker_count()


def test_the_tasks_of_a_slurm_step_train_together(monkeypatch, tmp_path):
    """A fake `scontrol` answers for node2,node10 as SLURM's does."""
    (tmp_path / "scontrol").write_text("#!/bin/sh\nprintf 'node2\\nnode10\\n'")
    (tmp_path / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    step = {"NUM_TASKS": 3, "NODELIST": "node[2,10]", "TASKS_PER_NODE": "2,1"}
    said = {"PROCID": 2, "NODEID": 1, "JOB_ID": 7, **{f"STEP_{k}": v for k, v in step.items()}}
    for name, value in said.items():
        monkeypatch.setenv(f"SLURM_{name}", str(value))
    assert worker_addresses() == (["node2:20448", "node2:20449", "node10:20448"], 2)
    monkeypatch.setenv("SLURM_NODEID", "0")
    with pytest.raises(DssError, match="distribution=block"):
        worker_addresses()
