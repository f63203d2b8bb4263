"""Near misses: where song was almost found, and may have been missed.

`STEM_near_misses.csv` is written next to the annotations if there are near misses: one row each,
with name, start_seconds, stop_seconds and probability.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from dss.data.annotation_values import parse_times
from dss.data.annotations import ABSENT, EVENT, SEGMENT, occurrences
from dss.data.formats.table_writing import path_beside
from dss.data.song_types import is_absence
from dss.data.stretches import of_mask
from dss.data.text_tables import COLUMNS, TIMES, read_csv
from dss.data.time_texts import numbers
from dss.errors import raise_problems
from dss.options import DetectOptions
from dss.support.files import remove, replacing

NEAR_COLUMNS = [*COLUMNS, "probability"]
NEAR = 0.5  # fraction of a threshold that near misses reach


class NearMisses:
    """Collects near misses from probabilities on their way to detection.

    A near miss is a stretch without annotations in which the summed probability of all song types
    is at least half of the threshold: it stayed below the threshold, or what was detected there was
    deleted because it was too short, too long, or too far from others. Stretches with gaps shorter
    than `segment_fill_seconds` are merged.

    Arguments:
        types: the category of each song type, in the order of the classes, without noise.
        samplerate_hz: of the probabilities.
        options: the detection options.
    """

    def __init__(self, types: Mapping[str, str], samplerate_hz: float, options: DetectOptions):
        thresholds = {EVENT: options.event_threshold, SEGMENT: options.segment_threshold}
        self._least = NEAR * min(thresholds[kind] for kind in types.values())
        self._names, self._kinds = list(types), list(types.values())
        self._rate = samplerate_hz
        self._gap = options.segment_fill_seconds * samplerate_hz
        self._shortest = options.segment_min_seconds * samplerate_hz
        self._n_samples = 0
        self._last: tuple[int, int, np.ndarray, float] | None = None  # the next one may extend it
        self._done = array("d")  # class, start, stop, peak of each earlier one

    def watch(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Pass on probabilities [samples, classes], with noise as class 0, block by block."""
        for p in blocks:
            is_near = p[:, 0] <= 1 - self._least
            for start, stop in of_mask(is_near).tolist():
                mass = p[start:stop, 1:].sum(axis=0, dtype=float)
                self._add(start, stop, mass, 1 - float(p[start:stop, 0].min()))
            self._n_samples += len(p)
            yield p

    def _add(self, start: int, stop: int, mass: np.ndarray, peak: float) -> None:
        start, stop = self._n_samples + start, self._n_samples + stop
        if self._last and start - self._last[1] <= self._gap:
            start, _, mass_before, peak_before = self._last
            mass, peak = mass + mass_before, max(peak, peak_before)
        else:
            self._close()
        self._last = start, stop, mass, peak

    def _close(self) -> None:
        if not self._last:
            return
        start, stop, mass, peak = self._last
        number = int(mass.argmax())
        if self._kinds[number] == EVENT or stop - start >= self._shortest:
            self._done.extend([number, start, stop, peak])
        self._last = None

    def table(self, annotations: pd.DataFrame) -> pd.DataFrame:
        """The near misses without annotations, once all blocks have passed.

        Returns: a table with name (the most probable type), start_seconds, stop_seconds, and
            probability (the peak probability of song).
        """
        self._close()
        number, start, stop, peak = np.reshape(self._done, (-1, 4)).T
        near = pd.DataFrame(
            {
                "name": np.array(self._names, object)[number.astype(int)],
                "start_seconds": start / self._rate,
                "stop_seconds": stop / self._rate,
                "probability": peak,
            }
        )
        return apart_from(near, annotations)


def near_misses_path(annotations: Path) -> Path:
    """The near misses file that belongs to STEM_annotations.csv."""
    return path_beside(annotations, "near_misses.csv")


def write_near_misses(table: pd.DataFrame, annotations: Path) -> None:
    """Write `NearMisses.table` next to an annotation file; no file if there are no near misses."""
    path = near_misses_path(annotations)
    if table.empty:
        remove(path)
        return
    with replacing(path) as part:
        table.to_csv(part, index=False, float_format="%.6f")


def read_near_misses(annotations: Path, table: pd.DataFrame) -> pd.DataFrame:
    """Read the near misses next to an annotation file, without those annotated in its table.

    There, `not_x` says of x alone that it is not there.

    Raises: DssError that lists all unreadable rows.
    """
    path = near_misses_path(annotations)
    if not path.is_file():
        return apart_from(pd.DataFrame(columns=NEAR_COLUMNS), table)
    near = read_csv(path, NEAR_COLUMNS)
    problems = parse_times(near)
    near["probability"] = numbers(near["probability"])
    lacking = near[NEAR_COLUMNS].isna()
    problems += [
        (row, f"{column} is missing, or not a number")
        for column in NEAR_COLUMNS
        for row in near.index[lacking[column]]
    ]
    raise_problems(
        [f"{path}, row {row}: {what}" for row, what in problems],
        "These near misses cannot be read; annotate again, or remove the file:",
    )
    names = {*table["name"], *near["name"]}
    absent = table["name"].map(lambda name: is_absence(name, names)).astype(bool)
    parts = [
        apart_from(of_name, table[~absent | (table["name"] == ABSENT + name)])
        for name, of_name in near.groupby("name", sort=False)
    ]
    return pd.concat(parts, ignore_index=True) if parts else near


def apart_from(sounds: pd.DataFrame, annotations: pd.DataFrame) -> pd.DataFrame:
    """The sounds, with start_seconds and stop_seconds, that no annotation overlaps."""
    start, stop = occurrences(annotations)[TIMES].to_numpy(float).T
    # If as many annotations end before a stretch begins as begin before it ends, none overlaps it.
    n_ended = np.searchsorted(np.sort(stop), sounds["start_seconds"])
    n_begun = np.searchsorted(np.sort(start), sounds["stop_seconds"], side="right")
    return sounds[n_ended == n_begun].reset_index(drop=True)
