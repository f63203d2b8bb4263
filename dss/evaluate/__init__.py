"""Compare annotations: manual ones with predictions, or with another person's."""

from dss.evaluate.intervals import bootstrap
from dss.evaluate.matching import evaluate, format_scores, match, precision_recall, timing_errors
from dss.evaluate.mistakes import mistakes
from dss.evaluate.pairs import read_pairs
from dss.evaluate.samples import sample_confusion, sample_macro_f1, sample_scores
from dss.evaluate.sequences import agreement, edit_distance, syllable_error_rate
from dss.evaluate.summary import format_summary, summarize

__all__ = [
    "agreement",
    "bootstrap",
    "edit_distance",
    "evaluate",
    "format_scores",
    "format_summary",
    "match",
    "mistakes",
    "precision_recall",
    "read_pairs",
    "sample_confusion",
    "sample_macro_f1",
    "sample_scores",
    "summarize",
    "syllable_error_rate",
    "timing_errors",
]
