"""Small spectrograms of segments, for galleries."""

import io
from collections.abc import Sequence
from functools import cached_property

import matplotlib
import numpy as np
import pandas as pd
from PIL import Image

from dss.plot.spectrogram import contrast, song_range, spectrogram
from dss.review.view import View

HEIGHT = 64  # pixels
NARROWEST, WIDEST = 12, 150
USUAL = 70  # pixels for a segment of median duration
LOOKED_AT = 40  # segments to find the frequencies of the song from
LONGEST_SECONDS = 10.0  # of a segment to draw


class Pictures:
    """Draws small spectrograms of segments, all on the same frequency and time scales.

    Arguments:
        views: the recordings.
        segments: the table from `dss.review.segment_features.list_segments`.
    """

    def __init__(self, views: Sequence[View], segments: pd.DataFrame):
        self._views, self._segments = views, segments
        duration = segments["stop_seconds"] - segments["start_seconds"]
        self._pixels_a_second = USUAL / max(float(duration.median()), 1e-3)
        self._made: dict[int, bytes] = {}

    def jpeg(self, number: int) -> bytes:
        """The spectrogram of a segment."""
        if number not in self._made:
            self._made[number] = self._draw(number)
        return self._made[number]

    def sound(self, number: int) -> tuple[np.ndarray, float]:
        """The samples [samples] of a segment, and the sample rate."""
        x, rate = self._read(number)
        return x[:, 0], rate

    def _read(self, number: int) -> tuple[np.ndarray, float]:
        segment = self._segments.iloc[number]
        start, stop = segment["start_seconds"], segment["stop_seconds"]
        recording = self._views[segment["view"]].recording
        rate = recording.samplerate_hz
        first, last = round(start * rate), round(min(stop, start + LONGEST_SECONDS) * rate)
        return recording.read(min(first, recording.n_samples - 1), max(last, first + 1)), rate

    def _draw(self, number: int) -> bytes:
        x, rate = self._read(number)
        low, high = self._range_hz
        power = spectrogram(x, rate)
        step = rate / 2 / (len(power) - 1)
        power = power[int(low / step) : max(int(high / step), int(low / step) + 2)]
        dark, bright = contrast(power)
        dark = max(dark, bright - 45)
        shades = np.clip((power[::-1] - dark) / (bright - dark), 0, 1)
        picture = Image.fromarray(matplotlib.colormaps["magma"](shades, bytes=True)[..., :3])
        width = round(len(x) / rate * self._pixels_a_second)
        picture = picture.resize((int(np.clip(width, NARROWEST, WIDEST)), HEIGHT))
        buffer = io.BytesIO()
        picture.save(buffer, "jpeg", quality=85)
        return buffer.getvalue()

    @cached_property
    def _range_hz(self) -> tuple[float, float]:
        """The frequencies of the song, found from some segments at the first sample rate."""
        n = len(self._segments)
        some = np.unique(np.linspace(0, n - 1, min(n, LOOKED_AT)).astype(int))
        sounds = [self._read(number) for number in some]
        rate = sounds[0][1]
        power = [spectrogram(x[:, :1], r) for x, r in sounds if r == rate]
        return song_range(np.concatenate(power, axis=1), rate)
