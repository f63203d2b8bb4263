"""What a function makes of the result of a form: a table, a figure, text."""

from base64 import b64encode
from collections.abc import Callable
from os import environ
from typing import Any

import ipywidgets as widgets
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from dss import progress
from dss.errors import DssError
from dss.widgets.forms import Form


class Shown:
    """Shows what a function makes of the result of a form.

    In an app (Voila), whose cells are run only once, it is made and shown again each time the form
    has a new result. In a notebook, run the cell again.

    Arguments:
        form: it is waited for until it has a result.
        function: called with the result; returns what is shown.
    """

    def __init__(self, form: Form, function: Callable[[Any], Any]):
        self._function, self._is_app = function, progress.APP in environ
        result = form.finish()
        if self._is_app:
            self.output = widgets.Output()
            self._show(result)
            form.when_done(self._show)
        else:
            self._shown = function(result)

    def _ipython_display_(self) -> None:
        if self._is_app:
            display(self.output)
        elif isinstance(self._shown, str):
            print(self._shown)
        else:
            display(self._shown)

    def _show(self, result: Any) -> None:
        try:
            shown = self._function(result)
        except DssError as error:
            shown = str(error)
        self.output.outputs = ()
        if isinstance(shown, str):
            self.output.append_stdout(f"{shown}\n")
        else:
            data, metadata = InteractiveShell.instance().display_formatter.format(
                getattr(shown, "widget", shown)
            )
            data = {kind: _as_text(content) for kind, content in data.items()}
            made = {"output_type": "display_data", "data": data, "metadata": metadata}
            self.output.outputs = (made,)


def _as_text(content: Any) -> Any:
    """Pictures as a page takes them."""
    return b64encode(content).decode() if isinstance(content, bytes) else content
