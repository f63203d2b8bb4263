"""The form for training, which runs in its own process and can be followed and found again."""

import html
import time
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pandas as pd

from dss import models
from dss.errors import DssError
from dss.options import NetworkOptions, TrainCommandOptions, TrainOptions
from dss.plot import plot_confusion, plot_history, plot_learning_curve
from dss.plot.figure import png
from dss.runs import list_files, read_params, run_file
from dss.train import format_learning_curve
from dss.train.job_script import write_script
from dss.train.presets import PRESETS
from dss.train.results import read_results
from dss.train.suggestions import DESCRIBED, suggest
from dss.widgets.elements import PICTURE, doubt_html, table_html
from dss.widgets.forms import memory, training_process
from dss.widgets.forms.form import Form
from dss.widgets.forms.hints import dataset_facts, describe_network, hints

POLL_SECONDS = 0.5
REMEMBERED = "train"  # the name under which the form remembers its values
OF_PRESETS = {name for values in PRESETS.values() for name in values}
OF_FRONTEND = {"pre_bins", "pre_floor", "pre_background", "pre_relative_floor", "pre_filters"}
CHOSEN = OF_PRESETS | DESCRIBED | OF_FRONTEND  # the options that `suggest` chooses
LEFT_TO_THE_DATA = (
    "Options still at their defaults are chosen from the data when you press Train; Suggest "
    "fills them in now and explains why. To train with the defaults themselves, untick <i>Choose "
    "from the data</i>."
)


class TrainingForm(Form):
    """A form for `dss train`: Suggest, Train, Stop, Write script, and a summary of the network.

    Training runs in its own process: you can close the notebook, and when you open the form again
    in the same folder, it shows the training that is still running.

    Arguments:
        values: the initial values; other options start with their defaults. By default, the values
            last used in this folder.
    """

    def __init__(self, values: Mapping[str, Any] | None = None):
        self._meaning = widgets.HTML()
        self._curves = widgets.Image(layout=PICTURE)
        super().__init__(
            TrainCommandOptions, self._train, "Train", values=values, remember=REMEMBERED
        )
        self._stop.tooltip = "Stop after the current step; the best epoch is kept"
        suggesting = self._work_button("Suggest", "Fill in values that suit the data", self.suggest)
        tooltip = "Train on parts of the data: would more help?"
        drawing = self._work_button("Learning curve", tooltip, self.learning_curve)
        self._buttons.children = (suggesting, *self._buttons.children, drawing)
        tooltip = "Write a job script; nothing is trained here"
        writing = self._work_button("Write script", tooltip, self._script_shown)
        writing.layout = {"width": "auto", "margin": "6px 0 0 274px", "align_self": "flex-start"}
        fold = next(fold for fold in self._folds if "write_script" in fold.fields)
        fold.widget.children[0].children += (writing,)
        parts = list(self.widget.children)
        parts.insert(parts.index(self._buttons), self._meaning)
        self.widget.children = parts
        if self.is_running:
            self.options = self.last_used  # the options that it was started with
            self._work.launch(self._watch_found, self._status)

    @property
    def is_running(self) -> bool:
        """Whether the training last started from this folder is still running."""
        return training_process.is_running()

    @property
    def problems(self) -> dict[str, str]:
        """Why the form cannot be run, by option; empty if it can."""
        problems = super().problems
        if problems:
            return problems
        try:
            facts = dataset_facts(Path(self.options["data_dir"]))
        except DssError as error:
            return {"data_dir": str(error)}
        suffix = self.options.get("y_suffix", "")
        if suffix and suffix not in facts.individual_types:
            there = ", ".join(facts.individual_types) or "no single song type"
            problems["y_suffix"] = f"the dataset has targets for {there}, not for {suffix!r} alone"
        n_samples = round(facts.seconds["train"] * facts.samplerate_hz)
        try:
            if not (self._is_chosen or "continue_from" in self.options):
                models.check(NetworkOptions.checked(self._values_of(NetworkOptions)), n_samples)
        except DssError as error:
            problems |= dict(problem.split(": ", 1) for problem in error.problems)
        return problems

    @property
    def hints(self) -> dict[str, str]:
        """What values mean, by option, for example in milliseconds; shown beside the fields."""
        try:
            facts = dataset_facts(Path(self.options.get("data_dir", "")))
            texts = hints(TrainOptions.checked(self._values_of(TrainOptions)), facts)
        except DssError:
            return {}
        if self._is_chosen:  # training will not use the defaults
            texts |= dict.fromkeys(CHOSEN - self._given().keys(), "Chosen from the data.")
        if "write_script" in self.options:
            texts["write_script"] = "Press Write script to write it; Train still trains here."
        return texts

    def suggest(self) -> None:
        """Fill in options that suit the dataset, and explain why."""
        if "data_dir" not in self.options:
            raise DssError("data_dir: is blank; choose a dataset first")
        given = {"y_suffix": self.options.get("y_suffix", "")}
        suggestions = suggest(self.options["data_dir"], given)
        self.options = {name: value for name, (value, _) in suggestions.items()}
        rows = [
            f"<tr><th>{html.escape(self._fields[name].option.title)}</th>"
            f"<td>{html.escape(str(self._fields[name].value))}</td>"
            f'<td class="dss-text">{html.escape(why)}</td></tr>'
            for name, (_, why) in suggestions.items()
        ]
        self._aside.value = f"<table>{''.join(rows)}</table>"

    def learning_curve(self) -> None:
        """Train on parts of the data in a separate process, and show what more data would bring."""
        given = self._given()
        table = training_process.learning_curve(TrainOptions.checked(given), list(given))
        picture = b64encode(png(plot_learning_curve(table), 90)).decode()
        lines = html.escape(format_learning_curve(table)).replace("\n", "<br>")
        self._aside.value = f'<p>{lines}</p><img src="data:image/png;base64,{picture}">'

    def stop(self) -> None:
        """Stop the training after the current step; the best epoch is kept."""
        self._is_ending = True
        training_process.stop()

    def write_script(self) -> Path:
        """Write a job script for another machine (`dss.train.job_script.write_script`)."""
        of_script = {n: v for n, v in self.options.items() if n not in TrainOptions.model_fields}
        return write_script(**self._given(), **of_script)

    def _script_shown(self) -> None:
        if "write_script" not in self.options:
            title = self._fields["write_script"].option.title
            raise DssError(f"{title}: is blank; choose the file to write")
        script = self.write_script()
        text = html.escape(script.read_text("utf-8"))
        self._aside.value = f"The script is <b>{html.escape(str(script))}</b>:<pre>{text}</pre>"

    def _of_result(self) -> Any:
        return self._as_values(self._values_of(TrainOptions))

    def _show_result(self, made_with: Any) -> None:
        super()._show_result(made_with)
        self._made_with[self._below] = made_with

    @property
    def _is_chosen(self) -> bool:
        """Whether training chooses options, as `dss.train.suggestions.complete` does."""
        return self.options["auto"] and not self._given().keys() >= DESCRIBED

    def _given(self) -> dict[str, Any]:
        """Options that differ from the defaults or come from the preset; the rest may be chosen."""
        preset = PRESETS.get(self.options.get("preset") or "", {})
        values = self._blank(preset) | self._values_of(TrainOptions)
        is_left = {name: f.default == f.value for name, f in self._fields.items()}
        return {n: value for n, value in values.items() if n in preset or not is_left[n]}

    def _changed(self, name: str) -> None:
        if name == "data_dir":
            self._aside.value = ""  # it was about other data
        preset = self.options.get("preset")
        if name == "preset" and preset:  # show its values at once
            defaults = {name: self._fields[name].default for name in OF_PRESETS}
            self.options = defaults | PRESETS[preset]
        else:
            super()._changed(name)

    def _check(self) -> None:
        super()._check()
        try:
            facts = dataset_facts(Path(self.options.get("data_dir", "")))
            self._fields["y_suffix"].offer(facts.individual_types)
            options = TrainOptions.checked(self._values_of(TrainOptions))
            line = LEFT_TO_THE_DATA if self._is_chosen else describe_network(options, facts)
            self._meaning.value = f'<div class="dss-meaning">{line}</div>'
        except DssError:
            self._meaning.value = ""

    def _train(self, **named) -> Path:
        """Start the process and wait until it ends. Returns the trunk of the run's files."""
        training_process.start(TrainOptions.checked(named), list(named))
        return self._watch()

    def _watch_found(self) -> None:
        made_with = self._of_result()
        self.result = self._watch()
        memory.remember(REMEMBERED, self.last_used, self.result)
        self._show_result(made_with)

    def _describe(self, result: Path) -> str:
        message = f"The run is <b>{html.escape(str(result))}</b>."
        if run_file(result, "_checkpoint.h5").is_file():
            message += " It was stopped early: set <i>Continue from</i> to it to go on."
        message += table_html(list_files(result), "dss-files")
        message += doubt_html(read_params(result)["warnings"])
        with suppress(DssError):
            scores, confusion, class_names = read_results(result)
            message += f"Test scores, by samples:{table_html(scores.round(3))}"
            matrix = png(plot_confusion(confusion, class_names), 70)
            self._below.children = [self._curves, widgets.Image(value=matrix, layout=PICTURE)]
        return message

    def _watch(self) -> Path:
        """Show the progress of the training until it ends. Returns the trunk of the run's files."""
        self._below.children, self._is_ending = [], False
        self._made_with.clear()
        shown = 0
        while True:
            goes_on = self.is_running
            history = training_process.history()
            self._status.value = self._stage(history)
            if len(history) > shown:
                shown = len(history)
                self._work.show("", shown, training_process.nb_epoch())
                self._curves.value = png(plot_history(history), 90)
                self._below.children = [self._curves]
            if not goes_on:
                return training_process.result()
            time.sleep(POLL_SECONDS)

    def _stage(self, history: pd.DataFrame) -> str:
        """What the training is doing, as HTML."""
        so_far = _duration(time.time() - training_process.state().get("started", time.time()))
        if self._is_ending and history.empty:
            return "stopping: no epoch is complete, so nothing is kept ..."
        if self._is_ending:
            return f"stopping: evaluating the best of {len(history)} epochs ..."
        if training_process.trunk() is None:
            return f"starting ... ({so_far})"
        if history.empty:
            return f"first epoch, which takes longest ... ({so_far})"
        nb_epoch = training_process.nb_epoch()
        if len(history) == nb_epoch:
            return f"all {len(history)} epochs done: evaluating the best one ..."
        f1 = history.filter(regex="^val_f1_").iloc[-1]
        scores = ", ".join(
            f"{html.escape(name.removeprefix('val_f1_'))} <b>{value:.2f}</b>"
            for name, value in f1.items()
        )
        left = f"at most {_duration(history['seconds_left'].iloc[-1])} left"
        of = f" of {nb_epoch}" if nb_epoch else ""
        return f"epoch {len(history)}{of}, {left}; validation F1 by samples: {scores}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
