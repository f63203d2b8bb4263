"""Check whether a MATLAB file can be read safely: scipy reads beyond its memory in damaged files.

The format is described in "MAT-File Format" (MathWorks), level 5. Only sizes are checked here: each
element has to lie within the one that contains it, and an array needs as many values as its
dimensions say.
"""

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from dss.errors import DssError

HEADER_BYTES = 128
MOST_BYTES = 2**28  # of a file, and of each part when unpacked
DEEPEST = 20
MATRIX, COMPRESSED = 14, 15
# Bytes per value of each data type: integers of 8 to 64 bits, floats, and characters.
WIDTH = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8, 16: 1, 17: 2, 18: 4}
CELL, STRUCT, CHARACTERS = 1, 2, 4
NUMBERS = range(6, 16)
COMPLEX = 0x800  # in the flags of an array


def check_mat(path: Path) -> None:
    """Raise a DssError if a file is not a valid level 5 MATLAB file, as -v6 and -v7 write it."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
        content = path.read_bytes()
        if len(content) < HEADER_BYTES or content[126:128] not in (b"IM", b"MI"):
            raise ValueError("it is not of level 5; save it with -v7")
        order = "<" if content[126:128] == b"IM" else ">"
        for kind, data in elements(content[HEADER_BYTES:], order, aligned=False):
            if kind == COMPRESSED:
                unpacker = zlib.decompressobj()
                unpacked = unpacker.decompress(data, MOST_BYTES)
                if unpacker.unconsumed_tail or not unpacker.eof:
                    raise ValueError("a compressed part is cut off, or too large")
                ((kind, data),) = elements(unpacked, order)
            if kind != MATRIX:
                raise ValueError(f"it contains data of type {kind}")
            _check_matrix(data, order, 0)
    except (ValueError, struct.error, zlib.error) as error:
        raise DssError(f"{path}: cannot be read as a MATLAB file ({error})") from None


def elements(data: bytes, order: str, aligned: bool = True) -> Iterator[tuple[int, bytes]]:
    """Type and data of consecutive elements; within arrays, they are aligned to 8 bytes."""
    place = 0
    while place < len(data):
        kind, size = struct.unpack_from(f"{order}II", data, place)
        first = place + 8
        if kind >> 16:  # a small element: its size, its type, and up to four bytes
            size, kind, first = kind >> 16, kind & 0xFFFF, place + 4
            place += 8
            if size > 4:
                raise ValueError(f"a small element claims {size} bytes")
        else:
            place = first + size + (-size % 8 if aligned and kind != COMPRESSED else 0)
        if first + size > len(data):
            raise ValueError(f"an element claims {size:,} bytes, but {len(data) - first} follow")
        yield kind, data[first : first + size]


def _check_matrix(data: bytes, order: str, depth: int) -> None:
    if not data:
        return  # an empty array
    if depth > DEEPEST:
        raise ValueError(f"arrays are nested more than {DEEPEST} deep")
    parts = [*elements(data, order)]
    if len(parts) < 3 or [kind for kind, _ in parts[:3]] != [6, 5, 1] or len(parts[0][1]) != 8:
        raise ValueError("an array lacks its kind, dimensions or name")
    (_, flags), (_, shape), _, *values = parts
    (word,) = struct.unpack_from(f"{order}I", flags)
    kind, is_complex = word & 0xFF, bool(word & COMPLEX)
    if len(shape) < 8 or len(shape) % 4:
        raise ValueError("an array has fewer than two dimensions")
    dimensions = struct.unpack(f"{order}{len(shape) // 4}i", shape)
    if min(dimensions) < 0:
        raise ValueError(f"an array has the dimensions {dimensions}")
    n = math.prod(dimensions)
    if kind == CHARACTERS or kind in NUMBERS:
        _check_values(values, n, 1 + is_complex, kind == CHARACTERS)
    elif kind in (CELL, STRUCT):
        if kind == STRUCT:
            if len(values) < 2 or [k for k, _ in values[:2]] != [5, 1] or len(values[0][1]) != 4:
                raise ValueError("the names of the fields of a struct are missing")
            (length,) = struct.unpack(f"{order}i", values[0][1])
            names = values[1][1]
            if length < 1 or len(names) % length:
                raise ValueError("the names of the fields of a struct are damaged")
            n, values = n * (len(names) // length), values[2:]
        if len(values) != n or any(k != MATRIX for k, _ in values):
            raise ValueError(f"there are {len(values)} arrays in an array of {n}")
        for _, inner in values:
            _check_matrix(inner, order, depth + 1)
    else:
        raise ValueError(f"it contains an array of kind {kind}")


def _check_values(values: list[tuple[int, bytes]], n: int, n_parts: int, is_text: bool) -> None:
    if len(values) != n_parts and not (n == 0 and not values):
        raise ValueError(f"an array has {len(values)} parts, not {n_parts}")
    for kind, data in values:
        if kind not in WIDTH:
            raise ValueError(f"an array contains data of type {kind}")
        length = len(data) / WIDTH[kind]
        if length != n and not (is_text and kind == 16 and length >= n):  # UTF-8
            raise ValueError(f"an array of {n} values contains {length:g}")
