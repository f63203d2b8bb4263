"""The frequency range of a sound in a recording, despite noise below and above it."""

from typing import NamedTuple

import numpy as np
import scipy.signal

from dss.data.recordings import Recording

WINDOW_SECONDS, WINDOW_SAMPLES = 0.02, (64, 1024)
AROUND_SECONDS = 1.0  # before and after the sound, to measure the noise
LONGEST_SECONDS = 10.0  # of a sound that is analysed
QUIET = 0.1  # fraction of the spectra taken as noise
ENERGY = 0.05, 0.95  # fractions below the lowest and the highest frequency
ABOVE, LOUDEST = 4.0, 10.0  # times the noise: where a sound counts, and at its peak


class Frequencies(NamedTuple):
    """The frequency range of a sound, and its loudest frequency, in Hz."""

    lowest_hz: float
    peak_hz: float
    highest_hz: float


def frequencies_of(
    recording: Recording, start_seconds: float, stop_seconds: float, channel: int | None = None
) -> Frequencies | None:
    """Measure the frequency range of the sound in a stretch of a recording.

    The range contains 90 % of the sound's energy, as between Raven's *Frequency 5 %* and *Frequency
    95 %*. Only energy above the noise counts, and the noise is estimated from the quietest tenth of
    the spectra around the sound; so rumble and hiss do not count.

    Arguments:
        recording: the result of `dss.data.open_recording`; of a long stretch, 10 s are read.
        start_seconds, stop_seconds: the stretch.
        channel: the channel; default: the mean power of all.

    Returns: None if nothing there is louder than the noise.
    """
    rate = recording.samplerate_hz
    stop_seconds = min(stop_seconds, start_seconds + LONGEST_SECONDS)
    first = max(0, round((start_seconds - AROUND_SECONDS) * rate))
    last = min(recording.n_samples, round((stop_seconds + AROUND_SECONDS) * rate))
    window = int(np.clip(2 ** round(np.log2(WINDOW_SECONDS * rate)), *WINDOW_SAMPLES))
    if last - first < window:
        return None
    x = recording.read(first, last)
    x = x if channel is None else x[:, channel : channel + 1]
    hz, seconds, power = scipy.signal.spectrogram(
        x, rate, "hann", nperseg=window, noverlap=window * 3 // 4, axis=0
    )
    hz, power = hz[1:-1], power[1:-1].mean(axis=1)  # the power of noise is exponential
    seconds += first / rate
    is_in = (seconds >= start_seconds) & (seconds <= stop_seconds)
    is_in[np.abs(seconds - (start_seconds + stop_seconds) / 2).argmin()] = True
    noise = np.quantile(power, QUIET, axis=1) / -np.log(1 - QUIET)
    sound = power[:, is_in].mean(axis=1)
    sound[sound < ABOVE * noise] = 0
    peak = sound.argmax()
    if sound[peak] <= LOUDEST * noise[peak]:
        return None
    sound = np.clip(sound - noise, 0, None)
    energy = np.cumsum(sound) / sound.sum()
    lowest, highest = hz[np.searchsorted(energy, ENERGY)]
    return Frequencies(float(lowest), float(hz[peak]), float(highest))
