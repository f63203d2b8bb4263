"""Proposing annotations in a viewer: everything louder than an adjustable threshold."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import pandas as pd

from dss.data.recordings import Recording
from dss.data.text_tables import TIMES
from dss.options import ProposeOptions
from dss.plot.colors import song_colors
from dss.plot.rows import QUIETEST_DB, Envelope, envelope
from dss.review.loudness import Loudness, measure_loudness
from dss.review.proposals import above_threshold, shortest_seconds, stable_threshold
from dss.review.table_edits import overlapping
from dss.review.view import View, no_annotations
from dss.support.units import counted
from dss.widgets.browser import as_bytes
from dss.widgets.elements import UserChanges, button, errors_shown, fold, help_html, row
from dss.widgets.threads import in_thread

PROPOSED = "proposed"
AT_ONCE_SECONDS = 300  # of recordings whose loudness is measured without a thread
AROUND_SECONDS = 2.0  # beside the view, where proposals appear at once
PATIENCE_SECONDS = 0.3  # after the last move of the threshold, until proposals are everywhere
HELP = (
    "Sounds that exceed the noise by at least the threshold appear as <b>proposed</b>. Drag the "
    "line over the loudness until they look right, or move the threshold. <b>Keep all</b> makes "
    "them annotations named <i>song</i>, which you can correct, rename and save under <i>Annotate "
    "by hand</i>; to keep one, click it, give it a name there and press <b>Enter</b>. Each "
    "recording has a threshold of its own; what you change applies to all of them."
)
HERE = "Keep all proposals in this recording"
EVERYWHERE = "Propose in all recordings without annotations, and keep these proposals, too"


class Proposer:
    """Shows in a viewer what is probably song, without a network.

    Arguments:
        viewer: the `dss.widgets.Viewer`.

    Attributes:
        widget: the threshold and other settings, in a fold.
        threshold: the slider of the threshold, in dB above the noise.
        n_changes: how often the proposals changed.
    """

    def __init__(self, viewer):
        self._viewer = viewer
        self._path: Path | None = None  # of the recording whose loudness was measured
        self._loudness = Loudness(np.empty(0, np.float32), 1.0)
        self._automatic = 12.0, 0.0  # threshold in dB and shortest duration in ms, as measured last
        self._table = self._left = no_annotations()  # all, and those not among the annotations yet
        self._is_whole = False  # whether these are in all of the recording
        self._changes, self.n_changes = UserChanges(), 0
        self._is_on = widgets.ToggleButton(description="Propose", icon="magic")
        self._is_on.layout.width = "auto"
        wide = {"width": "420px"}
        self.threshold = widgets.FloatSlider(
            description="threshold (dB)", min=1, max=60, step=0.5, value=12, disabled=True,
            style={"description_width": "100px"}, layout=wide,
        )  # fmt: skip
        self._kind = widgets.Dropdown(options=["segment", "event"], layout={"width": "100px"})
        self._gap = self._milliseconds("fill gaps (ms)", ProposeOptions().fill_seconds)
        self._shortest = self._milliseconds("shortest (ms)", 0.0)
        self._said = widgets.HTML()
        self._is_on.observe(lambda _: viewer.guarded(self._turn), names="value")
        self._changes.observe(self.threshold, self._follow)
        for control in (self._kind, self._gap, self._shortest):
            self._changes.observe(control, self._show)
        on = row(self._is_on, self.threshold, self._said)
        how = row(self._kind, self._gap, self._shortest)
        self._here = button("Keep all", lambda: viewer.guarded(self.keep), HERE, "check")
        self._everywhere = button(
            "Keep all in all recordings", self._keep_everywhere, EVERYWHERE, "check-square"
        )
        keeping = row(self._here, self._everywhere)
        self._enable(False)
        self.widget = fold("Propose song", on, how, keeping, widgets.HTML(help_html(HELP)))

    def fit(self, is_possible: bool) -> None:
        """Adapt to another recording: if proposals are shown, look for them there, too."""
        self.widget.layout.display = "" if is_possible else "none"
        self._everywhere.layout.display = "" if len(self._viewer.views) > 1 else "none"
        if not is_possible:
            self._is_on.value = False
        elif self._is_on.value:
            self._turn()

    def shown(self, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        """The annotation tables, with a table of proposals beside them."""
        others = {label: table for label, table in tables.items() if label != PROPOSED}
        if not self._is_there():
            return others
        by_hand = {self._viewer.manual_label: self._viewer.annotations_to_edit()} | others
        kept = by_hand[self._viewer.manual_label]
        self._left = self._table[~overlapping(self._table, kept)].reset_index(drop=True)
        if self._is_whole:
            self._say(f"{len(self._left):,} in the recording")
        return by_hand | {PROPOSED: self._left}

    def loudness_within(self, stretch: tuple[float, float]) -> Envelope | None:
        """The extremes of the loudness in a stretch, to draw; None if nothing is proposed."""
        if not self._is_there():
            return None
        db = self._within(stretch)[0].db
        return envelope(db[:, None], "loudness") if len(db) else None

    def line(self, row: tuple[float, float] | None) -> tuple[float, ...]:
        """The line of the threshold in a row of loudness, as the picture takes it."""
        if row is None:
            return ()
        return *row, (self.threshold.value - QUIETEST_DB) / (self.threshold.max - QUIETEST_DB)

    def bars(self, row: tuple[float, float] | None) -> dict[str, Any]:
        """The proposals in view, as the picture takes them to draw bars over a row."""
        if row is None:
            return {}
        start, stop = self._viewer.stretch
        times = self._left[TIMES].to_numpy()
        times = times[(times[:, 1] >= start) & (times[:, 0] <= stop)]
        places = as_bytes((times - start) / (stop - start), "<f4")
        name = ProposeOptions().song_type
        color = song_colors([*self._viewer.value_names, *self._viewer.song_types.names, name])[name]
        return {"row": row, "color": color, "places": places, "number": self.n_changes}

    def drag(self, at: float) -> None:
        """Move the threshold to the position of its line in the row: from 0 at the bottom to 1."""
        db = QUIETEST_DB + at * (self.threshold.max - QUIETEST_DB)
        self.threshold.value = round(max(self.threshold.min, db), 1)

    def forget_changes(self) -> None:
        """Propose as if you had not moved the threshold: what follows are other recordings."""
        self._automatic = self.threshold.value, self._shortest.value

    def keep(self) -> None:
        """Make all proposals in the recording in view annotations."""
        self._keep({self._viewer.recording.path: self._proposals()})

    def _keep(self, tables: dict[Path, pd.DataFrame]) -> None:
        viewer, name = self._viewer, ProposeOptions().song_type
        n = viewer.editor.draft.add(tables, name)
        viewer.editor.widget.selected_index = 0  # unfolded: there they can be saved
        viewer.show_recording(viewer.recording.path)
        where = f" in {counted(len(tables), 'recording')}" if len(tables) > 1 else ""
        viewer.say(f"Kept {counted(n, 'proposal')} as {name}{where}.")

    def _keep_everywhere(self) -> None:
        shown = self._viewer.view
        others = [v for v in self._viewer.editor.draft.not_annotated() if v is not shown]
        tables = {shown.recording.path: self._proposals()}
        in_thread(self._propose_in, others, tables)

    def _propose_in(self, views: Sequence[View], tables: dict[Path, pd.DataFrame]) -> None:
        """Propose in more recordings, and keep these proposals together with others."""
        self._enable(False)
        try:
            with errors_shown(self._said):
                for number, view in enumerate(views, start=1):
                    self._say(f"Proposing: {number} of {len(views)} recordings ...")
                    loudness = measure_loudness(view.recording)
                    changed = self._changed(_automatic(loudness))
                    seconds = view.recording.duration_seconds
                    tables[view.recording.path] = self._above(loudness, *changed, seconds)
                self._keep(tables)
        finally:
            self._enable(self._is_there())

    def _turn(self) -> None:
        """Start or stop proposing in the recording in view."""
        recording = self._viewer.recording
        if not self._is_on.value or self._path == recording.path:
            self._show()
            return
        self._say("Measuring the loudness ...")
        if recording.duration_seconds <= AT_ONCE_SECONDS:
            self._measure(recording)
        else:
            in_thread(self._measure, recording)

    def _measure(self, recording: Recording) -> None:
        with errors_shown(self._said):
            loudness = measure_loudness(recording)
            automatic = _automatic(loudness)
            if recording is not self._viewer.recording:  # the user chose another one meanwhile
                return
            self._path, self._loudness = recording.path, loudness
            changed = self._changed(automatic)
            with self._changes.ignored():
                self.threshold.max = max(float(loudness.db.max()), 2.0)
                self.threshold.value, self._shortest.value = changed
            self._automatic = automatic
            self._show()

    def _changed(self, automatic: tuple[float, float]) -> tuple[float, float]:
        """The threshold in dB and shortest duration in ms for another recording: those found for
        it, changed as you changed them here.
        """
        threshold_db = automatic[0] + self.threshold.value - self._automatic[0]
        is_chosen = self._shortest.value != self._automatic[1]
        return threshold_db, self._shortest.value if is_chosen else automatic[1]

    def _show(self) -> None:
        """Show the current proposals; in a long recording, first those near the view."""
        self._enable(self._is_there())
        self.n_changes += 1
        if not self._is_on.value:
            self._say("")
        elif self._is_there() and not self._propose_at_once():
            self._find_all_later()
        self._viewer.show_proposals()

    def _follow(self) -> None:
        """Show what is proposed at another threshold, without drawing the picture again until the
        threshold stays where it is.
        """
        if not self._is_there():
            return
        self.n_changes += 1
        self._propose_at_once()
        self._viewer.follow_proposals()
        self._find_all_later()

    def _propose_at_once(self) -> bool:
        """Propose in a short recording, or near the view; returns whether that is everywhere."""
        self._is_whole = self._viewer.recording.duration_seconds <= AT_ONCE_SECONDS
        self._table = self._proposals(None if self._is_whole else self._viewer.stretch)
        return self._is_whole

    def _find_all_later(self) -> None:
        in_thread(self._find_all, self.n_changes)

    def _find_all(self, n_changes: int) -> None:
        """Propose in all of the recording, and draw it, unless something changes first."""
        time.sleep(PATIENCE_SECONDS)
        if n_changes != self.n_changes or not self._is_there():
            return
        table = self._proposals()
        if n_changes == self.n_changes and self._is_there():
            self._table, self._is_whole = table, True
            self._viewer.show_proposals()

    def _proposals(self, stretch: tuple[float, float] | None = None) -> pd.DataFrame:
        """What is louder than the threshold, in the recording or near a stretch of it."""
        loudness, first_seconds = self._loudness, 0.0
        if stretch is not None:
            loudness, first_seconds = self._within(stretch, AROUND_SECONDS)
        rest_seconds = self._viewer.recording.duration_seconds - first_seconds
        how = self.threshold.value, self._shortest.value
        table = self._above(loudness, *how, rest_seconds)
        table[TIMES] += first_seconds
        return table

    def _above(
        self, loudness: Loudness, threshold_db: float, shortest_ms: float, seconds: float
    ) -> pd.DataFrame:
        """What is louder than a threshold in so many seconds, with the chosen kind and gap."""
        gap, shortest = self._gap.value / 1000, shortest_ms / 1000
        options = ProposeOptions(kind=self._kind.value, fill_seconds=gap, min_seconds=shortest)
        return above_threshold(loudness, threshold_db, seconds, options)

    def _within(
        self, stretch: tuple[float, float], beside_seconds: float = 0.0
    ) -> tuple[Loudness, float]:
        """The loudness in a stretch, and its start in seconds."""
        db, hz = self._loudness
        start, stop = stretch[0] - beside_seconds, stretch[1] + beside_seconds
        first = min(max(0, round(start * hz)), max(0, len(db) - 1))
        return Loudness(db[first : max(first + 1, round(stop * hz))], hz), first / hz

    def _is_there(self) -> bool:
        """Whether there are proposals for the recording in view."""
        return self._is_on.value and self._path == self._viewer.recording.path

    def _enable(self, is_possible: bool) -> None:
        for control in (self.threshold, self._here, self._everywhere):
            control.disabled = not is_possible

    def _say(self, said: str) -> None:
        self._said.value = help_html(said)

    @staticmethod
    def _milliseconds(description: str, seconds: float) -> widgets.BoundedFloatText:
        return widgets.BoundedFloatText(
            value=1000 * seconds, min=0, max=10_000, description=description,
            style={"description_width": "100px"}, layout={"width": "180px"},
        )  # fmt: skip


def _automatic(loudness: Loudness) -> tuple[float, float]:
    """The threshold in dB and the shortest duration in ms that suit a recording."""
    threshold_db = stable_threshold(loudness)
    return threshold_db, 1000 * shortest_seconds(loudness, threshold_db)
