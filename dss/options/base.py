"""What all options share: how a field is declared, checked, explained and handed on."""

import functools
import inspect
import re
import textwrap
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, Self, Union, get_args, get_origin

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from dss.errors import DssError, raise_problems
from dss.support import yaml_files
from dss.support.spelling import guess

PathKind = Literal["", "recordings", "dataset", "view", "run", "folder", "file", "new"]


def option(
    default: Any,
    label: str,
    help: str,
    *,
    unit: str = "",
    group: str = "",
    path: PathKind = "",
    rare: bool = False,
    **bounds: Any,
):
    """A field of an options class: what it is called, what it does, and what it may be.

    Arguments:
        default: the value if nobody says otherwise; `...` if there is none.
        label: the name on a form.
        help: one or more sentences: what it does and how to choose it.
        unit: "s", "samples", "Hz", or "" for a plain number.
        group: the heading under which a form and `--help` list it.
        path: what is chosen, if it names something on disk: a folder with "recordings", a
            "dataset", either of these ("view"), or a "run", which must be there; a "folder" or
            "file", or what is "new".
        rare: whether few need it: a form shows it only when asked to.
        bounds: the range, in pydantic's words: ge, gt, le, lt, min_length, ...
    """
    extra = {"unit": unit, "group": group, "path": path, "rare": rare}
    return Field(default, title=label, description=help, json_schema_extra=extra, **bounds)


def as_text(value: Any) -> str:
    """A value as one types it, in a form or a file: what the options read as the same value.

    Words for a list, old=new for names by names, name=shortest:longest for ranges; what these
    cannot say, such as names that hold '=', is YAML.
    """
    if isinstance(value, Options):
        value = value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, Mapping):
        if all(isinstance(item, str) for item in value.values()):
            words, read, meant = [f"{a}={b}" for a, b in value.items()], _split_pairs, value
        elif all(isinstance(item, list | tuple) for item in value.values()):
            meant = {name: [*map(str, limits)] for name, limits in value.items()}
            words = [f"{name}={':'.join(limits)}" for name, limits in meant.items()]
            read = _split_ranges
        else:
            return _as_yaml(dict(value))
    elif isinstance(value, list | tuple):
        words, read, meant = [*map(str, value)], _split_words, [*map(str, value)]
    else:
        return "" if value is None else str(value)
    text = " ".join(f'"{word}"' if re.search(r"[\s,]", word) else word for word in words)
    with suppress(ValueError):
        if read(text) == meant:
            return text
    return _as_yaml(dict(value) if isinstance(value, Mapping) else list(value))


def _as_yaml(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=10**6).strip()


def _split_words(value: Any) -> Any:
    """A list may be written as text: True "call A", as on a form; or as YAML in brackets."""
    if not isinstance(value, str):
        return [] if value == [""] else value
    if value.lstrip().startswith(("[", "{")):
        return _read_inline(value)
    words = re.findall(r'(?:"[^"]*"|[^\s,])+', value)
    return [re.sub(r'"([^"]*)"', r"\1", word) for word in words]


def _split_pairs(value: Any) -> Any:
    """A dictionary may be written as old=new, or as several of these; or as YAML in braces."""
    words = _split_items(value)
    if isinstance(words, dict):
        return words
    if not all("=" in word.strip("=") and word.count("=") == 1 for word in words):
        raise ValueError("written as old=new, or in YAML where a name holds '='")
    return dict(word.split("=", 1) for word in words)


def _split_ranges(value: Any) -> Any:
    """A dictionary of ranges may be written as name=shortest:longest, or several; or as YAML."""
    words = _split_items(value)
    if isinstance(words, dict):
        return words
    ranges = [word.rpartition("=") for word in words]
    if not all(name and limits.count(":") == 1 for name, _, limits in ranges):
        raise ValueError("written as name=shortest:longest")
    return {name: limits.split(":") for name, _, limits in ranges}


def _split_items(value: Any) -> dict | list[str]:
    """The words of a dictionary that is written as text, on a form or a command line."""
    if isinstance(value, list) and len(value) == 1 and str(value[0]).lstrip().startswith("{"):
        value = value[0]
    words = _split_words(value)
    return words if isinstance(words, dict) else [*map(str, words)]


def _read_inline(text: str) -> Any:
    """YAML text in brackets or braces; names stay as they are written, such as 1 or no."""
    try:
        return yaml_files.parse(text, "the option", yaml.BaseLoader)
    except DssError:
        raise ValueError("YAML, if it begins with a bracket or a brace") from None


def _check_ranges(ranges: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    for name, (shortest, longest) in ranges.items():
        if not 0 <= shortest <= longest:
            raise ValueError(f"0 or more, the shorter first: {name}={shortest:g}:{longest:g}")
    return ranges


Counts = Annotated[list[Annotated[int, Field(ge=1)]], BeforeValidator(_split_words)]
Switches = Annotated[list[bool], BeforeValidator(_split_words)]
Words = Annotated[list[str], BeforeValidator(_split_words)]
Renames = Annotated[dict[str, str], BeforeValidator(_split_pairs)]
Ranges = Annotated[
    dict[str, tuple[float, float]], BeforeValidator(_split_ranges), AfterValidator(_check_ranges)
]


_PLAIN_WORDS = {
    "a valid integer, unable to parse string as an integer": "a whole number",
    "a valid number, unable to parse string as a number": "a number",
    "a valid boolean, unable to interpret input": "True or False",
}


class Options(BaseModel):
    """What all options classes share: unknown names are errors, checked values do not change."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, protected_namespaces=(), allow_inf_nan=False
    )
    first_groups: ClassVar[tuple[str, ...]] = ()  # headings that come before the others

    @model_validator(mode="before")
    @classmethod
    def _read_none(cls, values: Any) -> Any:
        """The word none, on a command line, for no value, where there need not be one."""
        if not isinstance(values, dict):
            return values
        blank = {n for n, f in cls.model_fields.items() if f.default is None}
        return {n: None if n in blank and v in ("none", "None") else v for n, v in values.items()}

    @classmethod
    def checked(cls, values: Mapping[str, Any]) -> Self:
        """The options with these values; a DssError lists every value that cannot be."""
        problems = cls.problems(values)
        heading = "These options cannot be used:"
        raise_problems([f"{name}: {why}" for name, why in problems.items()], heading)
        return cls(**values)

    @classmethod
    def problems(cls, values: Mapping[str, Any]) -> dict[str, str]:
        """Why these values cannot be used: what would be right, by the name of the option."""
        try:
            cls(**values)
        except ValidationError as error:
            return {
                str(e["loc"][0] if e["loc"] else "options"): cls._explain(e) for e in error.errors()
            }
        return {}

    @classmethod
    def _explain(cls, item: dict[str, Any]) -> str:
        name = str(item["loc"][0]) if item["loc"] else ""
        if item["type"] == "extra_forbidden":
            return f"there is no such option{guess(name, cls.model_fields)}"
        if item["type"] == "missing":
            return f"is needed ({cls.model_fields[name].title.lower()})"
        if isinstance(item.get("ctx", {}).get("error"), DssError):
            error = item["ctx"]["error"]
            return "; ".join(error.problems) or str(error)
        message = item["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        for said, plain in _PLAIN_WORDS.items():
            message = message.replace(said, plain)
        return f"{item['input']!r} should be {message}" if name else message

    def to_yaml_types(self) -> dict[str, Any]:
        """The options as plain types that YAML can hold."""
        return self.model_dump(mode="json")

    def to_switches(self, names: Collection[str] | None = None) -> list[str]:
        """All options that are not blank, or those of these names, as words of a command line."""
        words = []
        for name, value in self.to_yaml_types().items():
            if value in (None, "", [], {}) if names is None else name not in names:
                continue
            words.append("--" + name.replace("_", "-"))
            if isinstance(value, dict):
                value = _as_yaml(value)
            words += map(str, value or [""]) if isinstance(value, list) else [str(value)]
        return words


def takes_options(function):
    """Let `function` be called with the fields of its `options` parameter as keywords.

    `function(x, *, options: TrainOptions)` becomes `function(x, *, data_dir, nb_epoch=400, ...)`:
    the signature and the docstring show the fields, and their values are checked before
    `function` starts. A ready options object can still be passed as `options`.
    """
    signature = inspect.signature(function)
    options_class = signature.parameters["options"].annotation
    own = [p for p in signature.parameters.values() if p.name != "options"]

    @functools.wraps(function)
    def wrapper(*args, options=None, **named):
        if options is None:
            names = {p.name for p in own}
            values = {name: named.pop(name) for name in list(named) if name not in names}
            options = options_class.checked(values)
        return function(*args, options=options, **named)

    fields = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.is_required() else field.default,
            annotation=field.annotation,
        )
        for name, field in options_class.model_fields.items()
    ]
    wrapper.__signature__ = signature.replace(parameters=[*own, *fields])
    doc = inspect.cleandoc(function.__doc__).split("\n\nOptions:\n")
    wrapper.__doc__ = f"{doc[0]}\n\nOptions:\n{_describe_fields(options_class)}"
    return wrapper


def _describe_fields(options_class: type[Options]) -> str:
    entries = []
    for name, field in options_class.model_fields.items():
        text = f"{name}: {field.description} {describe_range(field)}".strip()
        entries.append(textwrap.fill(text, 96, initial_indent="    ", subsequent_indent="        "))
    return "\n".join(entries)


def describe_range(field) -> str:
    """The default, unit and range of a field in brackets, as help and docstrings show them."""
    bounds = {
        key: getattr(m, key)
        for m in field.metadata
        for key in ("ge", "gt", "le", "lt")
        if hasattr(m, key)
    }
    symbols = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    parts = [f"{symbols[key]} {value:g}" for key, value in bounds.items()]
    if not field.is_required() and field.default not in (None, "", {}):
        default = field.default
        shown = " ".join(map(str, default)) if isinstance(default, list | tuple) else default
        parts.insert(0, f"default {shown}")
    unit = field.json_schema_extra["unit"]
    if unit:
        parts.append(f"in {unit}")
    return f"({', '.join(parts)})" if parts else ""


def grouped_fields(options_class: type[Options]) -> dict[str, list[str]]:
    """The names of the fields by the heading under which help and forms list them, in order."""
    groups: dict[str, list[str]] = {group: [] for group in options_class.first_groups}
    for name, field in options_class.model_fields.items():
        groups.setdefault(field.json_schema_extra["group"], []).append(name)
    return groups


def holds_many(field) -> bool:
    """Whether a field is a list or a dictionary, which is written as several words."""
    kinds = [field.annotation]
    while kinds:
        kind = kinds.pop()
        if get_origin(kind) in (list, dict):
            return True
        kinds += [k for k in get_args(kind) if get_origin(kind) in (Union, UnionType, Annotated)]
    return False


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file that maps names to values; a DssError says why if it cannot be."""
    return _by_name(yaml_files.read(Path(path)), str(path))


def read_options(path: Path, options_class: type[Options]) -> dict[str, Any]:
    """The values of options in a YAML file, or in the `_params.yaml` of a run.

    `train(**read_options(path, TrainOptions))` repeats a run.

    Raises: DssError if the file cannot be read, or names an option that there is not.
    """
    values = read_yaml(path)
    if "versions" in values:  # a run says much besides its options
        return {name: values[name] for name in options_class.model_fields if name in values}
    problems = [
        f"{name}: {options_class._explain({'loc': [name], 'type': 'extra_forbidden'})}"
        for name in values.keys() - options_class.model_fields.keys()
    ]
    raise_problems(sorted(problems), f"{path}: these options cannot be used:")
    return values


def parse_yaml(text: str, source: str) -> dict[str, Any]:
    """YAML text as a dictionary; `source` is what a DssError names."""
    return _by_name(yaml_files.parse(text, source), source)


def _by_name(values: Any, source: str) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise DssError(f"{source}: should hold rows such as nb_hist: 1024")
    return {str(name): value for name, value in values.items()}
