"""Figures of how annotations fit each other: thresholds, errors, and the worst mistakes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dss.data.recordings import AUDIO_ENDINGS, open_recording
from dss.errors import DssError
from dss.evaluate import mistakes, precision_recall, read_pairs, timing_errors
from dss.evaluate.pairs import Pair, Recordings, stem_of
from dss.options import EvaluateOptions, takes_options
from dss.plot.bars import draw_annotations, within
from dss.plot.colors import song_colors
from dss.plot.figure import WIDTH_INCHES, SongFigure, Time, plain_style
from dss.plot.spectrogram import draw_spectrogram, song_range, spectrogram
from dss.support.units import readable

NAME_LENGTH = 44  # of a file, with which a title fits over half of a figure
CONTEXT_SECONDS = 0.15  # at least, on both sides of a mistake
ALL_COLOR = "#303030"


@plain_style()
@takes_options
def plot_precision_recall(
    true: Recordings, predicted: Recordings, *, options: EvaluateOptions
) -> Figure:
    """Precision against recall, and F1, as annotations of low confidence are left out.

    A line a song type, black for all of them; a dot marks the threshold with the highest F1.
    Predict with low thresholds (`event_threshold=0.1, segment_threshold=0.1`), or the lines are
    short.

    Arguments:
        true, predicted: as for `dss.evaluate.evaluate`; the predicted ones have a confidence.

    Raises: DssError if they have none.
    """
    table = precision_recall(true, predicted, options=options)
    names = [name for name in table["song_type"].unique() if name != "all"]
    colors = {**song_colors(names), "all": ALL_COLOR}
    figure = SongFigure(figsize=(10, 4.4))
    curve, by_threshold = figure.subplots(1, 2)
    for name, rows in table.groupby("song_type", sort=False):
        look = {"color": colors[name], "lw": 2 if name == "all" else 1.2}
        best = rows.loc[rows["f1"].idxmax()] if rows["f1"].notna().any() else rows.iloc[0]
        is_all = best.name == rows.index[0]  # what was predicted with a lower one is not known
        where = ", none left out" if is_all else f" at {best['threshold']:.2f}"
        label = f"{name}: {best['f1']:.3f}{where}"
        curve.plot(rows["recall"], rows["precision"], label=label, **look)
        curve.plot(best["recall"], best["precision"], "o", color=colors[name], clip_on=False)
        by_threshold.plot(rows["threshold"], rows["f1"], **look)
        by_threshold.plot(best["threshold"], best["f1"], "o", color=colors[name], clip_on=False)
    curve.set(xlabel="recall", ylabel="precision", xlim=(0, 1.01), ylim=(0, 1.01))
    by_threshold.set(xlabel="confidence, at least", ylabel="F1", xlim=(0, 1), ylim=(0, 1.01))
    figure.legend(
        *curve.get_legend_handles_labels(), loc="outside right center", title="highest F1"
    )
    return figure


@plain_style()
@takes_options
def plot_errors(true: Recordings, predicted: Recordings, *, options: EvaluateOptions) -> Figure:
    """Histograms of onset and offset errors, predicted - true, by song type.

    Arguments:
        true, predicted: as for `dss.evaluate.evaluate`.

    Returns: the figure; without histograms, and saying so, if no annotation is right.
    """
    table = timing_errors(true, predicted, options=options)
    if table.empty:
        figure = SongFigure(figsize=(WIDTH_INCHES, 0.5))
        figure.suptitle("No annotation is right: there are no errors to show")
        return figure
    names = sorted(table["name"].unique())
    colors = song_colors(names)
    edges = ["onset"]
    if table["offset_error_ms"].notna().any():
        edges.append("offset")
    figure = SongFigure(figsize=(min(2.6 * len(names) + 0.8, WIDTH_INCHES), 2.2 * len(edges) + 0.4))
    axes = figure.subplots(len(edges), len(names), squeeze=False)
    for row, edge in zip(axes, edges, strict=True):
        shown = table[f"{edge}_error_ms"].dropna()
        reach = max(float(np.quantile(shown.abs(), 0.98, method="higher")), 1e-3)
        bins = np.linspace(-reach, reach, int(np.clip(len(shown) ** 0.5, 11, 51)) | 1)
        for axis, name in zip(row, names, strict=True):
            values = table.loc[table["name"] == name, f"{edge}_error_ms"].dropna()
            axis.hist(values, bins, color=colors[name])
            axis.axvline(0, color="#303030", lw=0.8)
            if len(values):
                beyond = int((values.abs() > reach).sum())
                text = f"n = {len(values)}" + (f", {beyond} beyond" if beyond else "")
                median = f"median {readable(values.abs().median() / 1000)}"
                axis.set_title(f"{name}, {text}\n{median}", fontsize=9)
            axis.set(yticks=[], xlim=(-reach, reach))
            axis.spines["left"].set_visible(False)
            axis.set_xlabel(f"{edge} error (ms)", fontsize=9)
    return figure


@plain_style()
@takes_options
def plot_mistakes(
    true: Recordings,
    predicted: Recordings,
    recordings: Sequence[str | Path] = (),
    n_shown: int = 8,
    *,
    options: EvaluateOptions,
) -> Figure:
    """The worst mistakes: spectrograms with the true annotations above the predicted ones.

    Arguments:
        true, predicted: as for `dss.evaluate.evaluate`.
        recordings: the audio files, in the order of the annotations. Default: those beside the
            files of true annotations.
        n_shown: how many mistakes at most.

    Raises: DssError if there is no mistake, or a recording is not there.
    """
    worst = mistakes(true, predicted, options=options)[:n_shown]
    if worst.empty:
        raise DssError("There is no mistake to show")
    pairs = read_pairs(true, predicted)
    if recordings and len(recordings) != len(pairs):
        raise DssError(f"recordings: {len(recordings)}, but annotation tables: {len(pairs)}")
    numbers = {pair.source: number for number, pair in enumerate(pairs)}
    colors = song_colors(sorted({name for pair in pairs for name in pair.names}))
    n_columns = 2 if len(worst) > 1 else 1
    n_rows = -(-len(worst) // n_columns)
    figure = SongFigure(figsize=(WIDTH_INCHES, 2.7 * n_rows))
    boxes = figure.subfigures(n_rows, n_columns, squeeze=False, wspace=0.03, hspace=0.04).ravel()
    for box, mistake in zip(boxes, worst.itertuples(), strict=False):
        number = numbers[mistake.recording]
        path = recordings[number] if recordings else _audio_beside(pairs[number].source)
        _draw_mistake(box, mistake, pairs[number], Path(path), colors)
    return figure


def _draw_mistake(box, mistake, pair: Pair, path: Path, colors) -> None:
    recording = open_recording(path)
    margin = max(CONTEXT_SECONDS, 1.5 * (mistake.stop_seconds - mistake.start_seconds))
    rate = recording.samplerate_hz
    first = max(0, round((mistake.start_seconds - margin) * rate))
    last = min(recording.n_samples, round((mistake.stop_seconds + margin) * rate))
    time = Time(first / rate, last / rate)
    sound, *rows = box.subplots(3, 1, sharex=True, height_ratios=[5, 1, 1])
    power = spectrogram(recording.read(first, last), rate)
    draw_spectrogram(sound, power, rate, time, song_range(power, rate), False)
    tables = {"true": pair.true, "found": pair.predicted}
    for axis, (label, table) in zip(rows, tables.items(), strict=True):
        draw_annotations(axis, within(table, time), label, time, colors)
    for axis in (sound, rows[0]):
        axis.tick_params(axis="x", bottom=axis is sound, labelbottom=False)
    rows[-1].set_xlabel("time (s)", fontsize=9)
    for x in {mistake.start_seconds, mistake.stop_seconds}:
        sound.axvline(x, color="white", lw=1, ls=":")
    sound.set_xlim(*time)
    sure = "" if pd.isna(mistake.confidence) else f", confidence {mistake.confidence:.2f}"
    what = {"false": "false alarm", "missed": "missed"}[mistake.mistake]
    minutes, seconds = divmod(mistake.start_seconds, 60)
    name = path.name if len(path.name) <= NAME_LENGTH else f"…{path.name[1 - NAME_LENGTH :]}"
    title = f"{name}, {int(minutes)}:{seconds:06.3f}\n{mistake.name} {what}{sure}"
    sound.set_title(title, fontsize=9)


def _audio_beside(annotations: str) -> Path:
    """The recording of a file of annotations."""
    stem = stem_of(Path(annotations)) or Path(annotations).stem
    alike = [path for path in Path(annotations).parent.iterdir() if path.stem == stem]
    by_ending = {path.suffix.lower(): path for path in sorted(alike) if path.is_file()}
    for ending in AUDIO_ENDINGS:
        if ending in by_ending:
            return by_ending[ending]
    raise DssError(f"{annotations}: there is no recording beside it; give the recordings")
