"""Write `arguments.py`, in which editors and type checkers find the options of functions.

    python -m dss.options.write_arguments

Do so after you changed an option; a test tells you if you forget.
"""

from collections.abc import Callable
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import dss.options
from dss.options.base import Options
from dss.options.written_formats import FilePerRecording, WrittenFormat

FILE = Path(__file__).with_name("arguments.py")
NAMED = {FilePerRecording: "FilePerRecording", WrittenFormat: "WrittenFormat"}  # they are long
HEAD = '''"""The options of functions, for editors and type checkers: names, and what each may be.

Written by `python -m dss.options.write_arguments`; change the classes in the other files.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict

from dss.options.augmentation import AugmentOptions
from dss.options.written_formats import FilePerRecording, WrittenFormat
'''


def arguments() -> str:
    """The text of `arguments.py`."""
    classes = [c for c in vars(dss.options).values() if isinstance(c, type) and c is not Options]
    classes = [c for c in classes if issubclass(c, Options) and c.__name__ != "AugmentOptions"]
    classes.sort(key=lambda c: (len(c.__mro__), c.__name__))  # a base before those derived from it
    return HEAD + "".join(map(_of_class, classes))


def _of_class(options: type[Options]) -> str:
    bases = [_name(base) for base in options.__bases__ if base is not Options]
    above = ", ".join(bases or ["TypedDict"])
    own = [(n, kind) for n, kind in options.__annotations__.items() if n in options.model_fields]
    fields = [f"    {name}: {' | '.join(_accepted(kind))}" for name, kind in own]
    lines = fields or ["    pass"]
    return "\n".join(["", "", f"class {_name(options)}({above}, total=False):", *lines, ""])


def _name(options: type) -> str:
    return options.__name__.replace("Options", "Arguments")


def _accepted(kind: Any) -> list[str]:
    """The types that an option accepts, which are more than what it becomes; None is the last."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        has_notation = len(parts) > 1 and hasattr(parts[1], "func")  # so text will do, too
        found = [*_accepted(parts[0]), *(["str"] if has_notation else [])]
    elif origin in (Union, UnionType):
        found = [name for part in parts for name in _accepted(part)]
    elif origin is list:
        found = [f"Sequence[{' | '.join(_accepted(parts[0]))}]"]
    elif origin in (dict, tuple):
        found = [f"{origin.__name__}[{', '.join(' | '.join(_accepted(part)) for part in parts)}]"]
    elif origin is Literal:
        found = [NAMED.get(kind) or str(kind).removeprefix("typing.").replace("'", '"')]
    elif kind is Path:
        found = ["str", "Path"]
    elif kind is Callable:
        found = ["Callable[..., Any]"]
    elif kind is NoneType:
        found = ["None"]
    elif issubclass(kind, Options):
        found = [kind.__name__, "dict[str, Any]", "Path"]
    else:
        found = [kind.__name__]
    return sorted(dict.fromkeys(found), key="None".__eq__)


if __name__ == "__main__":
    FILE.write_text(arguments(), "utf-8")
