"""Keras and TensorFlow, imported without what dss has no use for.

That is the lines that their C++ parts print on standard error, before anything in Python can say
that they are not wanted; and packages that Keras imports for its own plots and its wrappers.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Keep what is written to standard error below Python's level, and show it on an error."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(stderr, kept.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


@contextmanager
def _without(*packages: str) -> Iterator[None]:
    """Hide packages from imports, unless they are imported already: 80 MB less, and a second."""
    hidden = [package for package in packages if package not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for package in hidden:
            del sys.modules[package]


with _quiet_stderr(), _without("matplotlib", "sklearn"):
    import keras
    import tensorflow as tf

# Else it warns when a fifth run is loaded, as if one were traced again and again.
tf.get_logger().setLevel("ERROR")

__all__ = ["keras", "tf"]
