"""Plot examples of each song type, or of sounds unlike any, side by side."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dss.data.annotated_stretches import is_absence
from dss.data.annotations import NOISE, occurrences
from dss.data.audio import Loader
from dss.data.recordings import open_at_own_rate
from dss.data.text_tables import COLUMNS
from dss.errors import DssError
from dss.plot.colors import song_colors
from dss.plot.figure import plain_style
from dss.plot.labels import shortened
from dss.plot.layout import figure_rows, place_rows
from dss.plot.spectrogram import contrast, song_range, spectrogram
from dss.review.view import View

EVENT_SECONDS = 0.02  # shown before and after an event
BEFORE, AFTER = 0.3, 1.5  # shown around a segment, in units of its typical duration
GAP = 0.04  # between examples, as a fraction of an example
MOST_TYPES = 30
MOST_GROUPS = 9  # of sounds unlike anything annotated
NAME_LETTERS = 26  # with the number of a group


@plain_style()
def plot_examples(
    views: Sequence[View],
    n_examples: int = 6,
    *,
    frequency_range_hz: tuple[float, float] | None = None,
    seed: int = 0,
) -> Figure:
    """Plot examples of each song type: spectrograms of segments, waveforms of events.

    They are drawn at random from all recordings and aligned: a line at 0 ms marks the onset, a
    second line the offset. Each type has its own time axis, on which its typical duration has the
    same width.

    Arguments:
        views: recordings or splits from `dss.review.views.open_views`.
        n_examples: the maximum number of examples per type.
        frequency_range_hz: lowest and highest frequency; default: the range of the song.
        seed: other seeds show other examples.

    Raises: DssError if nothing is annotated.
    """
    rng = np.random.default_rng(seed)
    chosen = choose_examples(views, n_examples, rng)
    if not chosen:
        raise DssError("Nothing is annotated here, so there are no examples to show")
    colors = song_colors(list(chosen))
    names = list(chosen)[:MOST_TYPES]
    figure, axes = figure_rows(len(names))
    sounds = {name: [_read(example) for example in chosen[name]] for name in names}
    range_hz = frequency_range_hz or _range(sounds)
    for axis, name in zip(axes, names, strict=True):
        if chosen[name][0].is_event:
            _draw_waveforms(axis, sounds[name])
        else:
            _draw_spectrograms(axis, chosen[name], sounds[name], range_hz)
        _label_times(axis, chosen[name], n_examples)
        look: dict[str, Any] = {"rotation": 0, "ha": "right", "va": "center", "color": colors[name]}
        n = sum((occurrences(view.annotations)["name"] == name).sum() for view in views)
        axis.set_ylabel(f"{shortened(name, NAME_LETTERS)}\nn = {n}", fontsize=10, **look)
    title = f"{range_hz[0] / 1000:.2g} to {range_hz[1] / 1000:.2g} kHz"
    more = len(chosen) - len(names)
    title += f"; {more} more song types are not shown" if more else ""
    heights, above = [1.05] * len(names), [0.0, *[0.35] * (len(names) - 1)]
    longest = max(len(shortened(name, NAME_LETTERS)) for name in names)
    place_rows(figure, heights, title, above=above, longest_name=longest, n_legend_lines=0)
    return figure


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


class Example(NamedTuple):
    """An annotation of a song type.

    Attributes:
        view: its recording.
        start, stop: in seconds.
        shown: the first and last second to show.
    """

    view: View
    start: float
    stop: float
    shown: tuple[float, float]

    @property
    def is_event(self) -> bool:
        """Whether it is a point in time."""
        return self.start == self.stop


def choose_examples(
    views: Sequence[View], n_examples: int, rng: np.random.Generator
) -> dict[str, list[Example]]:
    """Draw annotations of each song type at random from all views, keeping their order."""
    rows = [
        (view, *row)
        for view in views
        for row in occurrences(view.annotations)[COLUMNS].itertuples(index=False, name=None)
    ]
    chosen = {}
    names = {name for _, name, _, _ in rows} - {NOISE}
    for name in sorted(name for name in names if not is_absence(name, names)):
        mine = [row for row in rows if row[1] == name]
        usual = np.median([stop - start for _, _, start, stop in mine])
        before, after = (BEFORE * usual, AFTER * usual) if usual > 0 else (EVENT_SECONDS,) * 2
        drawn = sorted(rng.choice(len(mine), min(n_examples, len(mine)), replace=False))
        chosen[name] = [
            Example(view, start, stop, (start - before, start + after))
            for view, _, start, stop in (mine[i] for i in drawn)
        ]
    return chosen


def _title(number: int, sounds: pd.DataFrame) -> str:
    if number < 0:
        return "others"
    name = sounds["name"].mode()[0]
    return f"{number + 1}: {name}?" if name else f"{number + 1}: not found"


def _read(example: Example) -> tuple[np.ndarray, float]:
    """The sound of an example [samples, channels], silent beyond the recording, and its rate."""
    recording = example.view.recording
    rate = recording.samplerate_hz
    start, stop = (round(t * rate) for t in example.shown)
    stop = max(stop, start + 1)
    x = recording.read(max(0, start), min(stop, recording.n_samples))
    missing = max(0, -start), max(0, stop - recording.n_samples)
    return np.pad(x, (missing, (0, 0))), rate


def _range(sounds) -> tuple[float, float]:
    """The frequency range of all examples."""
    ranges = [
        song_range(spectrogram(x, rate), rate) for of_type in sounds.values() for x, rate in of_type
    ]
    low, high = np.array(ranges).T
    return float(low.min()), float(np.quantile(high, 0.9))


def _draw_spectrograms(axis: Axes, examples: Sequence[Example], sounds, range_hz) -> None:
    powers = [spectrogram(x, rate) for x, rate in sounds]
    low, high = range_hz
    dark, bright = np.mean([contrast(power) for power in powers], axis=0)
    for i, (power, example) in enumerate(zip(powers, examples, strict=True)):
        step = example.view.recording.samplerate_hz / 2 / (len(power) - 1)
        left = i * (1 + GAP)
        extent = (left, left + 1, -0.5 * step, (len(power) - 0.5) * step)
        look = {"cmap": "magma", "vmin": dark, "vmax": bright, "aspect": "auto"}
        axis.imshow(power, origin="lower", extent=extent, **look)
        first, last = example.shown
        for time in (example.start, example.stop):
            at = (time - first) / (last - first)
            if 0 <= at <= 1:
                axis.vlines(left + at, low, high, "white", ":", lw=1.2)
    axis.set_ylim(low, high)


def _draw_waveforms(axis: Axes, sounds) -> None:
    for i, (x, _) in enumerate(sounds):
        channel = np.abs(x).max(axis=0).argmax()  # the loudest one
        x = x[:, channel] - x[:, channel].mean()
        seconds = i * (1 + GAP) + (np.arange(len(x)) + 0.5) / len(x)
        axis.plot(seconds, x / max(np.abs(x).max(), 1e-9), color="#303030", lw=0.9)
    middles = np.arange(len(sounds)) * (1 + GAP) + 0.5
    axis.vlines(middles, -1.1, 1.1, "#909090", ":", lw=1, zorder=0)
    axis.set_ylim(-1.1, 1.1)


def _label_times(axis: Axes, examples: Sequence[Example], n_examples: int) -> None:
    """Label the time axis below each example in milliseconds from the onset."""
    first, last = examples[0].shown
    span = last - first
    shown = [1000 * (t - examples[0].start) for t in (first, last)]
    ticks = [t for t in MaxNLocator(3).tick_values(*shown) if shown[0] <= t <= 0.97 * shown[1]]
    places = [(t - shown[0]) / (1000 * span) for t in ticks]
    at = [i * (1 + GAP) + place for i in range(len(examples)) for place in places]
    labels = [f"{t:g} ms" if t == 0 else f"{t:g}" for _ in examples for t in ticks]
    axis.set_xticks(at, labels, fontsize=8)
    axis.set(xlim=(0, n_examples * (1 + GAP) - GAP), yticks=[])
    axis.spines[:].set_visible(False)
