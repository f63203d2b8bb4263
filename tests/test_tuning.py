import os
import shutil

import pytest
import yaml

from dss.cli import main
from dss.data import open_dataset
from dss.errors import DssError
from dss.options import PredictOptions
from dss.predict.detection import with_run_options
from dss.predict.tuning import tune
from dss.runs import SUFFIXES, latest_run, load_run, read_params, run_file, write_params


@pytest.fixture
def run(tiny_run, tmp_path):
    """A copy of the tiny run whose network is far too hesitant; tests may change it."""
    trunk, store = tmp_path / tiny_run[0].name, tiny_run[1]
    for suffix in SUFFIXES:
        if run_file(tiny_run[0], suffix).is_file():
            shutil.copy(run_file(tiny_run[0], suffix), run_file(trunk, suffix))
    loaded = load_run(trunk)
    scores = loaded.model.get_layer("scores")
    kernel, bias = scores.get_weights()
    bias[0] += 14  # noise
    scores.set_weights([kernel, bias])
    from dss.models import save_weights

    save_weights(loaded.model, run_file(trunk, "_model.h5"))
    return trunk, store


def test_thresholds_are_chosen_stored_and_used(run, capsys):
    trunk, _ = run
    assert main(["tune", str(trunk), "--tolerance-seconds", "0.015"]) == 0
    assert "F1 gained: +" in capsys.readouterr().out
    stored = yaml.safe_load(run_file(trunk, "_params.yaml").read_text())["detect"]
    assert stored["f1"] > stored["f1_default"] + 0.05
    assert min(stored["options"][f"{kind}_threshold"] for kind in ("event", "segment")) < 0.5
    given = PredictOptions.checked({"event_threshold": 0.95})
    used = with_run_options(given, load_run(trunk).params)
    assert used.event_threshold == 0.95
    assert used.segment_threshold == stored["options"]["segment_threshold"]


def test_tuning_twice_gives_the_same(run):
    first, second = (tune(run[0], tolerance_seconds=0.015) for _ in range(2))
    assert first.options == second.options
    assert first.scores.equals(second.scores)
    assert (first.scores.loc["all", "f1"] >= first.scores.loc["all", "f1_default"]).all()


def test_tuning_again_begins_with_what_training_found_out(run, tiny_run):
    trunk, _ = run
    shutil.copy(f"{tiny_run[0]}_model.h5", f"{trunk}_model.h5")  # which is not hesitant
    params = read_params(trunk)
    learned = {"segment_durations": {"a": [0.05, 0.2]}, "event_interval_max_seconds": 0.01}
    write_params(trunk, params | {"detect": {"options": learned}})
    first, second = (tune(trunk, tolerance_seconds=0.015) for _ in range(2))
    assert first.options["event_interval_max_seconds"] != 0.01
    assert second.defaults == first.defaults
    assert second.scores.equals(first.scores)
    stored = read_params(trunk)["detect"]
    assert stored["learned"] == learned
    assert stored["options"] == {**learned, **first.options}


def test_the_latest_run_is_not_an_older_one_that_was_tuned_since(run, tmp_path_factory):
    trunk, _ = run
    for name in ("finch_20200101_000000", "20190101_000000"):
        for suffix in ("_params.yaml", "_model.h5"):
            shutil.copy(run_file(trunk, suffix), run_file(trunk.with_name(name), suffix))
    assert latest_run(trunk.parent) == trunk
    plain = trunk.with_name("my_best")  # was given this name by hand
    for suffix in ("_params.yaml", "_model.h5"):
        run_file(trunk, suffix).rename(run_file(plain, suffix))
    os.utime(run_file(plain, "_params.yaml"), (0, 0))
    assert latest_run(trunk.parent).name == "finch_20200101_000000"
    os.utime(run_file(plain, "_params.yaml"))
    assert latest_run(trunk.parent) == plain
    folder = shutil.copytree(trunk.parent, tmp_path_factory.mktemp("project") / "finch.res")
    with pytest.raises(DssError, match=f"contains no run.*There are runs in {folder}.$"):
        latest_run(folder.with_name("other.res"))


def test_a_dataset_that_is_gone_or_does_not_fit_is_an_error(run, tmp_path):
    trunk, store = run
    with pytest.raises(DssError, match=r"gone\.npy: there is no such dataset"):
        tune(trunk, data_dir=tmp_path / "gone.npy")
    before = run_file(trunk, "_params.yaml").read_text()
    other = shutil.copytree(store, tmp_path / "other.npy")
    attributes = open_dataset(store).attrs
    attributes["class_names"] = ["noise", "a", "b", "trill"]
    (other / "attrs.yaml").write_text(yaml.safe_dump(attributes))
    with pytest.raises(DssError, match="has the classes .*trill"):
        tune(trunk, data_dir=other)
    attributes = open_dataset(store).attrs | {"samplerate_x_Hz": 500.0}
    (other / "attrs.yaml").write_text(yaml.safe_dump(attributes))
    with pytest.raises(DssError, match="has a sample rate of 500 Hz, but .* 1000 Hz"):
        tune(trunk, data_dir=other)
    assert run_file(trunk, "_params.yaml").read_text() == before
