"""A summary of all scores, as one table and as text."""

from collections.abc import Sequence
from typing import Unpack

import numpy as np
import pandas as pd

from dss.evaluate.intervals import bootstrap_pairs
from dss.evaluate.matching import format_scores, match_all, score_matches, scores_of
from dss.evaluate.pair import ALL, Pair
from dss.evaluate.pairs import Recordings, read_pairs
from dss.evaluate.samples import confusions, macro_f1, score_samples
from dss.evaluate.sequences import compare_pairs, error_rate
from dss.options import EvaluateOptions, takes_options
from dss.options.arguments import EvaluateArguments
from dss.support.units import readable

MOST_COLUMNS = 100  # of a table that is printed
# Scores whose intervals are printed, with their names there.
INTERVALS = {
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "onset_error_ms": "onset error/ms",
    "sample_f1": "F1 by ms",
    "seconds_ratio": "seconds ratio",
}


@takes_options
def summarize(
    true: Recordings,
    predicted: Recordings,
    *,
    options: EvaluateOptions | None = None,
    **named: Unpack[EvaluateArguments],
) -> pd.DataFrame:
    """All scores of `evaluate`, with further columns from the other functions of this package.

    Arguments:
        true, predicted: as for `evaluate`.

    Returns: a row for each song type, and `all`; further columns: sample_precision, sample_recall,
        sample_f1, ratio (predicted / true), true_seconds, predicted_seconds, seconds_ratio; in the
        row `all` sample_macro_f1 (the mean of all types and noise) and syllable_error_rate; and for
        at least two recordings f1_low and f1_high, the 95 % interval over recordings, and so for
        each score.

    Example:
        >>> import pandas as pd
        >>> from dss.evaluate import summarize
        >>> columns = ["name", "start_seconds", "stop_seconds"]
        >>> true = pd.DataFrame([("a", 0.1, 0.15), ("b", 0.2, 0.26)], columns=columns)
        >>> summarize(true, true[:1]).loc["all", ["precision", "recall"]].to_dict()
        {'precision': 1.0, 'recall': 0.5}
    """
    options = EvaluateOptions.given(options, named)
    pairs = read_pairs(true, predicted, options)
    return _summary(pairs, confusions(pairs), options)


@takes_options
def format_summary(
    true: Recordings,
    predicted: Recordings,
    *,
    options: EvaluateOptions | None = None,
    **named: Unpack[EvaluateArguments],
) -> str:
    """The result of `summarize` as text; arguments as for `evaluate`."""
    options = EvaluateOptions.given(options, named)
    pairs = read_pairs(true, predicted, options)
    names, matrices = confusions(pairs)
    table = _summary(pairs, (names, matrices), options)
    parts = [f"{_criterion(options)}\n{format_scores(table[[*scores_of([])]])}"]
    if "f1_low" in table:
        text = {
            title: [_interval(row, score) for _, row in table.iterrows()]
            for score, title in INTERVALS.items()
            if table[f"{score}_low"].notna().any()
        }
        parts.append(f"95 % interval over recordings\n{_text(pd.DataFrame(text, table.index))}")
    segments = table[table["sample_f1"].notna()]
    if len(segments):
        columns = [f"sample_{score}" for score in ("precision", "recall", "f1")]
        columns += ["true_seconds", "predicted_seconds", "seconds_ratio"]
        parts.append(f"Segments, by samples, and their durations\n{_text(segments[columns])}")
        if len(names) <= MOST_COLUMNS:
            confusion = _text(pd.DataFrame(matrices.sum(axis=0), names, names))
            parts.append(f"Milliseconds of each type (rows) annotated as (columns)\n{confusion}")
        for score, title in (
            ("sample_macro_f1", "F1 by milliseconds, mean of all types and noise:"),
            ("syllable_error_rate", "Syllable error rate"),
        ):
            row = table.loc[ALL]
            interval = f" (95 % interval {_interval(row, score)})" if "f1_low" in row else ""
            parts.append(f"{title} {row[score]:.3f}{interval}")
    return "\n\n".join(parts)


def _criterion(options: EvaluateOptions) -> str:
    """What counts as a match, and what the errors are."""
    limits = [f"onset within {readable(options.tolerance_seconds)}"]
    if options.offset_tolerance_seconds:
        limits.append(f"offset within {readable(options.offset_tolerance_seconds)}")
    if options.event_tolerance_seconds:
        limits.append(f"events within {readable(options.event_tolerance_seconds)}")
    matched = f"Matched: same name, {', '.join(limits)}"
    return f"{matched}. Errors of these: their median, and the limit that 95 % do not exceed"


def _summary(
    pairs: Sequence[Pair], confused: tuple[list[str], np.ndarray], options: EvaluateOptions
) -> pd.DataFrame:
    matches = match_all(pairs, options)
    table = score_matches(matches)
    table = table.join(score_samples(*confused).add_prefix("sample_"))
    numbers = ["ratio", "true_seconds", "predicted_seconds", "seconds_ratio"]
    table = table.join(compare_pairs(pairs)[numbers])
    table.loc[ALL, "sample_macro_f1"] = float(macro_f1(confused[1].sum(axis=0)))
    table.loc[ALL, "syllable_error_rate"] = error_rate(pairs)
    if len(pairs) > 1:
        bounds = bootstrap_pairs(pairs, matches, confused)
        bounds.columns = [f"{score}_{bound}" for score, bound in bounds.columns]
        table = table.join(bounds)
    return table


def _interval(row: pd.Series, score: str) -> str:
    low, high = row[f"{score}_low"], row[f"{score}_high"]
    return "" if pd.isna(low) else f"{low:.3f} to {high:.3f}"


def _text(table: pd.DataFrame) -> str:
    return table.rename_axis(None).to_string(float_format="{:.3f}".format)
