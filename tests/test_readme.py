import re
from pathlib import Path

import numpy as np
import scipy.io
from conftest import tone_song

import dss

README = (Path(dss.__file__).parents[1] / "README.md").read_text()


def test_the_loader_of_matlab_files_runs_as_it_stands(tmp_path, monkeypatch):
    (block,) = (b for b in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "loadmat" in b)
    (tmp_path / "song").mkdir()
    for i in range(3):
        x, rows = tone_song(seed=i)
        names, starts, stops = zip(*rows, strict=True)
        content = {
            "fs": 1000.0,
            "audio": (2**15 * np.clip(x, -0.99, 0.99)).astype(np.int16),
            "labels": np.array(names, object),  # a cell array
            "onsets": starts,
            "offsets": stops,
        }
        scipy.io.savemat(tmp_path / "song" / f"bird_{i}.mat", content)
    monkeypatch.chdir(tmp_path)
    result = {}
    exec(block, result)
    tree = dss.data.open_dataset(result["store"])
    assert tree.attrs["class_names"] == ["noise", "a", "b", "p"]
    assert sum(tree[split].sizes["time"] for split in ("train", "val", "test")) == 3 * 4000
    assert 0.3 < np.abs(tree["train"].x).max() <= 1
