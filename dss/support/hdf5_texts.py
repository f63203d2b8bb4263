"""Reads all values of any length in an HDF5 file, and says nothing: run as a program of its own.

`dss.support.hdf5` runs it before it reads such a file itself: this process may hang or take too
much memory, and is ended then. It imports nothing of dss, so that it starts within a moment.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import suppress

CPU_SECONDS = 3
MOST_BYTES = 2**31


def main(path: str) -> int:
    """Read the texts in a file; returns 1, and says why, if this cannot be done."""
    import h5py

    _limit()
    with h5py.File(path) as file:
        for item in _objects(file):
            for name in item.attrs:
                with suppress(TypeError):  # a type that numpy does not have
                    item.attrs[name]
            if isinstance(item, h5py.Dataset) and item.dtype.kind in "OV":
                item[()]
    return 0


def _objects(file) -> Iterator:
    """All groups and arrays, each once."""
    found = [file]
    file.visititems(lambda name, item: found.append(item))
    yield from found


def _limit() -> None:
    """Let the system end this process if it takes too long or too much; not on Windows."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        seconds = round(time.process_time()) + CPU_SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except Exception as error:
        sys.exit(str(error) or type(error).__name__)
