"""Which annotations are as dss wrote them: only these are ever replaced.

A folder into which dss writes annotations gets a file `.dss_written`, with a line for each file
that was written: the SHA-256 of its bytes and its name, as `sha256sum` prints them. What is not in
there was made by a person, or corrected by one, and stays.
"""

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import pandas as pd

from dss.data.annotations import write_annotations
from dss.errors import raise_problems
from dss.support.files import replacing

NOTES = ".dss_written"


def write(
    table: pd.DataFrame,
    file: Path,
    format: str,
    duration_seconds: float | None = None,
    samplerate_hz: float | None = None,
) -> None:
    """Write annotations by dss, and note that they are.

    Arguments as for `dss.data.write_annotations`.

    Raises: DssError if the file is there and was made or changed by hand.
    """
    check_replaceable([file])  # somebody may have corrected it while the recording was annotated
    with replacing(file) as part:
        write_annotations(table, part, format, duration_seconds, samplerate_hz)
        _note(part, file)  # first: a process that is killed in between leaves no file unknown


def check_replaceable(files: Iterable[Path]) -> None:
    """Raise a DssError that lists those files that are there and were made or changed by hand."""
    raise_problems(
        [str(file) for file in files if file.exists() and not is_by_dss(file)],
        "You made or changed these annotations, so dss does not overwrite them. Move them away, "
        "or give another folder (--save-dir):",
    )


def is_by_dss(file: Path, folder: Path | None = None) -> bool:
    """Whether a file is byte for byte what dss once wrote under its name.

    Arguments:
        file: of annotations, in any format.
        folder: where dss wrote it, if the file may be a copy; default: where the file is.
    """
    return _line(file, file.name) in _noted((folder or file.parent) / NOTES)


def _note(part: Path, file: Path) -> None:
    """Note that dss writes to `file` what is in `part`; other processes may note at this time."""
    notes, line = file.parent / NOTES, _line(part, file.name)
    if file.exists() and line in _noted(notes):
        return
    # Of somebody else, in a folder for all: annotations without a note are not replaced later.
    with suppress(PermissionError):
        number = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            os.write(number, line + b"\n")
        finally:
            os.close(number)


def _line(file: Path, name: str) -> bytes:
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    line = f"{digest}  ".encode() + os.fsencode(name)
    if b"\n" not in line:
        return line
    # As sha256sum does; it does so for a backslash alone, too, but older notes have these plain.
    return b"\\" + line.replace(b"\\", rb"\\").replace(b"\n", rb"\n")


def _noted(notes: Path) -> frozenset[bytes]:
    try:
        status = notes.stat()
    except FileNotFoundError:
        return frozenset()
    return _lines(notes, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=8)  # thousands of files of a folder are looked up
def _lines(notes: Path, *changed: int) -> frozenset[bytes]:
    return frozenset(notes.read_bytes().split(b"\n"))
