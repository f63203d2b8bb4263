"""Models of DAS 0.32.13 load and predict what DAS predicts; no code in their files is run."""

import gzip
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml

from dss.errors import DssError
from dss.models.das import DasLoader
from dss.predict import predict, probabilities
from dss.runs import load_run, run_file

FILES = Path(__file__).parent / "data" / "das"
# DAS says nothing of the start of a recording, and of its end, where its batches are not full.
SAID = {"plain": slice(4, 1412), "stft": slice(3, 1434)}


def unpacked(name):
    with gzip.open(FILES / f"{name}.npy.gz") as file:
        return np.load(file)


@pytest.fixture
def das_run(tmp_path):
    """A function that unpacks a model of DAS: name -> the trunk of its files."""

    def unpack(name):
        for suffix in ("_model.h5", "_params.yaml"):
            with gzip.open(FILES / f"{name}{suffix}.gz") as packed:
                run_file(tmp_path / name, suffix).write_bytes(packed.read())
        return tmp_path / name

    return unpack


@pytest.mark.parametrize("name", SAID)
def test_a_model_of_das_says_what_das_says(das_run, name):
    p = probabilities(unpacked("audio"), das_run(name))
    theirs = unpacked(f"{name}_probabilities")
    assert p.shape == (1500, 2)
    assert theirs[SAID[name]].std(axis=0).min() > 0.02  # there is something to be compared
    np.testing.assert_allclose(p[SAID[name]], theirs[SAID[name]], atol=1e-4)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)


def test_several_channels_with_lstm_and_separable_blocks_say_what_das_says(das_run):
    p = load_run(das_run("channels")).model.predict(unpacked("channels_audio"), verbose=0)
    theirs = unpacked("channels_probabilities")
    assert theirs.std(axis=(0, 1)).min() > 0.01
    np.testing.assert_allclose(p, theirs, atol=1e-4)


@pytest.mark.parametrize("name", SAID)
def test_the_batch_size_does_not_change_what_a_model_of_das_says(das_run, name):
    run = load_run(das_run(name))
    audio = unpacked("audio")
    one, many = (probabilities(audio, run, batch_size=n) for n in (1, 5))
    np.testing.assert_allclose(one, many, atol=1e-5)


def test_its_song_types_and_options_are_known(das_run):
    run = load_run(das_run("stft"))
    assert run.song_types == {"a": "segment"}
    assert run.samplerate_hz == 20000
    assert (run.options.model_name, run.options.use_separable) == ("das_tcn", [True])
    assert list(predict(unpacked("audio"), run)["name"]) == ["a"]


def test_it_can_be_trained_further(das_run, tmp_path):
    """The last layer keeps noise and `a`, and gets a new song type."""
    from dss.models import build
    from dss.train.resume import copy_weights

    trunk = das_run("plain")
    run = load_run(trunk)
    model = build(run.options, 1, 3)
    copy_weights(model, trunk, ["noise", "new", "a"])
    old, new = (m.get_layer("scores").get_weights()[0] for m in (run.model, model))
    np.testing.assert_array_equal(new[:, [0, 2]], old)


def test_lambda_layers_are_not_run(das_run):
    """The file holds marshalled Python, which is not even looked at."""
    trunk = das_run("plain")
    before = probabilities(unpacked("audio"), trunk)
    with h5py.File(run_file(trunk, "_model.h5"), "a") as file:
        assert "Lambda" in file.attrs["model_config"]
        file.attrs["model_config"] = "no JSON at all"
    np.testing.assert_array_equal(probabilities(unpacked("audio"), trunk), before)


@pytest.mark.parametrize(
    "text",
    [
        "data_splits: !!python/object/apply:os.system ['touch {path}']",
        "? !!python/object/apply:os.system ['touch {path}']\n: 1",
        "x: !!python/object/apply:numpy.core.multiarray.scalar\n- !!python/name:os.system\n- ''",
        "x: !!python/object/new:subprocess.Popen [['touch', '{path}']]",
        "x: !!python/module:os",
    ],
)
def test_yaml_tags_that_would_run_code_are_an_error(das_run, tmp_path, text):
    trunk = das_run("plain")
    params = run_file(trunk, "_params.yaml")
    params.write_text(text.format(path=tmp_path / "pwned") + "\n" + params.read_text())
    with pytest.raises(DssError, match="cannot be read as YAML"):
        load_run(trunk)
    assert not (tmp_path / "pwned").exists()


def test_numbers_of_numpy_in_yaml_are_read_as_numbers():
    text = """
gap: !!python/object/apply:numpy.core.multiarray.scalar
- !!python/object/apply:numpy.dtype
  args: [f8, false, true]
  state: !!python/tuple [3, '<', null, null, null, -1, -1, 0]
- !!binary AAAAAAAA4D8=
pair: !!python/tuple [1, 2]
"""
    assert yaml.load(text, DasLoader) == {"gap": 0.5, "pair": (1, 2)}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("model_name: tcn", "model_name: tcn_small", "of type tcn_small"),
        ("nb_filters: 4", "nb_filters: 5", r"has shape \(1, 1, 4\) in the file, but \(1, 1, 5\)"),
        ("nb_conv: 1", "nb_conv: 2", "holds 24 arrays, but the network .* has 44"),
        ("data_padding: 4", "data_padding: 5", "data_padding is 5, but should be 4"),
        ("upsample: true", "upsample: false", "fewer predictions than there are samples"),
        ("upsample: true", "activation: wavenet", "with activation wavenet; .* norm_relu"),
    ],
)
def test_files_that_do_not_fit_are_an_error(das_run, old, new, message):
    trunk = das_run("plain")
    params = run_file(trunk, "_params.yaml")
    assert old in params.read_text()
    params.write_text(params.read_text().replace(old, new))
    if "nb_conv" in new:
        params.write_text(params.read_text().replace("data_padding: 4", "data_padding: 8"))
    with pytest.raises(DssError, match=message):
        load_run(trunk)


def test_a_model_of_das_is_found_wherever_it_lies(das_run, tmp_path):
    trunk = das_run("plain")
    (tmp_path / "else where").mkdir()
    for suffix in ("_model.h5", "_params.yaml"):
        shutil.copy(run_file(trunk, suffix), tmp_path / "else where" / f"x{suffix}")
    assert load_run(tmp_path / "else where" / "x_model.h5").trunk.name == "x"
