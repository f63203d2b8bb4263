"""Builds the documentation: `sphinx-build -W --keep-going docs docs/_build`, without internet."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

import dss

project = "dss"
copyright = "The dss developers"
author = "The dss developers"
release = version = dss.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "myst_nb",
    "commands",  # these three are in docs/extensions
    "docstrings",
    "tour",
]
exclude_patterns = ["_build", "jupyter_execute", "tour"]
nitpicky = False  # types of other packages have no pages here

html_theme = "pydata_sphinx_theme"
html_title = "dss, the deep song segmenter"
html_static_path = ["_static"]
html_css_files = ["dss.css"]
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "dss"},  # the whole title would lie below the menu of a narrow window
    "show_prev_next": True,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"changelog": [], "contributing": []}

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # extensions/tour.py has run them already

autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_class_signature = "separated"
default_role = "code"  # docstrings are plain text with `names` in it
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = [("Options", "params_style")]
copybutton_exclude = ".linenos, .gp"
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True
