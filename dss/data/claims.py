"""The length that a header claims, and the real one: recorders lose power, disks fill up.

This covers formats that store all samples in one part, whose size is in the header: aiff, au, caf,
rf64, w64 and voc. wav is handled in `dss.data.wav`. flac, mp3 and ogg have no such size; here dss
checks whether their end is present.
"""

import io
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple, cast

import soundfile

from dss.data import mending, mp3
from dss.support.units import readable

HEAD_BYTES = 1024  # that identify the format
MOST_PARTS = 1000  # searched for the one with the samples
PAGE, LAST_PAGE, LONGEST_PAGE = b"OggS", 4, 2**16  # of ogg: first bytes, flag, size
NOT_SAID = 2**63 - 1  # libsndfile's number of samples if a flac file does not give it


Order = Literal["big", "little"]


class Form(NamedTuple):
    """How a format marks its parts: a name, a size, and then this many bytes.

    Attributes:
        start: how files of the format begin.
        first: the position of the first part.
        samples: the names of the part with the samples.
        n_name: bytes of a name.
        n_size: bytes of a size.
        order: the byte order of sizes.
        even: parts begin at multiples of this number of bytes.
        own: how much of a size are the name and the size itself.
    """

    start: bytes
    first: int
    samples: tuple[bytes, ...]
    n_name: int = 4
    n_size: int = 4
    order: Order = "big"
    even: int = 1
    own: int = 0


GUID = bytes.fromhex("f3acd3118cd100c04f8edb8a")  # at the end of the names of parts in w64
FORMS = (
    Form(b"FORM", 12, (b"SSND",), even=2),
    Form(b"caff", 8, (b"data",), n_size=8),
    Form(b"RF64", 12, (b"data",), order="little", even=2),
    Form(b"riff", 40, (b"data" + GUID,), 16, 8, "little", 8, 24),
    Form(b"Creative Voice File", 26, (b"\1", b"\x09"), 1, 3, "little"),
)
# What precedes the samples in their part: in aiff where they begin, in caf a number.
BEFORE = {b"FORM": 8, b"caff": 4}
AU_ORDERS: dict[bytes, Order] = {b".snd": "big", b"dns.": "little"}
NIST_SIZES = (b"sample_count", b"channel_count", b"sample_n_bytes")
RF64_SIZE = 28  # the position of the 64-bit size


class Claim(NamedTuple):
    """The number of bytes of samples that a header claims, and that are there.

    Attributes:
        claimed: bytes; None if the header leaves it open.
        there: bytes.
        at: the position of the size in the file.
        right: the bytes of the correct size.
    """

    claimed: int | None
    there: int
    at: int
    right: bytes


class Patched(io.FileIO):
    """A file in which some bytes are replaced while it is read."""

    def __init__(self, path: Path, claim: Claim):
        super().__init__(path)
        self.claim = claim

    def readinto(self, buffer) -> int:
        """Fill a buffer; returns the number of bytes read."""
        first = self.tell()
        n = super().readinto(buffer) or 0
        view = memoryview(buffer).cast("B")
        for i, byte in enumerate(self.claim.right, self.claim.at - first):
            if 0 <= i < n:
                view[i] = byte
        return n


def wrong_claim(path: Path) -> Claim | None:
    """The claim of a header if it exceeds the file, is zero despite samples, or is left open.

    None if the claim is right, or the file has another format.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if head[:4] in AU_ORDERS:
            return _wrong(_au(head, size))
        if head.startswith(b"NIST_1A"):
            return _wrong(_nist(head, size))
        form = next((form for form in FORMS if head.startswith(form.start)), None)
        return form and _wrong(_of_parts(file, form, size))


def open_patched(path: Path, claim: Claim | None) -> BinaryIO:
    """Open a file so that its header seems to state the true size."""
    return cast(BinaryIO, Patched(path, claim)) if claim else path.open("rb")


def end_of(
    path: Path, sound: soundfile.SoundFile, claim: Claim | None
) -> tuple[int | None, int | None]:
    """Determine where a file ends.

    Arguments:
        path: the file.
        sound: the opened file.
        claim: the result of `wrong_claim`.

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
    if claim and claim.claimed and sound.subtype.startswith("ALAC"):
        return _alac_samples(path, claim.there)
    return n, round(n * claim.claimed / claim.there) if claim and claim.claimed else n


def say_missing(
    path: Path, claim: Claim | None, samplerate_hz: float, n_claimed: int | None, n_there: int
) -> None:
    """Note that a file ends early, and by how much if its header tells.

    Arguments:
        path: the file.
        claim: the result of `wrong_claim`.
        samplerate_hz: the sample rate.
        n_claimed: the claimed number of samples, from `end_of`.
        n_there: the number of readable samples.
    """
    there = readable(n_there / samplerate_hz)
    if n_claimed is None:
        said = f"does not say how long it is, and may lack its end; {there} are there and were read"
        mending.note(path, said)
    elif claim and claim.claimed == 0:
        mending.note(path, f"its header says 0 bytes of audio; {there} are there and were read")
    elif n_claimed > n_there:
        missing = readable((n_claimed - n_there) / samplerate_hz)
        said = f"ends earlier than its header says: {missing} are missing; the rest was read"
        mending.note(path, said)


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
        form = next(form for form in FORMS if form.start == b"caff")
        parts = dict(_parts(file, form, form.first))
        start, length = parts.get(b"pakt", (0, 0))
        file.seek(start + 8)
        n_claimed = int.from_bytes(file.read(8))
        file.seek(start + 24)
        sizes = file.read(min(max(0, length - 24), path.stat().st_size))
        file.seek(form.first + 12 + 20)  # in the description, which comes first
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


def _wrong(claim: Claim | None) -> Claim | None:
    if claim is None or claim.there <= 0:
        return None
    return claim if claim.claimed in (None, 0) or claim.claimed > claim.there else None


def _au(head: bytes, size: int) -> Claim | None:
    order = AU_ORDERS[head[:4]]
    start, claimed = (int.from_bytes(head[i : i + 4], order) for i in (4, 8))
    there = size - start
    if claimed == 2**32 - 1 or there >= 2**32:  # marks an unknown length
        return None
    return Claim(claimed, there, 8, max(there, 0).to_bytes(4, order))


def _nist(head: bytes, size: int) -> Claim | None:
    said = dict(re.findall(rb"^(\w+) -\w+ (\d{1,18})$", head, re.M))
    start = re.match(rb"NIST_1A\n *(\d{1,6})\n", head)
    if not start or not {*NIST_SIZES} <= {*said}:
        return None
    claimed = math.prod(int(said[name]) for name in NIST_SIZES)
    return Claim(claimed, size - int(start[1]), 0, b"")  # libsndfile needs no help


def _of_parts(file: BinaryIO, form: Form, size: int) -> Claim | None:
    """The claim in the header of an open file with parts of this form."""
    parts = _parts(file, form, form.first)
    place = next((place for name, place in parts if name in form.samples), None)
    if place is None:
        return None
    start, length = place
    at, n_size, before = start - form.n_size, form.n_size, BEFORE.get(form.start, 0)
    is_open = length + form.own == 256**form.n_size - 1
    if form.start == b"RF64":
        at, n_size, is_open = RF64_SIZE, 8, False
        file.seek(at)
        length = int.from_bytes(file.read(n_size), "little")
    claimed, there = max(0, length - before), size - start
    behind = _parts(file, form, start + length)
    if claimed == 0 and all(_is_part(name, place, size) for name, place in behind):
        return None  # only other parts, without samples
    right = min(there + form.own, 256**n_size - 1).to_bytes(n_size, form.order)
    return Claim(None if is_open else claimed, there - before, at, right)


def _parts(file: BinaryIO, form: Form, place: int) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """The parts of an open file from a position on: name, position and length of each."""
    size = os.fstat(file.fileno()).st_size
    for _ in range(MOST_PARTS):
        if place >= size:
            break
        file.seek(place)
        head = file.read(form.n_name + form.n_size)
        start = place + len(head)
        length = int.from_bytes(head[form.n_name :], form.order) - form.own
        yield head[: form.n_name], (start, length)
        place = start + max(0, length) + -length % form.even


def _is_part(name: bytes, place: tuple[int, int], size: int) -> bool:
    start, length = place
    return name[:4].isascii() and name[:4].strip().isalnum() and 0 <= length <= size - start
