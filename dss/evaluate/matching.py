"""Match predicted annotations with true ones, and score them.

A predicted annotation is correct if a true one of the same name starts within the tolerance (and
stops within it, if requested). Each true annotation is matched with at most one predicted one, so
that as many as possible match, and of all such matchings, the one with the smallest errors. Only
annotated stretches count: `STEM_annotated.csv` next to the true annotations; and if these contain
`noise` or `not_<song type>`, only the time they cover, which for `not_a` is known for a alone.
Where a true segment starts or stops at the edge of a stretch, a predicted one may go on beyond: it
is cut there, and the error is unknown.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, Unpack

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from dss.errors import DssError
from dss.evaluate.pair import ALL, AnnotationArrays, Pair, song_names
from dss.evaluate.pairs import Recordings, read_pairs
from dss.options import EvaluateOptions, ToleranceOptions, takes_options
from dss.options.arguments import EvaluateArguments

SCORES = ["precision", "recall", "f1"]


class Match(NamedTuple):
    """The matching of annotations with the same name in one recording."""

    n_true: int
    n_predicted: int
    errors: np.ndarray  # [matched, 2] seconds: onset and offset, predicted - true; NaN if unknown
    missed: np.ndarray  # rows of true annotations without a match
    false: np.ndarray  # rows of predicted annotations without a match


NO_MATCH = Match(0, 0, np.empty((0, 2)), *np.empty((2, 0), int))


@takes_options
def evaluate(
    true: Recordings,
    predicted: Recordings,
    *,
    options: EvaluateOptions | None = None,
    **named: Unpack[EvaluateArguments],
) -> pd.DataFrame:
    """Score predicted annotations against true ones.

    Arguments:
        true: an annotation table or a file, in any format of `read_annotations`; a list of these,
            one per recording; or a folder of such files, or of recordings with annotations,
            which are read as for a dataset, with the same options.
        predicted: the same; lists are matched in order, files in folders by recording.

    Returns: a table with a row for each song type in the true or the predicted annotations, and a
        last row `all` (a song type named all has the row `all (song type)`):
        true, predicted, matched: numbers of annotations;
        precision: matched / predicted; recall: matched / true;
        f1: their harmonic mean; each is NaN when dividing by zero;
        onset_error_ms, offset_error_ms: median absolute error of the matched ones;
        onset_error_95_ms, offset_error_95_ms: the 95th percentile of the absolute error.
    Raises: DssError if a file is missing, or true annotations have no predicted ones.

    Example:
        >>> import pandas as pd
        >>> from dss.evaluate import evaluate
        >>> columns = ["name", "start_seconds", "stop_seconds"]
        >>> true = pd.DataFrame([("a", 0.100, 0.150), ("b", 0.2, 0.26)], columns=columns)
        >>> predicted = pd.DataFrame([("a", 0.102, 0.149), ("c", 0.2, 0.26)], columns=columns)
        >>> evaluate(true, predicted)[["precision", "recall", "f1"]]
                   precision  recall   f1
        song_type
        a                1.0     1.0  1.0
        b                NaN     0.0  0.0
        c                0.0     NaN  0.0
        all              0.5     0.5  0.5
    """
    options = EvaluateOptions.given(options, named)
    return score_pairs(read_pairs(true, predicted, options), options)


def score_pairs(pairs: Sequence[Pair], options: ToleranceOptions) -> pd.DataFrame:
    """The result of `evaluate`, from the result of `dss.evaluate.pairs.read_pairs`."""
    return score_matches(match_all(pairs, options))


def score_matches(matches: Mapping[str, Sequence[Match]]) -> pd.DataFrame:
    """The result of `evaluate`, from the result of `match_all`."""
    table = pd.DataFrame.from_dict(
        {name: scores_of(of_name) for name, of_name in matches.items()}, orient="index"
    )
    table.index.name = "song_type"
    return table


@takes_options
def precision_recall(
    true: Recordings,
    predicted: Recordings,
    *,
    options: EvaluateOptions | None = None,
    **named: Unpack[EvaluateArguments],
) -> pd.DataFrame:
    """Score the predicted annotations whose confidence reaches each of many thresholds.

    Arguments:
        true, predicted: as for `evaluate`; the predicted ones need a confidence.

    Returns: a table with song_type (`all` last), threshold (0.01 to 1), precision, recall and f1.
    Raises: DssError if predicted annotations have no confidence.
    """
    options = EvaluateOptions.given(options, named)
    pairs = read_pairs(true, predicted, options)
    if any(len(pair.predicted) and "confidence" not in pair.predicted for pair in pairs):
        raise DssError(
            "The predicted annotations have no column confidence. Use annotations that dss "
            "predicted."
        )
    tables = []
    for threshold in np.arange(1, 101) / 100:
        sure = [
            replace(pair, predicted=pair.predicted[pair.predicted["confidence"] >= threshold])
            if len(pair.predicted)
            else pair
            for pair in pairs
        ]
        tables.append(score_pairs(sure, options).reset_index().assign(threshold=threshold))
    table = pd.concat(tables, ignore_index=True)
    order = {name: i for i, name in enumerate(tables[0]["song_type"])}
    table = table.sort_values("song_type", key=lambda names: names.map(order), kind="stable")
    return table[["song_type", "threshold", *SCORES]].reset_index(drop=True)


@takes_options
def timing_errors(
    true: Recordings,
    predicted: Recordings,
    *,
    options: EvaluateOptions | None = None,
    **named: Unpack[EvaluateArguments],
) -> pd.DataFrame:
    """Return the timing errors of all correct annotations, predicted - true.

    Arguments:
        true, predicted: as for `evaluate`.

    Returns: a table with name, onset_error_ms and offset_error_ms (NaN for events, and at
        the edge of an annotated stretch).

    Example:
        >>> import pandas as pd
        >>> from dss.evaluate import timing_errors
        >>> columns = ["name", "start_seconds", "stop_seconds"]
        >>> true = pd.DataFrame([("a", 0.100, 0.150)], columns=columns)
        >>> predicted = pd.DataFrame([("a", 0.102, 0.149)], columns=columns)
        >>> timing_errors(true, predicted).round(3)
          name  onset_error_ms  offset_error_ms
        0    a             2.0             -1.0
    """
    options = EvaluateOptions.given(options, named)
    tables = [pd.DataFrame({"name": [], "onset_error_ms": [], "offset_error_ms": []})]
    pairs = read_pairs(true, predicted, options)
    matches = match_all(pairs, options)
    for name in song_names(pairs):
        for match, pair in zip(matches[name], pairs, strict=True):
            onset, offset = 1000 * match.errors.T
            arrays = pair.arrays[0]
            is_event = not arrays.is_segment[arrays.names == name].any()
            errors = {"onset_error_ms": onset, "offset_error_ms": np.nan if is_event else offset}
            tables.append(pd.DataFrame({"name": name, **errors}, range(len(onset))))
    return pd.concat([table for table in tables if len(table)] or tables, ignore_index=True)


def match(
    true: np.ndarray, predicted: np.ndarray, tolerance: float, offset_tolerance: float = np.inf
) -> np.ndarray:
    """Match annotations: as many as possible, then with the smallest errors.

    Arguments:
        true: [annotations, 2] starts and stops in seconds.
        predicted: [annotations, 2].
        tolerance: the largest difference of starts, in seconds.
        offset_tolerance: the largest difference of stops.

    Returns: [matched, 2]: indices of true and predicted annotations.

    Example:
        >>> import numpy as np
        >>> from dss.evaluate import match
        >>> true, predicted = np.array([[0.1, 0.15], [0.2, 0.26]]), np.array([[0.102, 0.149]])
        >>> match(true, predicted, tolerance=0.01)  # rows of both
        array([[0, 0]])
    """
    matched = []
    for t, p in _clusters(true[:, 0], predicted[:, 0], tolerance):
        onset, offset = np.abs(true[t][:, None] - predicted[p][None]).transpose(2, 0, 1)
        fits = (onset <= tolerance) & (offset <= offset_tolerance)
        worst = 1 + (len(t) + len(p)) * tolerance  # more than the errors of a cluster together
        rows, columns = linear_sum_assignment(np.where(fits, onset, worst))
        kept = fits[rows, columns]
        matched += [*zip(t[rows[kept]], p[columns[kept]], strict=True)]
    return np.array(sorted(matched), int).reshape(-1, 2)


def format_scores(scores: pd.DataFrame) -> str:
    """The table from `evaluate` as text."""
    numbers = {"f1": "F1"}
    for edge in ("onset", "offset"):
        numbers |= {f"{edge}_error_ms": f"{edge} error/ms", f"{edge}_error_95_ms": "95 %/ms"}
    return scores.rename(columns=numbers).to_string(float_format="{:.3f}".format)


def match_all(pairs: Sequence[Pair], options: ToleranceOptions) -> dict[str, list[Match]]:
    """By name, one match per recording; `all` has the matches of all names, by recording."""
    by_pair = [match_pair(pair, options) for pair in pairs]
    matches = {
        name: [of_pair.get(name, NO_MATCH) for of_pair in by_pair] for name in song_names(pairs)
    }
    matches[ALL] = [m for of_name in list(matches.values()) for m in of_name]
    return matches


def match_pair(pair: Pair, options: ToleranceOptions) -> dict[str, Match]:
    """Match the annotations in one recording, by song type."""
    return {name: _match_name(pair.arrays, name, options) for name in song_names([pair])}


def _match_name(
    both: tuple[AnnotationArrays, AnnotationArrays], name: str, options: ToleranceOptions
) -> Match:
    rows = [np.flatnonzero(of_one.names == name) for of_one in both]
    is_event = not any(m.is_segment[r].any() for m, r in zip(both, rows, strict=True))
    tolerance = options.tolerance_seconds
    if is_event and options.event_tolerance_seconds:
        tolerance = options.event_tolerance_seconds
    offset_tolerance = np.inf if is_event else options.offset_tolerance_seconds or np.inf
    true, predicted = (m.times[r] for m, r in zip(both, rows, strict=True))
    matched = match(true, predicted, tolerance, offset_tolerance)
    # The true onset decides whether a match counts; annotations matched with others outside do not.
    true_counts, predicted_counts = (m.is_scored[r] for m, r in zip(both, rows, strict=True))
    predicted_counts[matched[:, 1]] = true_counts[matched[:, 0]]
    matched = matched[true_counts[matched[:, 0]]]
    errors = predicted[matched[:, 1]] - true[matched[:, 0]]
    errors[both[0].is_cut[rows[0][matched[:, 0]]]] = np.nan
    counts = int(true_counts.sum()), int(predicted_counts.sum())
    for counted, column in ((true_counts, 0), (predicted_counts, 1)):
        counted[matched[:, column]] = False
    return Match(*counts, errors, rows[0][true_counts], rows[1][predicted_counts])


def scores_of(matches: Sequence[Match]) -> dict[str, float]:
    """The combined scores of some matches: a row of `evaluate`."""
    n_true = sum(m.n_true for m in matches)
    n_predicted = sum(m.n_predicted for m in matches)
    errors = 1000 * np.abs(np.concatenate([np.empty((0, 2)), *(m.errors for m in matches)]))
    n = len(errors)
    known = [of_edge[np.isfinite(of_edge)] for of_edge in errors.T]
    onset, offset = (np.quantile(e, [0.5, 0.95]) if len(e) else [np.nan] * 2 for e in known)
    return {
        "true": n_true,
        "predicted": n_predicted,
        "matched": n,
        "precision": n / n_predicted if n_predicted else np.nan,
        "recall": n / n_true if n_true else np.nan,
        "f1": 2 * n / (n_true + n_predicted) if n_true + n_predicted else np.nan,
        "onset_error_ms": onset[0],
        "onset_error_95_ms": onset[1],
        "offset_error_ms": offset[0],
        "offset_error_95_ms": offset[1],
    }


def _clusters(
    true: np.ndarray, predicted: np.ndarray, tolerance: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Groups of onsets that may match each other, farther than the tolerance from all others."""
    times = np.concatenate([true, predicted])
    order = np.argsort(times, kind="stable")
    cuts = 1 + np.flatnonzero(np.diff(times[order]) > tolerance)
    for cluster in np.split(order, cuts):
        of_true = cluster < len(true)
        if of_true.any() and not of_true.all():
            yield cluster[of_true], cluster[~of_true] - len(true)
