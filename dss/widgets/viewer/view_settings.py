"""Remembering how the recordings of a folder are shown."""

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import traitlets

from dss.review.view import View
from dss.widgets.forms import memory
from dss.widgets.viewer.navigation import FIRST_SECONDS

MOST_FOLDERS = 100  # folders to remember
NAME = "viewer"


class ViewSettings:
    """Remembers, for each folder of recordings, how you last looked at them in a viewer.

    It is stored in `.dss_forms.yaml` next to the notebook, as are the last values of forms.

    Arguments:
        viewer: the `dss.widgets.Viewer`.

    Attributes:
        seconds: how much to show at first.
    """

    def __init__(self, viewer):
        self._viewer = viewer
        self._folder: str | None = None  # of what is shown; None if it is not a file
        self._is_new = True
        self._last: dict[str, Any] = {}
        self.seconds = FIRST_SECONDS

    def open(self, views: Sequence[View]) -> None:
        """Look up how the recordings of this folder were shown last."""
        folder = None
        if views[0].targets is None and views[0].recording.path.is_file():
            folders = {view.recording.path.parent for view in views}
            folder = os.path.commonpath([path.resolve() for path in folders])
        self._is_new = folder is None or folder != self._folder
        self._folder = folder
        kept = memory.remembered(NAME).get(folder or "")
        self._last = self._viewer.controls.defaults | {"seconds": FIRST_SECONDS}
        self._last |= kept if isinstance(kept, dict) else {}
        with suppress(TypeError, ValueError):
            self.seconds = float(self._last["seconds"])

    def apply(self) -> None:
        """Show the first recording of another folder as its recordings were shown last."""
        if not self._is_new:
            return
        self._is_new, controls = False, self._viewer.controls
        for name in controls.defaults:
            with suppress(traitlets.TraitError, TypeError, ValueError):  # edited by hand
                controls.put({name: self._last[name]})

    def remember(self) -> None:
        """Remember how recordings are shown, if you changed that."""
        now = self._now()
        if self._folder is None or now == self._last:
            return
        self._last, self.seconds = now, now["seconds"]
        folders = memory.remembered(NAME)
        folders.pop(self._folder, None)
        folders[self._folder] = now  # the one changed last is at the end
        with suppress(OSError):  # the folder may be read-only
            memory.remember(NAME, dict([*folders.items()][-MOST_FOLDERS:]))

    def reset(self) -> None:
        """Reset how recordings are shown, and how much of them, to the defaults."""
        viewer = self._viewer
        viewer.controls.put(viewer.controls.defaults)
        middle = sum(viewer.stretch) / 2
        viewer.stretch = middle - FIRST_SECONDS / 2, middle + FIRST_SECONDS / 2
        self.remember()

    def _now(self) -> dict[str, Any]:
        """The current choices, as plain values."""
        viewer = self._viewer
        options = {name: viewer.options[name] for name in viewer.controls.defaults}
        if viewer.recording.n_channels == 1:
            options["channel"] = None
        now = {n: [*v] if isinstance(v, tuple) else v for n, v in options.items()}
        start, stop = viewer.stretch
        is_part = stop - start < viewer.recording.duration_seconds
        return now | {"seconds": round(stop - start, 4) if is_part else self.seconds}
