"""Annotated stretches: which parts of a recording were annotated, and for which song types."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from dss.data.annotation_values import parse_times
from dss.data.annotations import (
    ABSENT,
    EVENT,
    NOISE,
    TOLERANCE_SECONDS,
    annotated_path,
    beyond_ends,
    occurrences,
    times_of,
)
from dss.data.song_types import is_absence
from dss.data.stretches import intersection, union
from dss.data.text_tables import TIMES, read_csv
from dss.errors import raise_problems
from dss.support.files import replacing


def read_annotated(
    recording: str | Path, duration_seconds: float, tolerance_seconds: float = TOLERANCE_SECONDS
) -> np.ndarray:
    """Read which stretches of a recording were annotated, from `STEM_annotated.csv`.

    Outside of them it is unknown whether there is song. Stretches that overlap or touch are merged.

    Arguments:
        recording: the audio file; `STEM_annotated.csv` (start_seconds,stop_seconds) lies beside it.
        duration_seconds: the length of the recording.
        tolerance_seconds: stretches that extend beyond the recording by no more than this are cut
            at its ends, as annotations are.

    Returns: [stretches, 2] start and stop in seconds, sorted. The whole recording if there is no
        such file; empty if the file has no rows.
    Raises: DssError that lists all invalid rows of the file.
    """
    path = annotated_path(recording)
    if not path.is_file():
        return np.array([[0.0, duration_seconds]])
    table = read_csv(path, TIMES)
    problems = [f"{path}, row {row}: {problem}" for row, problem in parse_times(table)]
    out = beyond_ends(times_of(table), duration_seconds)
    rows = table[TIMES].itertuples(name=None)
    for (row, start, stop), beyond in zip(rows, out, strict=True):
        where = f"{path}, row {row}:"
        if np.isnan(start) or np.isnan(stop):
            problems.append(f"{where} needs both a start and a stop")
        elif stop <= start:
            problems.append(
                f"{where} stops at {stop:g} s, but must stop after its start, {start:g} s"
            )
        elif start < 0 and (beyond > tolerance_seconds or stop <= 0):
            problems.append(f"{where} starts at {start:g} s, before the recording")
        elif beyond > tolerance_seconds or start >= duration_seconds:
            problems.append(
                f"{where} stops at {stop:g} s, but the recording ends at {duration_seconds:g} s"
            )
    raise_problems(problems, "These annotated stretches are invalid; correct them:")
    return union(table[TIMES].to_numpy().clip(0, duration_seconds))


def write_annotated(recording: str | Path, stretches: np.ndarray) -> None:
    """Save which stretches of a recording were annotated, replacing an existing file.

    Arguments:
        recording: the audio file.
        stretches: [stretches, 2] start and stop in seconds; all song within them is annotated.
    """
    table = pd.DataFrame(union(stretches), columns=TIMES)
    with replacing(annotated_path(recording)) as part:
        table.to_csv(part, index=False, float_format="%.6f")


def known_stretches(
    annotations: pd.DataFrame,
    types: Mapping[str, str],
    annotated_stretches: np.ndarray,
    reach_seconds: float,
    names: Iterable[str] = (),
) -> np.ndarray:
    """Find the stretches where it is known for all song types whether they occur.

    These are all stretches that were annotated. But if there are annotations named `noise` or
    `not_<song type>`, only annotated time is known: all types within an annotation, but only x
    within `not_x`. Stretches that are `not_x` for every song type x are therefore also known.

    Arguments:
        annotations: annotation table of a recording.
        types: category by name of the requested song types; may include `noise`.
        annotated_stretches: [stretches, 2] seconds, the stretches that were annotated.
        reach_seconds: how much time around an event is known.
        names: further names, from other recordings or not requested: `not_x` marks the absence of
            x only if x is a name.

    Returns: [stretches, 2] seconds.
    """
    table = occurrences(annotations)
    names = {*names, *table["name"], *types}
    absent = table["name"].map(lambda name: is_absence(name, names))
    says_noise = NOISE not in types and (table["name"] == NOISE).any()
    if not (absent.any() or says_noise):
        return union(annotated_stretches)
    reach = np.where(table["name"].map(types) == EVENT, reach_seconds, 0)[:, None] * [-1, 1]
    times = table[TIMES].to_numpy() + reach
    # Where all types are absent; without types, none is.
    nothing = np.array([[-np.inf, np.inf]]) if types else np.empty((0, 2))
    for name in types:
        nothing = intersection(nothing, times[(table["name"] == ABSENT + name).to_numpy()])
    known = union(np.concatenate([times[~absent.to_numpy(bool)], nothing]))
    return intersection(known, annotated_stretches)
