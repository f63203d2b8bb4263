"""Show the options that a function takes, wherever its signature is looked at."""

import inspect
import textwrap
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast, get_args

from dss.errors import shown
from dss.options.base import Options, declared, describe_range

Function = TypeVar("Function", bound=Callable[..., Any])


def takes_options(function: Function) -> Function:
    """Show the options of `function` as its parameters, in `help()` and in notebooks.

    The function is written as

        def train(*, options: TrainOptions | None = None, **named: Unpack[TrainArguments]) -> Path:
            options = TrainOptions.given(options, named)

    so that editors and type checkers know the names and types, too. Its signature then reads
    `train(*, data_dir, nb_epoch=400, ...)`, and its docstring lists what the options do. Called
    with too many arguments without names, it raises a TypeError that says how to call it.
    """
    signature = inspect.signature(function)
    options_class: type[Options] = get_args(signature.parameters["options"].annotation)[0]
    (arguments,) = get_args(signature.parameters["named"].annotation)
    own = [p for p in signature.parameters.values() if p.name not in ("options", "named")]
    fields = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.is_required() else field.default,
            annotation=arguments.__annotations__.get(name, field.annotation),
        )
        for name, field in options_class.model_fields.items()
    ]
    unnamed = [p.name for p in own if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]

    @wraps(function)
    def checked(*given: Any, **named: Any) -> Any:
        if len(given) > len(unnamed):
            raise TypeError(_how_to_call(function, unnamed, options_class, given))
        return function(*given, **named)

    doc = inspect.cleandoc(function.__doc__ or "")
    checked.__doc__ = f"{doc}\n\nOptions:\n{_describe_fields(options_class)}"
    checked.__signature__ = signature.replace(parameters=[*own, *fields])  # type: ignore[attr-defined]
    return cast(Function, checked)


def _how_to_call(
    function: Callable, unnamed: list[str], options_class: type[Options], given: tuple[Any, ...]
) -> str:
    """That options need their names, with a call that gives one: as a rule, what was meant."""
    name = function.__qualname__.removesuffix(".__init__")
    own = [argument for argument in unnamed if argument != "self"]
    surplus, fields = given[len(unnamed)], options_class.model_fields
    if isinstance(surplus, Options):
        meant = "options=..."
    else:
        required = [n for n, field in fields.items() if field.is_required()]
        paths = [n for n, field in fields.items() if declared(field)["path"]]
        option = [*required, *paths, *fields][0]
        meant = f"{option}={shown(str(surplus)) if required else '...'}"
    takes = f"{' and '.join(own)}, and options by their names" if own else "options by their names"
    return f"{name}() takes {takes}, such as {name}({', '.join([*own, meant])})"


def _describe_fields(options_class: type[Options]) -> str:
    entries = []
    for name, field in options_class.model_fields.items():
        text = f"{name}: {field.description} {describe_range(field)}".strip()
        entries.append(textwrap.fill(text, 96, initial_indent="    ", subsequent_indent="        "))
    return "\n".join(entries)
