"""The notebooks and recordings that come with dss: where they are, and copies to work with.

In an installed dss they lie in `dss/shipped`, where `setup.py` puts them; in a checkout, in
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
    """The folder "data", with a folder of recordings each, or "notebooks".

    Raises: DssError if it is not there.
    """
    for folder in (_PACKAGE / "shipped" / name, _PACKAGE.parent / name):
        if any(_examples(folder)):
            return folder
    raise DssError(
        f"{_PACKAGE / 'shipped' / name}: the {name} that come with dss are not there. Install dss "
        "again, from a wheel or from a checkout"
    )


@takes_options
def write_notebooks(
    folder: Path, *, options: NotebooksOptions | None = None, **named: Unpack[NotebooksArguments]
) -> list[Path]:
    """Write the four notebooks to FOLDER/notebooks, and their example recordings to FOLDER/data.

    What is there already and the same stays as it is.

    Arguments:
        folder: where to; made if it is not there.

    Returns: the notebooks that are in the folder now, in their order.
    Raises: DssError if other files of the same names are there and `overwrite` is not set. Then
        nothing is written.
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
            f"{folder}: these files are there already, and differ from those of dss. Choose "
            "another folder, or replace them with --overwrite:",
        )
    for path in different:
        with replacing(path) as part:
            part.write_bytes(copies[path])
    return [path for path in copies if path.suffix == ".ipynb"]


def how_to_open(notebooks: list[Path]) -> str:
    """What to type to open notebooks that `write_notebooks` wrote."""
    folder = notebooks[0].parent
    commands = [f"jupyter lab {shlex.quote(str(folder))}"]
    if not all(map(find_spec, ("jupyterlab", "ipywidgets", "anywidget", "psutil"))):
        commands.insert(0, 'pip install "dss[notebooks]"')
    shown = "\n".join(f"    {command}" for command in commands)
    return (
        f"The notebooks are in {folder}, their recordings beside it. Next, type\n\n{shown}\n\n"
        f"and begin with {notebooks[0].name}."
    )


def _examples(folder: Path) -> list[Path]:
    """The notebooks, or the recordings with their annotations, in a folder that comes with dss."""
    patterns = ("[0-9]_*.ipynb", "*/*.wav", "*/*_annotations.csv")
    return sorted(path for pattern in patterns for path in folder.glob(pattern))


def _differs(path: Path, content: bytes) -> bool:
    """Whether something else is at a path, or nothing."""
    try:
        return path.read_bytes() != content
    except FileNotFoundError:
        return True
    except OSError as error:
        raise DssError(f"{path}: cannot be written ({error.strerror})") from None
