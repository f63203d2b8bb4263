"""A button that saves annotations, in a chosen format and folder."""

import html
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import ipywidgets as widgets

from dss.errors import DssError
from dss.options import PredictFilesOptions
from dss.widgets.forms.chooser import Chooser
from dss.widgets.forms.fields import problem_html
from dss.widgets.viewer.controls import button


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
        self._chooser = Chooser("folder", self._take)
        opening = button("folder-open", "Choose", self._toggle)
        for control in (self._format, self._folder):
            control.style.description_width = "20px"
        saving = widgets.Button(description="Save annotations", icon="save", button_style="primary")
        saving.layout = {"width": "auto", "flex": "none"}
        saving.tooltip = "Write the annotations of all recordings with these thresholds"
        saving.on_click(lambda _: self._clicked())
        self._message = widgets.HTML()
        row = widgets.HBox([saving, self._format, self._folder, opening])
        row.layout.flex_flow = "row wrap"
        self.widget = widgets.VBox([row, self._chooser.widget, self._message])

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

    def _take(self, folder: str) -> None:
        self._folder.value = folder

    def _toggle(self) -> None:
        self._chooser.toggle(self.folder)

    def _clicked(self) -> None:
        try:
            files = self._save()
            folder = html.escape(str(files[0].parent))
            text = f"{len(files)} file{'s' * (len(files) > 1)} in <b>{folder}</b>"
            self._message.value = f'<span class="dss-good">✓</span> {text}'
        except (DssError, OSError) as error:
            self._message.value = problem_html(str(error))
