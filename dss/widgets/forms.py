"""Forms: the options of a stage as fields to fill in, with a button that runs the stage."""

import html
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import ipywidgets as widgets
import yaml

from dss.errors import DssError
from dss.files import replacing
from dss.options import Options, describe_range, grouped_fields

MEMORY = Path(".dss_forms.yaml")  # what was last used in this folder
LABEL = {"description_width": "270px"}


class Form:
    """A form for an options class: a field an option, by groups, and a button.

    A field is filled with its default, with what was last used in this folder, or with what is
    given, whichever comes last. What cannot be used is said beside the field, and the button waits.

    Arguments:
        options_class: whose fields the form shows.
        action: what the button does, called with the options as named arguments, those left blank
            excepted, such as `dss.train.train`.
        button: the text on it.
        values: what the fields hold at first.
        remember: a name under which to remember what was last used in this folder; None to forget.

    Attributes:
        widget: what a notebook shows.
        result: what the action returned; None before.
    """

    def __init__(
        self,
        options_class: type[Options],
        action: Callable[..., Any],
        button: str = "Run",
        *,
        values: Mapping[str, Any] | None = None,
        remember: str | None = None,
    ):
        self.options_class = options_class
        self.action = action
        self.remember = remember
        self.result = None
        self._fields = {name: _field(f) for name, f in options_class.model_fields.items()}
        self._messages = {name: widgets.HTML() for name in self._fields}
        self._button = widgets.Button(description=button, button_style="primary")
        self._button.on_click(lambda _: self._start())
        self._output = widgets.Output()
        for field in self._fields.values():
            field.observe(lambda _: self._check(), names="value")
        self.options = {**self._remembered(), **(values or {})}
        self.widget = widgets.VBox([*self._groups(), self._button, self._output])

    @property
    def options(self) -> dict[str, Any]:
        """The values of the fields, those left blank excepted. Set some with a dictionary."""
        return {
            name: field.value
            for name, field in self._fields.items()
            if field.value not in ("", None)
        }

    @options.setter
    def options(self, values: Mapping[str, Any]) -> None:
        unknown = [name for name in values if name not in self._fields]
        if unknown:
            problems = self.options_class.problems(dict(values))
            raise DssError("\n".join(f"{name}: {problems[name]}" for name in unknown))
        for name, value in values.items():
            self._fields[name].value = _as_shown(self._fields[name], value)
        self._check()

    @property
    def problems(self) -> dict[str, str]:
        """Why the form cannot be run, by option; empty if it can."""
        return self.options_class.problems(self.options)

    def run(self) -> Any:
        """Do what the button does, and wait for it. Returns what the action returns."""
        self.options_class.checked(self.options)
        if self.remember:
            with replacing(MEMORY) as part:
                part.write_text(yaml.safe_dump(_memory() | {self.remember: self.options}))
        self.result = self.action(**self.options)
        return self.result

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.widget)

    def _start(self) -> None:
        """Run in a thread of its own, so that the notebook can go on."""
        self._button.disabled = True
        self._output.clear_output()
        threading.Thread(target=self._run_shown, daemon=True).start()

    def _run_shown(self) -> None:
        try:
            self.run()
            self._output.append_stdout(f"{self.result}\n")
        except (DssError, OSError) as error:
            self._output.append_stderr(f"{error}\n")
        finally:
            self._check()

    def _check(self) -> None:
        problems = self.problems
        for name, message in self._messages.items():
            text = html.escape(problems.get(name, ""))
            message.value = f'<span style="color:#c62828">{text}</span>'
        self._button.disabled = bool(problems)

    def _groups(self) -> list[widgets.Widget]:
        shown = []
        for title, names in grouped_fields(self.options_class).items():
            shown.append(widgets.HTML(f"<b>{html.escape(title)}</b>"))
            shown += [widgets.HBox([self._fields[name], self._messages[name]]) for name in names]
        return shown

    def _remembered(self) -> dict[str, Any]:
        values = _memory().get(self.remember, {}) if self.remember else {}
        return {name: value for name, value in values.items() if name in self._fields}


def _memory() -> dict[str, Any]:
    """What was last used in this folder, by form."""
    try:
        return yaml.safe_load(MEMORY.read_text()) or {}
    except (OSError, yaml.YAMLError):
        return {}


def _field(field) -> widgets.Widget:
    """The widget for an option: a switch, a choice, or text that is read as on a command line."""
    unit = field.json_schema_extra["unit"]
    look = {
        "description": field.title + (f" ({unit})" if unit else ""),
        "tooltip": f"{field.description} {describe_range(field)}".strip(),
        "style": LABEL,
        "layout": widgets.Layout(width="610px"),
    }
    if field.annotation is bool:
        return widgets.Checkbox(value=bool(field.default), indent=True, **look)
    if get_origin(field.annotation) is Literal:
        return widgets.Dropdown(options=get_args(field.annotation), value=field.default, **look)
    text = widgets.Text(
        placeholder="" if field.is_required() else "leave blank for default", **look
    )
    if not field.is_required():
        text.value = _as_shown(text, field.default)
    return text


def _as_shown(field: widgets.Widget, value: Any) -> Any:
    """A value as the field shows it: words for a list, old=new for a dictionary."""
    if not isinstance(field, widgets.Text):
        return value
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return " ".join(f"{key}={item}" for key, item in value.items())
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
