"""The notebooks with real recordings: only the path is changed, and training has one epoch."""

import sys
from pathlib import Path

import pytest
from conftest import shared

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
from notebooks import run_notebooks


@pytest.mark.parametrize(
    ("name", "n_judged", "n_recordings"),
    [("fly_partial", 1, 1), ("meerkat", 1, 3)],  # events, annotated in part; calls
)
def test_all_notebooks_run_from_top_to_bottom(name, n_judged, n_recordings, tmp_path):
    got = run_notebooks(shared(name), tmp_path, epochs=1)
    assert (got["n_judged"], got["n_recordings"]) == (n_judged, n_recordings)
    assert got["n_true"] > 0
    assert (tmp_path / "work" / f"{name}.npy").is_dir()
