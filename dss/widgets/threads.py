"""Work in threads, and wait for it in a cell that may be interrupted.

`Thread.join` does not work here: when interrupted, Python up to 3.12 takes the thread for ended,
and the kernel then closes the connection to the browser that the thread uses.
"""

import asyncio
import threading
import time
from collections.abc import Callable

OFTEN_SECONDS = 0.05  # how often to check whether the thread has ended


def in_thread(work: Callable[..., object], *arguments: object) -> threading.Thread:
    """Start work in a thread, which ends with the program; returns the thread."""
    thread = threading.Thread(target=work, args=arguments, daemon=True)
    thread.start()
    return thread


def wait_for(thread: threading.Thread | None) -> None:
    """Wait until a thread ends, if there is one."""
    while is_alive(thread):
        time.sleep(OFTEN_SECONDS)


async def awaited(thread: threading.Thread | None) -> None:
    """Wait like `wait_for`, while the kernel still handles buttons and fields."""
    while is_alive(thread):
        await asyncio.sleep(OFTEN_SECONDS)


def is_alive(thread: threading.Thread | None) -> bool:
    """Whether there is a thread that has not ended."""
    return thread is not None and thread.is_alive()
