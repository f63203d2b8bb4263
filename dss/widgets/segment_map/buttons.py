"""The name field, the buttons and the help below a segment map."""

from collections.abc import Sequence

import ipywidgets as widgets

from dss.widgets.elements import guarded_buttons, help_html, keys_html, name_field, row

HELP = (
    "<b>Draw around</b> segments on the map, or click a colour in the legend, to select many; "
    "then press a number, or type a name and press <b>Enter</b>. <b>Click</b> a point or a "
    "picture to select it and play it; <b>Shift</b> adds to the selection or removes from it. "
    "Look through the pictures from the top: the least typical come first. <b>Delete</b> throws "
    "out sounds that are not song. Nothing is written until you press <b>Save</b>.<br>Keys, after "
    "a click on the map: "
)
KEYS = (
    "<b>Ctrl Z</b> and <b>Ctrl Y</b> undo and redo, <b>Ctrl A</b> selects all, "
    "<b>Escape</b> none, <b>space</b> plays. The wheel zooms with <b>Ctrl</b>; a double click "
    "shows all."
)
PLACING = "Moving what sounds alike closer together ... You can begin to name segments."
BY_NAME, BY_GROUP = "names", "groups"


class Buttons:
    """What you can do with the selected segments.

    Arguments:
        segment_map: the `dss.widgets.SegmentMap` to control.
        more: another button, after these.

    Attributes:
        widget: the buttons, to show below the map.
        parts: what is useful only if there are segments.
        colors_by: "names" or "groups".
        message: shown below the buttons.
    """

    def __init__(self, segment_map, more: widgets.Widget):
        self._map, m = segment_map, segment_map
        self._by = widgets.ToggleButtons(options=[BY_GROUP, BY_NAME])
        self._by.style = {"button_width": "75px"}
        self._by.observe(lambda _: m.show(), names="value")
        self._name = name_field(lambda: m.guarded(self.name_chosen))
        buttons = guarded_buttons(
            m.guarded,
            ("Name", "tag", "Give the selected segments this name", self.name_chosen),
            ("Throw out", "trash", "The selected segments are not song", m.throw_out),
            ("Split", "cut", "Split the selected segments into groups", m.split),
            ("Merge", "compress", "Merge the selected segments", m.merge),
            ("Undo", "undo", "Undo the last change", m.undo),
            ("Redo", "repeat", "Redo the change you undid last", m.redo),
            ("Save", "save", "Write the annotations next to the audio", m.save),
        )
        self.message, self._help = widgets.HTML(), widgets.HTML()
        controls = row(self._name, *buttons, more)
        self._placing = widgets.HTML()
        # A label of its own: Voila puts that of toggle buttons above them.
        colors = row(widgets.Label("Colours by"), self._by, self._placing)
        self.parts = [colors, controls, self._help]
        self.widget = widgets.VBox([colors, controls, self.message, self._help])

    @property
    def colors_by(self) -> str:
        """What the colours of the points show."""
        return self._by.value

    @colors_by.setter
    def colors_by(self, what: str) -> None:
        self._by.value = what

    @property
    def names(self) -> list[str]:
        """The song types, in the order of the keys 1 to 9."""
        return list(self._name.options)

    def fit(self, names: Sequence[str]) -> None:
        """Offer these song types."""
        self._name.options = list(names)
        self._help.value = help_html(HELP + keys_html(names) + KEYS)

    def name_chosen(self) -> None:
        """Give the selected segments the name in the field."""
        self._map.name(self._name.value)
        self._name.value = ""  # the next name is another one, or has a key

    def say_placing(self, is_placing: bool) -> None:
        """Say that the points will still move to their places, or that they have."""
        self._placing.value = help_html(PLACING) if is_placing else ""
