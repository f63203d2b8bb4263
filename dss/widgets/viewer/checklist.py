"""A list of the annotations to check first; a click shows one."""

import html
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import ipywidgets as widgets
import pandas as pd

from dss.errors import DssError
from dss.review.proofread import ANNOTATION, NEAR_MISS, least_certain, rank_recordings

N_RECORDINGS = 5  # recordings listed to annotate next
DOUBTS = {ANNOTATION: ", confidence", NEAR_MISS: " missed? probability"}


class CheckList:
    """What is most likely wrong: annotations and missed song, and recordings with much of it.

    Arguments:
        chosen: called with the row of `table` that was clicked.

    Attributes:
        widget: the list, to show.
        table: the result of `dss.review.proofread.least_certain`.
    """

    def __init__(self, chosen: Callable):
        self._chosen, self._is_filling = chosen, False
        self.table = pd.DataFrame()
        self._list = widgets.Select(rows=8, layout={"width": "560px"})
        self._list.observe(self._clicked, names="value")
        self._next = widgets.HTML()
        self._heading = widgets.HTML()
        self.widget = widgets.VBox([self._heading, widgets.HBox([self._list, self._next])])

    def fill(self, tables: Mapping[Path, pd.DataFrame], known: Collection[Path] = ()) -> None:
        """List the least certain annotations in these tables, by annotation file.

        Recordings in `known` are not suggested for annotating next: they have manual annotations.
        """
        try:
            table, ranked = least_certain(tables), rank_recordings(tables)
        except DssError:  # other formats have no confidence
            self.widget.layout.display = "none"
            return
        self.widget.layout.display = ""
        rows = [
            f"{row.name}{DOUBTS[row.found]} {row.confidence:.2f}, at {row.look_at} in "
            f"{_recording(row.file)}"
            for row in table.itertuples(index=False)
        ]
        self._is_filling = True
        self.table = table
        self._list.options = [(text, number) for number, text in enumerate(rows)]
        self._list.value = None
        self._list.layout.display = "" if rows else "none"
        what = "click one to see it" if rows else "nothing; all is in the manual annotations, too"
        self._heading.value = f"<h3>Worth checking first: {what}</h3>"
        self._is_filling = False
        ranked = ranked[~ranked["file"].isin(map(str, known))]
        names = [
            f"<tr><td class='dss-text'>{html.escape(_recording(row.file))}</td>"
            f"<td>{row.uncertainty:.2f}</td></tr>"
            for row in ranked.head(N_RECORDINGS).itertuples()
        ]
        head = "<thead><tr><th>Annotate next</th><th>uncertainty</th></tr></thead>"
        is_shown = len(tables) > 1 and bool(names)
        self._next.value = f"<table>{head}<tbody>{''.join(names)}</tbody></table>" * is_shown

    def _clicked(self, change: dict) -> None:
        if change["new"] is not None and not self._is_filling:
            self._chosen(next(self.table.iloc[[change["new"]]].itertuples(index=False)))


def _recording(file: str) -> str:
    return Path(file).name.removesuffix("_annotations.csv")
