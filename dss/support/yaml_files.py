"""Read YAML from any source: plain data only, within limits.

Nothing in it is ever run. An alias counts as everything that it stands for, and must not contain
itself: 16 MB of aliases can stand for gigabytes.
"""

from pathlib import Path
from typing import Any

import yaml

from dss.errors import DssError

# The parser in C is ten times as fast, but some builds of PyYAML lack it.
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MOST_BYTES = 2**26
MOST_NODES = 2**21  # numbers, texts, lists and dictionaries, with aliases expanded
DEEPEST = 50  # nested lists
LONGEST_PLAIN = 100_000  # characters without quotes, which may be a number


def read(path: Path, loader: type = Loader) -> Any:
    """Read a YAML file with a safe loader, which may know more tags.

    Raises: DssError that names the file, if it is missing, unreadable, or not plain data.
    """
    if not path.is_file():  # a pipe would block
        raise DssError(f"{path}: there is no such file")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DssError(
                f"{path}: cannot be read as YAML (it has more than {MOST_BYTES:,} bytes)"
            )
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise DssError(f"{path}: cannot be read ({str(error.strerror).lower()})") from None
    except UnicodeDecodeError as error:
        why = f"byte {error.start + 1} is no text in UTF-8"
        raise DssError(f"{path}: cannot be read as YAML ({why})") from None
    return parse(text, str(path), loader)


def parse(text: str, source: str, loader: type = Loader) -> Any:
    """Parse YAML text; `source` is the name for a DssError."""
    try:
        _check_size(text)
        return yaml.load(text, loader)
    except DssError:
        raise
    except Exception as error:  # such as a ValueError for a date in month 13
        raise DssError(f"{source}: cannot be read as YAML ({_why(error)})") from None


def _why(error: Exception) -> str:
    """What is wrong, and in which line, without the words of PyYAML about its own work."""
    if isinstance(error, yaml.reader.ReaderError):
        return f"character {error.position + 1} is no text"
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return " ".join(str(error).split())  # in one line
    what = str(error.problem)
    if isinstance(error, yaml.constructor.ConstructorError) and "'tag:" in what:
        tag = what.rpartition("'tag:")[2].rstrip("'").replace("yaml.org,2002:", "!!")
        what = f"{tag} is no plain value"
    return f"line {error.problem_mark.line + 1}: {what}"


def _check_size(text: str) -> None:
    """Raise a ValueError if YAML text stands for too much, judging by its events alone."""
    if len(text) > MOST_BYTES:
        raise ValueError(f"it has more than {MOST_BYTES:,} characters")
    sizes: dict[str | None, int] = {}  # by anchor
    open_nodes: list[list[Any]] = []  # anchor and size of each enclosing list or dictionary
    for event in yaml.parse(text, Loader):
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, size = open_nodes.pop()
        elif isinstance(event, yaml.CollectionStartEvent):
            sizes.pop(event.anchor, None)  # or it could contain itself under a name used before
            open_nodes.append([event.anchor, 1])
            if len(open_nodes) > DEEPEST:
                raise ValueError(f"it is nested more than {DEEPEST} deep")
            continue
        elif isinstance(event, yaml.ScalarEvent):
            anchor, size = event.anchor, 1
            if not event.style and len(event.value) > LONGEST_PLAIN:
                raise ValueError(f"it has a value of {len(event.value):,} characters")
        elif isinstance(event, yaml.AliasEvent):
            anchor, size = None, sizes.get(event.anchor)
            if size is None:
                raise ValueError(f"the alias *{event.anchor} contains itself, or is undefined")
        else:
            continue
        if anchor is not None:
            sizes[anchor] = size
        if open_nodes:
            open_nodes[-1][1] += size
        if size > MOST_NODES or (open_nodes and open_nodes[-1][1] > MOST_NODES):
            raise ValueError(f"it stands for more than {MOST_NODES:,} values")
