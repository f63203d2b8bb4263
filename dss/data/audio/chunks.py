"""Chunks, the parts that most audio formats consist of: a name, a size, and then so many bytes."""

import os
from collections.abc import Iterator
from typing import BinaryIO, Literal, NamedTuple

MOST_CHUNKS = 1000  # searched for the one with the samples

Order = Literal["big", "little"]


class ChunkFormat(NamedTuple):
    """How a format marks its chunks."""

    start: bytes  # how files of the format begin
    first: int  # the position of the first chunk
    samples: tuple[bytes, ...]  # the names of the chunk with the samples
    n_name: int = 4  # bytes
    n_size: int = 4  # bytes
    order: Order = "big"  # of the bytes of sizes
    alignment: int = 1  # chunks begin at multiples of this number of bytes
    header_in_size: int = 0  # how much of a size are the name and the size itself


GUID = bytes.fromhex("f3acd3118cd100c04f8edb8a")  # at the end of the names of chunks in w64
WAV = ChunkFormat(b"RIFF", 12, (b"data",), order="little", alignment=2)
CAF = ChunkFormat(b"caff", 8, (b"data",), n_size=8)
FORMATS = (
    ChunkFormat(b"FORM", 12, (b"SSND",), alignment=2),
    CAF,
    WAV._replace(start=b"RF64"),
    ChunkFormat(b"riff", 40, (b"data" + GUID,), 16, 8, "little", 8, 24),
    ChunkFormat(b"Creative Voice File", 26, (b"\1", b"\x09"), 1, 3, "little"),
)


def chunks_from(
    place: int, file: BinaryIO, kind: ChunkFormat
) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """The chunks of an open file from a position on: name, and position and length of each."""
    size = os.fstat(file.fileno()).st_size
    for _ in range(MOST_CHUNKS):
        file.seek(place)
        head = file.read(kind.n_name + kind.n_size)
        if len(head) < kind.n_name + kind.n_size:
            break
        start = place + len(head)
        length = int.from_bytes(head[kind.n_name :], kind.order) - kind.header_in_size
        yield head[: kind.n_name], (start, length)
        place = start + max(0, length) + -length % kind.alignment
        if place >= size:
            break


def are_chunks_from(place: int, file: BinaryIO, kind: ChunkFormat) -> bool:
    """Whether an open file has only whole chunks from a position on, and so no samples."""
    size = os.fstat(file.fileno()).st_size
    return all(
        name[:4].isascii() and name[:4].strip().isalnum() and 0 <= length <= size - start
        for name, (start, length) in chunks_from(place, file, kind)
    )
