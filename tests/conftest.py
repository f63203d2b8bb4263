"""Shared fixtures: folders of tiny recordings, a tiny trained network, real recordings."""

import os
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import settings

from dss.data import write_annotations

SHARED = Path(__file__).parents[2] / "shared" / "data"

settings.register_profile("dss", deadline=None)  # no test says how fast something is
settings.load_profile("dss")

if "PYTEST_XDIST_WORKER" in os.environ:  # the other cores have tests of their own
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config, log):
    """With `-n`, tests of one file run in one process; so do the notebooks: each needs the last
    one.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.partition("::")[0]
            return "notebooks" if file.endswith(".ipynb") else file

    return ByFile(config, log)


def shared(name):
    """The folder of real recordings of this name."""
    if not (SHARED / name).is_dir():
        pytest.skip(f"the real recordings are not here ({SHARED / name})")
    return SHARED / name


@pytest.fixture(scope="session")
def zebra_finch():
    """The folder of real zebra finch recordings."""
    return shared("zebra_finch")


@pytest.fixture(scope="session")
def fly_partial():
    """The folder of real fly song that is annotated in part."""
    return shared("fly_partial")


@pytest.fixture
def nothing_edited(monkeypatch, tmp_path):
    """Forget unsaved edits and view settings of other tests."""
    from dss.review.edits import Edits
    from dss.widgets.forms import memory
    from dss.widgets.viewer import draft

    monkeypatch.setattr(draft, "EDITS", Edits())
    monkeypatch.setattr(memory, "MEMORY", tmp_path / memory.MEMORY.name)


def side_by_side(function, calls):
    """Call a function with each of some arguments, all at once, each in a separate process."""
    context = get_context("spawn")
    processes = [context.Process(target=function, args=arguments) for arguments in calls]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert not any(process.exitcode for process in processes)


def write_recording(folder, stem, x, samplerate, rows):
    """Write STEM.wav and STEM_annotations.csv; rows are (name, start, stop). Returns the wav."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}.wav"
    soundfile.write(path, x, samplerate, subtype="PCM_16")
    table = pd.DataFrame(rows, columns=["name", "start_seconds", "stop_seconds"])
    write_annotations(table, folder / f"{stem}_annotations.csv")
    return path


def tone_song(seed, seconds=4.0, samplerate=1000, channels=1):
    """A recording with a low tone `a`, a high tone `b` and a click `p` taking turns, over noise.

    Returns: x [samples, channels], rows of annotations.
    """
    rng = np.random.default_rng(seed)
    x = 0.02 * rng.standard_normal((round(seconds * samplerate), channels))
    rows, t, kinds = [], 0.1, iter("abp" * 1000)
    while t < seconds - 0.3:
        kind, length = next(kinds), rng.uniform(0.08, 0.15)
        start = round(t * samplerate)
        if kind == "p":
            x[start] += 0.9
            rows.append((kind, start / samplerate, start / samplerate))
        else:
            n = round(length * samplerate)
            hz = 60 if kind == "a" else 220
            x[start : start + n] += (
                0.5 * np.sin(2 * np.pi * hz * np.arange(n) / samplerate)[:, None]
            )
            rows.append((kind, start / samplerate, (start + n) / samplerate))
        t += length + rng.uniform(0.06, 0.12)
    return x, rows


@pytest.fixture
def folder(tmp_path):
    """Three recordings of `tone_song`, 1 kHz, with annotations."""
    for i in range(3):
        x, rows = tone_song(seed=i)
        write_recording(tmp_path / "song", f"bird_{i}", x, 1000, rows)
    return tmp_path / "song"


TINY = {
    "nb_hist": 256,
    "nb_filters": 8,
    "kernel_size": 8,
    "nb_conv": 1,
    "dilations": [1, 4],
    "batch_size": 8,
    "learning_rate": 0.02,
}


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory):
    """A tiny network trained on `tone_song`: (the trunk of the run, the dataset)."""
    from dss.data import make_dataset
    from dss.train import train

    folder = tmp_path_factory.mktemp("tiny") / "song"
    for i in range(4):
        x, rows = tone_song(seed=i, seconds=8)
        write_recording(folder, f"bird_{i}", x, 1000, rows)
    store = make_dataset(folder, event_std_seconds=0.003, test_fraction=0.25)
    return train(data_dir=store, nb_epoch=60, **TINY), store
