"""A chooser for files and folders that knows datasets and runs, and opens only on demand."""

import html
import os
from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets

from dss.data.recording_files import AUDIO_ENDINGS
from dss.options.base import PathKind
from dss.runs import can_annotate
from dss.support.units import counted
from dss.widgets.elements import UserChanges, button

STORES = (".npy", ".zarr", ".h5")
PARAMS = "_params.yaml"
MOST = 500  # entries listed of a folder


class Chooser:
    """The contents of a folder: a click opens a folder, or takes the file, dataset or run.

    Everything is read where the notebook's kernel runs, so it also works on a remote server.

    Arguments:
        kind: what to look for, as options call it.
        take: called with the chosen path as text, relative to the working folder if it is inside or
            next to it.

    Attributes:
        widget: the chooser to show in a form; empty while closed.
    """

    def __init__(self, kind: PathKind, take: Callable[[str], None]):
        self.kind, self._take = kind, take
        self._where = widgets.HTML()
        self._list = widgets.Select(rows=8, layout={"width": "auto"})
        self._changes = UserChanges()  # a new list selects its first entry on its own
        self._changes.observe(self._list, self._clicked)
        label = "Put it here" if kind == "new" else "Take this folder"
        self._here = button(label, lambda: self._done(self.folder / self._name), icon="check")
        buttons = [self._here] if kind in ("recordings", "view", "folder", "new") else []
        below = widgets.HBox([*buttons, button("Close", self.close)])
        self.widget = widgets.VBox([self._where, self._list, below])
        self.widget.add_class("dss-chooser")
        self.close()

    @property
    def is_open(self) -> bool:
        """Whether the chooser is shown."""
        return self.widget.layout.display != "none"

    def open(self, path: str) -> None:
        """Show the folder that the field contains, or its nearest parent that exists."""
        there = Path(path or ".").expanduser().resolve()
        self._name = there.name if path and self.kind == "new" else ""
        is_store = self.kind == "view" and there.suffix in STORES
        is_beside = is_store or there.is_file() or self.kind in ("new", "dataset", "run", "file")
        folder = there.parent if path and is_beside else there
        while not folder.is_dir():
            folder = folder.parent
        self.show(folder)
        self.widget.layout.display = ""

    def toggle(self, path: str) -> None:
        """Open the chooser, or close it if it is open."""
        if self.is_open:
            self.close()
        else:
            self.open(path)

    def close(self) -> None:
        """Hide the chooser."""
        self.widget.layout.display = "none"

    def show(self, folder: Path) -> None:
        """List a folder."""
        self.folder = folder
        self._where.value = f"<code>{html.escape(str(folder))}</code>"
        try:
            names = sorted(os.listdir(folder), key=str.lower)
        except OSError as error:
            self._where.value += f" cannot be read ({error.strerror})"
            names = []
        if self.kind in ("recordings", "view"):
            audio = [name for name in names if name.lower().endswith(AUDIO_ENDINGS)]
            n_files = sum((folder / name).is_file() for name in audio)
            self._where.value += f" contains {counted(n_files, 'recording')}"
        entries = [(".. (the folder above)", folder.parent)] if folder.parent != folder else []
        found = [self._entry(folder / name) for name in names if not name.startswith(".")]
        with self._changes.ignored():
            self._list.options = entries + [entry for entry in found if entry][:MOST]
            self._list.value = None

    def _entry(self, path: Path) -> tuple[str, Path] | None:
        """The label of a path in the list, and what a click on it takes; None to leave it out."""
        if path.suffix in STORES and path.is_dir():
            is_listed = self.kind in ("dataset", "view", "new")
            return (f"▦ {path.name}", path) if is_listed else None
        if path.is_dir():
            return f"▸ {path.name}/", path
        if self.kind == "run" and path.name.endswith(PARAMS):
            trunk = path.with_name(path.name.removesuffix(PARAMS))
            return (f"◆ {trunk.name}", trunk) if can_annotate(trunk) else None
        is_store = self.kind in ("dataset", "view") and path.suffix == ".h5"
        is_sound = self.kind == "view" and path.name.lower().endswith(AUDIO_ENDINGS)
        return (path.name, path) if self.kind == "file" or is_store or is_sound else None

    def _clicked(self) -> None:
        path = self._list.value
        if path.is_dir() and path.suffix not in STORES:
            self.show(path)
        else:
            self._done(path)

    def _done(self, path: Path) -> None:
        name_is_missing = self.kind == "new" and path == self.folder
        self._take(as_shown(path) + os.sep * name_is_missing)
        self.close()


def as_shown(path: Path) -> str:
    """A path as you would write it: relative if it is nearby."""
    relative = os.path.relpath(path)
    far = relative.startswith(os.path.join("..", "..", ".."))
    return str(path) if far else relative
