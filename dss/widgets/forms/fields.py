"""The fields of a form, one per option: label, unit, help, and a chooser for paths."""

import html
from collections.abc import Iterable
from typing import Any, Literal, get_args, get_origin

import ipywidgets as widgets

from dss.options import declared, describe_range
from dss.options.notation import as_text
from dss.widgets.forms.chooser import Chooser

# Colours of JupyterLab's light or dark theme, or else colours that suit both.
STYLE = """<style>
.dss-form { max-width: 1180px; }
.dss-form h3 { font-size: 15px; font-weight: 600; margin: 16px 0 4px 0; padding-bottom: 3px;
  border-bottom: 1px solid var(--jp-border-color2, #bdbdbd88); }
.dss-form .widget-html-content { line-height: 1.35; white-space: normal; }
.dss-form .widget-box { overflow: visible; }
.dss-row { align-items: center; flex-wrap: wrap; }
.dss-said { flex: 1 1 300px; padding-left: 6px; }
.dss-said, .dss-said .widget-html-content { height: auto; font-size: 12px; }
.dss-help { color: var(--jp-ui-font-color2, #757575); }
.dss-hint { font-weight: 600; }
.dss-problem, .dss-n0 { color: var(--jp-error-color1, #d32f2f); font-weight: 600; }
.dss-doubt { color: var(--jp-warn-color0, #c25700); }
.dss-stale { opacity: 0.45; }
.dss-good { color: var(--jp-success-color1, #388e3c); font-weight: 600; }
.dss-meaning { margin-top: 12px; font-weight: 600; }
.dss-buttons { margin: 12px 0 4px 0; align-items: center; }
.dss-chooser { max-width: 560px; margin: 2px 0 8px min(274px, 15%); padding: 6px 8px;
  border: 1px solid var(--jp-border-color2, #bdbdbd); border-radius: 4px; }
.dss-more { margin: 2px 0; }
.dss-more .jupyter-widget-Collapse-header, .dss-more .jupyter-widget-Collapse-contents {
  background: none; border: none; padding: 3px 0; }
.dss-more .jupyter-widget-Collapse-header { font-size: 12px; font-weight: normal;
  color: var(--jp-content-link-color, #1976d2); padding-left: 4px; }
.dss-more .jupyter-widget-Collapse-contents { padding-bottom: 8px; }
.dss-form table { border-collapse: collapse; margin: 6px 0; font-size: 13px; }
.dss-form th, .dss-form td { padding: 2px 12px; text-align: right; }
.dss-form th:first-child, .dss-form td.dss-text { text-align: left; }
.dss-form .dss-files :is(th, td):last-child { text-align: left; }
.dss-form thead th { border-bottom: 1px solid var(--jp-border-color1, #999); }
.dss-form pre { font-size: 12px; line-height: 1.3; padding: 8px; max-width: 1000px;
  overflow-x: auto; background: var(--jp-layout-color2, #8882); }
</style>"""
SHORT = 30  # shorter descriptions are completed by the default and range
PICTURE = {"max_width": "calc(100% - 4px)", "align_self": "flex-start"}  # and its margins
NARROW = {"flex": "none", "width": "600px", "max_width": "100%"}  # label, input, chooser
WIDE = {"flex": "1 1 auto", "width": "auto", "min_width": "0"}  # what these leave to the input
LABEL = {"description_width": "min(270px, 49%)"}


class Field:
    """An option on a form.

    Arguments:
        option: the pydantic field.
        choices: values to choose from, besides typing one.

    Attributes:
        input: the widget with the value.
        widget: the whole field: the input, a chooser if it is a path, and the text beside it.
    """

    def __init__(self, option, choices: tuple[str, ...] = ()):
        self.option = option
        self.input = _input(option)
        if choices:
            self.offer(choices)
        self._message = widgets.HTML()
        self._message.add_class("dss-said")
        self.say("", "", False)
        parts = [self.input]
        extra = declared(option)
        self.chooser = None
        if extra["path"]:
            self.chooser = Chooser(extra["path"], self.set)
            button = widgets.Button(
                icon="folder-open", tooltip="Choose", layout={"width": "36px", "flex": "none"}
            )
            button.on_click(lambda _: self.chooser.toggle(self.value or self.input.placeholder))
            parts.append(button)
        row = widgets.HBox([widgets.HBox(parts, layout=NARROW), self._message])
        row.add_class("dss-row")
        self.widget = widgets.VBox([row, self.chooser.widget]) if self.chooser else row

    @property
    def value(self) -> Any:
        """The value of the field: "" if it is blank."""
        value = self.input.value
        return value.strip() if isinstance(value, str) else value

    def set(self, value: Any) -> None:
        """Fill in a value, as you would type it (`dss.options.notation.as_text`)."""
        self.input.value = as_text(value) if isinstance(self.input, widgets.Text) else value

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
        text = " ".join(parts)
        if self._message.value != text:  # each change is sent to the browser
            self._message.value = text

    @property
    def message(self) -> str:
        """The text beside the field, as HTML."""
        return self._message.value

    def _help(self, in_full: bool) -> str:
        if in_full:
            return f"{self.option.description} {describe_range(self.option)}".strip()
        first, *rest = self.option.description.split(". ")
        return ". ".join([first, *(rest[:1] if len(first) < SHORT else [])]).rstrip(".")


def problem_html(text: str) -> str:
    """An error message, as HTML."""
    lines = html.escape(text).replace("\n", "<br>")
    return f'<div class="dss-problem">{lines}</div>'


def doubt_html(doubts: Iterable[str]) -> str:
    """Warnings, as HTML."""
    return "".join(f'<div class="dss-doubt">{html.escape(doubt)}</div>' for doubt in doubts)


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
