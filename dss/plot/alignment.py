"""Alignment: does the sound start where the annotations and the targets say?"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dss.data.annotations import EVENT, SEGMENT
from dss.data.automatic_options import EVENT_STD_SECONDS
from dss.data.targets import make_targets
from dss.errors import DssError
from dss.plot.colors import paler, song_colors
from dss.plot.examples import Example, choose_examples
from dss.plot.figure import plain_style
from dss.plot.labels import shortened
from dss.plot.layout import figure_panels
from dss.review.view import View
from dss.support.units import readable

REACH_SECONDS = {SEGMENT: 0.05, EVENT: 0.015}  # around an onset or offset
SMOOTH_SECONDS = {SEGMENT: 0.004, EVENT: 0.001}
N_POINTS = 301
N_COLUMNS = 5


@plain_style()
def plot_alignment(views: Sequence[View], n_examples: int = 100, seed: int = 0) -> Figure:
    """Plot the loudness around onsets, offsets and events, with the target there.

    The coloured line is the median of the loudness, scaled from 0 to 1 in each example; half of the
    examples lie in the pale band. The black line is the mean target: from the dataset, or what the
    annotations of a folder will become. If sound starts before its target, annotations are late, or
    shifted relative to the audio. The width of an event is measured on its target, at half height.

    Arguments:
        views: recordings or splits from `dss.review.views.open_views`.
        n_examples: the maximum number of examples per song type.
        seed: other seeds choose other examples.

    Raises: DssError if nothing is annotated.
    """
    chosen = choose_examples(views, n_examples, np.random.default_rng(seed))
    if not chosen:
        raise DssError("Nothing is annotated here, so there is nothing to align")
    colors = song_colors(list(chosen))
    n_columns = min(len(chosen), N_COLUMNS)
    n_bands = -(-len(chosen) // n_columns)
    are_events = [examples[0].is_event for examples in chosen.values()]
    n_rows = 1 if all(are_events) else 2  # panels per type
    figure, axes = figure_panels(n_rows * n_bands, n_columns, 1.1, 0.5, 0.75, left=0.45)
    panels = axes.reshape(n_bands, n_rows, n_columns).swapaxes(1, 2).reshape(-1, n_rows)
    for pair, (name, examples) in zip(panels, chosen.items(), strict=False):
        edges = ["event"] if examples[0].is_event else ["onset", "offset"]
        for axis, edge in zip(pair, edges, strict=False):
            ms, loudness, target = around(name, examples, edge == "offset")
            _draw(axis, ms, loudness, target, colors[name])
            axis.set_xlabel(f"ms from {edge}", fontsize=9)
        width = f"\nwidth {readable(width_ms(ms, target) / 1000)}" if edges == ["event"] else ""
        pair[0].set_title(f"{shortened(name)}\nn = {len(examples)}{width}", fontsize=9)
    for axis in axes.ravel():
        axis.set_axis_on() if axis.lines else axis.set_axis_off()
    for axis in axes[:, 1:].ravel():
        axis.tick_params(labelleft=False)
    lines = axes[0, 0].lines[:2]
    figure.legend(lines, ["loudness", "target"], loc="lower center", ncols=2, fontsize=9)
    return figure


def around(
    name: str, examples: Sequence[Example], at_stop: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Loudness and target around each example of a song type.

    Arguments:
        name: the song type.
        examples: from `choose_examples`.
        at_stop: around the offset instead of the onset.

    Returns: milliseconds [points]; loudness [examples, points], each from 0 to 1; target [examples,
        points].
    """
    kind = EVENT if examples[0].is_event else SEGMENT
    reach, smooth = REACH_SECONDS[kind], SMOOTH_SECONDS[kind]
    seconds = np.linspace(-reach, reach, N_POINTS)
    loudness, target = [], []
    for view, start, stop, _ in examples:
        rate, middle = view.recording.samplerate_hz, stop if at_stop else start
        margin = 2 * smooth + 2 / rate
        first = max(0, round((middle - reach - margin) * rate))
        last = min(view.recording.n_samples, round((middle + reach + margin) * rate) + 1)
        x = view.recording.read(first, last)
        at = np.arange(first, last) / rate - middle
        loudness.append(
            np.interp(seconds, at, _loudness(x, rate, smooth), left=np.nan, right=np.nan)
        )
        y = _target(view, name, kind, first, last)
        target.append(np.interp(seconds, at, y, left=np.nan, right=np.nan))
    return 1000 * seconds, np.array(loudness), np.array(target)


def width_ms(ms: np.ndarray, target: np.ndarray) -> float:
    """For how long the mean of targets [examples, points] exceeds half of its peak."""
    target = np.nanmean(target, axis=0)
    return float((target >= target.max() / 2).sum() * (ms[1] - ms[0]))


def _loudness(x: np.ndarray, rate: float, smooth_seconds: float) -> np.ndarray:
    """The smoothed level [samples], from 0 to 1."""
    x = x - x.mean(axis=0)
    n = max(1, round(smooth_seconds * rate)) | 1
    level = np.sqrt(np.convolve((x**2).sum(axis=1), np.ones(n) / n, mode="same"))
    low, high = np.quantile(level, [0.05, 0.95])
    return np.clip((level - low) / max(high - low, 1e-12), 0, 1)


def _target(view: View, name: str, kind: str, first: int, last: int) -> np.ndarray:
    """The target of a song type in a stretch [samples]."""
    if view.targets is not None:
        y = view.targets[first:last, list(view.class_names).index(name)]
        return np.asarray(y, np.float32)
    rate, types = view.recording.samplerate_hz, {name: kind}
    return make_targets(view.annotations, types, rate, first, last, EVENT_STD_SECONDS)[:, 1]


def _draw(axis: Axes, ms, loudness, target, color: str) -> None:
    quantile = np.nanquantile if np.isnan(loudness).any() else np.quantile  # 100 times as fast
    low, middle, high = quantile(loudness, [0.25, 0.5, 0.75], axis=0)
    axis.plot(ms, middle, color=color, lw=1.8)
    axis.plot(ms, np.nanmean(target, axis=0), color="black", lw=1.2)
    axis.fill_between(ms, low, high, color=paler(color, 0.7), lw=0)
    axis.axvline(0, color="#909090", lw=0.8, ls=":")
    axis.set(xlim=(ms[0], ms[-1]), ylim=(-0.05, 1.1), yticks=[0, 0.5, 1])
    axis.tick_params(labelsize=9)
