"""Forms and viewers for notebooks: the only package of dss that imports ipywidgets."""

from dss.widgets.forms import Form

__all__ = ["Form"]
