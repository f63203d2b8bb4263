"""Forms: the options of a stage as fields to fill in, with a button that runs the stage."""

import html
import os
import threading
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from dss.errors import DssError, DssWarning
from dss.options import Options, declared, grouped_fields
from dss.runs import run_trunk
from dss.support import progress
from dss.support.spelling import not_there
from dss.widgets.forms import memory
from dss.widgets.forms.fields import STYLE, Field, doubt_html, problem_html
from dss.widgets.forms.listeners import Listeners
from dss.widgets.forms.waiting import awaited, is_alive, wait_for

MUST_EXIST = ("recordings", "dataset", "view", "run")
WORKING = '<span class="dss-help">working ...</span>'


class Form:
    """A form for an options class: a field an option, by groups, and a button.

    What is rarely needed is folded away. What cannot be used is said beside its field, and the
    button waits. The work that the button starts does not block the notebook.

    Arguments:
        options_class: whose fields the form shows.
        action: what the button does, called with the options as named arguments, those left blank
            excepted, such as `dss.train.train`.
        button: the text on it.
        values: what the fields hold at first, the others their defaults. Without any, the form
            holds what was last used in this folder.
        remember: a name under which to remember what was last used in this folder; None to forget.

    Attributes:
        widget: what a notebook shows.
        result: what the action returned; None before.
        stopped: what is said when it was stopped.
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
        self._worker: threading.Thread | None = None
        self._failure: Exception | None = None
        self._n_at_work = 0
        self._stopping = self._is_filling = False
        self._made_with: dict[widgets.Widget, Any] = {}  # the options of what is shown there
        self._fields = {name: Field(f) for name, f in options_class.model_fields.items()}
        self._folds: list[tuple[widgets.Accordion, str, list[str]]] = []
        self._buttons = self._make_buttons(button)
        self._in_full = widgets.Checkbox(description="Explain every option in full", indent=False)
        self._in_full.observe(lambda _: self._check(), names="value")
        self._wrong = widgets.HTML()
        self._bar = widgets.FloatProgress(max=1, layout={"width": "440px", "display": "none"})
        self._aside = widgets.HTML()  # what buttons say that do not make the result
        self._status, self._below = widgets.HTML(), widgets.VBox()
        for name, field in self._fields.items():
            field.input.observe(lambda _, name=name: self._changed(name), names="value")
        parts = [widgets.HTML(STYLE), self._in_full, *self._sections(), self._buttons]
        parts += [self._aside, self._wrong, self._bar, self._status, self._below]
        self.widget = widgets.VBox(parts)
        self.widget.add_class("dss-form")
        self.options = self.last_used if values is None else values
        self._first = self.options if values else None

    @property
    def options(self) -> dict[str, Any]:
        """The values of the fields, those left blank excepted. Set some with a dictionary."""
        return {name: f.value for name, f in self._fields.items() if f.value != ""}

    @options.setter
    def options(self, values: Mapping[str, Any]) -> None:
        unknown = [name for name in values if name not in self._fields]
        if unknown:
            problems = self.options_class.problems(dict(values))
            raise DssError("\n".join(f"{name}: {problems[name]}" for name in unknown))
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
            if kind in MUST_EXIST and field.value and not _is_there(kind, field.value):
                problems[name] = not_there(field.value)
        return problems

    @property
    def hints(self) -> dict[str, str]:
        """What values mean, by option, such as milliseconds; shown beside the fields."""
        return {}

    @property
    def last_used(self) -> dict[str, Any]:
        """What was last used in this folder; empty if nothing was."""
        values = memory.remembered(self.remember)
        return {name: value for name, value in values.items() if name in self._fields}

    def run(self) -> Any:
        """Do what the button does, and wait for it. Returns what the action returns."""
        problems = self.problems
        if problems:
            lines = [f"{name}: {why}" for name, why in problems.items()]
            raise DssError("\n".join(["These options cannot be used:", *lines]))
        if self.remember:
            memory.remember(self.remember, self.options, is_chosen=self.options != self._first)
        self.result, self._aside.value = None, ""
        made_with = self._of_result()
        with (
            self._at_work(),
            self._said_to_work(self._status),
            progress.shown_by(self._show_progress),
        ):
            self.result = self.action(**self._given())
            self._show_result(made_with)
        if self.remember:
            memory.remember(self.remember, self.options, self.result)
        return self.result

    def finish(self) -> Any:
        """What the button made: wait for it, or do it now if nobody pressed the button.

        In an app (Voila), whose cells all run before it is shown, what was last made in this folder
        is taken, if anything was: opening an app makes nothing anew.

        If the cell that waits is interrupted, the work goes on.
        """
        self._begin()
        wait_for(self._worker)
        return self._outcome()

    def __await__(self) -> Generator[Any, None, Any]:
        """`await form` is `form.finish()`, but buttons and fields work while a cell waits.

        It needs ipykernel 7.4: an older kernel does nothing else while a cell waits.
        """
        self._begin()
        yield from awaited(self._worker).__await__()
        return self._outcome()

    def when_done(self, listener: Callable[[Any], None]) -> None:
        """Call a function with the result, each time there is a new one.

        A cell that runs again replaces what it asked for before.
        """
        self._listeners.add(listener)

    def stop(self) -> None:
        """End what the button started, if it works, at its next step; nothing half-done is left."""
        self._stopping = self._n_at_work > 0

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.widget)

    def _given(self) -> dict[str, Any]:
        """The options that the action is called with."""
        return self.options

    def _of(self, options_class: type[Options]) -> dict[str, Any]:
        """The options that belong to a class of them."""
        return {n: v for n, v in self.options.items() if n in options_class.model_fields}

    def _blank(self, names: Iterable[str]) -> dict[str, Any]:
        """What those of these options are that a blank field stands for."""
        fields = {name: self._fields[name] for name in names}
        return {name: f.option.default for name, f in fields.items() if f.default == f.value == ""}

    def _changed(self, name: str) -> None:
        """What a new value of a field brings about."""
        if not self._is_filling:
            self._check()

    def _of_result(self) -> Any:
        """The options, as values: whether two texts mean the same is seen there."""
        return self._as_values(self.options)

    def _as_values(self, options: dict[str, Any]) -> Any:
        try:
            return self.options_class.checked(options)
        except DssError:
            return options

    def _show_result(self, made_with: Any) -> None:
        self._made_with[self._status] = made_with
        said = self._describe(self.result)
        self._status.value = f'<div><span class="dss-good">✓</span> {said}</div>'
        self._listeners.tell(self.result)

    def _describe(self, result: Any) -> str:
        """What is said of the result, as HTML."""
        return html.escape(str(result))

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """While the form works, its button waits, and it can be stopped."""
        self._n_at_work += 1
        self._check()
        try:
            yield
        finally:
            self._n_at_work -= 1
            if not self._n_at_work:
                self._stopping = False
                self._bar.layout.display = "none"
            self._check()

    @contextmanager
    def _said_to_work(self, where: widgets.HTML) -> Iterator[None]:
        """Say that the form works, until there is something else to say."""
        self._made_with.pop(where, None)
        where.value = WORKING
        try:
            yield
        finally:
            if where.value == WORKING:
                where.value = ""

    def _begin(self) -> None:
        """Start what is waited for, unless the button did, or it is there already."""
        if self.result is None and not is_alive(self._worker):
            if progress.APP in os.environ:
                self.result = memory.last_result(self.remember)
            if self.result is None:
                self._launch(self.run)

    def _outcome(self) -> Any:
        """What the work made; what went wrong is raised."""
        if self.result is None:
            raise self._failure or DssError(self.stopped)
        return self.result

    def _launch(self, work: Callable[[], Any]) -> None:
        """Start what `finish` waits for, unless it is at work: a button may be clicked twice."""
        if not is_alive(self._worker):
            self._worker = self._start(work, self._status)

    def _start(self, work: Callable[[], Any], where: widgets.HTML) -> threading.Thread:
        """Work in a thread of its own, so that the notebook can go on, and say how it goes."""
        thread = threading.Thread(target=self._guarded, args=(work, where), daemon=True)
        thread.start()
        return thread

    def _guarded(self, work: Callable[[], Any], where: widgets.HTML) -> None:
        with self._at_work():
            try:
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always", DssWarning)
                    with self._said_to_work(where):
                        work()
                doubts = [str(w.message) for w in caught if issubclass(w.category, DssWarning)]
                where.value += doubt_html(doubts)
            except progress.Stopped:
                self._failure = DssError(self.stopped)
                where.value = problem_html(self.stopped)
            except (DssError, OSError) as error:
                self._failure = error
                where.value = problem_html(str(error))
            except Exception as error:
                self._failure = error
                where.value = problem_html(f"{type(error).__name__}: {error}")
                raise

    def _show_progress(self, what: str, done: float, total: float | None) -> None:
        if self._stopping:
            raise progress.Stopped
        self._bar.layout.display = ""
        self._bar.description = what
        self._bar.value = done / total if total else 0

    def _check(self) -> None:
        """Say what is wrong and what the values mean, and let the button be pressed or not."""
        problems, hints = self.problems, self.hints
        for name, field in self._fields.items():
            is_blank = field.value == "" and field.default != ""
            blank = f"Left blank, it is {field.default}." if is_blank else ""
            field.say(problems.get(name, ""), hints.get(name, blank), self._in_full.value)
        for fold, title, names in self._folds:
            changed = [n for n in names if self._fields[n].value != self._fields[n].default]
            wrong = [self._fields[n].option.title for n in names if n in problems]
            title += f" · {len(changed)} changed" if changed else ""
            title += f" · ⚠ {', '.join(wrong)}" if wrong else ""
            if fold.titles != (title,):
                fold.titles = (title,)
        self._say_wrong(problems)
        for shown in (self._status, self._below):
            is_stale = shown in self._made_with and self._made_with[shown] != self._of_result()
            (shown.add_class if is_stale else shown.remove_class)("dss-stale")
        self._button.disabled = bool(problems) or bool(self._n_at_work)
        self._stop.layout.display = "" if self._n_at_work else "none"

    def _say_wrong(self, problems: Iterable[str]) -> None:
        """Say below the buttons why they wait: the fields may be out of sight."""
        wrong = ", ".join(self._fields[name].option.title for name in problems)
        self._wrong.value = problem_html(f"Cannot be used yet: {wrong}") if wrong else ""

    def _made(self, description: str, tooltip: str, work: Callable, **look) -> widgets.Button:
        """A button that starts some work, which may take long."""
        button = widgets.Button(description=description, tooltip=tooltip, **look)
        button.layout.width = "auto"
        button.on_click(lambda _: self._start(work, self._aside))
        return button

    def _make_buttons(self, button: str) -> widgets.HBox:
        self._button = widgets.Button(description=button, button_style="primary")
        self._button.layout.width = "auto"
        self._button.on_click(lambda _: self._launch(self.run))
        self._stop = widgets.Button(description="Stop", icon="stop", layout={"width": "auto"})
        self._stop.tooltip = "End it; nothing half-done is left"
        self._stop.on_click(lambda _: self.stop())
        restoring = self._made("As last time", "Fill in what was last used here", self._restore)
        restoring.layout.display = "" if memory.chosen(self.remember) else "none"
        resetting = self._made("Defaults", "Fill in the default of every option", self._reset)
        buttons = widgets.HBox([self._button, self._stop, restoring, resetting])
        buttons.add_class("dss-buttons")
        return buttons

    def _restore(self) -> None:
        chosen = memory.chosen(self.remember)
        self.options = {name: value for name, value in chosen.items() if name in self._fields}

    def _reset(self) -> None:
        has_default = (n for n, f in self._fields.items() if not f.option.is_required())
        self.options = {name: self._fields[name].default for name in has_default}

    def _sections(self) -> list[widgets.Widget]:
        """A heading and its fields for each group; fields that few need in a fold at its end."""
        shown = []
        for title, names in grouped_fields(self.options_class).items():
            rare = [n for n in names if declared(self._fields[n].option)["rare"]]
            usual = [n for n in names if n not in rare]
            usual.sort(key=lambda n: not self._fields[n].option.is_required())
            if usual:
                shown.append(widgets.HTML(f"<h3>{html.escape(title)}</h3>"))
                shown += [self._fields[name].widget for name in usual]
            if rare:
                shown.append(self._fold(title, rare, is_rest=bool(usual)))
        return shown

    def _fold(self, group: str, names: list[str], is_rest: bool) -> widgets.Accordion:
        content = widgets.VBox([self._fields[name].widget for name in names])
        fold = widgets.Accordion([content], selected_index=None)
        fold.add_class("dss-more")
        labels = ", ".join(self._fields[name].option.title for name in names)
        title = f"More: {labels}" if is_rest else group
        self._folds.append((fold, title, names))
        return fold


def _is_there(kind: str, path: str) -> bool:
    """Whether there is such a folder, dataset or run."""
    if kind != "run":
        return Path(path).exists()
    with suppress(DssError):
        return bool(run_trunk(path))
    return False
