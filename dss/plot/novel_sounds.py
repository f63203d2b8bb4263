"""A gallery of sounds that are unlike anything annotated."""

import pandas as pd
from matplotlib.figure import Figure

from dss.data.audio import Loader
from dss.data.recordings import open_at_own_rate
from dss.data.text_tables import COLUMNS
from dss.errors import DssError
from dss.plot.examples import plot_examples
from dss.review.views import View

MOST_GROUPS = 9


def plot_novel_sounds(
    novel: pd.DataFrame,
    n_examples: int = 6,
    *,
    loader: Loader | None = None,
    samplerate_hz: float | None = None,
) -> Figure:
    """Plot sounds that are unlike anything annotated: one row per group of similar sounds.

    Each row shows the network's name for most of its sounds, if it found them. The last row has the
    sounds that are unlike any other.

    Arguments:
        novel: the result of `dss.review.novel_sounds.find_novel_sounds`.
        n_examples: the maximum number per row.
        loader: as for `dss.predict.predict`.
        samplerate_hz: for recordings that do not store their rate.

    Raises: DssError if there are no such sounds.
    """
    if novel.empty:
        raise DssError("No sound is unlike the annotated ones: there is nothing to show")
    shown = novel[novel["group"] < MOST_GROUPS]
    named = {number: _title(number, of_group) for number, of_group in shown.groupby("group")}
    shown = shown.assign(name=shown["group"].map(named))
    views = []
    for path, table in shown.groupby("recording"):
        recording = open_at_own_rate(path, loader, samplerate_hz)
        views.append(View(recording.path.name, recording, table[COLUMNS].copy))
    return plot_examples(views, n_examples)


def _title(number: int, sounds: pd.DataFrame) -> str:
    if number < 0:
        return "others"
    name = sounds["name"].mode()[0]
    return f"{number + 1}: {name}?" if name else f"{number + 1}: not found"
