"""Compare the order of syllables, and numbers and durations of annotations."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dss.data.annotations import NOISE
from dss.evaluate.pair import ALL, Pair, song_names
from dss.evaluate.pairs import Recordings, read_pairs


def syllable_error_rate(true: Recordings, predicted: Recordings) -> float:
    """The number of edits from the predicted to the true order of syllables, per true syllable.

    An edit inserts, deletes or replaces one name; syllables are segments, sorted by start within
    each recording. NaN if there are no true syllables.

    Source: the syllable error rate of Cohen et al. (2022), eLife 11:e63853.

    Example:
        >>> import pandas as pd
        >>> from dss.evaluate import syllable_error_rate
        >>> columns = ["name", "start_seconds", "stop_seconds"]
        >>> true = pd.DataFrame([("a", 0.1, 0.15), ("b", 0.2, 0.26)], columns=columns)
        >>> syllable_error_rate(true, true.assign(name=["a", "c"]))
        0.5
    """
    return error_rate(read_pairs(true, predicted))


def error_rate(pairs: Sequence[Pair]) -> float:
    """The result of `syllable_error_rate`, from the result of `dss.evaluate.pairs.read_pairs`."""
    edits, n_true = edit_counts(pairs).sum(axis=0)
    return float(edits / n_true) if n_true else np.nan


def edit_counts(pairs: Sequence[Pair]) -> np.ndarray:
    """The edits and the true syllables of each recording: [recordings, 2]."""
    counts = np.zeros((len(pairs), 2), int)
    for row, pair in zip(counts, pairs, strict=True):
        sequences = []
        for of_one in pair.arrays:
            is_counted = of_one.is_scored & of_one.is_segment & (of_one.names != NOISE)
            order = np.argsort(of_one.times[:, 0], kind="stable")
            sequences.append(of_one.names[order[is_counted[order]]].tolist())
        row[:] = edit_distance(*sequences), len(sequences[0])
    return counts


def agreement(true: Recordings, predicted: Recordings) -> pd.DataFrame:
    """Compare numbers and durations of annotations, whether correct or not.

    Returns: a row for each song type, and `all`: true and predicted, numbers; ratio: predicted /
        true; true_seconds and predicted_seconds, total durations of segments; seconds_ratio;
        true_median_ms and predicted_median_ms, median durations.
    """
    return compare_pairs(read_pairs(true, predicted))


def compare_pairs(pairs: Sequence[Pair]) -> pd.DataFrame:
    """The result of `agreement`, from the result of `dss.evaluate.pairs.read_pairs`."""
    rows = {}
    for name, of_name in durations(pairs).items():
        both = [np.concatenate(d) for d in zip(*of_name, strict=True)]
        n_true, n_predicted = map(len, both)
        seconds = [d.sum() for d in both]
        rows[name] = {
            "true": n_true,
            "predicted": n_predicted,
            "ratio": n_predicted / n_true if n_true else np.nan,
            "true_seconds": seconds[0],
            "predicted_seconds": seconds[1],
            "seconds_ratio": seconds[1] / seconds[0] if seconds[0] else np.nan,
            "true_median_ms": 1000 * np.median(both[0]) if n_true else np.nan,
            "predicted_median_ms": 1000 * np.median(both[1]) if n_predicted else np.nan,
        }
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index.name = "song_type"
    return table


def durations(pairs: Sequence[Pair]) -> dict[str, list[list[np.ndarray]]]:
    """For each song type, and `all`: the seconds of the true and of the predicted annotations, for
    each recording."""
    names = song_names(pairs)
    found: dict[str, list[list[np.ndarray]]] = {name: [] for name in [*names, ALL]}
    for pair in pairs:
        both = [(m.names[m.is_scored], np.diff(m.times[m.is_scored])[:, 0]) for m in pair.arrays]
        for name in names:
            found[name].append([seconds[of == name] for of, seconds in both])
        found[ALL].append([seconds[of != NOISE] for of, seconds in both])
    return found


def edit_distance(first: Sequence, second: Sequence) -> int:
    """The fewest insertions, deletions and replacements that turn one sequence into the other.

    Example:
        >>> from dss.evaluate import edit_distance
        >>> edit_distance("abc", "ac")
        1
    """
    if not len(first) or not len(second):
        return max(len(first), len(second))
    codes = {item: code for code, item in enumerate(dict.fromkeys([*first, *second]))}
    second_codes = np.array([codes[item] for item in second])
    steps = np.arange(len(second) + 1)
    row = steps
    for item in first:
        replaced = row[:-1] + (second_codes != codes[item])
        best = np.concatenate([row[:1] + 1, np.minimum(row[1:] + 1, replaced)])
        row = np.minimum.accumulate(best - steps) + steps
    return int(row[-1])
