"""Places in recordings to look at: the spectrogram above two opinions about it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from dss.data.recordings import Recording
from dss.plot.bars import draw_annotations
from dss.plot.figure import WIDTH_INCHES, SongFigure
from dss.plot.labels import LEGEND_LINE_INCHES, draw_legend, ending_of
from dss.plot.layout import Time, share_time
from dss.plot.spectrogram import draw_spectrogram, song_range, spectrogram
from dss.support.units import clock_time

NAME_LENGTH = 44  # of a file, so that a title fits over half of a figure
CONTEXT_SECONDS = 0.15  # minimum, on both sides
EXCERPT_INCHES = 2.7  # height


class Excerpt(NamedTuple):
    """A stretch of a recording, and a comment on it.

    Attributes:
        recording: the audio.
        start_seconds, stop_seconds: the time in question; drawn as dotted lines.
        time: the time to show.
        tables: annotations from `within` to draw below the spectrogram, by label.
        comment: the comment, as second line of the title.
    """

    recording: Recording
    start_seconds: float
    stop_seconds: float
    time: Time
    tables: Mapping[str, pd.DataFrame]
    comment: str


def time_around(start_seconds: float, stop_seconds: float, recording: Recording) -> Time:
    """The time to show of a recording, to see a stretch among its neighbours."""
    margin = max(CONTEXT_SECONDS, 1.5 * (stop_seconds - start_seconds))
    rate = recording.samplerate_hz
    first = max(0, round((start_seconds - margin) * rate))
    last = min(recording.n_samples, round((stop_seconds + margin) * rate))
    return Time(first / rate, last / rate)


def draw_excerpts(excerpts: Sequence[Excerpt], colors: Mapping[str, str]) -> SongFigure:
    """A figure of places, two side by side."""
    tables = [table for excerpt in excerpts for table in excerpt.tables.values()]
    names = {name for table in tables for name in table["name"]}
    figure = SongFigure(figsize=(WIDTH_INCHES, 1), constrained=False)
    n_lines = draw_legend(figure, sorted(names), colors, False)
    n_columns = 2 if len(excerpts) > 1 else 1
    n_rows = -(-len(excerpts) // n_columns)
    heights = [*[EXCERPT_INCHES] * n_rows, LEGEND_LINE_INCHES * n_lines + 0.1]
    figure.set_size_inches(WIDTH_INCHES, sum(heights))
    boxes = figure.subfigures(len(heights), n_columns, squeeze=False, height_ratios=heights).ravel()
    for box, excerpt in zip(boxes, excerpts, strict=False):
        _draw_excerpt(box, excerpt, colors, WIDTH_INCHES / n_columns)
    return figure


def _draw_excerpt(box, excerpt: Excerpt, colors: Mapping[str, str], width: float) -> None:
    """Draw the spectrogram above the annotations, in a box of this width in inches."""
    recording, time = excerpt.recording, excerpt.time
    left, right, above, below = 0.85, 0.12, 0.42, 0.45
    edges = {"left": left / width, "right": 1 - right / width}
    edges |= {"top": 1 - above / EXCERPT_INCHES, "bottom": below / EXCERPT_INCHES}
    n_rows = len(excerpt.tables)
    bar_inches = (EXCERPT_INCHES - above - below) / ((5 + n_rows) * 1.07)  # with gaps
    grid = {"hspace": 0.1, **edges}
    sound, *rows = box.subplots(1 + n_rows, height_ratios=[5] + [1] * n_rows, gridspec_kw=grid)
    rate = recording.samplerate_hz
    power = spectrogram(recording.read(*(round(t * rate) for t in time)), rate)
    draw_spectrogram(sound, power, rate, time, song_range(power, rate), False)
    for axis, (label, table) in zip(rows, excerpt.tables.items(), strict=True):
        draw_annotations(axis, table, label, time, colors, (width - left - right, bar_inches))
    share_time([sound, *rows], time)
    rows[-1].xaxis.label.set_size(9)
    rows[-1].locator_params(axis="x", nbins=5)
    for x in {excerpt.start_seconds, excerpt.stop_seconds}:
        sound.axvline(x, color="white", lw=1, ls=":")
    name = ending_of(recording.path.name, NAME_LENGTH)
    sound.set_title(f"{name}, {clock_time(excerpt.start_seconds)}\n{excerpt.comment}", fontsize=9)
