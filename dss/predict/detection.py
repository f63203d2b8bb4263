"""From probabilities to annotations: events are peaks, segments are stretches of song.

A `Detector` takes probabilities block by block and returns each annotation as soon as nothing that
follows can change it, so memory does not grow with the length of the recording.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, Unpack

import numpy as np
import pandas as pd

from dss.data.annotations import COLUMNS, EVENT, NOISE, SEGMENT
from dss.data.text_tables import TIMES
from dss.errors import DssError, warn
from dss.options import DetectOptions, takes_options
from dss.options.arguments import DetectArguments
from dss.predict.confidence import Calibration, calibration_of
from dss.predict.events import Events
from dss.predict.segments import Segments

Detecting = TypeVar("Detecting", bound=DetectOptions)
FOUND_COLUMNS = [*COLUMNS, "confidence"]


@takes_options
def detect(
    blocks: Iterable[np.ndarray],
    types: Mapping[str, str],
    samplerate_hz: float,
    calibration: Calibration | None = None,
    *,
    options: DetectOptions | None = None,
    **named: Unpack[DetectArguments],
) -> pd.DataFrame:
    """Detect events and segments in probabilities.

    An event is a peak of its probability at or above `event_threshold`. Of peaks closer together
    than `event_distance_seconds`, only the highest is kept; then events are deleted whose nearest
    neighbour of the same type is closer than `event_interval_min_seconds` or farther than
    `event_interval_max_seconds`. The time of an event is the time of its peak, interpolated between
    samples by a parabola through the three highest values.

    Song is where the summed probability of all segment types stays at or above
    `segment_hold_threshold` and reaches `segment_threshold` somewhere. It is cut where the most
    probable type changes. Pieces of the same type are merged across gaps shorter than
    `segment_fill_seconds`. A piece shorter than `segment_min_seconds` joins a piece that it
    touches, the one whose type is more probable in it; the result takes the type with the most
    probability. Pieces that are still shorter are deleted. `segment_durations` sets the shortest
    and longest duration of a type, which may be stricter; longer segments are cut where song is
    least probable. With `segment_join_touching`, pieces of different types that touch are merged
    into one of the type with the most probability, unless that would be too long for the type.

    Arguments:
        blocks: probabilities [samples, 1 + len(types)], block by block; class 0 is noise. For a
            single array, `[array]`.
        types: the category of each song type, "event" or "segment", in the order of the classes.
        samplerate_hz: the sample rate of the probabilities.
        calibration: turns probability into confidence; by default, they are the same.

    Returns: a table with name, start_seconds, stop_seconds and confidence, sorted by start.
        Confidence is the probability that the annotation is correct, based on the peak probability
        of an event, or the mean probability of its type over a segment.

    Example:
        >>> import numpy as np
        >>> from dss.predict import detect
        >>> probabilities = np.tile([1.0, 0.0], (1000, 1))  # noise and song type a, at 1000 Hz
        >>> probabilities[100:200] = [0.1, 0.9]
        >>> detect([probabilities], {"a": "segment"}, 1000)
          name  start_seconds  stop_seconds  confidence
        0    a            0.1           0.2         0.9
    """
    options = DetectOptions.given(options, named)
    detector = Detector(types, samplerate_hz, options, calibration)
    tables = [table for block in blocks if len(table := detector.add(block))]
    return in_order([*tables, detector.end()])


def are_consistent(options: DetectOptions) -> bool:
    """Whether the options are consistent."""
    hold, longest = options.segment_hold_threshold, options.event_interval_max_seconds
    return (hold is None or hold <= options.segment_threshold) and (
        longest is None or longest >= options.event_interval_min_seconds
    )


def _check(options: DetectOptions) -> None:
    if not are_consistent(options):
        raise DssError(
            f"segment_hold_threshold ({options.segment_hold_threshold}) should not be above "
            f"segment_threshold ({options.segment_threshold}), nor event_interval_min_seconds "
            f"({options.event_interval_min_seconds}) above event_interval_max_seconds "
            f"({options.event_interval_max_seconds})"
        )


def no_annotations_found() -> pd.DataFrame:
    """The table that `detect` returns if there is no song."""
    return _table([])


def with_run_options(options: Detecting, params: Mapping[str, Any]) -> Detecting:
    """Complete the options with the values stored with a run.

    Arguments:
        options: the options, as given by the user.
        params: the parameters of the run; `detect` holds thresholds, distances, gaps and durations.

    Raises: DssError if the given options contradict each other, or name a song type that the run
        does not know.
    """
    stored = DetectOptions.checked(params.get("detect", {}).get("options", {}))
    given = options.model_fields_set
    options = merge_options(options, stored)
    _check(options)
    if options.recall is not None:
        options = _with_recall(options, options.recall, given, params)
    if options.precision is not None:
        _warn_unsure(options.precision, params)
    kinds = zip(params.get("class_names", ()), params.get("class_types", ()), strict=True)
    segments = [name for name, kind in kinds if kind == SEGMENT]
    unknown = [name for name in options.segment_durations if name not in segments]
    if unknown and segments:
        others = f"choose from {', '.join(segments[1:])}" if segments[1:] else "all are events"
        raise DssError(
            f"segment_durations: there are no segments called {', '.join(unknown)}; {others}"
        )
    return options


def _with_recall(
    options: Detecting, recall: float, given: set[str], params: Mapping[str, Any]
) -> Detecting:
    """Use the highest thresholds that find this fraction of the validation split."""
    calibration = _calibration("recall", params)
    update: dict[str, float] = {}
    for category, points in calibration.recall.items():
        reached = [threshold for threshold, found in points if found >= recall]
        if not reached:
            threshold, found = max(points, key=lambda point: point[1])
            raise DssError(
                f"recall: {recall:g} is more than this network reaches; with a threshold of "
                f"{threshold:g}, it finds {found:.3f} of the {category}s. Give a lower recall."
            )
        name = f"{category}_threshold"
        if name not in given:
            update[name] = min(max(reached), getattr(options, name))
    hold = options.segment_hold_threshold
    if hold is not None and hold > update.get("segment_threshold", 1):
        update["segment_hold_threshold"] = update["segment_threshold"]
    return options.model_copy(update=update)


def _warn_unsure(precision: float, params: Mapping[str, Any]) -> None:
    """Warn of song types without sufficiently sure annotations; raise if no type has any."""
    calibration = _calibration("precision", params)
    names = [name for name in params.get("class_names", ()) if name != NOISE]
    unsure = [name for name in names if calibration.of(name).threshold(precision) is None]
    if len(unsure) == len(names):
        surest = max(max(calibration.of(name).validation) for name in names)
        raise DssError(
            f"precision: {precision:g} is more than this network reaches; even its surest "
            f"annotations are correct with a probability of only {surest:.3f}. Give a lower "
            "precision."
        )
    if unsure:
        warn(
            f"precision: {', '.join(unsure)} {'does' if len(unsure) == 1 else 'do'} not reach "
            f"{precision:g} on the validation data, so all annotations of "
            f"{'this type' if len(unsure) == 1 else 'these types'} are left out"
        )


def _calibration(wish: str, params: Mapping[str, Any]) -> Calibration:
    calibration = calibration_of(params)
    if calibration is None or (wish == "recall" and not calibration.recall):
        instead = "min_confidence" if wish == "precision" else "lower thresholds"
        raise DssError(
            f"{wish}: it is not known yet how often this network is right. Run `dss tune RUN` "
            "once, with a dataset whose validation split has at least ten annotations; or give "
            f"{instead} instead."
        )
    return calibration


def merge_options(given: Detecting, known: DetectOptions) -> Detecting:
    """The given options, completed with known values, which yield where they contradict given ones.

    Durations are merged by song type; giving no durations at all lifts all limits.
    """
    names = known.model_fields_set - given.model_fields_set
    update = {name: getattr(known, name) for name in names}
    if given.segment_durations:
        update["segment_durations"] = known.segment_durations | given.segment_durations
    both = given.model_copy(update=update)
    hold, longest = both.segment_hold_threshold, both.event_interval_max_seconds
    if "segment_hold_threshold" in names and hold is not None:
        update["segment_hold_threshold"] = min(hold, both.segment_threshold)
    if "event_interval_max_seconds" in names and longest is not None:
        is_possible = longest >= both.event_interval_min_seconds
        update["event_interval_max_seconds"] = longest if is_possible else None
    return given.model_copy(update=update)


class Detector:
    """Detects events and segments in probabilities that arrive block by block; see `detect`."""

    def __init__(
        self,
        types: Mapping[str, str],
        samplerate_hz: float,
        options: DetectOptions,
        calibration: Calibration | None = None,
    ):
        _check(options)
        self.samplerate_hz = samplerate_hz
        names = list(types)
        self.calibration = calibration
        self.least = {name: _least(name, options, calibration) for name in names}
        self.events = {
            name: (1 + names.index(name), Events(options, samplerate_hz))
            for name in names
            if types[name] == EVENT
        }
        self.segment_names = [name for name in names if types[name] == SEGMENT]
        self.segment_columns = [1 + names.index(name) for name in self.segment_names]
        self.segments = Segments(self.segment_names, options, samplerate_hz)

    @property
    def delay_seconds(self) -> float:
        """The longest time, in seconds, after the end of song until the song is certain."""
        delays = [events.delay for _, events in self.events.values()]
        return (1 + max([self.segments.fill, *delays])) / self.samplerate_hz

    def add(self, p: np.ndarray) -> pd.DataFrame:
        """Process the next probabilities [samples, classes].

        Returns: the annotations that are now certain, sorted by start.
        """
        events = {name: events.add(p[:, column]) for name, (column, events) in self.events.items()}
        return self._found(events, self.segments.add(p[:, self.segment_columns]))

    def end(self) -> pd.DataFrame:
        """Return the remaining annotations, once nothing follows."""
        events = {name: events.end() for name, (_, events) in self.events.items()}
        return self._found(events, self.segments.end())

    def _found(self, events, segments) -> pd.DataFrame:
        rows = [(name, t, t, p) for name, found in events.items() for t, p in found]
        rows += [(self.segment_names[label], *row) for label, *row in segments]
        table = _table(rows)
        table[TIMES] /= self.samplerate_hz
        if self.calibration:
            table["confidence"] = self.calibration.confidences(table["name"], table["confidence"])
        is_sure = table["confidence"] >= table["name"].map(self.least)
        return in_order([table[is_sure]])


def _least(name: str, options: DetectOptions, calibration: Calibration | None) -> float:
    """The minimum confidence for annotations of a song type."""
    if options.precision is None or calibration is None:
        return options.min_confidence
    sure = calibration.of(name).threshold(options.precision)
    return np.inf if sure is None else max(options.min_confidence, sure)


def _table(rows: list[tuple[str, float, float, float]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=FOUND_COLUMNS)
    return table.astype({"name": str, **dict.fromkeys(FOUND_COLUMNS[1:], float)})


def in_order(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Concatenate tables of annotations, sorted by start."""
    table = pd.concat(tables, ignore_index=True)
    return table.sort_values(["start_seconds", "name"], ignore_index=True, kind="stable")
