"""One writer at a time: processes announce what they write, and heed others' announcements."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp

from dss.errors import DssError
from dss.support import system
from dss.support.files import make_folder, no_folder, resolved
from dss.support.units import listed

PREFIX = ".dss_writing."  # of the announcements
MOST_FOLDERS = 100  # in which files are announced


class Removed(DssError):
    """What was being written has been removed by somebody else."""


@contextmanager
def only_writer(folder: Path, names: Iterable[str]) -> Iterator[None]:
    """Within the block, this process and thread are the only ones to write these files.

    A hidden file in the folder announces what is written. It is locked: if its process is killed,
    the system unlocks it, and the next writer removes it.

    Arguments:
        folder: the folder of the files; created if necessary.
        names: the files, or folders, in it.

    Raises: DssError if another process or thread is writing some of them, the folder is not
        writable, or somebody removes it.
    """
    with _made(folder):
        number, path = _announce(folder, sorted(names))
        before = _identity(folder)
        try:
            yield
            if _identity(folder) != before:  # nor does it count that it was created again
                raise _removed(folder)
        except Removed:  # says more
            raise
        except Exception:
            if not os.path.exists(path):  # whatever failed, failed because of that
                raise _removed(folder) from None
            raise
        finally:
            _withdraw(number, path)


@contextmanager
def only_writer_of(files: Iterable[Path]) -> Iterator[None]:
    """As `only_writer`, for files in several folders."""
    names: dict[Path, list[str]] = {}
    for file in files:
        names.setdefault(resolved(file.parent), []).append(file.name)
    with ExitStack() as stack:
        for folder in sorted(names)[:MOST_FOLDERS]:
            stack.enter_context(only_writer(folder, names[folder]))
        yield


def _identity(folder: Path) -> tuple[int, int] | None:
    """What distinguishes a folder from one that is created later under its name."""
    with suppress(OSError):
        there = folder.stat()
        return there.st_dev, there.st_ino
    return None


def _removed(folder: Path) -> Removed:
    return Removed(f"{folder}: was removed while files were written into it")


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Create a folder, with those that it is in; remove those that are empty at the end."""
    new = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        make_folder(folder)
    except OSError as error:
        raise no_folder(folder, error) from None
    try:
        yield
    finally:
        with suppress(OSError):  # there is something in it
            for each in new:
                each.rmdir()


def _announce(folder: Path, wanted: list[str]) -> tuple[int, str]:
    """Announce what this process writes: the open and locked file, and its path."""
    try:
        with system.locked_folder(folder):
            _check_free(folder, {*wanted})
            number, path = mkstemp(prefix=PREFIX, dir=folder)
            system.try_lock(number)
            try:
                os.write(number, json.dumps(wanted).encode())
            except OSError:  # the disk is full
                _withdraw(number, path)
                raise
            return number, path
    except OSError as error:
        raise no_folder(folder, error) from None


def _withdraw(number: int, path: str) -> None:
    with suppress(OSError):  # or others would see it unlocked for a moment
        os.unlink(path)
    os.close(number)  # Windows removes only closed files
    with suppress(OSError):
        os.unlink(path)


def _check_free(folder: Path, wanted: set[str]) -> None:
    """Raise a DssError if another process is writing one of these files; remove leftovers."""
    for path in folder.glob(f"{PREFIX}*"):
        try:
            number = os.open(path, os.O_RDWR)
        except OSError:  # it has just ended, or belongs to another user
            continue
        try:
            is_left = system.try_lock(number)
            both = [] if is_left else sorted(wanted & _names(path))
        finally:
            os.close(number)
        if is_left:
            with suppress(OSError):
                path.unlink(missing_ok=True)  # after the block, as Windows removes no open files
        if both:
            raise DssError(
                f"{folder / listed(both, 1)}: another process is writing this now. Wait until it "
                "has finished, or write elsewhere."
            )


def _names(path: Path) -> set[str]:
    try:
        names = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):  # it has just ended
        return set()
    return {*map(str, names)} if isinstance(names, list) else set()
