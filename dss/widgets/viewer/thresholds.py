"""Sliders for how probabilities become annotations, and the resulting scores."""

from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as widgets
import pandas as pd

from dss.data.annotations import EVENT, SEGMENT
from dss.errors import DssError
from dss.options import DetectOptions, ToleranceOptions, declared
from dss.predict.detection import merge_options
from dss.support.units import counted
from dss.widgets.elements import UserChanges, table_html

SHOWN = {
    EVENT: ["event_threshold", "event_distance_seconds"],
    SEGMENT: ["segment_threshold", "segment_fill_seconds", "segment_min_seconds"],
}
LONGEST_SECONDS = 0.1  # upper end of a slider, unless more is already chosen
NOT_STORED = (
    "Probabilities were not saved: to move thresholds, tick Write probabilities, choose "
    "overwrite, and annotate again."
)
COLUMNS = {
    "true": ("manual", "{:.0f}"),
    "predicted": ("predicted", "{:.0f}"),
    "precision": ("precision", "{:.3f}"),
    "recall": ("recall", "{:.3f}"),
    "f1": ("F1", "{:.3f}"),
    "onset_error_ms": ("onset error (ms)", "{:.1f}"),
    "offset_error_ms": ("offset error (ms)", "{:.1f}"),
}


class Thresholds:
    """A slider for each detection option that you may want to move.

    Arguments:
        moved: called after each move.

    Attributes:
        widget: all sliders.
        options: the detection options, including those without a slider.
        values: the same by name, except those left blank; assign a dictionary to set some.
    """

    def __init__(self, moved: Callable[[], None]):
        self._changes = UserChanges()
        self._sliders = {n: _slider(n) for names in SHOWN.values() for n in names}
        for slider in self._sliders.values():
            self._changes.observe(slider, moved)
        self._note = widgets.HTML()
        self.widget = widgets.VBox([*self._sliders.values(), self._note])
        self._base, self._is_stored = DetectOptions(), True

    def fit(self, options: DetectOptions, kinds: set[str], is_stored: bool) -> None:
        """Start from other options, with sliders for events, segments or both."""
        for kind, names in SHOWN.items():
            for name in names:
                self._sliders[name].layout.display = "" if kind in kinds else "none"
                self._sliders[name].disabled = not is_stored
        self._base = DetectOptions()
        self._set({name: getattr(options, name) for name in DetectOptions.model_fields})
        self._is_stored = is_stored
        self._note.value = "" if is_stored else NOT_STORED

    @property
    def options(self) -> DetectOptions:
        """The detection options."""
        moved = {name: self._value(name) for name in self._sliders}
        return merge_options(DetectOptions().model_copy(update=moved), self._base)

    @property
    def values(self) -> dict[str, Any]:
        """The detection options, except those left blank."""
        options = self.options.to_yaml_types()
        return {name: value for name, value in options.items() if value not in (None, {})}

    @values.setter
    def values(self, values: Mapping[str, Any]) -> None:
        if not self._is_stored:
            raise DssError(NOT_STORED)
        self._set(values)

    def _set(self, values: Mapping[str, Any]) -> None:
        checked = DetectOptions.checked(values)
        self._base = self._base.model_copy(update={name: getattr(checked, name) for name in values})
        with self._changes.ignored():
            for name in values.keys() & self._sliders.keys():
                slider, value = self._sliders[name], getattr(checked, name)
                slider.min = min(slider.min, value)
                if value > slider.max:
                    slider.max = 2 * value if slider.min == 0 else value
                slider.value = value

    def _value(self, name: str) -> float:
        """The value of a slider: the one that was set, if the slider only rounded it."""
        slider, was_set = self._sliders[name], getattr(self._base, name)
        is_rounded = abs(slider.value - was_set) <= 0.501 * slider.step
        return was_set if is_rounded else round(slider.value, 6)


def scores_html(scores: pd.DataFrame, n_recordings: int, what: str) -> str:
    """Scores as a table, with a line about the recordings they come from."""
    tolerance = 1000 * ToleranceOptions().tolerance_seconds
    shown = {
        title: scores[name].map(look.format, na_action="ignore").fillna("")
        for name, (title, look) in COLUMNS.items()
        if name in scores and scores[name].notna().any()
    }
    recordings = counted(n_recordings, "recording")
    text = f"{recordings} {what}. Correct: same name, onset within {tolerance:g} ms."
    return f"{table_html(pd.DataFrame(shown))}<div>{text}</div>"


def _slider(name: str) -> widgets.FloatSlider:
    field = DetectOptions.model_fields[name]
    is_time = bool(declared(field)["unit"])
    return widgets.FloatSlider(
        value=field.default,
        min=0 if is_time else 0.02,
        max=LONGEST_SECONDS if is_time else 0.98,
        step=0.001 if is_time else 0.01,
        readout_format=".3f" if is_time else ".2f",
        description=(field.title or name) + (" (s)" if is_time else ""),
        tooltip=field.description,
        style={"description_width": "230px"},
        layout={"width": "98%", "max_width": "800px"},
    )
