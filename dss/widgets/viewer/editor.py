"""Annotating by hand in a viewer: name the selection, or click an annotation to select it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from dss.data.annotations import ABSENT, NOISE
from dss.data.song_types import is_absence
from dss.data.text_tables import COLUMNS, TIMES
from dss.errors import DssError
from dss.review import table_edits
from dss.review.edits import Edited, mark_annotated, n_outside_annotated
from dss.review.false_alarms import reject
from dss.support.units import counted
from dss.widgets.elements import help_html, press
from dss.widgets.viewer.draft import Draft
from dss.widgets.viewer.editor_panel import ONE, SHOWN, EditorPanel


class Editor:
    """Edits the manual annotations of the recording in view.

    Arguments:
        viewer: the `dss.widgets.Viewer`.

    Attributes:
        widget: the name, the buttons, and a description of the keys, in a fold.
        draft: the annotations with the changes that are not saved yet.
        chosen: the row of the selected annotation; None if none is selected.
    """

    def __init__(self, viewer):
        self._viewer = viewer
        self.draft, self.chosen = Draft(viewer), None
        self._prediction: tuple[pd.DataFrame, int] | None = None  # a table and the row marked in it
        self._is_possible = True
        self._saved = ""  # the last message about saving, until something else is shown
        self._panel = panel = EditorPanel(self, viewer)
        self.widget, self.add_control = panel.widget, panel.add_control
        self._name, self._which, self._message = panel.name, panel.which, panel.message

    @property
    def names(self) -> list[str]:
        """The song types, in the order of the keys 1 to 9."""
        return list(self._name.options)

    def fit(self, names: list[str], is_possible: bool) -> None:
        """Adapt the editor to other annotations, with these song types for the keys."""
        self.choose(None)
        self._name.options, self._saved = names, ""
        if self._name.value not in names:
            self._name.value = ""
        self._is_possible = is_possible
        self.widget.layout.display = "" if is_possible else "none"
        self._panel.explain_keys(names)
        self._say()

    def choose(self, row: int | None) -> None:
        """Select an annotation, or none."""
        self.chosen, self._prediction = row, None
        self._panel.add.description = "Add" if row is None else "Change"
        if row is not None:
            self._name.value = self.draft.now.annotations.at[row, "name"]

    def click(self, seconds: float, within_seconds: float) -> None:
        """Mark the annotation at this time, as `mark` does; without one, mark the time."""
        if not self._mark(lambda table: table_edits.annotation_at(table, seconds, within_seconds)):
            self._viewer.selection = seconds, seconds

    def mark(self, start_seconds: float, stop_seconds: float, label: str | None = None) -> None:
        """Mark an annotation, and select it if it is a manual one.

        If it is in another table, such as the predictions, `Enter` gives its name.

        Arguments:
            start_seconds, stop_seconds: the times of the annotation.
            label: the label of its table; default: the manual table, if it has such an annotation.
        """

        def row_of(table: pd.DataFrame) -> int | None:
            is_it = (table[TIMES].to_numpy() == [start_seconds, stop_seconds]).all(axis=1)
            return table.index[is_it][0] if is_it.any() else None

        if not self._mark(row_of, label):
            self._viewer.selection = start_seconds, stop_seconds

    def _mark(self, row_of: Callable[[pd.DataFrame], int | None], label: str | None = None) -> bool:
        """Mark the annotation that a function finds, manual if possible; whether there is one."""
        self.choose(None)
        by_hand, tables = self.draft.now.annotations, self._viewer.annotations
        there = [by_hand, *tables.values()]
        if {label, self._viewer.manual_label} <= tables.keys():
            is_by_hand = label == self._viewer.manual_label
            there = [by_hand if is_by_hand else tables[label]]
        for table in there:
            row = row_of(table)
            if row is not None:
                self._name.value, *marked = table.loc[row, COLUMNS]
                self.choose(row if table is by_hand else None)
                self._prediction = None if table is by_hand else (table, row)
                self._viewer.selection = tuple(marked)
                return True
        return False

    def suggest(self, name: str) -> None:
        """Put a name into the field: Enter, or Add, gives it to the selection."""
        self._name.value = name

    def annotate(self, name: str) -> None:
        """Give the selection a name: this adds an annotation, or renames the selected one.

        Depending on the choice beside the name, this applies to all annotations of the song type,
        and turns predictions into manual annotations.
        """
        now = self.draft.now
        if self._which.value == ONE or (self.chosen is None and self._prediction is None):
            self._annotate_one(name)
        elif self.chosen is not None:
            rows, old = self._rows_chosen(), now.annotations.at[self.chosen, "name"]
            self._put(now._replace(annotations=table_edits.rename(now.annotations, rows, name)))
            self._end(f"Renamed {counted(len(rows), 'annotation')} from {old} to {name.strip()}.")
        elif self._prediction is not None:
            table, row = self._prediction
            rows = self._meant(table, row)
            annotations, n = table_edits.copy_annotations(now.annotations, table.loc[rows], name)
            self._put(now._replace(annotations=annotations))
            there = len(rows) - n
            rest = f"; left out {there} that overlap your annotations" if there else ""
            self._end(f"Accepted {counted(n, 'prediction')}{rest}.")

    def name_marked(self) -> None:
        """Give the selection the name in the field."""
        self.annotate(self._name.value)

    def _annotate_one(self, name: str) -> None:
        if self._viewer.selection is None:
            raise DssError("Nothing is marked: drag over the picture, or click on it.")
        now = self.draft.now
        kinds: dict[str, str] = {}
        for label, other in self._viewer.annotations.items():
            if label != self._viewer.manual_label:
                kinds |= table_edits.kinds_of(other)
        start, stop = self._viewer.selection
        table, row = table_edits.annotate(now.annotations, name, start, stop, self.chosen, kinds)
        self._put(now._replace(annotations=table))
        self.choose(row)
        name = table.at[row, "name"]
        if name == NOISE or is_absence(name, self.names):
            what = "song" if name == NOISE else name.removeprefix(ABSENT)
            self._viewer.say(
                f"{name} says that there is no {what} here. In a recording with such annotations, "
                "only the annotated parts are known: the network does not learn from the rest."
            )

    def press(self, key: str) -> None:
        """Do what a key on the picture stands for."""
        actions = {"0": self.reject, "Enter": self.name_marked}
        actions |= {"Delete": self.delete, "Backspace": self.delete}
        actions |= {"undo": self.undo, "redo": self.redo}
        press(key, actions, self.names, self.annotate)

    def move_edges(self) -> None:
        """Move the selected annotation to the marked times."""
        if self.chosen is not None:
            self._annotate_one(self.draft.now.annotations.at[self.chosen, "name"])

    def delete(self) -> None:
        """Delete the selected annotation, or all of its song type."""
        if self.chosen is None:
            raise DssError("No annotation is selected: click one.")
        now, rows = self.draft.now, self._rows_chosen()
        self._viewer.drawing.let_rows_shrink()
        self._put(now._replace(annotations=table_edits.remove(now.annotations, rows)))
        self._end(f"Deleted {len(rows)} annotations." if len(rows) > 1 else "")

    def reject(self) -> None:
        """Mark the selection, or all of its song type, as a false alarm: known noise."""
        now, rows = self.draft.now, self._rows_chosen()
        if self.chosen is not None:
            times = now.annotations.loc[rows, TIMES].to_numpy(float)
        elif self._prediction is not None:
            table, row = self._prediction
            times = table.loc[self._meant(table, row), TIMES].to_numpy(float)
        elif self._viewer.selection is not None:
            times = np.array([self._viewer.selection])
        else:
            raise DssError("Nothing is marked: click or drag over a sound that is not song.")
        if self._viewer.manual_label not in self._viewer.annotations:  # only predictions so far
            now, rows = now._replace(annotations=now.annotations.iloc[:0]), []
        after = reject(now, times, self._viewer.recording.duration_seconds, rows)
        if after is now:
            self._end("Parts of this recording without annotations already count as noise.")
            return
        self._put(after)
        is_first = not len(now.annotations) and now.annotated_stretches is None
        rest = " The rest of the recording stays unknown until you annotate it." * is_first
        self._end(f"{counted(len(times), 'false alarm')}: noise in the next dataset.{rest}")

    def mark_view_annotated(self) -> None:
        """Note that all song in view is annotated."""
        edited = mark_annotated(self.draft.now, *self._viewer.stretch)
        self._put(edited)
        if n := n_outside_annotated(edited):
            self._viewer.say(
                f"{counted(n, 'annotation')} outside the parts you have seen will be ignored in "
                "training: press All seen there, too, or undo."
            )

    def undo(self) -> None:
        """Undo the last change."""
        self._step(self.draft.edits.undo(), "undo", "Undone")

    def redo(self) -> None:
        """Redo the change that was undone last."""
        self._step(self.draft.edits.redo(), "redo", "Redone")

    def save(self) -> list[Path]:
        """Write the annotations of all changed recordings; returns the files."""
        if not self.draft.edits.unsaved:
            self._say(self._saved or "There is nothing to save.")
            return []
        files, self._saved = self.draft.save()
        self._say(self._saved)
        return files

    def _put(self, edited: Edited) -> None:
        if not self._is_possible:
            raise DssError("This cannot be annotated: open the recordings it was made from.")
        self.draft.put(edited)
        self._viewer.show_recording(self._viewer.recording.path)

    def _step(self, recording: Path | None, what: str, done: str) -> None:
        """Show the recording in which a change was undone or redone."""
        if recording is None:
            raise DssError(f"There is nothing to {what}.")
        self._viewer.drawing.let_rows_shrink()
        self._viewer.show_recording(recording)
        self._end("")
        if recording != self._viewer.recording.path:
            self._viewer.say(f"{done} in {recording}, which is not in this viewer.")

    def _end(self, message: str) -> None:
        """Mark nothing any more, and say what was done."""
        self.choose(None)
        self._viewer.selection = None
        self._which.value = ONE  # change many only when asked to
        self._say()
        if message:
            self._viewer.say(message)

    def _rows_chosen(self) -> list[int]:
        """The rows that a change of the selected annotation applies to."""
        return [] if self.chosen is None else self._meant(self.draft.now.annotations, self.chosen)

    def _meant(self, table: pd.DataFrame, row: int) -> list[int]:
        """An annotation, or all of its type in view or in the recording, as chosen."""
        if self._which.value == ONE:
            return [row]
        stretch = self._viewer.stretch if self._which.value == SHOWN else None
        return table_edits.rows_of_type(table, table.at[row, "name"], stretch)

    def _say(self, message: str = "") -> None:
        """Show which recordings are not saved yet, or else the message."""
        unsaved = self.draft.describe()
        message = f"<b>{unsaved}</b>" if unsaved else message
        self._message.value = help_html(message)
