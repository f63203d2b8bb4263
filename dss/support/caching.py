"""Remember what was read from a file or a folder until it changes."""

import time
from collections.abc import Callable
from functools import lru_cache, wraps
from pathlib import Path
from typing import TypeVar

AT_REST_NS = 2_000_000_000  # after its last change, before a folder's content is remembered

T = TypeVar("T")


def stamp(path: Path) -> tuple[int, int] | None:
    """Size and time of the last change of a file or folder; None if it does not exist."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_size, status.st_mtime_ns


def cached_by_file(maxsize: int) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Cache the last results of a function of a path and further arguments until files change."""

    def decorate(function: Callable[..., T]) -> Callable[..., T]:
        @lru_cache(maxsize)
        def cached(changed: tuple[int, int] | None, path: Path, *more) -> T:
            return function(path, *more)

        @wraps(function)
        def find(path: Path, *more) -> T:
            return cached(stamp(path), path, *more)

        return find

    return decorate


def cached_by_folder(function: Callable[[Path], T]) -> Callable[[Path], T]:
    """Cache the results of a function of a folder until files are added or removed there."""
    cached = cached_by_file(8)(function)

    @wraps(function)
    def find(folder: Path) -> T:
        # File times are coarse: a folder that has just changed may change again with the same time.
        age = time.time_ns() - folder.stat().st_mtime_ns
        return cached(folder) if age > AT_REST_NS else function(folder)

    return find
