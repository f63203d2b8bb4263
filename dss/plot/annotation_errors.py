"""Annotations that are probably wrong, with the networks' opinions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from dss.data.recordings import Recording
from dss.data.text_tables import COLUMNS
from dss.errors import DssError
from dss.plot.bars import within
from dss.plot.colors import song_colors
from dss.plot.excerpts import Excerpt, draw_excerpts, time_around
from dss.plot.figure import plain_style
from dss.plot.labels import shortened
from dss.review.view import View
from dss.review.views import views_of
from dss.support.files import remove, replacing

N_SAVED = 24  # in the saved figure


@plain_style()
def plot_annotation_errors(
    errors: pd.DataFrame,
    recordings: str | Path | Recording | View | Sequence[View],
    n_shown: int = 12,
) -> Figure:
    """Plot annotations that are probably wrong: spectrograms above annotations and predictions.

    Arguments:
        errors: the result of `dss.review.annotation_errors.find_annotation_errors`; its first rows
            are shown.
        recordings: the folder that was checked, or its recordings from
            `dss.review.views.open_views`.
        n_shown: the maximum number to show.

    Raises: DssError if the list is empty, or a recording is missing.
    """
    if errors.empty:
        raise DssError("The list of annotation errors is empty: there is nothing to show")
    views = {view.name: view for view in views_of(recordings)}
    shown = errors[:n_shown]
    missing = [name for name in shown["recording"] if name not in views]
    if missing:
        raise DssError(f"{missing[0]}: is not one of the recordings; give the folder checked")
    names = {name for view in views.values() for name in view.annotations["name"]}
    names |= {*shown["network_name"].dropna()}  # even if nothing has this name any more
    excerpts = [_excerpt(error, views[error.recording]) for error in shown.itertuples()]
    return draw_excerpts(excerpts, song_colors(sorted(names)))


def save_errors(errors: pd.DataFrame, views: Sequence[View], folder: Path) -> list[Path]:
    """Save the list, and a figure of its first rows.

    Arguments:
        errors: the result of `find_annotation_errors`.
        views: the recordings that were checked.
        folder: created if necessary.

    Returns: the files: `annotation_errors.csv`, and `annotation_errors.png` if there are errors.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table, picture = (folder / f"annotation_errors.{ending}" for ending in ("csv", "png"))
    with replacing(table) as part:
        errors.to_csv(part, index=False, float_format="%.6f")
    if errors.empty:
        remove(picture)  # of an earlier check
        return [table]
    with replacing(picture) as part:
        plot_annotation_errors(errors, views, N_SAVED).savefig(part, format="png")
    return [table, picture]


def _excerpt(error: Any, view: View) -> Excerpt:
    start, stop = error.start_seconds, error.stop_seconds
    time = time_around(start, stop, view.recording)
    found = (error.network_name, error.network_start_seconds, error.network_stop_seconds)
    by_network = pd.DataFrame([found] if pd.notna(found[1]) else [], columns=COLUMNS)
    tables = {"annotated": within(view.annotations, time), "network": within(by_network, time)}
    who = f"{shortened(error.annotated_name)} " if pd.notna(error.annotated_name) else ""
    comment = f"{who}{error.says} ({error.score:.2f})"
    return Excerpt(view.recording, start, stop, time, tables, comment)
