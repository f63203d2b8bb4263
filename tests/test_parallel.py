"""Several processes train one network as one process does."""

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

from dss import places
from dss.errors import DssError
from dss.runs import run_file
from dss.train import train


def history(trunk):
    return pd.read_csv(run_file(trunk, "_history.csv")).drop(columns="seconds_left")


def test_two_processes_learn_what_one_learns(tiny_run, tmp_path):
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
    pd.testing.assert_frame_equal(history(one), history(two), rtol=1e-4)
    with h5py.File(run_file(one, "_model.h5")) as a, h5py.File(run_file(two, "_model.h5")) as b:
        np.testing.assert_allclose(a["scores/kernel"][:], b["scores/kernel"][:], atol=1e-3)
    names = [sorted(p.name[15:] for p in (tmp_path / str(n)).iterdir()) for n in (1, 2)]
    assert names[0] == names[1]
