"""Datasets: recordings with annotations assembled into arrays for training, and opened lazily.

A dataset holds, for each of the splits train, val and test, `x` [samples, channels] float32, `y`
[samples, classes], with individual targets also `y_<song type>` [samples, 2], and `annotated`
[samples] if something in it is unknown; and its attributes. `dss.data.stores` says where.
"""

import itertools
import os
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import dss
from dss.data import report, stores, targets
from dss.data.sources import Assembled, Source, read_sources
from dss.data.splits import SPLITS, Stretch, recording_groups, split_recordings
from dss.errors import DssError, DssWarning, raise_problems
from dss.options import DatasetOptions, takes_options
from dss.support.files import replacing
from dss.support.progress import bar

if TYPE_CHECKING:
    import xarray as xr

BLOCK_SAMPLES = 2**18  # what a worker holds in memory at a time


@takes_options
def make_dataset(
    folder: str | Path,
    loader: Callable | None = None,
    annotation_loader: Callable | None = None,
    *,
    options: DatasetOptions,
) -> Path:
    """Assemble the recordings of a folder and their annotations into a dataset.

    Everything is checked before anything is written. The recordings are read block by block, by
    all cores, so memory does not grow with their length.

    Arguments:
        folder: recordings, each with its annotations beside it; subfolders count.
        loader: reads a recording of a format of your own: loader(path) -> (sample rate in Hz,
            array [samples, channels]); `endings` says which files are recordings then.
        annotation_loader: reads annotations of a format of your own: annotation_loader(path of
            the recording) -> table with name, start_seconds, stop_seconds.

    Returns: the dataset, which `open_dataset` opens.
    Raises: DssError that names file and row: no recordings, no annotations, an unreadable file,
        recordings of different sample rates or channel counts, impossible annotations, a split
        that would be empty, a dataset that is there already.
    Warns: DssWarning for a song type that is missing from a split.

    Example:
        >>> from dss.data import make_dataset
        >>> print(make_dataset("finch", store_dir="song.npy", test_fraction=0.2, seed=1))
        song.npy
    """
    folder = Path(folder)
    store = options.store_dir or default_store(folder)
    stores.check_ending(store)
    _check_store(store, folder, options.overwrite)
    made_of = read_sources(folder, options, loader, annotation_loader)
    plan, tables = plan_splits(made_of), made_of.tables()
    attributes = dataset_attributes(folder, plan, made_of, tables, options)
    sources, types = made_of.sources, made_of.types
    for sentence in report.missing(attributes):
        warnings.warn(sentence, DssWarning, stacklevel=3)
    with replacing(store.resolve()) as part:  # it may be a link to another disk
        writer = stores.ZarrWriter(part) if store.suffix == ".zarr" else stores.NpyWriter(part)
        for split in SPLITS:
            _write_split(writer, split, plan[split], sources, types, tables, made_of.options)
            if options.split_csv:
                table = _split_annotations(plan[split], sources, types)
                table.to_csv(part / f"{split}_annotations.csv", index=False, float_format="%.6f")
        writer.write_attributes(attributes)
    return store


def _check_store(store: Path, folder: Path, overwrite: bool) -> None:
    """Raise a DssError if a dataset cannot go there without that something else is lost."""
    if folder.resolve().is_relative_to(store.resolve()):
        raise DssError(f"{store}: the recordings are in there. Give another store_dir.")
    if not store.exists():
        return
    if not overwrite:
        raise DssError(
            f"{store}: is there already. Give another store_dir, or overwrite it (--overwrite)."
        )
    if not stores.is_dataset(store):
        raise DssError(
            f"{store}: is not a dataset, and is not overwritten. Give another store_dir."
        )


def made_otherwise(store: str | Path, folder: str | Path, options: DatasetOptions) -> list[str]:
    """What differs between how a dataset was made and how it would be made of a folder now.

    Returns: names of options; `folder` if it was made of another one, or nothing says how.
    """
    attributes = stores.read_attributes(Path(store))
    made, now = attributes.get("made_with", {}), options.to_yaml_types()
    is_of_another = attributes.get("made_from") != str(Path(folder).resolve())
    compared = now.keys() - {"store_dir", "overwrite"}
    defaults = DatasetOptions().to_yaml_types()  # of options that are younger than the dataset
    return ["folder"] * is_of_another + [
        name for name in now if name in compared and made.get(name, defaults[name]) != now[name]
    ]


def default_store(folder: str | Path) -> Path:
    """Where the dataset of a folder goes if nobody says otherwise: beside it."""
    folder = Path(folder)
    if folder.name in ("", ".."):  # such as ".": its name is not in it
        folder = folder.resolve()
    if not folder.name:
        raise DssError(f"{folder}: nothing lies beside it; say where the dataset goes (store_dir)")
    return folder.with_name(folder.name + ".npy")


def plan_splits(made_of: Assembled) -> dict[str, list[Stretch]]:
    """Which stretches of the sources each split would get, without writing anything.

    Raises: DssError if a split cannot be had, or training or validation would be empty.
    """
    sources, types, options = made_of.sources, made_of.types, made_of.options
    groups = recording_groups([source.name for source in sources], options.groups)
    reach = targets.GAUSSIAN_REACH * (options.event_std_seconds or 0)
    songs = [s.song(types, reach, group) for s, group in zip(sources, groups, strict=True)]
    rate = sources[0].recording.samplerate_hz
    plan = split_recordings(songs, rate, options)
    for split in ("train", "val"):
        if not plan[split]:
            raise DssError(
                f"The {split} split would be empty: add recordings, or change its fraction"
            )
        unknown = sum(
            sources[s.recording].unknown_seconds(s.start_sample, s.stop_sample) for s in plan[split]
        )
        if sum(s.n_samples for s in plan[split]) / rate - unknown < 1 / rate:
            raise DssError(
                f"The {split} split would hold nothing that somebody looked at: split by samples "
                "in blocks (block_seconds), or try another seed"
            )
    return plan


def open_dataset(path: str | Path) -> "xr.DataTree":
    """Open a dataset without reading it: slices are read from disk when they are used.

    Datasets made by DeepSS or DAS open, too.

    Arguments:
        path: NAME.npy, NAME.zarr or NAME.h5.

    Returns: a tree with the nodes train, val and test (empty ones included), each with x (time,
        channel), y (time, song_type) and what else the dataset holds; time in seconds from the
        start of the split. The attributes of the tree are those of the dataset.
    Raises: DssError if there is no dataset, or it lacks a part or is damaged.

    Example:
        >>> from dss.data import open_dataset
        >>> tree = open_dataset("finch.npy")
        >>> tree.attrs["class_names"]
        ['noise', 'a', 'b', 'c', 'd', 'e', 'f']
        >>> tree["test"]["x"].dims
        ('time', 'channel')
    """
    import xarray as xr

    path = Path(path)
    attributes = stores.read_attributes(path)
    needed = ("samplerate_x_Hz", "class_names", "class_types")
    missing = [name for name in needed if name not in attributes]
    if missing:
        raise DssError(f"{path}: its attributes lack {', '.join(missing)}")
    problems = stores.class_problems(attributes)
    raise_problems(problems, f"{path}: these attributes cannot be right; make it again:")
    # y has a row for each sample of x, so that both have one rate if the dataset does not say it.
    attributes.setdefault("samplerate_y_Hz", attributes["samplerate_x_Hz"])
    nodes = {split: _open_split(path, split, attributes) for split in SPLITS}
    channels = {split: x.sizes["channel"] for split, x in nodes.items() if x.sizes["time"]}
    if len({*channels.values()}) > 1:
        raise DssError(f"{path}: the splits differ in channels, {channels}. {stores.DAMAGED}")
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=attributes), **nodes}, name=path.name)


def _write_split(
    writer,
    split: str,
    stretches: list[Stretch],
    sources: list[Source],
    types: dict[str, str],
    tables: list[pd.DataFrame],
    options: DatasetOptions,
) -> None:
    """Write the arrays of one split, block by block in order, made by all cores."""
    total = sum(stretch.n_samples for stretch in stretches)
    n_channels = sources[0].recording.n_channels
    rate = sources[0].recording.samplerate_hz
    overlap = targets.overlapping(tables, types, rate)
    dtype = targets.targets_dtype(types, options.event_std_seconds or 0, overlap)
    kinds: dict[str, tuple[type, int | None]] = {
        "x": (np.float32, n_channels),
        "y": (dtype, 1 + len(types)),
    }
    if options.individual_targets:
        kinds |= {f"y_{name}": (dtype, 2) for name in types}
    if any(source.known is not None for source in sources):
        kinds["annotated"] = (np.uint8, None)
    arrays = {}
    for name, (kind, columns) in kinds.items():
        shape = (total,) if columns is None else (total, columns)
        dims = ("time", dimension(name))[: len(shape)]
        arrays[name] = writer.new_array(f"{split}/{name}", shape, kind, dims)

    def make(block: Stretch) -> dict[str, np.ndarray]:
        source, table = sources[block.recording], tables[block.recording]
        values = _targets(table, types, source, block, options.event_std_seconds, kinds)
        return {"x": source.recording.read(block.start_sample, block.stop_sample), **values}

    with bar(total=total, desc=f"writing {split}", unit="sample", unit_scale=True) as progress:
        for values in _in_order(make, _blocks(stretches)):
            for name, array in arrays.items():
                array.append(values[name])
            progress.update(len(values["x"]))
    for array in arrays.values():
        array.close()


def _targets(table, types, source, block, event_std_seconds, kinds) -> dict[str, np.ndarray]:
    """The arrays of a block but x, by name."""
    rate, start, stop = source.recording.samplerate_hz, block.start_sample, block.stop_sample
    wanted = {"y": types} | {f"y_{name}": {name: kind} for name, kind in types.items()}
    values = {
        name: targets.make_targets(
            table, wanted[name], rate, start, stop, event_std_seconds, kinds[name][0]
        )
        for name in wanted.keys() & kinds.keys()
    }
    if "annotated" in kinds:
        values["annotated"] = source.known_samples(start, stop).astype(np.uint8)
    return values


def _blocks(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    for stretch in stretches:
        edges = range(stretch.start_sample, stretch.stop_sample, BLOCK_SAMPLES)
        for start, stop in itertools.pairwise([*edges, stretch.stop_sample]):
            yield Stretch(stretch.recording, start, stop)


def _in_order(function: Callable, tasks: Iterable) -> Iterator:
    """The results of the tasks in their order; as many as there are cores are worked on."""
    n_workers = os.cpu_count() or 1
    with ThreadPoolExecutor(n_workers) as pool:
        waiting: deque[Future] = deque()
        for task in tasks:
            waiting.append(pool.submit(function, task))
            if len(waiting) > n_workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def dataset_attributes(
    folder: Path,
    plan: Mapping[str, list[Stretch]],
    made_of: Assembled,
    tables: list[pd.DataFrame],
    options: DatasetOptions,
) -> dict[str, Any]:
    """The attributes of a dataset: plain types only.

    Arguments:
        folder: of the recordings.
        plan: the stretches of each split.
        made_of: recordings and song types.
        tables: the annotations as the targets show them.
        options: as they were given, which `made_otherwise` compares.
    """
    sources, types = made_of.sources, made_of.types
    samplerate = float(sources[0].recording.samplerate_hz)
    attributes = {
        "samplerate_x_Hz": samplerate,
        "samplerate_y_Hz": samplerate,
        "class_names": targets.class_names(types),
        "class_types": targets.class_types(types),
    }
    if options.individual_targets:
        for name, kind in types.items():
            attributes[f"class_names_{name}"] = targets.class_names({name: kind})
            attributes[f"class_types_{name}"] = targets.class_types({name: kind})
    for split, stretches in plan.items():
        attributes[f"filename_{split}"] = [sources[s.recording].name for s in stretches]
        attributes[f"filename_startsample_{split}"] = [s.start_sample for s in stretches]
        attributes[f"filename_endsample_{split}"] = [s.stop_sample for s in stretches]
    attributes["report"] = report.count(plan, sources, types, tables)
    attributes["made_from"] = str(folder.resolve())
    attributes["made_with"] = {"dss": dss.__version__, **options.to_yaml_types()}
    attributes["chosen"] = made_of.chosen
    attributes["mended"] = made_of.mended
    return attributes


def _split_annotations(stretches, sources, types) -> pd.DataFrame:
    """The annotations of a split in seconds of the split, cut where the split is."""
    parts, first = [], 0.0
    columns = ["start_seconds", "stop_seconds"]
    for stretch in stretches:
        source = sources[stretch.recording]
        rate = source.recording.samplerate_hz
        start, stop = stretch.start_sample / rate, stretch.stop_sample / rate
        table = source.annotations
        inside = (table["start_seconds"] < stop) & (table["stop_seconds"] >= start)
        table = table[inside & table["name"].isin(types)].assign(filename=source.name)
        table[columns] = table[columns].clip(start, stop) - start + first
        parts.append(table[["name", *columns, "filename"]])
        first += stop - start
    empty = pd.DataFrame(columns=["name", *columns, "filename"])
    return pd.concat(parts, ignore_index=True) if parts else empty


def dimension(name: str) -> str:
    """The second dimension of an array of a dataset: channel of x, song_type of y."""
    return "channel" if name == "x" else "song_type" + name.removeprefix("y")


def _open_split(path: Path, split: str, attributes: dict[str, Any]) -> "xr.Dataset":
    import xarray as xr

    arrays = stores.read_arrays(path, split)
    class_names = {
        name: attributes.get("class_names" + name.removeprefix("y")) or []
        for name in arrays
        if name.startswith("y")
    }
    if not arrays and "made_with" in attributes and attributes.get(f"filename_{split}"):
        raise DssError(f"{path}: has no {split}, but is made with it. {stores.DAMAGED}")
    if not arrays:
        empty = {
            "x": np.empty((0, 1), np.float32),
            "y": np.empty((0, len(attributes["class_names"]))),
        }
        arrays = {name: xr.Variable(("time", dimension(name)), v) for name, v in empty.items()}
        class_names = {"y": attributes["class_names"]}
    missing = {"x", "y"} - arrays.keys()
    if missing:
        raise DssError(f"{path}: {split} lacks {' and '.join(sorted(missing))}; make it again")
    for name, array in arrays.items():
        n_dims = 1 if name == "annotated" else 2
        where, names = f"{path}: {split}/{name}", class_names.get(name)
        _check_array(where, array, n_dims, arrays["x"], names)
    variables = {name: _named(name, array) for name, array in arrays.items()}
    step = 1 / attributes["samplerate_x_Hz"]
    # Half a step less than the length: no rounding can add or lose a sample.
    index = xr.indexes.RangeIndex.arange(0, (len(arrays["x"]) - 0.5) * step, step, dim="time")
    dataset = xr.Dataset(variables, coords=xr.Coordinates.from_xindex(index))
    dataset["time"].attrs["units"] = "s"
    return dataset.assign_coords({dimension(n): names for n, names in class_names.items()})


def _check_array(
    where: str, array: "xr.Variable", n_dims: int, x: "xr.Variable", names: list[str] | None
) -> None:
    """Raise a DssError if an array is not [samples, classes], or is not as long as x.

    Arguments:
        where: what the message names.
        array: an array of a split.
        n_dims: how many dimensions it should have.
        x: the audio of the split.
        names: of the classes; None if the array is no targets.
    """
    if array.ndim != n_dims or array.dtype.kind not in "biuf":
        right = "[samples]" if n_dims == 1 else "[samples, columns]"
        raise DssError(
            f"{where} is {array.dtype} {array.shape}; right would be numbers {right}. "
            f"{stores.DAMAGED}"
        )
    has_classes = names is None or array.shape[1] == len(names)
    if array.shape[:1] != x.shape[:1] or not has_classes:
        and_names = "" if names is None else f" and its classes {names}"
        raise DssError(
            f"{where} {array.shape} does not fit x {x.shape}{and_names}. {stores.DAMAGED}"
        )


def _named(name: str, array: "xr.Variable") -> "xr.Variable":
    """The array with its dimensions named; it stays where it is, unread."""
    import xarray as xr

    dims = ("time", dimension(name))[: array.ndim]
    long_name = {"x": "audio", "annotated": "whether somebody looked at it"}.get(
        name, "probability"
    )
    return xr.Variable(dims, array._data, {"long_name": long_name}, fastpath=True)
