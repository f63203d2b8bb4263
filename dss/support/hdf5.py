"""Read HDF5 files, which may be damaged or crafted to read others; and write them whole."""

import math
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dss.errors import DssError, reason
from dss.support import hdf5_texts
from dss.support.caching import cached_by_file
from dss.support.files import replacing

if TYPE_CHECKING:
    import h5py

MOST_OBJECTS = 100_000
# The largest array: this many bytes, plus what a file of its size can unpack to.
SMALL_BYTES, MOST_PACKED = 2**20, 1100
CUT = re.compile(r"truncated file: eof = (\d+), .*stored_eof = (\d+)")
LONGEST_SECONDS = 300  # for reading texts, on a busy machine


@contextmanager
def reading(
    path: Path, advice: str = "Copy it again.", with_texts: bool = True
) -> Iterator["h5py.File"]:
    """Open an HDF5 file, and read it within the block.

    Arguments:
        path: the file.
        advice: a sentence on what to do if it is damaged.
        with_texts: whether to read variable-length values, such as texts, which takes a little
            longer.

    Raises: DssError that names the file, if it is damaged or incomplete, or if parts of it are
        links to other files: these could make dss read any file of yours.
    """
    import h5py

    if not path.is_file():  # a pipe would block
        raise DssError(f"{path}: there is no such file")
    try:
        with h5py.File(path) as file:
            has_texts = _check(file, path.stat().st_size)
            if has_texts and with_texts:
                _try_texts(path)
            yield file
    except DssError as error:
        raise error if str(path) in str(error) else DssError(f"{path}: {error}") from None
    except Exception as error:  # h5py raises all kinds of errors for damaged files
        raise DssError(f"{path}: cannot be read as HDF5 ({_why(error)}). {advice}") from error


@contextmanager
def writing(path: Path) -> Iterator["h5py.File"]:
    """Write an HDF5 file in the block; it is put in place whole at the end.

    It is made in memory: libhdf5 crashes Python if the disk is full.
    """
    import h5py

    with h5py.File(path.name, "w", driver="core", backing_store=False) as file:
        yield file
        file.flush()
        image = file.id.get_file_image()
    with replacing(path) as part:
        part.write_bytes(image)


def _why(error: Exception) -> str:
    """The message of an error, without the words of libhdf5 about its own work."""
    text = reason(error)
    if cut := CUT.search(text):
        return f"it ends after {int(cut[1]):,} of {int(cut[2]):,} bytes"
    if "file signature not found" in text:
        return "it is no HDF5 file"
    return text.replace("synchronously ", "")


def _check(file: "h5py.File", n_bytes: int) -> bool:
    """Whether a file has variable-length values, such as texts.

    Raises: DssError if anything is stored elsewhere, or claims more than the file can hold.
    """
    import h5py

    waiting: list[h5py.Group] = [file]
    known = set()
    has_texts = _has_texts(file)
    while waiting:
        group = waiting.pop()
        for name in group:
            where = f"{group.name.rstrip('/')}/{name}"
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                raise DssError(f"{where} is a link to another file, {link.filename}: not followed")
            if isinstance(link, h5py.SoftLink) and "/" in link.path.removeprefix(group.name):
                raise DssError(f"{where} is a link to {link.path}: not followed")
            item = group[name]
            place = h5py.h5o.get_info(item.id).addr
            if place in known:
                continue
            known.add(place)
            has_texts = has_texts or _has_texts(item)
            if len(known) > MOST_OBJECTS:
                raise DssError(f"contains more than {MOST_OBJECTS:,} arrays and groups")
            if isinstance(item, h5py.Group):
                waiting.append(item)
            elif isinstance(item, h5py.Dataset):
                if item.external or item.is_virtual:
                    raise DssError(f"the values of {where} are in another file: not read")
                claimed = math.prod(map(int, item.shape or (0,))) * item.dtype.itemsize
                if claimed > SMALL_BYTES + MOST_PACKED * n_bytes:
                    raise DssError(f"{where} claims {claimed:,} bytes, in a file of {n_bytes:,}")
    return has_texts


def _has_texts(item: "h5py.Group | h5py.Dataset | h5py.Datatype") -> bool:
    """Whether an object, or an attribute of it, has variable-length values."""
    import h5py

    attributes = range(h5py.h5a.get_num_attrs(item.id))
    types = [h5py.h5a.open(item.id, index=i).get_type() for i in attributes]
    types += [item.id.get_type()] if isinstance(item, h5py.Dataset) else []
    return any(
        (isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str())
        or kind.detect_class(h5py.h5t.VLEN)
        or kind.detect_class(h5py.h5t.COMPOUND)
        for kind in types
    )


@cached_by_file(32)
def _try_texts(path: Path) -> None:
    """Raise a ValueError if variable-length values are unreadable: another process tries it first.

    Their lengths and positions are stored in the file. If these are damaged, libhdf5 may allocate
    gigabytes, or never return.
    """
    if not sys.executable:  # Python is embedded in another program
        return
    words = [sys.executable, "-P", hdf5_texts.__file__, str(path)]
    more = {"OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1"}  # many threads would use much memory
    try:
        done = subprocess.run(
            words,
            env=os.environ | more,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=LONGEST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ValueError("its texts are damaged: reading them does not end") from None
    if done.returncode:
        message = (
            done.stderr.strip().rpartition("\n")[2] if done.returncode == 1 else "they do not end"
        )
        raise ValueError(f"its texts are damaged: {message}")
