"""HDF5 files that are read, and that may be damaged, or made to read other files."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dss.errors import DssError

if TYPE_CHECKING:
    import h5py

MOST_OBJECTS = 100_000
# An array has at most so many bytes, and as many more as a file of this size can unpack to.
SMALL_BYTES, MOST_PACKED = 2**20, 1100


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
            _check(file, path.stat().st_size)
            yield file
    except DssError as error:
        raise error if str(path) in str(error) else DssError(f"{path}: {error}") from None
    except Exception as error:  # there is no end of what h5py raises for damaged files
        said = str(error) or type(error).__name__
        raise DssError(f"{path}: cannot be read as HDF5 ({said}). {way_out}") from error


def _check(file: "h5py.File", n_bytes: int) -> None:
    """Raise a DssError if anything in a file is somewhere else, or claims more than it can hold."""
    import h5py

    waiting: list[h5py.Group] = [file]
    known = set()
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
