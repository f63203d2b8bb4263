"""A run loads in another release of Keras 3. Only when asked, as it installs one:

DSS_OTHER_KERAS=3.13.0 pytest tests/test_keras_releases.py
"""

import os
import subprocess
import sys

import numpy as np
import pytest

OTHER = os.environ.get("DSS_OTHER_KERAS")
PROBABILITIES = """
import sys, numpy as np, keras
from dss.predict import probabilities
run, audio, out = sys.argv[1:]
np.save(out, probabilities(np.load(audio), run))
print(keras.__version__)
"""


@pytest.mark.skipif(not OTHER, reason="DSS_OTHER_KERAS names no release of Keras to install")
def test_another_release_of_keras_gives_the_same_probabilities(tiny_run, tmp_path):
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--target", tmp_path / "other", f"keras=={OTHER}"], check=True)
    np.save(tmp_path / "audio.npy", np.random.default_rng(0).standard_normal((900, 1)))
    found, versions = [], []
    for path in ("", str(tmp_path / "other")):
        out = tmp_path / f"{len(found)}.npy"
        result = subprocess.run(
            [sys.executable, "-c", PROBABILITIES, tiny_run[0], tmp_path / "audio.npy", out],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
        )
        versions.append(result.stdout.split()[-1])
        found.append(np.load(out))
    assert versions[1] == OTHER != versions[0]
    np.testing.assert_allclose(*found, atol=1e-6)
