"""Tables of a dataset's contents and of problems, as HTML."""

import html
from pathlib import Path

import pandas as pd
import xarray as xr

from dss.data import describe

MOST_PROBLEMS = 30  # listed; the rest are counted


def counts_table(tree: xr.DataTree) -> str:
    """The duration of each split and how many annotations of each song type it has, as HTML."""
    table = describe(tree).T
    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in ("", *table.columns))
    rows = []
    for name, values in table.iterrows():
        is_time = name in ("seconds", "unknown")
        cells = "".join(
            f"<td>{n:.1f} s</td>" if is_time else f'<td class="dss-n{n:.0f}">{n:.0f}</td>'
            for n in values
        )
        rows.append(f"<tr><th>{html.escape(str(name))}</th>{cells}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def problems_table(problems: pd.DataFrame) -> str:
    """The problems with recordings and annotations, as HTML."""
    if problems.empty:
        return '<span class="dss-good">✓ No problems found.</span>'
    rows = []
    for problem in problems.head(MOST_PROBLEMS).itertuples():
        kind = {"error": "problem", "warning": "doubt", "fixed": "fixed"}[problem.severity]
        row = "" if pd.isna(problem.row) else f", row {problem.row}"
        where = f"{Path(problem.file).name}{row}"
        said = [problem.severity, where, problem.name or "", problem.problem]
        cells = "".join(f'<td class="dss-text">{html.escape(str(text))}</td>' for text in said)
        rows.append(f'<tr class="dss-{kind}">{cells}</tr>')
    more = len(problems) - MOST_PROBLEMS
    rest = f"<div>... and {more} more; dss check lists all</div>" if more > 0 else ""
    return f"<table><tbody>{''.join(rows)}</tbody></table>{rest}"
