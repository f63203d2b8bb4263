"""A viewer: scroll and zoom through recordings, listen to them, and annotate them by hand."""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import ipywidgets as widgets
import numpy as np
import pandas as pd
import xarray as xr

from dss.data.annotations import occurrences
from dss.data.recordings import Recording
from dss.errors import DssError
from dss.plot.bars import checked_annotations
from dss.review.view import View, no_annotations
from dss.review.views import views_of
from dss.widgets.elements import PICTURE, Displayed, button, errors_shown, framed
from dss.widgets.forms.again import Again
from dss.widgets.forms.chooser import Chooser
from dss.widgets.forms.form import Form
from dss.widgets.threads import in_thread
from dss.widgets.viewer.controls import Controls
from dss.widgets.viewer.drawing import Drawing
from dss.widgets.viewer.editor import Editor
from dss.widgets.viewer.event_table import EventTable
from dss.widgets.viewer.gestures import Gestures
from dss.widgets.viewer.navigation import FIRST_SECONDS, Navigation
from dss.widgets.viewer.proposing import Proposer
from dss.widgets.viewer.song_types import SongTypes, names_in
from dss.widgets.viewer.sound import player
from dss.widgets.viewer.view_settings import ViewSettings

BEFORE_SECONDS = 0.5  # shown before the first annotation
LONGEST_PLAYED_SECONDS = 60
READ_AT_ONCE = 100  # recordings whose song types are known before they are shown
MANY_VALUES = 2**24  # of targets, above which annotations are looked for in a thread

Annotations: TypeAlias = pd.DataFrame | Mapping[str, pd.DataFrame]


class Viewer(Navigation, Displayed):
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
        self._given = None if annotations is None else _labelled(annotations)
        self._one_draws = threading.RLock()
        self.values: Any = probabilities
        self.value_names = list(class_names)
        self.values_hz: float | None = None
        self._tables: dict[str, pd.DataFrame] = {}
        self.gestures = Gestures(self)
        super().__init__(self.gestures.picture)
        self._image.layout = PICTURE
        self._player = widgets.Box()
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
    def annotations(self) -> dict[str, pd.DataFrame]:
        """The annotation tables by their labels."""
        return self._tables

    @annotations.setter
    def annotations(self, annotations: Annotations) -> None:
        tables = _labelled(annotations)
        self.song_types.add(names_in(tables.values()), are_read=True)
        self._take_tables(tables)

    @property
    def manual_label(self) -> str:
        """The label of the annotation table that you edit."""
        return next(iter(self._tables), "annotations")

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

    def show_proposals(self) -> None:
        """Show the current proposals beside the other annotations."""
        with self._one_draws:
            self._take_tables(self.proposer.shown(self._tables))

    def follow_proposals(self) -> None:
        """Show the current proposals over the picture, which is not drawn again."""
        self._tables = self.proposer.shown(self._tables)
        with self._image.hold_sync():
            self._image.line = self.proposer.line(self.drawing.loudness_row)
            self._image.bars = self.proposer.bars(self.drawing.proposed_row)

    def annotations_to_edit(self) -> pd.DataFrame:
        """The table that edits start from."""
        return self._tables.get(self.manual_label, no_annotations())

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

    def _take_tables(self, tables: dict[str, pd.DataFrame]) -> None:
        """Show other annotations of the recording in view."""
        self._tables = tables
        self.controls.set_types(self._names())
        self._fit_editor()
        self._draw()

    def _fit_editor(self) -> None:
        self.song_types.add(self._names(), are_read=False)
        self.editor.fit(self.song_types.with_keys(self._names_by_hand()), self._is_a_file())

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
        self.show(first.name)

    def _load(self) -> None:
        """Load the annotations and targets of the view to be shown."""
        self._player.children, self._status.value = [], ""
        targets = self.view.targets
        if targets is not None:
            self.values, self.value_names = targets, [*self.view.class_names]
        self._tables = self._given or {}
        if self._given is not None:
            return
        if targets is None or targets.size < MANY_VALUES:
            self._tables = {"annotations": self.view.annotations}
        else:
            in_thread(self._find_annotations)

    def _find_annotations(self) -> None:
        view = self.view
        self._status.value = "Looking for the annotations in the targets ..."
        table = view.annotations
        with self._one_draws:
            if view is self.view:
                self._status.value = ""
                self.annotations = table

    def _first_annotation(self) -> float:
        """A bit before the first annotation, in the first table that has one; else 0."""
        tables = [occurrences(table) for table in self._tables.values()]
        first = next((table["start_seconds"].min() for table in tables if len(table)), 0.0)
        return max(0.0, float(first) - BEFORE_SECONDS)

    def _names(self) -> list[str]:
        return names_in(self._tables.values())

    def _first_names(self) -> list[str]:
        """The song types in all views, or in the first recordings if there are very many."""
        if self._given is not None:
            return names_in(self._given.values())
        some = self.views[:READ_AT_ONCE]
        return names_in(view.annotations for view in some if view.targets is None)

    def _names_by_hand(self) -> list[str]:
        """The song types in the manual changes."""
        edits = [self.editor.draft.edits.of(view.recording.path) for view in self.views]
        return names_in(edited.annotations for edited in edits if edited)

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

    def _whole_tables(self) -> dict[str, pd.DataFrame]:
        """The annotation tables of the whole recording, even where less was found so far."""
        return self._tables

    def _draw_again(self) -> None:
        """Draw again what was drawn before all of a long recording had been read."""
        with self._one_draws:
            if self.drawing.is_sketch:
                self._draw()


def _are_same(view: View, other: View) -> bool:
    """Whether two views show the same recording."""
    is_split = view.targets is not None or other.targets is not None
    return not is_split and view.recording.path == other.recording.path


def _labelled(annotations: Annotations) -> dict[str, pd.DataFrame]:
    if isinstance(annotations, pd.DataFrame):
        annotations = {"annotations": annotations}
    if not isinstance(annotations, Mapping):
        raise DssError("annotations: give a table, or a dictionary of tables by label")
    return {label: checked_annotations(table) for label, table in annotations.items()}
