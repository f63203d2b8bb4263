"""Forms: the options of a stage as fields to fill in, with a button that runs the stage."""

import html
import os
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from dss.errors import DssError, shown
from dss.options import Options, declared, written_fields
from dss.runs import run_trunk
from dss.support import progress
from dss.support.spelling import no_such_path
from dss.widgets.elements import Displayed, button, done_html, framed, problem_html
from dss.widgets.forms import memory
from dss.widgets.forms.fields import Field
from dss.widgets.forms.listeners import Listeners
from dss.widgets.forms.sections import sections
from dss.widgets.forms.work import Work

MUST_EXIST = ("recordings", "dataset", "view", "run")


class Form(Displayed):
    """A form for an options class: one field per option, in groups, and a button.

    Options that are rarely needed are folded away. Invalid values are explained beside their
    fields, and disable the button. The button does its work in the background, so the notebook
    stays usable.

    Arguments:
        options_class: the options to show.
        action: what the button runs, such as `dss.train.train`. It is called with the options as
            keywords, except those left blank.
        button: the label of the button.
        values: the initial values; other options start with their defaults. Without any, the form
            starts with the values last used in this folder.
        remember: the name under which to remember the values last used in this folder; None to
            remember nothing.

    Attributes:
        widget: the form, to show in a notebook.
        result: what the action returned; None before.
        stopped: the message after the work was stopped.
    """

    stopped = "Stopped: nothing was written."

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
        self.result: Any = None
        self._listeners = Listeners()
        self._work = Work(self.stopped, self._check, self._forget)
        self._is_filling = False
        self._made_with: dict[widgets.Widget, Any] = {}  # the options that made what they show
        self._fields = {name: Field(f) for name, f in written_fields(options_class).items()}
        shown, self._folds = sections(options_class, self._fields)
        self._buttons = self._make_buttons(button)
        self._in_full = widgets.Checkbox(description="Explain every option in full", indent=False)
        self._in_full.observe(lambda _: self._check(), names="value")
        self._wrong = widgets.HTML()
        self._aside = widgets.HTML()  # messages of buttons that do not make the result
        self._status, self._below = widgets.HTML(), widgets.VBox()
        for name, field in self._fields.items():
            field.input.observe(lambda _, name=name: self._changed(name), names="value")
        messages = [self._aside, self._wrong, self._work.bar, self._status, self._below]
        self.widget = framed([self._in_full, *shown, self._buttons, *messages])
        self.options = self.last_used if values is None else values
        self._first = self.options if values else None

    @property
    def options(self) -> dict[str, Any]:
        """The values of the fields, except those left blank. Assign a dictionary to set some."""
        return {name: f.value for name, f in self._fields.items() if f.value != ""}

    @options.setter
    def options(self, values: Mapping[str, Any]) -> None:
        unknown = [name for name in values if name not in self._fields]
        if unknown:
            problems = self.options_class.problems(dict(values))
            raise DssError("\n".join(f"{name}: {problems[name]}" for name in unknown))
        for name, value in values.items():
            if not self._fields[name].takes(value):
                raise DssError(f"{name}: {shown(value)} should be {self._fields[name].choices}")
        self._is_filling = True
        try:
            for name, value in values.items():
                self._fields[name].set(value)
        finally:
            self._is_filling = False
        self._check()

    @property
    def problems(self) -> dict[str, str]:
        """Why the form cannot be run, by option; empty if it can."""
        problems = self.options_class.problems(self.options)
        for name, field in self._fields.items():
            kind = declared(field.option)["path"]
            if (
                kind in MUST_EXIST
                and field.value
                and (missing := _what_is_missing(kind, field.value))
            ):
                problems[name] = missing
        return problems

    @property
    def hints(self) -> dict[str, str]:
        """What values mean, by option, for example in milliseconds; shown beside the fields."""
        return {}

    @property
    def last_used(self) -> dict[str, Any]:
        """The values last used in this folder; empty if there are none."""
        values = memory.remembered(self.remember)
        fields = self._fields
        return {n: value for n, value in values.items() if n in fields and fields[n].takes(value)}

    def run(self) -> Any:
        """Do what the button does, and wait until it is done. Returns what the action returns."""
        problems = self.problems
        if problems:
            lines = [f"{name}: {why}" for name, why in problems.items()]
            raise DssError("\n".join(["These options cannot be used:", *lines]))
        if self.remember:
            memory.remember(self.remember, self.options, is_chosen=self.options != self._first)
        self.result, self._aside.value = None, ""
        made_with = self._of_result()
        work = self._work
        with work.busy(), work.showing_work(self._status), progress.shown_by(work.show):
            self.result = self.action(**self._given())
            self._show_result(made_with)
        if self.remember:
            memory.remember(self.remember, self.options, self.result)
        return self.result

    def start(self) -> threading.Thread | None:
        """Do what the button does, in the background; returns the thread that does it."""
        return self._work.launch(self.run, self._status)

    def finish(self) -> Any:
        """The result of the button: wait for it, or start the work if nobody pressed the button.

        In an app (Voila), where all cells run before anything is shown, this returns the last
        result made in this folder, if any: opening an app starts no new work.

        If you interrupt the waiting cell, the work continues.
        """
        self._begin()
        self._work.wait()
        return self._outcome()

    def __await__(self) -> Generator[Any, None, Any]:
        """`await form` is `form.finish()`, but buttons and fields work while the cell waits.

        This needs ipykernel 7.4: older kernels do nothing else while a cell waits.
        """
        self._begin()
        yield from self._work.__await__()
        return self._outcome()

    def when_done(self, listener: Callable[[Any], None]) -> None:
        """Call a function with each new result.

        Running a cell again replaces the functions that it added before.
        """
        self._listeners.add(listener)

    def stop(self) -> None:
        """Stop the current work at its next step; nothing half-done is left."""
        self._work.stop()

    def _given(self) -> dict[str, Any]:
        """The options to call the action with."""
        return self.options

    def _values_of(self, options_class: type[Options]) -> dict[str, Any]:
        """The values of the fields that an options class has."""
        return {n: v for n, v in self.options.items() if n in options_class.model_fields}

    def _blank(self, names: Iterable[str]) -> dict[str, Any]:
        """Which of these options are blank, with the values that a blank stands for."""
        fields = {name: self._fields[name] for name in names}
        return {name: f.option.default for name, f in fields.items() if f.default == f.value == ""}

    def _changed(self, name: str) -> None:
        """React to a new value of a field."""
        if not self._is_filling:
            self._check()

    def _of_result(self) -> Any:
        """The options as values, so that different texts with the same meaning are equal."""
        return self._as_values(self.options)

    def _as_values(self, options: dict[str, Any]) -> Any:
        try:
            return self.options_class.checked(options)
        except DssError:
            return options

    def _show_result(self, made_with: Any) -> None:
        self._made_with[self._status] = made_with
        self._status.value = done_html(self._describe(self.result))
        self._listeners.tell(self.result)

    def _describe(self, result: Any) -> str:
        """The message about the result, as HTML."""
        return html.escape(str(result))

    def _forget(self, where: widgets.HTML) -> None:
        """Forget with which options the contents of this widget were made."""
        self._made_with.pop(where, None)

    def _begin(self) -> None:
        """Start the work, unless the button did or the result is there already."""
        if self.result is None and not self._work.is_waited_for:
            if progress.APP in os.environ:
                self.result = memory.last_result(self.remember)
            if self.result is None:
                self.start()

    def _outcome(self) -> Any:
        """The result of the work, or the error that it raised."""
        if self.result is None:
            raise self._work.failure or DssError(self.stopped)
        return self.result

    def _check(self) -> None:
        """Show problems and hints, and enable or disable the button."""
        problems, hints = self.problems, self.hints
        for name, field in self._fields.items():
            is_blank = field.value == "" and field.default != ""
            blank = f"Blank means {field.default}." if is_blank else ""
            field.say(problems.get(name, ""), hints.get(name, blank), self._in_full.value)
        for fold in self._folds:
            fold.say(problems)
        wrong = ", ".join(str(self._fields[name].option.title) for name in problems)
        # Below the buttons: the fields themselves may be out of sight.
        self._wrong.value = problem_html(f"Please check: {wrong}") if wrong else ""
        for part in (self._status, self._below):
            is_stale = part in self._made_with and self._made_with[part] != self._of_result()
            (part.add_class if is_stale else part.remove_class)("dss-stale")
        self._button.disabled = bool(problems) or self._work.is_busy
        self._stop.layout.display = "" if self._work.is_busy else "none"

    def _work_button(self, text: str, tooltip: str, work: Callable) -> widgets.Button:
        """A button that starts work that may take long."""
        return button(text, lambda: self._work.start(work, self._aside), tooltip)

    def _make_buttons(self, text: str) -> widgets.HBox:
        self._button = button(text, self.start, button_style="primary")
        tooltip = "Stop the current work; nothing half-done is left"
        self._stop = button("Stop", self.stop, tooltip, "stop")
        tooltip = "Fill in the values last used here"
        restoring = self._work_button("As last time", tooltip, self._restore)
        restoring.layout.display = "" if memory.chosen(self.remember) else "none"
        tooltip = "Reset every option to its default"
        resetting = self._work_button("Defaults", tooltip, self._reset)
        buttons = widgets.HBox([self._button, self._stop, restoring, resetting])
        buttons.add_class("dss-buttons")
        return buttons

    def _restore(self) -> None:
        chosen = memory.chosen(self.remember)
        self.options = {name: value for name, value in chosen.items() if name in self._fields}

    def _reset(self) -> None:
        has_default = (n for n, f in self._fields.items() if not f.option.is_required())
        self.options = {name: self._fields[name].default for name in has_default}


def _what_is_missing(kind: str, path: str) -> str:
    """Why there is no such folder, dataset or run; empty if there is."""
    try:
        if kind == "run" and Path(path).parent.exists():
            run_trunk(path)
        elif not Path(path).exists():
            return no_such_path(path)
    except (DssError, OSError) as error:
        return str(error)
    return ""
