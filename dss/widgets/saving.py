"""A button that saves annotations, in a format and a folder."""

import html
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import ipywidgets as widgets

from dss.errors import DssError
from dss.options import PredictFilesOptions


class SaveRow:
    """Where annotations are saved, and how.

    Arguments:
        save: writes them, and returns the files.

    Attributes:
        widget: what is shown.
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
        for control in (self._format, self._folder):
            control.style.description_width = "20px"
        button = widgets.Button(description="Save annotations", icon="save", button_style="primary")
        button.layout.width = "auto"
        button.tooltip = "Write the annotations of all recordings with these thresholds"
        button.on_click(lambda _: self._clicked())
        self._said = widgets.HTML()
        self.widget = widgets.VBox([widgets.HBox([button, self._format, self._folder]), self._said])

    @property
    def format(self) -> str:
        """The format chosen."""
        return self._format.value

    @property
    def folder(self) -> str:
        """The folder chosen, or nothing."""
        return self._folder.value.strip()

    def _clicked(self) -> None:
        try:
            files = self._save()
            folder = html.escape(str(files[0].parent))
            text = f"{len(files)} file{'s' * (len(files) > 1)} in <b>{folder}</b>"
            self._said.value = f'<span class="dss-good">✓</span> {text}'
        except (DssError, OSError) as error:
            self._said.value = f'<div class="dss-problem">{html.escape(str(error))}</div>'
