"""Differences between Linux, macOS and Windows: processes, signals and swapping names.

No other part of dss checks which system it runs on.
"""

import ctypes
import errno
import importlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

# Linux: AT_FDCWD and RENAME_EXCHANGE; macOS: RENAME_SWAP.
AT_WORKING_FOLDER, EXCHANGE, SWAP = -100, 2, 2
PATIENCE_SECONDS = 2.0  # to wait until a file that somebody reads is free, on systems that lock it
LOCKED = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)
FAR_BYTE = 2**30  # beyond the end of a file, for locking
NOT_HERE = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM)


def is_windows() -> bool:
    """Whether this is Windows."""
    return sys.platform == "win32"


def stop(process: int) -> None:
    """Ask a process that was started with `detached` to stop cleanly."""
    os.kill(process, _only_there(signal, "CTRL_BREAK_EVENT") if is_windows() else signal.SIGTERM)


def interrupt(process: subprocess.Popen) -> None:
    """Pass on Ctrl-C to a process that was started with `detached`."""
    process.send_signal(_only_there(signal, "CTRL_BREAK_EVENT") if is_windows() else signal.SIGINT)


def detached() -> dict[str, Any]:
    """Arguments of `subprocess.Popen` for a process that Ctrl-C in a terminal does not reach."""
    if is_windows():
        return {"creationflags": _only_there(subprocess, "CREATE_NEW_PROCESS_GROUP")}
    return {"start_new_session": True}


def end_this_process() -> None:
    """Stop this process like `stop`, from any of its threads."""
    if is_windows():  # where a process cannot send itself such a signal
        import _thread

        _thread.interrupt_main(_only_there(signal, "SIGBREAK"))
    else:
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def handling_stops(handler: Callable, with_ctrl_c: bool = True) -> Iterator[None]:
    """Within the block, requests to stop this process call a handler; only in the main thread.

    Arguments:
        handler: a signal handler.
        with_ctrl_c: whether Ctrl-C calls it, too.
    """
    if threading.current_thread() is not threading.main_thread():  # other threads get no signals
        yield
        return
    numbers = [signal.SIGTERM] + [signal.SIGINT] * with_ctrl_c
    numbers += [_only_there(signal, "SIGBREAK")] if is_windows() else []
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def stopped_as_by_ctrl_c() -> AbstractContextManager[None]:
    """Within the block, a request to stop, as of schedulers and forms, is the same as Ctrl-C."""
    return handling_stops(signal.default_int_handler, with_ctrl_c=False)


def try_lock(number: int) -> bool:
    """Lock an open file, given by its number, until it is closed.

    Returns: False if another process has locked it; True also if the system cannot lock files.
    """
    try:
        _lock(number, is_patient=False)
    except OSError as error:
        return error.errno not in LOCKED
    return True


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Within the block, no other process uses the same folder this way; if folders can be locked.

    On Windows, which cannot lock folders, processes lock a file that stands for it, among the
    temporary files, where it stays. Processes on different machines are not protected there.
    """
    if is_windows():
        name = f"dss-{zlib.crc32(os.fsencode(os.path.realpath(folder))):x}.lock"
        number = os.open(Path(tempfile.gettempdir(), name), os.O_RDWR | os.O_CREAT, 0o666)
    else:
        number = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # not possible on some network file systems
            _lock(number, is_patient=True)
        yield
    finally:
        os.close(number)


def _lock(number: int, is_patient: bool) -> None:
    """Lock an open file; if it is locked already, wait (on Windows, ten seconds) or fail.

    Windows locks bytes, which are then unreadable: one far beyond the end of the file.
    """
    if is_windows():
        msvcrt: Any = importlib.import_module("msvcrt")
        os.lseek(number, FAR_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(number, msvcrt.LK_LOCK if is_patient else msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(number, 0, os.SEEK_SET)
    else:
        fcntl: Any = importlib.import_module("fcntl")
        fcntl.flock(number, fcntl.LOCK_EX if is_patient else fcntl.LOCK_EX | fcntl.LOCK_NB)


class _Hush:
    """How many blocks hush libraries at the moment, and where these print otherwise."""

    lock = threading.Lock()
    n_blocks = 0
    before: int | None = None


@contextmanager
def hushed_libraries() -> Iterator[None]:
    """Within the block, libraries in C print nothing to standard error, where that is possible.

    libmpg123 prints about odd mp3 files, without naming them. What Python prints is not held back,
    nor are the messages of crashes: they do not use the variable of the C library. While one thread
    is in such a block, the libraries are quiet in all threads.
    """
    variable, nowhere = _c_stderr(), _nowhere()
    if variable is None or not nowhere:
        yield
        return
    with _Hush.lock:
        if not _Hush.n_blocks:
            _Hush.before, variable.value = variable.value, nowhere
        _Hush.n_blocks += 1
    try:
        yield
    finally:
        with _Hush.lock:
            _Hush.n_blocks -= 1
            if not _Hush.n_blocks:
                variable.value = _Hush.before


@cache
def _c_stderr() -> ctypes.c_void_p | None:
    """The variable of the C library for standard error; None if it has another kind."""
    name = "__stderrp" if sys.platform == "darwin" else "stderr"
    with suppress(ValueError, TypeError):  # no such name; on Windows, not even a library
        return ctypes.c_void_p.in_dll(ctypes.CDLL(None), name)
    return None


@cache
def _nowhere() -> int | None:
    """An open file of the C library that discards what is written to it; None if there is none."""
    if _c_stderr() is None:
        return None
    library = ctypes.CDLL(None)
    library.fopen.restype = ctypes.c_void_p
    return library.fopen(os.fsencode(os.devnull), b"w")


def replace(part: Path, path: Path) -> None:
    """`os.replace`, which waits where a file cannot be replaced while somebody reads it."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return os.replace(part, path)
        except PermissionError:
            if not is_windows() or time.monotonic() > give_up:
                raise
            time.sleep(0.05)


def exchange(part: Path, path: Path) -> bool:
    """Swap two names in one step; returns False if the system cannot."""
    exchange_names = _exchange_names()
    if exchange_names is None:
        return False
    if exchange_names(os.fsencode(part), os.fsencode(path)) == 0:
        return True
    number = ctypes.get_errno()
    if number in NOT_HERE:  # not possible on some file systems, such as network ones
        return False
    raise OSError(number, os.strerror(number), str(path))


@cache
def _exchange_names() -> Callable[[bytes, bytes], int] | None:
    """The system function that swaps two names; None if there is none."""
    if is_windows():
        return None
    library = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin" and hasattr(library, "renamex_np"):
        swap = library.renamex_np
        swap.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint)
        return lambda a, b: swap(a, b, SWAP)
    if hasattr(library, "renameat2"):
        rename = library.renameat2
        place = (ctypes.c_int, ctypes.c_char_p)
        rename.argtypes = (*place, *place, ctypes.c_uint)
        return lambda a, b: rename(AT_WORKING_FOLDER, a, AT_WORKING_FOLDER, b, EXCHANGE)
    return None


def _only_there(module: ModuleType, name: str) -> Any:
    """An attribute that a Python module has on Windows only."""
    return getattr(module, name)
