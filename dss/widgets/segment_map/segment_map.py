"""A map of segments: those that sound alike lie together, so you can name them together."""

import html
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np

from dss.data.recordings import Recording
from dss.errors import DssError
from dss.options import ProposeOptions
from dss.plot.colors import NOISE_COLOR, song_colors
from dss.review.naming import THROWN_OUT, Naming
from dss.review.segment_features import describe_segments, list_segments
from dss.review.segment_groups import lay_out_segments, quick_layout
from dss.review.view import View
from dss.review.views import views_of
from dss.support.units import counted
from dss.widgets.elements import Displayed, errors_shown, framed, help_html, press
from dss.widgets.forms.again import Again
from dss.widgets.forms.form import Form
from dss.widgets.segment_map.buttons import BY_GROUP, BY_NAME, Buttons
from dss.widgets.segment_map.pictures import Pictures
from dss.widgets.segment_map.scatter import Scatter
from dss.widgets.threads import in_thread, wait_for
from dss.widgets.viewer import draft
from dss.widgets.viewer.song_types import SongTypes
from dss.widgets.viewer.sound import player

MOST_PICTURES = 60  # in the gallery
MOST_NAMES = 3  # of a group


class SegmentMap(Displayed):
    """Shows the segments of recordings as points, close together if they sound alike.

    Draw around points, or click in the legend, to select them; the map shows pictures of the
    selected segments, the least typical first, and you name them with a key or the field. Groups
    are found by sound alone; you can split and merge them. Nothing is written until you save.

    Arguments:
        source: an audio file or a folder of audio files, with annotations or proposals next to
            them; a list of `dss.review.views.View`; or a form whose result is such a list: the map
            then follows what the form opens.

    Attributes:
        widget: the map, to show in a notebook.
        naming: names and groups (`dss.review.naming.Naming`); None without segments.
        chosen: [chosen] the numbers of the selected segments; assign to it to select others.
        buttons: the buttons below the map, with `colors_by`: "groups" or "names".

    Example: `SegmentMap("recordings")`, as the last line of a cell.
    """

    def __init__(self, source: str | Path | Recording | Sequence[View] | Form):
        self._scatter = Scatter(lambda asked: self.guarded(lambda: self._answer(asked)))
        self._player, self._again = widgets.Box(), Again(source)
        self.buttons = Buttons(self, self._again.widget)
        self._thread: threading.Thread | None = None
        self.widget = framed([self._scatter, self.buttons.widget, self._player])
        if isinstance(source, Form):
            source.when_done(self.open)
        self.open(source.finish() if isinstance(source, Form) else source)

    def open(self, source: str | Path | Recording | Sequence[View]) -> None:
        """Show the segments of other recordings."""
        self.naming: Naming | None = None
        self._again.offer(False)
        self._chosen = np.empty(0, int)
        self._song_types = SongTypes()
        self._player.children, self._scatter.pointed = [], {}
        self.buttons.message.value = help_html("Comparing the sounds ...")
        self._unread = ""
        self.guarded(lambda: self._open(views_of(source)))
        self.show(self._unread)

    def wait(self) -> None:
        """Wait until the map is laid out, which takes half a minute for 5,000 segments."""
        wait_for(self._thread)

    @property
    def chosen(self) -> np.ndarray:
        """The numbers of the selected segments."""
        return self._chosen

    @chosen.setter
    def chosen(self, chosen: Sequence[int] | np.ndarray) -> None:
        chosen = np.unique(np.asarray(chosen, int))
        n = len(self.naming.names) if self.naming else 0
        self._chosen = chosen[(chosen >= 0) & (chosen < n)]
        self._scatter.choose(self._chosen)
        self._show_gallery()

    def name(self, name: str) -> None:
        """Give the selected segments a name."""
        self._known.name(self._chosen, name)
        self.show()

    def throw_out(self) -> None:
        """Mark the selected segments as not song: saving deletes their annotations."""
        self._known.throw_out(self._chosen)
        self.show()

    def split(self) -> None:
        """Split the selected segments into groups."""
        n = self._known.split(self._chosen)
        self.buttons.colors_by = BY_GROUP
        self.show(f"Now {n} groups.")

    def merge(self) -> None:
        """Merge the selected segments into one group."""
        self._known.merge(self._chosen)
        self.buttons.colors_by = BY_GROUP
        self.show()

    def undo(self) -> None:
        """Undo the last change."""
        self._known.undo()
        self.show()

    def redo(self) -> None:
        """Redo the change that was undone last."""
        self._known.redo()
        self.show()

    def save(self) -> list[Path]:
        """Write the annotations of all recordings with changed names; returns the files."""
        known = self._known
        unsaved = {*draft.EDITS.unsaved} & {view.recording.path for view in known.views}
        if unsaved:
            raise DssError(
                f"{min(unsaved).name}: has unsaved changes in a viewer. Save them there, then "
                "open this map again."
            )
        files = known.save()
        self._again.offer(bool(files))
        self.show(f"Saved {counted(len(files), 'file')}." if files else "There is nothing to save.")
        return files

    def play(self) -> None:
        """Play the first selected segment."""
        if not len(self._chosen):
            raise DssError("Nothing is selected: click a point.")
        self._player.children = [player(*self._pictures.sound(int(self._chosen[0])))]

    def show(self, message: str = "") -> None:
        """Show the current names and groups, and a message."""
        for part in (self._scatter, *self.buttons.parts):
            part.layout.display = "" if self.naming else "none"
        if self.naming is None:
            self._scatter.paint(np.empty(0), [], [])
            self._scatter.place(np.empty((0, 2)))
            self.chosen = []
            return
        names = self.naming.names
        self._song_types.add(sorted({*names} - {THROWN_OUT}), are_read=False)
        self.buttons.fit(self._song_types.with_keys({*names}))
        self._scatter.paint(*self._kinds())
        self.chosen = self._chosen
        n = self.naming.n_unsaved
        unsaved = f"<b>Not saved yet: {counted(n, 'segment')}.</b>" if n else ""
        self.buttons.message.value = help_html(f"{html.escape(message)} {unsaved}")

    def guarded(self, action: Callable[[], Any]) -> None:
        """Run an action, and show its error if it raises one."""
        with errors_shown(self.buttons.message):
            action()

    @property
    def _known(self) -> Naming:
        if self.naming is None:
            raise DssError("There are no segments here: annotate some, or propose them, first.")
        return self.naming

    def _open(self, views: list[View]) -> None:
        self._unread = next((view.problem for view in views if view.problem), "")
        segments = list_segments(views)
        features = describe_segments(views, segments)
        self.naming = Naming(views, features)
        self._pictures = Pictures(views, segments)
        names = sorted({*self.naming.names})
        self._song_types.add(names, are_read=True)
        self.buttons.colors_by = BY_NAME if len(names) > 1 else BY_GROUP
        self._scatter.place(quick_layout(features))
        naming = self.naming

        def lay_out() -> None:
            xy = lay_out_segments(features)
            if naming is self.naming:  # unless others were opened meanwhile
                self._scatter.place(xy)
                self.buttons.say_placing(False)

        self.buttons.say_placing(True)
        self._thread = in_thread(lay_out)

    def _kinds(self) -> tuple[np.ndarray, list[str], list[str]]:
        """The kind of each point [points], and the labels and colours of the kinds."""
        known = self._known
        labels = list(self._song_types.names)
        values: np.ndarray = known.names
        if self.buttons.colors_by == BY_GROUP:
            labels = [f"group {i + 1}" for i in range(known.groups.max() + 1)]
            values = np.array([*labels, "in no group"], object)[known.groups]
        colors = song_colors(labels)
        labels = [*labels, "in no group", "thrown out"]
        number = {label: kind for kind, label in reversed([*enumerate(labels)])}
        is_out = known.names == THROWN_OUT
        kinds = np.array([number.get(value, 0) for value in values])
        kinds[is_out] = len(labels) - 1
        self._of_kind = kinds
        shown = [*(colors[n] for n in labels[:-2]), NOISE_COLOR, "#cccccc"]
        if self.buttons.colors_by == BY_GROUP:
            labels = [label + self._given_in(kinds == kind) for kind, label in enumerate(labels)]
        return kinds, labels, shown

    def _given_in(self, group: np.ndarray) -> str:
        """The names in a group [segments], for its label, once there are several on the map."""
        names = self._known.names
        given = sorted({*names[group]} - {THROWN_OUT, ProposeOptions().song_type})
        if not given or len({*names}) == 1:
            return ""
        return f": {', '.join(given[:MOST_NAMES])}{' ...' * (len(given) > MOST_NAMES)}"

    def _show_gallery(self) -> None:
        """Show pictures of the selected segments, the least typical first."""
        chosen = self._chosen
        if self.naming is None or not len(chosen):
            heading = "Draw around points, or click a colour." if self.naming else ""
            self._scatter.show_gallery([], heading)
            return
        features = self.naming.features[chosen]
        far = np.linalg.norm(features - np.median(features, axis=0), axis=1)
        first = chosen[np.argsort(-far, kind="stable")[:MOST_PICTURES]]
        heading = f"{len(chosen)} selected"
        if len(chosen) > MOST_PICTURES:
            heading += f"; the {MOST_PICTURES} least typical"
        self._scatter.show_gallery([self._card(int(number)) for number in first], heading)

    def _card(self, number: int) -> dict[str, Any]:
        """The picture of a segment, with its caption."""
        known = self._known
        _, _, _, start, stop = known.segments.iloc[number]
        name = known.names[number] or "thrown out"
        text = f"{name}, {1000 * (stop - start):.0f}\N{NO-BREAK SPACE}ms"
        return {"point": number, "text": text, "picture": self._pictures.jpeg(number)}

    def _answer(self, asked: dict[str, Any]) -> None:
        match asked["do"]:
            case "choose":
                self._choose(asked["points"], asked["how"])
            case "kind":
                self._choose(np.flatnonzero(self._of_kind == asked["kind"]), asked["how"])
            case "open":
                self.chosen = [asked["point"]]
                self.play()
            case "hover":
                self._scatter.pointed = self._pointed(asked["point"])
            case "key":
                self._press(asked["key"])

    def _pointed(self, number: int) -> dict[str, Any]:
        known = self._known
        segment = known.segments.iloc[number]
        card = self._card(number)
        where = f"{known.views[segment['view']].name}, {segment['start_seconds']:.2f} s"
        return card | {"text": f"{card['text']} · {where}"}

    def _choose(self, points: Sequence[int] | np.ndarray, how: str) -> None:
        now = self._chosen
        match how:
            case "add":
                points = np.union1d(now, points)
            case "toggle":
                points = np.setxor1d(now, points)
        self.chosen = points

    def _press(self, key: str) -> None:
        actions = {"Enter": self.buttons.name_chosen, " ": self.play}
        actions |= {"Delete": self.throw_out, "Backspace": self.throw_out}
        actions |= {"undo": self.undo, "redo": self.redo}
        actions |= {"all": lambda: self._choose(range(len(self._known.names)), "set")}
        actions |= {"Escape": lambda: self._choose([], "set")}
        press(key, actions, self.buttons.names, self.name)
