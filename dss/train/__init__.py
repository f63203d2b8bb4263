"""Training: a dataset becomes a run."""

from dss.train.learning_curve import format_learning_curve, learning_curve
from dss.train.results import read_results
from dss.train.suggestions import suggest
from dss.train.training import train

__all__ = ["format_learning_curve", "learning_curve", "read_results", "suggest", "train"]
