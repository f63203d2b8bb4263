"""Properties of the song in a dataset: durations, frequency band, and noise."""

import math
from typing import NamedTuple

import numpy as np
import xarray as xr

from dss.data.batches import array_of, split_stretches
from dss.data.contents import BROKEN_AUDIO, song_stretches
from dss.errors import DssError

LOW_HZ = 3000  # song below this is low
SLOW_SECONDS = 0.15  # low song is slow if nearly all of its segments last longer
SLOWEST = 16  # times as slow as other song, at most
LEAST_NOISE = 1e-15  # per Hz, of silent 16-bit audio
DOUBTFUL = 1.5  # times the noise: anything softer may be chance
EXAMPLES = 200  # annotations of a song type to look at; more add nothing


class Song(NamedTuple):
    """The properties of a dataset that suggestions depend on."""

    samplerate_hz: float
    train_seconds: float
    song_seconds: float  # in segments
    n_stretches: int  # pieces of recordings, each cut into chunks separately
    song_types: list[str]
    has_events: bool
    shortest_seconds: float | None  # a tenth of the segments are shorter
    typical_seconds: float | None  # the median duration of segments
    longest_seconds: float  # that of the song type whose segments last longest; 0 for events
    band_hz: tuple[float, float]  # contains nine tenths of the power of song
    heard_hz: tuple[float, float]  # extended to where soft song stands out from loud noise
    noise_density: float  # the power per Hz of noise, at the median frequency

    @property
    def is_one_type(self) -> bool:
        """Whether segments need only be told from noise."""
        return len(self.song_types) == 1 and not self.has_events

    @property
    def is_low(self) -> bool:
        """Whether song has its power at low frequencies."""
        return self.band_hz[1] < LOW_HZ

    @property
    def slowness(self) -> float:
        """How many times slower than birdsong the song is, if it is low and slow, as of a whale.

        Frames, windows, context, background and chunks are longer by this factor.
        """
        if self.has_events or not self.shortest_seconds:
            return 1.0
        slow = min(self.shortest_seconds / SLOW_SECONDS, LOW_HZ / self.band_hz[1])
        return float(np.clip(slow, 1, SLOWEST))


def measure_song(tree: xr.DataTree, y_suffix: str) -> Song:
    """Measure the song in the training split of a dataset.

    Raises: DssError if it has no song, or not these targets, or audio that is not numbers.
    """
    suffix = f"_{y_suffix}" if y_suffix else ""
    train = tree["train"]
    if f"y{suffix}" not in train or not train.sizes["time"]:
        raise DssError(f"Nothing can be suggested: the train split has no targets y{suffix}")
    names, types = (tree.attrs[f"class_{what}{suffix}"][1:] for what in ("names", "types"))
    rate = tree.attrs["samplerate_x_Hz"]
    stretches = split_stretches(tree, "train")
    known = array_of(train["annotated"]) if "annotated" in train else None
    noise, *song = song_stretches(array_of(train[f"y{suffix}"]), stretches, known)
    if not any(map(len, song)):
        raise DssError("Nothing can be suggested: the train split has no song")
    segments = [s for s, kind in zip(song, types, strict=True) if kind == "segment" and len(s)]
    of_types = [np.diff(s, axis=1) / rate for s in segments]
    seconds = np.concatenate(of_types) if segments else np.empty(0)
    x = array_of(train["x"])
    around_noise = _spectra(x, noise, rate)
    around_song = [_spectra(x, s, rate) for s in song if len(s)]
    usual_noise = np.maximum(np.median(around_noise, axis=0), LEAST_NOISE)
    power = [_band(s.mean(axis=0) - around_noise.mean(axis=0), rate) for s in around_song]
    contrast = [np.median(s, axis=0) / usual_noise for s in around_song]
    heard = [_heard(band, c, rate) for band, c in zip(power, contrast, strict=True)]
    return Song(
        samplerate_hz=rate,
        train_seconds=float(np.diff(stretches, axis=1).sum() / rate),
        song_seconds=float(seconds.sum()),
        n_stretches=len(stretches),
        song_types=[name for name, s in zip(names, song, strict=True) if len(s)],
        has_events="event" in types,
        shortest_seconds=float(np.quantile(seconds, 0.1)) if segments else None,
        typical_seconds=float(np.median(seconds)) if segments else None,
        longest_seconds=max((float(np.median(s)) for s in of_types), default=0.0),
        band_hz=_all_of(power),
        heard_hz=_all_of(heard),
        noise_density=float(np.median(around_noise)),
    )


def _all_of(bands: list[tuple[float, float]]) -> tuple[float, float]:
    return min(low for low, _ in bands), max(high for _, high in bands)


def _heard(band_hz: tuple[float, float], contrast: np.ndarray, rate: float) -> tuple[float, float]:
    """The band of the song, extended to where song stands out most if that is over an octave away.

    Rumble that accompanies song, such as the animal moving, may have all the power.
    """
    low, high = band_hz
    clearest = np.linspace(0, rate / 2, len(contrast))[contrast.argmax()]
    if low / 2 <= clearest <= 2 * high:
        return band_hz
    return _all_of([band_hz, _band(contrast - DOUBTFUL, rate)])


def _band(added: np.ndarray, rate: float) -> tuple[float, float]:
    """The frequencies between which lie nine tenths of the power that a song type adds to noise."""
    frequency = np.linspace(0, rate / 2, len(added))
    power = np.cumsum(np.maximum(added, 0))
    if power[-1] == 0:
        return float(frequency[1]), float(frequency[-1])
    low, high = np.searchsorted(power / power[-1], [0.05, 0.95])
    return float(frequency[max(low, 1)]), float(frequency[high])


def _spectra(x, occurrences: np.ndarray, rate: float) -> np.ndarray:
    """The power per Hz around the middles of up to 200 occurrences: [occurrences, frequencies]."""
    import scipy.signal

    window = 2 ** round(math.log2(0.03 * rate))
    if not len(occurrences):
        return np.zeros((1, window // 2 + 1))
    drawn = np.linspace(0, len(occurrences) - 1, min(EXAMPLES, len(occurrences))).astype(int)
    middles = occurrences[drawn].mean(axis=1).astype(int)
    starts = np.clip(middles - window // 2, 0, max(0, len(x) - window))
    blocks = np.stack([np.asarray(x[start : start + window], np.float32) for start in starts])
    if not np.isfinite(blocks).all():
        raise DssError(f"Nothing can be suggested: {BROKEN_AUDIO}")
    _, power = scipy.signal.periodogram(blocks, rate, window="hann", nfft=window, axis=1)
    return power.mean(axis=2)
