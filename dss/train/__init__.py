"""Training: a dataset becomes a run."""

from dss.train.results import read_results
from dss.train.suggestions import suggest
from dss.train.training import train

__all__ = ["read_results", "suggest", "train"]
