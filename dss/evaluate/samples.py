"""Compare segments sample by sample, as they appear to somebody looking at a stretch of song."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dss.data.annotations import NOISE
from dss.errors import DssError
from dss.evaluate.pair import ALL, AnnotationArrays, Pair
from dss.evaluate.pairs import Recordings, read_pairs

MOST_COUNTS = 2**27  # a gigabyte
GRID_SECONDS = 0.001  # between the samples that are compared


def sample_confusion(true: Recordings, predicted: Recordings) -> pd.DataFrame:
    """Count how often each segment type (row) is annotated as each type (column) or as noise.

    It counts every millisecond in annotated stretches, and where all segment types are marked as
    absent (`not_<song type>`); without `STEM_annotated.csv`, from the start of the recording to the
    end of its last annotation. Where segments overlap, the one that starts last counts. Events have
    no duration and do not count; without any segments, nothing is counted.

    Arguments:
        true, predicted: as for `evaluate`.
    """
    names, matrices = confusions(read_pairs(true, predicted))
    return pd.DataFrame(matrices.sum(axis=0), index=names, columns=names)


def sample_scores(true: Recordings, predicted: Recordings) -> pd.DataFrame:
    """Precision, recall and F1 of segments, by samples; arguments as for `sample_confusion`.

    Returns: a row for each segment type, and `all`: its samples against noise and other types.

    Example:
        >>> import pandas as pd
        >>> from dss.evaluate import sample_scores
        >>> columns = ["name", "start_seconds", "stop_seconds"]
        >>> true = pd.DataFrame([("a", 0.1, 0.2)], columns=columns)
        >>> predicted = pd.DataFrame([("a", 0.1, 0.15)], columns=columns)
        >>> sample_scores(true, predicted).loc["a", ["precision", "recall"]].to_dict()
        {'precision': 1.0, 'recall': 0.5}
    """
    return score_samples(*confusions(read_pairs(true, predicted)))


def score_samples(names: Sequence[str], matrices: np.ndarray) -> pd.DataFrame:
    """The result of `sample_scores`, from the result of `confusions`."""
    scores = scores_of_confusion(matrices.sum(axis=0))
    return pd.DataFrame(scores, pd.Index([*names[1:], ALL], name="song_type"))


def sample_macro_f1(true: Recordings, predicted: Recordings) -> float:
    """The mean F1, by samples, of all segment types and noise; arguments as for `sample_confusion`.

    All types have equal weight, however rare they are. NaN if there are no segments.
    """
    _, matrices = confusions(read_pairs(true, predicted))
    return float(macro_f1(matrices.sum(axis=0)))


def confusions(pairs: Sequence[Pair]) -> tuple[list[str], np.ndarray]:
    """Noise and the segment types, with a confusion matrix for each recording.

    Returns: names [types], and [recordings, types, types]: true, predicted.
    Raises: DssError if this would fill the memory.
    """
    both = [of_one for pair in pairs for of_one in pair.arrays]
    types = set().union(*(of_one.names[of_one.is_segment] for of_one in both))
    names = [NOISE, *sorted(types - {NOISE})]
    if len(pairs) * len(names) ** 2 > MOST_COUNTS:
        raise DssError(
            f"There are {len(names)} names in {len(pairs)} recordings, too many to count which "
            "are confused. Are they song types?"
        )
    matrices = np.zeros((len(pairs), len(names), len(names)), int)
    if len(names) == 1:
        return names, matrices
    for matrix, pair in zip(matrices, pairs, strict=True):
        for start, stop in _bounded(pair, names[1:]):
            n_times = int((stop - start) / GRID_SECONDS)
            extents = [_extents(of_one, start, n_times) for of_one in pair.arrays]
            # Between these samples, labels do not change, however many samples there are.
            edges = np.unique(np.concatenate([[0, n_times], *(e.ravel() for _, e in extents)]))
            row, column = (_labels(of_one, names, edges) for of_one in extents)
            np.add.at(matrix, (row, column), np.diff(edges))
    return names, matrices


@np.errstate(invalid="ignore")  # division by zero gives NaN
def scores_of_confusion(matrix: np.ndarray) -> dict[str, np.ndarray]:
    """Precision, recall and F1 of each song type, and of all together, each [..., types].

    Arguments:
        matrix: [..., types, types]: true, predicted; noise comes first.
    """
    right = np.diagonal(matrix, axis1=-2, axis2=-1)
    counts = (right, matrix.sum(axis=-2), matrix.sum(axis=-1))
    right, n_predicted, n_true = (
        np.concatenate([n[..., 1:], n[..., 1:].sum(axis=-1, keepdims=True)], -1) for n in counts
    )
    return {
        "precision": right / n_predicted,
        "recall": right / n_true,
        "f1": 2 * right / (n_predicted + n_true),
    }


def macro_f1(matrix: np.ndarray) -> np.ndarray:
    """The mean F1 of noise and the song types that occur: [...] from [..., types, types]."""
    right = np.diagonal(matrix, axis1=-2, axis2=-1)
    either = matrix.sum(axis=-2) + matrix.sum(axis=-1)
    f1 = np.where(either, 2 * right / np.maximum(either, 1), 0).sum(axis=-1)
    return np.where(matrix.shape[-1] > 1, f1 / np.maximum((either > 0).sum(axis=-1), 1), np.nan)


def _bounded(pair: Pair, types: list[str]) -> np.ndarray:
    """Where these segment types are known; all of a recording ends with its last annotation."""
    last = max([0.0, *(stop for of_one in pair.arrays for stop in of_one.times[:, 1])])
    known = pair.known_for(types)
    return np.where(np.isinf(known[:, 1:]), [0.0, last], known)


def _extents(
    annotations: AnnotationArrays, start_seconds: float, n_times: int
) -> tuple[np.ndarray, np.ndarray]:
    """The names of segments in the order of their starts, and which samples they cover.

    Returns: [segments] str, and [segments, 2]: the first sample and the one after the last.
    """
    order = np.argsort(annotations.times[:, 0], kind="stable")
    order = order[(annotations.is_segment & (annotations.names != NOISE))[order]]
    times = annotations.times[order]

    def time_of(sample: np.ndarray) -> np.ndarray:
        return start_seconds + GRID_SECONDS * (sample + 0.5)

    samples = np.clip(np.ceil((times - start_seconds) / GRID_SECONDS - 0.5), 0, n_times)
    # Rounding errors may have put them off by one.
    samples += (time_of(samples) < times) & (samples < n_times)
    samples -= (time_of(samples - 1) >= times) & (samples > 0)
    return annotations.names[order], samples.astype(int)


def _labels(
    segments: tuple[np.ndarray, np.ndarray], names: list[str], edges: np.ndarray
) -> np.ndarray:
    """The number of the segment type between each two of some sorted samples."""
    labels = np.zeros(len(edges) - 1, int)
    of_segments, extents = segments
    for name, (first, last) in zip(of_segments, np.searchsorted(edges, extents), strict=True):
        labels[first:last] = names.index(name)
    return labels
