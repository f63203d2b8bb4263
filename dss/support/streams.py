"""Standard input, output and error that work whatever the shell has done to them."""

import os
import sys

STREAMS = {"stdin": "r", "stdout": "w", "stderr": "w"}  # of the file descriptors 0, 1 and 2


def prepare() -> None:
    """Replace closed streams, and let names that the terminal cannot show not be errors.

    Otherwise the next file to be opened would take the place of a closed stream, and what libraries
    print would go into it.
    """
    for number, (name, mode) in enumerate(STREAMS.items()):
        if getattr(sys, name) is None:
            try:
                os.fstat(number)
            except OSError:
                os.open(os.devnull, os.O_RDWR)  # takes the lowest number
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def discard_output() -> None:
    """Send what is still to be printed nowhere, once nobody reads it, such as after `| head`."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
