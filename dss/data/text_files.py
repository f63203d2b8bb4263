"""Text files in the encodings that programs write."""

import unicodedata
from pathlib import Path

from dss.data.spreadsheets import WORKBOOK, workbook_text
from dss.errors import DssError

NO_TEXT = ("Cc", "Cn", "Co", "Cs")  # categories of control, unknown and private characters
HEAD_BYTES = 2**16  # of a file, to see what it contains


def read_text(path: Path, n_bytes: int = -1) -> str:
    """Read a text file in common encodings: UTF-8, UTF-16, or that of old Windows.

    Of an Excel workbook, the first sheet is read as CSV.
    """
    if not path.is_file():
        raise DssError(f"{path}: there is no such file")
    if path.suffix.lower() == WORKBOOK:
        return workbook_text(path)
    with path.open("rb") as file:
        content = file.read(n_bytes)
    return content.decode(encoding_of(content), errors="replace")


def is_text(text: str) -> bool:
    """Whether all characters can be in a text; others come from damaged files, or no texts."""
    return not any(unicodedata.category(c) in NO_TEXT for c in text if c not in "\t\r\n\f\v")


def encoding_of(content: bytes) -> str:
    """The encoding of a text: utf-8-sig, utf-16 (with its order if it has no mark), or cp1252."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if 0 in content[:2] and len(content) > 1:  # without a byte order mark
        return f"utf-16-{'be' if content[0] == 0 else 'le'}"
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"
