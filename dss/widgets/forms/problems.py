"""Buttons that apply what a check proposes: one sample rate for recordings that differ."""

import re

import ipywidgets as widgets
import pandas as pd

from dss.widgets.elements import button
from dss.widgets.forms.form import Form

RATE = re.compile(r"\(--samplerate-hz ([\d.e+]+)")


def rate_buttons(form: Form, problems: pd.DataFrame) -> list[widgets.Button]:
    """A button that fills in the sample rate that the problems propose, if they do.

    Arguments:
        form: with a field `samplerate_hz`.
        problems: the table from `dss.data.check_annotations`.
    """
    proposed = problems["problem"].str.extract(RATE)[0].dropna().unique()
    if len(proposed) != 1:
        return []
    rate = float(proposed[0])

    def take() -> None:
        form.options = {"samplerate_hz": rate}
        made.disabled = True  # already filled in

    tooltip = "Resample all recordings to the proposed sample rate"
    made = button(f"Use {rate:,.15g} Hz", take, tooltip)
    made.layout.align_self = "flex-start"
    return [made]
