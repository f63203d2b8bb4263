"""Every training option has the effect that it describes."""

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import TINY

from dss import models
from dss.data import make_dataset
from dss.errors import DssError, DssWarning
from dss.options import NetworkOptions
from dss.runs import load_run, run_file
from dss.train import train

NETWORK = {"nb_hist": 64, "nb_filters": 4, "kernel_size": 3, "nb_conv": 1, "dilations": [1, 2]}


@pytest.fixture
def trained(tiny_run, tmp_path):
    """A function that trains a tiny network for 2 epochs: options -> the trunk of the run."""
    _, store = tiny_run

    def run(**options):
        return train(
            **{"data_dir": store, "save_dir": tmp_path / "runs", "nb_epoch": 2, **TINY, **options}
        )

    return run


def history(trunk):
    return pd.read_csv(run_file(trunk, "_history.csv"))


def params(trunk):
    return yaml.safe_load(run_file(trunk, "_params.yaml").read_text())


def scores_of(trunk):
    """Weights of the last layer: equal only if the two trainings were."""
    with h5py.File(run_file(trunk, "_model.h5")) as file:
        return file["scores/kernel"][:]


def test_each_option_changes_the_weights(trained):
    options = [
        {},
        {"balance": True},
        {"augmentations": {"noise": 0.5}},
        {"augmentations": {"time_shift_seconds": 0.05}},
        {"augmentations": {"invert": 0.5}},
        {"dropout": 0.3},
        {"fraction_data": 0.5},
        {"seed": 5},
    ]
    trunks = [trained(nb_epoch=1, **NETWORK, **option) for option in options]
    weights = [tuple(scores_of(trunk).ravel()) for trunk in trunks]
    assert len(set(weights)) == len(options)


def test_all_that_is_drawn_at_random_takes_the_seed(trained):
    """Chunks, augmentations and dropout."""
    options = {
        "balance": True,
        "augmentations": {"noise": 0.5, "gain_db": 6, "time_shift_seconds": 0.05},
        "dropout": 0.3,
        "fraction_data": 0.5,
        "nb_epoch": 1,
    }
    first, second = (scores_of(trained(**options)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_fraction_of_the_data_leaves_the_test_split_whole(trained, tiny_run):
    whole, part = tiny_run[0], trained(fraction_data=0.3)
    with (
        h5py.File(run_file(whole, "_results.h5")) as a,
        h5py.File(run_file(part, "_results.h5")) as b,
    ):
        np.testing.assert_array_equal(a["labels"][:], b["labels"][:])


def test_one_song_type_is_trained_for(folder, tmp_path):
    store = make_dataset(folder, individual_targets=True)
    trunk = train(data_dir=store, y_suffix="a", nb_epoch=1, **TINY)
    assert params(trunk)["class_names"] == ["noise", "a"]
    assert load_run(trunk).model.output_shape[-1] == 2


def test_training_stops_when_the_validation_loss_does_not_fall(trained):
    never_learns = {"learning_rate": 1e-12, "nb_epoch": 9}
    assert len(history(trained(**never_learns, early_stopping_patience=3))) == 4
    assert len(history(trained(**never_learns, early_stopping_patience=1))) == 2


def test_the_learning_rate_is_reduced_when_patience_ends(trained):
    never_learns = {"learning_rate": 1e-12, "nb_epoch": 4, "reduce_lr": True}
    for patience, powers in ((1, [-12, -12, -13, -14]), (2, [-12, -12, -12, -13])):
        rates = history(trained(**never_learns, reduce_lr_patience=patience))["learning_rate"]
        np.testing.assert_allclose(np.log10(rates), powers)


def test_a_folder_that_cannot_be_written_is_an_error_before_training(trained, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DssError, match="file: is a file, not a folder"):
        trained(save_dir=tmp_path / "file" / "runs")


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision_learns_and_its_runs_load_in_32_bits(trained, precision):
    trunk = trained(mixed_precision=precision, nb_epoch=4)
    assert history(trunk)["loss"].iloc[-1] < history(trunk)["loss"].iloc[0]
    model = load_run(trunk).model
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}


def test_mixed_precision_computes_with_16_bits_between_features_and_scores():
    from dss.models.backend import keras

    model = models.build(NetworkOptions(**NETWORK), 1, 3, "bfloat16")
    assert model.get_layer("block0_dilation1").compute_dtype == "bfloat16"
    assert model.get_layer("scores").compute_dtype == "float32"
    assert {str(weight.dtype) for weight in model.weights} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"
    p = model.predict(np.zeros((1, 64, 1), "float32"), verbose=0)
    np.testing.assert_allclose(p.sum(axis=2), 1, atol=1e-5)


def test_dropout_switches_filters_off_only_while_training():
    model = models.build(NetworkOptions(**NETWORK, dropout=0.5), 1, 3)
    x = np.random.default_rng(0).standard_normal((1, 64, 1)).astype("float32")
    a, b = (np.asarray(model(x, training=True)) for _ in range(2))
    assert np.abs(a - b).max() > 1e-3
    a, b = (np.asarray(model(x, training=False)) for _ in range(2))
    np.testing.assert_array_equal(a, b)


def test_an_lstm_sees_the_whole_chunk():
    x = np.random.default_rng(0).standard_normal((1, 64, 1)).astype("float32")
    changed = x.copy()
    changed[0, -1] += 5
    for units, is_seen in ((0, False), (8, True)):
        model = models.build(NetworkOptions(**NETWORK, nb_lstm_units=units), 1, 3)
        difference = np.abs(model(x) - model(changed))[0, :40].max()
        assert (difference > 0) == is_seen


def test_a_network_with_lstm_trains_and_annotates(trained):
    from dss.predict import probabilities

    trunk = trained(nb_lstm_units=4, nb_epoch=1, nb_hist=128, fraction_data=0.2)
    p = probabilities(np.zeros(300, "float32"), trunk)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)


def test_dilations_widen_what_the_filters_reach():
    narrow, wide = (
        models.receptive_field(NetworkOptions(**{**NETWORK, "dilations": d}))
        for d in ([1, 2], [1, 2, 4])
    )
    assert (narrow, wide) == (1 + 3 * 2, 1 + 7 * 2)
    names = [w.path for w in models.build(NetworkOptions(**NETWORK), 1, 3).weights]
    assert any("block0_dilation2" in name for name in names)
    assert not any("block0_dilation4" in name for name in names)


def test_samples_that_nobody_looked_at_change_nothing(tiny_run, tmp_path):
    """They have no gradient: whatever their targets are, the same weights are learned."""
    store = copied(tiny_run[1], tmp_path)
    y = np.load(store / "train" / "y.npy")
    unknown = slice(2000, 5000)
    annotated = np.ones(len(y), "uint8")
    annotated[unknown] = 0
    np.save(store / "train" / "annotated.npy", annotated)
    options = {"data_dir": store, "nb_epoch": 1, **TINY}
    first = train(save_dir=tmp_path / "1", **options)
    y[unknown] = [0, 1, 0, 0]
    np.save(store / "train" / "y.npy", y)
    np.testing.assert_array_equal(
        scores_of(first), scores_of(train(save_dir=tmp_path / "2", **options))
    )
    (store / "train" / "annotated.npy").unlink()
    everywhere = train(save_dir=tmp_path / "3", **options)
    assert (scores_of(first) != scores_of(everywhere)).any()


def test_too_short_chunks_are_warned_of_with_the_numbers(trained):
    with pytest.warns(
        DssWarning, match="field is 218 samples, longer than a chunk of 128 samples, so part"
    ):
        trunk = trained(nb_hist=128, dilations=[1, 2, 4, 8, 16], nb_epoch=1)
    assert len(params(trunk)["warnings"]) == 1


def test_batches_larger_than_the_data_are_made_smaller(trained):
    with pytest.warns(DssWarning, match="batch_size: 5000 is more than the .* training chunks"):
        trunk = trained(batch_size=5000, nb_epoch=1)
    assert 10 < params(trunk)["batch_size"] < 200


def test_a_song_type_without_examples_is_warned_of(tiny_run, tmp_path):
    store = copied(tiny_run[1], tmp_path)
    y = np.load(store / "train" / "y.npy")
    y[:, 0] += y[:, 3]
    y[:, 3] = 0
    np.save(store / "train" / "y.npy", y)
    with pytest.warns(DssWarning, match="p: has no example in the train split"):
        train(data_dir=store, nb_epoch=1, **TINY)
    y[:] = [1, 0, 0, 0]
    np.save(store / "train" / "y.npy", y)
    with pytest.raises(DssError, match="the train split contains no song at all"):
        train(data_dir=store, nb_epoch=1, **TINY)


def test_audio_that_is_no_number_is_an_error_and_leaves_no_files(tiny_run, tmp_path):
    store = copied(tiny_run[1], tmp_path)
    x = np.load(store / "train" / "x.npy")
    x[1000:1100] = np.nan
    np.save(store / "train" / "x.npy", x)
    with pytest.raises(DssError, match=r"the audio contains NaN or infinite values"):
        train(data_dir=store, nb_epoch=1, **TINY)
    assert list(store.with_suffix(".res").iterdir()) == []


def test_an_exploding_loss_stops_training_and_names_the_learning_rate(
    trained, tmp_path, monkeypatch
):
    from dss.models import fit

    monkeypatch.setattr(fit, "_schedule", lambda progress: 5000)
    with pytest.raises(DssError, match=r"in epoch 1: the loss became .* 0\.002 instead of 0\.02"):
        trained(nb_epoch=5)
    assert list((tmp_path / "runs").iterdir()) == []


def test_the_best_epoch_stays_if_the_loss_explodes_later(trained, tmp_path, monkeypatch):
    """From the third epoch on the learning rate is a thousand times what is right."""
    from dss.models import fit

    monkeypatch.setattr(fit, "_schedule", lambda progress: 1 if progress < 0.2 else 5000)
    with pytest.raises(DssError, match=r"in epoch [2-9]: .* The weights of epoch \d are saved"):
        trained(nb_epoch=10)
    names = sorted(p.name.split("_", 2)[-1] for p in (tmp_path / "runs").iterdir())
    assert names == ["history.csv", "model.h5", "params.yaml"]
    trunk = next((tmp_path / "runs").glob("*_model.h5"))
    assert all(np.isfinite(w).all() for w in load_run(trunk).model.get_weights())


def copied(store, tmp_path):
    import shutil

    return shutil.copytree(store, tmp_path / "copy.npy")
