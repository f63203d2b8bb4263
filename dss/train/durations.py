"""Typical durations of segments and intervals between annotations, learned from manual annotations.

Detection does not find what nobody annotated: no syllables a third as long as usual, no pauses
within them, and no single pulses far from all others if pulses come in trains.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dss.data.annotations import EVENT, SEGMENT
from dss.options import DetectOptions

FEWEST = 10  # annotations; fewer do not show how much durations vary
FEWEST_EVENTS = 50  # fewer do not show how far apart events may be
MARGIN = 1.3  # of durations beyond the annotated ones, as annotated boundaries are inexact
DEVIATIONS = 2
TOUCHING_SECONDS = 0.002  # between segments that a network can hardly separate
RARELY = 0.01  # fraction of neighbours of different types that may touch by mistake
VARIED = 0.4  # standard deviation of the logarithm of durations that may be anything
UNLIMITED_SECONDS = 3600.0


def learned_durations(
    song: Sequence[np.ndarray],
    class_names: Sequence[str],
    class_types: Sequence[str],
    stretches: np.ndarray,
    samplerate_hz: float,
    annotated_parts: np.ndarray | None = None,
) -> dict[str, Any]:
    """The limits that detection learns from annotations: durations of segments, intervals of
    events.

    The limits of a song type lie beyond its shortest and longest annotation: by two standard
    deviations of the logarithm of its durations and a margin of 1.3. They are narrow for a
    stereotyped syllable and wide for song with varied durations. If durations vary by more than
    half, as in sine song, a segment may last up to an hour.

    If annotated song is about as short as `segment_min_seconds` or shorter, that limit is lowered,
    so that such song is found.

    A gap is filled if it is shorter than half the shortest annotated pause between two segments of
    one type, and than a third of the median duration.

    Touching segments of different types are joined if fewer than one in a hundred successive
    annotations touch: the network then takes one syllable for two.

    The nearest neighbour of an event may be up to 1.3 times as far as for any annotated event. If
    an annotated event is alone in its stretch, events may be alone anywhere. Where not all events
    are annotated, these distances are longer than the real ones, never shorter.

    Arguments:
        song: where each class occurs (`dss.data.contents.song_stretches`), noise first.
        class_names, class_types: of the classes; a type is "event" or "segment".
        stretches: [stretches, 2] first and one past the last sample of pieces of recordings.
        samplerate_hz: the sample rate.
        annotated_parts: [parts, 2] samples, what is annotated of the stretches; default: all. A
            segment at an edge may be an excerpt of a longer one, and between two parts, there may
            be song.

    Returns: by option of `dss.predict.detection.detect`: `segment_durations`, [shortest, longest]
        in seconds by song type; `segment_min_seconds`; `segment_fill_seconds`;
        `segment_join_touching`; `event_interval_max_seconds`.
        Values based on fewer than ten annotations, or pauses, or than 50 events, are left out, as
        are values outside the range of their option.
    """
    named = zip(class_names[1:], class_types[1:], song[1:], strict=True)
    segments = {name: occurrences for name, kind, occurrences in named if kind == SEGMENT}
    events = [s for s, kind in zip(song, class_types, strict=True) if kind == EVENT]
    parts = stretches if annotated_parts is None else annotated_parts
    learned = _of_segments(segments, parts, samplerate_hz)
    intervals = [_nearest(occurrences, stretches) / samplerate_hz for occurrences in events]
    if intervals and min(map(len, intervals)) >= FEWEST_EVENTS:
        longest = np.concatenate(intervals).max()
        if np.isfinite(longest):
            learned["event_interval_max_seconds"] = _rounded(MARGIN * longest)
    impossible = DetectOptions.problems(learned)
    return {name: value for name, value in learned.items() if name not in impossible}


def _of_segments(
    segments: Mapping[str, np.ndarray], stretches: np.ndarray, samplerate_hz: float
) -> dict[str, Any]:
    """The limits from segments [segments, 2] by song type."""
    whole = {name: of[~np.isin(of, stretches).any(axis=1)] for name, of in segments.items()}
    seconds = {name: np.diff(of)[:, 0] / samplerate_hz for name, of in whole.items()}
    limits = {name: _limits(of) for name, of in seconds.items() if len(of) >= FEWEST}
    learned: dict[str, Any] = {"segment_durations": limits}
    all_seconds = np.concatenate([[], *seconds.values()])
    if len(all_seconds) < FEWEST:
        return learned
    shortest = _rounded(all_seconds.min() / MARGIN)
    if shortest < DetectOptions().segment_min_seconds:
        learned["segment_min_seconds"] = shortest
    pauses = np.concatenate([_pauses(of, stretches) for of in segments.values()]) / samplerate_hz
    if len(pauses) >= FEWEST:
        fill = min(pauses.min() / 2, np.median(all_seconds) / 3)
        learned["segment_fill_seconds"] = _rounded(fill)
    changes = _pauses_between_types([*segments.values()], stretches) / samplerate_hz
    if len(changes) >= FEWEST:
        touching = (changes < TOUCHING_SECONDS).mean()
        learned["segment_join_touching"] = bool(touching < RARELY)
    return learned


def _limits(seconds: np.ndarray) -> list[float]:
    """The shortest and the longest duration of a song type."""
    deviation = np.log(seconds).std()
    factor = MARGIN * np.exp(DEVIATIONS * deviation)
    longest = UNLIMITED_SECONDS if deviation > VARIED else _rounded(seconds.max() * factor)
    return [_rounded(seconds.min() / factor), longest]


def _pauses(segments: np.ndarray, stretches: np.ndarray) -> np.ndarray:
    """Pauses, in samples, between successive segments in the same stretch."""
    return (segments[1:, 0] - segments[:-1, 1])[_stay(segments, stretches)]


def _pauses_between_types(types: Sequence[np.ndarray], stretches: np.ndarray) -> np.ndarray:
    """Pauses, in samples, between successive segments of different types."""
    segments = np.concatenate(types)
    label = np.repeat(np.arange(len(types)), [len(of) for of in types])
    order = segments[:, 0].argsort(kind="stable")
    segments, changes = segments[order], np.diff(label[order]) != 0
    return (segments[1:, 0] - segments[:-1, 1])[changes & _stay(segments, stretches)]


def _stay(segments: np.ndarray, stretches: np.ndarray) -> np.ndarray:
    """Whether the next segment is in the same stretch, for each segment but the last."""
    return np.diff(np.searchsorted(stretches[:, 0], segments[:, 0], side="right")) == 0


def _nearest(occurrences: np.ndarray, stretches: np.ndarray) -> np.ndarray:
    """Distances, in samples, from the middle of each event to its nearest neighbour in the stretch.

    Infinite for an event that is alone in its stretch.
    """
    middles = occurrences.mean(axis=1)
    stretch = np.searchsorted(stretches[:, 0], occurrences[:, 0], side="right")
    between = np.where(np.diff(stretch) == 0, np.diff(middles), np.inf)
    return np.minimum(np.append(np.inf, between), np.append(between, np.inf))[: len(middles)]


def _rounded(seconds: float) -> float:
    return float(f"{seconds:.3g}")
