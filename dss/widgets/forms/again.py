"""Looking at recordings again once their annotations have been saved."""

import threading
from typing import Any

from dss.widgets.elements import button
from dss.widgets.forms.form import Form
from dss.widgets.threads import in_thread, wait_for

AGAIN, LOOKING = "Look again", "Looking again ..."
TOOLTIP = "Show what you saved in the rest of the notebook, too"


class Again:
    """A button that does what the button of a form does, shown when there is something new.

    Arguments:
        source: the form; for anything else, the button is never shown.

    Attributes:
        widget: the button.
    """

    def __init__(self, source: Any):
        self._form = source if isinstance(source, Form) else None
        self.widget = button(AGAIN, self._look, TOOLTIP, "refresh")
        self.offer(False)

    def offer(self, is_new: bool) -> None:
        """Show the button, or hide it; while it works, it stays."""
        if not self.widget.disabled:
            self.widget.layout.display = "" if is_new and self._form else "none"

    def _look(self) -> None:
        if self._form:
            self.widget.description, self.widget.disabled = LOOKING, True
            in_thread(self._wait, self._form.start())

    def _wait(self, work: threading.Thread | None) -> None:
        wait_for(work)
        self.widget.description, self.widget.disabled = AGAIN, False
        self.offer(False)
