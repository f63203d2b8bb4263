"""Confidence intervals of scores over recordings."""

from collections.abc import Mapping, Sequence
from typing import Unpack

import numpy as np
import pandas as pd

from dss.errors import DssError
from dss.evaluate.matching import NO_MATCH, Match, match_all
from dss.evaluate.pair import ALL, Pair, song_names
from dss.evaluate.pairs import Recordings, read_pairs
from dss.evaluate.samples import confusions, macro_f1, scores_of_confusion
from dss.evaluate.sequences import durations, edit_counts
from dss.options import EvaluateOptions, takes_options
from dss.options.arguments import EvaluateArguments

Scores = dict[tuple[str, str], np.ndarray]  # (song type, score): [draws]


@takes_options
def bootstrap(
    true: Recordings,
    predicted: Recordings,
    *,
    n_draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    options: EvaluateOptions | None = None,
    **named: Unpack[EvaluateArguments],
) -> pd.DataFrame:
    """Estimate how much the scores would vary with other recordings of the same kind.

    Recordings are drawn with replacement, and each draw is scored (percentile bootstrap; Efron &
    Tibshirani 1993, An Introduction to the Bootstrap, chapter 13).

    Arguments:
        true, predicted: as for `evaluate`; at least two recordings.
        n_draws: the number of draws.
        level: the fraction of the draws between low and high.
        seed: the same seed gives the same intervals.

    Returns: rows as in `summarize`, with columns (score, "low") and (score, "high") for each score,
        except numbers of annotations and seconds. NaN where a single recording has such song.
    Raises: DssError for a single recording.
    """
    options = EvaluateOptions.given(options, named)
    pairs = read_pairs(true, predicted, options)
    matches, confused = match_all(pairs, options), confusions(pairs)
    return bootstrap_pairs(pairs, matches, confused, n_draws, level, seed)


def bootstrap_pairs(
    pairs: Sequence[Pair],
    matches: Mapping[str, Sequence[Match]],
    confused: tuple[list[str], np.ndarray],
    n_draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """The result of `bootstrap`, from the results of `read_pairs`, `match_all` and `confusions`."""
    if len(pairs) < 2:
        raise DssError("There is only one recording; an interval needs at least two. Add more.")
    draws = np.random.default_rng(seed).integers(len(pairs), size=(n_draws, len(pairs)))
    times = np.array([np.bincount(draw, minlength=len(pairs)) for draw in draws])
    # Few recordings allow only few different draws.
    times, of_draw = np.unique(times, axis=0, return_inverse=True)
    scores = {
        **_of_matches(matches, times),
        **_of_samples(*confused, times),
        **_of_numbers(pairs, times),
    }
    drawn = pd.DataFrame(scores).iloc[of_draw.ravel()]
    bounds = drawn.quantile([(1 - level) / 2, (1 + level) / 2])
    bounds.index = ["low", "high"]
    table = bounds.unstack().unstack([1, 2]).reindex([*song_names(pairs), ALL])
    return table.rename_axis("song_type")


# times: [draws, recordings], how often each recording is in each draw.


@np.errstate(invalid="ignore")  # division by zero gives NaN
def _of_matches(matches: Mapping[str, Sequence[Match]], times: np.ndarray) -> Scores:
    scores = {}
    n_recordings = times.shape[1]
    for name, of_name in matches.items():
        # The scores of `all` go through the recordings once for each song type.
        numbers = np.array([(m.n_true, m.n_predicted, len(m.errors)) for m in of_name], float)
        numbers = numbers.reshape(-1, n_recordings, 3)
        of_each = numbers.sum(axis=0)  # [recordings, 3]
        n_true, n_predicted, n = _drawn(of_each, times).T
        scores[name, "precision"] = _of_several(n / n_predicted, of_each[:, 1])
        scores[name, "recall"] = _of_several(n / n_true, of_each[:, 0])
        scores[name, "f1"] = _of_several(2 * n / (n_true + n_predicted), of_each[:, :2].sum(axis=1))
        errors = 1000 * np.abs(np.concatenate([NO_MATCH.errors, *(m.errors for m in of_name)]))
        recording = np.repeat(
            np.arange(len(of_name)) % n_recordings, [len(m.errors) for m in of_name]
        )
        for edge, values in zip(("onset", "offset"), errors.T, strict=True):
            order = np.argsort(values)[: np.isfinite(values).sum()]
            found = [_quantiles(values[order], t[recording[order]], [0.5, 0.95]) for t in times]
            median, most = np.transpose(found)
            for part, of_draw in (("error_ms", median), ("error_95_ms", most)):
                scores[name, f"{edge}_{part}"] = _of_several(of_draw, of_each[:, 2])
    return scores


def _of_samples(names: list[str], matrices: np.ndarray, times: np.ndarray) -> Scores:
    drawn = _drawn(matrices, times)
    of_type = (matrices.sum(axis=1) + matrices.sum(axis=2)).T[1:]  # [types, recordings]
    n_of = [*of_type, of_type.sum(axis=0)]
    scores = {
        (name, f"sample_{score}"): _of_several(values[:, i], n_of[i])
        for score, values in scores_of_confusion(drawn).items()
        for i, name in enumerate([*names[1:], ALL])
    }
    return {**scores, (ALL, "sample_macro_f1"): macro_f1(drawn)}


@np.errstate(invalid="ignore", divide="ignore")  # division by zero gives NaN
def _of_numbers(pairs: Sequence[Pair], times: np.ndarray) -> Scores:
    scores = {}
    for name, of_name in durations(pairs).items():
        for score, of in (("ratio", len), ("seconds_ratio", np.sum)):
            values = np.array([[of(d) for d in both] for both in of_name])
            n_true, n_predicted = _drawn(values, times).T
            ratio = np.where(n_true > 0, n_predicted / n_true, np.nan)
            scores[name, score] = _of_several(ratio, values[:, 0])
    edits, n_true = _drawn(edit_counts(pairs), times).T
    return {**scores, (ALL, "syllable_error_rate"): np.where(n_true, edits / n_true, np.nan)}


def _of_several(scores: np.ndarray, n: np.ndarray) -> np.ndarray:
    """The scores of all draws; NaN if a single recording has anything to score.

    They are all the same then, which says nothing about other recordings.

    Arguments:
        n: the number of annotations in each recording that count.
    """
    return scores if (n > 0).sum() > 1 else np.full(len(scores), np.nan)


def _drawn(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Sums over the recordings of each draw: [draws, ...] from [recordings, ...]."""
    sums = times.astype(float) @ values.reshape(len(values), -1)
    return sums.reshape(len(times), *values.shape[1:])


def _quantiles(values: np.ndarray, times: np.ndarray, parts: Sequence[float]) -> np.ndarray:
    """`np.quantile` of sorted values with repetitions; NaN if there are none."""
    last = np.cumsum(times)
    if not len(last) or not last[-1]:
        return np.full(len(parts), np.nan)
    at = np.multiply(parts, last[-1] - 1)
    low, high = (values[np.searchsorted(last, i, "right")] for i in (np.floor(at), np.ceil(at)))
    return low + (high - low) * (at % 1)
