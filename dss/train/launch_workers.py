"""Train on several devices of this machine: start a process for each, and wait for the run.

Each process runs `dss.train.worker_process`.
"""

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from dss.errors import DssError
from dss.options import TrainOptions
from dss.support import system

POLL_SECONDS = 0.05
PATIENCE_SECONDS = 20  # for the other processes to end after the first


def launch_workers(options: TrainOptions) -> Path:
    """Train in `options.devices` processes.

    Returns: the trunk of the run's files.
    Raises: DssError as training itself does; KeyboardInterrupt if stopped before the first epoch is
        done; ChildProcessError if a process was killed.
    """
    given = options.to_yaml_types()
    text = json.dumps({name: given[name] for name in options.model_fields_set})
    workers = [f"localhost:{port}" for port in _free_ports(options.devices)]
    processes = [_start(workers, index, text) for index in range(options.devices)]
    first = processes[0]
    try:
        interrupted = _wait(processes)
        first.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert first.stdout is not None  # `_start` gives the first process a pipe
    printed = first.stdout.read()
    if not printed and interrupted:
        raise KeyboardInterrupt
    if not printed:
        codes = ", ".join(str(process.returncode) for process in processes)
        raise ChildProcessError(
            f"A training process was killed (exit codes {codes}). The best epoch so far is saved; "
            "set continue_from to it to train on."
        )
    result = json.loads(printed)
    if "trunk" in result:
        return Path(result["trunk"])
    raise DssError(result["error"]) if "error" in result else KeyboardInterrupt


def _wait(processes: list[subprocess.Popen]) -> bool:
    """Wait until a process ends, passing on Ctrl-C. Returns whether it was pressed."""
    interrupted = False
    while True:
        try:
            while all(process.poll() is None for process in processes):
                time.sleep(POLL_SECONDS)
            return interrupted
        except KeyboardInterrupt:
            interrupted = True
            system.interrupt(processes[0])


def _start(workers: list[str], index: int, options: str) -> subprocess.Popen:
    """Start a process in its own session: Ctrl-C in a terminal reaches it only through this one."""
    place = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
    process = subprocess.Popen(
        [sys.executable, "-m", "dss.train.worker_process"],
        env={**os.environ, "TF_CONFIG": json.dumps(place)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if index == 0 else subprocess.DEVNULL,
        text=True,
        **system.detached(),
    )
    assert process.stdin is not None
    process.stdin.write(options + "\n")
    process.stdin.flush()
    return process


def _free_ports(n: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(n)]
        for one in sockets:
            one.bind(("localhost", 0))
        return [one.getsockname()[1] for one in sockets]
