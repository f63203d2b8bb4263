"""Write files so that nothing is ever half-written: next to their place, then renamed into it."""

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

import psutil

from dss.errors import DssError
from dss.support import system

MACHINE = f"{zlib.crc32(platform.node().encode()):x}"
LONGEST_NAME = 200  # bytes; file systems allow 255
ATTEMPTS = 20  # to put a folder in place while other processes do the same
MEANWHILE = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.ENOTDIR)
PART, ASIDE = ".part", ".aside"  # endings of files being written, and of files being replaced


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Provide a path to write a file or a folder to; rename it to `path` at the end.

    If the block fails or the process is killed, `path` is either unchanged or complete. Processes
    and threads that write to the same place do not interfere: the last one to finish wins.
    Leftovers of a killed process of this machine are removed by the next one that writes to the
    same folder. If the system cannot swap two folders in one step, the next one also restores what
    was set aside at the moment of the kill.

    Raises: DssError if `path` cannot be written, for example because the disk is full.
    """
    path = Path(path)
    name = path.name
    if len(os.fsencode(name)) > LONGEST_NAME:  # in bytes; an ending will be added
        name = f"{name[:20]}-{zlib.crc32(os.fsencode(name)):x}"
    thread = threading.get_native_id()
    part = path.with_name(f".{name}.{thread}.{MACHINE}-{os.getpid()}{PART}")
    try:
        make_folder(path.parent)
        _remove_left(path.parent)
        remove(part)
        yield part
        _rename(part, path)
    except DssError as error:  # of what writes there, in turn, in this way
        if str(part) in str(error):
            raise DssError(str(error).replace(str(part), str(path))) from None
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DssError(f"{path}: cannot be written, because the disk is full") from None
        if error.errno == errno.EROFS:
            raise DssError(f"{path}: cannot be written, because the disk is read-only") from None
        where = Path(str(error.filename))
        if part in (where, *where.parents) or where in path.parents:  # and not a file that is read
            if where in path.parents and not where.is_dir():
                raise no_folder(path.parent, error) from None
            raise DssError(f"{path}: cannot be written ({str(error.strerror).lower()})") from None
        raise
    finally:
        with suppress(OSError):
            remove(part)


def _rename(part: Path, path: Path) -> None:
    """Put a file or a folder in place at once; `part` then has what was there, if anything."""
    for attempts_left in reversed(range(ATTEMPTS)):
        try:
            if part.is_dir() and os.path.lexists(path):
                _exchange(part, path)
            else:
                system.replace(part, path)
        except OSError as error:  # another process added or removed a folder meanwhile
            if error.errno not in MEANWHILE or not attempts_left:
                raise
        else:
            return


def _exchange(part: Path, path: Path) -> None:
    """Swap the names of a new folder and the one in its place.

    This takes one step if the system supports it. Otherwise the old one is first set aside in a
    folder where it keeps its name: if the process is killed before the second step, `_remove_left`
    restores it.
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
    """Restore what was set aside, unless something new is in its place; then remove it."""
    for old in aside.iterdir():
        path = aside.parent / old.name
        if not os.path.lexists(path):
            with suppress(OSError):  # another process put something there meanwhile
                os.replace(old, path)
    remove(aside)


@cache
def _remove_left(folder: Path) -> None:
    """Remove, once, the leftovers of killed processes of this machine from a folder.

    What they had set aside but not replaced is restored.
    """
    for ending, clear in ((ASIDE, _put_back), (PART, remove)):
        for left in folder.glob(f".*.{MACHINE}-*{ending}"):
            process = left.name.rpartition("-")[2].removesuffix(ending)
            if not (process.isdigit() and psutil.pid_exists(int(process))):
                with suppress(FileNotFoundError):  # another process removes it, too
                    clear(left)


def remove(path: Path) -> None:
    """Remove a file, or a folder with its contents, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def resolved(path: Path) -> Path:
    """The absolute path without links; a link that leads to itself stays."""
    try:
        return Path(os.path.realpath(path))
    except ValueError:  # no file has such a name
        return Path(path)


def make_folder(folder: Path) -> None:
    """Create a folder if necessary, with those that it is in."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except RecursionError:  # a thousand folders in each other
        number = errno.ENAMETOOLONG
        raise OSError(number, os.strerror(number), str(folder)) from None


def check_writable(folder: Path) -> None:
    """Create a folder if necessary; a DssError says why it is not writable."""
    probe = Path(folder) / f".dss.{MACHINE}-{os.getpid()}.part"
    try:
        make_folder(probe.parent)
        probe.write_bytes(b"")
        probe.unlink(missing_ok=True)  # another thread may have written it, too
    except OSError as error:
        raise no_folder(folder, error) from None


def no_folder(folder: Path, error: OSError) -> DssError:
    """The error that nothing can be written into a folder."""
    file = next((each for each in (folder, *folder.parents) if os.path.isfile(each)), None)
    if file is not None:
        return DssError(f"{file}: is a file, not a folder. Choose another folder.")
    why = str(error.strerror or error).lower()
    return DssError(f"{folder}: cannot write into this folder ({why})")


def check_inside(folder: Path) -> None:
    """Raise a DssError if a folder contains links that lead out of it, or special files.

    Whoever made it could have any file of yours read, or keep you waiting for ever.
    """
    root, folders = folder.resolve(), [folder]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(root):
                    raise DssError(
                        f"{entry.path}: is a link out of {folder}, which is not followed"
                    )
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                elif not entry.is_file() and not entry.is_dir():
                    raise DssError(f"{entry.path}: is not a regular file, so it is not read")


def check_content(path: Path, head: bytes) -> None:
    """Raise a DssError if a file begins like a pointer of Git LFS or a zip file."""
    if head.startswith(b"version https://git-lfs"):
        raise DssError(f"{path}: is a Git LFS pointer, not the file itself. Fetch it: git lfs pull")
    if head.startswith(b"PK\x03\x04"):
        raise DssError(f"{path}: is a zip file or a spreadsheet. Unpack it, or save it as CSV.")
