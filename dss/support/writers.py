"""One writer at a time: processes say what they write, and do not write what another one does."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp

from dss.errors import DssError
from dss.support import system

PREFIX = ".dss_writing."  # of the files that say so


@contextmanager
def only_writer(folder: Path, names: Iterable[str]) -> Iterator[None]:
    """Within, this is the only process, and the only thread, that writes these files.

    A hidden file in the folder says what is written. It is locked: if its process is killed, the
    system unlocks it, and the next writer removes it.

    Arguments:
        folder: where they are; it is made if it is not there.
        names: the files, or folders, in it.

    Raises: DssError if another one writes some of them now, or nobody can write into the folder.
    """
    wanted = sorted(names)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with system.locked_folder(folder):
            _check_free(folder, {*wanted})
            number, path = mkstemp(prefix=PREFIX, dir=folder)
            system.try_lock(number)
            os.write(number, json.dumps(wanted).encode())
    except OSError as error:
        what = (error.strerror or str(error)).lower()
        raise DssError(f"{folder}: cannot write into this folder ({what})") from None
    try:
        yield
    finally:
        with suppress(OSError):  # or others would see it unlocked for a moment
            os.unlink(path)
        os.close(number)  # before it is closed, Windows removes nothing
        with suppress(OSError):
            os.unlink(path)


def _check_free(folder: Path, wanted: set[str]) -> None:
    """Raise a DssError if another one writes one of these files; remove what was left."""
    for path in folder.glob(f"{PREFIX}*"):
        try:
            number = os.open(path, os.O_RDWR)
        except OSError:  # it has just ended, or belongs to somebody else
            continue
        try:
            is_left = system.try_lock(number)
            both = [] if is_left else sorted(wanted & _names(path))
        finally:
            os.close(number)
        if is_left:
            with suppress(OSError):
                path.unlink(missing_ok=True)  # behind the end: Windows removes no open files
        if both:
            more = f" and {len(both) - 1} more" if len(both) > 1 else ""
            raise DssError(
                f"{folder / both[0]}{more}: another process is writing this now. Wait until it has "
                "ended, or write elsewhere."
            )


def _names(path: Path) -> set[str]:
    try:
        names = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):  # it has just ended
        return set()
    return {*map(str, names)} if isinstance(names, list) else set()
