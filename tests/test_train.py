import h5py
import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import TINY

import dss
from dss.data import make_dataset, open_dataset
from dss.errors import DssError
from dss.predict import predict
from dss.runs import load_run, run_file, run_trunk
from dss.train import train


def weights(trunk):
    with h5py.File(run_file(trunk, "_model.h5")) as file:
        names = []
        file.visit(names.append)
        return {n: file[n][()] for n in names if isinstance(file[n], h5py.Dataset)}


def test_a_run_leaves_its_files(tiny_run):
    trunk, store = tiny_run
    assert trunk.parent == store.with_suffix(".res")
    files = trunk.parent.glob(f"*{trunk.name}*")  # other tests leave other runs
    assert sorted(file.name.removeprefix(trunk.name) for file in files) == [
        "_confusion.png",
        "_history.csv",
        "_model.h5",
        "_params.yaml",
        "_results.h5",
    ]
    params = yaml.safe_load(run_file(trunk, "_params.yaml").read_text())
    assert params["class_names"] == ["noise", "a", "b", "p"]
    assert params["nb_filters"] == TINY["nb_filters"]
    assert params["versions"]["dss"] == dss.__version__
    history = pd.read_csv(run_file(trunk, "_history.csv"))
    assert history["epoch"].tolist() == list(range(1, len(history) + 1))
    assert history["loss"].iloc[-1] < 0.5 * history["loss"].iloc[0]


def test_what_was_fixed_in_the_recordings_is_in_the_run(folder, tmp_path):
    with (folder / "bird_1_annotations.csv").open("a") as file:
        file.write("a,3.98,4.0030\n")
    path = folder / "bird_2.wav"
    path.write_bytes(path.read_bytes()[:-200])
    store = make_dataset(folder)
    trunk = train(data_dir=store, save_dir=tmp_path / "runs", nb_epoch=1, **TINY)
    fixed = yaml.safe_load(run_file(trunk, "_params.yaml").read_text())["fixed"]
    assert fixed == open_dataset(store).attrs["fixed"]
    assert ["3 ms beyond the recording" in fixed[0], "100 ms are missing" in fixed[1]] == [True] * 2
    assert len(fixed) == 2


def test_the_results_judge_the_test_split_sample_by_sample(tiny_run):
    trunk, store = tiny_run
    with h5py.File(run_file(trunk, "_results.h5")) as file:
        labels, predictions = file["labels"][:], file["predictions"][:]
        assert len(labels) == len(np.load(store / "test" / "y.npy", mmap_mode="r"))
        assert file["confusion_matrix"][:].sum() == len(labels)
        assert (labels == predictions).mean() > 0.9
        assert len(file["history/loss"]) == len(pd.read_csv(run_file(trunk, "_history.csv")))


def test_the_same_seed_gives_the_same_weights_and_another_does_not(folder, tmp_path):
    store = make_dataset(folder)
    runs = [
        train(data_dir=store, save_dir=tmp_path / "runs", nb_epoch=2, seed=seed, **TINY)
        for seed in (3, 3, 4)
    ]
    assert len(set(runs)) == 3
    first, second, third = map(weights, runs)
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name])
    assert any((values != third[name]).any() for name, values in first.items())


def test_members_learn_as_if_each_were_alone(folder, tmp_path):
    options = {"data_dir": make_dataset(folder), "save_dir": tmp_path / "runs", "nb_epoch": 2}
    alone = weights(train(**options, **TINY))
    pair = train(**options, **TINY, nb_members=2)
    both = weights(pair)
    for name, values in alone.items():
        np.testing.assert_array_equal(both[name], values)
    learned = [name for name in both if "_member1" in name]
    assert len(learned) == len([name for name in alone if not name.startswith("standardize")])
    differ = [(both[name] != both[name.replace("_member1", "")]).any() for name in learned]
    assert all(differ)
    assert "start_seconds" in predict(np.zeros(2000, np.float32), pair)


def test_the_best_epoch_is_kept(tiny_run):
    from dss.data import open_dataset
    from dss.data.batches import Chunks, split_stretches

    trunk, store = tiny_run
    run, tree = load_run(trunk), open_dataset(store)
    chunks = Chunks(
        tree["val"].x.data,
        tree["val"].y.data,
        split_stretches(tree, "val"),
        256,
        run.params["data_padding"],
    )
    x, y, weight = chunks.batch(*chunks.grid())
    p = run.model.predict(x, verbose=0)
    loss = -(y * np.log(p)).sum(axis=2)[weight > 0].mean()
    history = pd.read_csv(run_file(trunk, "_history.csv"))
    best = history.set_index("epoch")["val_loss"][history["best_epoch"].iloc[-1]]
    assert loss == pytest.approx(best, rel=1e-3)


def test_of_epochs_that_are_equally_good_the_last_is_the_best():
    from dss.models.fit import Progress, _record_scores

    at, best = Progress(), []
    f1 = [0.5, 0.9, 0.89, 0.6, 0.885, float("nan")]
    for at.epoch, (score, loss) in enumerate(zip(f1, [5, 4, 4.5, 6, 7, 8], strict=True), start=1):
        _record_scores({"val_loss": loss, "val_f1_noise": 0.9, "val_f1_a": score}, at, n_val=1000)
        best.append(at.best_epoch)
    assert best == [1, 2, 3, 3, 5, 6]
    assert at.lowest_loss == 4
    assert at.waited == 4


@pytest.mark.parametrize(("n_val", "best_epoch"), [(0, 3), (4, 2), (1000, 1)])
def test_few_annotations_do_not_tell_which_epoch_is_the_best(n_val, best_epoch):
    from dss.models.fit import Progress, _record_scores

    at = Progress()
    for at.epoch, score in enumerate([0.9, 0.8, 0.2], start=1):
        _record_scores({"val_loss": 1.0, "val_f1_noise": 0.99, "val_f1_a": score}, at, n_val)
    assert at.best_epoch == best_epoch


def test_prefix_and_folder_are_taken(folder, tmp_path):
    store = make_dataset(folder)
    trunk = train(
        data_dir=store, save_dir=tmp_path / "deep" / "er", save_prefix="pulse", nb_epoch=1, **TINY
    )
    assert trunk.parent == tmp_path / "deep" / "er"
    assert trunk.name.startswith("pulse_2")


def test_options_change_the_training(folder, tmp_path):
    store = make_dataset(folder)
    for name, value in {"reduce_lr": True, "fraction_data": 0.3, "tensorboard": True}.items():
        trunk = train(
            data_dir=store,
            save_dir=tmp_path / name,
            save_prefix=name,
            nb_epoch=4,
            **{**TINY, name: value},
        )
        history = pd.read_csv(run_file(trunk, "_history.csv"))
        constant = history["learning_rate"].nunique() == 1
        assert constant == (name == "reduce_lr")
        assert any(p.is_dir() for p in trunk.parent.iterdir()) == (name == "tensorboard")


def test_a_run_is_named_by_any_of_its_files(tiny_run):
    trunk, _ = tiny_run
    for suffix in ("", "_model.h5", "_params.yaml", "_results.h5"):
        assert run_trunk(f"{trunk}{suffix}") == trunk


def test_a_run_is_loaded_from_plain_yaml_and_arrays(tiny_run, tmp_path):
    trunk, _ = tiny_run
    run = load_run(trunk)
    assert run.song_types == {"a": "segment", "b": "segment", "p": "event"}
    assert run.samplerate_hz == 1000
    other = tmp_path / "moved"
    run_file(other, "_params.yaml").write_bytes(run_file(trunk, "_params.yaml").read_bytes())
    run_file(other, "_model.h5").write_bytes(run_file(trunk, "_model.h5").read_bytes())
    x = np.random.default_rng(0).standard_normal((1, 256, 1)).astype("float32")
    a, b = (r.model.predict(x, verbose=0) for r in (run, load_run(other)))
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("!!python/object/apply:os.system ['touch pwned']", "cannot be read as YAML"),
        ("nb_hist: 256", "lacks samplerate_x_Hz, class_names"),
    ],
)
def test_params_that_are_no_params_are_an_error(tiny_run, tmp_path, text, message):
    trunk, _ = tiny_run
    run_file(tmp_path / "r", "_model.h5").write_bytes(run_file(trunk, "_model.h5").read_bytes())
    run_file(tmp_path / "r", "_params.yaml").write_text(text)
    with pytest.raises(DssError, match=message):
        load_run(tmp_path / "r")


def test_what_cannot_be_trained_is_an_error_and_leaves_no_files(folder):
    store = make_dataset(folder)
    for options, message in [
        ({"nb_hist": 12}, "too short for the filters"),
        ({"y_suffix": "a"}, "has no individual targets for 'a'"),
        ({"data_dir": folder}, "is not a dataset"),
    ]:
        with pytest.raises(DssError, match=message):
            train(**{"data_dir": store, "nb_epoch": 1, **TINY, **options})
    assert not store.with_suffix(".res").exists()


def test_a_dataset_without_a_training_split_is_an_error(folder):
    store = make_dataset(folder)
    attributes = yaml.safe_load((store / "attrs.yaml").read_text())
    for name in ("filename_train", "filename_startsample_train", "filename_endsample_train"):
        attributes[name] = []
    (store / "attrs.yaml").write_text(yaml.safe_dump(attributes))
    for name in ("x", "y"):
        np.save(store / "train" / f"{name}.npy", np.load(store / "train" / f"{name}.npy")[:0])
    with pytest.raises(DssError, match="the train split is empty"):
        train(data_dir=store, **TINY)
