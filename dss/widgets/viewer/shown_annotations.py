"""The annotations in view: where they come from, their song types, and proposals beside them."""

import threading
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import ipywidgets as widgets
import pandas as pd

from dss.data.annotations import occurrences
from dss.errors import DssError
from dss.plot.bars import checked_annotations
from dss.review.view import View, no_annotations
from dss.widgets.elements import problem_html
from dss.widgets.threads import in_thread
from dss.widgets.viewer.drawing import Drawing
from dss.widgets.viewer.navigation import Navigation
from dss.widgets.viewer.picture import Picture
from dss.widgets.viewer.proposing import Proposer
from dss.widgets.viewer.song_types import SongTypes, names_in

BEFORE_SECONDS = 0.5  # shown before the first annotation
READ_AT_ONCE = 100  # recordings whose song types are known before they are shown
MANY_VALUES = 2**24  # of targets, above which annotations are looked for in a thread

Annotations: TypeAlias = pd.DataFrame | Mapping[str, pd.DataFrame]


class ShownAnnotations(Navigation):
    """The annotation tables of the recording in view, which a viewer draws.

    Arguments:
        image: the picture.
        annotations: as for `Viewer`.
    """

    view: View
    views: Sequence[View]
    drawing: Drawing
    proposer: Proposer
    song_types: SongTypes

    def __init__(self, image: Picture, annotations: Annotations | None):
        super().__init__(image)
        self._given = None if annotations is None else _labelled(annotations)
        self._one_draws = threading.RLock()
        self._tables: dict[str, pd.DataFrame] = {}
        self._player = widgets.Box()

    @abstractmethod
    def _is_a_file(self) -> bool:
        """Whether the recording in view is a file, whose annotations can be changed."""

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

    def _take_tables(self, tables: dict[str, pd.DataFrame]) -> None:
        """Show other annotations of the recording in view."""
        self._tables = tables
        self.controls.set_types(self._names())
        self._fit_editor()
        self._draw()

    def _fit_editor(self) -> None:
        self.song_types.add(self._names(), are_read=False)
        self.editor.fit(self.song_types.with_keys(self._names_by_hand()), self._is_a_file())

    def _whole_tables(self) -> dict[str, pd.DataFrame]:
        """The annotation tables of the whole recording, even where less was found so far."""
        return self._tables

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
            self._status.value = problem_html(self.view.problem) if self.view.problem else ""
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


def _labelled(annotations: Annotations) -> dict[str, pd.DataFrame]:
    if isinstance(annotations, pd.DataFrame):
        annotations = {"annotations": annotations}
    if not isinstance(annotations, Mapping):
        raise DssError("annotations: give a table, or a dictionary of tables by label")
    return {label: checked_annotations(table) for label, table in annotations.items()}
