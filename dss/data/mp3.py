"""How many bytes an mp3 should have: by that, recordings that were cut off are found at once.

Most encoders write a first frame without audio, with the text Xing or Info, that says how many
frames and bytes follow. libsndfile believes it, and ends early where the file does.
"""

import struct
from pathlib import Path

HEAD_BYTES = 2**12  # behind tags, where the first frame is
TAG_BYTES = 10  # of the header of an ID3v2 tag
HAS_FRAMES, HAS_BYTES = 1, 2


def is_cut(path: Path) -> bool:
    """Whether an mp3 has fewer bytes than its first frame says; False if it does not say it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = 0
        while (tag := file.read(TAG_BYTES)).startswith(b"ID3") and len(tag) == TAG_BYTES:
            start += TAG_BYTES + _tag_length(tag)
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


def _tag_length(tag: bytes) -> int:
    """The length of an ID3v2 tag without its header: seven bits of each of four bytes."""
    length = 0
    for byte in tag[6:10]:
        length = length << 7 | byte & 0x7F
    return length
