"""A viewer: scroll and zoom through a recording with its annotations, and hear it."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import ipywidgets as widgets
import numpy as np
import pandas as pd
import soundfile

from dss.data.annotations import found
from dss.data.recordings import Recording, open_recording, resample
from dss.errors import DssError
from dss.plot import plot_recording

DPI = 100
SHORTEST_SECONDS = 0.02
LOWEST_PLAYED_HZ, HIGHEST_PLAYED_HZ = 8000, 96000  # what browsers play


class Viewer:
    """Shows a stretch of a recording; only this stretch is read and drawn.

    Arguments:
        recording: an audio file, or what `dss.data.open_recording` gave.
        annotations: a table, or tables by a label, such as {"by hand": a, "by dss": b}.
        probabilities: [samples, classes] of the whole recording, to draw below.
        class_names: of the columns of the probabilities.
        start_seconds, stop_seconds: the stretch that is shown at first.

    Attributes:
        widget: what a notebook shows.
        stretch: (start, stop) in seconds of what is shown; set it to show another one.
        annotations: set it to show others.
    """

    def __init__(
        self,
        recording: str | Path | Recording,
        annotations: pd.DataFrame | Mapping[str, pd.DataFrame] | None = None,
        *,
        probabilities: np.ndarray | None = None,
        class_names: Sequence[str] = (),
        start_seconds: float = 0.0,
        stop_seconds: float = 3.0,
    ):
        is_open = isinstance(recording, Recording)
        self.recording = recording if is_open else open_recording(recording)
        self.probabilities, self.class_names = probabilities, list(class_names)
        self._tables = _labelled(annotations)
        self._image = widgets.Image(format="png", layout={"max_width": "100%"})
        self._player = widgets.Box()
        self._controls()
        self.widget = widgets.VBox([self._moves, self._looks, self._image, self._player])
        self.stretch = (start_seconds, stop_seconds)

    @property
    def annotations(self) -> dict[str, pd.DataFrame]:
        """The annotation tables by their labels."""
        return self._tables

    @annotations.setter
    def annotations(self, annotations) -> None:
        self._tables = _labelled(annotations)
        self._draw()

    @property
    def stretch(self) -> tuple[float, float]:
        """First and last second of what is shown."""
        return self._stretch

    @stretch.setter
    def stretch(self, stretch: tuple[float, float]) -> None:
        whole = self.recording.duration_seconds
        shortest = min(whole, max(SHORTEST_SECONDS, 2 / self.recording.samplerate_hz))
        duration = float(np.clip(stretch[1] - stretch[0], shortest, whole))
        start = float(np.clip(stretch[0], 0, whole - duration))
        self._stretch = (start, start + duration)
        self._draw()

    def move(self, by: float) -> None:
        """Scroll by so many times what is shown: 1 shows what follows, -1 what comes before."""
        start, stop = self.stretch
        self.stretch = (start + by * (stop - start), stop + by * (stop - start))

    def zoom(self, factor: float) -> None:
        """Show so many times less around the middle; below 1, more."""
        start, stop = self.stretch
        middle, half = (start + stop) / 2, (stop - start) / (2 * factor)
        self.stretch = (middle - half, middle + half)

    def go(self, step: int) -> None:
        """Bring the next (1) or previous (-1) annotation of the type chosen to the middle."""
        start, stop = self.stretch
        middle, half = (start + stop) / 2, (stop - start) / 2
        times = np.sort(np.concatenate([self._times(table) for table in self._tables.values()]))
        # Where an annotation is in the middle already, look beyond it.
        margin = 1e-6 + 0.5 / self.recording.samplerate_hz
        beyond = times[times > middle + margin] if step > 0 else times[times < middle - margin]
        if len(beyond):
            time = beyond[0] if step > 0 else beyond[-1]
            self.stretch = (time - half, time + half)

    def play(self) -> None:
        """Play what is shown; ultrasound ten times slower, so that it can be heard."""
        x, rate = self._read()[:, self._channel.value or 0], self.recording.samplerate_hz
        if rate < LOWEST_PLAYED_HZ:
            x, rate = resample(x, rate, LOWEST_PLAYED_HZ), LOWEST_PLAYED_HZ
        if rate > HIGHEST_PLAYED_HZ:
            rate /= 10
        file = io.BytesIO()
        soundfile.write(file, 0.9 * x / max(1e-9, abs(x).max()), round(rate), format="WAV")
        player = widgets.Audio(value=file.getvalue(), format="wav", autoplay=True, loop=False)
        self._player.children = [player]

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.widget)

    def _controls(self) -> None:
        def button(icon, tooltip, action):
            made = widgets.Button(icon=icon, tooltip=tooltip, layout={"width": "44px"})
            made.on_click(lambda _: action())
            return made

        names = sorted({name for table in self._tables.values() for name in found(table)["name"]})
        self._type = widgets.Dropdown(options=["all song types", *names], layout={"width": "150px"})
        channels = [("all channels", None)] if self.recording.n_channels > 1 else []
        channels += [(f"channel {i}", i) for i in range(self.recording.n_channels)]
        self._channel = widgets.Dropdown(options=channels, layout={"width": "130px"})
        self._log = widgets.Checkbox(description="log frequency", indent=False)
        highest = self.recording.samplerate_hz / 2
        self._range = widgets.FloatRangeSlider(
            value=(0, highest),
            min=0,
            max=highest,
            description="Hz",
            readout_format=".0f",
            continuous_update=False,
            layout={"width": "330px"},
        )
        for control in (self._channel, self._log, self._range):
            control.observe(lambda _: self._draw(), names="value")
        self._moves = widgets.HBox(
            [
                button("step-backward", "previous annotation", lambda: self.go(-1)),
                button("chevron-left", "back", lambda: self.move(-0.5)),
                button("chevron-right", "on", lambda: self.move(0.5)),
                button("step-forward", "next annotation", lambda: self.go(1)),
                self._type,
                button("search-plus", "show less", lambda: self.zoom(2)),
                button("search-minus", "show more", lambda: self.zoom(0.5)),
                button("volume-up", "play what is shown", self.play),
            ]
        )
        self._looks = widgets.HBox([self._channel, self._log, self._range])

    def _times(self, table: pd.DataFrame) -> np.ndarray:
        table = found(table)
        if self._type.value != self._type.options[0]:
            table = table[table["name"] == self._type.value]
        return (table["start_seconds"] + table["stop_seconds"]).to_numpy() / 2

    def _samples(self) -> slice:
        rate = self.recording.samplerate_hz
        return slice(*(round(t * rate) for t in self._stretch))

    def _read(self) -> np.ndarray:
        here = self._samples()
        return self.recording.read(here.start, here.stop)

    def _draw(self) -> None:
        low, high = self._range.value
        p = None if self.probabilities is None else self.probabilities[self._samples()]
        is_whole = (low, high) == (self._range.min, self._range.max)
        figure = plot_recording(
            self._read(),
            self.recording.samplerate_hz,
            annotations=self._tables,
            probabilities=p,
            class_names=self.class_names,
            start_seconds=self._stretch[0],
            channel=self._channel.value,
            frequency_range_hz=None if is_whole else (low, high),
            log_frequency=self._log.value,
            title=self.recording.path.name,
        )
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=DPI, pil_kwargs={"compress_level": 1})
        self._image.value = file.getvalue()


def _labelled(annotations) -> dict[str, pd.DataFrame]:
    if annotations is None:
        return {}
    if isinstance(annotations, pd.DataFrame):
        return {"annotations": annotations}
    if not isinstance(annotations, Mapping):
        raise DssError("annotations: right would be a table, or a dictionary of tables by a label")
    return dict(annotations)
