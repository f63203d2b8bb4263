"""Damage to files: what disks, transfers, other programs and hostile people do to them."""

import re

import numpy as np

NUMBERS = [b"-1", b"0", b"1e999", b"nan", b"9" * 30, b"1e15", b"-inf", b"0x10", b"1,5", b""]
WORDS = [
    *(b"", b"null", b"[]", b"{}", b"true", b'"', b"\x00", b"\xff\xfe", b"a\\b", b"../x", b"\n\n"),
    *(b",", b"\t", b"&a [*a]", b"!!python/object/apply:os.system [id]", b"%s%s%n", b"\r", b";"),
]
SIZES = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1]


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """The content of a file, damaged at one to three places."""
    for _ in range(rng.integers(1, 4)):
        content = DAMAGES[rng.integers(len(DAMAGES))](content, rng)
    return content


def _cut(content: bytes, rng) -> bytes:
    return content[: rng.integers(len(content) + 1)]


def _flip(content: bytes, rng) -> bytes:
    out = bytearray(content)
    for _ in range(rng.integers(1, 9)):
        if out:
            out[rng.integers(len(out))] ^= 1 << rng.integers(8)
    return bytes(out)


def _write_size(content: bytes, rng) -> bytes:
    width = int(rng.choice([1, 2, 4, 8]))
    value = SIZES[rng.integers(len(SIZES))] % 256**width
    order = "little" if rng.random() < 0.7 else "big"
    # Headers lie at the start; sizes in them decide what is allocated.
    place = rng.integers(max(1, min(len(content), 4096)))
    return content[:place] + value.to_bytes(width, order) + content[place + width :]


def _clear(content: bytes, rng) -> bytes:
    first, length = rng.integers(len(content) + 1), rng.integers(1, 600)
    return content[:first] + bytes(min(length, len(content) - first)) + content[first + length :]


def _repeat(content: bytes, rng) -> bytes:
    first = rng.integers(len(content) + 1)
    part = content[first : first + rng.integers(1, 200)]
    return content[:first] + part * rng.integers(1, 4) + content[first:]


def _remove(content: bytes, rng) -> bytes:
    first = rng.integers(len(content) + 1)
    return content[:first] + content[first + rng.integers(1, 100) :]


def _replace_number(content: bytes, rng) -> bytes:
    there = [*re.finditer(rb"[-+]?\d+(\.\d+)?", content[:20000])]
    if not there:
        return _flip(content, rng)
    match = there[rng.integers(len(there))]
    return content[: match.start()] + NUMBERS[rng.integers(len(NUMBERS))] + content[match.end() :]


def _replace_word(content: bytes, rng) -> bytes:
    there = [*re.finditer(rb"[\w./]+", content[:20000])]
    if not there:
        return _flip(content, rng)
    match = there[rng.integers(len(there))]
    return content[: match.start()] + WORDS[rng.integers(len(WORDS))] + content[match.end() :]


def _swap_lines(content: bytes, rng) -> bytes:
    lines = content.split(b"\n")
    a, b = rng.integers(len(lines), size=2)
    lines[a], lines[b] = lines[b], lines[a]
    return b"\n".join(lines)


DAMAGES = [
    *(_cut, _flip, _write_size, _write_size, _clear, _repeat, _remove),
    *(_replace_number, _replace_number, _replace_word, _replace_word, _swap_lines),
]
