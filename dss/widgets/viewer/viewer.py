"""A viewer: scroll and zoom through recordings, listen to them, and annotate them by hand."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from dss.data.recordings import Recording
from dss.errors import DssError
from dss.review.view import View
from dss.review.views import views_of
from dss.widgets.elements import PICTURE, Displayed, button, errors_shown, framed, problem_html
from dss.widgets.forms.again import Again
from dss.widgets.forms.chooser import Chooser
from dss.widgets.forms.form import Form
from dss.widgets.viewer.controls import Controls
from dss.widgets.viewer.drawing import Drawing
from dss.widgets.viewer.editor import Editor
from dss.widgets.viewer.event_table import EventTable
from dss.widgets.viewer.gestures import Gestures
from dss.widgets.viewer.navigation import FIRST_SECONDS
from dss.widgets.viewer.proposing import Proposer
from dss.widgets.viewer.shown_annotations import Annotations, ShownAnnotations
from dss.widgets.viewer.song_types import SongTypes
from dss.widgets.viewer.sound import player
from dss.widgets.viewer.view_settings import ViewSettings

LONGEST_PLAYED_SECONDS = 60


class Viewer(ShownAnnotations, Displayed):
    """Shows a stretch of a recording; only the stretch in view is read and drawn.

    On the picture, drag to mark a stretch, click to mark a time or select an annotation, and
    double-click to zoom to the selection; the wheel zooms with Ctrl and scrolls with Shift. To
    annotate the selection, unfold `Annotate by hand`.

    Arguments:
        source: an audio file, a folder of audio files, or a dataset; the result of
            `dss.data.open_recording` or `dss.data.open_dataset`; a list of `dss.review.views.View`;
            or a form whose result is such a list: the viewer then follows what the form opens.
        annotations: a table, or tables by label, such as {"manual": a, "predicted": b}. By default,
            the annotations next to each recording, or in the targets of a dataset.
        probabilities: [samples, classes] of the whole recording, drawn below.
        class_names: the names of the columns of the probabilities.
        start_seconds, stop_seconds: the stretch to show at first; default: 3 seconds around the
            first annotation.

    Attributes:
        widget: the viewer, to show in a notebook.
        views: all that can be shown; `show` switches between them.
        stretch: (start, stop) in seconds of the view; assign to it to move.
        selection: (start, stop) in seconds of the marked stretch, None if nothing is marked; assign
            to it to mark another stretch.
        annotations: the tables in view; assign to show others.
        editor: edits the manual annotations.
        events: the table of all annotations.
        proposer: proposes what is probably song.
        values, value_names, values_hz: what is drawn below, its classes, and its sample rate if
            that differs from the recording's.
        song_types: all song types, in the order of their colours.
        drawing: draws the view.
        settings: remembers how the recordings of a folder are shown.
        options: how the recording is shown; assign a dictionary to set some.
    """

    proposes = True  # whether it can propose what is probably song

    def __init__(
        self,
        source: str | Path | Recording | xr.DataTree | Sequence[View] | Form,
        annotations: Annotations | None = None,
        *,
        probabilities: np.ndarray | None = None,
        class_names: Sequence[str] = (),
        start_seconds: float | None = None,
        stop_seconds: float | None = None,
    ):
        self.values: Any = probabilities
        self.value_names = list(class_names)
        self.values_hz: float | None = None
        self.gestures = Gestures(self)
        super().__init__(self.gestures.picture, annotations)
        self._image.layout = PICTURE
        self.controls, self.editor, self.proposer = Controls(self), Editor(self), Proposer(self)
        self.events, self.settings = EventTable(self), ViewSettings(self)
        chooser = Chooser("view", lambda path: self.guarded(lambda: self.open(path)))
        if isinstance(source, str | Path):
            tooltip = "open a folder of recordings or a dataset"
            opening = button("", lambda: chooser.open(str(source)), tooltip, "folder-open")
            self.controls.add(opening)
        above = [chooser.widget, self.controls.widget, self._status]
        self._again = Again(source)
        self.editor.add_control(self._again.widget)
        folds = [self.editor.widget, self.events.widget, self.proposer.widget]
        self.widget = framed([*above, self._image, self._marked, *folds, self._player])
        if isinstance(source, Form):
            source.when_done(self.open)
        stretch, start = None, start_seconds or 0.0
        if start_seconds is not None or stop_seconds is not None:
            stretch = start, start + FIRST_SECONDS if stop_seconds is None else stop_seconds
        finished = source.finish() if isinstance(source, Form) else source
        self._open(views_of(finished), stretch)

    def open(self, source: str | Path | Sequence[View]) -> None:
        """Show other recordings, or another dataset, with their annotations."""
        views = views_of(source)
        with self._one_draws:
            self._given = self.values = None
            self.value_names = []
            self._again.offer(False)
            self._open(views, shown=self.view)

    def show(self, name: str) -> None:
        """Show another recording, or split."""
        names = [view.name for view in self.views]
        if name not in names:
            raise DssError(f"{name}: is not in this viewer; choose from {', '.join(names)}")
        with self._one_draws:
            self.view = self.views[names.index(name)]
            self.drawing.let_rows_shrink()
            self._load()
            self.song_types.add(self._names(), are_read=True)
            self._tables = self.editor.draft.tables(self.recording.path, self._tables)
            self.controls.fit(self.recording, self._names(), name)
            self.settings.apply()
            self._fit_editor()
            self.selection = None
        if self._stretch is None:
            first = self._first_annotation()
            self._stretch = (first, first + self.settings.seconds)
        self.stretch = self._stretch
        self.proposer.fit(self.proposes and self._is_a_file())

    @property
    def recording(self) -> Recording:
        """The recording in view."""
        return self.view.recording

    @property
    def options(self) -> dict[str, Any]:
        """How the stretch is shown: channel, song_type, frequency_range_hz, window_seconds, ..."""
        return self.controls.options

    @options.setter
    def options(self, values: Mapping[str, Any]) -> None:
        self.controls.options = values

    def play(self) -> None:
        """Play the selection, or else the view, up to a minute; ultrasound ten times slower."""
        rate = self.recording.samplerate_hz
        start, stop = self.samples()
        if self._selection and self._selection[0] < self._selection[1]:
            start, stop = (round(t * rate) for t in self._selection)
        x = self.recording.read(start, min(stop, start + round(LONGEST_PLAYED_SECONDS * rate)))
        self._player.children = [player(x[:, self.options["channel"] or 0], rate)]

    def show_recording(self, path: Path) -> None:
        """Show a recording with its current annotations; the selection stays."""
        if path != self.recording.path:
            for view in self.views:
                if view.recording.path == path:
                    self.show(view.name)
            return
        with self._one_draws:
            if self.editor.draft.edits.of(path) is None:
                self._load()
            self._tables = self.editor.draft.tables(path, self._tables)
            self._take_tables(self.proposer.shown(self._tables))

    def saved(self, recordings: Sequence[Path]) -> None:
        """Read the annotations that were saved, when they are needed again."""
        for view in self.views:
            if view.recording.path in recordings:
                view.forget()
        self._again.offer(True)

    def guarded(self, action: Callable[[], Any]) -> None:
        """Run an action, and show its error if it raises one."""
        self._status.value = ""
        with errors_shown(self._status):
            action()

    def _is_a_file(self) -> bool:
        return self.view.targets is None and self.recording.path.is_file()

    def _open(
        self,
        views: Sequence[View],
        stretch: tuple[float, float] | None = None,
        shown: View | None = None,
    ) -> None:
        """Offer these views, and show the first one: a stretch of it, or its first annotation.

        If the view shown before is among them, it stays in view.
        """
        is_same = [shown is not None and _are_same(view, shown) for view in views]
        first = views[is_same.index(True)] if any(is_same) else views[0]
        stretch = self.stretch if any(is_same) else stretch
        self.views, self.drawing = list(views), Drawing(self, self._draw_again)
        self._stretch = stretch
        self.editor.draft.edits.forget_saved()
        self.song_types = SongTypes()
        self.song_types.add(self._first_names(), are_read=True)
        self.song_types.add(self._names_by_hand(), are_read=False)
        self.controls.set_names([view.name for view in self.views])
        self.settings.open(self.views)
        self.proposer.forget_changes()
        try:
            self.show(first.name)
        except DssError as error:
            if len(self.views) == 1:
                raise
            self._status.value = problem_html(str(error))  # others can be shown

    def _draw(self) -> None:
        with self._one_draws:
            n_changes = self.proposer.n_changes
            picture, edges = self.drawing.draw()
            with self._image.hold_sync():
                self._image.value, self._image.edges = picture, edges
                self._image.selection = self._marked_places()
                self._image.line = self.proposer.line(self.drawing.loudness_row)
                if n_changes == self.proposer.n_changes:  # or the picture is already out of date
                    self._image.bars = {}
            self.events.fit(self._whole_tables())

    def _draw_again(self) -> None:
        """Draw again what was drawn before all of a long recording had been read."""
        with self._one_draws:
            if self.drawing.is_sketch:
                self._draw()


def _are_same(view: View, other: View) -> bool:
    """Whether two views show the same recording."""
    is_split = view.targets is not None or other.targets is not None
    return not is_split and view.recording.path == other.recording.path
