"""The base of all options classes: declare, check and describe fields."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, Self, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from dss.errors import DssError, raise_problems, shown
from dss.options.notation import as_yaml
from dss.support import yaml_files
from dss.support.spelling import guess

PathKind = Literal["", "recordings", "dataset", "view", "run", "folder", "file", "new"]


def option(
    default: Any,
    label: str,
    *,
    unit: str = "",
    group: str = "",
    path: PathKind = "",
    rare: bool = False,
    is_function: bool = False,
    **bounds: Any,
) -> Any:
    """Declare a field of an options class: its default, label, unit and range.

    The text below the field is its help: what the option does and how to choose it.

    Arguments:
        default: the default value; `...` if the option is required.
        label: the name shown on a form.
        unit: "s", "samples", "Hz", or "" for a plain number.
        group: the heading under which forms and `--help` list the option.
        path: what to select, if the option is a path: a folder with "recordings", a "dataset",
            either of these ("view"), or a "run", all of which must exist; a "folder" or "file";
            or "new" for one to be created.
        rare: whether few users need the option; a form then shows it only on request.
        is_function: whether it takes a function, which only Python can pass: command lines, forms
            and files leave it out.
        bounds: the range as pydantic's arguments: ge, gt, le, lt, min_length, ...
    """
    extra: dict[str, Any] = {"unit": unit, "group": group, "path": path, "rare": rare}
    exclude = is_function or None  # when the options are written
    return Field(default, title=label, json_schema_extra=extra, exclude=exclude, **bounds)


_PLAIN_WORDS = {
    "a valid integer, unable to parse string as an integer": "a whole number",
    "a valid number, unable to parse string as a number": "a number",
    "a valid boolean, unable to interpret input": "True or False",
    "a valid integer": "a whole number",
    "Unable to parse input string as an integer, exceeded maximum size": "a whole number",
    "a valid number": "a number",
    "a valid string": "text",
    "String should have at least 1 character": "at least one character",
    "List should have at least ": "at least ",
    "List should have at most ": "at most ",
    " items after validation, not ": " values, not ",
    " item after validation, not ": " value, not ",
}


class Options(BaseModel):
    """The base of all options classes: rejects unknown names and is immutable once checked."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        protected_namespaces=(),
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )
    first_groups: ClassVar[tuple[str, ...]] = ()  # headings to list before the others

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        for field in cls.model_fields.values():  # each help text on one line
            field.description = " ".join((field.description or "").split())

    @model_validator(mode="before")
    @classmethod
    def _read_none(cls, values: Any) -> Any:
        """Accept the word none, as typed on a command line, for options that may have no value."""
        if not isinstance(values, dict):
            return values
        blank = {n for n, f in cls.model_fields.items() if f.default is None}
        return {n: None if n in blank and v in ("none", "None") else v for n, v in values.items()}

    @model_validator(mode="after")
    def _check_paths(self) -> Self:
        """Refuse paths that no file can have."""
        for name, value in self:
            if isinstance(value, Path) and ("\0" in str(value) or not _is_text(str(value))):
                raise ValueError(f"{name}: {str(value)!a} cannot be a file or a folder")
        return self

    @classmethod
    def checked(cls, values: Mapping[str, Any]) -> Self:
        """Create options from these values; a DssError lists all values that are invalid."""
        problems = cls.problems(values)
        heading = "These options cannot be used:"
        raise_problems([f"{name}: {why}" for name, why in problems.items()], heading)
        return cls(**values)

    @classmethod
    def given(cls, options: Self | None, named: Mapping[str, Any]) -> Self:
        """What a function was called with: `options` as they are, or options by their names."""
        if options is None:
            return cls.checked(named)
        if named:
            raise DssError(f"{', '.join(named)}: give either options=... or options by their names")
        return options

    @classmethod
    def problems(cls, values: Mapping[str, Any]) -> dict[str, str]:
        """Explain which values are invalid and what would be valid, by the name of the option."""
        try:
            cls(**values)
        except ValidationError as error:
            return {
                str(e["loc"][0] if e["loc"] else "options"): cls._explain(e) for e in error.errors()
            }
        except UnicodeEncodeError as error:  # pydantic cannot say what is wrong with them
            return {"options": f"{error.object!a} is not text"}
        return {}

    @classmethod
    def _explain(cls, item: Mapping[str, Any]) -> str:
        name = str(item["loc"][0]) if item["loc"] else ""
        if item["type"] == "extra_forbidden":
            return f"there is no such option{guess(name, cls.model_fields)}"
        if item["type"] == "missing":
            field = cls.model_fields[name]
            if declared(field)["path"] == "dataset":
                return "is required: the dataset, such as song.npy, which dss make-dataset writes"
            return f"is required ({str(field.title).lower()})"
        if isinstance(item.get("ctx", {}).get("error"), DssError):
            error = item["ctx"]["error"]
            return "; ".join(error.problems) or str(error)
        message = item["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        for technical, plain in _PLAIN_WORDS.items():
            message = message.replace(technical, plain)
        return f"{shown(item['input'])} should be {message}" if name else message

    def values_given(self, of: "type[Options] | None" = None) -> dict[str, Any]:
        """The values that were given, by name; with a class, only of the options that it has."""
        names = (of or type(self)).model_fields
        return {name: getattr(self, name) for name in names if name in self.model_fields_set}

    def to_yaml_types(self) -> dict[str, Any]:
        """Convert the options to plain types that can be saved as YAML."""
        return self.model_dump(mode="json")

    def to_switches(self, names: Collection[str] | None = None) -> list[str]:
        """Convert the named options, or all that are not blank, to words of a command line."""
        words: list[str] = []
        for name, value in self.to_yaml_types().items():
            if value in (None, "", [], {}) if names is None else name not in names:
                continue
            words.append("--" + name.replace("_", "-"))
            if isinstance(value, dict):
                value = as_yaml(value)
            words += map(str, value or [""]) if isinstance(value, list) else [str(value)]
        return words


def _is_text(value: str) -> bool:
    """Whether the system can have it as a name; names that are no UTF-8 hold surrogates."""
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        return False
    return True


def describe_range(field: FieldInfo) -> str:
    """Describe the default, range and unit of a field in parentheses, for help and docstrings."""
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    bounds = {key: getattr(m, key) for m in field.metadata for key in words if hasattr(m, key)}
    parts = [
        f"{words[key]} {value:{',' if isinstance(value, int) else 'g'}}"
        for key, value in bounds.items()
    ]
    if not field.is_required() and field.default not in (None, "", {}):
        default = field.default
        shown = " ".join(map(str, default)) if isinstance(default, list | tuple) else default
        parts.insert(0, f"default {shown}")
    if unit := declared(field)["unit"]:
        parts.append(f"in {unit}")
    return f"({', '.join(parts)})" if parts else ""


def declared(field: FieldInfo) -> dict[str, Any]:
    """The unit, group, path and rare that `option` declared for a field."""
    assert isinstance(field.json_schema_extra, dict)
    return field.json_schema_extra


def grouped_fields(options_class: type[Options]) -> dict[str, list[str]]:
    """The names of the fields, by the heading under which help and forms list them."""
    groups: dict[str, list[str]] = {group: [] for group in options_class.first_groups}
    for name, field in written_fields(options_class).items():
        groups.setdefault(declared(field)["group"], []).append(name)
    return groups


def written_fields(options_class: type[Options]) -> dict[str, FieldInfo]:
    """The fields that a command line, a form or a file can hold: all but functions."""
    return {name: f for name, f in options_class.model_fields.items() if not f.exclude}


def holds_many(field: FieldInfo) -> bool:
    """Whether a field is a list or a dictionary, which you type as several words."""
    return any(get_origin(kind) in (list, dict) for kind in kinds_of(field.annotation))


def kinds_of(annotation: Any) -> list[Any]:
    """The types that an annotation allows, such as `str` and `None` for `str | None`."""
    kinds = [annotation]
    for kind in kinds:
        if get_origin(kind) in (Union, UnionType, Annotated):
            kinds += get_args(kind)
    return kinds


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file that maps names to values; a DssError says why if that is impossible."""
    return _by_name(yaml_files.read(Path(path)), str(path))


def read_options(path: Path, options_class: type[Options]) -> dict[str, Any]:
    """Read the values of options from a YAML file, or from the `_params.yaml` of a run.

    `train(**read_options(path, TrainOptions))` repeats a run.

    Raises: DssError if the file cannot be read, or contains an unknown option or an invalid value.
    """
    values = read_yaml(path)
    if "versions" in values:  # the file of a run, which stores more than its options
        values = {name: values[name] for name in options_class.model_fields if name in values}
    problems = [
        f"{name}: {why}"
        for name, why in options_class.problems(values).items()
        if name in values  # others may be given in addition
    ]
    raise_problems(sorted(problems), f"{path}: these options cannot be used:")
    return values


def parse_yaml(text: str, source: str) -> dict[str, Any]:
    """Parse YAML text into a dictionary; `source` is the name used in a DssError."""
    return _by_name(yaml_files.parse(text, source), source)


def _by_name(values: Any, source: str) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise DssError(f"{source}: contains no options; write lines such as nb_hist: 1024")
    return {str(name): value for name, value in values.items()}
