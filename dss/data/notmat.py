"""Annotations of evsonganaly (.not.mat): a letter, an onset and an offset in ms per syllable.

https://github.com/NickleDave/evfuncs describes the format; it is read with crowsetta.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

Row = tuple[str, float, float]  # name, start, stop

# What evsonganaly segmented with, as it starts: it reads these, but they do not change annotations.
SEGMENTING = {"threshold": 1000.0, "min_int": 5.0, "min_dur": 30.0, "sm_win": 2.0}


def write_notmat(rows: Iterable[Row], path: Path, samplerate_hz: float) -> None:
    """Write annotations whose names have one letter, in the order of their onsets.

    Arguments:
        rows: the annotations.
        path: the file.
        samplerate_hz: of the recording.
    """
    import scipy.io

    rows = sorted(rows, key=lambda row: row[1])
    content = {
        "Fs": float(samplerate_hz),
        "labels": "".join(name for name, _, _ in rows),
        "onsets": np.array([[1000 * start] for _, start, _ in rows]).reshape(-1, 1),
        "offsets": np.array([[1000 * stop] for _, _, stop in rows]).reshape(-1, 1),
        **SEGMENTING,
    }
    scipy.io.savemat(path, content, appendmat=False)
