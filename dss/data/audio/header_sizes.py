"""Wrong sizes in the headers of audio files: recorders lose power, disks fill up.

This covers formats that store all samples in one chunk, whose size is in the header: aiff, au, caf,
rf64, w64 and voc. wav is handled in `dss.data.audio.wav`. flac, mp3 and ogg have no such size; here
dss checks whether their end is present.
"""

import io
import math
import re
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import soundfile

from dss.data import fixes
from dss.data.audio import mp3
from dss.data.audio.chunks import (
    CAF,
    FORMATS,
    ChunkFormat,
    Order,
    are_chunks_from,
    chunks_from,
)
from dss.support.units import readable

HEAD_BYTES = 1024  # that identify the format
PAGE, LAST_PAGE, LONGEST_PAGE = b"OggS", 4, 2**16  # of ogg: first bytes, flag, size
NOT_SAID = 2**63 - 1  # libsndfile's number of samples if a flac file does not give it

# Bytes before the samples in their chunk: in aiff where they begin, in caf a number.
BEFORE = {b"FORM": 8, b"caff": 4}
AU_ORDERS: dict[bytes, Order] = {b".snd": "big", b"dns.": "little"}
NIST_SIZES = (b"sample_count", b"channel_count", b"sample_n_bytes")
RF64_SIZE = 28  # the position of the 64-bit size


class Sizes(NamedTuple):
    """How many bytes of samples a file has, according to its header and in fact."""

    claimed: int | None  # by the header; None if it leaves it open
    actual: int
    position: int  # where the header gives the number
    correct: bytes  # that should be written there


class PatchedFile(io.FileIO):
    """A file in which some bytes are replaced while it is read."""

    def __init__(self, path: Path, sizes: Sizes):
        super().__init__(path)
        self.sizes = sizes

    def readinto(self, buffer) -> int:
        """Fill a buffer; returns the number of bytes read."""
        first = self.tell()
        n = super().readinto(buffer) or 0
        view = memoryview(buffer).cast("B")
        for i, byte in enumerate(self.sizes.correct, self.sizes.position - first):
            if 0 <= i < n:
                view[i] = byte
        return n


def wrong_sizes(path: Path) -> Sizes | None:
    """The sizes of a file whose header claims too much, none despite samples, or leaves it open.

    None if the header is right, or the file has another format.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if head[:4] in AU_ORDERS:
            return _wrong(_au(head, size))
        if head.startswith(b"NIST_1A"):
            return _wrong(_nist(head, size))
        kind = next((kind for kind in FORMATS if head.startswith(kind.start)), None)
        return kind and _wrong(_in_chunks(file, kind, size))


def open_patched(path: Path, sizes: Sizes | None) -> BinaryIO:
    """Open a file so that its header seems to state the true size."""
    return cast(BinaryIO, PatchedFile(path, sizes)) if sizes else path.open("rb")


def find_end(
    path: Path, sound: soundfile.SoundFile, sizes: Sizes | None
) -> tuple[int | None, int | None]:
    """Determine where a file ends, given its `wrong_sizes`.

    Returns: the number of samples in the file, None if that takes reading it; and the number that
        it claims, None if it makes no claim.
    """
    n = sound.frames
    if sound.format == "FLAC" and _lacks_last_sample(sound):
        return None, None if n == NOT_SAID else n
    if sound.format == "OGG" and _lacks_last_page(path):
        return None, None
    if sound.format == "MP3" and mp3.is_cut(path):
        return None, n
    if sizes and sizes.claimed and sound.subtype.startswith("ALAC"):
        return _alac_samples(path, sizes.actual)
    return n, round(n * sizes.claimed / sizes.actual) if sizes and sizes.claimed else n


def report_missing(
    path: Path, sizes: Sizes | None, samplerate_hz: float, n_claimed: int | None, n_there: int
) -> None:
    """Note that a file ends early, and by how much if its header tells.

    `sizes` come from `wrong_sizes`, the claimed number of samples from `find_end`.
    """
    there = readable(n_there / samplerate_hz)
    if n_claimed is None:
        message = f"does not say how long it is, and may be truncated; {there} were read"
        fixes.note(path, message)
    elif sizes and sizes.claimed == 0:
        fixes.note(path, f"its header says 0 bytes of audio, but {there} were found and read")
    elif n_claimed > n_there:
        missing = readable((n_claimed - n_there) / samplerate_hz)
        message = f"ends earlier than its header says: {missing} are missing; the rest was read"
        fixes.note(path, message)


def _lacks_last_page(path: Path) -> bool:
    """Whether an ogg file ends before, or within, the page that is marked as its last one."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - LONGEST_PAGE))
        tail = file.read()
    page = tail[max(0, tail.rfind(PAGE)) :]
    if len(page) < 27 or len(page) < 27 + page[26]:
        return True
    length = 27 + page[26] + sum(page[27 : 27 + page[26]])
    return len(page) < length or not page[5] & LAST_PAGE


def _lacks_last_sample(sound: soundfile.SoundFile) -> bool:
    try:
        sound.seek(sound.frames - 1)
        return len(sound.read(1)) == 0
    except (soundfile.SoundFileError, RuntimeError):
        return True


def _alac_samples(path: Path, n_bytes: int) -> tuple[int, int]:
    """How many samples this many bytes contain, in whole packets, and how many the file claims.

    Apple's "Core Audio Format Specification" describes the table of packets.
    """
    with path.open("rb") as file:
        chunks = dict(chunks_from(CAF.first, file, CAF))
        start, length = chunks.get(b"pakt", (0, 0))
        file.seek(start + 8)
        n_claimed = int.from_bytes(file.read(8))
        file.seek(start + 24)
        sizes = file.read(min(max(0, length - 24), path.stat().st_size))
        file.seek(CAF.first + 12 + 20)  # in the description, which comes first
        per_packet = int.from_bytes(file.read(4))
    n_packets = size = 0
    for byte in sizes:  # each size is a number in bytes with 7 significant bits
        size = (size << 7 | byte & 0x7F) % 2**32
        if byte < 0x80:
            n_bytes -= size
            if n_bytes < 0:
                break
            n_packets, size = n_packets + 1, 0
    return n_packets * per_packet, n_claimed


def _wrong(sizes: Sizes | None) -> Sizes | None:
    if sizes is None or sizes.actual <= 0:
        return None
    return sizes if sizes.claimed in (None, 0) or sizes.claimed > sizes.actual else None


def _au(head: bytes, size: int) -> Sizes | None:
    order = AU_ORDERS[head[:4]]
    start, claimed = (int.from_bytes(head[i : i + 4], order) for i in (4, 8))
    actual = size - start
    if claimed == 2**32 - 1 or actual >= 2**32:  # marks an unknown length
        return None
    return Sizes(claimed, actual, 8, max(actual, 0).to_bytes(4, order))


def _nist(head: bytes, size: int) -> Sizes | None:
    fields = dict(re.findall(rb"^(\w+) -\w+ (\d{1,18})$", head, re.M))
    start = re.match(rb"NIST_1A\n *(\d{1,6})\n", head)
    if not start or not {*NIST_SIZES} <= {*fields}:
        return None
    claimed = math.prod(int(fields[name]) for name in NIST_SIZES)
    return Sizes(claimed, size - int(start[1]), 0, b"")  # libsndfile needs no help


def _in_chunks(file: BinaryIO, kind: ChunkFormat, size: int) -> Sizes | None:
    """The claim in the header of an open file with chunks of this kind."""
    chunks = chunks_from(kind.first, file, kind)
    place = next((place for name, place in chunks if name in kind.samples), None)
    if place is None:
        return None
    start, length = place
    position, n_size, before = start - kind.n_size, kind.n_size, BEFORE.get(kind.start, 0)
    is_open = length + kind.header_in_size == 256**kind.n_size - 1
    if kind.start == b"RF64":
        position, n_size, is_open = RF64_SIZE, 8, False
        file.seek(position)
        length = int.from_bytes(file.read(n_size), "little")
    claimed, actual = max(0, length - before), size - start
    if claimed == 0 and are_chunks_from(start + length, file, kind):
        return None
    correct = min(actual + kind.header_in_size, 256**n_size - 1).to_bytes(n_size, kind.order)
    return Sizes(None if is_open else claimed, actual - before, position, correct)
