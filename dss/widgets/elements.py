"""What forms and viewers are made of: buttons, folds, pictures and messages."""

import html
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import ipywidgets as widgets
import pandas as pd
from IPython.display import display

from dss.errors import DssError

WRAPPED = {"align_items": "center", "flex_flow": "row wrap"}  # the layout of a row of controls
PICTURE = {"max_width": "calc(100% - 4px)", "align_self": "flex-start"}  # without its margins


class Displayed:
    """Something that shows its `widget` as the last line of a cell."""

    widget: widgets.Widget

    def _ipython_display_(self) -> None:
        display(self.widget)


class UserChanges:
    """Tells values that the user sets from those that the program sets."""

    def __init__(self) -> None:
        self._n_ignored = 0

    def observe(self, control: widgets.Widget, action: Callable[[], object]) -> None:
        """Run an action whenever the user changes the value of a control."""
        control.observe(lambda _: None if self._n_ignored else action(), names="value")

    @contextmanager
    def ignored(self) -> Iterator[None]:
        """Set values without running actions."""
        self._n_ignored += 1
        try:
            yield
        finally:
            self._n_ignored -= 1


def framed(children: Iterable[widgets.Widget]) -> widgets.VBox:
    """Widgets one below the other, in the style of dss."""
    style = Path(__file__).with_name("style.css").read_text("utf-8")
    box = widgets.VBox([widgets.HTML(f"<style>{style}</style>"), *children])
    box.add_class("dss-form")
    return box


def fold(title: str, *children: widgets.Widget) -> widgets.Accordion:
    """Widgets that are folded away below a title."""
    made = widgets.Accordion([widgets.VBox(children)], titles=(title,), selected_index=None)
    made.add_class("dss-more")
    return made


def row(*controls: widgets.Widget) -> widgets.HBox:
    """Controls side by side, in several lines if they need to be."""
    return widgets.HBox(controls, layout=WRAPPED)


def button(
    text: str, action: Callable[[], object], tooltip: str = "", icon: str = "", **look
) -> widgets.Button:
    """A button as wide as its text; without text, a small one with an icon."""
    layout = {"width": "auto" if text else "44px", "flex": "none"}
    made = widgets.Button(description=text, tooltip=tooltip, icon=icon, layout=layout, **look)
    made.on_click(lambda _: action())
    return made


def guarded_buttons(
    guarded: Callable[[Callable], None], *described: tuple[str, str, str, Callable[[], object]]
) -> list[widgets.Button]:
    """Buttons whose errors are shown.

    Arguments:
        guarded: runs an action, and shows its error.
        described: the text, icon, tooltip and action of each button.
    """
    return [
        button(text, partial(guarded, action), tooltip, icon)
        for text, icon, tooltip, action in described
    ]


def press(
    key: str,
    actions: Mapping[str, Callable[[], object]],
    names: Sequence[str],
    give_name: Callable[[str], object],
) -> None:
    """Do what a key stands for: an action, or giving one of the names with the keys 1 to 9."""
    if key in actions:
        actions[key]()
    elif key.isdigit() and 1 <= int(key) <= len(names):
        give_name(names[int(key) - 1])


def name_field(on_enter: Callable[[], object]) -> widgets.Combobox:
    """A field for a song type, with an action for Enter, even if the text is unchanged."""
    field = widgets.Combobox(placeholder="song type", layout={"width": "150px"})

    def hear(_, content: dict, __) -> None:
        if content.get("event") == "submit":
            on_enter()

    field.on_msg(hear)
    return field


@contextmanager
def errors_shown(where: widgets.HTML) -> Iterator[None]:
    """Show an error as a message instead of raising it."""
    try:
        yield
    except (DssError, OSError) as error:
        where.value = problem_html(str(error))


def problem_html(text: str) -> str:
    """An error message, as HTML; the problems that it lists are indented."""
    first, *lines = html.escape(text).split("\n")
    listed = "".join(f"<div>{line}</div>" for line in lines)
    return f'<div class="dss-problem">{first}{listed}</div>'


def doubt_html(doubts: Iterable[str]) -> str:
    """Warnings, as HTML."""
    return "".join(f'<div class="dss-doubt">{html.escape(doubt)}</div>' for doubt in doubts)


def help_html(text: str) -> str:
    """A remark in small grey letters; it may contain HTML."""
    return f'<div class="dss-help">{text}</div>'


def done_html(text: str) -> str:
    """A message about something that worked; it may contain HTML."""
    return f'<div><span class="dss-good">✓</span> {text}</div>'


def table_html(table: pd.DataFrame, classes: str = "") -> str:
    """A table, as HTML."""
    return table.rename_axis(None).to_html(border=0, justify="right", classes=classes)


def keys_html(names: Iterable[str]) -> str:
    """Which of the keys 1 to 9 stand for which names, as HTML."""
    numbered = zip(range(1, 10), names, strict=False)
    return "".join(f"<b>{key}</b> {html.escape(name)}, " for key, name in numbered)
