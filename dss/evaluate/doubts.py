"""What makes a comparison doubtful: sides that are exchanged, times in another unit."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from dss.data.annotations import occurrences

MARKS = ("confidence", "confirmed")  # columns of predictions
FAR = 500  # times as late: no comparison in one unit

Tables = Sequence[pd.DataFrame]


def doubts(true: Tables, predicted: Tables) -> Iterator[str]:
    """Sentences about true annotations and predictions that are probably not what was meant.

    Arguments:
        true, predicted: a table of each for every recording.
    """
    of_true, of_predicted = (
        [mark for mark in MARKS if any(mark in table for table in tables)]
        for tables in (true, predicted)
    )
    if of_true and not of_predicted:
        yield (
            f"the true annotations have a column {of_true[0]}, as predictions have, and the "
            "predictions have none. Did you exchange them? The true ones come first."
        )
    starts = {
        "true annotations": (_median_start(true), "say so (--time-unit ms, --time-unit samples)"),
        "predictions": (
            _median_start(predicted),
            "name their columns accordingly (start_ms, start_sample)",
        ),
    }
    (early, (first, _)), (late, (last, way)) = sorted(starts.items(), key=lambda side: side[1])
    if first > 0 and last > FAR * first:
        yield (
            f"most {late} start after {last:g} s, most {early} before {first:g} s. If the {late} "
            f"are in milliseconds or samples, {way}."
        )


def _median_start(tables: Tables) -> float:
    starts = [occurrences(table)["start_seconds"].to_numpy(float) for table in tables]
    return float(np.median(np.concatenate(starts))) if any(len(of) for of in starts) else 0.0
