"""Segments compared sample by sample, as a person sees them who looks at a stretch of song."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dss.data.annotations import NOISE
from dss.evaluate.pairs import Pair, Recordings, is_segment, read_pairs

TIMES = ["start_seconds", "stop_seconds"]
GRID_SECONDS = 0.001


def sample_confusion(
    true: Recordings, predicted: Recordings, grid_seconds: float = GRID_SECONDS
) -> pd.DataFrame:
    """How often each segment type (row) is annotated as each segment type (column) or as noise.

    Counted every `grid_seconds` of the stretches that somebody looked at; where there is no
    `STEM_annotated.csv`, from the start of the recording to the end of its last annotation. Where
    segments overlap, the one that starts last counts. Events have no duration and do not count;
    where there are no segments at all, nothing is counted.

    Arguments:
        true, predicted: as for `evaluate`.
        grid_seconds: distance of the samples that are compared.
    """
    from sklearn.metrics import confusion_matrix

    pairs = read_pairs(true, predicted)
    names = [NOISE, *_segment_types(pairs)]
    total = np.zeros((len(names), len(names)), int)
    for pair in pairs if len(names) > 1 else []:
        for start, stop in _bounded(pair):
            times = start + grid_seconds * (np.arange(int((stop - start) / grid_seconds)) + 0.5)
            labels = [_labels(table, names, times) for table in (pair.true, pair.predicted)]
            if len(times):
                total += confusion_matrix(*labels, labels=range(len(names)))
    return pd.DataFrame(total, index=names, columns=names)


def sample_scores(
    true: Recordings, predicted: Recordings, grid_seconds: float = GRID_SECONDS
) -> pd.DataFrame:
    """Precision, recall and F1 of segments sample by sample; arguments as `sample_confusion`.

    Returns: a row for each segment type, and `all`: its samples against noise and other types.
    """
    matrix = sample_confusion(true, predicted, grid_seconds)
    song = [name for name in matrix if name != NOISE]
    right = pd.Series({name: matrix.at[name, name] for name in song}, dtype=float)
    n_predicted, n_true = matrix[song].sum(), matrix.loc[song].sum(axis=1)
    for series in (right, n_predicted, n_true):
        series.loc["all"] = series.sum()
    table = pd.DataFrame(
        {
            "precision": right / n_predicted,
            "recall": right / n_true,
            "f1": 2 * right / (n_predicted + n_true),
        }
    )
    table.index.name = "song_type"
    return table


def sample_macro_f1(
    true: Recordings, predicted: Recordings, grid_seconds: float = GRID_SECONDS
) -> float:
    """The mean F1, sample by sample, of all segment types and noise; arguments `sample_confusion`.

    Each type counts alike, however rare it is. NaN if there are no segments.
    """
    matrix = sample_confusion(true, predicted, grid_seconds).to_numpy()
    if len(matrix) == 1:
        return np.nan
    either = matrix.sum(axis=0) + matrix.sum(axis=1)
    return float(np.mean(2 * np.diag(matrix)[either > 0] / either[either > 0]))


def _segment_types(pairs: Sequence[Pair]) -> list[str]:
    tables = [table[is_segment(table)] for pair in pairs for table in pair[:2]]
    return sorted({name for table in tables for name in table["name"]} - {NOISE})


def _bounded(pair: Pair) -> np.ndarray:
    """The stretches of a recording whose end is not known: to the end of the last annotation."""
    last = max([0.0, *(table["stop_seconds"].max() for table in pair[:2] if len(table))])
    is_open = np.isinf(pair.stretches[:, 1])
    return np.where(is_open[:, None], [0.0, last], pair.stretches)


def _labels(table: pd.DataFrame, names: list[str], times: np.ndarray) -> np.ndarray:
    """The number of the segment type at each of some sorted times."""
    labels = np.zeros(len(times), int)
    table = table[is_segment(table) & (table["name"] != NOISE)].sort_values("start_seconds")
    for name, first, last in zip(
        table["name"], *np.searchsorted(times, table[TIMES].to_numpy().T), strict=True
    ):
        labels[first:last] = names.index(name)
    return labels
