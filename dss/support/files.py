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

MACHINE = f"{zlib.crc32(platform.node().encode()):x}"
LONGEST_NAME = 200  # bytes; 255 is what file systems allow
ATTEMPTS = 20  # to put a folder where others put theirs at the same time


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write a file or a folder to; rename it to `path` at the end.

    If the block fails or the process is killed, `path` is as it was before. Processes, and threads,
    that write to the same place do not meet: the last one to end wins. What was left by a process
    of this machine that was killed is removed by the next one that writes into the same folder.

    Raises: DssError if the disk is full.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_left(path.parent)
    name = path.name
    if len(os.fsencode(name)) > LONGEST_NAME:  # in bytes; the ending is added to it
        name = f"{name[:20]}-{zlib.crc32(os.fsencode(name)):x}"
    thread = threading.get_native_id()
    part = path.with_name(f".{name}.{thread}.{MACHINE}-{os.getpid()}.part")
    remove(part)
    try:
        yield part
        _rename(part, path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DssError(f"{path}: cannot be written, as the disk is full") from None
        raise
    finally:
        remove(part)


def _rename(part: Path, path: Path) -> None:
    """Put a file or a folder in its place; a folder that is there goes out of the way first."""
    old = part.with_name(f".old{part.name}")
    try:
        for attempts_left in reversed(range(ATTEMPTS)):
            if part.is_dir():
                remove(old)
                with suppress(FileNotFoundError):
                    os.replace(path, old)
            try:
                os.replace(part, path)
            except OSError as error:  # somebody else put a folder there meanwhile
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or not attempts_left:
                    raise
            else:
                return
    finally:
        if old.exists() and not path.exists():
            with suppress(OSError):  # somebody else did
                os.replace(old, path)
        remove(old)


@cache
def _remove_left(folder: Path) -> None:
    """Remove, once, what processes of this machine that were killed left in a folder."""
    for left in folder.glob(f".*.{MACHINE}-*.part"):
        process = left.name.rpartition("-")[2].removesuffix(".part")
        if not (process.isdigit() and _is_alive(int(process))):
            remove(left)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it belongs to somebody else
        return True
    return True


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
