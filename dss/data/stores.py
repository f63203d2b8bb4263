"""Dataset files: NAME.npy (memory maps), NAME.zarr (compressed), NAME.h5 (read only).

Each contains the arrays of the splits as `train/x`, `train/y`, ..., and the attributes. Datasets by
DeepSS or DAS store their attributes in a pickle, of which only plain data is read
(`dss.data.plain_pickle`).
"""

import itertools
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tokenize import TokenError
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from dss.data.annotations import EVENT, SEGMENT
from dss.data.audio import HIGHEST_RATE_HZ
from dss.data.plain_pickle import MOST_BYTES, read_plain_pickle
from dss.errors import DssError, reason, shown
from dss.support import hdf5, yaml_files
from dss.support.files import check_inside

if TYPE_CHECKING:
    import xarray as xr

ENDINGS = (".npy", ".zarr")
ATTRIBUTES = ("zarr.json", "attrs.yaml", "attrs.npy")  # files; the last by DeepSS and DAS
CHUNK_SAMPLES = 2**18  # of a zarr array: compressed and read together
# Marks zarr arrays that have a file for every chunk. Others leave out chunks of zeros.
ALL_CHUNKS = "all_chunks"
DAMAGED = "The dataset is damaged: make it again."


def check_ending(path: Path) -> None:
    """Raise a DssError if a dataset cannot be written under this name."""
    if path.suffix not in ENDINGS:
        raise DssError(
            f"{path}: the name of a dataset must end in .npy or .zarr, which is how it is "
            "recognized" + (" (.h5 is read, not written)" if path.suffix == ".h5" else "")
        )


def class_problems(values: Mapping[str, Any]) -> list[str]:
    """What is wrong in the samplerate_x_Hz, class_names and class_types of a dataset or a run."""
    rate, names, types = (values[n] for n in ("samplerate_x_Hz", "class_names", "class_types"))
    right = {
        "samplerate_x_Hz": type(rate) in (int, float) and 0 < rate <= HIGHEST_RATE_HZ,
        "class_names": isinstance(names, list) and names and all(isinstance(n, str) for n in names),
        "class_types": isinstance(types, list) and {*map(str, types)} <= {EVENT, SEGMENT},
    }
    problems = [
        f"{name}: {shown(values[name])}" for name, is_right in right.items() if not is_right
    ]
    if problems:
        return problems
    if len(names) != len(types):
        return [f"class_types: {len(types)} of them, but {len(names)} class_names"]
    twice = [name for name, n in Counter(names).items() if n > 1]
    return [f"class_names: {shown(name)[1:-1]} occurs more than once" for name in twice]


class NpyWriter:
    """Writes a dataset as a folder of .npy files, array by array, each block after block."""

    def __init__(self, folder: Path):
        self.folder = folder

    def new_array(self, name: str, shape: tuple[int, ...], dtype: type, dims: tuple[str, ...]):
        """Create an array: `append` blocks until its shape is filled, then `close` it."""
        return _NpyArray(self.folder / f"{name}.npy", shape, dtype)

    def write_attributes(self, attributes: dict[str, Any]) -> None:
        """Write the attributes as plain YAML."""
        (self.folder / "attrs.yaml").write_text(
            yaml.safe_dump(attributes, sort_keys=False), encoding="utf-8"
        )


class _NpyArray:
    # Written as a file, not as a memory map, whose pages stay in memory until the system needs it
    # for something else, and count as memory of this process.
    def __init__(self, path: Path, shape, dtype):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.dtype = np.dtype(dtype)
        self.file = path.open("wb")
        descr = np.lib.format.dtype_to_descr(self.dtype)
        header = {"descr": descr, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self.file, header)

    def append(self, block: np.ndarray) -> None:
        self.file.write(np.ascontiguousarray(block, self.dtype).data)  # tofile hides why it fails

    def close(self) -> None:
        self.file.close()


class ZarrWriter:
    """Writes a dataset as a zarr store (format 3), in the same way."""

    def __init__(self, folder: Path):
        import zarr

        self.root = zarr.open_group(folder, mode="w", zarr_format=3)

    def new_array(self, name: str, shape: tuple[int, ...], dtype: type, dims: tuple[str, ...]):
        """Create an array: `append` blocks until its shape is filled, then `close` it."""
        array = self.root.create_array(
            name,
            shape=shape,
            dtype=np.dtype(dtype),
            chunks=(max(1, min(CHUNK_SAMPLES, shape[0])), *shape[1:]),
            dimension_names=dims,
            attributes={ALL_CHUNKS: True},
            config={"write_empty_chunks": True},
        )
        return _ZarrArray(array)

    def write_attributes(self, attributes: dict[str, Any]) -> None:
        """Write the attributes as JSON."""
        self.root.attrs.update(attributes)


Writer = NpyWriter | ZarrWriter


class _ZarrArray:
    """Collects blocks until a chunk is full, so that each chunk is compressed once."""

    def __init__(self, array):
        self.array, self.done, self.waiting = array, 0, []

    def append(self, block: np.ndarray) -> None:
        self.waiting.append(block)
        if sum(map(len, self.waiting)) >= self.array.chunks[0]:
            self._write(keep=sum(map(len, self.waiting)) % self.array.chunks[0])

    def _write(self, keep: int) -> None:
        values = np.concatenate(self.waiting)
        stop = len(values) - keep
        self.array[self.done : self.done + stop] = values[:stop]
        self.done += stop
        self.waiting = [values[stop:]]

    def close(self) -> None:
        if self.waiting:
            self._write(keep=0)


def is_dataset(path: Path) -> bool:
    """Whether a folder is a dataset, damaged or not, judging by its file names."""
    return any((path / name).is_file() for name in ATTRIBUTES)


def read_attributes(path: Path) -> dict[str, Any]:
    """The attributes of a dataset, as plain types.

    Raises: DssError if there is no dataset of a known format.
    """
    if path.suffix == ".h5" and path.is_file():
        with hdf5.reading(path) as file:
            return {name: _plain_h5(value) for name, value in file.attrs.items()}
    if not path.is_dir():
        what = "is not a dataset" if path.exists() else "there is no such dataset"
        raise DssError(f"{path}: {what}")
    check_inside(path)
    for file in (path / name for name in ATTRIBUTES):
        if file.is_file():
            return _read_pickled(file) if file.suffix == ".npy" else _read_attributes(file)
    raise DssError(
        f"{path}: is not a dataset: it has no attrs.yaml, zarr.json or attrs.npy. "
        "Make one with `dss make-dataset`."
    )


def read_arrays(path: Path, split: str) -> "dict[str, xr.Variable]":
    """The arrays of a split by name, without reading them: memory maps, or lazy.

    Their dimensions are not named yet, except for zarr. Raises DssError for a damaged array. As in
    `read_attributes`, the content determines the format: a dataset may have been renamed.
    """
    import xarray as xr

    if path.is_dir() and not (path / "zarr.json").is_file():
        arrays = {file.stem: _open_npy(file) for file in sorted((path / split).glob("*.npy"))}
        return {n: xr.Variable([f"dim_{i}" for i in range(x.ndim)], x) for n, x in arrays.items()}
    if path.is_file():
        with hdf5.reading(path) as file:
            if split not in file:
                return {}
        kind: dict[str, Any] = {"engine": "h5netcdf", "phony_dims": "sort"}
    elif (path / split).is_dir():
        kind = {"engine": "zarr", "consolidated": False, "chunks": None}
    else:
        return {}
    try:
        opened = xr.open_dataset(path, group=split, **kind)
    except Exception as error:  # these raise all kinds of errors for damaged files
        raise DssError(
            f"{path}: {split} cannot be opened ({type(error).__name__}: {error}). {DAMAGED}"
        ) from error
    for name, variable in opened.variables.items():
        _check_chunks(path / split / str(name), variable)
    return {str(name): opened[name].variable for name in opened.variables}


def _read_attributes(file: Path) -> dict[str, Any]:
    """Read the attributes in zarr.json or attrs.yaml."""
    try:
        if file.suffix != ".json":
            attributes = yaml_files.read(file)
        elif file.stat().st_size > yaml_files.MOST_BYTES:
            raise ValueError(f"it has more than {yaml_files.MOST_BYTES:,} bytes")
        else:
            attributes = json.loads(file.read_text("utf-8"))["attributes"]
    except DssError as error:
        raise DssError(f"{error}. {DAMAGED}") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DssError(f"{file}: cannot be read ({error}). {DAMAGED}") from None
    if not isinstance(attributes, dict):
        raise DssError(f"{file}: contains no attributes. {DAMAGED}")
    return attributes


def _check_chunks(folder: Path, variable: "xr.Variable") -> None:
    """Raise a DssError if chunks of a zarr array are missing: they would be read as zeros."""
    if not variable.attrs.get(ALL_CHUNKS):
        return
    chunks = variable.encoding["chunks"]
    if 0 in chunks:
        raise DssError(f"{folder}: its chunks are empty. {DAMAGED}")
    counts = [-(-n // chunk) for n, chunk in zip(variable.shape, chunks, strict=True)]
    if n_missing := missing_chunks(folder, counts):
        n = math.prod(counts)
        raise DssError(f"{folder}: {n_missing} of its {n} chunks are missing or empty. {DAMAGED}")


def missing_chunks(folder: Path, counts: Sequence[int]) -> int:
    """Count the chunks of a zarr array that are missing or empty, and would be read as zeros.

    Arguments:
        folder: the folder of the array.
        counts: the number of chunks it claims along each dimension, possibly more than fit in
            memory.
    """
    top = folder / "c"
    files = top.rglob("*") if top.is_dir() else ()
    there = {
        file.relative_to(top).parts for file in files if file.is_file() and file.stat().st_size
    }
    if (n_missing := math.prod(counts) - len(there)) > 0:
        return n_missing
    return len({*itertools.product(*(map(str, range(n)) for n in counts))} - there)


def _open_npy(path: Path) -> np.ndarray:
    """A memory map; for an array without samples, which cannot be mapped, the array."""
    try:
        x = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # numpy raises all kinds of errors for damaged headers
        is_cut = "mmap length" in str(error)
        why = "it is shorter than its header says" if is_cut else reason(error)
        raise DssError(f"{path}: cannot be opened ({why}). {DAMAGED}") from None
    return x if math.prod(x.shape) else np.empty(x.shape, x.dtype)


def _plain_h5(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [_plain_h5(item) for item in value]
    if isinstance(value, bytes):
        return value.decode()
    return value.item() if isinstance(value, np.generic) else value


def _read_pickled(path: Path) -> dict[str, Any]:
    """Read the dictionary that `np.save` pickled."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
        with path.open("rb") as file:
            np.lib.format.read_magic(file)
            np.lib.format.read_array_header_1_0(file)
            attributes = read_plain_pickle(file.read())
    except (ValueError, EOFError, OSError, SyntaxError, TokenError) as error:
        raise DssError(f"{path}: cannot be read as the attributes of a dataset ({error})") from None
    if not isinstance(attributes, dict):
        raise DssError(f"{path}: contains no attributes of a dataset")
    return attributes
