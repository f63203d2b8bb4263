"""A training in a process of its own: start it, find it again, follow its files, end it."""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import yaml

from dss.errors import DssError
from dss.options import TrainOptions
from dss.runs import read_params, run_file
from dss.support import system, yaml_files
from dss.support.files import replacing

STOPPED = "The training was stopped"
STATE = Path(".dss_training.yaml")  # the training that was last started in this folder
_curves: list[subprocess.Popen] = []  # learning curves that are being drawn


def start(options: TrainOptions, given: Sequence[str]) -> None:
    """Start `dss train` with those of the options that are given.

    Raises: DssError if a training that was started in this folder still goes on.
    """
    if is_running():
        raise DssError("A training that was started in this folder still goes on: stop it first")
    command = [sys.executable, "-m", "dss.train", *options.to_switches(given)]
    log = Path(f"{STATE}.log")
    with log.open("w") as file:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, **system.apart()
        )
    state = {"process": process.pid, "folder": str(options.run_dir), "started": time.time()}
    with replacing(STATE) as part:
        part.write_text(yaml.safe_dump(state | {"log": str(log)}), encoding="utf-8")
    threading.Thread(target=process.wait, daemon=True).start()  # else it stays as a zombie


def learning_curve(options: TrainOptions, given: Sequence[str]) -> pd.DataFrame:
    """Draw a learning curve in a process, with `dss learning-curve`, and wait for it.

    Returns: the table that it wrote.
    Raises: DssError with what it said if it did not come to its end.
    """
    command = [sys.executable, "-m", "dss", "learning-curve", *options.to_switches(given)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    _curves.append(process)
    log = process.communicate()[1]
    _curves.remove(process)
    if process.returncode:
        raise DssError(_last_words(log.strip()))
    return pd.read_csv(options.run_dir / "learning_curve" / "learning_curve.csv")


def stop() -> None:
    """End the training after the step that it is at, and learning curves."""
    for process in _curves:
        process.terminate()
    if is_running():
        system.stop(state()["process"])


def state() -> dict[str, Any]:
    """The training that was last started in this folder: process, folder, started, log."""
    try:
        return yaml_files.read(STATE) or {}
    except DssError:
        return {}


def is_running() -> bool:
    """Whether it goes on: there is such a process, and it is not another one with its number."""
    number = state().get("process")
    if number is None:
        return False
    with suppress(psutil.Error):
        process = psutil.Process(number)
        words = process.cmdline()  # there are none for a moment while it begins
        return ("dss.train" in words or not words) and process.status() != psutil.STATUS_ZOMBIE
    return False


def trunk() -> Path | None:
    """The trunk of the run that it writes: the last that was begun after it started."""
    last = state()
    if not last:
        return None
    begun = sorted(
        (file.stat().st_mtime, file)
        for file in Path(last["folder"]).glob("*_params.yaml")
        if file.stat().st_mtime >= last["started"] - 1
    )
    return Path(str(begun[-1][1]).removesuffix("_params.yaml")) if begun else None


def nb_epoch() -> int | None:
    """How many epochs it trains at most, which may be chosen from the data; None if not known."""
    run = trunk()
    return read_params(run).get("nb_epoch") if run else None


def history() -> pd.DataFrame:
    """The epochs that it has done, as `_history.csv` lists them."""
    run = trunk()
    path = run and run_file(run, "_history.csv")
    return pd.read_csv(path) if path and path.is_file() else pd.DataFrame()


def result() -> Path:
    """The run, once the training has ended.

    Raises: DssError with what the training said if it did not come to its end. What it learned
        before may be there all the same.
    """
    last, log = trunk(), Path(state()["log"]).read_text("utf-8", "replace").strip()
    if last is not None and not run_file(last, "_model.h5").is_file():
        last = None
    if last and any(line.endswith(last.name) for line in log.splitlines()):
        return last  # its last words are where the run is
    why = _last_words(log)
    if last:
        raise DssError(f"{why}\nThe best epoch until then is {last}")
    raise DssError(f"{why}{' before its first epoch ended' * (why == STOPPED)}\nNothing is kept")


def _last_words(log: str) -> str:
    """Why a training ended that did not come to its end."""
    _, is_by_dss, said = f"\n{log}".rpartition("\ndss: ")
    if "Traceback" in said:
        return said.splitlines()[-1]
    if not is_by_dss or re.match(r"\w*[Ww]arning: ", said):
        return "The training was killed: perhaps the memory was not enough"
    return STOPPED if said == "stopped" else said
