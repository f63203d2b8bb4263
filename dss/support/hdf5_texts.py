"""Read all variable-length values in an HDF5 file, without output; runs as a separate program.

`dss.support.hdf5` runs it before it reads such a file itself: this process may hang or use too much
memory, and is then killed. It imports nothing from dss, so that it starts at once.
"""

import sys
import time
from contextlib import suppress

CPU_SECONDS = 3
MOST_BYTES = 2**31


def main(path: str) -> int:
    """Read the texts in a file; if that fails, returns 1 and prints why."""
    import h5py

    _limit()
    with h5py.File(path) as file:
        items = [file]
        file.visititems(lambda name, item: items.append(item))
        for item in items:
            for name in item.attrs:
                with suppress(TypeError):  # a type without counterpart in numpy
                    item.attrs[name]
            if isinstance(item, h5py.Dataset) and item.dtype.kind in "OV":
                item[()]
    return 0


def _limit() -> None:
    """Let the system kill this process if it takes too much time or memory; not on Windows."""
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
