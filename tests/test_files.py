from pathlib import Path

import pytest

from dss.errors import DssError
from dss.files import check_writable, replacing


def write_half(path):
    with replacing(path) as part:
        part.write_text("half of the n")
        raise RuntimeError


def test_replacing_leaves_the_old_file_if_the_block_fails(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        write_half(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_replacing_replaces_a_folder_and_what_a_killed_process_left(tmp_path):
    path = tmp_path / "store.npy"
    path.mkdir()
    (path / "old").touch()
    left = tmp_path / ".store.npy.part"
    left.mkdir()
    (left / "half").touch()
    with replacing(path) as part:
        part.mkdir()
        (part / "new").touch()
    assert [p.name for p in path.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is full")
def test_a_full_disk_is_said_with_the_file(tmp_path):
    with (
        pytest.raises(DssError, match=r"a\.txt: cannot be written, as the disk is full"),
        replacing(tmp_path / "a.txt"),
    ):
        Path("/dev/full").write_text("more than there is space for")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DssError, match="cannot write into this folder"):
        check_writable(tmp_path / "file" / "sub")
