import errno
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import side_by_side

from dss.errors import DssError
from dss.support import files
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
        pytest.raises(DssError, match=r"a\.txt: cannot be written, because the disk is full"),
        replacing(tmp_path / "a.txt"),
    ):
        Path("/dev/full").write_text("more than there is space for")
    assert not list(tmp_path.iterdir())


def test_what_fails_to_be_written_is_said_by_the_name_that_you_know(tmp_path):
    with (
        pytest.raises(DssError, match=r"^\S*/a\.txt: cannot be written, because .* full$"),
        replacing(tmp_path / "a.txt") as part,
        replacing(part),  # as annotations are, with a record of who wrote them
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    with (
        pytest.raises(DssError, match=r"^\S*/b\.txt: cannot be written \(no such file"),
        replacing(tmp_path / "b.txt") as part,
    ):
        (part / "inside").write_text("text")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DssError, match="file: is a file, not a folder"):
        check_writable(tmp_path / "file" / "sub")
    with pytest.raises(DssError, match=r"cannot write into this folder .file name too long"):
        check_writable(tmp_path.joinpath(*["a"] * 5000))


REPLACE = """
import itertools, sys
from pathlib import Path
from dss.support import files
if sys.argv[2] == "in two steps":
    files.system.exchange = lambda part, path: False
for number in itertools.count(1):
    with files.replacing(Path(sys.argv[1])) as part:
        part.mkdir()
        for i in range(3):
            (part / f"{i}").write_text(str(number))
    print(number, flush=True)
"""


def whole(store):
    """The number in all three files of a folder."""
    (number,) = {file.read_text() for file in store.iterdir()}
    assert len([*store.iterdir()]) == 3
    return int(number)


@pytest.mark.parametrize("how", ["at once", "in two steps"])
def test_a_kill_leaves_the_old_or_the_new_folder_and_the_next_process_keeps_it(tmp_path, how):
    store = tmp_path / ("é" * 110 + ".npy")  # 224 bytes: longer than what is hidden beside it
    store.mkdir()
    for i in range(3):
        (store / f"{i}").write_text("0")
    for moment in range(20):
        process = subprocess.Popen(
            [sys.executable, "-c", REPLACE, store, how], stdout=subprocess.PIPE
        )
        process.stdout.readline()  # it has begun
        time.sleep(moment * 0.0007)
        process.send_signal(signal.SIGKILL)
        last = int((process.communicate()[0].split() or [1])[-1])
        if how == "at once":
            assert whole(store) >= last
        files._remove_left.cache_clear()
        with replacing(tmp_path / "other.txt") as part:
            part.write_text("of the next process")
        assert whole(store) >= last
        assert {p.name for p in tmp_path.iterdir()} == {store.name, "other.txt"}


@pytest.mark.parametrize("step", ["mkdir", "put aside", "put there"])
def test_a_kill_at_each_step_of_an_exchange_in_two_loses_nothing(tmp_path, step):
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    left, store = f".store.npy.1.{MACHINE}-{killed.pid}", tmp_path / "store.npy"
    new, aside = tmp_path / f"{left}.part", tmp_path / f"{left}.aside"
    steps = ["mkdir", "put aside", "put there"]
    for folder, content in ((store, "old"), (new, "new")):
        folder.mkdir()
        (folder / "x").write_text(content)
    for action in steps[: steps.index(step) + 1]:
        if action == "mkdir":
            aside.mkdir()
        elif action == "put aside":
            store.rename(aside / store.name)
        else:
            new.rename(store)
    with replacing(tmp_path / "other.txt") as part:
        part.write_text("of the next process")
    assert (store / "x").read_text() == ("new" if step == "put there" else "old")
    assert {p.name for p in tmp_path.iterdir()} == {"store.npy", "other.txt"}
