"""Datasets: recordings with annotations assembled into arrays for training, and opened lazily.

A dataset is a folder `NAME.npy` with `attrs.yaml` and, for each of the splits train, val and test,
`x.npy` [samples, channels] float32 and `y.npy` [samples, classes].
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
import yaml

import dss
from dss.data import targets
from dss.data.annotations import (
    EVENT,
    annotation_problems,
    annotations_path,
    definitions_path,
    found,
    read_annotations,
    song_types,
)
from dss.data.recordings import Recording, find_recordings, open_recording
from dss.data.splits import SPLITS, Stretch, split_recordings
from dss.errors import DssError, raise_problems
from dss.files import replacing
from dss.options import DatasetOptions, takes_options
from dss.progress import bar

BLOCK_SAMPLES = 2**20  # what is held in memory at a time while a recording is copied


@takes_options
def make_dataset(folder: str | Path, *, options: DatasetOptions) -> Path:
    """Assemble the recordings of a folder and their annotations into a dataset.

    Everything is checked before anything is written. The recordings are read block by block, so
    memory does not grow with their length.

    Arguments:
        folder: recordings (wav, flac, ogg), each with `STEM_annotations.csv` beside it; subfolders
            count.

    Returns: the folder of the dataset, which `open_dataset` opens.
    Raises: DssError that names file and row: no recordings, no annotations, an unreadable file,
        recordings of different sample rates or channel counts, impossible annotations, a split
        that would be empty, a dataset that is there already.
    """
    folder = Path(folder)
    store = options.store_dir or folder.with_name(folder.resolve().name + ".npy")
    if store.suffix != ".npy":
        raise DssError(
            f"{store}: the name of a dataset must end in .npy, which is how it is recognised"
        )
    if store.exists() and not options.overwrite:
        raise DssError(
            f"{store}: is there already. Give another store_dir, or overwrite it (--overwrite)."
        )
    recordings, annotations, types = _read_folder(folder)
    samplerate = recordings[0].samplerate_hz
    reach = targets.GAUSSIAN_REACH * options.event_std_seconds
    song = [_extent_samples(table, types, samplerate, reach) for table in annotations]
    plan = split_recordings([r.n_samples for r in recordings], song, options)
    for split in ("train", "val"):
        if not plan[split]:
            raise DssError(
                f"The {split} split would be empty: add recordings, or change its fraction"
            )
    annotations = [targets.add_gaps(table, types, options.gap_seconds) for table in annotations]
    dtype = targets.targets_dtype(
        types, options.event_std_seconds, targets.overlapping(annotations)
    )
    with replacing(store) as part:
        for split in SPLITS:
            _write_split(part / split, plan[split], recordings, annotations, types, dtype, options)
        attributes = _attributes(folder, plan, recordings, annotations, types, options)
        (part / "attrs.yaml").write_text(yaml.safe_dump(attributes, sort_keys=False))
    return store


def open_dataset(path: str | Path) -> xr.DataTree:
    """Open a dataset without reading it: slices are read from disk when they are used.

    Returns: a tree with the nodes train, val and test (empty ones included), each with
        x (time, channel) float32 and y (time, song_type), time in seconds from the start of the
        split. The attributes of the tree are those of the dataset.
    Raises: DssError if there is no dataset, or it lacks a part.
    """
    path = Path(path)
    if not path.is_dir():
        raise DssError(f"{path}: there is no such dataset")
    if not (path / "attrs.yaml").is_file():
        raise DssError(
            f"{path}: is not a dataset (it lacks attrs.yaml); `dss make-dataset` makes one"
        )
    attributes = yaml.safe_load((path / "attrs.yaml").read_text())
    nodes = {split: _open_split(path / split, attributes) for split in SPLITS}
    tree = xr.DataTree.from_dict({"/": xr.Dataset(attrs=attributes), **nodes}, name=path.name)
    return tree


def describe(tree: xr.DataTree) -> pd.DataFrame:
    """Seconds and annotations by song type of each split, and of the whole, as a table."""
    rows = {split: tree.attrs["report"][split] for split in SPLITS}
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.loc["all"] = table.sum()
    return table.astype(dict.fromkeys(tree.attrs["class_names"][1:], int))


def _read_folder(folder: Path) -> tuple[list[Recording], list[pd.DataFrame], dict[str, str]]:
    """The recordings and annotations of a folder and their song types, all checked."""
    paths = find_recordings(folder)
    missing = [path for path in paths if not annotations_path(path).is_file()]
    problems = [f"{path}: there is no {annotations_path(path).name} beside it" for path in missing]
    raise_problems(problems, "Every recording needs annotations:")
    recordings = [open_recording(path) for path in paths]
    for what, name in (("samplerate_hz", "sample rate"), ("n_channels", "number of channels")):
        values = pd.Series([getattr(r, what) for r in recordings])
        usual = values.mode()[0]
        problems = [
            f"{recordings[i].path}: {name} {values[i]:g}, not {usual:g} as most of the others"
            for i in values.index[values != usual]
        ]
        raise_problems(problems, f"All recordings of a dataset need the same {name}:")
    tables = {annotations_path(path): read_annotations(annotations_path(path)) for path in paths}
    problems = [
        problem
        for recording, (source, table) in zip(recordings, tables.items(), strict=True)
        # Times are rounded when they are written: one sample beyond the end is no error.
        for problem in annotation_problems(
            table, source, recording.duration_seconds + 1 / recording.samplerate_hz
        )
    ]
    raise_problems(problems, "These annotations cannot be right:")
    types = song_types(tables, [p for p in map(definitions_path, paths) if p.is_file()])
    if not types:
        raise DssError(f"{folder}: the annotations name no song type")
    return recordings, list(tables.values()), types


def _extent_samples(annotations, types, samplerate_hz, reach_seconds) -> np.ndarray:
    """First and last sample of each annotation, Gaussians included: [annotations, 2] int."""
    table = found(annotations)
    times = table[["start_seconds", "stop_seconds"]].to_numpy()
    reach = np.where(table["name"].map(types) == EVENT, reach_seconds, 0)[:, None] * [-1, 1]
    return np.round((times + reach) * samplerate_hz).astype(int)


def _write_split(
    folder: Path,
    stretches: list[Stretch],
    recordings: list[Recording],
    annotations: list[pd.DataFrame],
    types: dict[str, str],
    dtype: type,
    options: DatasetOptions,
) -> None:
    """Write x.npy and y.npy of one split, block by block."""
    folder.mkdir(parents=True)
    total = sum(stretch.n_samples for stretch in stretches)
    x = _new_array(folder / "x.npy", (total, recordings[0].n_channels), np.float32)
    y = _new_array(folder / "y.npy", (total, 1 + len(types)), dtype)
    done = 0
    for stretch in bar(stretches, desc=folder.name, unit="stretch"):
        recording = recordings[stretch.recording]
        for start, stop in _blocks(stretch):
            here = slice(done, done + stop - start)
            x[here] = recording.read(start, stop)
            y[here] = targets.make_targets(
                annotations[stretch.recording],
                types,
                recording.samplerate_hz,
                start,
                stop,
                options.event_std_seconds,
            )
            done = here.stop


def _new_array(path: Path, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """A new array on disk to write to; one without samples cannot be a memory map."""
    if shape[0]:
        return np.lib.format.open_memmap(path, "w+", dtype, shape)
    np.save(path, np.empty(shape, dtype))
    return np.empty(shape, dtype)


def _blocks(stretch: Stretch) -> Iterator[tuple[int, int]]:
    edges = [*range(stretch.start_sample, stretch.stop_sample, BLOCK_SAMPLES), stretch.stop_sample]
    return itertools.pairwise(edges)


def _attributes(folder, plan, recordings, annotations, types, options) -> dict[str, Any]:
    """What `attrs.yaml` says: plain types only."""
    samplerate = float(recordings[0].samplerate_hz)
    attributes = {
        "samplerate_x_Hz": samplerate,
        "samplerate_y_Hz": samplerate,
        "class_names": targets.class_names(types),
        "class_types": targets.class_types(types),
    }
    for split, stretches in plan.items():
        attributes[f"filename_{split}"] = [
            recordings[s.recording].path.relative_to(folder).as_posix() for s in stretches
        ]
        attributes[f"filename_startsample_{split}"] = [s.start_sample for s in stretches]
        attributes[f"filename_endsample_{split}"] = [s.stop_sample for s in stretches]
    attributes["report"] = {
        split: _count(stretches, annotations, types, samplerate)
        for split, stretches in plan.items()
    }
    attributes["made_from"] = str(folder.resolve())
    attributes["made_with"] = {"dss": dss.__version__, **options.to_yaml_types()}
    return attributes


def _count(stretches, annotations, types, samplerate_hz) -> dict[str, float]:
    """Seconds, and annotations by song type that begin in these stretches."""
    counts = dict.fromkeys(types, 0)
    for stretch in stretches:
        table = found(annotations[stretch.recording])
        onset = table["start_seconds"] * samplerate_hz
        inside = table[(onset >= stretch.start_sample) & (onset < stretch.stop_sample)]
        for name, count in inside["name"].value_counts().items():
            if name in counts:
                counts[name] += int(count)
    return {"seconds": sum(s.n_samples for s in stretches) / samplerate_hz, **counts}


def _open_split(folder: Path, attributes: dict[str, Any]) -> xr.Dataset:
    names = attributes["class_names"]
    x, y = (_open_array(folder / f"{name}.npy") for name in "xy")
    if len(x) != len(y) or y.shape[1] != len(names):
        raise DssError(
            f"{folder}: x {x.shape} and y {y.shape} do not fit each other and the {len(names)} "
            "classes. The dataset is damaged: make it again."
        )
    step = 1 / attributes["samplerate_x_Hz"]
    # Half a step less than the length: no rounding can add or lose a sample.
    index = xr.indexes.RangeIndex.arange(0, (len(x) - 0.5) * step, step, dim="time")
    dataset = xr.Dataset(
        {
            "x": (("time", "channel"), x, {"long_name": "audio"}),
            "y": (("time", "song_type"), y, {"long_name": "probability"}),
        },
        coords=xr.Coordinates.from_xindex(index),
    )
    dataset["time"].attrs["units"] = "s"
    return dataset.assign_coords(song_type=names)


def _open_array(path: Path) -> np.ndarray:
    try:
        x = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DssError(f"{path}: cannot be opened ({error})") from None
    return x if len(x) else np.empty(x.shape, x.dtype)
