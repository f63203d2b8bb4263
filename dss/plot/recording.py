"""Plot a recording."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dss.errors import DssError
from dss.plot import rows
from dss.plot.bars import bars_inches, checked_annotations, draw_annotations, within
from dss.plot.colors import song_colors
from dss.plot.figure import SongFigure, plain_style
from dss.plot.labels import draw_legend
from dss.plot.layout import Time, figure_rows_again, place_rows, share_time
from dss.plot.spectrogram import draw_spectrogram, song_range, spectrogram

MAX_LINES = 8  # classes that can be distinguished as lines


def plot_recording(
    x: np.ndarray,
    samplerate_hz: float,
    *,
    annotations: pd.DataFrame | Mapping[str, pd.DataFrame] | None = None,
    probabilities: np.ndarray | None = None,
    class_names: Sequence[str] = (),
    start_seconds: float = 0.0,
    unknown: np.ndarray | None = None,
    channel: int | None = None,
    frequency_range_hz: tuple[float, float] | None = None,
    log_frequency: bool = False,
    power_range_db: tuple[float, float] | None = None,
    window_seconds: float | None = None,
    title: str | None = None,
) -> Figure:
    """Plot a stretch of a recording: waveform, spectrogram, annotations and probabilities.

    Segments are bars, with names where these fit; events are ticks. Probabilities are lines for up
    to 8 classes; for more, they are an image of the classes that reach 0.1. Long recordings are
    drawn quickly: waveform and probabilities as extremes in each of 1000 bins, the spectrogram as
    an average of at most 32768 spectra, between which something may be missed.

    Arguments:
        x: audio [samples, channels] or [samples].
        samplerate_hz: the sample rate.
        annotations: an annotation table of the whole recording, or several by label: `{"manual":
            table, "predicted": table}`.
        probabilities: [samples, classes], 0 to 1, for the samples of x.
        class_names: the names of the classes. They also determine the colours: give them to get the
            same colours in figures of recordings with different song types.
        start_seconds: where in the recording x starts.
        unknown: [stretches, 2] first and last second of stretches that nobody annotated; hatched.
        channel: the channel to draw; default: the waveforms of all, the spectrogram of their mean
            power.
        frequency_range_hz: lowest and highest frequency; default: the range of the song.
        log_frequency: use a logarithmic frequency axis.
        power_range_db: the levels drawn dark and bright, relative to a full-scale sine wave;
            default: chosen so that hiss is dark.
        window_seconds: the window of the spectra; default: 25 ms, but at most 512 samples.
        title: above the figure.

    Raises: DssError if x is empty or not finite, or the arguments are inconsistent.

    Example:
        >>> from dss.data import open_recording, read_annotations
        >>> from dss.plot import plot_recording
        >>> recording = open_recording("finch/bird1_01.wav")
        >>> annotations = read_annotations("finch/bird1_01_annotations.csv")
        >>> figure = plot_recording(
        ...     recording.read(), recording.samplerate_hz, annotations=annotations
        ... )
        >>> figure.savefig("recording.png")
    """
    x = rows.shown_audio(x, samplerate_hz, channel)
    p, wanted = None, (len(x), len(class_names))
    if probabilities is not None:
        if probabilities.shape != wanted:
            raise DssError(
                f"probabilities {probabilities.shape} should be [samples, classes] {wanted}, to "
                "match x and class_names"
            )
        p = rows.envelope(probabilities, "probabilities")
    return draw_recording(
        rows.envelope(x, "x"),
        spectrogram(x, samplerate_hz, window_seconds=window_seconds),
        samplerate_hz,
        start_seconds,
        annotations=annotations,
        probabilities=p,
        class_names=class_names,
        unknown=unknown,
        frequency_range_hz=frequency_range_hz,
        log_frequency=log_frequency,
        power_range_db=power_range_db,
        title=title,
    )


@plain_style()
def draw_recording(
    wave: rows.Envelope,
    power: np.ndarray,
    samplerate_hz: float,
    start_seconds: float,
    *,
    annotations: pd.DataFrame | Mapping[str, pd.DataFrame] | None = None,
    probabilities: rows.Envelope | None = None,
    what: str = "probability",
    class_names: Sequence[str] = (),
    song_types: Sequence[str] = (),
    unknown: np.ndarray | None = None,
    cuts: Sequence[float] = (),
    frequency_range_hz: tuple[float, float] | None = None,
    log_frequency: bool = False,
    power_range_db: tuple[float, float] | None = None,
    with_waveform: bool = True,
    loudness: rows.Envelope | None = None,
    loudest_db: float = 60.0,
    title: str | None = None,
    again: SongFigure | None = None,
) -> SongFigure:
    """Draw like `plot_recording`, from a precomputed waveform, spectra and probabilities.

    Arguments:
        wave: the extremes of the audio, from `envelope`.
        power: [frequencies, columns] dB, from `spectrogram`.
        probabilities: their extremes.
        what: the label of the probabilities.
        song_types: names that get colours after the classes, whether shown or not.
        cuts: seconds where one stretch ends and the next begins.
        with_waveform: whether to draw the waveform.
        loudness: extremes of the loudness in dB above the noise, to draw below the spectrogram.
        loudest_db: the upper end of its row.
        again: an earlier result that is no longer needed: drawing into it is faster.
    """
    time = Time(start_seconds, start_seconds + wave.n_samples / samplerate_hz)
    tables = {"annotations": annotations} if isinstance(annotations, pd.DataFrame) else annotations
    tables = {label: checked_annotations(table) for label, table in (tables or {}).items()}
    annotated = set().union(*(table["name"].unique() for table in tables.values()))
    known = [*class_names, *song_types]
    colors = song_colors([*known, *sorted(annotated - set(known))])
    bars = {label: within(table, time) for label, table in tables.items()}
    p, is_image = probabilities, len(class_names) > MAX_LINES

    kinds, heights = ["spectrogram"], [2.4]
    if with_waveform:
        kinds.insert(0, f"audio of {wave.low.shape[1]} channels")
        heights.insert(0, rows.waveform_inches(wave))
    if loudness is not None:
        kinds.append("loudness")
        heights.append(1.2)
    kinds += ["annotations"] * len(bars)
    heights += [bars_inches(bar, time) for bar in bars.values()]
    if p is not None:
        kinds.append("image" if is_image else "lines")
        heights.append(rows.image_inches(p) if is_image else 1.4)
    figure, axes = figure_rows_again(tuple(kinds), again)
    if with_waveform:
        rows.draw_waveform(axes[0], wave, time)
    spectra, *below = axes[1:] if with_waveform else axes
    range_hz = frequency_range_hz or song_range(power, samplerate_hz)
    draw_spectrogram(spectra, power, samplerate_hz, time, range_hz, log_frequency, power_range_db)
    if loudness is not None:
        rows.draw_loudness(below.pop(0), loudness, time, loudest_db)
    for axis, (label, bar) in zip(below, bars.items(), strict=False):
        draw_annotations(axis, bar, label, time, colors)
    names = set().union(*(bar["name"].unique() for bar in bars.values()))
    if p is not None:
        draw_p = rows.draw_image if is_image else rows.draw_lines
        named = draw_p(axes[-1], p, class_names, time, colors, what)
        names = names - named if is_image else names | named
    if unknown is not None:
        rows.draw_unknown(axes, unknown)
    rows.draw_cuts(axes, cuts)
    share_time(axes, time)
    shown = [name for name in colors if name in names]
    n_lines = draw_legend(figure, shown, colors, unknown is not None)
    longest = max(map(len, class_names)) if is_image else 0
    place_rows(figure, heights, title, longest_name=longest, n_legend_lines=max(1, n_lines))
    return figure
