"""The notebooks and recordings included with dss: where they are, and copies to work with.

An installed dss has them in `dss/shipped`, where `setup.py` puts them; a checkout has them in
`notebooks` and `data`.
"""

import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import Unpack

from dss.errors import DssError, raise_problems
from dss.options import NotebooksOptions, takes_options
from dss.options.arguments import NotebooksArguments
from dss.support.files import replacing

_PACKAGE = Path(__file__).parent


def shipped(name: str) -> Path:
    """The included folder "data", with subfolders of recordings, or "notebooks".

    Raises: DssError if it is missing.
    """
    for folder in (_PACKAGE / "shipped" / name, _PACKAGE.parent / name):
        if any(_examples(folder)):
            return folder
    raise DssError(
        f"{_PACKAGE / 'shipped' / name}: the {name} included with dss are missing. Install dss "
        "again, from a wheel or from a checkout"
    )


@takes_options
def write_notebooks(
    folder: Path, *, options: NotebooksOptions | None = None, **named: Unpack[NotebooksArguments]
) -> list[Path]:
    """Write the four notebooks to FOLDER/notebooks, and their example recordings to FOLDER/data.

    Identical files that already exist are left as they are.

    Arguments:
        folder: the target folder; created if necessary.

    Returns: the notebooks in the folder, in order.
    Raises: DssError if different files of the same names exist and `overwrite` is not set. Nothing
        is written then.
    """
    options = NotebooksOptions.given(options, named)
    folder = Path(folder)
    copies = {
        folder / name / path.relative_to(source): path.read_bytes()
        for name in ("notebooks", "data")
        for source in [shipped(name)]
        for path in _examples(source)
    }
    different = [path for path, content in copies.items() if _differs(path, content)]
    if not options.overwrite:
        raise_problems(
            [str(path) for path in different if path.exists()],
            f"{folder}: these files already exist, and differ from the ones in dss. Choose another "
            "folder, or replace them with --overwrite:",
        )
    for path in different:
        with replacing(path) as part:
            part.write_bytes(copies[path])
    return [path for path in copies if path.suffix == ".ipynb"]


def how_to_open(notebooks: list[Path]) -> str:
    """What to type to open the notebooks from `write_notebooks`."""
    folder = notebooks[0].parent
    commands = [f"jupyter lab {shlex.quote(str(folder))}"]
    if not all(map(find_spec, ("jupyterlab", "ipywidgets", "anywidget"))):
        commands.insert(0, 'pip install "dss[notebooks]"')
    shown = "\n".join(f"    {command}" for command in commands)
    return (
        f"The notebooks are in {folder}, next to their recordings. Now type\n\n{shown}\n\nand "
        f"begin with {notebooks[0].name}."
    )


def _examples(folder: Path) -> list[Path]:
    """The notebooks, or the recordings with annotations, in an included folder."""
    patterns = ("[0-9]_*.ipynb", "*/*.wav", "*/*_annotations.csv")
    return sorted(path for pattern in patterns for path in folder.glob(pattern))


def _differs(path: Path, content: bytes) -> bool:
    """Whether a path is missing, or has other content."""
    try:
        return not path.is_file() or path.read_bytes() != content  # a pipe would block
    except OSError as error:
        raise DssError(f"{path}: cannot be written ({error.strerror})") from None
