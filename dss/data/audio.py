"""The forms of audio: each is opened as its sample rate, its shape, and a function that reads it.

A reader is called with a first sample and the one after the last, and returns [samples, channels].
It holds no open file and no samples, so that thousands of recordings can be open at once, and it
can be sent to another process.
"""

import io
import math
import re
import shutil
import tempfile
import threading
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import soundfile

from dss.data import claims, wav
from dss.errors import DssError
from dss.support import hdf5

# Of the formats that libsndfile knows, those that hold recordings, with their endings.
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
# What soundfile raises for files that are damaged, or whose place it cannot choose.
SOUND_ERRORS = (soundfile.SoundFileError, RuntimeError, ValueError, TypeError)
# libsndfile does not give the same samples wherever it begins to read these.
UNSTEADY = ("OGG", "MP3")
BLOCK_SAMPLES = 2**16  # that are unpacked at once
CBIN_KEYS = ("ADFREQ", "Chans")  # what a .rec file calls the sample rate and the channels
ARRAY_ENDINGS = (".npz", ".npy", ".h5", ".cbin")
MOST_BYTES_OF_A_NUMBER = 2**12  # in npy format
FULLEST = 0.9  # part of the free disk that unpacked audio may take
# What audio and sample rate are called in npz and h5; the first name that is there counts.
DATA_NAMES = ("data", "audio", "samples")
RATE_NAMES = ("samplerate", "samplerate_Hz", "sample_rate", "rate", "fs")

Loader = Callable[[Path], tuple[float | None, np.ndarray]]


class Audio(NamedTuple):
    """An opened audio file; the sample rate is None if the file does not say it."""

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
            return _open_array(_map_npy, path)
        case ".npz":
            return _open_array(_map_npz, path)
        case ".h5":
            return _open_h5(path)
        case ".cbin":
            return _open_array(partial(_map_cbin, _read_rec(path)), path)
        case _:
            return _open_sound(path)


def holds_audio(path: Path) -> bool:
    """Whether an npz or h5 file has audio and a sample rate under names that dss knows."""
    try:
        if path.suffix.lower() == ".npz":
            with zipfile.ZipFile(path) as archive:
                names = {Path(name).stem for name in archive.namelist()}
            return bool(names & {*DATA_NAMES} and names & {*RATE_NAMES})
        _open_h5(path)
    except Exception:  # which opening it will say
        return False
    return True


def as_float(x: np.ndarray) -> np.ndarray:
    """Audio [samples] or [samples, channels] of any type as [samples, channels] float32.

    Integers are scaled so that the largest of their type is 1.
    """
    x = x[:, None] if x.ndim == 1 else x
    if x.dtype.kind == "f":
        return x.astype(np.float32)
    half = 2.0 ** (8 * x.dtype.itemsize - 1)
    middle = half if x.dtype.kind == "u" else 0
    return ((x - np.float64(middle)) / half).astype(np.float32)


def _open_sound(path: Path) -> Audio:
    if mended := wav.mended_length(path):
        header, n_samples = mended
        reader = partial(wav.read_frames, path, header)
        return Audio(header.samplerate_hz, n_samples, header.n_channels, reader)
    claim = claims.wrong_claim(path)
    try:
        # By its content, or libsndfile takes ._x.mp3 for a part of x.mp3.
        with claims.open_patched(path, claim) as file, soundfile.SoundFile(file) as sound:
            rate, n_channels = sound.samplerate, sound.channels
            is_steady = sound.format not in UNSTEADY and sound.seekable()
            n_there, n_claimed = claims.end_of(path, sound, claim)
    except SOUND_ERRORS as error:
        raise DssError(f"{path}: cannot be read as audio ({_said(error)})") from None
    read: Callable = partial(_read_sound, path, claim)
    if n_there is None or not is_steady:
        load = _UNPACK_CUT if n_there is None else _unpack
        n_there = len(_load(load, path)[1]) if n_there is None else n_there
        read = partial(_read, load, path)
    claims.say_missing(path, claim, rate, n_claimed, n_there)
    return Audio(_checked_rate(rate, path), n_there, n_channels, read)


def _unpack(path: Path, is_cut: bool = False) -> tuple[None, np.ndarray]:
    """All samples as a memory map of a temporary file, read from the first to the last.

    Of a file that is cut off, all before the place where it cannot be read any more.
    """
    with path.open("rb") as content, tempfile.TemporaryFile() as file:
        try:
            with soundfile.SoundFile(content) as sound:
                block = np.empty((BLOCK_SAMPLES, sound.channels), np.float32)
                while n_read := _read_on(sound, block, is_cut):
                    block[:n_read].tofile(file)
        except SOUND_ERRORS as error:
            raise DssError(
                f"{path}: cannot be read ({_said(error)}). The file is damaged: copy it again."
            ) from None
        file.flush()
        if not file.tell():
            return None, np.empty((0, block.shape[1]), np.float32)
        return None, np.memmap(file, np.float32, "r").reshape(-1, block.shape[1])


def _read_on(sound: soundfile.SoundFile, block: np.ndarray, is_cut: bool) -> int:
    """Read the next samples of an open file into a block; returns how many these are."""
    block.fill(np.nan)
    try:
        return len(sound.read(out=block))
    except SOUND_ERRORS:
        if not is_cut:
            raise
    return int((~np.isnan(block[:, 0])).sum())  # soundfile does not say it


_UNPACK_CUT = partial(_unpack, is_cut=True)  # one, as the last file that it gave is kept


def _read_sound(path: Path, claim: claims.Claim | None, start: int, stop: int) -> np.ndarray:
    content = claims.open_patched(path, claim) if claim else nullcontext(path)
    try:
        with content as file:
            return soundfile.read(file, start=start, stop=stop, dtype="float32", always_2d=True)[0]
    except SOUND_ERRORS as error:
        raise DssError(
            f"{path}: samples {start} to {stop} cannot be read ({_said(error)}). The file is "
            "damaged: copy it again."
        ) from None


def _open_array(load: Loader, path: Path) -> Audio:
    rate, x = _load(load, path)
    return Audio(_checked_rate(rate, path), *_checked_shape(x, path), partial(_read, load, path))


def _read(load: Loader, path: Path, start: int, stop: int) -> np.ndarray:
    return as_float(np.asarray(_load(load, path)[1][start:stop]))


def _load(load: Loader, path: Path) -> tuple[Any, np.ndarray]:
    changed = path.stat()
    with _ONE_LOADS:
        return _last_loaded(load, path, changed.st_mtime_ns, changed.st_size)


_ONE_LOADS = threading.Lock()  # or threads that read blocks of one file would all load it


@lru_cache(maxsize=2)  # block after block of a recording is read
def _last_loaded(load: Loader, path: Path, *changed: int) -> tuple[Any, np.ndarray]:
    return load(path)


def _call_loader(loader: Loader, path: Path) -> tuple[float | None, np.ndarray]:
    if not callable(loader):
        raise DssError(
            f"{path}: {loader!r} cannot load it; right would be a function from the file to "
            "(sample rate, array [samples, channels])"
        )
    try:
        loaded = loader(path)
    except Exception as error:
        raise DssError(f"{path}: the loader failed: {type(error).__name__}: {error}") from error
    if not isinstance(loaded, tuple) or len(loaded) != 2:
        raise DssError(
            f"{path}: the loader gave a {type(loaded).__name__}; right would be (samplerate, "
            "array [samples, channels])"
        )
    return loaded[0], np.asanyarray(loaded[1])


def _map_npy(path: Path) -> tuple[None, np.ndarray]:
    try:
        with path.open("rb") as file:
            return None, _map_array(file, 0)
    except Exception as error:  # there is no end of what numpy raises for damaged headers
        raise DssError(f"{path}: cannot be read as npy ({_said(error)})") from None


def _read_rec(path: Path) -> tuple[float, float]:
    """The sample rate and number of channels of a cbin file of evsonganaly, from its rec file."""
    header = path.with_suffix(".rec")
    if not header.is_file():
        raise DssError(f"{path}: its sample rate and channels are in {header.name}: add this file")
    text = header.read_text("latin-1")
    number = r"(\d+(?:\.\d*)?(?:[eE]\+?\d+)?)"
    said = {k: re.search(rf"^\s*{k}\s*=\s*{number}", text, re.M | re.I) for k in CBIN_KEYS}
    values = [float(found[1]) for found in said.values() if found]
    if len(values) < len(said):
        missing = [key for key, found in said.items() if not found]
        raise DssError(f"{header}: does not say {' and '.join(missing)}, as in {missing[0]} = 1")
    n_values = path.stat().st_size // 2
    if not values[1].is_integer() or not 1 <= values[1] <= n_values:
        raise DssError(f"{header}: says {values[1]:g} channels; {path.name} has {n_values} values")
    return values[0], values[1]


def _map_cbin(rec: tuple[float, float], path: Path) -> tuple[float, np.ndarray]:
    """Audio of evsonganaly: big-endian integers of 16 bits, channel by channel of each sample."""
    rate, n_channels = rec[0], int(rec[1])
    n_frames = path.stat().st_size // 2 // n_channels
    return rate, np.memmap(path, ">i2", "r", shape=(n_frames, n_channels))


def _map_npz(path: Path) -> tuple[Any, np.ndarray]:
    """The audio of an npz file as a memory map: of a temporary file if it is compressed."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = {Path(info.filename).stem: info for info in archive.infolist()}
            data, rate = (_first(members, names) for names in (DATA_NAMES, RATE_NAMES))
            if data is None:
                raise DssError(_lacks(path, DATA_NAMES, members))
            value = rate and _one_number(archive, members[rate], path)
            info = members[data]
            if info.compress_type != zipfile.ZIP_STORED:
                with tempfile.TemporaryFile() as file, archive.open(info) as member:
                    _check_space(info.file_size, path)
                    shutil.copyfileobj(member, file, 2**20)
                    return value, _map_array(file, 0)
        with path.open("rb") as file:
            file.seek(info.header_offset + 26)
            lengths = np.frombuffer(file.read(4), "<u2")  # of the name and what follows it
            return value, _map_array(file, info.header_offset + 30 + int(lengths.sum()))
    except DssError:
        raise
    except Exception as error:  # of zip, of what compresses, of numpy
        raise DssError(f"{path}: cannot be read as npz ({_said(error)})") from None


def _one_number(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> Any:
    """The sample rate in a member of an npz file."""
    if info.file_size > MOST_BYTES_OF_A_NUMBER:
        raise DssError(
            f"{path}: {info.filename} has {info.file_size:,} bytes; right would be a number of Hz"
        )
    content = io.BytesIO(archive.read(info))
    shape, _, _ = _read_header(content)
    if math.prod(shape) != 1:
        raise DssError(f"{path}: {info.filename} has the shape {shape}; right would be a number")
    content.seek(0)
    return np.load(content, allow_pickle=False)


def _check_space(n_bytes: int, path: Path) -> None:
    """Raise a DssError if there is no room to unpack so much."""
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if n_bytes > FULLEST * free:
        raise DssError(
            f"{path}: unpacks to {n_bytes / 1e9:.1f} GB, but {tempfile.gettempdir()} has "
            f"{free / 1e9:.1f} GB left. Save it without compression (numpy.savez)."
        )


def _map_array(file, offset: int) -> np.ndarray:
    """The array in npy format that starts there in an open file, as a memory map."""
    file.seek(offset)
    shape, is_fortran, dtype = _read_header(file)
    if dtype.hasobject or 0 in shape:  # there is nothing to map; it is refused later
        return np.empty(shape if 0 in shape else 0, dtype)
    order: Literal["F", "C"] = "F" if is_fortran else "C"
    return np.memmap(file, dtype, "r", file.tell(), shape, order)


def _read_header(file) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether columns come first, and dtype of what comes next in npy format."""
    is_first = np.lib.format.read_magic(file) == (1, 0)
    read = np.lib.format.read_array_header_1_0 if is_first else np.lib.format.read_array_header_2_0
    return read(file)


def _said(error: Exception) -> str:
    """What an error says; libsndfile without the file, which is named anyway."""
    return getattr(error, "error_string", "") or str(error) or type(error).__name__


def _open_h5(path: Path) -> Audio:
    import h5py

    with hdf5.reading(path, with_texts=False) as file:
        name = _first(file, DATA_NAMES)
        if name is None or not isinstance(file[name], h5py.Dataset):
            raise DssError(_lacks(path, DATA_NAMES, file))
        places = (file, file.attrs, file[name].attrs)
        found = ((place, n) for place in places if (n := _first(place, RATE_NAMES)))
        place, rate_name = next(found, (None, ""))
        rate = None if place is None else _rate_in(place, rate_name)
        shape = _checked_shape(file[name], path)
    if rate is None:
        raise DssError(_lacks(path, RATE_NAMES, [name]))
    return Audio(_checked_rate(rate, path), *shape, partial(_read_h5, path, name))


def _rate_in(place: Any, name: str) -> Any:
    """A number in an attribute, or in an array with one value; else what says why it is none."""
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


def _first(names, wanted: tuple[str, ...]) -> str | None:
    return next((name for name in wanted if name in names), None)


def _lacks(path: Path, wanted: tuple[str, ...], names) -> str:
    return (
        f"{path}: holds no {wanted[0]!r}, only {', '.join(map(repr, names)) or 'nothing'}. Right "
        f"would be {DATA_NAMES[0]!r} [samples, channels] and {RATE_NAMES[0]!r}."
    )


def _checked_rate(rate: Any, path: Path) -> float | None:
    if rate is None:
        return None
    value = np.asarray(rate)
    if value.size != 1 or value.dtype.kind not in "iuf" or not np.isfinite(value) or value <= 0:
        raise DssError(f"{path}: the sample rate is {rate!r}; right would be a number of Hz")
    rate = float(value.item())
    return int(rate) if rate.is_integer() else rate


def _checked_shape(x: Any, path: Path) -> tuple[int, int]:
    """The number of samples and channels of an array [samples] or [samples, channels]."""
    if x.dtype.kind not in "iuf":
        raise DssError(f"{path}: holds values of type {x.dtype}; right would be numbers")
    if x.dtype.kind in "iu" and x.dtype.itemsize == 8:
        raise DssError(
            f"{path}: holds integers of 64 bits, whose loudest value nobody knows. Right would be "
            "the integers of the recorder, such as int16, or floats from -1 to 1."
        )
    if x.ndim not in (1, 2) or (x.ndim == 2 and x.shape[1] > max(x.shape[0], 1)):
        raise DssError(f"{path}: the shape is {x.shape}; right would be (samples, channels)")
    return x.shape[0], x.shape[1] if x.ndim == 2 else 1
