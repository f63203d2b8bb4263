"""Annotations of evsonganaly (.not.mat): a letter, an onset and an offset in ms per syllable.

https://github.com/NickleDave/evfuncs describes the format; crowsetta reads it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from dss.data.formats.mat5 import check_mat
from dss.data.formats.rows import Row, in_order
from dss.errors import DssError

# Initial segmentation settings of evsonganaly, which reads them; they do not change annotations.
SEGMENTING = {"threshold": 1000.0, "min_int": 5.0, "min_dur": 30.0, "sm_win": 2.0}


def read_notmat(path: Path) -> list[Row]:
    """Read the annotations.

    Raises: DssError if it is not such a file, or lacks some onsets, offsets or names.
    """
    import crowsetta

    check_mat(path)
    try:
        seq = crowsetta.formats.by_name("notmat").from_file(path).to_annot(round_times=False).seq
    except Exception as error:  # crowsetta and scipy raise all kinds of errors
        raise DssError(
            f"{path}: cannot be read as notmat ({type(error).__name__}: {error})"
        ) from error
    n_names, n_onsets, n_offsets = map(len, (seq.labels, seq.onsets_s, seq.offsets_s))
    if not n_names == n_onsets == n_offsets:
        raise DssError(
            f"{path}: has {n_names} names, {n_onsets} onsets and {n_offsets} offsets; there "
            "should be one of each per annotation"
        )
    return [*zip(map(str, seq.labels), seq.onsets_s, seq.offsets_s, strict=True)]


def write_notmat(
    rows: Iterable[Row], path: Path, samplerate_hz: float, replaced: Path | None = None
) -> None:
    """Write annotations with single-letter names, in the order of their onsets.

    The other contents of a replaced file are kept, such as the thresholds that somebody set.

    Raises: DssError if the replaced file cannot be read.
    """
    import scipy.io

    rows = in_order(rows)
    content = {
        **SEGMENTING,
        **(_fields(replaced) if replaced and replaced.is_file() else {}),
        "Fs": float(samplerate_hz),
        "labels": "".join(name for name, _, _ in rows),
        "onsets": np.array([[1000 * start] for _, start, _ in rows]).reshape(-1, 1),
        "offsets": np.array([[1000 * stop] for _, _, stop in rows]).reshape(-1, 1),
    }
    scipy.io.savemat(path, content, appendmat=False, long_field_names=True)


def _fields(path: Path) -> dict[str, Any]:
    """All variables in an existing file."""
    import scipy.io

    check_mat(path)
    try:
        content = scipy.io.loadmat(path, appendmat=False)
    except Exception as error:  # scipy raises all kinds of errors for damaged files
        raise DssError(f"{path}: cannot be read, so its contents would be lost ({error})") from None
    return {name: value for name, value in content.items() if not name.startswith("_")}
