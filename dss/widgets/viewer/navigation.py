"""Moving through a recording: the stretch in view, and the selection in it."""

import html
from abc import ABC, abstractmethod
from typing import Any

import ipywidgets as widgets
import numpy as np

from dss.data.recordings import Recording
from dss.review.frequencies import frequencies_of
from dss.review.table_edits import next_annotation
from dss.widgets.viewer.picture import Picture

FIRST_SECONDS = 3.0  # shown at first
SHORTEST_SECONDS = 0.02


class Navigation(ABC):
    """Scrolls, zooms and marks; the viewer says in what, and how that is drawn.

    Arguments:
        image: the picture, which shows the selection.
    """

    annotations: Any
    options: Any
    controls: Any
    editor: Any
    events: Any

    def __init__(self, image: Picture):
        self._image = image
        self._selection: tuple[float, float] | None = None
        self._stretch: tuple[float, float] | None = None
        self._status, self._marked = widgets.HTML(), widgets.HTML()

    @property
    @abstractmethod
    def recording(self) -> Recording:
        """The recording in view."""

    @abstractmethod
    def _draw(self) -> None:
        """Draw the stretch in view."""

    @property
    def selection(self) -> tuple[float, float] | None:
        """First and last second of the selection; equal for a point in time."""
        return self._selection

    @selection.setter
    def selection(self, selection: tuple[float, float] | None) -> None:
        whole = self.recording.duration_seconds
        self._selection = None
        if selection:
            start, stop = (float(np.clip(t, 0, whole)) for t in sorted(selection))
            self._selection = start, stop
        self._image.selection = self._marked_places()
        self._marked.value = self._described()
        self.events.point(self._selection)

    @property
    def stretch(self) -> tuple[float, float]:
        """First and last second in view."""
        return self._stretch or (0.0, FIRST_SECONDS)

    @stretch.setter
    def stretch(self, stretch: tuple[float, float]) -> None:
        whole = self.recording.duration_seconds
        shortest = min(whole, max(SHORTEST_SECONDS, 2 / self.recording.samplerate_hz))
        duration = float(np.clip(stretch[1] - stretch[0], shortest, whole))
        start = float(np.clip(stretch[0], 0, whole - duration))
        self._stretch = (start, start + duration)
        self.controls.follow(self.stretch, whole)
        self._draw()

    def move(self, by: float) -> None:
        """Scroll by this many screens: 1 shows what follows, -1 what comes before."""
        start, stop = self.stretch
        self.stretch = (start + by * (stop - start), stop + by * (stop - start))

    def zoom(self, factor: float) -> None:
        """Zoom in by this factor around the middle; below 1, zoom out."""
        start, stop = self.stretch
        middle, half = (start + stop) / 2, (stop - start) / (2 * factor)
        self.stretch = (middle - half, middle + half)

    def look_at(self, seconds: float) -> None:
        """Centre the view on this time."""
        half = (self.stretch[1] - self.stretch[0]) / 2
        self.stretch = (seconds - half, seconds + half)

    def go(self, step: int) -> None:
        """Mark the next (1) or previous (-1) annotation of the chosen type, and show it.

        It is searched from the selection, or from the middle if it is not in view.
        """
        start, stop = self._selection or (np.inf, -np.inf)
        is_in_view = start <= self.stretch[1] and stop >= self.stretch[0]
        middle = (start + stop if is_in_view else sum(self.stretch)) / 2
        # If an annotation is already in the middle, look beyond it.
        beyond = 1e-6 + 0.5 / self.recording.samplerate_hz
        song_type = self.options["song_type"]
        there = next_annotation(self.annotations.values(), song_type, middle, step, beyond)
        self._status.value = ""
        if there:
            self.editor.mark(*there)
            self.look_at(sum(there) / 2)
        else:
            where = "after" if step > 0 else "before"
            self.say(f"There is no {song_type or 'annotation'} {where} {middle:.3f} s.")

    def samples(self) -> tuple[int, int]:
        """First sample in view, and the one after the last."""
        start, stop = (round(t * self.recording.samplerate_hz) for t in self.stretch)
        return start, max(stop, start + 1)

    def say(self, text: str) -> None:
        """Show a message above the picture until something else is done."""
        self._status.value = html.escape(text)

    def _marked_places(self) -> tuple[float, ...]:
        """The selection, as fractions of the view."""
        if self._selection is None or self._stretch is None:
            return ()
        start, stop = self._stretch
        return tuple((t - start) / (stop - start) for t in self._selection)

    def _described(self) -> str:
        """The times, duration and frequencies of the selection."""
        if self._selection is None:
            return ""
        start, stop = self._selection
        if start == stop:
            return f"{start:.4f} s"
        text = f"{start:.4f} to {stop:.4f} s: {1000 * (stop - start):.1f} ms"
        hz = frequencies_of(self.recording, start, stop, self.options["channel"])
        if hz is None:
            return text
        low, peak, high = (f"{value / 1000:.2f}" for value in hz)
        what = "90 % of the energy above the noise lies between these frequencies"
        return f'{text}, <span title="{what}">{low} to {high} kHz, loudest at {peak} kHz</span>'
