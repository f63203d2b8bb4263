"""The fields of a form, one per option: label, unit, help, and a chooser for paths."""

import html
from typing import Any, Literal, get_args, get_origin

import ipywidgets as widgets

from dss.options import declared, describe_range
from dss.options.notation import as_text
from dss.widgets.elements import button
from dss.widgets.forms.chooser import Chooser

SHORT = 30  # shorter descriptions are completed by the default and range
NARROW = {"flex": "none", "width": "600px", "max_width": "100%"}  # label, input, chooser
WIDE = {"flex": "1 1 auto", "width": "auto", "min_width": "0"}  # what these leave to the input
LABEL = {"description_width": "min(270px, 49%)"}


class Field:
    """An option on a form.

    Arguments:
        option: the pydantic field.

    Attributes:
        input: the widget with the value.
        chooser: for a path, what chooses it.
        widget: the whole field: the input, the chooser, and the text beside it.
    """

    def __init__(self, option):
        self.option = option
        self.input = _input(option)
        self._message = widgets.HTML()
        self._message.add_class("dss-said")
        parts, below = [self.input], []
        if kind := declared(option)["path"]:
            self.chooser = chooser = Chooser(kind, self.set)
            parts.append(button("", lambda: chooser.toggle(self.value), "Choose", "folder-open"))
            below.append(chooser.widget)
        row = widgets.HBox([widgets.HBox(parts, layout=NARROW), self._message])
        row.add_class("dss-row")
        self.widget = widgets.VBox([row, *below])

    @property
    def value(self) -> Any:
        """The value of the field: "" if it is blank."""
        value = self.input.value
        return value.strip() if isinstance(value, str) else value

    def set(self, value: Any) -> None:
        """Fill in a value, as you would type it (`dss.options.notation.as_text`)."""
        self.input.value = as_text(value) if isinstance(self.input, widgets.Text) else value

    def takes(self, value: Any) -> bool:
        """Whether a value can be filled in: text fields take all, and say if it is wrong."""
        if isinstance(self.input, widgets.Checkbox):
            return isinstance(value, bool)
        if isinstance(self.input, widgets.Dropdown):
            return value in get_args(self.option.annotation)
        return True

    @property
    def choices(self) -> str:
        """The values that a checkbox or a list of choices takes, for a message."""
        return " or ".join(map(str, get_args(self.option.annotation) or (True, False)))

    @property
    def default(self) -> Any:
        """The value of the field unless you change it."""
        return _default(self.option)

    def offer(self, choices: tuple[str, ...]) -> None:
        """Offer these choices, if the field takes text."""
        self.input.options = choices

    def say(self, problem: str, hint: str, in_full: bool) -> None:
        """Show what is wrong, what the value means, and what the option does."""
        parts = [
            f'<span class="dss-{kind}">{html.escape(text)}</span>'
            for kind, text in (("problem", problem), ("hint", hint), ("help", self._help(in_full)))
            if text
        ]
        self._message.value = " ".join(parts)

    @property
    def message(self) -> str:
        """The text beside the field, as HTML."""
        return self._message.value

    def _help(self, in_full: bool) -> str:
        if in_full:
            return f"{self.option.description} {describe_range(self.option)}".strip()
        first, *rest = self.option.description.split(". ")
        return ". ".join([first, *(rest[:1] if len(first) < SHORT else [])]).rstrip(".")


def _input(option) -> widgets.Widget:
    """A checkbox, a list of choices, or text that is parsed as on the command line."""
    unit = declared(option)["unit"]
    look = {
        "description": option.title + (f" ({unit})" if unit else ""),
        "tooltip": f"{option.description} {describe_range(option)}".strip(),
        "style": LABEL,
        "layout": WIDE,
    }
    if option.annotation is bool:
        return widgets.Checkbox(value=_default(option), indent=True, **look)
    if get_origin(option.annotation) is Literal:
        choices = [(choice or "(none)", choice) for choice in get_args(option.annotation)]
        return widgets.Dropdown(options=choices, value=_default(option), **look)
    return widgets.Combobox(value=_default(option), **look)


def _default(option) -> Any:
    if option.annotation is bool or get_origin(option.annotation) is Literal:
        return option.default
    return "" if option.is_required() else as_text(option.default)
