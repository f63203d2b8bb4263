"""HDF5 files that are read, and that may be damaged, or made to read other files."""

import math
import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from dss.errors import DssError

if TYPE_CHECKING:
    import h5py

MOST_OBJECTS = 100_000
# An array has at most so many bytes, and as many more as a file of this size can unpack to.
SMALL_BYTES, MOST_PACKED = 2**20, 1100
# How heaps begin, with their version; bytes of the head of a heap, and of a value in it.
HEAP, HEAP_HEAD, VALUE_HEAD = b"GCOL\1", 16, 16
MOST_SEARCHED = 2**29  # bytes, for heaps


@contextmanager
def reading(path: Path, way_out: str = "Copy it again.") -> Iterator["h5py.File"]:
    """Open an HDF5 file to read all that is needed of it within the block.

    Arguments:
        path: the file.
        way_out: a sentence that says what can be done if it is damaged.

    Raises: DssError that names the file, if it is damaged or lacks something, or if parts of it
        are links to other files: whoever made it could have any file of yours read.
    """
    import h5py

    if not path.is_file():  # a pipe would keep us waiting
        raise DssError(f"{path}: there is no such file")
    try:
        with h5py.File(path) as file:
            status = path.stat()
            if _check(file, status.st_size):
                _check_heaps(path, status.st_mtime_ns, status.st_size)
            yield file
    except DssError as error:
        raise error if str(path) in str(error) else DssError(f"{path}: {error}") from None
    except Exception as error:  # there is no end of what h5py raises for damaged files
        said = str(error) or type(error).__name__
        raise DssError(f"{path}: cannot be read as HDF5 ({said}). {way_out}") from error


def _check(file: "h5py.File", n_bytes: int) -> bool:
    """Whether a file holds values of any length, such as texts.

    Raises: DssError if anything in it is somewhere else, or claims more than it can hold.
    """
    import h5py

    waiting: list[h5py.Group] = [file]
    known = set()
    has_heaps = _has_heaps(file)
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
            has_heaps = has_heaps or _has_heaps(item)
            if len(known) > MOST_OBJECTS:
                raise DssError(f"holds more than {MOST_OBJECTS:,} arrays and groups")
            if isinstance(item, h5py.Group):
                waiting.append(item)
            elif isinstance(item, h5py.Dataset):
                if item.external or item.is_virtual:
                    raise DssError(f"the values of {where} are in another file: not read")
                claimed = math.prod(map(int, item.shape or (0,))) * item.dtype.itemsize
                if claimed > SMALL_BYTES + MOST_PACKED * n_bytes:
                    raise DssError(f"{where} claims {claimed:,} bytes, in a file of {n_bytes:,}")
    return has_heaps


def _has_heaps(item: "h5py.Group | h5py.Dataset | h5py.Datatype") -> bool:
    """Whether an object, or an attribute of it, has values of any length."""
    import h5py

    attributes = range(h5py.h5a.get_num_attrs(item.id))
    types = [h5py.h5a.open(item.id, index=i).get_type() for i in attributes]
    types += [item.id.get_type()] if isinstance(item, h5py.Dataset) else []
    return any(
        kind.detect_class(h5py.h5t.VLEN)
        or (isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str())
        or kind.detect_class(h5py.h5t.COMPOUND)
        for kind in types
    )


@lru_cache(maxsize=32)  # a recording is opened for each block of it
def _check_heaps(path: Path, *changed: int) -> None:
    """Raise a DssError if values of any length are damaged in a way that makes libhdf5 hang.

    They lie in heaps: a head with the length of the heap, and then values, each with a number, a
    length, and so many bytes; what is free has the number 0, and a length that counts its own head
    (section III.E of "HDF5 File Format Specification Version 3.0"). Of very large files, only the
    first and the last part are searched for heaps.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        size = len(content)
        for first, stop in ((0, min(MOST_SEARCHED, size)), (max(0, size - MOST_SEARCHED), size)):
            place = content.find(HEAP, first, stop)
            while place >= 0:
                _check_heap(content, place)
                place = content.find(HEAP, place + 1, stop)


def _check_heap(content: mmap.mmap, place: int) -> None:
    """Raise a DssError if following the lengths in a heap does not lead to its end."""
    if place + HEAP_HEAD > len(content):
        return  # libhdf5 says that it is cut off
    (length,) = struct.unpack_from("<Q", content, place + 8)
    end = place + length
    at = place + HEAP_HEAD
    while at + VALUE_HEAD <= min(end, len(content)):
        number, _, n_bytes = struct.unpack_from("<HH4xQ", content, at)
        step = VALUE_HEAD + n_bytes + -n_bytes % 8 if number else n_bytes
        if not VALUE_HEAD <= step <= end - at:
            raise DssError(f"the values of any length at byte {place:,} are damaged")
        at += step
