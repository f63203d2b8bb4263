import json
import shutil

import h5py
import numpy as np
import pytest
from conftest import TINY

from dss.errors import DssError
from dss.runs import list_files, run_file
from dss.train import train
from dss.train.results import read_results


def test_the_scores_are_those_of_the_confusion_matrix(tiny_run):
    scores, confusion, names = read_results(tiny_run[0])
    assert list(scores.index) == names == ["noise", "a", "b", "p"]
    np.testing.assert_array_equal(scores["samples"], confusion.sum(axis=1))
    np.testing.assert_allclose(scores["recall"], confusion.diagonal() / confusion.sum(axis=1))
    assert scores.loc["a", "f1"] > 0.8


def test_what_has_no_scores_is_reported(tmp_path):
    with pytest.raises(DssError, match="did not finish"):
        read_results(tmp_path / "20261123_101500")
    with h5py.File(run_file(tmp_path / "20261123_101500", "_results.h5"), "w") as file:
        file["class_names"] = ["noise", "a"]
    with pytest.raises(DssError, match="has no test split"):
        read_results(tmp_path / "20261123_101500")


@pytest.mark.parametrize("n_bytes", [0, 500])
def test_damaged_results_are_reported(tiny_run, tmp_path, n_bytes):
    whole = run_file(tiny_run[0], "_results.h5").read_bytes()
    run_file(tmp_path / "x", "_results.h5").write_bytes(whole[:n_bytes])
    with pytest.raises(DssError, match=r"x_results\.h5: cannot be read as HDF5"):
        read_results(tmp_path / "x")


@pytest.mark.parametrize("samples", ["many", None])
def test_results_whose_numbers_are_none_are_reported(tmp_path, samples):
    score = {"precision": 1.0, "recall": 1.0, "f1-score": 1.0, "support": samples}
    trunk = tmp_path / "20261123_101500"
    with h5py.File(run_file(trunk, "_results.h5"), "w") as file:
        file["report"] = np.bytes_(json.dumps({"noise": score}))
        file["confusion_matrix"] = np.eye(1)
        file["class_names"] = np.array([b"noise"])
    with pytest.raises(DssError, match="_results.h5: cannot be read"):
        read_results(trunk)


def test_the_files_of_a_run_are_listed_with_what_they_hold(tiny_run):
    files = list_files(tiny_run[0])
    assert set(files.index) == {p.name for p in tiny_run[0].parent.glob(f"{tiny_run[0].name}_*")}
    assert files["holds"].str.contains("needed to annotate").sum() == 2
    assert (files["kB"] > 0).all()


def test_a_test_split_that_nobody_looked_at_is_not_judged(tiny_run, tmp_path):
    store = shutil.copytree(tiny_run[1], tmp_path / "unseen.npy")
    for split, value in (("train", 1), ("val", 1), ("test", 0)):
        n = len(np.load(store / split / "x.npy", mmap_mode="r"))
        np.save(store / split / "annotated.npy", np.full(n, value, np.uint8))
    trunk = train(data_dir=store, nb_epoch=1, **TINY)
    with pytest.raises(DssError, match="has no test split"):
        read_results(trunk)
