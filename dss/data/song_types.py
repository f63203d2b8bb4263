"""Song types: which names in annotations are song, and whether they are events or segments."""

import io
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from dss.data.annotations import ABSENT, EVENT, NOISE, SEGMENT, plain_rows
from dss.data.text_files import read_text
from dss.errors import DssError, raise_problems


def song_types(
    tables: Mapping[Path, pd.DataFrame],
    definitions: Iterable[Path] = (),
    rename: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The song types in annotation tables, with their categories: event or segment.

    A type is an event if its annotations have start = stop, and a segment otherwise. For a type
    that was never found, the definitions decide; without definitions, it is a segment if its row
    has a stop, and an event otherwise.

    Arguments:
        tables: annotation tables by the file that they come from.
        definitions: `STEM_definitions.csv` files, which need not exist: rows of a name and a
            category.
        rename: new names, by the names in the files.

    Returns: category by name, sorted by name, without `noise` and `not_<song type>`.
    Raises: DssError if a name is used for both events and segments, with the rows.
    """
    categories: dict[str, tuple[str, Path, int]] = {}
    never_found: dict[str, str] = {}
    problems = []
    stated = [*_stated_categories(tables, definitions)]
    names = {name for _, name, _, _ in stated}
    for path, old_name, category, row in stated:
        name = (rename or {}).get(old_name, old_name)
        if is_absence(old_name, names):
            continue
        if row is None:
            never_found[name] = max(category, never_found.get(name, category))
        elif categories.setdefault(name, (category, path, row))[0] != category:
            was, where, first_row = categories[name]
            problems.append(
                f"{path}, row {row}: {name} is used as {category}, but as {was} in {where}, row "
                f"{first_row}. Use two names, or set start = stop in all of them or in none."
            )
    raise_problems(problems, "A song type must be either an event or a segment:")
    kinds = never_found | {name: category for name, (category, _, _) in categories.items()}
    return {name: kinds[name] for name in sorted(kinds) if name != NOISE}


def read_definitions(path: Path) -> dict[str, str]:
    """The category, event or segment, of each name in a `STEM_definitions.csv`."""
    try:
        table = pd.read_csv(
            io.StringIO(read_text(path)), header=None, dtype=str, keep_default_na=False
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DssError(f"{path}: cannot be read as CSV ({error})") from None
    if table.shape[1] != 2:
        raise DssError(f"{path}: has {table.shape[1]} columns, but should have two: name,category")
    categories: dict[str, tuple[int, str]] = {}
    problems = []
    for row, (name, category) in enumerate(table.itertuples(index=False, name=None), start=1):
        where = f"{path}, row {row}:"
        if category not in (EVENT, SEGMENT):
            wrong = f"is {category!r}, but should be {EVENT} or {SEGMENT}"
            problems.append(f"{where} the category of {name} {wrong}")
        first, of_first = categories.setdefault(name, (row, category))
        if category != of_first:
            message = f"{name} is {category} here and {of_first} in row {first}"
            problems.append(f"{where} {message}; leave one of them")
    raise_problems(problems, "These definitions are invalid; correct them:")
    return {name: category for name, (_, category) in categories.items()}


def is_absence(name: str, names: Container[str]) -> bool:
    """Whether a name is not a song type but marks the absence of one, such as `not_x` for x."""
    return name.startswith(ABSENT) and name.removeprefix(ABSENT) in names


def renamed(name: str, rename: Mapping[str, str]) -> str:
    """The new name; what marks the absence of a song type follows its new name."""
    of_type = name.removeprefix(ABSENT)
    if name.startswith(ABSENT) and name not in rename and of_type in rename:
        return ABSENT + rename[of_type]
    return rename.get(name, name)


def song_names(names: set[str]) -> set[str]:
    """The song types among all names: neither `noise` nor `not_<song type>`."""
    return {name for name in names if name != NOISE and not is_absence(name, names)}


def _stated_categories(
    tables: Mapping[Path, pd.DataFrame], definitions: Iterable[Path]
) -> Iterator[tuple[Path, str, str, int | None]]:
    """Yield (file, name, category, row) as stated by each file; row None for a type not found."""
    for path in filter(Path.is_file, definitions):
        for row, (name, category) in enumerate(read_definitions(path).items(), start=1):
            yield path, name, category, row
    for path, table in tables.items():
        stated: dict[tuple[str, str, bool], int | None] = {}
        for row, name, start, stop in plain_rows(table):
            if np.isnan(start):
                stated.setdefault((name, EVENT if np.isnan(stop) else SEGMENT, False), None)
            else:
                stated.setdefault((name, EVENT if start == stop else SEGMENT, True), row)
        for (name, category, _), first in stated.items():
            yield path, name, category, first
