"""The notebooks and recordings that come with dss, and `dss notebooks`."""

import json
import os
import re
from pathlib import Path

import pytest

from dss import examples
from dss.cli import main
from dss.errors import DssError
from dss.examples import how_to_open, shipped, write_notebooks

ROOT = Path(__file__).parents[1]


def content(folder):
    """The bytes of all files below a folder, by path."""
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_folder_holds_the_notebooks_and_all_recordings_as_they_are_shipped(tmp_path):
    notebooks = write_notebooks(tmp_path / "song lab")
    assert [p.name[0] for p in notebooks] == ["1", "2", "3", "4"]
    assert {p.parent for p in notebooks} == {tmp_path / "song lab" / "notebooks"}
    written = content(tmp_path / "song lab")
    recordings = [p for p in (ROOT / "data").rglob("*.*") if p.suffix in (".wav", ".csv")]
    assert len(written) == len(notebooks) + len(recordings)
    assert all(written[p.relative_to(ROOT)] == p.read_bytes() for p in recordings)


def test_the_notebooks_find_their_recordings(tmp_path):
    for notebook in write_notebooks(tmp_path):
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        source = "".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        for path in re.findall(r'"(\.\./[^"]*)"', source):
            assert any((notebook.parent / path).glob("*.wav"))


def test_what_is_there_is_not_replaced_unless_asked(tmp_path):
    first = write_notebooks(tmp_path)[0]
    annotations = tmp_path / "data" / "finch" / "bird1_01_annotations.csv"
    shipped_annotations = annotations.read_bytes()
    annotations.write_text("mine")
    first.unlink()
    before = content(tmp_path)
    with pytest.raises(DssError, match=r"bird1_01_annotations.csv$") as error:
        write_notebooks(tmp_path)
    assert "--overwrite" in str(error.value)
    assert content(tmp_path) == before  # the notebook that is missing is not written, either
    write_notebooks(tmp_path, overwrite=True)
    assert annotations.read_bytes() == shipped_annotations
    assert first.exists()


def test_writing_again_changes_nothing(tmp_path):
    write_notebooks(tmp_path)
    (tmp_path / "data" / "finch" / "mine_annotations.csv").write_text("mine")
    before = content(tmp_path)
    assert len(write_notebooks(tmp_path)) == 4
    assert content(tmp_path) == before


def test_the_command_says_what_to_type_next(tmp_path, capsys):
    assert main(["notebooks", str(tmp_path / "song lab")]) == 0
    said = capsys.readouterr().out
    assert f"jupyter lab '{tmp_path}/song lab/notebooks'" in said
    assert "1_inspect_data.ipynb" in said
    assert main(["notebooks", str(tmp_path / "song lab")]) == 0


def test_without_jupyterlab_it_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(examples, "find_spec", lambda name: name != "jupyterlab" or None)
    said = how_to_open(write_notebooks(tmp_path))
    assert said.index('pip install "dss[notebooks]"') < said.index("jupyter lab")


@pytest.mark.parametrize("place", ["a_file", "a_file/below"])
def test_a_folder_that_cannot_be_is_an_error(tmp_path, place, capsys):
    (tmp_path / "a_file").write_text("mine")
    assert main(["notebooks", str(tmp_path / place)]) == 2
    said = capsys.readouterr().err
    assert str(tmp_path / "a_file") in said
    assert "Traceback" not in said
    assert (tmp_path / "a_file").read_text() == "mine"


def test_a_folder_in_the_place_of_a_file_is_an_error(tmp_path):
    (tmp_path / "notebooks" / "3_train.ipynb").mkdir(parents=True)
    with pytest.raises(DssError, match=r"3_train.ipynb"):
        write_notebooks(tmp_path, overwrite=True)


def test_examples_that_are_missing_are_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(examples, "_PACKAGE", tmp_path / "dss")
    with pytest.raises(DssError, match="the notebooks included with dss are missing"):
        shipped("notebooks")


def test_an_installed_dss_takes_those_of_its_package(tmp_path, monkeypatch):
    monkeypatch.setattr(examples, "_PACKAGE", tmp_path / "dss")
    for folder in (tmp_path / "data" / "song", tmp_path / "dss" / "shipped" / "data" / "finch"):
        folder.mkdir(parents=True)
        (folder / "1.wav").touch()
    assert shipped("data") == tmp_path / "dss" / "shipped" / "data"


def test_a_pipe_in_the_place_of_a_file_is_not_read(tmp_path):
    pipe = tmp_path / "notebooks" / "1_inspect_data.ipynb"
    pipe.parent.mkdir()
    os.mkfifo(pipe)
    with pytest.raises(DssError, match=r"(?s)files already exist.*1_inspect_data\.ipynb"):
        write_notebooks(tmp_path)
    write_notebooks(tmp_path, overwrite=True)
    assert pipe.is_file()
