"""A sound player, limited to what people can hear and browsers can play."""

import io

import ipywidgets as widgets
import numpy as np
import soundfile

from dss.data.recordings import resample

LOWEST_PLAYED_HZ, HIGHEST_PLAYED_HZ = 8000, 96000  # what browsers play


def player(x: np.ndarray, samplerate_hz: float) -> widgets.Audio:
    """Play audio [samples] at once; ultrasound ten times slower."""
    rate = samplerate_hz
    if rate < LOWEST_PLAYED_HZ:
        x, rate = resample(x, rate, LOWEST_PLAYED_HZ), LOWEST_PLAYED_HZ
    if rate > HIGHEST_PLAYED_HZ:
        rate /= 10
    file = io.BytesIO()
    soundfile.write(file, 0.9 * x / max(1e-9, abs(x).max()), round(rate), format="WAV")
    return widgets.Audio(value=file.getvalue(), format="wav", autoplay=True, loop=False)
