"""Waiting for work that goes on in a thread, in a cell that may be interrupted.

`Thread.join` will not do: up to Python 3.12 it takes a thread for ended when it is interrupted, and
the kernel then closes what that thread speaks to the browser with.
"""

import asyncio
import threading
import time

OFTEN_SECONDS = 0.05  # how often one looks whether it has ended


def wait_for(thread: threading.Thread | None) -> None:
    """Wait until a thread ends, if there is one."""
    while is_alive(thread):
        time.sleep(OFTEN_SECONDS)


async def awaited(thread: threading.Thread | None) -> None:
    """The same, while the kernel goes on doing what buttons and fields ask for."""
    while is_alive(thread):
        await asyncio.sleep(OFTEN_SECONDS)


def is_alive(thread: threading.Thread | None) -> bool:
    """Whether there is a thread that has not ended."""
    return thread is not None and thread.is_alive()
