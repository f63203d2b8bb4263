"""Which annotations are exactly as dss wrote them: only these are ever replaced.

In each folder with annotations from dss, a file `.dss_written` has a line for each file that dss
wrote: the SHA-256 of its bytes and its name, as `sha256sum` prints them. All other annotations were
made or corrected by a person, and are kept.
"""

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import pandas as pd

from dss.data.annotations import write_annotations
from dss.errors import raise_problems
from dss.support.caching import cached_by_file
from dss.support.files import replacing

NOTES = ".dss_written"


def write(
    table: pd.DataFrame,
    file: Path,
    format: str,
    duration_seconds: float | None = None,
    samplerate_hz: float | None = None,
) -> None:
    """Write predicted annotations, and record that dss wrote them.

    Arguments: as for `dss.data.write_annotations`.

    Raises: DssError if the file exists and was made or changed by hand.
    """
    check_replaceable([file])  # it may have been corrected while the recording was annotated
    with replacing(file) as part:
        write_annotations(table, part, format, duration_seconds, samplerate_hz)
        _note(part, file)  # first, so that a killed process leaves no unknown file


def check_replaceable(files: Iterable[Path]) -> None:
    """Raise a DssError that lists existing files that were made or changed by hand."""
    raise_problems(
        [str(file) for file in files if file.exists() and not is_by_dss(file)],
        "You made or changed these annotations, so dss does not overwrite them. Move them away, "
        "or choose another folder (--save-dir):",
    )


def is_by_dss(file: Path, folder: Path | None = None) -> bool:
    """Whether a file is byte for byte what dss once wrote under its name.

    Arguments:
        file: the annotation file, in any format.
        folder: the folder dss wrote it to, if the file may be a copy; default: the file's folder.
    """
    if not file.is_file():  # a pipe would block
        return False
    return _line(file, file.name) in _noted((folder or file.parent) / NOTES)


def _note(part: Path, file: Path) -> None:
    """Record that dss writes `part` to `file`; other processes may do so at the same time."""
    notes, line = file.parent / NOTES, _line(part, file.name)
    if file.exists() and line in _noted(notes):
        return
    # Written by somebody else, in a shared folder: unrecorded annotations are not replaced later.
    with suppress(PermissionError):
        number = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            os.write(number, line + b"\n")
        except OSError:
            if not os.fstat(number).st_size:  # the disk is full, and was before the first record
                notes.unlink()
            raise
        finally:
            os.close(number)


def _line(file: Path, name: str) -> bytes:
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    line = f"{digest}  ".encode() + os.fsencode(name)
    if b"\n" not in line:
        return line
    # As sha256sum does; it also escapes single backslashes, but older records have these plain.
    return b"\\" + line.replace(b"\\", rb"\\").replace(b"\n", rb"\n")


@cached_by_file(8)  # there may be thousands of files in a folder
def _noted(notes: Path) -> frozenset[bytes]:
    return frozenset(notes.read_bytes().split(b"\n")) if notes.exists() else frozenset()
