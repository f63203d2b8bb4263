"""The order of syllables, and numbers and durations of annotations."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dss.data.annotations import NOISE
from dss.evaluate.pairs import Pair, Recordings, is_segment, read_pairs, song_names, within


def syllable_error_rate(true: Recordings, predicted: Recordings) -> float:
    """Edits that turn the predicted order of syllables into the true one, per true syllable.

    An edit inserts, deletes or replaces one name; syllables are segments in the order of their
    starts, those of each recording by themselves. NaN if there is no true one.

    Source: the syllable error rate of Cohen et al. (2022), eLife 11:e63853.
    """
    return error_rate(read_pairs(true, predicted))


def error_rate(pairs: Sequence[Pair]) -> float:
    """What `syllable_error_rate` gives, of what `dss.evaluate.pairs.read_pairs` gave."""
    edits, n_true = edit_counts(pairs).sum(axis=0)
    return edits / n_true if n_true else np.nan


def edit_counts(pairs: Sequence[Pair]) -> np.ndarray:
    """Edits and true syllables of each recording: [recordings, 2]."""
    counts = np.zeros((len(pairs), 2), int)
    for row, pair in zip(counts, pairs, strict=True):
        sequences = []
        for table in (pair.true, pair.predicted):
            is_counted = is_segment(table) & (table["name"] != NOISE)
            table = table[is_counted & within(table, pair.stretches)]
            sequences.append(table.sort_values("start_seconds")["name"].tolist())
        row[:] = edit_distance(*sequences), len(sequences[0])
    return counts


def agreement(true: Recordings, predicted: Recordings) -> pd.DataFrame:
    """Numbers and durations of annotations, whether these are right or not.

    Returns: a row for each song type, and `all`: true and predicted, numbers; ratio: predicted /
        true; true_seconds and predicted_seconds, summed durations of segments; seconds_ratio;
        true_median_ms and predicted_median_ms, median durations.
    """
    return compare_pairs(read_pairs(true, predicted))


def compare_pairs(pairs: Sequence[Pair]) -> pd.DataFrame:
    """What `agreement` gives, of what `dss.evaluate.pairs.read_pairs` gave."""
    rows = {}
    for name in [*song_names(pairs), "all"]:
        durations = [np.concatenate(d) for d in zip(*durations_of(pairs, name), strict=True)]
        n_true, n_predicted = map(len, durations)
        seconds = [d.sum() for d in durations]
        rows[name] = {
            "true": n_true,
            "predicted": n_predicted,
            "ratio": n_predicted / n_true if n_true else np.nan,
            "true_seconds": seconds[0],
            "predicted_seconds": seconds[1],
            "seconds_ratio": seconds[1] / seconds[0] if seconds[0] else np.nan,
            "true_median_ms": 1000 * np.median(durations[0]) if n_true else np.nan,
            "predicted_median_ms": 1000 * np.median(durations[1]) if n_predicted else np.nan,
        }
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index.name = "song_type"
    return table


def durations_of(pairs: Sequence[Pair], name: str) -> list[list[np.ndarray]]:
    """The seconds of the true and the predicted annotations of a type, or `all`, by recording."""
    durations = []
    for pair in pairs:
        tables = [table[within(table, pair.stretches)] for table in pair[:2]]
        names = [table["name"] for table in tables]
        is_meant = [(n != NOISE) & ((n == name) | (name == "all")) for n in names]
        counted = [table[meant] for table, meant in zip(tables, is_meant, strict=True)]
        durations.append([(t["stop_seconds"] - t["start_seconds"]).to_numpy() for t in counted])
    return durations


def edit_distance(first: Sequence, second: Sequence) -> int:
    """The fewest insertions, deletions and replacements that turn one sequence into the other."""
    if not len(first) or not len(second):
        return max(len(first), len(second))
    codes = {item: code for code, item in enumerate(dict.fromkeys([*first, *second]))}
    second = np.array([codes[item] for item in second])
    steps = np.arange(len(second) + 1)
    row = steps
    for item in first:
        replaced = row[:-1] + (second != codes[item])
        best = np.concatenate([row[:1] + 1, np.minimum(row[1:] + 1, replaced)])
        row = np.minimum.accumulate(best - steps) + steps
    return int(row[-1])
