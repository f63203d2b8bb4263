"""The examples in docstrings run as written."""

import doctest
import importlib
import shutil
from pathlib import Path

import pytest

STAGES = "data", "evaluate", "plot", "predict", "train"
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
NETWORK = {
    "nb_hist": 32768,
    "nb_pre_conv": 5,
    "pre_nb_dft": 64,
    "nb_filters": 4,
    "batch_size": 4,
    "learning_rate": 0.01,
    "auto": False,
}
FINCH = Path(__file__).parents[1] / "data" / "finch"


def examples():
    """All public functions with an example, by stage and name."""
    for stage in STAGES:
        package = importlib.import_module(f"dss.{stage}")
        for name in package.__all__:
            if ">>>" in (getattr(package, name).__doc__ or ""):
                yield stage, name


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A folder with `finch`, the dataset `finch.npy`, and a network: (the folder, its run)."""
    from dss.data import make_dataset
    from dss.train import train

    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(FINCH, folder / "finch")
    store = make_dataset(folder / "finch", test_fraction=0.15, seed=1)
    return folder, train(data_dir=store, nb_epoch=2, **NETWORK)


@pytest.mark.parametrize(("stage", "name"), [*examples()])
def test_an_example_gives_what_it_says(stage, name, lab, monkeypatch):
    folder, run = lab
    monkeypatch.chdir(folder)
    text = getattr(importlib.import_module(f"dss.{stage}"), name).__doc__
    test = doctest.DocTestParser().get_doctest(text, {"run": run}, name, None, None)
    said = []
    results = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.append)
    assert results.attempted
    assert not results.failed, "".join(said)


def test_what_users_call_most_has_an_example():
    assert len([*examples()]) >= 20
