"""Training in a separate process: start it, find it again, follow its files, stop it."""

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
from dss.train.history import rows_in

STOPPED = "The training was stopped"
STATE = Path(".dss_training.yaml")  # the training last started from this folder
KINDS = {"process": int, "folder": str, "started": float, "log": str}  # what it holds
_curves: list[subprocess.Popen] = []  # learning curves that are being computed


def start(options: TrainOptions, given: Sequence[str]) -> None:
    """Start `dss train` with the given options.

    Raises: DssError if training started from this folder is still running.
    """
    if is_running():
        raise DssError("Training in this folder is still running: stop it first")
    switches = options.to_switches(given)
    command = [sys.executable, "-X", "faulthandler", "-m", "dss.train", *switches]
    log = Path(f"{STATE}.log")
    with log.open("w") as file:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, **system.detached()
        )
    state = {"process": process.pid, "folder": str(options.run_dir), "started": time.time()}
    with replacing(STATE) as part:
        part.write_text(yaml.safe_dump(state | {"log": str(log)}), encoding="utf-8")
    threading.Thread(target=process.wait, daemon=True).start()  # or it stays behind as a zombie


def learning_curve(options: TrainOptions, given: Sequence[str]) -> pd.DataFrame:
    """Compute a learning curve with `dss learning-curve` in its own process, and wait for it.

    Returns: the table that `dss learning-curve` wrote.
    Raises: DssError with its error message if it fails.
    """
    command = [sys.executable, "-m", "dss", "learning-curve", *options.to_switches(given)]
    nothing = subprocess.DEVNULL
    process = subprocess.Popen(
        command, stdin=nothing, stdout=nothing, stderr=subprocess.PIPE, text=True
    )
    _curves.append(process)
    log = process.communicate()[1]
    _curves.remove(process)
    if process.returncode:
        raise DssError(_last_words(log.strip()))
    return pd.read_csv(options.run_dir / "learning_curve" / "learning_curve.csv")


def stop() -> None:
    """Stop the training after the current step, and any learning curves."""
    for process in _curves:
        process.terminate()
    if is_running():
        system.stop(state()["process"])


def state() -> dict[str, Any]:
    """The training last started from this folder: process, folder, started, log; empty if none."""
    with suppress(DssError):
        last = yaml_files.read(STATE)
        if isinstance(last, dict) and all(type(last.get(n)) is kind for n, kind in KINDS.items()):
            return last
    return {}


def is_running() -> bool:
    """Whether the training is still running, and not another process with the same number."""
    number = state().get("process")
    if number is None:
        return False
    with suppress(psutil.Error, OverflowError, ValueError):
        process = psutil.Process(number)
        words = process.cmdline()  # empty for a moment while the process starts
        return ("dss.train" in words or not words) and process.status() != psutil.STATUS_ZOMBIE
    return False


def trunk() -> Path | None:
    """The trunk of the run that the training writes: the last one begun after it started."""
    last = state()
    files = Path(last["folder"]).glob("*_params.yaml") if last else []
    begun = [file for file in files if file.stat().st_mtime >= last["started"] - 1]
    newest = max(begun, key=lambda file: file.stat().st_mtime, default=None)
    return newest and newest.with_name(newest.name.removesuffix("_params.yaml"))


def nb_epoch() -> int | None:
    """The maximum number of epochs, which may be chosen from the data; None if unknown."""
    run = trunk()
    with suppress(DssError):  # the file was damaged meanwhile
        return read_params(run).get("nb_epoch") if run else None
    return None


def history() -> pd.DataFrame:
    """The epochs done so far, as `_history.csv` lists them."""
    run = trunk()
    return pd.DataFrame(rows_in(run_file(run, "_history.csv")) if run else [])


def result() -> Path:
    """The run, once the training has ended.

    Raises: DssError with the error message of the training if it failed. What it learned
        before that may still be there.
    """
    last, file = trunk(), Path(state().get("log", f"{STATE}.log"))
    if not (state() and file.is_file()):
        raise DssError(
            f"{STATE} or {file} was removed or damaged, so it is not known how the training ended, "
            "or whether it still runs. Its run is in the save folder."
        )
    log = file.read_text("utf-8", "replace").strip()
    if last and not run_file(last, "_model.h5").is_file():
        last = None
    if last and any(line.endswith(last.name) for line in log.splitlines()):
        return last  # the last line says where the run is
    why = _last_words(log)
    if crash := re.search("^Fatal Python error: (.+)", log, re.MULTILINE):
        why = (
            f"The training crashed in TensorFlow or another library ({crash[1]}). Train again; if "
            f"it crashes again, report it with the log: {file.resolve()}"
        )
    if last:
        raise DssError(f"{why}\nThe best epoch before that is {last}")
    raise DssError(f"{why}{' before its first epoch ended' * (why == STOPPED)}\nNothing was kept")


def _last_words(log: str) -> str:
    """Why training ended early."""
    _, is_by_dss, said = f"\n{log}".rpartition("\ndss: ")
    if "Traceback" in said:
        return said.splitlines()[-1]
    if not is_by_dss or re.match(r"\w*[Ww]arning: ", said):
        return "The training was killed: the machine may have run out of memory"
    return STOPPED if said == "stopped" else said
