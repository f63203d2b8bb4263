"""Let users call a function with the fields of its options as keywords."""

import functools
import inspect
import textwrap
from collections.abc import Callable
from typing import Any, TypeVar

from dss.options.base import Options, describe_range

Result = TypeVar("Result")


def takes_options(function: Callable[..., Result]) -> Callable[..., Result]:
    """Let users call `function` with the fields of its `options` parameter as keywords.

    `function(x, *, options: TrainOptions)` becomes `function(x, *, data_dir, nb_epoch=400, ...)`:
    its signature and docstring show the fields, and their values are checked before `function`
    runs. You can still pass an options object as `options`. To type checkers, the result accepts
    any arguments, because its parameters are known only at run time.
    """
    signature = inspect.signature(function)
    options_class: type[Options] = signature.parameters["options"].annotation
    own = [p for p in signature.parameters.values() if p.name != "options"]

    @functools.wraps(function)
    def wrapper(*args: Any, options: Options | None = None, **named: Any) -> Result:
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
    shown = signature.replace(parameters=[*own, *fields])
    wrapper.__signature__ = shown  # type: ignore[attr-defined]  # read by inspect.signature
    doc = inspect.cleandoc(function.__doc__ or "").split("\n\nOptions:\n")
    wrapper.__doc__ = f"{doc[0]}\n\nOptions:\n{_describe_fields(options_class)}"
    return wrapper


def _describe_fields(options_class: type[Options]) -> str:
    entries = []
    for name, field in options_class.model_fields.items():
        text = f"{name}: {field.description} {describe_range(field)}".strip()
        entries.append(textwrap.fill(text, 96, initial_indent="    ", subsequent_indent="        "))
    return "\n".join(entries)
