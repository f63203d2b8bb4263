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
    medians = [_median_start(tables) for tables in (true, predicted)]
    later, side, way = 1, "predictions", "name their columns accordingly (start_ms, start_sample)"
    if medians[0] > medians[1]:
        later, side, way = 0, "true annotations", "say so (--time-unit ms, --time-unit samples)"
    if medians[1 - later] > 0 and medians[later] > FAR * medians[1 - later]:
        other = "true annotations" if later else "predictions"
        yield (
            f"most {side} start after {medians[later]:g} s, most {other} before "
            f"{medians[1 - later]:g} s. If the {side} are in milliseconds or samples, {way}."
        )


def _median_start(tables: Tables) -> float:
    starts = [occurrences(table)["start_seconds"].to_numpy(float) for table in tables]
    return float(np.median(np.concatenate(starts))) if any(len(of) for of in starts) else 0.0
