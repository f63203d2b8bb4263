"""All options of all stages, each declared once: type, default, range, unit, label and help.

Each stage has one options class. Its fields define the Python signature (`takes_options`), the
command line, the notebook forms, the checks, and the saved YAML.
"""

from dss.options.augmentation import AugmentOptions as AugmentOptions
from dss.options.base import Options as Options
from dss.options.base import declared as declared
from dss.options.base import describe_range as describe_range
from dss.options.base import grouped_fields as grouped_fields
from dss.options.base import holds_many as holds_many
from dss.options.base import kinds_of as kinds_of
from dss.options.base import option as option
from dss.options.base import read_options as read_options
from dss.options.base import read_yaml as read_yaml
from dss.options.base import written_fields as written_fields
from dss.options.checking import AnnotationErrorOptions as AnnotationErrorOptions
from dss.options.checking import CheckOptions as CheckOptions
from dss.options.converting import ConvertOptions as ConvertOptions
from dss.options.dataset import DatasetOptions as DatasetOptions
from dss.options.dataset import FileOptions as FileOptions
from dss.options.dataset import SourceOptions as SourceOptions
from dss.options.demo import DemoOptions as DemoOptions
from dss.options.demo import NotebooksOptions as NotebooksOptions
from dss.options.evaluation import EvaluateOptions as EvaluateOptions
from dss.options.evaluation import ToleranceOptions as ToleranceOptions
from dss.options.evaluation import TuneOptions as TuneOptions
from dss.options.job_script import TrainCommandOptions as TrainCommandOptions
from dss.options.keywords import takes_options as takes_options
from dss.options.network import NetworkOptions as NetworkOptions
from dss.options.prediction import DetectOptions as DetectOptions
from dss.options.prediction import PredictFilesOptions as PredictFilesOptions
from dss.options.prediction import PredictOptions as PredictOptions
from dss.options.prediction import ProofreadFilesOptions as ProofreadFilesOptions
from dss.options.prediction import ProofreadOptions as ProofreadOptions
from dss.options.proposals import ProposeOptions as ProposeOptions
from dss.options.training import LearningCurveOptions as LearningCurveOptions
from dss.options.training import TrainOptions as TrainOptions
