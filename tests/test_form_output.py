from base64 import b64decode

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from dss.errors import DssError
from dss.options import PredictOptions
from dss.plot.figure import SongFigure
from dss.widgets import Form, FormOutput
from dss.widgets.forms.listeners import Cell, running_cell


@pytest.fixture
def app(monkeypatch):
    monkeypatch.setenv("VOILA_REQUEST_URL", "http://localhost:8866")
    InteractiveShell.instance()
    yield
    InteractiveShell.clear_instance()


@pytest.fixture
def form(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Form(PredictOptions, lambda **named: float(named["event_threshold"]))


def table(result):
    if result > 0.8:
        raise DssError("there is nothing to show")
    return pd.DataFrame({"threshold": [result]})


def test_an_app_shows_what_is_made_of_each_new_result(form, app):
    shown, text = FormOutput(form, table), FormOutput(form, str)
    (made,) = shown.output.outputs
    assert "<td>0.4</td>" in made["data"]["text/html"]
    form.options = {"event_threshold": 0.7}
    form.run()
    (made,) = shown.output.outputs
    assert "<td>0.7</td>" in made["data"]["text/html"]
    assert text.output.outputs[0]["data"] == {"text/plain": "0.7"}
    form.options = {"event_threshold": 0.9}
    form.run()
    assert shown.output.outputs[0]["data"] == {"text/plain": "there is nothing to show"}
    assert "✓" in form._status.value


def test_an_app_shows_figures(form, app):
    (made,) = FormOutput(form, lambda _: SongFigure((1, 1))).output.outputs
    assert b64decode(made["data"]["image/png"])[:4] == b"\x89PNG"


def test_a_notebook_shows_it_below_the_cell(form, capsys):
    FormOutput(form, lambda result: f"It is {result}.")._ipython_display_()
    assert capsys.readouterr().out == "It is 0.4.\n"
    form.options = {"event_threshold": 0.9}
    form.run()
    with pytest.raises(DssError, match="nothing to show"):
        FormOutput(form, table)


def test_a_notebook_shows_a_new_result_in_the_place_of_the_first(form, capsys, monkeypatch):
    updates = []
    monkeypatch.setattr(
        "IPython.display.DisplayHandle.update", lambda _, shown: updates.append(shown)
    )
    shown = FormOutput(form, table)
    form.run()  # not displayed yet: nothing to replace
    InteractiveShell.instance()
    try:
        shown._ipython_display_()
        for threshold in (0.7, 0.9):
            form.options = {"event_threshold": threshold}
            form.run()
    finally:
        InteractiveShell.clear_instance()
    assert updates[0]["threshold"].tolist() == [0.7]
    assert updates[1:] == ["there is nothing to show"]
    assert "0.4" in capsys.readouterr().out


def test_a_cell_that_runs_again_replaces_what_it_asked_for(form, monkeypatch):
    shown = []
    for cell, what in [(("x", "1"), "a"), (("y", "2"), "b"), (("y", "2"), "c"), (("y", "3"), "d")]:
        monkeypatch.setattr(
            "dss.widgets.forms.listeners.running_cell", lambda cell=cell: Cell(*cell)
        )
        form.when_done(lambda _, what=what: shown.append(what))
    monkeypatch.setattr("dss.widgets.forms.listeners.running_cell", lambda: None)
    form.when_done(lambda _: shown.append("e"))
    form.run()
    assert shown == ["a", "d", "e"]


def test_the_cell_is_the_one_that_the_notebook_names(monkeypatch):
    class Shell:
        def get_parent(self):
            return {"metadata": {"cellId": "x"}, "header": {"msg_id": "1"}}

    assert running_cell() is None
    monkeypatch.setattr("dss.widgets.forms.listeners.get_ipython", Shell)
    assert running_cell() == ("x", "1")
