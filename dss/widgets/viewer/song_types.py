"""The song types of a viewer, with their colours and keys."""

from collections.abc import Container, Iterable

import pandas as pd

from dss.data.annotations import occurrences


class SongTypes:
    """Song types in the order in which they appeared, so that none changes its colour.

    Attributes:
        names: all of them.
    """

    def __init__(self) -> None:
        self._is_read: dict[str, bool] = {}

    @property
    def names(self) -> list[str]:
        """All song types, in the order of their colours."""
        return [*self._is_read]

    def add(self, names: Iterable[str], are_read: bool) -> None:
        """Add the new ones among these: read from annotations, or typed by hand."""
        for name in names:
            self._is_read[name] = are_read or self._is_read.get(name, False)

    def with_keys(self, used: Container[str]) -> list[str]:
        """The song types that get keys: of those typed, only the ones still in use."""
        return [name for name, is_read in self._is_read.items() if is_read or name in used]


def names_in(tables: Iterable[pd.DataFrame]) -> list[str]:
    """The names found in annotation tables, in their order."""
    return sorted({name for table in tables for name in occurrences(table)["name"]})
