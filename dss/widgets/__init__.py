"""Forms and viewers for notebooks: the only package of dss that imports ipywidgets."""

from dss.widgets.forms.dataset import DatasetForm
from dss.widgets.forms.form import Form
from dss.widgets.forms.inspection import InspectForm
from dss.widgets.forms.output import FormOutput
from dss.widgets.forms.prediction import PredictForm
from dss.widgets.forms.training import TrainingForm
from dss.widgets.segment_map.segment_map import SegmentMap
from dss.widgets.viewer.predictions import PredictionViewer
from dss.widgets.viewer.viewer import Viewer

__all__ = [
    "DatasetForm",
    "Form",
    "FormOutput",
    "InspectForm",
    "PredictForm",
    "PredictionViewer",
    "SegmentMap",
    "TrainingForm",
    "Viewer",
]
