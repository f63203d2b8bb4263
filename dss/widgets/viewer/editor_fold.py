"""The fold of a viewer in which one annotates by hand: field, buttons, and what the keys do."""

import html
from collections.abc import Callable, Sequence

import ipywidgets as widgets

from dss.widgets.viewer.controls import on_enter, text_button

HELP = (
    "<b>Drag</b> over the picture where a syllable is, or <b>click</b> where a pulse is; then "
    "press a number, or write a name and press <b>Enter</b>. A click on an annotation chooses it: "
    "drag its edges, give it another name, or press <b>Delete</b>; a click on a prediction marks "
    "it, and <b>Enter</b> takes it over. <b>0</b> says that what is marked is a false alarm: the "
    "next dataset holds it as noise. Nothing is written before "
    "<b>Save</b>.<br>Keys, once you clicked on the picture: "
)
KEYS = (
    "arrows, <b>+</b> and <b>&minus;</b> move and zoom, <b>n</b> and <b>p</b> choose the next and "
    "previous annotation, <b>space</b> plays, <b>Delete</b>, <b>Ctrl Z</b> undoes, <b>Ctrl Y</b> "
    "redoes. The wheel zooms "
    "with <b>Ctrl</b> and scrolls with <b>Shift</b>. Click twice to see what is marked."
)

FALSE_ALARM = "What is marked is no song: the next dataset holds it as noise (0)"
ONE, SHOWN, ALL = "this one", "all of its type in view", "all of its type in the recording"
WHICH = "What a name, Delete or False alarm applies to: the annotation that you clicked, or more"
SEEN = "All song in what is shown is annotated; what nobody has seen is unknown from now on"


class EditorFold:
    """What an editor shows below the picture.

    Arguments:
        editor: a `dss.widgets.viewer.editor.Editor`, which is told what to do.
        viewer: its viewer.

    Attributes:
        widget: all of it.
        name: the field for the name.
        which: one annotation, or all of its type.
        add: the button that names what is marked.
        said: what is not saved yet, or was.
    """

    def __init__(self, editor, viewer):
        self._viewer = viewer
        self.name = widgets.Combobox(placeholder="song type", layout={"width": "150px"})
        on_enter(self.name, lambda: viewer.guarded(editor.name_marked))
        self.which = widgets.Dropdown(options=[ONE, SHOWN, ALL], tooltip=WHICH)
        self.which.layout.width = "auto"
        self.add = self._button("Add", "plus", "Annotate what is marked", editor.name_marked)
        buttons = [
            self.add,
            self._button("Delete", "trash", "Delete the annotation that is chosen", editor.delete),
            self._button("False alarm", "ban", FALSE_ALARM, editor.reject),
            self._button("Undo", "undo", "Take back the last change", editor.undo),
            self._button("Redo", "repeat", "Redo the change that was undone", editor.redo),
            self._button("All seen", "eye", SEEN, editor.look_at_shown),
            self._button("Save", "save", "Write what was changed beside the audio", editor.save),
        ]
        self.said, self._help = widgets.HTML(), widgets.HTML()
        layout = {"align_items": "center", "flex_flow": "row wrap"}
        row = widgets.HBox([self.name, self.which, *buttons, self.said], layout=layout)
        self.widget = widgets.Accordion([widgets.VBox([row, self._help])], selected_index=None)
        self.widget.titles = ("Annotate by hand",)
        self.widget.add_class("dss-more")

    def explain_keys(self, names: Sequence[str]) -> None:
        """Say what mouse and keys do, with these song types for the keys 1 to 9."""
        keys = "".join(f"<b>{i}</b> {html.escape(n)}, " for i, n in enumerate(names[:9], start=1))
        self._help.value = f'<div class="dss-help">{HELP}{keys}{KEYS}</div>'

    def _button(self, text: str, icon: str, tooltip: str, action: Callable) -> widgets.Button:
        return text_button(text, icon, tooltip, lambda: self._viewer.guarded(action))
