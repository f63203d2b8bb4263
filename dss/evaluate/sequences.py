"""The order of syllables, and numbers and durations of annotations."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dss.data.annotations import NOISE
from dss.evaluate.pairs import Recordings, is_segment, read_pairs, song_names, within


def syllable_error_rate(true: Recordings, predicted: Recordings) -> float:
    """Edits that turn the predicted order of syllables into the true one, per true syllable.

    An edit inserts, deletes or replaces one name; syllables are segments in the order of their
    starts, those of each recording by themselves. NaN if there is no true one.

    Source: the syllable error rate of Cohen et al. (2022), eLife 11:e63853.
    """
    edits = n_true = 0
    for pair in read_pairs(true, predicted):
        sequences = []
        for table in (pair.true, pair.predicted):
            counts = is_segment(table) & (table["name"] != NOISE) & within(table, pair.stretches)
            table = table[counts]
            sequences.append(table.sort_values("start_seconds")["name"].tolist())
        edits += edit_distance(*sequences)
        n_true += len(sequences[0])
    return edits / n_true if n_true else np.nan


def agreement(true: Recordings, predicted: Recordings) -> pd.DataFrame:
    """Numbers and durations of annotations, whether these are right or not.

    Returns: a row for each song type, and `all`: true and predicted, numbers; ratio: predicted /
        true; true_seconds and predicted_seconds, summed durations of segments; seconds_ratio;
        true_median_ms and predicted_median_ms, median durations.
    """
    pairs = read_pairs(true, predicted)
    rows = {}
    for name in [*song_names(pairs), "all"]:
        durations = []
        for side in (0, 1):
            tables = [pair[side][within(pair[side], pair.stretches)] for pair in pairs]
            table = pd.concat(tables)
            table = table[(table["name"] != NOISE) & ((table["name"] == name) | (name == "all"))]
            durations.append((table["stop_seconds"] - table["start_seconds"]).to_numpy())
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
