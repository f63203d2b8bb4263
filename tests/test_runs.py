import pytest
import yaml

from dss.errors import DssError
from dss.runs import list_files, load_run, read_params, run_file, run_trunk
from dss.train import train

PARAMS = {
    "samplerate_x_Hz": 1000,
    "nb_channels": 1,
    "class_names": ["noise", "a"],
    "class_types": ["segment", "event"],
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"samplerate_x_Hz": -3}, "samplerate_x_Hz: -3"),
        ({"nb_channels": "x"}, "nb_channels: 'x'"),
        ({"class_names": "abc"}, "class_names: 'abc'"),
        ({"class_types": ["segment", "song"]}, "class_types: .*song"),
        ({"class_names": []}, r"class_names: \[\]"),
        ({"class_names": ["a", "a"]}, "class_names: a occurs more than once"),
        ({"samplerate_x_Hz": float("inf")}, "samplerate_x_Hz: inf"),
        ({"samplerate_x_Hz": 1e300}, r"samplerate_x_Hz: 1e\+300"),
        ({"samplerate_x_Hz": [1] * 1000}, r"samplerate_x_Hz: \[(1, ){66}1 \.\.\.$"),
        ({"nb_channels": True}, "nb_channels: True"),
        ({"nb_channels": 10**40}, "nb_channels: 10000000"),
        ({"data_dir": 5}, "data_dir: 5; it should be text"),
        ({"y_suffix": ["a"]}, r"y_suffix: \['a'\]; it should be text"),
        ({"warnings": "batch_size: 3"}, "warnings: .*; it should be a list of texts"),
        ({"detect": None}, "detect: None; it should be"),
        ({"detect": 5}, "detect: 5; it should be"),
        ({"detect": {"options": 5}}, "detect: .*5.*; it should be"),
        ({"detect": {"learned": None}}, "detect: .*None.*; it should be"),
        ({"class_names": ["noise"]}, "class_types: 2 of them, but 1 class_names"),
    ],
)
def test_values_of_a_run_that_cannot_be_right_are_reported(tmp_path, changed, said):
    trunk = tmp_path / "20261125_101500"
    file = run_file(trunk, "_params.yaml")
    file.write_text(yaml.safe_dump(PARAMS))
    assert read_params(trunk) == PARAMS
    file.write_text(yaml.safe_dump(PARAMS | changed))
    with pytest.raises(DssError, match=rf"(?s)_params\.yaml: these values .*{said}"):
        read_params(trunk)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5", "_params.yaml: contains 5"),
        ("- 5", r"_params.yaml: contains \[5\]"),
        ("", "_params.yaml: lacks samplerate_x_Hz, class_names, class_types, nb_channels"),
        ("x: \x01", "_params.yaml: cannot be read as YAML"),
        (
            yaml.safe_dump(PARAMS | {"detect": {"options": {"segment_threshold": 7}}}),
            "(?s)_params.yaml: these options cannot .* detect: segment_threshold: 7",
        ),
        (
            yaml.safe_dump(PARAMS | {"detect": {"options": {"segment_durations": 5}}}),
            "(?s)_params.yaml: these options .* segment_durations: 5 should be a dictionary",
        ),
        (
            yaml.safe_dump(PARAMS | {"nb_classes": 2, "nb_hist": 9, "nb_conv": None})
            + "kernel_size: 3\nmodel_name: tcn",
            "_params.yaml: is damaged",
        ),
    ],
)
def test_broken_files_of_parameters_are_reported(tmp_path, text, said):
    run_file(tmp_path / "x", "_params.yaml").write_text(text)
    with pytest.raises(DssError, match=said):
        read_params(tmp_path / "x")


@pytest.mark.parametrize(
    ("name", "value"), [("nb_conv", "x"), ("nb_members", 10**9), ("nb_members", -1)]
)
def test_options_of_a_network_that_cannot_be_are_said_with_their_file(tmp_path, name, value):
    trunk = tmp_path / "x"
    run_file(trunk, "_params.yaml").write_text(yaml.safe_dump(PARAMS | {name: value}))
    run_file(trunk, "_model.h5").touch()
    said = rf"(?s)x_params\.yaml: these options .* {name}: {value!r}"
    for use in (load_run, lambda run: train(data_dir=tmp_path / "song.npy", continue_from=run)):
        with pytest.raises(DssError, match=said):
            use(trunk)


def test_the_folder_of_tensorboard_is_one_of_the_files_of_a_run(tmp_path):
    trunk = tmp_path / "20261123_101500"
    for suffix in ("_params.yaml", "_model.h5"):
        run_file(trunk, suffix).write_text("x")
    run_file(trunk, "_tensorboard").mkdir()
    (run_file(trunk, "_tensorboard") / "events").write_bytes(bytes(2000))
    assert list_files(trunk).loc["20261123_101500_tensorboard", "kB"] == 2
    assert run_trunk(run_file(trunk, "_tensorboard")) == trunk


def test_what_is_no_run_is_told_with_the_runs_that_are_there(tmp_path):
    (tmp_path / "song.npy").mkdir()
    with pytest.raises(DssError, match=r"song.npy: is a dataset, not a run$"):
        run_trunk(tmp_path / "song.npy")
    (tmp_path / "song.res").mkdir()
    there = [tmp_path / "song.res" / name for name in ("20261123_101500", "20261124_090000")]
    for trunk in there:
        for suffix in ("_params.yaml", "_model.h5"):
            run_file(trunk, suffix).write_text("x")
    for wrong in (tmp_path / "song.npy", tmp_path / "song.res" / "20261123_101501"):
        with pytest.raises(DssError) as error:
            run_trunk(wrong)
        assert str(error.value).endswith(f"; did you mean {there[0]} or {there[1]}?")


def test_a_folder_with_a_single_run_stands_for_it(tmp_path):
    def finish(name):
        for suffix in ("_params.yaml", "_model.h5"):
            run_file(tmp_path / name, suffix).write_text("x")

    with pytest.raises(DssError, match="is not a run"):
        run_trunk(tmp_path)
    finish("20261123_101500")
    assert run_trunk(tmp_path) == tmp_path / "20261123_101500"
    finish("20261124_090000")
    with pytest.raises(DssError, match=r"holds 2 runs; .* last: .*20261124_090000"):
        run_trunk(tmp_path)
