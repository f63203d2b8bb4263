"""Calibrate a run: measure on its validation split how often it is right, and what it finds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dss.evaluate.matching import match_pair, score_pairs
from dss.evaluate.pair import Pair
from dss.options import DetectOptions, ToleranceOptions
from dss.predict.confidence import FEWEST, fit
from dss.predict.detection import Detector, in_order, with_run_options
from dss.predict.validation import ValidationStretch, validation_stretches
from dss.runs import Run

CALIBRATE_SECONDS = 600  # of the validation split; more makes hardly any difference
RECALL_THRESHOLDS = [0.5, 0.4, 0.3, 0.2, 0.1, 0.05]


def calibrate(run: Run) -> dict[str, Any]:
    """Compute what to store with a new run so that its confidence is calibrated.

    Up to ten minutes of the validation split are annotated with the options learned so far.
    """
    learned = with_run_options(DetectOptions(), run.params)
    tried = {threshold: lowered(learned, threshold) for threshold in RECALL_THRESHOLDS}
    pairs: list[Pair] = []
    found: dict[float, list[Pair]] = {threshold: [] for threshold in RECALL_THRESHOLDS}
    for stretch in validation_stretches(run, most_seconds=CALIBRATE_SECONDS):
        table, *tables = _detect_all(stretch, run, [learned, *tried.values()])
        names = frozenset(run.song_types)
        pairs.append(stretch.pair(table, names))
        for threshold, table in zip(RECALL_THRESHOLDS, tables, strict=True):
            found[threshold].append(stretch.pair(table, names))
    return calibrated(pairs, found, run.song_types, ToleranceOptions())


def lowered(options: DetectOptions, threshold: float) -> DetectOptions:
    """The options with lower thresholds for events and segments."""
    hold = options.segment_hold_threshold
    thresholds = {
        "event_threshold": min(threshold, options.event_threshold),
        "segment_threshold": min(threshold, options.segment_threshold),
        "segment_hold_threshold": None if hold is None else min(hold, threshold),
    }
    return options.model_copy(update=thresholds)


def _detect_all(
    stretch: ValidationStretch, run: Run, several: Sequence[DetectOptions]
) -> list[pd.DataFrame]:
    """Annotate a stretch with several sets of options; the network processes it only once."""
    detectors = [Detector(run.song_types, run.samplerate_hz, options) for options in several]
    tables: list[list[pd.DataFrame]] = [[] for _ in detectors]
    for block in stretch.blocks():
        for detector, of_detector in zip(detectors, tables, strict=True):
            of_detector.append(detector.add(block))
    return [
        in_order([*of_detector, detector.end()])
        for detector, of_detector in zip(detectors, tables, strict=True)
    ]


def calibrated(
    pairs: Sequence[Pair],
    found: Mapping[float, Sequence[Pair]],
    types: Mapping[str, str],
    options: ToleranceOptions,
) -> dict[str, Any]:
    """Measure how often annotations are correct, and what lower thresholds find.

    Arguments:
        pairs: the true annotations, and those predicted with the thresholds of the run.
        found: the same for each threshold.
        types: the category of each song type.

    Returns: the entries for the parameters of a run, under `detect`.
    """
    tables = []
    for pair in pairs:
        is_right = np.ones(len(pair.predicted), bool)
        for match in match_pair(pair, options).values():
            is_right[match.false] = False
        table = pair.predicted.assign(is_right=is_right, recording=pair.source)
        tables.append(table[pair.arrays[1].is_scored])
    table = pd.concat(tables)
    p, is_right = table["confidence"].to_numpy(float), table["is_right"].to_numpy(bool)
    calibration = fit(p, is_right, table["name"].tolist(), table["recording"].tolist())
    if calibration is None:
        return {}
    recall = {"recall": _recall(found, types, options)}
    return {"calibration": calibration.to_yaml_types() | recall}


def _recall(
    found: Mapping[float, Sequence[Pair]], types: Mapping[str, str], options: ToleranceOptions
) -> dict[str, list[list[float]]]:
    """For each category: thresholds, with the fraction of the true annotations that each finds."""
    recall: dict[str, list[list[float]]] = {}
    for threshold, pairs in found.items():
        scores = score_pairs(pairs, options)
        for category in sorted({*types.values()}):
            names = [name for name, kind in types.items() if kind == category]
            of_category = scores.reindex(names)
            n_true = of_category["true"].sum()
            if n_true >= FEWEST:
                n_found = (of_category["recall"].fillna(0) * of_category["true"]).sum()
                points = recall.setdefault(category, [])
                points.append([threshold, round(float(n_found / n_true), 4)])
    return recall
