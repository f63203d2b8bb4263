"""Write the arrays of a split block by block, in order, computed on all cores."""

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pandas as pd

from dss.data import targets
from dss.data.corpus import Source
from dss.data.dataset import dimension
from dss.data.splits import Stretch
from dss.data.text_tables import TIMES
from dss.options import DatasetOptions
from dss.support.progress import bar

BLOCK_SAMPLES = 2**18  # in a worker's memory at a time


def write_split(
    writer,
    split: str,
    stretches: list[Stretch],
    sources: list[Source],
    types: dict[str, str],
    tables: list[pd.DataFrame],
    options: DatasetOptions,
) -> None:
    """Write the arrays of one split, block by block in order, computed on all cores."""
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


def split_annotations(stretches, sources, types) -> pd.DataFrame:
    """The annotations of a split, in seconds of the split, cut where the split is."""
    parts, first = [], 0.0
    columns = TIMES
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


def _targets(table, types, source, block, event_std_seconds, kinds) -> dict[str, np.ndarray]:
    """The arrays of a block, except x, by name."""
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
    """The results of the tasks in order, working on as many at a time as there are cores."""
    n_workers = os.cpu_count() or 1
    with ThreadPoolExecutor(n_workers) as pool:
        waiting: deque[Future] = deque()
        for task in tasks:
            waiting.append(pool.submit(function, task))
            if len(waiting) > n_workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
