"""The learning curve: F1 against annotated seconds."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from dss.errors import DssError
from dss.plot.colors import song_colors
from dss.plot.figure import SongFigure, plain_style
from dss.plot.labels import legend_below

ALL_COLOR = "#303030"
COLUMNS = ("song_type", "seconds", "f1", "low", "high", "is_measured")


@plain_style()
def plot_learning_curve(table: pd.DataFrame) -> Figure:
    """Plot F1 of each song type, and their mean in black, against the annotated seconds.

    The estimates for more annotations are dashed, with the 90 % interval as a bar. The pale band is
    the interval of the mean.

    Arguments:
        table: the result of `dss.train.learning_curve`, which is also in `learning_curve.csv`.

    Raises: DssError if the table is something else.
    """
    missing = [name for name in COLUMNS if name not in table]
    if missing or table.empty:
        raise DssError(f"The learning curve lacks {', '.join(missing) or 'rows'}")
    names = [name for name in table["song_type"].unique() if name != "all"]
    colors = {"all": ALL_COLOR, **song_colors(names)}
    figure = SongFigure(figsize=(8, 4))
    axis = figure.subplots()
    for name, rows in table.groupby("song_type", sort=False):
        look: dict[str, Any] = {"color": colors[name], "lw": 2 if name == "all" else 1.2}
        measured, last = rows[rows["is_measured"]], rows[-2:]
        axis.plot(measured["seconds"], measured["f1"], marker="o", ms=4, label=name, **look)
        axis.plot(last["seconds"], last["f1"], ls="--", **look)
        more = rows.iloc[-1]
        axis.vlines(more["seconds"], more["low"], more["high"], **look)
        if name == "all":
            band: dict[str, Any] = {"color": ALL_COLOR, "alpha": 0.12, "lw": 0}
            axis.fill_between(rows["seconds"], rows["low"], rows["high"], **band)
    axis.set_xscale("log")
    seconds = sorted(table["seconds"].unique())
    axis.set_xticks(seconds, [f"{s:.3g}" for s in seconds])
    axis.minorticks_off()
    axis.set(xlabel="annotated (s)", ylabel="F1, by samples", ylim=(None, 1.01))
    legend_below(figure, axis.get_legend_handles_labels()[0])
    return figure
