"""Arrays on disk that are read when sliced, and that may be damaged."""

from typing import Any

import numpy as np

from dss.errors import DssError, reason


class Lazy:
    """An array in a zarr store or an HDF5 file; slices that cannot be read raise a DssError.

    Arguments:
        array: an object that reads the array when sliced.
        source: the name for error messages.
        advice: a sentence on what to do.

    Attributes: `source`, `shape`, `dtype`, and `attrs`.
    """

    def __init__(self, array: Any, source: str, advice: str):
        self._array, self.source, self._advice = array, source, advice
        self.shape, self.dtype, self.attrs = array.shape, array.dtype, dict(array.attrs)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, place: Any) -> np.ndarray:
        try:
            return np.asarray(self._array[place])
        except Exception as error:  # from the codecs that unpack it
            message = f"parts of it cannot be read ({reason(error)}). {self._advice}"
            raise DssError(f"{self.source}: {message}") from error

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype)
