"""Drawing the view: a stretch of a recording, with its annotations and probabilities."""

from collections.abc import Callable

import pandas as pd
from matplotlib.transforms import Bbox

from dss.data.annotations import ABSENT, NOISE
from dss.plot.bars import REJECTED
from dss.plot.figure import SongFigure, quick_garbage_collection
from dss.plot.overview import Overviews, coarse_envelope
from dss.plot.recording import draw_recording
from dss.plot.rows import Envelope
from dss.plot.spectrogram import contrast
from dss.review.false_alarms import is_rejected
from dss.widgets.viewer.proposing import PROPOSED


class Drawing:
    """Draws the view of a viewer, reusing what it drew before to be fast.

    Arguments:
        viewer: a `dss.widgets.Viewer`.
        when_read: called, in a thread, once a long recording has been read completely: until then,
            it is drawn as a sketch.

    Attributes:
        loudness_row: top and bottom of the loudness row in the last drawing, as fractions of the
            picture's height; None without such a row.
        proposed_row: the same for the row of proposals.
    """

    def __init__(self, viewer, when_read: Callable[[], None]):
        self._viewer = viewer
        self._overviews = Overviews(when_read)
        self._figure: SongFigure | None = None
        self.loudness_row: tuple[float, float] | None = None
        self.proposed_row: tuple[float, float] | None = None

    @property
    def is_sketch(self) -> bool:
        """Whether only part of the last drawing had been read."""
        return self._overviews.is_sketch

    def let_rows_shrink(self) -> None:
        """Let rows shrink to what the next drawing needs, rather than keep their height."""
        self._figure = None

    def forget_range(self) -> None:
        """Find the frequencies of the song again, in the next drawing."""
        self._overviews.song_range_hz = None

    @quick_garbage_collection()
    def draw(self) -> tuple[bytes, tuple[float, ...]]:
        """The picture, and the edges of its rows (see `dss.widgets.viewer.picture`)."""
        viewer = self._viewer
        view, look, values = viewer.view, viewer.options, self._values()
        loudness = viewer.proposer.loudness_within(viewer.stretch)
        rate, (first, last) = viewer.recording.samplerate_hz, viewer.stretch
        start, stop = viewer.samples()
        wave, power = self._overviews.draw(
            viewer.recording, look["channel"], start, stop, look["window_seconds"]
        )
        song_range_hz = self._overviews.song_range_hz
        viewer.controls.show_automatic(contrast(power), song_range_hz)
        unknown = viewer.editor.draft.unknown(viewer.recording, view.unknown)
        here = (unknown < last) & (unknown > first)[:, ::-1]
        self._figure = draw_recording(
            wave,
            power,
            rate,
            start / rate,
            annotations=self._with_rejected(viewer.annotations),
            probabilities=values,
            what="probability" if view.targets is None else "target",
            class_names=viewer.value_names,
            song_types=viewer.song_types.names,
            unknown=unknown[here.any(axis=1)] if here.any() else None,
            cuts=[t for t in view.cuts if first < t < last],
            frequency_range_hz=look["frequency_range_hz"] or song_range_hz,
            log_frequency=look["log_frequency"],
            power_range_db=look["contrast_db"],
            with_waveform=look["waveform"],
            loudness=loudness,
            loudest_db=viewer.proposer.threshold.max,
            title=self._title(look["probabilities"] and values is None),
            again=self._figure,
        )
        places = [axis.get_position() for axis in self._figure.axes]
        self.loudness_row = self.proposed_row = None
        if loudness is not None:
            above = 1 + look["waveform"]  # the number of rows
            self.loudness_row = _sides(places[above])
            if PROPOSED in viewer.annotations:
                below = 1 + [*viewer.annotations].index(PROPOSED)
                self.proposed_row = _sides(places[above + below])
        top, bottom = places[0], places[-1]
        return self._figure.jpeg(), (top.x0, top.x1, 1 - top.y1, 1 - bottom.y0)

    def _with_rejected(self, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        """Annotation tables that say which predictions are false alarms, saved or not."""
        by_hand = tables.get(self._viewer.manual_label)
        if by_hand is None or not by_hand["name"].str.startswith((NOISE, ABSENT)).any():
            return tables
        others = {
            label: table.assign(**{REJECTED: is_rejected(table, by_hand)})
            for label, table in tables.items()
            if table is not by_hand
        }
        return tables | others

    def _values(self) -> Envelope | None:
        """The extremes of targets or probabilities; None if the stretch is too long for them."""
        viewer = self._viewer
        if viewer.values is None or not viewer.options["probabilities"]:
            return None
        rate = viewer.values_hz or viewer.recording.samplerate_hz
        return coarse_envelope(viewer.values, rate, viewer.stretch)

    def _title(self, are_values_hidden: bool) -> str:
        view = self._viewer.view
        title = view.name
        if are_values_hidden and self._viewer.values is not None:
            what = "probabilities" if view.targets is None else "targets"
            title += f" (zoom in to see the {what})"
        return title + (" (a sketch, until everything is read)" if self.is_sketch else "")


def _sides(place: Bbox) -> tuple[float, float]:
    """Top and bottom of a row, as fractions of the picture's height."""
    return 1 - place.y1, 1 - place.y0
