"""The buttons and sliders of a viewer."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import ipywidgets as widgets
import numpy as np

from dss.data.recordings import Recording
from dss.errors import DssError

ALL_TYPES, ALL_CHANNELS = "all song types", "all channels"
AUTOMATIC = "automatic window"
QUIETEST_DB, LOUDEST_DB = -140, 0
NAMES = {"description_width": "70px"}
WINDOWS_MS = (1, 2, 4, 8, 16, 32, 64, 128)


class Controls:
    """The controls that move through a recording and change how it looks.

    Arguments:
        viewer: the `dss.widgets.Viewer` to control.

    Attributes:
        widget: all controls.
        options: how the recording is shown: channel (None for all), song_type (None for all),
            log_frequency, frequency_range_hz, contrast_db and window_seconds (None if automatic),
            waveform and probabilities (whether they are drawn).
        defaults: the default options, without the song type.
    """

    defaults: ClassVar[dict[str, Any]] = {
        "channel": None,
        "log_frequency": False,
        "frequency_range_hz": None,
        "contrast_db": None,
        "window_seconds": None,
        "waveform": True,
        "probabilities": True,
    }

    def __init__(self, viewer):
        self._viewer = viewer
        self._is_set_here = False
        self._make()
        self._connect()
        v = viewer
        steps = [
            self.song_type,
            button("step-backward", "previous annotation", lambda: v.go(-1)),
            button("step-forward", "next annotation", lambda: v.go(1)),
            button("chevron-left", "back", lambda: v.move(-0.5)),
            button("chevron-right", "on", lambda: v.move(0.5)),
            button("search-plus", "zoom in", lambda: self._zoom(2)),
            button("search-minus", "zoom out", lambda: self._zoom(0.5)),
            button(
                "arrows-h", "show the whole recording", lambda: setattr(v, "stretch", (0, np.inf))
            ),
            button("volume-up", "play what is in view", v.play),
            self.waveform,
            self.probabilities,
        ]
        choices = [
            self.shown,
            button("angle-double-left", "previous recording", lambda: self._step(-1)),
            button("angle-double-right", "next recording", lambda: self._step(1)),
            button("refresh", "reset the view to the defaults", lambda: v.settings.reset()),
        ]
        self._choice = widgets.HBox(choices)
        rows = [
            self._choice,
            widgets.HBox(steps, layout={"align_items": "center", "flex_flow": "row wrap"}),
            self.start,
            widgets.HBox([self.duration, self.channel]),
            widgets.HBox([self.frequency, self.song_range, self.log]),
            widgets.HBox([self.contrast, self.automatic, self.window]),
        ]
        self.widget = widgets.VBox(rows)

    @property
    def options(self) -> dict[str, Any]:
        """How the stretch is shown."""
        return {
            "channel": None if self.channel.value == ALL_CHANNELS else self.channel.value,
            "song_type": None if self.song_type.value == ALL_TYPES else self.song_type.value,
            "log_frequency": self.log.value,
            "frequency_range_hz": None if self.song_range.value else self.frequency.value,
            "contrast_db": None if self.automatic.value else self.contrast.value,
            "window_seconds": None if self.window.value == AUTOMATIC else self.window.value,
            "waveform": self.waveform.value,
            "probabilities": self.probabilities.value,
        }

    @options.setter
    def options(self, values: Mapping[str, Any]) -> None:
        unknown = [name for name in values if name not in self.options]
        if unknown:
            raise DssError(f"{', '.join(unknown)}: unknown; choose from {', '.join(self.options)}")
        self.put(values)
        self._viewer._draw()

    def put(self, values: Mapping[str, Any]) -> None:
        """Set options without drawing anything."""
        with self._quiet():
            for name, value in values.items():
                match name:
                    case "song_type":
                        self.song_type.value = value or ALL_TYPES
                    case "frequency_range_hz":
                        self.frequency.value = value or self.frequency.value
                        self.song_range.value = value is None
                    case "contrast_db":
                        self.contrast.value = value or self.contrast.value
                        self.automatic.value = value is None
                    case "channel":
                        all_or_only = self.channel.options[0][1]
                        self.channel.value = all_or_only if value is None else value
                    case "window_seconds":
                        if value and value not in dict(self.window.options).values():
                            chosen = (f"{1000 * value:g} ms window", value)
                            self.window.options = [*self.window.options, chosen]
                        self.window.value = value or AUTOMATIC
                    case "log_frequency":
                        self.log.value = value
                    case "waveform":
                        self.waveform.value = value
                    case "probabilities":
                        self.probabilities.value = value

    def add(self, control: widgets.Widget) -> None:
        """Add another control beside the names."""
        self._choice.children = (*self._choice.children, control)

    def set_names(self, names: Sequence[str]) -> None:
        """Set the names to choose from."""
        with self._quiet():
            self.shown.options = names
        several = "" if len(names) > 1 else "none"
        for control in self._choice.children[:3]:
            control.layout.display = several

    def fit(self, recording: Recording, song_types: Sequence[str], name: str) -> None:
        """Adapt the controls to another recording."""
        with self._quiet():
            self.shown.value = name
            channels: list[tuple[str, Any]] = (
                [(ALL_CHANNELS, ALL_CHANNELS)] if recording.n_channels > 1 else []
            )
            channels += [(f"channel {i}", i) for i in range(recording.n_channels)]
            if tuple(channels) != tuple(self.channel.options):
                self.channel.options = channels
                self.channel.value = channels[0][1]
            highest = recording.samplerate_hz / 2
            if highest != self.frequency.max:
                self.frequency.max = highest
                self.frequency.value, self.song_range.value = (0, highest), True
            self.probabilities.layout.display = "none" if self._viewer.values is None else ""
            is_split = self._viewer.view.targets is not None
            self.probabilities.description = "targets" if is_split else "probabilities"
        self.set_types(song_types)

    def set_types(self, names: Sequence[str]) -> None:
        """Set the song types to step through."""
        with self._quiet():
            chosen = self.song_type.value
            self.song_type.options = [ALL_TYPES, *names]
            self.song_type.value = chosen if chosen in self.song_type.options else ALL_TYPES

    def follow(self, stretch: tuple[float, float], whole_seconds: float) -> None:
        """Show the position of the stretch."""
        # All at once: the browser would clip a value to the old limits, and send that back.
        with self._quiet(), self.start.hold_sync(), self.duration.hold_sync():
            start, duration = stretch[0], stretch[1] - stretch[0]
            self.duration.max = np.log10(whole_seconds)
            self.duration.min = min(np.log10(0.02), self.duration.max)
            self.duration.value = duration
            last = max(whole_seconds - duration, 0)
            self.start.min, self.start.max = 0, max(last, 1e-6)
            self.start.step = 10 ** np.floor(np.log10(duration / 100))
            self.start.disabled = last <= 0
            self.start.value = start

    def show_contrast(self, found_db: tuple[float, float]) -> None:
        """Show the automatic contrast, unless another one is chosen."""
        if self.automatic.value:
            with self._quiet():
                self.contrast.value = tuple(np.clip(np.round(found_db), QUIETEST_DB, LOUDEST_DB))

    def show_range(self, found_hz: tuple[float, float]) -> None:
        """Show the automatic frequency range, unless another one is chosen."""
        if self.song_range.value:
            with self._quiet():
                self.frequency.value = tuple(np.round(found_hz))

    def _make(self) -> None:
        self.shown = widgets.Dropdown(options=[], layout={"width": "420px"})
        self.song_type = widgets.Dropdown(options=[ALL_TYPES], layout={"width": "150px"})
        self.channel = widgets.Dropdown(options=[], layout={"width": "130px"})
        self.log = widgets.Checkbox(description="log frequency", indent=False)
        self.waveform, self.probabilities = (
            widgets.Checkbox(True, description=name, indent=False, layout={"width": "auto"})
            for name in ("waveform", "probabilities")
        )
        windows = [(f"{ms} ms window", ms / 1000) for ms in WINDOWS_MS]
        self.window = widgets.Dropdown(
            options=[(AUTOMATIC, AUTOMATIC), *windows],
            tooltip="The duration of the windows for the spectra: long windows resolve frequencies "
            "better, short windows resolve onsets better",
            layout={"width": "150px"},
        )
        narrow = {"indent": False, "layout": {"width": "160px"}}
        self.song_range = widgets.Checkbox(True, description="automatic range", **narrow)
        self.automatic = widgets.Checkbox(True, description="automatic contrast", **narrow)
        # A slider that reports each move while it is dragged also sends back, rounded, the value
        # that it was set to before.
        look = {"style": NAMES, "layout": {"width": "480px"}, "continuous_update": False}
        wide = look | {"layout": {"width": "98%"}}
        self.start = widgets.FloatSlider(description="start (s)", min=0, max=1, **wide)
        self.duration = widgets.FloatLogSlider(
            description="length (s)",
            value=1,
            min=-2,
            max=1,
            step=0.001,
            readout_format=".3g",
            **look,
        )
        ranges = look | {"readout_format": ".0f"}
        self.frequency = widgets.FloatRangeSlider(description="Hz", min=0, max=1, step=1, **ranges)
        self.contrast = widgets.FloatRangeSlider(
            description="dB", min=QUIETEST_DB, max=LOUDEST_DB, value=(-80, -20), **ranges
        )

    def _connect(self) -> None:
        v = self._viewer

        def stretch_from(start: float, duration: float) -> None:
            v.stretch = (start, start + duration)

        def redraw() -> None:
            v._draw()

        def choose(automatic: widgets.Checkbox) -> None:
            with self._quiet():
                automatic.value = False
            v._draw()

        self.song_range.observe(lambda _: v.drawing.forget_range(), names="value")
        self._on_change(self.shown, lambda: v.show(self.shown.value))
        self._on_change(self.start, lambda: stretch_from(self.start.value, self.duration.value))
        self._on_change(self.duration, lambda: v.zoom(np.diff(v.stretch)[0] / self.duration.value))
        look = (self.channel, self.log, self.song_range, self.automatic)
        for control in (*look, self.window, self.waveform, self.probabilities):
            self._on_change(control, redraw)
        self._on_change(self.frequency, lambda: choose(self.song_range))
        self._on_change(self.contrast, lambda: choose(self.automatic))

    def _on_change(self, control: widgets.Widget, action: Callable[[], None]) -> None:
        def act(_) -> None:
            if not self._is_set_here:
                action()
                self._viewer.settings.remember()

        control.observe(act, names="value")

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """Change controls without triggering their actions."""
        before, self._is_set_here = self._is_set_here, True
        try:
            yield
        finally:
            self._is_set_here = before

    def _zoom(self, factor: float) -> None:
        self._viewer.zoom(factor)
        self._viewer.settings.remember()

    def _step(self, by: int) -> None:
        names = list(self.shown.options)
        number = names.index(self.shown.value) + by
        if 0 <= number < len(names):
            self._viewer.show(names[number])


def button(icon: str, tooltip: str, action: Callable[[], None]) -> widgets.Button:
    """A small button with an icon."""
    made = widgets.Button(icon=icon, tooltip=tooltip, layout={"width": "44px"})
    made.on_click(lambda _: action())
    return made


def text_button(text: str, icon: str, tooltip: str, action: Callable[[], None]) -> widgets.Button:
    """A button with an icon and a word, as wide as these."""
    made = widgets.Button(description=text, icon=icon, tooltip=tooltip, layout={"width": "auto"})
    made.on_click(lambda _: action())
    return made


def on_enter(field: widgets.Text, action: Callable[[], None]) -> None:
    """Run an action when Enter is pressed in a field, even if its text is unchanged."""

    def hear(_, content: dict, buffers: list) -> None:
        if content.get("event") == "submit":
            action()

    field.on_msg(hear)
