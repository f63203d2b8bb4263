"""The buttons and sliders of a viewer."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import ipywidgets as widgets
import numpy as np

from dss.data.recordings import Recording
from dss.errors import DssError
from dss.widgets.elements import UserChanges, button, row

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
        self._changes = UserChanges()
        self._make()
        self._connect()
        names = (*self.defaults, "song_type")
        self._by_option: dict[str, Any] = {name: getattr(self, name) for name in names}
        self._automatic = {
            "frequency_range_hz": self.automatic_range,
            "contrast_db": self.automatic_contrast,
        }

    @property
    def options(self) -> dict[str, Any]:
        """How the stretch is shown."""
        chosen = {name: control.value for name, control in self._by_option.items()}
        chosen |= {name: None for name, automatic in self._automatic.items() if automatic.value}
        unspecific = (ALL_TYPES, ALL_CHANNELS, AUTOMATIC)
        return {name: None if value in unspecific else value for name, value in chosen.items()}

    @options.setter
    def options(self, values: Mapping[str, Any]) -> None:
        unknown = [name for name in values if name not in self.options]
        if unknown:
            raise DssError(f"{', '.join(unknown)}: unknown; choose from {', '.join(self.options)}")
        self.put(values)
        self._viewer._draw()

    def put(self, values: Mapping[str, Any]) -> None:
        """Set options without drawing anything."""
        with self._changes.ignored():
            for name, value in values.items():
                control = self._by_option[name]
                windows = self.window_seconds.options
                if name == "window_seconds" and value and value not in dict(windows).values():
                    control.options = [*windows, (f"{1000 * value:g} ms window", value)]
                if value is not None:
                    control.value = value
                elif name not in self._automatic:
                    control.index = 0  # all, or automatic
                if name in self._automatic:
                    self._automatic[name].value = value is None

    def add(self, control: widgets.Widget) -> None:
        """Add another control beside the names."""
        self._choice.children = (*self._choice.children, control)

    def set_names(self, names: Sequence[str]) -> None:
        """Set the names to choose from."""
        with self._changes.ignored():
            self.view_name.options = names
        for control in self._choice.children[:3]:
            control.layout.display = "" if len(names) > 1 else "none"

    def fit(self, recording: Recording, song_types: Sequence[str], name: str) -> None:
        """Adapt the controls to another recording."""
        with self._changes.ignored():
            self.view_name.value = name
            channels: list[tuple[str, Any]] = [(ALL_CHANNELS, ALL_CHANNELS)]
            channels += [(f"channel {i}", i) for i in range(recording.n_channels)]
            if recording.n_channels == 1:
                del channels[0]
            if tuple(channels) != tuple(self.channel.options):
                self.channel.options = channels
                self.channel.index = 0
            highest = recording.samplerate_hz / 2
            if highest != self.frequency_range_hz.max:
                self.frequency_range_hz.max = highest
                self.frequency_range_hz.value, self.automatic_range.value = (0, highest), True
            self.probabilities.layout.display = "none" if self._viewer.values is None else ""
            is_split = self._viewer.view.targets is not None
            self.probabilities.description = "targets" if is_split else "probabilities"
        self.set_types(song_types)

    def set_types(self, names: Sequence[str]) -> None:
        """Set the song types to step through."""
        with self._changes.ignored():
            chosen = self.song_type.value
            self.song_type.options = [ALL_TYPES, *names]
            self.song_type.value = chosen if chosen in self.song_type.options else ALL_TYPES

    def follow(self, stretch: tuple[float, float], whole_seconds: float) -> None:
        """Show the position of the stretch."""
        # All at once: the browser would clip a value to the old limits, and send that back.
        with self._changes.ignored(), self.start.hold_sync(), self.duration.hold_sync():
            start, duration = stretch[0], stretch[1] - stretch[0]
            self.duration.max = np.log10(whole_seconds)
            self.duration.min = min(np.log10(0.02), self.duration.max)
            self.duration.value = duration
            last = max(whole_seconds - duration, 0)
            self.start.min, self.start.max = 0, max(last, 1e-6)
            self.start.step = 10 ** np.floor(np.log10(duration / 100))
            self.start.disabled = last <= 0
            self.start.value = start

    def show_automatic(
        self, contrast_db: tuple[float, float], range_hz: tuple[float, float]
    ) -> None:
        """Show the automatic contrast and frequency range, unless others are chosen."""
        with self._changes.ignored():
            if self.automatic_contrast.value:
                levels = np.clip(np.round(contrast_db), QUIETEST_DB, LOUDEST_DB)
                self.contrast_db.value = tuple(levels)
            if self.automatic_range.value:
                self.frequency_range_hz.value = tuple(np.round(range_hz))

    def _make(self) -> None:
        self.view_name = widgets.Dropdown(options=[], layout={"width": "420px"})
        self.song_type = widgets.Dropdown(options=[ALL_TYPES], layout={"width": "150px"})
        self.channel = widgets.Dropdown(options=[], layout={"width": "130px"})
        self.log_frequency = widgets.Checkbox(description="log frequency", indent=False)
        self.waveform, self.probabilities = (
            widgets.Checkbox(True, description=name, indent=False, layout={"width": "auto"})
            for name in ("waveform", "probabilities")
        )
        windows = [(f"{ms} ms window", ms / 1000) for ms in WINDOWS_MS]
        self.window_seconds = widgets.Dropdown(
            options=[(AUTOMATIC, AUTOMATIC), *windows],
            tooltip="The duration of the windows for the spectra: long windows resolve frequencies "
            "better, short windows resolve onsets better",
            layout={"width": "150px"},
        )
        narrow = {"indent": False, "layout": {"width": "160px"}}
        self.automatic_range = widgets.Checkbox(True, description="automatic range", **narrow)
        self.automatic_contrast = widgets.Checkbox(True, description="automatic contrast", **narrow)
        # A slider that reports each move while it is dragged also sends back, rounded, the value
        # that it was set to before.
        look = {"style": NAMES, "layout": {"width": "480px"}, "continuous_update": False}
        wide = look | {"layout": {"width": "98%"}}
        self.start = widgets.FloatSlider(description="start (s)", min=0, max=1, **wide)
        look |= {"description": "length (s)", "readout_format": ".3g"}
        self.duration = widgets.FloatLogSlider(value=1, min=-2, max=1, step=0.001, **look)
        look |= {"description": "Hz", "readout_format": ".0f"}
        self.frequency_range_hz = widgets.FloatRangeSlider(min=0, max=1, step=1, **look)
        look |= {"description": "dB", "min": QUIETEST_DB, "max": LOUDEST_DB}
        self.contrast_db = widgets.FloatRangeSlider(value=(-80, -20), **look)

    def _connect(self) -> None:
        """Place the controls, and let each do what it stands for."""
        v = self._viewer
        self._choice = widgets.HBox(
            [
                self.view_name,
                button("", lambda: self._step(-1), "previous recording", "angle-double-left"),
                button("", lambda: self._step(1), "next recording", "angle-double-right"),
                button("", lambda: v.settings.reset(), "reset the view to the defaults", "refresh"),
            ]
        )
        steps = [
            self.song_type,
            button("", lambda: v.go(-1), "previous annotation", "step-backward"),
            button("", lambda: v.go(1), "next annotation", "step-forward"),
            button("", lambda: v.move(-0.5), "back", "chevron-left"),
            button("", lambda: v.move(0.5), "on", "chevron-right"),
            button("", lambda: self._zoom(2), "zoom in", "search-plus"),
            button("", lambda: self._zoom(0.5), "zoom out", "search-minus"),
            button("", lambda: self._show(0, np.inf), "show the whole recording", "arrows-h"),
            button("", v.play, "play the stretch in view", "volume-up"),
            self.waveform,
            self.probabilities,
        ]
        rows = [
            self._choice,
            row(*steps),
            self.start,
            widgets.HBox([self.duration, self.channel]),
            widgets.HBox([self.frequency_range_hz, self.automatic_range, self.log_frequency]),
            widgets.HBox([self.contrast_db, self.automatic_contrast, self.window_seconds]),
        ]
        self.widget = widgets.VBox(rows)
        self.automatic_range.observe(lambda _: v.drawing.forget_range(), names="value")
        self._on_change(self.view_name, lambda: v.show(self.view_name.value))
        self._on_change(self.start, lambda: self._show(self.start.value, self.duration.value))
        self._on_change(self.duration, lambda: v.zoom(np.diff(v.stretch)[0] / self.duration.value))
        look = (self.channel, self.log_frequency, self.automatic_range, self.automatic_contrast)
        for control in (*look, self.window_seconds, self.waveform, self.probabilities):
            self._on_change(control, v._draw)
        self._on_change(self.frequency_range_hz, lambda: self._choose(self.automatic_range))
        self._on_change(self.contrast_db, lambda: self._choose(self.automatic_contrast))

    def _on_change(self, control: widgets.Widget, action: Callable[[], None]) -> None:
        def act() -> None:
            action()
            self._viewer.settings.remember()

        self._changes.observe(control, act)

    def _choose(self, automatic: widgets.Checkbox) -> None:
        """Draw what was chosen instead of what is automatic."""
        with self._changes.ignored():
            automatic.value = False
        self._viewer._draw()

    def _show(self, start_seconds: float, duration_seconds: float) -> None:
        self._viewer.stretch = start_seconds, start_seconds + duration_seconds

    def _zoom(self, factor: float) -> None:
        self._viewer.zoom(factor)
        self._viewer.settings.remember()

    def _step(self, by: int) -> None:
        names = list(self.view_name.options)
        number = names.index(self.view_name.value) + by
        if 0 <= number < len(names):
            self._viewer.show(names[number])
