"""The simulated recordings in data/: what is there, and that the script makes them again."""

import filecmp
import subprocess
import sys
from pathlib import Path

import pytest

from dss.data import (
    annotations_path,
    check_annotations,
    find_recordings,
    open_recording,
    read_annotations,
)
from dss.data.song_types import song_types

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize(
    ("name", "n_channels", "n_segments", "n_events"),
    [("finch", 1, 6, 0), ("fly", 1, 1, 1), ("fly_channels", 3, 1, 1)],
)
def test_recordings_are_annotated_without_faults(name, n_channels, n_segments, n_events):
    recordings = [open_recording(path) for path in find_recordings(DATA / name)]
    tables = {r.path: read_annotations(annotations_path(r.path)) for r in recordings}
    assert {r.n_channels for r in recordings} == {n_channels}
    kinds = list(song_types(tables).values())
    assert (kinds.count("segment"), kinds.count("event")) == (n_segments, n_events)
    assert check_annotations(DATA / name).empty


def test_the_script_makes_the_same_bytes_again(tmp_path):
    script = DATA / "simulate.py"
    subprocess.run([sys.executable, script, "--out", tmp_path], check=True)
    made = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    shipped = [p.relative_to(DATA) for p in DATA.rglob("*.*") if p.is_file() and p != script]
    assert made == sorted(p for p in shipped if "__pycache__" not in p.parts)
    assert sum((DATA / p).stat().st_size for p in made) < 6e6
    for path in made:
        # Another processor may round another way in the last bit of a sine; a sample may differ
        # by one step then. The annotations may not.
        if path.suffix == ".csv":
            assert filecmp.cmp(DATA / path, tmp_path / path, shallow=False)
        else:
            shipped, again = (open_recording(f / path).read() for f in (DATA, tmp_path))
            assert abs(shipped - again).max() <= 1.01 / 2**15
