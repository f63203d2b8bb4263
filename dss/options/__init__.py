"""Every option of every stage, once: its type, default, range, unit, label and help.

One class a stage, one module a part of the way. The Python signature (`takes_options`), the command
line, the forms of the notebooks, the checks and the saved YAML all derive from the fields of that
class.
"""

from dss.options.base import (
    Options,
    describe_range,
    grouped_fields,
    holds_many,
    option,
    read_options,
    read_yaml,
    takes_options,
)
from dss.options.dataset import DatasetOptions, SourceOptions
from dss.options.evaluation import DemoOptions, EvaluateOptions, NotebooksOptions, TuneOptions
from dss.options.network import NetworkOptions
from dss.options.prediction import (
    DetectOptions,
    PredictFilesOptions,
    PredictOptions,
    ProofreadOptions,
)
from dss.options.training import AugmentOptions, TrainCommandOptions, TrainOptions

__all__ = [
    "AugmentOptions",
    "DatasetOptions",
    "DemoOptions",
    "DetectOptions",
    "EvaluateOptions",
    "NetworkOptions",
    "NotebooksOptions",
    "Options",
    "PredictFilesOptions",
    "PredictOptions",
    "ProofreadOptions",
    "SourceOptions",
    "TrainCommandOptions",
    "TrainOptions",
    "TuneOptions",
    "describe_range",
    "grouped_fields",
    "holds_many",
    "option",
    "read_options",
    "read_yaml",
    "takes_options",
]
