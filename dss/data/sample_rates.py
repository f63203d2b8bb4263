"""Which sample rate suits recordings with different rates: the lowest that preserves their song."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from dss.data.annotations import occurrences
from dss.data.recordings import Recording
from dss.data.text_tables import TIMES

ENERGY = 0.99  # of the song, which must lie below
USABLE = 0.9  # of the frequencies up to half a rate: higher ones are filtered out by resampling
WINDOW_SECONDS = 0.01
LONGEST_SECONDS = 0.5  # of an annotation that is analysed
N_LOOKED_AT = 20  # annotations per recording, spread evenly


def proposed_rate(recordings: Sequence[Recording], tables: Sequence[pd.DataFrame]) -> float:
    """The lowest sample rate of these recordings, in Hz, that preserves the band of their song.

    Short pieces around the annotations of each are read.
    """
    rates = sorted({recording.samplerate_hz for recording in recordings})
    highest = [
        highest_hz(recording, table)
        for recording, table in zip(recordings, tables, strict=True)
        if recording.samplerate_hz > rates[0]
    ]
    needed = max(highest, default=0.0)
    return next((rate for rate in rates if USABLE * rate / 2 >= needed), rates[-1])


def highest_hz(recording: Recording, table: pd.DataFrame) -> float:
    """The highest frequency of the annotated song in a recording; 0 without song.

    Nearly all of the energy by which song exceeds the sound between songs lies below it.
    """
    n = max(16, round(WINDOW_SECONDS * recording.samplerate_hz))
    times = occurrences(table)[TIMES].to_numpy(float)
    times = times[np.linspace(0, len(times) - 1, min(len(times), N_LOOKED_AT)).astype(int)]
    song = [p for a, b in times for p in _spectra(recording, a, min(b, a + LONGEST_SECONDS), n)]
    pauses = np.stack([times[:-1, 1], times[1:, 0]], axis=1)
    pauses = pauses[np.diff(pauses, axis=1)[:, 0] > WINDOW_SECONDS]
    noise = [p for a, b in pauses for p in _spectra(recording, a, min(b, a + LONGEST_SECONDS), n)]
    if not song:
        return 0.0
    energy = np.cumsum(np.mean(song, axis=0) - (np.mean(noise, axis=0) if noise else 0))
    if energy[-1] <= 0:  # the song is not louder than the rest
        return 0.0
    return float(np.argmax(energy >= ENERGY * energy[-1]) * recording.samplerate_hz / n)


def _spectra(recording: Recording, start: float, stop: float, n: int) -> Iterator[np.ndarray]:
    """Power spectra of windows of n samples within a stretch in seconds; one window for a point."""
    first, last = round(start * recording.samplerate_hz), round(stop * recording.samplerate_hz)
    if last - first < n:
        first = (first + last - n) // 2
        last = first + n
    first = max(first, 0)
    x = recording.read(first, last).mean(axis=1)
    for i in range(0, len(x) - n + 1, n):
        yield np.abs(np.fft.rfft(x[i : i + n] * np.hanning(n))) ** 2
