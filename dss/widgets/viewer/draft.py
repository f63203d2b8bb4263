"""The manual annotations of a viewer as they are edited, until they are saved."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from dss.data.annotated_stretches import read_annotated
from dss.data.annotation_files import unread_annotations
from dss.data.annotations import annotated_path, annotations_path
from dss.data.recordings import Recording
from dss.data.stretches import complement
from dss.review.edits import Edited, Edits, edited_of
from dss.review.table_edits import are_same, copy_annotations
from dss.review.view import View

EDITS = Edits()  # of all viewers: unsaved changes outlive the cell that shows the viewer


class Draft:
    """The manual annotations of the recordings of a viewer, with the changes not saved yet.

    Arguments:
        viewer: the `dss.widgets.Viewer`.

    Attributes:
        edits: the changes in all recordings and all viewers of this kernel.
    """

    def __init__(self, viewer):
        self._viewer = viewer
        self.edits = EDITS

    @property
    def now(self) -> Edited:
        """The manual annotations of the recording in view, and its annotated stretches."""
        return self._of(self._viewer.view)

    def put(self, edited: Edited) -> None:
        """Replace the annotations of the recording in view."""
        self.edits.put(self._viewer.recording.path, edited, self.now)

    def add(self, tables: Mapping[Path, pd.DataFrame], name: str) -> int:
        """Add annotations to recordings of the viewer under a name, as one change.

        Those that overlap or touch other annotations are left out.

        Returns: how many were added.
        """
        before = {
            view.recording.path: self._of(view)
            for view in self._viewer.views
            if view.recording.path in tables
        }
        after, n_added = {}, 0
        for recording, now in before.items():
            table, n = copy_annotations(now.annotations, tables[recording], name)
            after[recording] = now._replace(annotations=table)
            n_added += n
        self.edits.put_all(after, before)
        return n_added

    def not_annotated(self) -> list[View]:
        """The recordings of the viewer without annotations."""
        return [
            view
            for view in self._viewer.views
            if not len(self._of(view).annotations)
            and not annotations_path(view.recording.path).exists()  # perhaps not readable
        ]

    def tables(self, recording: Path, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        """The tables of a recording, including unsaved changes."""
        edited = self.edits.of(recording)
        if edited is None:
            return tables
        label = self._viewer.manual_label
        return {label: edited.annotations, **{n: t for n, t in tables.items() if n != label}}

    def unknown(self, recording: Recording, otherwise: np.ndarray) -> np.ndarray:
        """The stretches of a recording that are not annotated: [stretches, 2] seconds."""
        edited = self.edits.of(recording.path)
        if edited is None or edited.annotated_stretches is None:
            return otherwise
        return complement(edited.annotated_stretches, recording.duration_seconds)

    def _of(self, view: View) -> Edited:
        """The manual annotations of a recording, and its annotated stretches."""
        recording = view.recording
        edited = self.edits.of(recording.path)
        if edited:
            return edited
        seen = None
        if annotated_path(recording.path).is_file():
            seen = read_annotated(recording.path, recording.duration_seconds)
        is_shown = view is self._viewer.view
        table = self._viewer.annotations_to_edit() if is_shown else view.annotations
        return edited_of(view, table.reset_index(drop=True), seen)

    def save(self) -> tuple[list[Path], str]:
        """Write the annotations of all changed recordings; the files, and a message about them."""
        recordings = self.edits.unsaved
        files = self.edits.save()
        ignored = [other.name for r in recordings for other in unread_annotations(r)]
        message = f"Saved {_listed([file.name for file in files])}."
        if ignored:
            message += f" {_listed(ignored)}: no longer read."
        now = self.edits.of(self._viewer.recording.path)
        if now and not are_same(now.annotations, self._viewer.view.read_annotations()):
            message += " But this viewer reads other annotations: see annotation format, or loader."
        self._viewer.saved(recordings)
        return files, message

    def describe(self) -> str:
        """Which recordings are not saved yet; blank if all are."""
        names = [recording.name for recording in self.edits.unsaved]
        return f"Not saved yet: {_listed(names)}" if names else ""


def _listed(names: Sequence[str]) -> str:
    """The first names; dots stand for more."""
    return ", ".join(names[:3]) + " ..." * (len(names) > 3)
