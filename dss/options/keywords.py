"""Show the options that a function takes, wherever its signature is looked at."""

import inspect
import textwrap
from collections.abc import Callable
from typing import Any, TypeVar, get_args

from dss.options.base import Options, describe_range

Function = TypeVar("Function", bound=Callable[..., Any])


def takes_options(function: Function) -> Function:
    """Show the options of `function` as its parameters, in `help()` and in notebooks.

    The function is written as

        def train(*, options: TrainOptions | None = None, **named: Unpack[TrainArguments]) -> Path:
            options = TrainOptions.given(options, named)

    so that editors and type checkers know the names and types, too. Its signature then reads
    `train(*, data_dir, nb_epoch=400, ...)`, and its docstring lists what the options do.
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
    shown = signature.replace(parameters=[*own, *fields])
    function.__signature__ = shown  # type: ignore[attr-defined]  # read by inspect.signature
    doc = inspect.cleandoc(function.__doc__ or "")
    function.__doc__ = f"{doc}\n\nOptions:\n{_describe_fields(options_class)}"
    return function


def _describe_fields(options_class: type[Options]) -> str:
    entries = []
    for name, field in options_class.model_fields.items():
        text = f"{name}: {field.description} {describe_range(field)}".strip()
        entries.append(textwrap.fill(text, 96, initial_indent="    ", subsequent_indent="        "))
    return "\n".join(entries)
