"""What somebody may have meant who named a file or folder that is not there."""

import difflib
from pathlib import Path


def not_there(path: str | Path) -> str:
    """That nothing is there, with the names beside it that are nearly the same, or where it is."""
    path = Path(path)
    folder = path.parent.expanduser().resolve()
    if not folder.is_dir():
        return f"{path} is not there: there is no folder {folder}"
    near = difflib.get_close_matches(path.name, [beside.name for beside in folder.iterdir()], n=1)
    if near:
        return f"{path} is not there; did you mean {path.with_name(near[0])}?"
    return f"{path} is not there: nothing in {folder} is called so"
