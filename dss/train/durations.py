"""How long the segments of song types last, and the times between annotations, as people made them.

What no person annotated, detection does not find either: neither a syllable of a third of its usual
duration nor a pause within it, nor a single pulse far from all others where pulses come in trains.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dss.data.annotations import EVENT, SEGMENT
from dss.options import DetectOptions

FEWEST = 10  # annotations; fewer do not tell how much durations vary
MARGIN = 1.3  # by which an annotation may be shorter or longer, as its boundaries are not exact
DEVIATIONS = 2
VARIED = 0.4  # standard deviation of the logarithm of durations that may be anything
UNLIMITED_SECONDS = 3600.0


def learned_durations(
    song: Sequence[np.ndarray],
    class_names: Sequence[str],
    class_types: Sequence[str],
    stretches: np.ndarray,
    samplerate_hz: float,
) -> dict[str, Any]:
    """What detection takes from the annotations: how long segments are, how far apart events.

    The limits of a type lie beyond its shortest and its longest annotation: farther where durations
    vary more, by two standard deviations of their logarithm and a margin of 1.3. So those of a
    stereotyped syllable are narrow. Where durations vary by more than half, as those of sine song
    do, a segment may last up to an hour.

    Where song is annotated that is about as short as `segment_min_seconds`, or shorter, that is
    lowered, so that such song is found.

    A gap is filled if it is shorter than half the shortest pause that anybody left between two
    segments of one type, and than a third of the median duration.

    The nearest neighbour of an event is no farther than 1.3 times what it is for any annotated one.
    Where one is alone in its stretch, events may be alone anywhere.

    Arguments:
        song: where each class is, as `dss.data.contents.song_stretches` gives it; first noise.
        class_names, class_types: of the classes; a type is "event" or "segment".
        stretches: [stretches, 2]: first and one past the last sample of what is looked at.
        samplerate_hz: samples a second.

    Returns: by option of `dss.predict.detection.detect`: `segment_durations`, [shortest, longest]
        in seconds by song type; `segment_min_seconds`; `segment_fill_seconds`;
        `event_interval_max_seconds`.
        What fewer than ten annotations, or pauses, would say is left out, and so is what exceeds
        the range of its option.
    """
    durations, all_seconds, all_pauses = {}, [], []
    for name, kind, occurrences in list(zip(class_names, class_types, song, strict=True))[1:]:
        if kind != SEGMENT:
            continue
        is_cut = np.isin(occurrences, stretches).any(axis=1)
        seconds = np.diff(occurrences[~is_cut], axis=1)[:, 0] / samplerate_hz
        if len(seconds) >= FEWEST:
            deviation = np.log(seconds).std()
            factor = MARGIN * np.exp(DEVIATIONS * deviation)
            longest = UNLIMITED_SECONDS if deviation > VARIED else _rounded(seconds.max() * factor)
            durations[name] = [_rounded(seconds.min() / factor), longest]
        all_seconds.append(seconds)
        all_pauses.append(_pauses(occurrences, stretches) / samplerate_hz)
    learned: dict[str, Any] = {"segment_durations": durations}
    if sum(map(len, all_seconds)) >= FEWEST:
        seconds = np.concatenate(all_seconds)
        shortest = _rounded(seconds.min() / MARGIN)
        if shortest < DetectOptions().segment_min_seconds:
            learned["segment_min_seconds"] = shortest
        if sum(map(len, all_pauses)) >= FEWEST:
            pause = np.concatenate(all_pauses).min()
            learned["segment_fill_seconds"] = _rounded(min(pause / 2, np.median(seconds) / 3))
    events = [s for s, kind in zip(song, class_types, strict=True) if kind == EVENT]
    intervals = [_nearest(occurrences, stretches) / samplerate_hz for occurrences in events]
    if intervals and min(map(len, intervals)) >= FEWEST:
        longest = np.concatenate(intervals).max()
        if np.isfinite(longest):
            learned["event_interval_max_seconds"] = _rounded(MARGIN * longest)
    impossible = DetectOptions.problems(learned)
    return {name: value for name, value in learned.items() if name not in impossible}


def _pauses(occurrences: np.ndarray, stretches: np.ndarray) -> np.ndarray:
    """Samples between one segment and the next of its type in the same stretch."""
    stretch = np.searchsorted(stretches[:, 0], occurrences[:, 0], side="right")
    return (occurrences[1:, 0] - occurrences[:-1, 1])[stretch[1:] == stretch[:-1]]


def _nearest(occurrences: np.ndarray, stretches: np.ndarray) -> np.ndarray:
    """Samples from the middle of each event to that of its nearest neighbour in the same stretch.

    Infinite for an event that is alone in its stretch.
    """
    middles = occurrences.mean(axis=1)
    stretch = np.searchsorted(stretches[:, 0], occurrences[:, 0], side="right")
    between = np.where(np.diff(stretch) == 0, np.diff(middles), np.inf)
    return np.minimum(np.append(np.inf, between), np.append(between, np.inf))[: len(middles)]


def _rounded(seconds: float) -> float:
    return float(f"{seconds:.3g}")
