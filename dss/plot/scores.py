"""Figures that compare annotations: thresholds, errors, and the worst mistakes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from dss.data.annotations import ABSENT
from dss.data.recording_files import AUDIO_ENDINGS
from dss.data.recordings import Recording, open_recording
from dss.data.text_tables import TIMES
from dss.errors import DssError
from dss.evaluate import mistakes, precision_recall, read_pairs, timing_errors
from dss.evaluate.pair import Pair
from dss.evaluate.pairs import Recordings, stem_of
from dss.options import EvaluateOptions, takes_options
from dss.options.arguments import EvaluateArguments
from dss.plot.bars import within
from dss.plot.colors import ALL_COLOR, paler, song_colors
from dss.plot.excerpts import Excerpt, draw_excerpts, time_around
from dss.plot.figure import WIDTH_INCHES, SongFigure, plain_style
from dss.plot.labels import legend_below, shortened
from dss.plot.layout import figure_panels
from dss.support.units import readable

MOST_COLUMNS = 5  # of histograms


@plain_style()
@takes_options
def plot_precision_recall(
    true: Recordings,
    predicted: Recordings,
    *,
    options: EvaluateOptions | None = None,
    **named: Unpack[EvaluateArguments],
) -> Figure:
    """Plot precision against recall, and F1, as annotations of low confidence are left out.

    There is one line per song type, and a black one for all of them; a dot marks the threshold with
    the highest F1. Predict with low thresholds (`event_threshold=0.1, segment_threshold=0.1`) to
    get long lines.

    Arguments:
        true, predicted: as for `dss.evaluate.evaluate`; the predicted ones have a confidence.

    Raises: DssError if predictions have no confidence.
    """
    options = EvaluateOptions.given(options, named)
    table = precision_recall(true, predicted, options=options)
    names = [name for name in table["song_type"].unique() if name != "all"]
    colors = {**song_colors(names), "all": ALL_COLOR}
    figure = SongFigure(figsize=(10, 4.4))
    curve, by_threshold = figure.subplots(1, 2)
    for name, rows in table.groupby("song_type", sort=False):
        look: dict[str, Any] = {"color": colors[name], "lw": 2 if name == "all" else 1.2}
        dot: dict[str, Any] = {"color": colors[name], "marker": "o", "clip_on": False}
        best = rows.loc[rows["f1"].idxmax()] if rows["f1"].notna().any() else rows.iloc[0]
        is_all = best.name == rows.index[0]  # lower thresholds are unknown
        where = ", none left out" if is_all else f" at {best['threshold']:.2f}"
        label = f"{name}: {best['f1']:.3f}{where}"
        curve.plot(rows["recall"], rows["precision"], label=label, **look)
        curve.plot(best["recall"], best["precision"], **dot)
        by_threshold.plot(rows["threshold"], rows["f1"], **look)
        by_threshold.plot(best["threshold"], best["f1"], **dot)
    curve.set(xlabel="recall", ylabel="precision", xlim=(0, 1.01), ylim=(0, 1.01))
    by_threshold.set(xlabel="confidence, at least", ylabel="F1", xlim=(0, 1), ylim=(0, 1.01))
    legend_below(figure, curve.get_legend_handles_labels()[0], title="highest F1")
    return figure


@plain_style()
@takes_options
def plot_errors(
    true: Recordings,
    predicted: Recordings,
    *,
    options: EvaluateOptions | None = None,
    **named: Unpack[EvaluateArguments],
) -> Figure:
    """Plot histograms of onset and offset errors, predicted - true, by song type.

    Arguments:
        true, predicted: as for `dss.evaluate.evaluate`.

    Returns: the figure; if no annotation is correct, it says so and has no histograms.
    """
    options = EvaluateOptions.given(options, named)
    table = timing_errors(true, predicted, options=options)
    edges = [e for e in ("onset", "offset") if table[f"{e}_error_ms"].notna().any()]
    if not edges:
        figure = SongFigure(figsize=(WIDTH_INCHES, 0.5))
        at_edges = "All onsets and offsets are at edges of annotated stretches"
        reason = "No annotation is correct" if table.empty else at_edges
        figure.suptitle(f"{reason}, so there are no errors to show")
        return figure
    names = sorted(table["name"].unique())
    colors = song_colors(names)
    n_columns = min(len(names), MOST_COLUMNS)
    n_bands = -(-len(names) // n_columns)
    figure, axes = figure_panels(len(edges) * n_bands, n_columns, 1.1, 0.6, 0.45, left=0.3)
    for i, edge in enumerate(edges):
        shown = table[f"{edge}_error_ms"].dropna()
        reach = max(float(np.quantile(shown.abs(), 0.98, method="higher")), 1e-3)
        bins = [*np.linspace(-reach, reach, int(np.clip(len(shown) ** 0.5, 11, 51)) | 1)]
        panels = axes[i :: len(edges)].ravel()
        for axis, name in zip(panels, names, strict=False):
            values = table.loc[table["name"] == name, f"{edge}_error_ms"].dropna()
            if values.empty:  # as of the offsets of events
                axis.remove()
                continue
            _draw_errors(axis, values, name, bins, colors[name])
            axis.set_xlabel(f"{edge} error (ms)", fontsize=9)
        for axis in panels[len(names) :]:
            axis.remove()
    return figure


def _draw_errors(
    axis: Axes, values: pd.Series, name: str, bins: Sequence[float], color: str
) -> None:
    axis.hist(values, bins, color=color)
    axis.axvline(0, color="#303030", lw=0.8)
    beyond = int((values.abs() > bins[-1]).sum())
    text = f"n = {len(values)}" + (f", {beyond} beyond" if beyond else "")
    median = f"median {readable(values.abs().median() / 1000)}"
    axis.set_title(f"{shortened(name)}\n{text}\n{median}", fontsize=9)
    axis.set(yticks=[], xlim=(bins[0], bins[-1]))
    axis.locator_params(axis="x", nbins=3)
    axis.tick_params(labelsize=9)
    axis.spines["left"].set_visible(False)


@plain_style()
@takes_options
def plot_mistakes(
    true: Recordings,
    predicted: Recordings,
    recordings: Sequence[str | Path] = (),
    n_shown: int = 8,
    *,
    options: EvaluateOptions | None = None,
    **named: Unpack[EvaluateArguments],
) -> Figure:
    """Plot the worst mistakes: spectrograms with the true annotations above the predicted ones.

    True annotations include where song types are marked as absent (`not_<song type>`).

    Arguments:
        true, predicted: as for `dss.evaluate.evaluate`.
        recordings: the audio files, in the order of the annotations. Default: those next to the
            files of true annotations.
        n_shown: the maximum number of mistakes.

    Raises: DssError if there are no mistakes, or a recording is missing.
    """
    options = EvaluateOptions.given(options, named)
    worst = mistakes(true, predicted, options=options)[:n_shown]
    if worst.empty:
        raise DssError("There are no mistakes to show")
    pairs = read_pairs(true, predicted, options)
    if recordings and len(recordings) != len(pairs):
        raise DssError(
            f"recordings: there are {len(recordings)}, but {len(pairs)} annotation tables; give "
            "one of each"
        )
    paths: Sequence[str | Path | None] = recordings or [None] * len(pairs)
    sources = {pair.source: (pair, path) for pair, path in zip(pairs, paths, strict=True)}
    seen = []
    for mistake in worst.itertuples():
        pair, path = sources[mistake.recording]
        path = path or pair.recording or _audio_beside(pair.source)
        seen.append(_excerpt(mistake, pair, open_recording(path)))
    colors = song_colors(sorted({name for pair in pairs for name in pair.names}))
    pale = {f"{ABSENT}{name}": to_hex(paler(color, 0.6).tolist()) for name, color in colors.items()}
    return draw_excerpts(seen, colors | pale)


def _excerpt(mistake: Any, pair: Pair, recording: Recording) -> Excerpt:
    time = time_around(mistake.start_seconds, mistake.stop_seconds, recording)
    marks = [
        pd.DataFrame(absent, columns=TIMES).assign(name=f"{ABSENT}{name}")
        for name, absent in pair.absent.items()
    ]
    true = pd.concat([pair.true, *marks])
    tables = {"true": within(true, time), "found": within(pair.predicted, time)}
    sure = "" if pd.isna(mistake.confidence) else f", confidence {mistake.confidence:.2f}"
    what = {"false": "false positive", "missed": "missed"}[mistake.mistake]
    comment = f"{shortened(mistake.name)} {what}{sure}"
    return Excerpt(recording, mistake.start_seconds, mistake.stop_seconds, time, tables, comment)


def _audio_beside(annotations: str) -> Path:
    """The recording of an annotation file."""
    file = Path(annotations)
    stem = stem_of(file) or file.stem
    there = sorted(path for path in file.parent.iterdir() if path.stem == stem and path.is_file())
    for ending in AUDIO_ENDINGS:
        for path in there:
            if path.suffix.lower() == ending:
                return path
    raise DssError(f"{annotations}: there is no recording next to it; give the recordings")
