"""Take MATLAB files apart and put them together: what is not changed stays byte for byte.

scipy would change the classes of numbers that it reads and writes again. An array is `bytes` here:
the content of its element, as in "MAT-File Format" (MathWorks), level 5, little-endian.
"""

import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from dss.data.formats.mat5 import (
    CELL,
    CHARACTERS,
    COMPRESSED,
    HEADER_BYTES,
    MATRIX,
    NUMBERS,
    STRUCT,
    check_mat,
    elements,
)
from dss.errors import DssError

DOUBLE = 6  # class of an array
INT8, INT32, UINT32, FLOAT64, UTF8 = 1, 5, 6, 9, 16  # types of data
TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
ENCODINGS = {1: "latin-1", 2: "latin-1", 4: "utf-16-le", 16: "utf-8", 17: "utf-16-le"}


def read_variables(path: Path) -> dict[str, bytes]:
    """The arrays in a file, by their names.

    Raises: DssError if it cannot be read, or has the byte order of old computers.
    """
    check_mat(path)
    content = path.read_bytes()
    if content[126:128] != b"IM":
        raise DssError(f"{path}: has the byte order of old computers; save it in MATLAB again")
    variables = {}
    for kind, data in elements(content[HEADER_BYTES:], "<", aligned=False):
        if kind == COMPRESSED:
            ((_, data),) = elements(zlib.decompress(data), "<")
        name = _parts(data)[2]
        variables[name.rstrip(b"\0").decode("ascii", "replace")] = data
    return variables


def write_variables(variables: Mapping[str, bytes], path: Path) -> None:
    """Write a file with these arrays."""
    head = b"MATLAB 5.0 MAT-file".ljust(116) + bytes(8) + struct.pack("<H2s", 0x0100, b"IM")
    with path.open("wb") as file:
        file.write(head)
        for name, data in variables.items():
            flags, shape, _, *values = elements(data, "<")
            named = [flags, shape, (INT8, name.encode("ascii")), *values]
            packed = zlib.compress(_element(MATRIX, b"".join(_element(*part) for part in named)))
            file.write(struct.pack("<II", COMPRESSED, len(packed)) + packed)


def cells(array: bytes) -> list[bytes]:
    """The arrays in a cell array; raises a ValueError for other arrays."""
    flags, _, _, *values = _parts(array)
    if flags[0] != CELL:
        raise ValueError("an array is no cell array")
    return values


def fields(array: bytes) -> dict[str, bytes]:
    """The fields of a struct; raises a ValueError for other arrays."""
    flags, _, _, *rest = _parts(array)
    if flags[0] != STRUCT:
        raise ValueError("an array is no struct")
    length, names, *values = rest
    (width,) = struct.unpack("<i", length)
    split = (names[i : i + width] for i in range(0, len(names), width))
    called = [name.partition(b"\0")[0].decode("ascii", "replace") for name in split]
    return dict(zip(called, values, strict=True))


def numbers(array: bytes) -> np.ndarray:
    """The values in an array of real numbers, column by column; raises a ValueError for others."""
    flags, _, _, *values = elements(array, "<")
    if flags[1][0] not in NUMBERS or len(values) > 1:
        raise ValueError("an array does not contain real numbers")
    parts = [np.frombuffer(data, TYPES[kind]) for kind, data in values]
    return parts[0] if parts else np.empty(0)


def characters(array: bytes) -> str:
    """The characters in an array; raises a ValueError for other arrays."""
    flags, _, _, *values = elements(array, "<")
    if flags[1][0] != CHARACTERS:
        raise ValueError("an array does not contain text")
    return "".join(data.decode(ENCODINGS[kind], "replace") for kind, data in values)


def cell_array(arrays: Sequence[bytes]) -> bytes:
    """A cell array of one row."""
    return _array(CELL, (1, len(arrays)), *((MATRIX, array) for array in arrays))


def struct_array(values: Mapping[str, bytes]) -> bytes:
    """A struct with these fields."""
    width = max(map(len, values)) + 1
    names = b"".join(name.encode("ascii").ljust(width, b"\0") for name in values)
    head = [(INT32, struct.pack("<i", width)), (INT8, names)]
    return _array(STRUCT, (1, 1), *head, *((MATRIX, array) for array in values.values()))


def doubles(values: np.ndarray) -> bytes:
    """A two-dimensional array of doubles, stored as integers if the values are integers."""
    is_whole = values.dtype.kind == "i"
    stored = values.astype("<i4" if is_whole else "<f8")
    return _array(DOUBLE, values.shape, (INT32 if is_whole else FLOAT64, stored.tobytes("F")))


def text(value: str) -> bytes:
    """A row of characters."""
    return _array(CHARACTERS, (1, len(value.encode("utf-16-le")) // 2), (UTF8, value.encode()))


def _parts(array: bytes) -> list[bytes]:
    return [data for _, data in elements(array, "<")]


def _array(kind: int, shape: Sequence[int], *values: tuple[int, bytes]) -> bytes:
    head = [
        (UINT32, struct.pack("<II", kind, 0)),
        (INT32, struct.pack(f"<{len(shape)}i", *shape)),
        (INT8, b""),
    ]
    return b"".join(_element(*part) for part in (*head, *values))


def _element(kind: int, data: bytes) -> bytes:
    return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)
