"""Import Keras and TensorFlow quietly, and without packages that dss does not need.

Their C++ code prints to standard error before Python can silence it, and Keras imports large
packages for its plots and wrappers.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Hold back what C++ code writes to standard error; show it only after an error."""
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
    """Hide packages that are not imported yet; this saves 80 MB and a second."""
    hidden = [package for package in packages if package not in sys.modules]
    modules: dict[str, Any] = sys.modules  # None in it makes an import fail
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for package in hidden:
            del sys.modules[package]


with _quiet_stderr(), _without("matplotlib", "sklearn"):
    import keras
    import tensorflow as tf

# Otherwise it warns about retracing when you load a fifth run.
tf.get_logger().setLevel("ERROR")

__all__ = ["keras", "tf"]
