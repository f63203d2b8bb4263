"""Problems with recordings and annotations: a table, and buttons that solve some of them."""

import html
import re
from pathlib import Path

import ipywidgets as widgets
import pandas as pd

from dss.widgets.elements import button
from dss.widgets.forms.form import Form

RATE = re.compile(r"\(--samplerate-hz ([\d.e+]+)")
KINDS = {"error": "problem", "warning": "doubt", "fixed": "fixed"}  # in the style sheet
MOST_PROBLEMS = 30  # listed; the rest are counted


def problems_table(problems: pd.DataFrame) -> str:
    """The problems with recordings and annotations as HTML, below the files in which they are."""
    if problems.empty:
        return '<span class="dss-good">✓ No problems found.</span>'
    rows = []
    for file, of_file in problems.head(MOST_PROBLEMS).groupby("file", sort=False):
        name = html.escape(Path(str(file)).name)
        rows.append(f'<tr><td class="dss-text" colspan="3"><b>{name}</b></td></tr>')
        for problem in of_file.itertuples():
            row = "" if pd.isna(problem.row) else f"row {problem.row}"
            name = "" if pd.isna(problem.name) else f" ({problem.name})"
            said = [problem.severity, f"{row}{name}", problem.problem]
            cells = "".join(f'<td class="dss-text">{html.escape(text)}</td>' for text in said)
            rows.append(f'<tr class="dss-{KINDS[problem.severity]}">{cells}</tr>')
    more = len(problems) - MOST_PROBLEMS
    rest = f"<div>... and {more} more; dss check lists all</div>" if more > 0 else ""
    return f"<table><tbody>{''.join(rows)}</tbody></table>{rest}"


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
