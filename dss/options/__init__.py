"""All options of all stages, each declared once: type, default, range, unit, label and help.

Each stage has one options class. Its fields define the Python signature (`takes_options`), the
command line, the notebook forms, the checks, and the saved YAML.
"""

from dss.options.augmentation import AugmentOptions
from dss.options.base import (
    Options,
    declared,
    describe_range,
    grouped_fields,
    holds_many,
    option,
    read_options,
    read_yaml,
    written_fields,
)
from dss.options.checking import AnnotationErrorOptions, CheckOptions
from dss.options.converting import ConvertOptions
from dss.options.dataset import DatasetOptions, FileOptions, SourceOptions
from dss.options.evaluation import DemoOptions, EvaluateOptions, NotebooksOptions, TuneOptions
from dss.options.job_script import TrainCommandOptions
from dss.options.keywords import takes_options
from dss.options.network import NetworkOptions
from dss.options.prediction import (
    DetectOptions,
    PredictFilesOptions,
    PredictOptions,
    ProofreadFilesOptions,
    ProofreadOptions,
)
from dss.options.proposals import ProposeOptions
from dss.options.training import LearningCurveOptions, TrainOptions

__all__ = [
    "AnnotationErrorOptions",
    "AugmentOptions",
    "CheckOptions",
    "ConvertOptions",
    "DatasetOptions",
    "DemoOptions",
    "DetectOptions",
    "EvaluateOptions",
    "FileOptions",
    "LearningCurveOptions",
    "NetworkOptions",
    "NotebooksOptions",
    "Options",
    "PredictFilesOptions",
    "PredictOptions",
    "ProofreadFilesOptions",
    "ProofreadOptions",
    "ProposeOptions",
    "SourceOptions",
    "TrainCommandOptions",
    "TrainOptions",
    "TuneOptions",
    "declared",
    "describe_range",
    "grouped_fields",
    "holds_many",
    "option",
    "read_options",
    "read_yaml",
    "takes_options",
    "written_fields",
]
