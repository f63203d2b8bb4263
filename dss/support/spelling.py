"""Suggest similar names for options, files and folders that do not exist."""

import difflib
import os
from collections.abc import Iterable
from pathlib import Path


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that is most similar to this one; None if none is similar."""
    return next(iter(difflib.get_close_matches(name, names, n=1)), None)


def guess(name: str, names: Iterable[str]) -> str:
    """An ending for messages: did you mean the most similar name? Empty if none is similar."""
    near = nearest(name, names)
    return f"; did you mean {near}?" if near else ""


def no_such_path(path: str | Path) -> str:
    """A message that a path does not exist, with a similar name or the missing folder."""
    path = Path(path)
    folder = Path(os.path.realpath(os.path.expanduser(path.parent)))
    if not folder.is_dir():
        return f"{path} does not exist: there is no folder {folder}"
    near = nearest(path.name, [beside.name for beside in folder.iterdir()])
    if near:
        return f"{path} does not exist; did you mean {path.with_name(near)}?"
    return f"{path} does not exist: there is no such file or folder in {folder}"
