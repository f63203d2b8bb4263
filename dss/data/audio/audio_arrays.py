"""Audio in array files: npy, npz, cbin of evsonganaly; and the names used in npz and h5 files."""

import io
import math
import re
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Literal

import numpy as np

from dss.errors import DssError, reason

CBIN_KEYS = ("ADFREQ", "Chans")  # names of the sample rate and the channels in a .rec file
MOST_BYTES_OF_A_NUMBER = 2**12  # in npy format
FULLEST = 0.9  # fraction of the free disk that unpacked audio may take
# Names of audio and sample rate in npz and h5; the first one present counts.
DATA_NAMES = ("data", "audio", "samples")
RATE_NAMES = ("samplerate", "samplerate_Hz", "sample_rate", "rate", "fs")


def map_npy(path: Path) -> tuple[None, np.ndarray]:
    """The audio of a npy file as a memory map."""
    try:
        with path.open("rb") as file:
            return None, _map_array(file, 0)
    except Exception as error:  # numpy raises all kinds of errors for damaged headers
        raise DssError(f"{path}: cannot be read as npy ({reason(error)}). Save it again.") from None


def read_rec(path: Path) -> tuple[float, float]:
    """The sample rate and number of channels of a cbin file of evsonganaly, from its rec file."""
    header = path.with_suffix(".rec")
    if not header.is_file():
        raise DssError(f"{path}: its sample rate and channels are in {header.name}; add that file")
    text = header.read_text("latin-1")
    number = r"(\d+(?:\.\d*)?(?:[eE]\+?\d+)?)"
    found = {k: re.search(rf"^\s*{k}\s*=\s*{number}", text, re.M | re.I) for k in CBIN_KEYS}
    values = [float(match[1]) for match in found.values() if match]
    if missing := [key for key, match in found.items() if not match]:
        raise DssError(f"{header}: does not give {' and '.join(missing)}, as in {missing[0]} = 1")
    n_values = path.stat().st_size // 2
    if not values[1].is_integer() or not 1 <= values[1] <= n_values:
        raise DssError(f"{header}: says {values[1]:g} channels; {path.name} has {n_values} values")
    return values[0], values[1]


def map_cbin(rec: tuple[float, float], path: Path) -> tuple[float, np.ndarray]:
    """Audio of evsonganaly: big-endian 16-bit integers, interleaved channels."""
    rate, n_channels = rec[0], int(rec[1])
    n_frames = path.stat().st_size // 2 // n_channels
    return rate, np.memmap(path, ">i2", "r", shape=(n_frames, n_channels))


def map_npz(path: Path) -> tuple[Any, np.ndarray]:
    """The audio of an npz file as a memory map; compressed files are unpacked first."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            data, rate = (first_of(members, names) for names in (DATA_NAMES, RATE_NAMES))
            if data is None:
                raise DssError(lacks(path, DATA_NAMES, members))
            value = rate and _one_number(archive, members[rate], path)
            info = members[data]
            if info.compress_type != zipfile.ZIP_STORED:
                with tempfile.TemporaryFile() as file, archive.open(info) as member:
                    _check_space(info.file_size, path)
                    shutil.copyfileobj(member, file, 2**20)
                    return value, _map_array(file, 0)
        with path.open("rb") as file:
            file.seek(info.header_offset + 26)
            lengths = np.frombuffer(file.read(4), "<u2")  # of the name and the extra field after it
            return value, _map_array(file, info.header_offset + 30 + int(lengths.sum()))
    except DssError:
        raise
    except Exception as error:  # errors of zip, of decompression, of numpy
        raise DssError(f"{path}: cannot be read as npz ({reason(error)}). Save it again.") from None


def _one_number(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> Any:
    """The sample rate in a member of an npz file."""
    if info.file_size > MOST_BYTES_OF_A_NUMBER:
        raise DssError(
            f"{path}: {info.filename} has {info.file_size:,} bytes; it should be a number of Hz"
        )
    content = io.BytesIO(archive.read(info))
    shape, _, _ = _read_header(content)
    if math.prod(shape) != 1:
        raise DssError(f"{path}: {info.filename} has the shape {shape}; it should be a number")
    content.seek(0)
    return np.load(content, allow_pickle=False)


def _check_space(n_bytes: int, path: Path) -> None:
    """Raise a DssError if there is not enough space to unpack this many bytes."""
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if n_bytes > FULLEST * free:
        raise DssError(
            f"{path}: unpacks to {n_bytes / 1e9:.1f} GB, but {tempfile.gettempdir()} has "
            f"{free / 1e9:.1f} GB left. Save it without compression (numpy.savez)."
        )


def _map_array(file, offset: int) -> np.ndarray:
    """The array in npy format at an offset of an open file, as a memory map."""
    file.seek(offset)
    shape, is_fortran, dtype = _read_header(file)
    if dtype.hasobject or 0 in shape:  # there is nothing to map; it is refused later
        return np.empty(shape if 0 in shape else 0, dtype)
    order: Literal["F", "C"] = "F" if is_fortran else "C"
    return np.memmap(file, dtype, "r", file.tell(), shape, order)


def _read_header(file) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, column order, and dtype of the next header in npy format."""
    is_first = np.lib.format.read_magic(file) == (1, 0)
    read = np.lib.format.read_array_header_1_0 if is_first else np.lib.format.read_array_header_2_0
    return read(file)


def first_of(names, wanted: tuple[str, ...]) -> str | None:
    """The first of the wanted names that is present, if any."""
    return next((name for name in wanted if name in names), None)


def lacks(path: Path, wanted: tuple[str, ...], names) -> str:
    """The error message for a file that has none of these names."""
    return (
        f"{path}: contains no {wanted[0]!r}, only {', '.join(map(repr, names)) or 'nothing'}. It "
        f"should contain {DATA_NAMES[0]!r} [samples, channels] and {RATE_NAMES[0]!r}."
    )
