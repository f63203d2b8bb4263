"""The splits of a dataset as views: audio, and annotations recovered from the targets."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from dss.data.annotations import EVENT
from dss.data.batches import array_of, split_stretches
from dss.data.contents import song_stretches
from dss.data.recordings import Recording
from dss.data.splits import SPLITS
from dss.data.stretches import of_mask
from dss.data.text_tables import COLUMNS, TIMES
from dss.errors import DssError
from dss.review.table_edits import joined
from dss.review.view import View, no_stretches
from dss.support import hdf5

ENDINGS = (".npy", ".zarr", ".h5")


def is_dataset(path: str | Path) -> bool:
    """Whether this is a dataset, and not a folder of recordings."""
    path = Path(path)
    if path.suffix in ENDINGS and path.is_dir():
        return True
    if path.suffix != ".h5" or not path.is_file():
        return False
    with suppress(DssError), hdf5.reading(path) as file:  # reported when it is opened
        return "train" in file
    return False


def dataset_views(tree: xr.DataTree) -> list[View]:
    """The splits of a dataset that contain audio."""
    return [_split_view(tree, split) for split in SPLITS if tree[split].sizes["time"]]


def _split_view(tree: xr.DataTree, split: str) -> View:
    x, y = (tree[split][name].variable for name in "xy")
    rate, names = tree.attrs["samplerate_x_Hz"], tree.attrs["class_names"]
    stretches = split_stretches(tree, split)

    def read(first: int, last: int) -> np.ndarray:
        return np.asarray(x[first:last].data, np.float32)

    def annotations() -> pd.DataFrame:
        song = song_stretches(array_of(tree[split]["y"]), stretches)
        return _as_annotations(song[1:], names[1:], tree.attrs["class_types"][1:], rate)

    def unknown() -> np.ndarray:
        if "annotated" not in tree[split]:
            return no_stretches()
        return of_mask(np.asarray(tree[split]["annotated"].variable.data) == 0) / rate

    recording = Recording(Path(split), rate, len(x), x.shape[1], read)
    return View(split, recording, annotations, unknown, y, names, stretches[1:, 0] / rate)


def _as_annotations(song: Sequence[np.ndarray], names, types, rate: float) -> pd.DataFrame:
    tables = []
    for stretches, name, kind in zip(song, names, types, strict=True):
        times = stretches / rate
        if kind == EVENT:
            times = np.repeat((stretches.sum(axis=1, keepdims=True) - 1) / 2 / rate, 2, axis=1)
        tables.append(pd.DataFrame(times, columns=TIMES).assign(name=name)[COLUMNS])
    return joined(tables).astype({"name": str})
