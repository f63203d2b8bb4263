"""Choose what a network hears: the audio itself, or a spectrogram of the song's frequencies."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from dss.options.network import MOST_BACKGROUND
from dss.support.units import counted, readable
from dss.train.song_properties import Song

RAW_HZ = 12_000  # up to this sample rate, the audio itself is enough to recognize pulses
RAW_FRAME_SECONDS = 0.0008
WINDOW_SECONDS = 0.01, 0.02  # longest STFT window: for most song, and for low song
OCTAVE = 2
FEW_BINS = 16  # minimum number of bins; if fewer lie below the song, they are kept
FLOOR = 0.1  # of the spectrogram, as a fraction of the noise power
BACKGROUND_SECONDS = 0.5  # longer than most syllables; twice that is no better
LONG_SECONDS = 0.35  # a whistle that lasts longer would be its own background
BACKGROUND_OF_LONG = 3, 4.0  # times as long as the whistle, up to so many seconds
RELATIVE_FLOOR = (
    0.3,
    "in recordings that are softer than these, the floor drops, so that it hides no song",
)
OFFSET_SECONDS = 0.05, 1.0  # shortest and longest mean that is subtracted from audio
LEAST_FLOOR = 1e-12  # half a step of 16-bit audio, spread over the frequencies of a spectrogram
PATTERNS = (
    8,
    "they find patterns in the spectrogram at any frequency, so that the pitch of song may vary",
)
Choose = Callable[[str, Any, str], Any]  # takes an option, a value and a reason; returns the value


class Frontend(NamedTuple):
    """What the network hears: frames of `hop` samples, and of each the spectrum in a window."""

    hop: int
    window: int  # samples; 0 for the audio itself
    n_patterns: int


def choose_frontend(song: Song, is_tcn: bool, choose: Choose) -> Frontend:
    """Choose downsampling, the STFT, and what becomes of its spectrogram.

    Arguments:
        song: what the dataset holds.
        is_tcn: whether the network is dss's own, not the one of DAS.
        choose: returns the value that it is given, or the one that the user gave instead.
    """
    downsample = choose("nb_pre_conv", *_downsampling(song, is_tcn))
    hop = 2**downsample
    window = choose("pre_nb_dft", *_window(song, hop)) if downsample else 0
    if not is_tcn:
        return Frontend(hop, window, 0)
    if not window:
        choose("pre_background", *_offset(song, hop))
        return Frontend(hop, window, 0)
    choose("pre_bins", *_bins(song, window))
    choose("pre_floor", *_floor(song, window))
    if choose("pre_background", *_background(song, hop)):
        choose("pre_relative_floor", *RELATIVE_FLOOR)
    return Frontend(hop, window, choose("pre_filters", *PATTERNS))


def _downsampling(song: Song, is_tcn: bool) -> tuple[int, str]:
    rate = song.samplerate_hz
    if _is_raw(song):
        power = max(0, round(math.log2(RAW_FRAME_SECONDS * rate))) if is_tcn else 0
        return power, (
            f"at {rate / 1000:g} kHz the network can process the audio itself, "
            f"{counted(2**power, 'sample')} at a time"
        )
    # Frames of about 1 ms; shorter if short song would span fewer than 20 of them.
    frame = np.clip((song.shortest_seconds or 1) / 20, 0.00025, 0.001) * song.slowness
    if song.has_events:
        frame = 0.0005
    power = int(np.clip(math.floor(math.log2(frame * rate) + 0.7), 1, 8))
    low, high = song.band_hz
    return power, (
        f"song at {low / 1000:.2g} to {high / 1000:.2g} kHz is recognized by its spectrum, one "
        f"frame every {1000 * 2**power / rate:.2g} ms"
    )


def _window(song: Song, hop: int) -> tuple[int, str]:
    rate = song.samplerate_hz
    if _is_raw(song):
        return 0, "no STFT: the waveform is more informative than its spectrum"
    is_low = song.is_low
    longest = WINDOW_SECONDS[is_low] * song.slowness
    seconds = min(longest, (song.shortest_seconds or 1) / 2)
    window = int(np.clip(2 ** math.floor(math.log2(seconds * rate)), 2 * hop, max(512, 2 * hop)))
    return window, f"{1000 * window / rate:.3g} ms, " + (
        "long enough to resolve the frequencies of low song"
        if is_low
        else "shorter than most pauses between syllables"
    )


def _bins(song: Song, window: int) -> tuple[list[int], str]:
    """The bins of the song and an octave beyond; all bins below it, too, if they are few."""
    hz = song.samplerate_hz / window
    first = math.floor(song.heard_hz[0] / OCTAVE / hz)
    first = 0 if first < FEW_BINS else min(first, window // 2 - FEW_BINS)
    last = max(math.ceil(song.heard_hz[1] * OCTAVE / hz), first + FEW_BINS)
    last = min(last, window // 2)
    return [first, last], (
        f"{hz * first / 1000:.3g} to {hz * last / 1000:.3g} kHz, an octave beyond the song"
    )


def _floor(song: Song, window: int) -> tuple[float, str]:
    """A fraction of the noise power at one frequency of the spectrogram."""
    noise = 3 * song.noise_density * song.samplerate_hz / window  # below a Hann window
    floor = float(f"{min(max(FLOOR * noise, LEAST_FLOOR), 1):.2g}")
    return floor, f"{100 * FLOOR:g} % of the noise power between song, so that soft song counts"


def _background(song: Song, hop: int) -> tuple[int, str]:
    seconds = BACKGROUND_SECONDS * song.slowness
    if song.longest_seconds > LONG_SECONDS:
        times, most = BACKGROUND_OF_LONG
        seconds = max(seconds, min(times * song.longest_seconds, most))
    hz = song.samplerate_hz / hop
    seconds = min(seconds, MOST_BACKGROUND / hz)
    return round(seconds * hz), (
        f"song is measured against the background within {readable(seconds)}, so that softer and "
        "louder recordings look alike"
    )


def _offset(song: Song, hop: int) -> tuple[int, str]:
    """The frames to subtract the mean of: at least two cycles of the lowest song."""
    hz = song.samplerate_hz / hop
    seconds = float(np.clip(2 / max(song.band_hz[0], 1), *OFFSET_SECONDS))
    frames = min(round(seconds * hz), MOST_BACKGROUND)
    return frames, (
        f"the mean of {readable(frames / hz)} is subtracted, so that an offset or a slow drift of "
        "the audio does not matter"
    )


def _is_raw(song: Song) -> bool:
    """Whether the network should see the audio itself instead of a spectrogram."""
    return song.has_events and song.samplerate_hz <= RAW_HZ
