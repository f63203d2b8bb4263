"""A list of the annotations to check first; a click shows one."""

import html
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path

import ipywidgets as widgets
import pandas as pd

from dss.errors import DssError
from dss.review import proofread
from dss.widgets.elements import UserChanges, button, errors_shown, help_html, row
from dss.widgets.threads import in_thread

N_RECORDINGS = 5  # recordings listed to annotate next
DOUBTS = {
    proofread.ANNOTATION: "{name}, confidence {confidence:.2f}",
    proofread.NEAR_MISS: "{name} missed? probability {confidence:.2f}",
    proofread.NOVEL: "{name}? unlike anything annotated",
}


class CheckList:
    """What is most likely wrong: annotations and missed song, and recordings with much of it.

    Arguments:
        chosen: called with the row of `table` that was clicked.
        find_novel_sounds: gives the sounds that are unlike anything annotated, when asked for.

    Attributes:
        widget: the list, to show.
        table: the result of `dss.review.proofread.least_certain`.
    """

    def __init__(self, chosen: Callable, find_novel_sounds: Callable[[], pd.DataFrame]):
        self._chosen, self._find_novel_sounds = chosen, find_novel_sounds
        self._changes = UserChanges()
        self._novel: pd.DataFrame | None = None
        self._filled: tuple[Mapping[Path, pd.DataFrame], Collection[Path]] = {}, ()
        self.table = pd.DataFrame()
        self._list = widgets.Select(rows=8, layout={"width": "560px"})
        self._changes.observe(self._list, self._clicked)
        self._heading, self._next, self._message = (widgets.HTML() for _ in range(3))
        tooltip = "Find sounds that may belong to a song type that nobody has annotated yet"
        look = partial(in_thread, self.look_for_novel)
        self._ask = button("Unlike anything annotated?", look, tooltip, "search")
        lists = widgets.HBox([self._list, self._next], layout={"flex_flow": "row wrap"})
        self.widget = widgets.VBox([self._heading, lists, row(self._ask, self._message)])

    def fill(self, tables: Mapping[Path, pd.DataFrame], known: Collection[Path] = ()) -> None:
        """List the least certain annotations in these tables, by annotation file.

        Recordings in `known` are not suggested for annotating next: they have manual annotations.
        """
        self._filled = tables, known
        novel = self._novel
        if novel is not None:
            novel = novel[~novel["file"].isin(map(str, known))]
        try:
            table = proofread.least_certain(tables, novel)
            ranked = proofread.rank_recordings(tables, novel)
        except DssError:  # other formats have no confidence
            self.widget.layout.display = "none"
            return
        self.widget.layout.display = ""
        rows = [_text(row) for row in table.itertuples(index=False)]
        self.table = table
        with self._changes.ignored():
            self._list.options = [(text, number) for number, text in enumerate(rows)]
            self._list.value = None
        self._list.layout.display = "" if rows else "none"
        heading = "Worth checking first: click one to see it" if rows else "Nothing to check"
        self._heading.value = f"<h3>{heading}</h3>"
        ranked = ranked[~ranked["file"].isin(map(str, known))]
        names = [
            f"<tr><td class='dss-text'>{html.escape(_recording(row.file))}</td>"
            f"<td>{row.uncertainty:.2f}</td></tr>"
            for row in ranked.head(N_RECORDINGS).itertuples()
        ]
        head = "<thead><tr><th>Annotate next</th><th>uncertainty</th></tr></thead>"
        is_shown = len(tables) > 1 and bool(names)
        self._next.value = f"<table>{head}<tbody>{''.join(names)}</tbody></table>" * is_shown

    def look_for_novel(self) -> None:
        """Find sounds unlike anything annotated; the lists include them from then on.

        It takes as long as it takes to read all recordings, and what the network learned from.
        """
        self._ask.disabled, self._message.value = True, "Comparing with annotated sounds ..."
        try:
            with errors_shown(self._message):
                self._novel = self._find_novel_sounds()
                self._message.value = help_html(proofread.count_novel(self._novel))
                self.fill(*self._filled)
        finally:
            self._ask.disabled = False

    def forget_novel(self) -> None:
        """Start afresh after other recordings were annotated."""
        self._novel, self._message.value = None, ""

    def _clicked(self) -> None:
        self._chosen(next(self.table.iloc[[self._list.value]].itertuples(index=False)))


def _text(row) -> str:
    """The text of a row in the list."""
    doubt = DOUBTS[row.found].format(name=row.name or "new", confidence=row.confidence)
    return f"{doubt}, at {row.look_at} in {_recording(row.file)}"


def _recording(file: str) -> str:
    return Path(file).name.removesuffix("_annotations.csv")
