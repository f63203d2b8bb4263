"""False alarms: sounds marked as not song become noise in the next dataset."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dss.data.annotations import ABSENT, NOISE, occurrences, times_of
from dss.data.stretches import complement, intersection, overlap, union
from dss.data.text_tables import COLUMNS, TIMES
from dss.review.edits import Edited, mark_annotated
from dss.review.table_edits import joined, remove

EVENT_SECONDS = 0.005  # before and after a false event, where there is no other event


def reject(
    edited: Edited, times: np.ndarray, duration_seconds: float, rows: Sequence[int] = ()
) -> Edited:
    """Note that there is no song in some stretches of a recording.

    If nothing in the recording is annotated, or only parts of it, the stretches become annotations
    named `noise`, or annotated stretches: the rest stays unknown. If everything is
    annotated, time without song is noise anyway.

    Arguments:
        edited: the manual annotations of the recording.
        times: [stretches, 2] seconds; an event covers 5 ms before and after it.
        duration_seconds: the length of the recording.
        rows: manual annotations that are false alarms, too, and are deleted.

    Returns: the updated annotations. Others are unchanged, and no noise covers one of them.
    """
    times = np.asarray(times, float).reshape(-1, 2)
    is_event = times[:, :1] == times[:, 1:]
    times = union((times + is_event * [-EVENT_SECONDS, EVENT_SECONDS]).clip(0, duration_seconds))
    names = edited.annotations["name"]
    is_noise_named = not len(names) or (names == NOISE).any() or names.str.startswith(ABSENT).any()
    if len(rows):
        edited = edited._replace(annotations=remove(edited.annotations, rows))
    if edited.annotated_stretches is not None:
        for start, stop in times:
            edited = mark_annotated(edited, start, stop)
    if not is_noise_named:
        return edited
    annotated = union(times_of(occurrences(edited.annotations)))
    free = intersection(times, complement(annotated, duration_seconds))
    noise = pd.DataFrame(free, columns=TIMES).assign(name=NOISE)[COLUMNS].astype({"name": str})
    return edited._replace(annotations=joined([edited.annotations, noise]))


def is_rejected(by_dss: pd.DataFrame, by_hand: pd.DataFrame) -> np.ndarray:
    """Which predictions lie mostly in stretches annotated as `noise`, or `not_` with their name:
    [annotations] bool.
    """
    by_hand = occurrences(by_hand)
    rejected = np.zeros(len(by_dss), bool)
    for name, rows in by_dss.groupby("name").indices.items():
        absent = union(times_of(by_hand[by_hand["name"].isin([NOISE, f"{ABSENT}{name}"])]))
        start, stop = times_of(by_dss.iloc[rows]).T
        is_event = start == stop
        start, stop = start - 1e-6 * is_event, stop + 1e-6 * is_event
        rejected[rows] = overlap(absent, start, stop) > 0.5 * (stop - start)
    return rejected
