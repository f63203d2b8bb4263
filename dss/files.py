"""Writing files so that nothing is ever half-written: beside their place, then renamed into it."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dss.errors import DssError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write a file or a folder to; rename it to `path` at the end.

    If the block fails or the process is killed, `path` is as it was before; what was left by a
    process that was killed is removed by the next one that writes to the same place.

    Raises: DssError if the disk is full.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.part")
    remove(part)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield part
        if part.is_dir():
            remove(path)
        os.replace(part, path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DssError(f"{path}: cannot be written, as the disk is full") from None
        raise
    finally:
        remove(part)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def check_writable(folder: Path) -> None:
    """Make the folder if it is not there; a DssError says why nothing can be written into it."""
    probe = Path(folder) / f".dss-{os.getpid()}.part"
    try:
        probe.parent.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise DssError(f"{folder}: cannot write into this folder ({error.strerror})") from None
