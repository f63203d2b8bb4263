"""A button that saves annotations, in a chosen format and folder."""

import html
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import ipywidgets as widgets

from dss.options import PredictFilesOptions
from dss.support.units import counted
from dss.widgets.elements import button, done_html, errors_shown, row
from dss.widgets.forms.chooser import Chooser


class SaveRow:
    """Where and how to save annotations.

    Arguments:
        save: writes them, and returns the files.

    Attributes:
        widget: the row of controls.
    """

    def __init__(self, save: Callable[[], list[Path]]):
        self._save = save
        formats = get_args(PredictFilesOptions.model_fields["format"].annotation)
        self._format = widgets.Dropdown(
            options=formats, description="as", layout={"width": "150px"}
        )
        self._folder = widgets.Text(
            placeholder="where they were written before",
            description="in",
            layout={"width": "330px"},
        )
        self._chooser = Chooser("folder", lambda folder: setattr(self._folder, "value", folder))
        for control in (self._format, self._folder):
            control.style.description_width = "20px"
        tooltip = "Write the annotations of all recordings with these thresholds"
        look = {"icon": "save", "button_style": "primary"}
        saving = button("Save annotations", self._clicked, tooltip, **look)
        choosing = button("", lambda: self._chooser.toggle(self.folder), "Choose", "folder-open")
        self._message = widgets.HTML()
        controls = row(saving, self._format, self._folder, choosing)
        self.widget = widgets.VBox([controls, self._chooser.widget, self._message])

    @property
    def format(self) -> str:
        """The chosen format."""
        return self._format.value

    @property
    def folder(self) -> str:
        """The chosen folder; empty if there is none."""
        return self._folder.value.strip()

    def clear(self) -> None:
        """Remove the message about saved files: the annotations have changed."""
        self._message.value = ""

    def _clicked(self) -> None:
        with errors_shown(self._message):
            files = self._save()
            folder = html.escape(str(files[0].parent))
            self._message.value = done_html(f"{counted(len(files), 'file')} in <b>{folder}</b>")
