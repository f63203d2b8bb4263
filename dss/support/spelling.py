"""What somebody may have meant who named an option, a file or a folder that is not there."""

import difflib
from collections.abc import Iterable
from pathlib import Path


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of some names that is nearly this one; None if none is."""
    return next(iter(difflib.get_close_matches(name, names, n=1)), None)


def guess(name: str, names: Iterable[str]) -> str:
    """A question that ends a sentence: did you mean the nearest name? Nothing if none is near."""
    near = nearest(name, names)
    return f"; did you mean {near}?" if near else ""


def not_there(path: str | Path) -> str:
    """That nothing is there, with the names beside it that are nearly the same, or where it is."""
    path = Path(path)
    folder = path.parent.expanduser().resolve()
    if not folder.is_dir():
        return f"{path} is not there: there is no folder {folder}"
    near = nearest(path.name, [beside.name for beside in folder.iterdir()])
    if near:
        return f"{path} is not there; did you mean {path.with_name(near)}?"
    return f"{path} is not there: nothing in {folder} is called so"
