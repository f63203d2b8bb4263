"""Probabilities on disk: `STEM_probabilities.zarr`, written while a recording is annotated.

With them, you can annotate a recording again at once, with other thresholds, gaps and durations.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import pandas as pd

from dss.data.formats.table_writing import path_beside
from dss.data.stores import missing_chunks
from dss.data.text_tables import TIMES
from dss.errors import DssError, reason
from dss.options import DetectOptions, takes_options
from dss.options.arguments import DetectArguments
from dss.predict.confidence import calibration_of, read_calibration
from dss.predict.detection import detect
from dss.runs import Run
from dss.support.files import check_inside
from dss.support.lazy import Lazy

READ_SAMPLES = 2**19  # at a time
MOST_HZ = 1e9
AGAIN = "Annotate the recording again (--existing overwrite)."


def probabilities_path(annotations: Path) -> Path:
    """Where the probabilities for STEM_annotations.csv are stored."""
    return path_beside(annotations, "probabilities.zarr")


def store_blocks(
    blocks: Iterable[np.ndarray], folder: Path, n_samples: int, run: Run
) -> Iterator[np.ndarray]:
    """Write probabilities block by block while passing them on.

    The array has the dimensions time and song_type, is compressed and stored as float16 (exact to
    0.0005), one chunk per block; `zarr.open_array(folder)` reads it. Its attributes are
    samplerate_hz, class_names, and the calibration of the run, if it has one.

    Arguments:
        blocks: probabilities [samples, classes], all but the last one of equal length.
        folder: the zarr store to write.
        n_samples: the length of the recording at the network's sample rate.
        run: the network that computes them.
    """
    import zarr

    names = run.params["class_names"]
    attributes: dict[str, Any] = {"samplerate_hz": run.samplerate_hz, "class_names": list(names)}
    if calibration := calibration_of(run.params, run.trunk):
        attributes["calibration"] = calibration.to_yaml_types()
    start = 0
    for block in blocks:
        if not start:
            array = zarr.create_array(
                str(folder),
                shape=(n_samples, len(names)),
                chunks=(len(block), len(names)),
                dtype="float16",
                dimension_names=("time", "song_type"),
                attributes=attributes,
            )
        array[start : start + len(block)] = block.astype(np.float16)
        start += len(block)
        yield block


def stored_probabilities(annotations: Path) -> Lazy | None:
    """The probabilities next to an annotation file, to be sliced: [samples, classes] float16.

    Returns: an array with the attributes samplerate_hz and class_names; None if there is none.
    Raises: DssError if it is damaged.
    """
    import zarr

    path = probabilities_path(annotations)
    if not path.is_dir():
        return None
    check_inside(path)
    try:
        stored = zarr.open_array(path, mode="r")
        array = Lazy(stored, str(path), AGAIN)
        rate, names = (array.attrs[name] for name in ("samplerate_hz", "class_names"))
        is_right = 0 < rate < MOST_HZ and array.shape[1:] == (len(names),)
        if not is_right or array.dtype.kind != "f":
            raise ValueError(f"{len(names)} classes at {rate} Hz, {array.dtype} {array.shape}")
        if n_missing := missing_chunks(path, stored.cdata_shape):
            there = stored.nchunks - n_missing
            raise ValueError(f"{there} of {stored.nchunks} chunks exist")
    except Exception as error:  # zarr raises all kinds of errors for damaged files
        raise DssError(f"{path}: cannot be read ({reason(error)}). {AGAIN}") from error
    return array


@takes_options
def detect_stored(
    p,
    types: Mapping[str, str],
    start_sample: int = 0,
    stop_sample: int | None = None,
    *,
    after_block: Callable[[], None] = lambda: None,
    options: DetectOptions | None = None,
    **named: Unpack[DetectArguments],
) -> pd.DataFrame:
    """Annotate a stretch of a recording from its `stored_probabilities`.

    Arguments:
        p: the probabilities.
        types: the category of each song type, in the order of the classes, without noise.
        start_sample, stop_sample: the stretch, at the sample rate of the probabilities.
        after_block: called regularly on the way.

    Returns: the table of `dss.predict.detection.detect`, with times since the recording's start.
    """
    options = DetectOptions.given(options, named)
    rate = p.attrs["samplerate_hz"]
    stop_sample = p.shape[0] if stop_sample is None else min(stop_sample, p.shape[0])

    def blocks() -> Iterator[np.ndarray]:
        for start in range(start_sample, stop_sample, READ_SAMPLES):
            yield p[start : min(start + READ_SAMPLES, stop_sample)].astype(np.float32)
            after_block()

    calibration = read_calibration(p.attrs.get("calibration"))
    table = detect(blocks(), types, rate, calibration, options=options)
    table[TIMES] += start_sample / rate
    return table
