import subprocess
import sys
import threading
from pathlib import Path

import pytest
from conftest import side_by_side

from dss.errors import DssError
from dss.support.files import MACHINE, check_writable, replacing


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
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    left = tmp_path / f".store.npy.{MACHINE}-{killed.pid}.part"
    left.mkdir()
    (left / "half").touch()
    with replacing(path) as part:
        part.mkdir()
        (part / "new").touch()
    assert [p.name for p in path.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [path]


def write_many(path, number):
    for _ in range(30):
        with replacing(path) as part:
            part.mkdir()
            for i in range(20):
                (part / f"{i}").write_text(str(number))


def test_processes_that_write_to_the_same_place_leave_what_one_of_them_wrote(tmp_path):
    path = tmp_path / "store.npy"
    side_by_side(write_many, [(path, n) for n in range(2)])
    assert list(tmp_path.iterdir()) == [path]
    assert len({file.read_text() for file in path.iterdir()}) == 1
    assert len(list(path.iterdir())) == 20


def test_so_do_threads(tmp_path):
    path = tmp_path / "store.npy"
    threads = [threading.Thread(target=write_many, args=(path, n)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(tmp_path.iterdir()) == [path]
    assert len({file.read_text() for file in path.iterdir()}) == 1
    assert len(list(path.iterdir())) == 20


def test_names_may_be_as_long_as_the_file_system_allows(tmp_path):
    path = tmp_path / ("é" * 120 + ".csv")  # 244 bytes
    with replacing(path) as part:
        part.write_text("new")
    assert path.read_text() == "new"


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
