import subprocess
import sys

import pytest

from dss import models
from dss.options import NetworkOptions

SMALL = {"nb_hist": 256, "nb_filters": 6, "kernel_size": 5, "nb_conv": 2, "dilations": [1, 3]}
SHAPES = [
    {},
    {"nb_pre_conv": 3, "pre_nb_dft": 31},
    {"use_separable": [True]},
    {"use_separable": [True, False], "nb_pre_conv": 2, "pre_nb_dft": 16},
    {"nb_lstm_units": 3, "dropout": 0.1},
]


@pytest.mark.parametrize(
    ("model_name", "shape"),
    [
        *((name, shape) for name in ("tcn", "das_tcn") for shape in SHAPES),
        ("tcn", {"nb_pre_conv": 3, "pre_nb_dft": 0}),
        ("tcn", {"nb_pre_conv": 3, "pre_nb_dft": 31, "pre_filters": 2, "nb_members": 3}),
        ("tcn", {"nb_pre_conv": 3, "pre_nb_dft": 31, "pre_filters": 2}),
        ("tcn", {"nb_pre_conv": 3, "pre_nb_dft": 256, "pre_filters": 3}),
        ("tcn", {"nb_pre_conv": 3, "pre_nb_dft": 256, "pre_filters": 3, "pre_bins": [9, 70]}),
    ],
)
def test_the_weights_are_as_many_as_the_network_has(model_name, shape):
    options = NetworkOptions(model_name=model_name, **SMALL, **shape)
    model = models.build(options, nb_channels=3, nb_classes=4)
    assert models.count_weights(options, 3, 4) == model.count_params()


def test_they_are_counted_without_tensorflow():
    code = (
        "import sys; from dss import models; from dss.options import NetworkOptions\n"
        "models.count_weights(NetworkOptions(), 1, 2); assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
