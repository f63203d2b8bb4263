import pytest
import yaml

from dss.errors import DssError
from dss.runs import list_files, read_params, run_file, run_trunk

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
        ({"class_names": ["noise"]}, "class_types: 2 of them, but 1 class_names"),
    ],
)
def test_values_of_a_run_that_cannot_be_right_are_said(tmp_path, changed, said):
    trunk = tmp_path / "20261125_101500"
    file = run_file(trunk, "_params.yaml")
    file.write_text(yaml.safe_dump(PARAMS))
    assert read_params(trunk) == PARAMS
    file.write_text(yaml.safe_dump(PARAMS | changed))
    with pytest.raises(DssError, match=rf"(?s)_params\.yaml: these values .*{said}"):
        read_params(trunk)


def test_the_folder_of_tensorboard_is_one_of_the_files_of_a_run(tmp_path):
    trunk = tmp_path / "20261123_101500"
    for suffix in ("_params.yaml", "_model.h5"):
        run_file(trunk, suffix).write_text("x")
    run_file(trunk, "_tensorboard").mkdir()
    (run_file(trunk, "_tensorboard") / "events").write_bytes(bytes(2000))
    assert list_files(trunk).loc["20261123_101500_tensorboard", "kB"] == 2
    assert run_trunk(run_file(trunk, "_tensorboard")) == trunk
