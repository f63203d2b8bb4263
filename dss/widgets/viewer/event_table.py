"""A sortable table of all annotations of a recording; a click on a row jumps to it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import pandas as pd
import traitlets

from dss.data.annotations import occurrences
from dss.data.text_tables import COLUMNS, TIMES
from dss.plot.colors import song_colors
from dss.review.table_edits import joined
from dss.widgets.browser import BrowserWidget, as_bytes, script
from dss.widgets.elements import fold, help_html

HERE = Path(__file__).parent
HELP = (
    "Click a heading to sort, or a row to jump to it. <b>&uarr;</b> and <b>&darr;</b> move from "
    "row to row; numbers, <b>Enter</b>, <b>Delete</b> and <b>space</b> work as on the picture."
)


class Rows(BrowserWidget):
    """A table in the browser that draws only the rows in sight, to stay fast with 100,000 rows.

    What the user does arrives as a dictionary: `{"do": "row", "row"}` after a click, and `{"do":
    "key", "key"}` with the key as browsers name it, or "undo", "redo".

    Attributes:
        rows: as bytes: `times` [rows, 2] float64 seconds; `confidence` [rows] float32, NaN if
            unknown; `names` and `tables` [rows] uint16, the numbers of song types and of tables;
            and the `name_labels`, `name_colors` and `table_labels` of these numbers.
        pointed: the marked row; -1 if there is none.
    """

    _esm = script(HERE / "event_table.js")
    _css = HERE / "event_table.css"

    rows: traitlets.Dict = traitlets.Dict().tag(sync=True)
    pointed = traitlets.Int(-1).tag(sync=True)


class EventTable:
    """Shows all annotations of the recording in view, in a fold below the picture.

    Arguments:
        viewer: the `dss.widgets.Viewer`.

    Attributes:
        widget: the fold.
        table: all annotations, one per row, with a column `table` for the table they come from.
    """

    def __init__(self, viewer):
        self._viewer = viewer
        self._shown: list[tuple[str, pd.DataFrame]] = []
        self._clicked = ""  # the table of the row last clicked
        self.table = _listed([])
        self._rows = Rows(lambda asked: viewer.guarded(lambda: self._answer(asked)))
        self.widget = fold("All annotations", self._rows, widgets.HTML(help_html(HELP)))
        self.widget.observe(lambda _: self._send(), names="selected_index")

    def fit(self, tables: Mapping[str, pd.DataFrame]) -> None:
        """List other annotation tables; do nothing if they are already listed."""
        shown = [*tables.items()]
        before = [(label, id(table)) for label, table in self._shown]
        if before == [(label, id(table)) for label, table in shown]:
            return
        self._shown, self.table = shown, _listed(shown)
        self.widget.titles = (f"All annotations: {len(self.table):,}",)
        self._send()

    def point(self, marked: tuple[float, float] | None) -> None:
        """Point at the marked annotation; of several, at the one in the table clicked last."""
        times = self.table[TIMES].to_numpy(float)
        rows = np.flatnonzero((times == (marked or np.nan)).all(axis=1))
        of_clicked = [row for row in rows if self.table.at[row, "table"] == self._clicked]
        self._rows.pointed = int([*of_clicked, *rows, -1][0])

    def _send(self) -> None:
        """Send the rows to the browser, if it shows them."""
        if self.widget.selected_index is None:
            return
        table, viewer = self.table, self._viewer
        names, labels = pd.factorize(table["name"])
        colors = song_colors([*viewer.value_names, *viewer.song_types.names, *labels])
        tables, table_labels = pd.factorize(table["table"])
        with self._rows.hold_sync():
            self._rows.rows = {
                "times": as_bytes(table[TIMES], "<f8"),
                "confidence": as_bytes(table["confidence"], "<f4"),
                "names": as_bytes(names, "<u2"),
                "tables": as_bytes(tables, "<u2"),
                "name_labels": [*labels],
                "name_colors": [colors[name] for name in labels],
                "table_labels": [*table_labels],
            }
            self.point(viewer.selection)

    def _answer(self, asked: dict[str, Any]) -> None:
        if asked["do"] == "key":
            self._viewer.gestures.press(asked["key"])
        elif asked["row"] < len(self.table):  # or it has just been deleted
            row = self.table.loc[asked["row"]]
            self._clicked = row["table"]
            start, stop = row[TIMES]
            self._viewer.editor.mark(start, stop, self._clicked)
            self._viewer.look_at((start + stop) / 2)


def _listed(tables: list[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    """All annotations of some tables, with a column that names the table."""
    columns = [*COLUMNS, "confidence"]
    listed = [occurrences(t).reindex(columns=columns).assign(table=label) for label, t in tables]
    table = joined([pd.DataFrame(columns=[*columns, "table"]), *listed])
    table["stop_seconds"] = table["stop_seconds"].fillna(table["start_seconds"])
    return table
