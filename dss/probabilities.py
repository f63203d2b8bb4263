"""Probabilities on disk: `STEM_probabilities.zarr`, written while a recording is annotated."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from dss.runs import Run


def probabilities_path(annotations: Path) -> Path:
    """Where the probabilities are whose annotations are written to STEM_annotations.csv."""
    stem = annotations.name.partition("_annotations.")[0]
    return annotations.with_name(f"{stem}_probabilities.zarr")


def store_blocks(
    blocks: Iterable[np.ndarray], folder: Path, n_samples: int, run: Run
) -> Iterator[np.ndarray]:
    """Write probabilities block by block while they are passed on.

    The array has the dimensions time and song_type, is compressed and float16 (exact to 0.0005),
    and a block is a chunk of it; `zarr.open_array(folder)` reads it. Its attributes are
    samplerate_hz and class_names.

    Arguments:
        blocks: probabilities [samples, classes], all but the last one equally long.
        folder: the zarr store to write.
        n_samples: length of the recording at the sample rate of the network.
        run: the network that they are from.
    """
    import zarr

    names = run.params["class_names"]
    start = 0
    for block in blocks:
        if not start:
            array = zarr.create_array(
                str(folder),
                shape=(n_samples, len(names)),
                chunks=(len(block), len(names)),
                dtype="float16",
                dimension_names=("time", "song_type"),
                attributes={"samplerate_hz": run.samplerate_hz, "class_names": list(names)},
            )
        array[start : start + len(block)] = block.astype(np.float16)
        start += len(block)
        yield block
