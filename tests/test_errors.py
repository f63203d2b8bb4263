import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from conftest import write_recording

import dss
from dss.data import make_dataset
from dss.errors import DssWarning


@pytest.fixture
def overlapping(tmp_path):
    """Recordings with annotations that lie one in the other, which gives warnings."""
    import numpy as np

    rng = np.random.default_rng(0)
    for i in range(3):
        rows = [("a", 0.1, 0.5), ("a", 0.2, 0.4), ("a", 1.0, 1.2), ("a", 1.5, 1.7)]
        write_recording(tmp_path / "song", f"{i}", rng.normal(0, 0.1, 2000), 1000, rows)
    return tmp_path / "song"


def test_a_warning_points_to_the_line_that_called_dss(overlapping):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make_dataset(overlapping)
    assert caught
    assert {warning.filename for warning in caught} == {__file__}
    assert {warning.category for warning in caught} == {DssWarning}


@pytest.mark.parametrize("how", ["command", "script"])
def test_a_warning_of_a_script_begins_with_its_line(overlapping, tmp_path, how):
    code = f"import dss.data\n\ndss.data.make_dataset({str(overlapping)!r})\n"
    (tmp_path / "make.py").write_text(code)
    words = ["-c", code] if how == "command" else [str(tmp_path / "make.py")]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True)
    place = "<string>:3" if how == "command" else f"{tmp_path / 'make.py'}:3"
    assert done.stderr.startswith(f"{place}: DssWarning: ")
    assert "sys:1" not in done.stderr


def test_no_module_counts_the_levels_of_its_warnings():
    package = Path(dss.__file__).parent
    found = [p.name for p in package.rglob("*.py") if "warnings.warn(" in p.read_text("utf-8")]
    assert found == ["errors.py"]
