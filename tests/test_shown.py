from base64 import b64decode

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from dss.errors import DssError
from dss.options import PredictOptions
from dss.plot.figure import SongFigure
from dss.widgets import Form, Shown


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
    shown, text = Shown(form, table), Shown(form, str)
    (made,) = shown.output.outputs
    assert "<td>0.4</td>" in made["data"]["text/html"]
    form.options = {"event_threshold": 0.7}
    form.run()
    (made,) = shown.output.outputs
    assert "<td>0.7</td>" in made["data"]["text/html"]
    assert text.output.outputs[0]["text"] == "0.7\n"
    form.options = {"event_threshold": 0.9}
    form.run()
    assert shown.output.outputs[0]["text"] == "there is nothing to show\n"
    assert "✓" in form._status.value


def test_an_app_shows_figures(form, app):
    (made,) = Shown(form, lambda _: SongFigure((1, 1))).output.outputs
    assert b64decode(made["data"]["image/png"])[:4] == b"\x89PNG"


def test_a_notebook_shows_it_below_the_cell(form, capsys):
    Shown(form, lambda result: f"It is {result}.")._ipython_display_()
    assert capsys.readouterr().out == "It is 0.4.\n"
    form.options = {"event_threshold": 0.9}
    form.run()
    with pytest.raises(DssError, match="nothing to show"):
        Shown(form, table)
