"""Dataset options that are chosen from the recordings and annotations unless you give them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dss.data.annotations import EVENT, occurrences, segments_in
from dss.data.recording_groups import groups_in_filenames
from dss.data.splits import LARGEST_PART, can_be_spared
from dss.options import DatasetOptions
from dss.support.units import counted, listed

EVENT_STD_SECONDS = 0.003  # the precision with which people place pulses
EVENTS_APART = 8  # standard deviations between neighbouring events, at least
GAP_SECONDS = 0.004  # a few frames of a network
FEWEST_TOUCHING = 0.01  # fraction of the segments of a type that follow each other without a pause
FEWEST_RECORDINGS = 3  # the minimum for sparing one for testing
LEAST_TESTED = 0.5  # of the test fraction, in the recordings that are spared if one dominates
N_BLOCKS = 30  # blocks to deal out from one or two recordings when testing by samples
BLOCK_SECONDS = 0.5, 10.0


def chosen_options(
    tables: Sequence[pd.DataFrame],
    known_seconds: Sequence[float],
    types: Mapping[str, str],
    options: DatasetOptions,
    names: Sequence[str] = (),
    are_excerpts: bool = False,
) -> tuple[DatasetOptions, dict[str, str]]:
    """Fill in the options that are chosen from the data.

    Arguments:
        tables: the annotations of each recording.
        known_seconds: how much of each recording is annotated.
        types: the category of each song type.
        options: the options as given.
        names: the names of the recordings, relative to the data folder.
        are_excerpts: whether `noise` or `not_<song type>` mark what is annotated, here and there.

    Returns: the options, and a sentence for each chosen one that differs from its fixed value.
    """
    values: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    if options.event_std_seconds is None:
        values["event_std_seconds"] = _event_width(tables, types, reasons)
    if options.gap_seconds is None:
        values["gap_seconds"] = _gap(tables, types, reasons)
    if options.test_split == "auto":
        why, dominates = "", False
        if options.groups is None:
            why = _why_none_is_spared(known_seconds, options.test_fraction)
            dominates = _largest_part(known_seconds) > LARGEST_PART
        values["test_split"] = "samples" if why else "files"
        if why and options.test_fraction:
            reasons["test_split"] = f"samples: {why}"
        elif options.groups is None and options.test_fraction:
            values |= _groups(names, reasons)
        in_blocks = (why or dominates) and (options.test_fraction or are_excerpts)
        if in_blocks and options.block_seconds is None:
            seconds = np.clip(sum(known_seconds) / N_BLOCKS, *BLOCK_SECONDS)
            values["block_seconds"] = float(f"{seconds:.2g}")
            each = "each split" if why and options.test_fraction else "validation"
            reasons["block_seconds"] = (
                f"{values['block_seconds']:g} s, so that {each} gets a share of all song"
            )
    if options.block_seconds is None:
        values.setdefault("block_seconds", 0.0)
    return options.model_copy(update=values), reasons


def _why_none_is_spared(known_seconds: Sequence[float], test_fraction: float) -> str:
    """Why no whole recording can be spared for testing; blank if one can."""
    n = len(known_seconds)
    if n < FEWEST_RECORDINGS:
        return f"with {counted(n, 'recording')}, none can be spared for testing"
    seconds, part = np.array(known_seconds, float), _largest_part(known_seconds)
    if part <= LARGEST_PART:
        return ""
    others = seconds[can_be_spared(seconds)]
    n_tested = max(1, round(test_fraction * n))
    tested = n_tested * float(np.median(others)) if len(others) >= n_tested else 0.0
    if tested >= LEAST_TESTED * test_fraction * seconds.sum():
        return ""
    return (
        f"{part:.0%} of all that is annotated is a single recording, which cannot be spared, and "
        "the others are too short to test on"
    )


def _largest_part(known_seconds: Sequence[float]) -> float:
    """The fraction of all that is annotated in a single recording."""
    return max(known_seconds, default=0.0) / max(sum(known_seconds), 1e-9)


def _groups(recordings: Sequence[str], reasons: dict[str, str]) -> dict[str, str]:
    """Keep individuals, or days, together in one split if one of them can be spared for testing."""
    groups = groups_in_filenames(recordings)
    if groups is None:
        return {}
    n, kind = len(groups.n_recordings), groups.kind
    names = listed(sorted(groups.n_recordings), 4)
    told = f"the names of the recordings show {n} {kind}s ({names})"
    if groups.are_enough:
        reasons["groups"] = (
            f"{told}; each is kept in one split, so that the test shows how well the network does "
            f"on {kind}s that it has never heard"
        )
        return {"groups": groups.pattern}
    reasons["groups"] = (
        f"none: {told}, of which none can be spared, so the test uses other recordings of the "
        f"same {kind}s"
    )
    return {}


def touching(tables: Sequence[pd.DataFrame], types: Mapping[str, str]) -> tuple[int, int]:
    """How many segments follow one of the same name within `GAP_SECONDS`, and how many follow one
    at all.

    The targets cannot separate the first ones.
    """
    pauses = [np.empty(0)]
    for table in tables:
        segments = segments_in(table, types)
        segments = segments.sort_values("start_seconds")
        is_same = segments["name"].to_numpy()[1:] == segments["name"].to_numpy()[:-1]
        start, stop = (segments[c].to_numpy() for c in ("start_seconds", "stop_seconds"))
        pauses.append((start[1:] - stop[:-1])[is_same])
    pause = np.concatenate(pauses)
    return int((pause < GAP_SECONDS).sum()), len(pause)


def _gap(tables, types: Mapping[str, str], reasons: dict[str, str]) -> float:
    n_touching, n_following = touching(tables, types)
    if n_touching <= FEWEST_TOUCHING * n_following:
        return 0.0
    reasons["gap_seconds"] = (
        f"{GAP_SECONDS:g} s between segments of the same name: {n_touching} of {n_following} "
        f"follow each other within {1000 * GAP_SECONDS:g} ms and would merge"
    )
    return GAP_SECONDS


def _event_width(tables, types: Mapping[str, str], reasons: dict[str, str]) -> float:
    intervals = [np.empty(0)]
    for table in tables:
        table = occurrences(table)
        for name, kind in types.items():
            if kind == EVENT:
                of_type = table["start_seconds"][table["name"] == name]
                intervals.append(np.diff(np.sort(of_type.to_numpy())))
    interval = np.concatenate(intervals)
    interval = interval[interval > 0]
    if not len(interval):
        return EVENT_STD_SECONDS
    shortest = float(np.quantile(interval, 0.05))
    width = float(f"{min(EVENT_STD_SECONDS, shortest / EVENTS_APART):.2g}")
    reasons["event_std_seconds"] = (
        f"{width:g} s: about as precise as people place events, and well below the {shortest:.2g} "
        "s between them"
    )
    return width
