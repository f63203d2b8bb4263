"""Forms and viewers for notebooks: the only package of dss that imports ipywidgets."""

from dss.widgets.forms import Form
from dss.widgets.training import TrainingForm
from dss.widgets.viewer import Viewer

__all__ = ["Form", "TrainingForm", "Viewer"]
