"""Writing files so that nothing is ever half-written: beside their place, then renamed into it."""

import errno
import os
import platform
import shutil
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from dss.errors import DssError
from dss.support import system

MACHINE = f"{zlib.crc32(platform.node().encode()):x}"
LONGEST_NAME = 200  # bytes; 255 is what file systems allow
ATTEMPTS = 20  # to put a folder where others put theirs at the same time
MEANWHILE = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.ENOTDIR)
PART, ASIDE = ".part", ".aside"  # endings of what is being written, and of what it replaces


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write a file or a folder to; rename it to `path` at the end.

    If the block fails or the process is killed, `path` is as it was before, or is the new one.
    Processes, and threads, that write to the same place do not meet: the last one to end wins. What
    was left by a process of this machine that was killed is removed by the next one that writes
    into the same folder. Where the system cannot exchange two folders in one step, this next one
    also puts back what was put aside at the moment of the kill.

    Raises: DssError if the disk is full, or may only be read.
    """
    path = Path(path)
    name = path.name
    if len(os.fsencode(name)) > LONGEST_NAME:  # in bytes; the ending is added to it
        name = f"{name[:20]}-{zlib.crc32(os.fsencode(name)):x}"
    thread = threading.get_native_id()
    part = path.with_name(f".{name}.{thread}.{MACHINE}-{os.getpid()}{PART}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_left(path.parent)
        remove(part)
        yield part
        _rename(part, path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DssError(f"{path}: cannot be written, as the disk is full") from None
        if error.errno == errno.EROFS:
            raise DssError(f"{path}: cannot be written, as the disk may only be read") from None
        raise
    finally:
        with suppress(OSError):
            remove(part)


def _rename(part: Path, path: Path) -> None:
    """Put a file or a folder in its place, at once; `part` then is what was there, if anything."""
    for attempts_left in reversed(range(ATTEMPTS)):
        try:
            if part.is_dir() and os.path.lexists(path):
                _exchange(part, path)
            else:
                system.replace(part, path)
        except OSError as error:  # somebody else put a folder there meanwhile, or took it away
            if error.errno not in MEANWHILE or not attempts_left:
                raise
        else:
            return


def _exchange(part: Path, path: Path) -> None:
    """Exchange the names of a new folder and of what is in its place.

    In one step where the system can. Elsewhere what is there is put aside first, in a folder where
    it keeps its name: if the process is killed before the second step, `_remove_left` puts it back.
    """
    if system.exchange(part, path):
        return
    aside = part.with_suffix(ASIDE)
    remove(aside)
    aside.mkdir()
    system.replace(path, aside / path.name)
    try:
        system.replace(part, path)
    finally:
        _put_back(aside)


def _put_back(aside: Path) -> None:
    """Put what was put aside back into its place, if nothing new came there; else remove it."""
    for old in aside.iterdir():
        path = aside.parent / old.name
        if not os.path.lexists(path):
            with suppress(OSError):  # somebody else put something there meanwhile
                os.replace(old, path)
    remove(aside)


@cache
def _remove_left(folder: Path) -> None:
    """Remove, once, what processes of this machine that were killed left in a folder.

    What they had put aside to replace it, and did not replace, goes back into its place.
    """
    for ending, clear in ((ASIDE, _put_back), (PART, remove)):
        for left in folder.glob(f".*.{MACHINE}-*{ending}"):
            process = left.name.rpartition("-")[2].removesuffix(ending)
            if not (process.isdigit() and system.is_alive(int(process))):
                with suppress(FileNotFoundError):  # another process removes it, too
                    clear(left)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def check_writable(folder: Path) -> None:
    """Make the folder if it is not there; a DssError says why nothing can be written into it."""
    probe = Path(folder) / f".dss.{MACHINE}-{os.getpid()}.part"
    try:
        probe.parent.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise DssError(f"{folder}: cannot write into this folder ({error.strerror})") from None


def check_inside(folder: Path) -> None:
    """Raise a DssError if a folder holds links that lead out of it, or what is no file.

    Whoever made it could have any file of yours read, or keep you waiting for ever.
    """
    root, folders = folder.resolve(), [folder]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(root):
                    raise DssError(f"{entry.path}: is a link out of {folder}: not followed")
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                elif not entry.is_file() and not entry.is_dir():
                    raise DssError(f"{entry.path}: is no file, but in the place of one: not read")
