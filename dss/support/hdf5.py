"""HDF5 files that are read, and that may be damaged."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dss.errors import DssError

if TYPE_CHECKING:
    import h5py


@contextmanager
def reading(path: Path, way_out: str = "Copy it again.") -> Iterator["h5py.File"]:
    """Open an HDF5 file to read all that is needed of it within the block.

    Arguments:
        path: the file.
        way_out: a sentence that says what can be done if it is damaged.

    Raises: DssError that names the file, if it is damaged or lacks something.
    """
    import h5py

    try:
        with h5py.File(path) as file:
            yield file
    except DssError:
        raise
    except (OSError, RuntimeError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise DssError(f"{path}: cannot be read as HDF5 ({error}). {way_out}") from error
