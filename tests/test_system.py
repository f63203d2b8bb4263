import ast
import ctypes
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from dss.support import system

PACKAGE = Path(system.__file__).parents[1]


def test_only_one_module_asks_which_system_it_is():
    words = ("os.kill(", "signal.SIG", "sys.platform", "os.name", "fcntl", "/proc/", "os.fork")
    words += ("start_new_session", "windll", "platform.system", "import signal\n")
    found = {
        path.name
        for path in PACKAGE.rglob("*.py")
        for word in words
        if word in path.read_text("utf-8") and path.name != "system.py"
    }
    assert found == set()


def test_paths_that_are_stored_have_slashes_on_every_system():
    for path in PACKAGE.rglob("*.py"):
        for line in path.read_text("utf-8").splitlines():
            assert not ("str(" in line and ".relative_to(" in line), f"{path}: {line}"


def test_no_process_is_forked_or_needs_to_be():
    """Processes are started as separate programs, as on every system."""
    words = ("multiprocessing", "ProcessPoolExecutor", "os.fork(", "get_context(")
    for path in PACKAGE.rglob("*.py"):
        assert not [word for word in words if word in path.read_text("utf-8")], path


def test_text_files_are_opened_in_an_encoding_that_is_reported():
    """Windows would take its own, in which names of song types get lost."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            said = {keyword.arg for keyword in node.keywords}
            n_before = {"read_text": 0, "write_text": 1}.get(node.func.attr)
            is_said = n_before is None or len(node.args) > n_before or "encoding" in said
            assert is_said, f"{path}, line {node.lineno}"


def started(**how):
    """A process that waits until it is stopped, and says how."""
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        "signal.signal(signal.SIGINT, lambda *_: sys.exit(8))\n"
        "print('ready', flush=True)\ntime.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, **how)
    assert process.stdout.readline() == b"ready\n"
    return process


@pytest.mark.skipif(system.is_windows(), reason="signals of POSIX")
def test_a_process_apart_is_stopped_or_interrupted():
    process = started(**system.detached())
    assert os.getsid(process.pid) != os.getsid(0)
    system.stop(process.pid)
    assert process.wait(10) == 7
    process = started(**system.detached())
    system.interrupt(process)
    assert process.wait(10) == 8


@pytest.mark.skipif(system.is_windows(), reason="signals of POSIX")
def test_what_asks_to_stop_calls_the_handler_only_within():
    calls, before = [], signal.getsignal(signal.SIGTERM)
    with system.handling_stops(lambda number, _: calls.append(number)):
        system.end_this_process()
        os.kill(os.getpid(), signal.SIGINT)
    assert calls == [signal.SIGTERM, signal.SIGINT]
    assert signal.getsignal(signal.SIGTERM) == before
    thread = threading.Thread(target=lambda: calls.append(enter_in_a_thread()))
    thread.start()
    thread.join()
    assert calls[-1] == before  # other threads leave the signals as they are


def enter_in_a_thread():
    with system.handling_stops(print):
        return signal.getsignal(signal.SIGTERM)


@pytest.fixture
def windows(monkeypatch):
    """Functions that only Windows has; returns the calls of them."""
    asked = []
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(signal, "CTRL_BREAK_EVENT", 1, raising=False)
    monkeypatch.setattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 512, raising=False)
    monkeypatch.setattr(os, "kill", lambda *what: asked.append(what))
    system._exchange_names.cache_clear()
    yield asked
    system._exchange_names.cache_clear()


def test_on_windows_processes_are_asked_by_ctrl_break(windows):
    system.stop(17)
    assert windows == [(17, 1)]
    sent = []
    system.interrupt(SimpleNamespace(send_signal=sent.append))
    assert sent == [1]
    assert system.detached() == {"creationflags": 512}


def test_on_windows_a_file_that_is_read_is_replaced_when_it_is_free(tmp_path, windows, monkeypatch):
    part, path = tmp_path / "part", tmp_path / "path"
    part.write_text("new")
    path.write_text("old")
    tries, real = [], os.replace

    def busy_twice(a, b):
        tries.append(a)
        if len(tries) < 3:
            raise PermissionError(13, "in use")
        real(a, b)

    monkeypatch.setattr(os, "replace", busy_twice)
    system.replace(part, path)
    assert path.read_text() == "new"
    assert not system.exchange(path, part)  # and names cannot be exchanged
    tries.clear()
    monkeypatch.setattr(system, "PATIENCE_SECONDS", 0)
    with pytest.raises(PermissionError):
        system.replace(path, part)


def test_names_are_exchanged_in_one_step_where_the_system_can(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    if system.exchange(tmp_path / "a", tmp_path / "b"):
        assert (tmp_path / "a" / "b").exists()
        assert (tmp_path / "b" / "a").exists()
        with pytest.raises(FileNotFoundError):
            system.exchange(tmp_path / "a", tmp_path / "c")


@pytest.mark.skipif(system.is_windows(), reason="there, libraries cannot be hushed")
def test_libraries_are_heard_again_when_the_last_thread_is_done(capfd):
    first, second = system.hushed_libraries(), system.hushed_libraries()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    ctypes.CDLL(None).perror(b"C")
    assert capfd.readouterr().err == ""
    second.__exit__(None, None, None)
    ctypes.CDLL(None).perror(b"C")
    assert capfd.readouterr().err.startswith("C: ")
