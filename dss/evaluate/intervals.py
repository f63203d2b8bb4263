"""How far scores would vary with other recordings of the same kind."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dss.errors import DssError
from dss.evaluate.matching import match_all, scores_of
from dss.evaluate.pairs import Pair, Recordings, read_pairs, song_names
from dss.evaluate.samples import confusions, macro_f1, scores_of_confusion
from dss.evaluate.sequences import durations_of, edit_counts
from dss.options import EvaluateOptions, takes_options

Scores = dict[tuple[str, str], np.ndarray]  # (song type, score): [draws]


@takes_options
def bootstrap(
    true: Recordings,
    predicted: Recordings,
    *,
    n_draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    options: EvaluateOptions,
) -> pd.DataFrame:
    """How far the scores would vary with other recordings of the same kind.

    Recordings are drawn with replacement, and each draw is scored (percentile bootstrap; Efron &
    Tibshirani 1993, An Introduction to the Bootstrap, chapter 13).

    Arguments:
        true, predicted: as for `evaluate`; at least two recordings.
        n_draws: how many times.
        level: the part of the draws that lies between low and high.
        seed: the same seed gives the same intervals.

    Returns: rows as in `summarize`, columns (score, "low") and (score, "high") for each score that
        is no number of annotations, nor of seconds.
    Raises: DssError for a single recording.
    """
    pairs = read_pairs(true, predicted)
    return bootstrap_pairs(pairs, options, n_draws=n_draws, level=level, seed=seed)


def bootstrap_pairs(
    pairs: Sequence[Pair],
    options: EvaluateOptions,
    *,
    n_draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """What `bootstrap` gives, of what `dss.evaluate.pairs.read_pairs` gave."""
    if len(pairs) < 2:
        raise DssError("An interval over recordings needs at least two of them, not 1")
    draws = np.random.default_rng(seed).integers(len(pairs), size=(n_draws, len(pairs)))
    # Of few recordings there are few draws that differ.
    draws, of_draw = np.unique(np.sort(draws, axis=1), axis=0, return_inverse=True)
    scores = {
        **_of_matches(pairs, draws, options),
        **_of_samples(pairs, draws),
        **_of_numbers(pairs, draws),
    }
    drawn = pd.DataFrame(scores).iloc[of_draw.ravel()]
    bounds = drawn.quantile([(1 - level) / 2, (1 + level) / 2])
    bounds.index = ["low", "high"]
    table = bounds.unstack().unstack([1, 2]).reindex([*song_names(pairs), "all"])
    return table.rename_axis("song_type")


def _of_matches(pairs: Sequence[Pair], draws: np.ndarray, options: EvaluateOptions) -> Scores:
    scores = {}
    for name, of_name in match_all(pairs, options).items():
        by_recording = [of_name[i :: len(pairs)] for i in range(len(pairs))]
        drawn = pd.DataFrame(
            [scores_of([m for i in draw for m in by_recording[i]]) for draw in draws]
        ).drop(columns=["true", "predicted", "matched"])
        scores |= {(name, score): drawn[score].to_numpy() for score in drawn}
    return scores


def _of_samples(pairs: Sequence[Pair], draws: np.ndarray) -> Scores:
    names, matrices = confusions(pairs)
    drawn = matrices[draws].sum(axis=1)
    scores = {
        (name, f"sample_{score}"): values[:, i]
        for score, values in scores_of_confusion(drawn).items()
        for i, name in enumerate([*names[1:], "all"])
    }
    return {**scores, ("all", "sample_macro_f1"): macro_f1(drawn)}


@np.errstate(invalid="ignore", divide="ignore")  # nothing to divide by: NaN
def _of_numbers(pairs: Sequence[Pair], draws: np.ndarray) -> Scores:
    scores = {}
    for name in [*song_names(pairs), "all"]:
        durations = durations_of(pairs, name)
        for score, of in (("ratio", len), ("seconds_ratio", np.sum)):
            values = np.array([[of(d) for d in pair] for pair in durations])
            n_true, n_predicted = values[draws].sum(axis=1).T
            scores[name, score] = np.where(n_true > 0, n_predicted / n_true, np.nan)
    edits, n_true = edit_counts(pairs)[draws].sum(axis=1).T
    return {**scores, ("all", "syllable_error_rate"): np.where(n_true, edits / n_true, np.nan)}
