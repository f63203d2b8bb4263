"""Packages whose submodules are imported when you first name them, to be imported fast."""

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from types import ModuleType


def imported_when_named(
    package: str, path: Iterable[str]
) -> tuple[Callable[[str], ModuleType], Callable[[], list[str]]]:
    """The functions `__getattr__` and `__dir__` of a package.

    Arguments:
        package: its `__name__`.
        path: its `__path__`.
    """

    def get(name: str) -> ModuleType:
        if name.startswith("_") or find_spec(f"{package}.{name}") is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return importlib.import_module(f"{package}.{name}")

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *(m.name for m in pkgutil.iter_modules(path))})

    return get, names
