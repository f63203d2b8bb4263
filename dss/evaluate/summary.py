"""All that is known of how annotations fit each other, as one table and as text."""

import pandas as pd

from dss.evaluate.matching import bootstrap, evaluate, format_scores
from dss.evaluate.pairs import Recordings, read_pairs
from dss.evaluate.samples import sample_confusion, sample_macro_f1, sample_scores
from dss.evaluate.sequences import agreement, syllable_error_rate
from dss.options import EvaluateOptions, takes_options


@takes_options
def summarize(true: Recordings, predicted: Recordings, *, options: EvaluateOptions) -> pd.DataFrame:
    """What `evaluate` gives, with columns of what the other functions of this package give.

    Arguments:
        true, predicted: as for `evaluate`.

    Returns: a row for each song type, and `all`; further columns: f1_low and f1_high and so on
        (95 % interval over recordings, for two recordings or more), sample_precision,
        sample_recall, sample_f1, true_seconds, predicted_seconds, seconds_ratio; and in the row
        `all` sample_macro_f1 (the mean of all types and noise) and syllable_error_rate.
    """
    table = evaluate(true, predicted, options=options)
    if len(read_pairs(true, predicted)) > 1:
        bounds = bootstrap(true, predicted, options=options)
        bounds.columns = [f"{score}_{bound}" for score, bound in bounds.columns]
        table = table.join(bounds)
    table = table.join(sample_scores(true, predicted).add_prefix("sample_"))
    seconds = ["true_seconds", "predicted_seconds", "seconds_ratio"]
    table = table.join(agreement(true, predicted)[seconds])
    table.loc["all", "sample_macro_f1"] = sample_macro_f1(true, predicted)
    table.loc["all", "syllable_error_rate"] = syllable_error_rate(true, predicted)
    return table


@takes_options
def format_summary(true: Recordings, predicted: Recordings, *, options: EvaluateOptions) -> str:
    """What `summarize` gives, as text to read; arguments as for `evaluate`."""
    table = summarize(true, predicted, options=options)
    parts = [format_scores(table[evaluate(true, predicted, options=options).columns])]
    intervals = [c for c in ("precision", "recall", "f1") if f"{c}_low" in table]
    if intervals:
        text = {
            score: [
                f"{low:.3f} to {high:.3f}"
                for low, high in table[[f"{score}_low", f"{score}_high"]].to_numpy()
            ]
            for score in intervals
        }
        parts.append(f"95 % interval over recordings\n{_text(pd.DataFrame(text, table.index))}")
    segments = table[table["sample_f1"].notna()]
    if len(segments):
        columns = [f"sample_{score}" for score in ("precision", "recall", "f1")]
        columns += [c for c in table if "seconds" in c]
        confusion = sample_confusion(true, predicted)
        macro, rate = table.loc["all", ["sample_macro_f1", "syllable_error_rate"]]
        parts += [
            f"Segments, sample by sample, and their durations\n{_text(segments[columns])}",
            f"Milliseconds of each type (rows) annotated as (columns)\n{_text(confusion)}",
            f"F1 by milliseconds, mean of all types and noise: {macro:.3f}",
            f"Syllable error rate {rate:.3f}",
        ]
    return "\n\n".join(parts)


def _text(table: pd.DataFrame) -> str:
    return table.rename_axis(None).to_string(float_format="{:.3f}".format)
