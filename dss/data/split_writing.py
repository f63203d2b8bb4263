"""Write the arrays of a split block by block, in order, computed on all cores."""

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pandas as pd

from dss.data import stores, targets
from dss.data.corpus import Corpus
from dss.data.dataset import dimension
from dss.data.splits import Stretch
from dss.data.text_tables import COLUMNS, TIMES
from dss.support.progress import bar

BLOCK_SAMPLES = 2**18  # in a worker's memory at a time
BLOCK_TARGETS = 2**24  # the same, for many song types


def write_split(
    writer: stores.Writer, split: str, stretches: list[Stretch], corpus: Corpus
) -> None:
    """Write the arrays of one split, block by block in order, computed on all cores."""
    total = sum(stretch.n_samples for stretch in stretches)
    types, options = corpus.types, corpus.options
    overlap = targets.overlapping(corpus.tables, types, corpus.samplerate_hz)
    dtype = targets.targets_dtype(types, options.event_std_seconds or 0, overlap)
    kinds: dict[str, tuple[type, tuple[int, ...]]] = {
        "x": (np.float32, (corpus.sources[0].recording.n_channels,)),
        "y": (dtype, (1 + len(types),)),
    }
    if options.individual_targets:
        kinds |= {f"y_{name}": (dtype, (2,)) for name in types}
    if any(source.known is not None for source in corpus.sources):
        kinds["annotated"] = (np.uint8, ())
    arrays = {}
    for name, (kind, columns) in kinds.items():
        dims = ("time", dimension(name))[: 1 + len(columns)]
        arrays[name] = writer.new_array(f"{split}/{name}", (total, *columns), kind, dims)
    dtypes = {name: kind for name, (kind, _) in kinds.items()}

    def make(block: Stretch) -> dict[str, np.ndarray]:
        recording = corpus.sources[block.recording].recording
        x = recording.read(block.start_sample, block.stop_sample)
        return {"x": x, **_targets(block, corpus, dtypes)}

    with bar(total=total, desc=f"writing {split}", unit="sample", unit_scale=True) as progress:
        for values in _in_order(make, _blocks(stretches, BLOCK_TARGETS // (1 + len(types)))):
            for name, array in arrays.items():
                array.append(values[name])
            progress.update(len(values["x"]))
    for array in arrays.values():
        array.close()


def split_annotations(stretches: Iterable[Stretch], corpus: Corpus) -> pd.DataFrame:
    """The annotations of a split, in seconds of the split, cut where the split is."""
    parts, first = [pd.DataFrame(columns=[*COLUMNS, "filename"])], 0.0
    for stretch in stretches:
        source, rate = corpus.sources[stretch.recording], corpus.samplerate_hz
        start, stop = stretch.start_sample / rate, stretch.stop_sample / rate
        table = source.annotations
        inside = (table["start_seconds"] < stop) & (table["stop_seconds"] >= start)
        table = table[inside & table["name"].isin(corpus.types)].assign(filename=source.name)
        table[TIMES] = table[TIMES].clip(start, stop) - start + first
        parts.append(table[[*COLUMNS, "filename"]])
        first += stop - start
    return pd.concat(parts[1:] or parts, ignore_index=True)


def _targets(block: Stretch, corpus: Corpus, dtypes: dict[str, type]) -> dict[str, np.ndarray]:
    """The arrays of a block, except x, by name."""
    place = corpus.samplerate_hz, block.start_sample, block.stop_sample
    table, std = corpus.tables[block.recording], corpus.options.event_std_seconds or 0
    wanted = {"y": corpus.types} | {f"y_{n}": {n: kind} for n, kind in corpus.types.items()}
    values = {
        name: targets.make_targets(table, types, *place, std, dtypes[name])
        for name, types in wanted.items()
        if name in dtypes
    }
    if "annotated" in dtypes:
        known = corpus.sources[block.recording].known_samples(*place[1:])
        values["annotated"] = known.astype(np.uint8)
    return values


def _blocks(stretches: Iterable[Stretch], most_samples: int) -> Iterator[Stretch]:
    step = max(min(BLOCK_SAMPLES, most_samples), 1)
    for stretch in stretches:
        edges = range(stretch.start_sample, stretch.stop_sample, step)
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
