"""Plot a dataset: one split below the other."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dss.data.batches import split_stretches
from dss.data.splits import SPLITS
from dss.data.stretches import of_mask
from dss.errors import DssError
from dss.plot import rows
from dss.plot.colors import song_colors
from dss.plot.figure import plain_style
from dss.plot.labels import draw_legend
from dss.plot.layout import GAP_INCHES, Time, figure_rows, place_rows, share_time
from dss.plot.spectrogram import draw_spectrogram, song_range, spectrogram

BLOCK_SAMPLES = 2**20  # read at a time to find song
BEFORE_SECONDS = 0.25  # shown before the first song
TITLE_INCHES = 0.75  # between splits, for the numbers of the time axis and a title


@plain_style()
def plot_dataset(
    tree: xr.DataTree,
    start_seconds: float = 0.0,
    stop_seconds: float | None = None,
    *,
    from_song: bool = False,
    frequency_range_hz: tuple[float, float] | None = None,
    log_frequency: bool = False,
) -> Figure:
    """Plot a stretch of each split of a dataset: waveform, spectrogram, targets as lines and image.

    Dashed lines are cuts: what follows comes from another recording, or from another part of the
    same one. Stretches that nobody annotated are hatched. Only the stretch is read from disk.

    Arguments:
        tree: a dataset from `dss.data.open_dataset`.
        start_seconds, stop_seconds: the stretch, counted in each split; default: the whole split.
        from_song: count from just before the first song of each split.
        frequency_range_hz: lowest and highest frequency; default: the range of the song.
        log_frequency: use a logarithmic frequency axis.

    Raises: DssError if all splits end before the stretch, or the stretch is empty.

    Example:
        >>> from dss.data import open_dataset
        >>> from dss.plot import plot_dataset
        >>> figure = plot_dataset(open_dataset("finch.npy"), 0, 3, from_song=True)
    """
    samplerate_hz = tree.attrs["samplerate_x_Hz"]
    end_seconds = max(tree[split].sizes["time"] for split in SPLITS) / samplerate_hz
    if not 0 <= start_seconds < end_seconds:
        raise DssError(
            f"start_seconds is {start_seconds:g}; it should be at least 0 and below "
            f"{end_seconds:g}, where the longest split ends"
        )
    if stop_seconds is not None and round((stop_seconds - start_seconds) * samplerate_hz) < 1:
        raise DssError(
            f"stop_seconds {stop_seconds:g} should be later than start_seconds {start_seconds:g}"
        )
    splits = {}
    for split in SPLITS:
        first = _first_song(tree[split].dataset, samplerate_hz) if from_song else 0.0
        stop = None if stop_seconds is None else first + stop_seconds
        splits[split] = _read_stretch(tree, split, first + start_seconds, stop)
    shown = [one for one in splits.values() if one]
    if not shown:
        raise DssError(
            f"start_seconds is {start_seconds:g}, but no split lasts that long after its first song"
        )
    ranges = [song_range(one.power, samplerate_hz) for one in shown]
    range_hz = frequency_range_hz or (min(r[0] for r in ranges), max(r[1] for r in ranges))
    colors = song_colors(tree.attrs["class_names"])
    heights = [
        [rows.waveform_inches(one.wave), 1.6, 1.0, rows.image_inches(one.y)] if one else [0.2]
        for one in splits.values()
    ]
    figure, axes = figure_rows(sum(map(len, heights)))
    for (split, one), inches in zip(splits.items(), heights, strict=True):
        mine, axes = axes[: len(inches)], axes[len(inches) :]
        seconds = tree[split].sizes["time"] / samplerate_hz
        end = f"{round(seconds, 2):g} s"
        if one:
            shown_time = " to ".join(f"{round(t, 2):g}" for t in one.time)
            mine[0].set_title(f"{split}: {shown_time} s of {end}")
            _draw_stretch(mine, one, samplerate_hz, range_hz, log_frequency, colors)
        else:
            mine[0].set_title(f"{split}: ends at {end}" if seconds else f"{split}: empty")
            mine[0].set_axis_off()
    n_lines = draw_legend(figure, list(colors), colors, any(len(one.unknown) for one in shown))
    above = [[TITLE_INCHES, *[GAP_INCHES] * (len(inches) - 1)] for inches in heights]
    above[0][0] = TITLE_INCHES / 2
    longest = max(map(len, colors))
    inches, gaps = [*chain(*heights)], [*chain(*above)]
    place_rows(figure, inches, above=gaps, longest_name=longest, n_legend_lines=n_lines)
    return figure


class _Shown(NamedTuple):
    """The stretch of a split to show."""

    time: Time
    wave: rows.Envelope
    power: np.ndarray  # [frequencies, columns] dB
    y: rows.Envelope
    cuts: np.ndarray  # seconds
    unknown: np.ndarray  # [stretches, 2] seconds


def _draw_stretch(
    axes: Sequence[Axes],
    shown: _Shown,
    samplerate_hz: float,
    range_hz: tuple[float, float],
    log_frequency: bool,
    colors: Mapping[str, str],
) -> None:
    names, time = list(colors), shown.time
    rows.draw_waveform(axes[0], shown.wave, time)
    draw_spectrogram(axes[1], shown.power, samplerate_hz, time, range_hz, log_frequency)
    rows.draw_lines(axes[2], shown.y, names, time, colors, "target")
    rows.draw_image(axes[3], shown.y, names, time, colors, "target")
    rows.draw_cuts(axes, shown.cuts)
    rows.draw_unknown(axes, shown.unknown)
    share_time(axes, time)


def _first_song(data: xr.Dataset, samplerate_hz: float) -> float:
    """The time just before the first song of a split, in seconds; 0 if there is none."""
    noise = data["y"].variable[:, 0]
    for start in range(0, data.sizes["time"], BLOCK_SAMPLES):
        song = np.asarray(noise[start : start + BLOCK_SAMPLES].data) < 0.5
        if song.any():
            return max(0.0, (start + song.argmax()) / samplerate_hz - BEFORE_SECONDS)
    return 0.0


def _read_stretch(
    tree: xr.DataTree, split: str, start_seconds: float, stop_seconds: float | None
) -> _Shown | None:
    """Read a stretch of a split; None if the split ends before it."""
    samplerate_hz, data = tree.attrs["samplerate_x_Hz"], tree[split].dataset
    start, stop = round(start_seconds * samplerate_hz), data.sizes["time"]
    if stop_seconds is not None:
        stop = min(stop, round(stop_seconds * samplerate_hz))
    if start >= stop:
        return None
    # Variables rather than data arrays, which would slice their coordinates as well.
    x, y = (data[name].variable[start:stop].data for name in "xy")
    x = rows.shown_audio(x, samplerate_hz, None)
    cuts = split_stretches(tree, split)[:, 0]
    unknown = np.empty((0, 2))
    if "annotated" in data:
        annotated = np.asarray(data["annotated"].variable[start:stop].data, bool)
        unknown = (start + of_mask(~annotated)) / samplerate_hz
    return _Shown(
        Time(start / samplerate_hz, stop / samplerate_hz),
        rows.envelope(x, "x"),
        spectrogram(x, samplerate_hz),
        rows.envelope(y, "y"),
        cuts[(cuts > start) & (cuts < stop)] / samplerate_hz,
        unknown,
    )
