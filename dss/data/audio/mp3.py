"""How many bytes an mp3 should have, to find truncated recordings at once.

Most encoders write a first frame without audio, marked with the text Xing or Info, that gives the
number of frames and bytes to follow. libsndfile believes it, and ends early where the file does.
"""

import struct
from pathlib import Path

HEAD_BYTES = 2**12  # searched after tags for the first frame
TAG_BYTES = 10  # length of the header of an ID3v2 tag
HAS_FRAMES, HAS_BYTES = 1, 2


def is_cut(path: Path) -> bool:
    """Whether an mp3 has fewer bytes than its first frame says; False if it does not say."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = 0
        while n_tag := tag_bytes(file.read(TAG_BYTES)):
            start += n_tag
            file.seek(start)
        file.seek(start)
        head = file.read(HEAD_BYTES)
    places = [place for text in (b"Xing", b"Info") if (place := head.find(text)) >= 0]
    first = head.find(b"\xff")
    if not places or first < 0 or len(head) < min(places) + 16:
        return False
    flags, *values = struct.unpack_from(">III", head, min(places) + 4)
    if not flags & HAS_BYTES:
        return False
    claimed = values[1] if flags & HAS_FRAMES else values[0]
    return size - start - first < claimed


def tag_bytes(head: bytes) -> int:
    """The length of the ID3v2 tag that begins with these 10 bytes; 0 if they begin something else.

    It is given by seven bits from each of four bytes.
    """
    if head[:3] != b"ID3" or len(head) < TAG_BYTES or max(head[6:]) > 0x7F:
        return 0
    return TAG_BYTES + sum(byte << 7 * i for i, byte in enumerate(reversed(head[6:])))
