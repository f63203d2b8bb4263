"""The fold for annotating by hand: name field, buttons, and a description of the keys."""

from collections.abc import Callable, Sequence

import ipywidgets as widgets

from dss.widgets.elements import button, fold, help_html, keys_html, name_field, row

HELP = (
    "<b>Drag</b> over a syllable in the picture, or <b>click</b> a pulse, to mark it; then press "
    "a number, or type a name and press <b>Enter</b>. Click an annotation to select it: drag its "
    "edges, give it another name, or press <b>Delete</b>; click a prediction to mark it, and "
    "press <b>Enter</b> to accept it. <b>0</b> marks a false alarm: it is crossed out, and becomes "
    "noise in the next dataset. Nothing is written until you press <b>Save</b>.<br>Keys, after a "
    "click on the picture: "
)
KEYS = (
    "arrows, <b>+</b> and <b>&minus;</b> move and zoom, <b>n</b> and <b>p</b> select the next and "
    "previous annotation, <b>space</b> plays, <b>Delete</b>, <b>Ctrl Z</b> undoes, <b>Ctrl Y</b> "
    "redoes. The wheel zooms with <b>Ctrl</b> and scrolls with <b>Shift</b>. Double-click to zoom "
    "to what is marked."
)

FALSE_ALARM = "Not song: becomes noise in the next dataset (0)"
ONE, SHOWN, ALL = "this one", "all of its type in view", "all of its type in the recording"
WHICH = "Apply names, Delete and False alarm to the annotation you clicked, or to more"
SEEN = "All song in view is annotated; parts that nobody has seen count as unknown from now on"


class EditorPanel:
    """The controls for annotating by hand, shown below the picture.

    Arguments:
        editor: the `dss.widgets.viewer.editor.Editor` to control.
        viewer: the viewer of the editor.

    Attributes:
        widget: the whole fold.
        name: the field for the name.
        which: one annotation, or all of its type.
        add: the button that names what is marked.
        message: a message about what is saved or not.
    """

    def __init__(self, editor, viewer):
        self._viewer = viewer
        self.name = name_field(lambda: viewer.guarded(editor.name_marked))
        self.which = widgets.Dropdown(options=[ONE, SHOWN, ALL], tooltip=WHICH)
        self.which.layout.width = "auto"
        self.add = self._button("Add", "plus", "Annotate what is marked", editor.name_marked)
        buttons = [
            self.add,
            self._button("Delete", "trash", "Delete the selected annotation", editor.delete),
            self._button("False alarm", "ban", FALSE_ALARM, editor.reject),
            self._button("Undo", "undo", "Undo the last change", editor.undo),
            self._button("Redo", "repeat", "Redo the change you undid last", editor.redo),
            self._button("All seen", "eye", SEEN, editor.mark_view_annotated),
            self._button("Save", "save", "Write the changes next to the audio", editor.save),
        ]
        self.message, self._help = widgets.HTML(), widgets.HTML()
        self._controls = row(self.name, self.which, *buttons, self.message)
        self.widget = fold("Annotate by hand", self._controls, self._help)

    def add_control(self, control: widgets.Widget) -> None:
        """Add another control before the message."""
        *controls, message = self._controls.children
        self._controls.children = (*controls, control, message)

    def explain_keys(self, names: Sequence[str]) -> None:
        """Describe mouse and keys, with these song types for the keys 1 to 9."""
        self._help.value = help_html(HELP + keys_html(names) + KEYS)

    def _button(self, text: str, icon: str, tooltip: str, action: Callable) -> widgets.Button:
        return button(text, lambda: self._viewer.guarded(action), tooltip, icon)
