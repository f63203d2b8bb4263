"""Runs the four notebooks, as `dss notebooks` writes them, and puts them among the pages.

They are run when the documentation is built, and not committed with what they show: figures would
be a megabyte in every change, and nobody would see that they no longer come out. It takes about a
minute. Notebooks that ran before and have not changed are kept; delete `docs/notebooks` to run them
again. A page cannot hold a live form: where there is one in `notebooks/images`, a picture stands in
its place.
"""

import base64
import re
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from sphinx.util import logging

from dss.examples import write_notebooks

ROOT = Path(__file__).parents[2]
PICTURES = {
    "InspectForm": "inspect_form.png",
    "Viewer": "annotate.jpg",
    "DatasetForm": "form.png",
    "TrainingForm": "training_form.png",
    "PredictForm": "predict_form.png",
    "PredictionViewer": "viewer.png",
}
WIDGET = "application/vnd.jupyter.widget-view+json"
logger = logging.getLogger(__name__)


def run_notebooks(app):
    """Run all notebooks, in their order, if one of them changed."""
    pages = Path(app.srcdir) / "notebooks"
    notebooks = write_notebooks(Path(app.srcdir) / "tour", overwrite=True)
    if all(_is_current(pages / path.name, path) for path in notebooks):
        return
    pages.mkdir(exist_ok=True)
    for path in notebooks:
        logger.info("running %s", path.name)
        notebook = nbformat.read(path, as_version=4)
        settings = {"resources": {"metadata": {"path": str(path.parent)}}, "timeout": 1200}
        NotebookClient(notebook, kernel_name="python3", **settings).execute()
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = [shown for o in cell.outputs if (shown := _on_a_page(o, cell))]
        notebook.metadata = {**notebook.metadata, "widgets": {}}
        nbformat.write(notebook, pages / path.name)


def _is_current(page, notebook):
    """Whether a page is of this very notebook."""
    if not page.exists():
        return False
    return _sources(page) == _sources(notebook)


def _sources(path):
    return [cell.source for cell in nbformat.read(path, as_version=4).cells]


def _on_a_page(output, cell):
    """An output as a page can show it; None if it was there only while the cell ran."""
    if WIDGET not in output.get("data", {}):
        return output
    called = re.search(rf"\b({'|'.join(PICTURES)})\(", cell.source)
    if called is None:  # a progress bar, or a form without a picture
        return None
    picture = ROOT / "notebooks" / "images" / PICTURES[called[1]]
    kind = {".png": "image/png", ".jpg": "image/jpeg"}[picture.suffix]
    data = {kind: base64.b64encode(picture.read_bytes()).decode()}
    return nbformat.v4.new_output("display_data", data=data)


def setup(app):
    """Run the notebooks before Sphinx looks for pages."""
    app.connect("builder-inited", run_notebooks)
    return {"parallel_read_safe": True}
