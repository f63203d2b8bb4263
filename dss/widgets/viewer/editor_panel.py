"""The fold for annotating by hand: name field, buttons, and a description of the keys."""

from collections.abc import Sequence

import ipywidgets as widgets

from dss.widgets.elements import fold, guarded_buttons, help_html, keys_html, name_field, row

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
    "to the selection."
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
        add: the button that names the selection.
        message: a message about what is saved or not.
    """

    def __init__(self, editor, viewer):
        self.name = name_field(lambda: viewer.guarded(editor.name_marked))
        self.which = widgets.Dropdown(options=[ONE, SHOWN, ALL], tooltip=WHICH)
        self.which.layout.width = "auto"
        self.add, *others = guarded_buttons(
            viewer.guarded,
            ("Add", "plus", "Annotate the selection", editor.name_marked),
            ("Delete", "trash", "Delete the selected annotation", editor.delete),
            ("False alarm", "ban", FALSE_ALARM, editor.reject),
            ("Undo", "undo", "Undo the last change", editor.undo),
            ("Redo", "repeat", "Redo the change you undid last", editor.redo),
            ("All seen", "eye", SEEN, editor.mark_view_annotated),
            ("Save", "save", "Write the changes next to the audio", editor.save),
        )
        self.message, self._help = widgets.HTML(), widgets.HTML()
        self._controls = row(self.name, self.which, self.add, *others, self.message)
        self.widget = fold("Annotate by hand", self._controls, self._help)

    def add_control(self, control: widgets.Widget) -> None:
        """Add another control before the message."""
        *controls, message = self._controls.children
        self._controls.children = (*controls, control, message)

    def explain_keys(self, names: Sequence[str]) -> None:
        """Describe mouse and keys, with these song types for the keys 1 to 9."""
        self._help.value = help_html(HELP + keys_html(names) + KEYS)
