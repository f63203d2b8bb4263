"""Two processes that write one dataset, one run or the same annotations: one of them says so."""

import errno
import os
import re
import shutil
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from conftest import TINY

from dss.data import make_dataset, open_dataset
from dss.errors import DssError
from dss.predict import predict_files
from dss.review.proposals import propose_files
from dss.support import system
from dss.support.writers import PREFIX, only_writer
from dss.train import train

WRITER = """
import sys, time
from pathlib import Path
from dss.support.writers import only_writer
with only_writer(Path(sys.argv[1]), sys.argv[2:]):
    print("here", flush=True)
    time.sleep(60)
"""
SAID = "another process is writing this now"


@pytest.fixture
def other():
    """Starts another process that writes files in a folder."""
    started = []

    def start(folder, *names):
        words = [sys.executable, "-c", WRITER, str(folder), *names]
        started.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
        assert started[-1].stdout.readline() == "here\n"
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def left(folder):
    return [*folder.glob(f"{PREFIX}*")]


def test_one_process_at_a_time_writes_a_file_and_a_killed_one_is_in_nobodys_way(tmp_path, other):
    process = other(tmp_path, "a", "b")
    with pytest.raises(DssError, match=f"b: {SAID}"), only_writer(tmp_path, ["b", "c"]):
        pass
    with only_writer(tmp_path, ["c"]):  # other files are free
        pass
    process.kill()
    process.wait()
    with only_writer(tmp_path, ["b"]), pytest.raises(DssError, match=SAID):
        only_writer(tmp_path, ["b"]).__enter__()  # nor may a second thread
    assert not left(tmp_path)


@pytest.fixture
def windows(monkeypatch):
    """Locks of Windows: of a byte, until the file is closed; open files cannot be removed."""
    locked, real = {}, {"close": os.close, "unlink": os.unlink, "open": os.open}
    opened = {}

    def locking(number, how, n_bytes):
        place = os.fstat(number).st_ino, os.lseek(number, 0, os.SEEK_CUR)
        assert n_bytes == 1
        if locked.get(place, number) != number:
            raise PermissionError(errno.EACCES, "locked")
        locked[place] = number

    def open_file(path, *how):
        number = real["open"](path, *how)
        opened[number] = os.fspath(path)
        return number

    def close(number):
        opened.pop(number, None)
        for place in [place for place, by in locked.items() if by == number]:
            del locked[place]
        real["close"](number)

    def unlink(path, **how):
        if os.fspath(path) in opened.values():
            raise PermissionError(errno.EACCES, "in use")
        real["unlink"](path, **how)

    module = SimpleNamespace(locking=locking, LK_LOCK=1, LK_NBLCK=2)
    monkeypatch.setitem(sys.modules, "msvcrt", module)
    monkeypatch.setattr(system, "is_windows", lambda: True)
    monkeypatch.setattr(os, "open", open_file)
    monkeypatch.setattr(os, "close", close)
    monkeypatch.setattr(os, "unlink", unlink)
    return SimpleNamespace(locked=locked, close=close, opened=opened)


def test_on_windows_bytes_are_locked_that_nobody_reads(tmp_path, windows):
    with only_writer(tmp_path, ["a", "b"]):
        assert [place for _, place in windows.locked] == [system.FAR_BYTE]
        with pytest.raises(DssError, match=f"b: {SAID}"), only_writer(tmp_path, ["b"]):
            pass
        with only_writer(tmp_path, ["c"]):
            pass
        assert len(left(tmp_path)) == 1
    assert not left(tmp_path)
    assert not windows.locked
    killed = only_writer(tmp_path, ["a"])
    killed.__enter__()
    for number in [*windows.opened]:  # as the system does where a process is killed
        windows.close(number)
    assert len(left(tmp_path)) == 1
    with only_writer(tmp_path, ["a"]):
        assert len(left(tmp_path)) == 1
    assert not left(tmp_path)


def test_a_dataset_that_another_process_makes_is_left_alone(folder, tmp_path, other):
    other(tmp_path, "song.npy")
    for overwrite in (False, True):
        with pytest.raises(DssError, match=f"song.npy: {SAID}"):
            make_dataset(folder, store_dir=tmp_path / "song.npy", overwrite=overwrite)
    assert not (tmp_path / "song.npy").exists()


def test_of_two_commands_that_make_one_dataset_one_wins_whole(folder, tmp_path):
    words = [sys.executable, "-m", "dss", "make-dataset", str(folder), "--store-dir"]
    words.append(str(tmp_path / "song.npy"))
    both = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    errors = [process.communicate()[1] for process in both]
    codes = [process.returncode for process in both]
    assert sorted(code == 0 for code in codes) == [False, True], errors
    said = errors[[code != 0 for code in codes].index(True)]
    assert SAID in said or "is there already" in said or "exists" in said
    assert open_dataset(tmp_path / "song.npy")["train"].sizes["time"] > 0
    assert not left(tmp_path)


def test_annotations_that_another_process_writes_are_left_alone(tiny_run, folder, tmp_path, other):
    recording = sorted(folder.glob("*.wav"))[0]
    process = other(tmp_path, f"{recording.stem}_annotations.csv")
    with pytest.raises(DssError, match=SAID):
        predict_files(recording, tiny_run[0], save_dir=tmp_path)
    process.kill()
    process.wait()
    assert len(predict_files(recording, tiny_run[0], save_dir=tmp_path)) == 1
    assert not left(tmp_path)


def test_a_run_that_another_process_trains_is_not_continued_by_a_second_one(tiny_run, tmp_path):
    given = {"data_dir": str(tiny_run[1]), "save_dir": str(tmp_path), "nb_epoch": 9999} | TINY
    code = f"from dss.train import train; train(**{given!r})"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    try:
        give_up = time.monotonic() + 120
        while not (begun := [*tmp_path.glob("*_checkpoint.h5")]):
            assert process.poll() is None
            assert time.monotonic() < give_up
            time.sleep(0.2)
        with pytest.raises(DssError, match=SAID):
            train(continue_from=begun[0], data_dir=tiny_run[1])
        assert process.poll() is None  # the first one goes on
    finally:
        process.kill()
        process.wait()


def test_folders_are_not_left_behind_if_nothing_is_written(tmp_path):
    with pytest.raises(DssError, match="there is no such file or folder"):
        make_dataset(tmp_path / "nowhere" / "song")
    with pytest.raises(DssError), only_writer(tmp_path / "new" / "folder", ["a"]):
        raise DssError
    with only_writer(tmp_path / "kept", ["a"]):
        (tmp_path / "kept" / "a").touch()
    assert [*tmp_path.iterdir()] == [tmp_path / "kept"]


def test_a_full_disk_leaves_no_announcement(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with (
        pytest.raises(DssError, match="cannot write into this folder .no space left"),
        only_writer(tmp_path, ["a"]),
    ):
        pass
    assert not [*tmp_path.iterdir()]


def test_a_folder_into_which_nobody_can_write_is_reported(folder, monkeypatch):
    def refused(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("dss.support.writers.mkstemp", refused)
    with pytest.raises(DssError, match=r"cannot write into this folder \(read-only file system\)"):
        make_dataset(folder)


def test_what_another_process_proposes_is_left_alone(folder, other):
    other(folder, "bird_0_annotations.csv")
    for file in folder.glob("*.csv"):
        file.unlink()
    before = sorted(folder.iterdir())
    with pytest.raises(DssError, match=f"bird_0_annotations.csv: {SAID}"):
        propose_files(folder)
    assert sorted(folder.iterdir()) == before


@pytest.mark.filterwarnings("ignore::dss.errors.DssWarning")
def test_a_folder_that_is_removed_meanwhile_is_named(folder, tmp_path):
    for file in folder.glob("*.csv"):
        file.unlink()
    removed = []

    def remove_once(file):
        if file.parent not in removed:
            shutil.rmtree(file.parent)
            removed.append(file.parent)

    for place in (tmp_path / "out", None):
        where = re.escape(str(place or folder))
        with pytest.raises(DssError, match=f"^{where}: was removed while files were written"):
            propose_files(folder, save_dir=place, after_each=remove_once)


def test_what_fails_in_a_folder_that_was_removed_fails_because_of_that(tmp_path):
    place = tmp_path / "new"

    def write(remove):
        with only_writer(place, ["a"]):
            if remove:
                shutil.rmtree(place)
            raise DssError("mine")

    with pytest.raises(DssError, match="new: was removed while files were written into it"):
        write(remove=True)
    with pytest.raises(DssError, match="^mine$"):
        write(remove=False)
