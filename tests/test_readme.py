import operator
import re
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from conftest import tone_song

import dss
from dss.cli import _parser

ROOT = Path(dss.__file__).parents[1]
GUIDE = [ROOT / "README.md", *sorted((ROOT / "docs" / "guide").glob("*.md"))]
BUILT = ("command_line.md", "benchmarks.md")  # pages that the documentation makes of others
FORMATS = (ROOT / "docs" / "guide" / "recordings.md").read_text()


def _blocks(text):
    """The blocks of Python in a page."""
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("page", GUIDE, ids=lambda page: page.stem)
def test_commands_and_links_of_a_page_exist(page):
    text = page.read_text()
    _, commands = _parser()
    for command, words in re.findall(r"\bdss ([a-z-]+)((?: [^\n`#|]*)?)", text):
        if command in commands:
            switches = commands[command]._option_string_actions
            unknown = [w for w in re.findall(r"--[a-z-]+", words) if w not in switches]
            assert not unknown, f"dss {command} has no {unknown}"
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        path = page.parent / target
        is_notebook = "notebooks" in target and (ROOT / "notebooks" / f"{path.name}.ipynb").exists()
        assert path.exists() or is_notebook or path.name in BUILT, f"{page.name}: {target}"
    for block in _blocks(text):
        compile(block, page.name, "exec")
        for name in re.findall(r"\bdss(?:\.\w+)+", block):
            operator.attrgetter(name.removeprefix("dss."))(dss)


def test_files_that_the_layout_names_exist():
    layout = (ROOT / "README.md").read_text().partition("## Working on dss")[2]
    folder = None
    for line in layout.splitlines():
        if found := re.match(r"    dss/(\w+)/ ", line):
            folder = ROOT / "dss" / found[1]
        elif line.startswith("    dss/"):
            folder = ROOT / "dss"
        elif not line.startswith("    "):
            continue
        for name in re.findall(r"[\w*/]+\.py\b", line.removeprefix("    dss/")):
            assert any(folder.rglob(name)), f"{folder.name}/{name}"


def test_the_loader_of_matlab_files_runs_as_it_stands(tmp_path, monkeypatch):
    (block,) = (b for b in _blocks(FORMATS) if "loadmat" in b)
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
