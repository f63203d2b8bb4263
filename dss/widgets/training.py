"""The form for training: in a process of its own, watched while it goes, found again later."""

import html
import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pandas as pd
import yaml

from dss import models
from dss.data import open_dataset
from dss.errors import DssError
from dss.files import replacing
from dss.options import TrainOptions
from dss.plot import plot_history
from dss.runs import run_file
from dss.suggest import suggest
from dss.widgets.forms import Form

STATE = Path(".dss_training.yaml")  # the training that was last started in this folder
POLL_SECONDS = 0.5


class TrainingForm(Form):
    """A form for `dss train`: Train, Stop, Suggest, what the options mean, and the losses.

    Training runs in a process of its own: the notebook can be closed, and a form that is opened
    later in the same folder shows the training that still goes on.

    Arguments:
        values: what the fields hold at first.
    """

    def __init__(self, values: Mapping[str, Any] | None = None):
        self._meaning, self._status = widgets.HTML(), widgets.HTML()
        self._curves = widgets.Image(format="png", layout={"max_width": "100%"})
        self._curves.layout.display = "none"
        self._stop = widgets.Button(
            description="Stop", tooltip="keeps the best epoch", disabled=True
        )
        self._stop.on_click(lambda _: self.stop())
        self._suggest = widgets.Button(description="Suggest", tooltip="fill in what suits the data")
        self._suggest.on_click(lambda _: self._say_on_error(self.suggest))
        super().__init__(TrainOptions, self._train, "Train", values=values, remember="train")
        buttons = widgets.HBox([self._button, self._stop, self._suggest])
        below = [self._meaning, buttons, self._status, self._curves, self._output]
        self.widget = widgets.VBox([*self._groups(), *below])
        if self.is_running:
            self._button.disabled = True
            threading.Thread(target=self._watch, daemon=True).start()

    @property
    def is_running(self) -> bool:
        """Whether the training that was last started in this folder still goes on."""
        process = _state().get("process")
        return process is not None and _is_training(process)

    def suggest(self) -> None:
        """Fill in what suits the dataset, and say why."""
        if "data_dir" not in self.options:
            raise DssError("data_dir: is needed, to see what suits the data")
        suggestions = suggest(self.options["data_dir"])
        self.options = {name: value for name, (value, _) in suggestions.items()}
        reasons = [f"{name} {value}: {why}" for name, (value, why) in suggestions.items()]
        self._status.value = "<br>".join(map(html.escape, reasons))

    def stop(self) -> None:
        """End the training after the step that it is at; the best epoch stays."""
        if self.is_running:
            os.kill(_state()["process"], signal.SIGTERM)

    def _train(self, **named) -> Path:
        """Start the process and wait until it ends. Returns the trunk of the run's files."""
        if self.is_running:
            raise DssError(
                "A training that was started in this folder still goes on: stop it first"
            )
        options = TrainOptions.checked(named)
        folder = options.save_dir or options.data_dir.with_suffix(".res")
        log = Path(f"{STATE}.log")
        command = [sys.executable, "-m", "dss.train", *options.to_switches(named)]
        with log.open("w") as file:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
            )
        state = {"process": process.pid, "folder": str(folder), "started": time.time()}
        with replacing(STATE) as part:
            part.write_text(yaml.safe_dump(state | {"nb_epoch": options.nb_epoch, "log": str(log)}))
        threading.Thread(target=process.wait, daemon=True).start()  # else it stays as a zombie
        self._watch()
        trunk = _trunk()
        if process.wait() != 0 or trunk is None:
            raise DssError(re.sub(r"^.*dss: ", "", log.read_text().strip(), flags=re.DOTALL))
        return trunk

    def _watch(self) -> None:
        """Show how the training goes until it ends."""
        self._stop.disabled = False
        shown = 0
        while True:
            goes_on = self.is_running
            history = _history()
            if len(history) > shown:
                shown = len(history)
                self._show(history)
            if not goes_on:
                break
            time.sleep(POLL_SECONDS)
        self._stop.disabled = True
        self._check()

    def _show(self, history: pd.DataFrame) -> None:
        last, state = history.iloc[-1], _state()
        elapsed = time.time() - state["started"]
        left = elapsed / len(history) * (state["nb_epoch"] - len(history))
        scores = [
            f"{name.removeprefix('val_f1_')} {last[name]:.3f}"
            for name in history
            if name.startswith("val_f1_")
        ]
        self._status.value = html.escape(
            f"epoch {len(history)} of {state['nb_epoch']}, at most {left:.0f} s left; validation "
            f"F1 by samples: {', '.join(scores)}"
        )
        file = io.BytesIO()
        plot_history(history).savefig(file, format="png", dpi=80)
        self._curves.value = file.getvalue()
        self._curves.layout.display = ""

    def _check(self) -> None:
        super()._check()
        if self.is_running:
            self._button.disabled = True
        self._meaning.value = html.escape(self._what_it_means())

    def _what_it_means(self) -> str:
        """What the numbers of samples are in milliseconds, for this dataset."""
        try:
            options = TrainOptions.checked(self.options)
            rate = open_dataset(options.data_dir).attrs["samplerate_x_Hz"]
            models.check(options)
        except DssError as error:
            return str(error)
        hop = 2**options.nb_pre_conv
        milliseconds = {
            "chunk": options.nb_hist,
            "filter": options.kernel_size * hop,
            "filters reach": models.receptive_field(options),
            "ignored at both ends": models.padding(options),
        }
        parts = [f"{what} {1000 * n / rate:.4g} ms" for what, n in milliseconds.items()]
        return f"At {rate:g} Hz: {', '.join(parts)}."

    def _say_on_error(self, action) -> None:
        try:
            action()
        except DssError as error:
            self._status.value = f'<span style="color:#c62828">{html.escape(str(error))}</span>'


def _state() -> dict[str, Any]:
    try:
        return yaml.safe_load(STATE.read_text()) or {}
    except (OSError, yaml.YAMLError):
        return {}


def _is_training(process: int) -> bool:
    """Whether there is such a process, and it is not another one with its number."""
    ps = subprocess.run(
        ["ps", "-o", "stat=,args=", "-p", str(process)], capture_output=True, text=True, check=False
    )
    return "dss.train" in ps.stdout and not ps.stdout.startswith("Z")


def _trunk() -> Path | None:
    """The trunk of the run that the training writes: the last that was begun after it started."""
    state = _state()
    if not state:
        return None
    begun = sorted(
        (file.stat().st_mtime, file)
        for file in Path(state["folder"]).glob("*_params.yaml")
        if file.stat().st_mtime >= state["started"] - 1
    )
    return Path(str(begun[-1][1]).removesuffix("_params.yaml")) if begun else None


def _history() -> pd.DataFrame:
    trunk = _trunk()
    path = trunk and run_file(trunk, "_history.csv")
    return pd.read_csv(path) if path and path.is_file() else pd.DataFrame()
