"""Audio formats: each file is opened as its sample rate, its shape, and a function that reads it.

A reader takes a first sample and the one after the last, and returns [samples, channels]. It keeps
no file open and no samples in memory, so thousands of recordings can be open at once, and it can be
sent to another process.
"""

import math
import os
import tempfile
import threading
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile

from dss.data.audio import header_sizes, wav
from dss.data.audio.audio_arrays import (
    DATA_NAMES,
    RATE_NAMES,
    first_of,
    lacks,
    map_cbin,
    map_npy,
    map_npz,
    read_rec,
)
from dss.errors import DssError, reason
from dss.support import hdf5, system
from dss.support.caching import cached_by_file
from dss.support.files import check_content

# The formats of libsndfile that are recordings, with their endings.
_ENDINGS = {
    "WAV": (".wav", ".wave"),
    "FLAC": (".flac",),
    "OGG": (".ogg", ".oga", ".opus"),
    "MP3": (".mp3",),
    "AIFF": (".aiff", ".aif", ".aifc"),
    "AU": (".au", ".snd"),
    "CAF": (".caf",),
    "W64": (".w64",),
    "RF64": (".rf64",),
    "NIST": (".sph", ".nist"),
    "VOC": (".voc",),
}
SOUND_ENDINGS = tuple(
    ending for format in soundfile.available_formats() for ending in _ENDINGS.get(format, ())
)
# The errors of soundfile for files that are damaged, or that it cannot seek in.
SOUND_ERRORS = (soundfile.SoundFileError, RuntimeError, ValueError, TypeError)
# For these, the samples that libsndfile returns depend on where it starts to read.
UNSTEADY = ("OGG", "MP3")
BLOCK_SAMPLES = 2**16  # unpacked at once
HIGHEST_RATE_HZ = 1e9  # no recorder takes more samples
ARRAY_ENDINGS = (".npz", ".npy", ".h5", ".cbin")

Loader = Callable[[Path], tuple[float | None, np.ndarray]]


class Audio(NamedTuple):
    """An opened audio file; the sample rate is None if the file does not store it."""

    samplerate_hz: float | None
    n_samples: int
    n_channels: int
    read: Callable[[int, int], np.ndarray]


def open_audio(path: Path, loader: Loader | None = None) -> Audio:
    """Open an audio file by its ending, or with a loader.

    Raises: DssError for a file that is truncated or not audio.
    """
    if loader:
        return _open_array(partial(_call_loader, loader), path)
    match path.suffix.lower():
        case ".npy":
            return _open_array(map_npy, path)
        case ".npz":
            return _open_array(map_npz, path)
        case ".h5":
            return _open_h5(path)
        case ".cbin":
            return _open_array(partial(map_cbin, read_rec(path)), path)
        case _:
            return _open_sound(path)


def holds_audio(path: Path) -> bool:
    """Whether an npz or h5 file contains audio and a sample rate under names that dss knows."""
    try:
        if path.suffix.lower() == ".npz":
            with zipfile.ZipFile(path) as archive:
                names = {name.removesuffix(".npy") for name in archive.namelist()}
            return bool(names & {*DATA_NAMES} and names & {*RATE_NAMES})
        _open_h5(path)
    except Exception:  # reported when it is opened
        return False
    return True


def as_float(x: np.ndarray) -> np.ndarray:
    """Convert audio [samples] or [samples, channels] of any type to [samples, channels] float32.

    Integers are scaled so that the largest value of their type is 1.
    """
    x = x[:, None] if x.ndim == 1 else x
    if x.dtype.kind == "f":
        return x.astype(np.float32)
    half = 2.0 ** (8 * x.dtype.itemsize - 1)
    middle = half if x.dtype.kind == "u" else 0
    return ((x - np.float64(middle)) / half).astype(np.float32)


def _open_sound(path: Path) -> Audio:
    if fixed := wav.true_length(path):
        header, n_samples = fixed
        reader = partial(wav.read_frames, path, header)
        return Audio(header.samplerate_hz, n_samples, header.n_channels, reader)
    sizes = header_sizes.wrong_sizes(path)
    try:
        # By its content, or libsndfile takes ._x.mp3 for a part of x.mp3.
        opened = header_sizes.open_patched(path, sizes)
        with opened as file, system.hushed_libraries(), soundfile.SoundFile(file) as sound:
            rate, n_channels = sound.samplerate, sound.channels
            is_steady = sound.format not in UNSTEADY and sound.seekable()
            n_there, n_claimed = header_sizes.find_end(path, sound, sizes)
    except SOUND_ERRORS as error:
        with path.open("rb") as file:
            check_content(path, file.read(64))
        raise DssError(
            f"{path}: cannot be read as audio ({_why(error)}). Copy it again, convert it to wav, "
            "or leave it out."
        ) from None
    read: Callable = partial(_read_sound, path, sizes)
    if n_there is None or not is_steady:
        load = _UNPACK_CUT if n_there is None else _unpack
        n_there = len(_load(load, path)[1]) if n_there is None else n_there
        read = partial(_read, load, path)
    header_sizes.report_missing(path, sizes, rate, n_claimed, n_there)
    return Audio(_checked_rate(rate, path), n_there, n_channels, read)


def _unpack(path: Path, is_cut: bool = False) -> tuple[None, np.ndarray]:
    """All samples as a memory map of a temporary file, read from first to last.

    For truncated files, all samples before the place where they become unreadable.
    """
    with path.open("rb") as content, tempfile.TemporaryFile() as file:
        try:
            with system.hushed_libraries(), soundfile.SoundFile(content) as sound:
                block = np.empty((BLOCK_SAMPLES, sound.channels), np.float32)
                while n_read := _read_on(sound, block, is_cut):
                    block[:n_read].tofile(file)
        except SOUND_ERRORS as error:
            raise DssError(
                f"{path}: cannot be read ({_why(error)}). The file is damaged: copy it again, "
                "or convert it to wav."
            ) from None
        file.flush()
        if not file.tell():
            return None, np.empty((0, block.shape[1]), np.float32)
        return None, np.memmap(file, np.float32, "r").reshape(-1, block.shape[1])


def _read_on(sound: soundfile.SoundFile, block: np.ndarray, is_cut: bool) -> int:
    """Read the next samples of an open file into a block; returns their number."""
    block.fill(np.nan)
    try:
        return len(sound.read(out=block))
    except SOUND_ERRORS:
        if not is_cut:
            raise
    return int((~np.isnan(block[:, 0])).sum())  # soundfile does not report it


_UNPACK_CUT = partial(_unpack, is_cut=True)  # a constant, because the cache compares functions


def _read_sound(path: Path, sizes: header_sizes.Sizes | None, start: int, stop: int) -> np.ndarray:
    # As bytes, a name may be of any encoding; Windows has no such names.
    name = path if system.is_windows() else os.fsencode(path)
    content = header_sizes.open_patched(path, sizes) if sizes else nullcontext(name)
    try:
        with content as file:
            return soundfile.read(file, start=start, stop=stop, dtype="float32", always_2d=True)[0]
    except SOUND_ERRORS as error:
        if not path.is_file():
            raise DssError(f"{path}: there is no such recording any more") from None
        raise DssError(
            f"{path}: samples {start} to {stop} cannot be read ({_why(error)}). The file is "
            "damaged: copy it again."
        ) from None


def _why(error: Exception) -> str:
    """The message of libsndfile, without its full stop."""
    return reason(error).rstrip(". ")


def _open_array(load: Loader, path: Path) -> Audio:
    rate, x = _load(load, path)
    return Audio(_checked_rate(rate, path), *_checked_shape(x, path), partial(_read, load, path))


def _read(load: Loader, path: Path, start: int, stop: int) -> np.ndarray:
    return as_float(np.asarray(_load(load, path)[1][start:stop]))


def _load(load: Loader, path: Path) -> tuple[Any, np.ndarray]:
    with _ONE_LOADS:
        return _last_loaded(path, load)


_ONE_LOADS = threading.Lock()  # or threads that read blocks of one file would each load it


@cached_by_file(2)  # recordings are read block after block
def _last_loaded(path: Path, load: Loader) -> tuple[Any, np.ndarray]:
    return load(path)


def _call_loader(loader: Loader, path: Path) -> tuple[float | None, np.ndarray]:
    if not callable(loader):
        raise DssError(
            f"{path}: {loader!r} cannot load it; it should be a function from the file to (sample "
            "rate, array [samples, channels])"
        )
    try:
        loaded = loader(path)
    except Exception as error:
        raise DssError(f"{path}: the loader failed: {type(error).__name__}: {error}") from error
    if not isinstance(loaded, tuple) or len(loaded) != 2:
        raise DssError(
            f"{path}: the loader returned a {type(loaded).__name__}; it should return (samplerate, "
            "array [samples, channels])"
        )
    return loaded[0], np.asanyarray(loaded[1])


def _open_h5(path: Path) -> Audio:
    import h5py

    with hdf5.reading(path, with_texts=False) as file:
        name = first_of(file, DATA_NAMES)
        if name is None:
            raise DssError(lacks(path, DATA_NAMES, file))
        if not isinstance(file[name], h5py.Dataset):
            raise DssError(f"{path}: {name!r} is a group; it should be an array")
        places = (file, file.attrs, file[name].attrs)
        found = ((place, n) for place in places if (n := first_of(place, RATE_NAMES)))
        place, rate_name = next(found, (None, ""))
        rate = None if place is None else _rate_in(place, rate_name)
        shape = _checked_shape(file[name], path)
    if rate is None:
        raise DssError(lacks(path, RATE_NAMES, [name]))
    return Audio(_checked_rate(rate, path), *shape, partial(_read_h5, path, name))


def _rate_in(place: Any, name: str) -> Any:
    """A number in an attribute, or in an array with one value; or a text that says why not."""
    import h5py

    is_attribute = isinstance(place, h5py.AttributeManager)
    item = place.get_id(name) if is_attribute else place[name]
    if not isinstance(item, h5py.h5a.AttrID | h5py.Dataset):
        return type(item).__name__
    if item.dtype.kind not in "iuf":
        return f"of type {item.dtype}"
    if math.prod(item.shape or ()) != 1:
        return item.shape
    return place[name] if is_attribute else item[()]


def _read_h5(path: Path, name: str, start: int, stop: int) -> np.ndarray:
    with hdf5.reading(path, with_texts=False) as file:
        return as_float(file[name][start:stop])


def _checked_rate(rate: Any, path: Path) -> float | None:
    if rate is None:
        return None
    value = np.asarray(rate)
    is_number = value.size == 1 and value.dtype.kind in "iuf"
    if not is_number or not 0 < value <= HIGHEST_RATE_HZ:  # nor NaN
        shown = repr(value.item()) if value.size == 1 else repr(rate)
        raise DssError(f"{path}: the sample rate is {shown}; it should be a number of Hz")
    rate = float(value.item())
    return int(rate) if rate.is_integer() else rate


def _checked_shape(x: Any, path: Path) -> tuple[int, int]:
    """The number of samples and channels of an array [samples] or [samples, channels]."""
    if x.dtype.kind not in "iuf":
        raise DssError(f"{path}: contains values of type {x.dtype}; they should be numbers")
    if x.dtype.kind in "iu" and x.dtype.itemsize == 8:
        raise DssError(
            f"{path}: contains 64-bit integers, whose full scale is unknown. Save the integers of "
            "the recorder, such as int16, or floats from -1 to 1."
        )
    if x.ndim not in (1, 2) or (x.ndim == 2 and not 1 <= x.shape[1] <= max(x.shape[0], 1)):
        raise DssError(f"{path}: the shape is {x.shape}; it should be (samples, channels)")
    return x.shape[0], x.shape[1] if x.ndim == 2 else 1
