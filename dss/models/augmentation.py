"""Augment training chunks, differently each time they are drawn.

Every amount is drawn per chunk, uniformly up to the value in the options.
"""

import numpy as np
import scipy.fft
import scipy.interpolate
import scipy.ndimage
import scipy.signal

from dss.errors import DssError
from dss.options import AugmentOptions

FADE_SECONDS = 0.002
BACKGROUND_GAIN = 0.25, 2.0
EQUALIZER_BANDS = 9


def check_augmentations(options: AugmentOptions, nb_channels: int, samplerate_hz: float) -> None:
    """Raise a DssError if an augmentation does not suit these recordings."""
    if options.channel_drop and nb_channels == 1:
        raise DssError(
            "channel_drop: the recordings have one channel, which cannot be dropped. Leave it at 0."
        )
    if options.frequency_shift_hz >= samplerate_hz / 2:
        raise DssError(
            f"frequency_shift_hz: {options.frequency_shift_hz:g} Hz would move all sound beyond "
            f"the Nyquist frequency, {samplerate_hz / 2:g} Hz. Use a much smaller value."
        )


def shift_starts(
    starts: np.ndarray, options: AugmentOptions, samplerate_hz: float, rng: np.random.Generator
) -> np.ndarray:
    """Shift the starts of chunks at random: [chunks] samples. Targets move with the audio."""
    reach = round(options.time_shift_seconds * samplerate_hz)
    return starts + rng.integers(-reach, reach, len(starts), endpoint=True) if reach else starts


def augment(
    x: np.ndarray, options: AugmentOptions, samplerate_hz: float, rng: np.random.Generator
) -> np.ndarray:
    """Augment chunks of audio; augmentations set to 0 are skipped.

    Arguments:
        x: audio [chunks, nb_hist, channels] float32, left unchanged.
        options: the strength of each augmentation.
        samplerate_hz: sample rate of the audio.
        rng: random number generator.
    """
    n_chunks, _, nb_channels = x.shape
    if options.frequency_shift_hz:
        x = _shift_frequencies(x, _evenly(options.frequency_shift_hz, n_chunks, rng), samplerate_hz)
    if options.noise:
        level = x.std(axis=(1, 2), keepdims=True) * options.noise * rng.random((n_chunks, 1, 1))
        x = x + level.astype(x.dtype) * rng.standard_normal(x.shape, np.float32)
    if options.equalize_db:
        x = _equalize(x, options.equalize_db, rng)
    if options.gain_db:
        x = x * 10 ** (_evenly(options.gain_db, n_chunks, rng) / 20)
    if options.invert:
        x = np.where(rng.random((n_chunks, 1, 1)) < options.invert, -x, x)
    if options.channel_drop:
        kept = rng.random((n_chunks, 1, nb_channels)) >= options.channel_drop
        kept[np.arange(n_chunks), 0, rng.integers(nb_channels, size=n_chunks)] = True
        x = x * kept
    return x.astype(np.float32, copy=False)


def add_background(
    x: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    options: AugmentOptions,
    samplerate_hz: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Mix background from other chunks into some of the chunks.

    Background is the audio of another chunk without its song. It is shifted by a random amount,
    scaled by a quarter to two, and fades in and out where song was cut. Unannotated samples
    (weight 0) may hold song, so they are never added.

    Arguments:
        x: audio [chunks, nb_hist, channels] float32, left unchanged.
        y: targets [chunks, nb_hist, classes], class 0 is noise.
        weight: [chunks, nb_hist], 0 for samples that do not count.
        options: how likely a chunk is to get background (`background`).
        samplerate_hz: sample rate of the audio.
        rng: random number generator.
    """
    if not options.background:
        return x
    mixed = x.copy()
    fade = max(1, round(FADE_SECONDS * samplerate_hz))
    for chunk, other in enumerate(rng.permutation(len(x))):
        is_added = rng.random() < options.background
        gain, shift = np.exp(rng.uniform(*np.log(BACKGROUND_GAIN))), rng.integers(x.shape[1])
        if is_added:
            quiet = ((y[other, :, 0] > 0.99) & (weight[other] > 0)).astype(np.float32)
            # 0 closer than half a fade to song, 1 from a whole fade on.
            near = scipy.ndimage.uniform_filter1d(quiet, 2 * fade, mode="wrap")
            envelope = gain * np.maximum(0, 2 * near - 1)
            mixed[chunk] += np.roll(envelope[:, None] * x[other], shift, axis=0)
    return mixed


def _evenly(reach: float, n_chunks: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a number from -reach to reach for each chunk: [chunks, 1, 1]."""
    return rng.uniform(-reach, reach, (n_chunks, 1, 1)).astype(np.float32)


def _equalize(x: np.ndarray, reach_db: float, rng: np.random.Generator) -> np.ndarray:
    """Make frequency bands of each chunk louder or softer, as another microphone or room would.

    Gains are drawn at a few frequencies from 0 to half the sample rate and interpolated smoothly.
    """
    gains_db = rng.uniform(-reach_db, reach_db, (len(x), EQUALIZER_BANDS))
    spectrum = scipy.fft.rfft(x, axis=1)
    places = np.linspace(0, EQUALIZER_BANDS - 1, spectrum.shape[1])
    smooth = scipy.interpolate.PchipInterpolator(np.arange(EQUALIZER_BANDS), gains_db, axis=1)
    gain = 10 ** (smooth(places) / 20)
    return scipy.fft.irfft(spectrum * gain[:, :, None].astype(np.float32), x.shape[1], axis=1)


def _shift_frequencies(x: np.ndarray, shift_hz: np.ndarray, samplerate_hz: float) -> np.ndarray:
    """Shift all frequencies by the same number of Hz: multiply the analytic signal by a carrier."""
    time = np.arange(x.shape[1], dtype=np.float32)[:, None] / np.float32(samplerate_hz)
    carrier = np.exp(2j * np.pi * shift_hz * time).astype(np.complex64)
    return (scipy.signal.hilbert(x, axis=1).astype(np.complex64) * carrier).real
