"""Progress of long work: a bar in a terminal or a notebook, quiet lines in a log."""

import sys

from tqdm.auto import tqdm


def bar(iterable=None, **settings):
    """A tqdm bar that shows nothing where the output is not seen as it is written."""
    return tqdm(iterable, disable=not _is_watched(), leave=False, **settings)


def _is_watched() -> bool:
    ipython = sys.modules.get("IPython")
    return sys.stderr.isatty() or bool(ipython and ipython.get_ipython())


def say(message: str) -> None:
    """Print a line of a log without breaking a bar."""
    tqdm.write(message, file=sys.stderr)
