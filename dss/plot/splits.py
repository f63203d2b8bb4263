"""Plot splits: which stretches of which recordings they contain."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from dss.data.splits import SPLITS
from dss.errors import DssError
from dss.plot.colors import paler
from dss.plot.figure import WIDTH_INCHES, SongFigure, plain_style
from dss.plot.labels import ending_of

MOST_NAMES = 60  # recordings shown with names; more are drawn as thin rows
LONGEST_NAME = 40  # letters
PARTS = ("", "startsample_", "endsample_")  # of the attributes that describe a split
COLORS: dict[str, Any] = {"train": paler("#404040", 0.25), "val": "#e69f00", "test": "#0072b2"}


@plain_style()
def plot_splits(tree: xr.DataTree) -> Figure:
    """Plot which stretches of which recordings are in the splits train, val and test.

    Each row is a recording, from start to end in seconds; blank parts are in no split.

    Arguments:
        tree: a dataset, or a preview from `dss.data.preview_dataset`.

    Raises: DssError if the dataset does not say what it was made from.

    Example:
        >>> from dss.data import open_dataset
        >>> from dss.plot import plot_splits
        >>> plot_splits(open_dataset("finch.npy")).savefig("splits.png")
    """
    stretches = []
    for split in SPLITS:
        columns = [tree.attrs.get(f"filename_{part}{split}", ()) for part in PARTS]
        stretches += [(split, *row) for row in zip(*columns, strict=True)]
    if not stretches:
        raise DssError("This dataset does not say which stretches of recordings it was made from")
    rate, names = tree.attrs["samplerate_x_Hz"], sorted({name for _, name, _, _ in stretches})
    inches = min(0.24 * len(names), 14)
    figure = SongFigure(figsize=(WIDTH_INCHES, inches + 1.1))
    axis = figure.subplots()
    height = 0.8 if len(names) <= MOST_NAMES else 1
    for split in SPLITS:
        rows = [(names.index(name), *times) for of, name, *times in stretches if of == split]
        at, start, stop = np.array(rows, float).reshape(-1, 3).T
        look = {"left": start / rate, "height": height, "color": COLORS[split]}
        axis.barh(at, (stop - start) / rate, edgecolor="white", linewidth=0.5, **look)
    shown = [ending_of(name, LONGEST_NAME) for name in names] if len(names) <= MOST_NAMES else []
    axis.set_yticks(range(len(shown)), shown, fontsize=9)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.set_xlim(0, max(stop for *_, stop in stretches) / rate)
    axis.set(xlabel="time (s)", ylabel="" if shown else f"{len(names)} recordings")
    handles = [Patch(color=color, label=split) for split, color in COLORS.items()]
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
    return figure
