"""A run loads in another release of Keras 3: the oldest that dss allows."""

import os
import subprocess
import sys
from importlib.metadata import requires, version

import numpy as np
import pytest

from dss.predict import probabilities

OLDEST = next(r.partition(">=")[2] for r in requires("dss") if r.startswith("keras>=")) + ".0"
PROBABILITIES = """
import sys, numpy as np, keras
from dss.predict import probabilities
run, audio, out = sys.argv[1:]
np.save(out, probabilities(np.load(audio), run))
print(keras.__version__)
"""


@pytest.fixture(scope="module")
def other_keras(tmp_path_factory):
    """A folder with the oldest release of Keras."""
    folder = tmp_path_factory.mktemp("keras")
    quiet = ["--quiet", "--disable-pip-version-check", "--no-deps"]
    pip = [sys.executable, "-m", "pip", "install", *quiet, "--target", folder]
    done = subprocess.run([*pip, f"keras=={OLDEST}"], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"pip cannot install Keras {OLDEST} here: {done.stderr.splitlines()[-1]}")
    return folder


def test_the_oldest_keras_gives_the_same_probabilities(tiny_run, other_keras, tmp_path):
    assert version("keras") != OLDEST
    x = np.random.default_rng(0).standard_normal((900, 1))
    np.save(tmp_path / "audio.npy", x)
    files = [tiny_run[0], tmp_path / "audio.npy", tmp_path / "p.npy"]
    other = subprocess.run(
        [sys.executable, "-c", PROBABILITIES, *map(str, files)],
        env={**os.environ, "PYTHONPATH": str(other_keras)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert other.stdout.split()[-1:] == [OLDEST], other.stderr
    np.testing.assert_allclose(np.load(files[2]), probabilities(x, tiny_run[0]), atol=1e-6)
