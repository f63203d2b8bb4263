"""How values of options are typed in forms, files and on the command line, and parsed back."""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from dss.errors import DssError
from dss.options.song_type_names import SongTypeName
from dss.support import yaml_files


def as_text(value: Any) -> str:
    """Format a value as you would type it in a form or a file; options parse it back unchanged.

    Lists become words, renames old=new, and ranges name=shortest:longest. Values that these
    notations cannot express, such as names that contain '=', become YAML.
    """
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", exclude_defaults=True)
    meant: Mapping | list[str]
    if isinstance(value, Mapping):
        if all(isinstance(item, str) for item in value.values()):
            words, read, meant = [f"{a}={b}" for a, b in value.items()], _split_pairs, value
        elif all(isinstance(item, list | tuple) for item in value.values()):
            meant = {name: [*map(str, limits)] for name, limits in value.items()}
            words = [f"{name}={':'.join(limits)}" for name, limits in meant.items()]
            read = _split_ranges
        else:
            return as_yaml(dict(value))
    elif isinstance(value, list | tuple):
        words, read, meant = [*map(str, value)], _split_words, [*map(str, value)]
    else:
        return "" if value is None else str(value)
    text = " ".join(f'"{word}"' if re.search(r"[\s,]", word) else word for word in words)
    with suppress(ValueError):
        if read(text) == meant:
            return text
    return as_yaml(dict(value) if isinstance(value, Mapping) else list(value))


def as_yaml(value: Any) -> str:
    """Format a value as YAML in one line."""
    return yaml.safe_dump(value, default_flow_style=True, width=10**6).strip()


def _split_words(value: Any) -> Any:
    """Parse a list typed as words, such as True "call A", or as YAML in brackets."""
    if not isinstance(value, str):
        return [] if value == [""] else value
    if value.lstrip().startswith(("[", "{")):
        return _read_inline(value)
    words = re.findall(r'(?:"[^"]*"|[^\s,])+', value)
    return [re.sub(r'"([^"]*)"', r"\1", word) for word in words]


def _split_pairs(value: Any) -> Any:
    """Parse a dictionary typed as one or more old=new, or as YAML in braces."""
    words = _split_items(value)
    if isinstance(words, dict):
        return words
    if not all("=" in word.strip("=") and word.count("=") == 1 for word in words):
        raise ValueError("written as old=new, or as YAML if a name contains '='")
    return dict(word.split("=", 1) for word in words)


def _split_ranges(value: Any) -> Any:
    """Parse ranges typed as one or more name=shortest:longest, or as YAML in braces."""
    words = _split_items(value)
    if isinstance(words, dict):
        return words
    ranges = [word.rpartition("=") for word in words]
    if not all(name and limits.count(":") == 1 for name, _, limits in ranges):
        raise ValueError("written as name=shortest:longest")
    return {name: limits.split(":") for name, _, limits in ranges}


def _split_items(value: Any) -> dict | list[str]:
    """Split a dictionary typed on a form or a command line into words, or read it as YAML."""
    if isinstance(value, list) and len(value) == 1 and str(value[0]).lstrip().startswith("{"):
        value = value[0]
    words = _split_words(value)
    if not isinstance(words, dict | list | tuple):
        raise ValueError("a dictionary")
    return words if isinstance(words, dict) else [*map(str, words)]


def _read_inline(text: str) -> Any:
    """Read YAML in brackets or braces; names such as 1 or no stay text."""
    try:
        return yaml_files.parse(text, "the option", yaml.BaseLoader)
    except DssError:
        raise ValueError("valid YAML, because it starts with a bracket or a brace") from None


def _check_ranges(ranges: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    for name, (shortest, longest) in ranges.items():
        if not 0 <= shortest <= longest:
            raise ValueError(f"0 or more, the shorter first: {name}={shortest:g}:{longest:g}")
    return ranges


Counts = Annotated[list[Annotated[int, Field(ge=1)]], BeforeValidator(_split_words)]
Bins = Annotated[list[Annotated[int, Field(ge=0)]], BeforeValidator(_split_words)]
Parts = Annotated[list[Annotated[float, Field(gt=0, le=1)]], BeforeValidator(_split_words)]
Switches = Annotated[list[bool], BeforeValidator(_split_words)]
Words = Annotated[list[str], BeforeValidator(_split_words)]
Renames = Annotated[dict[str, SongTypeName], BeforeValidator(_split_pairs)]
Ranges = Annotated[
    dict[str, tuple[float, float]], BeforeValidator(_split_ranges), AfterValidator(_check_ranges)
]
