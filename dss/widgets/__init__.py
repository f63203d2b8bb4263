"""Forms and viewers for notebooks: the only package of dss that imports ipywidgets."""

from dss.widgets.dataset import DatasetForm
from dss.widgets.explorer import PredictionViewer
from dss.widgets.forms import Form
from dss.widgets.inspecting import InspectForm
from dss.widgets.prediction import PredictForm
from dss.widgets.shown import Shown
from dss.widgets.training import TrainingForm
from dss.widgets.viewer import Viewer

__all__ = [
    "DatasetForm",
    "Form",
    "InspectForm",
    "PredictForm",
    "PredictionViewer",
    "Shown",
    "TrainingForm",
    "Viewer",
]
