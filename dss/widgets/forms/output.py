"""What a function makes of the result of a form: a table, a figure, or text."""

from base64 import b64encode
from collections.abc import Callable
from os import environ
from typing import Any

import ipywidgets as widgets
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from dss.errors import DssError
from dss.support import progress
from dss.widgets.forms.form import Form


class FormOutput:
    """Show what a function makes of the result of a form, and update it with each new result.

    Arguments:
        form: the form, whose first result is waited for.
        function: called with the result; returns what to show.
    """

    def __init__(self, form: Form, function: Callable[[Any], Any]):
        self._function, self._is_app = function, progress.APP in environ
        self._below = None  # the cell output, once displayed
        result = form.finish()
        if self._is_app:
            self.output = widgets.Output()
            self._show(result)
            form.when_done(self._show)
        else:
            self._shown = _displayed(function(result))
            form.when_done(self._show_below)

    def _ipython_display_(self) -> None:
        if self._is_app:
            display(self.output)
        else:
            self._below = display(self._shown, display_id=True)

    def _show_below(self, result: Any) -> None:
        """Show a new result in place of the first one."""
        if self._below is not None:
            self._below.update(_displayed(self._called(result)))

    def _called(self, result: Any) -> Any:
        """What the function makes of a result, or the message of its error."""
        try:
            return self._function(result)
        except DssError as error:
            return str(error)

    def _show(self, result: Any) -> None:
        shown = _displayed(self._called(result))
        formatter = InteractiveShell.instance().display_formatter
        data, metadata = formatter.format(shown) if formatter else ({}, {})
        data = {k: b64encode(v).decode() if isinstance(v, bytes) else v for k, v in data.items()}
        made = {"output_type": "display_data", "data": data, "metadata": metadata}
        self.output.outputs = (made,)


class _Text(str):
    """Text that is displayed without quotes."""

    def __repr__(self) -> str:
        return str(self)


def _displayed(shown: Any) -> Any:
    """A displayable version of a result, to replace an earlier one."""
    return _Text(shown) if isinstance(shown, str) else getattr(shown, "widget", shown)
