"""Draw recordings of any length at once: extremes and spectra of blocks, each computed once."""

import threading
from collections.abc import Callable

import numpy as np

from dss.data.recordings import Recording
from dss.data.stretches import of_mask
from dss.plot.layout import BINS
from dss.plot.rows import Envelope, envelope, shown_audio
from dss.plot.spectrogram import in_db, mean_power, song_range, spectrogram, window_samples

BLOCK_SAMPLES = 2**10  # with common extremes
SPECTRUM_BLOCKS = 4  # these share one spectrum
SPECTRA = 4  # which is the mean of this many
MOST_BLOCKS = 2**18  # in longer recordings, blocks are longer
VALUES = 2**19  # of targets or probabilities drawn at most,
COARSEST_SECONDS = 0.001  # at least one every so many seconds: otherwise they are not drawn
FRAMES = 2**12  # spectra of a stretch that is read completely
READ_STEPS = 2**7  # read at a time
MOST_UNKNOWN = 2**12  # steps read before a stretch is drawn; of more, only some are
SKETCHED = 250  # columns of a sketch


class Overviews:
    """The overviews of several recordings and their channels, and what was last drawn of them.

    Arguments:
        when_filled: called, in a thread, once a long recording has been read completely.

    Attributes:
        is_sketch: whether only part of what was last drawn had been read.
        song_range_hz: the frequency range of all song drawn so far, kept because changing scales
            cannot be compared. None at first; set it to None to start again with the next drawing.
    """

    def __init__(self, when_filled: Callable[[], None]):
        self._overviews: dict[tuple, Overview] = {}
        self._kept: tuple = None, None
        self._when_filled = when_filled
        self.is_sketch = False
        self.song_range_hz: tuple[float, float] | None = None

    def draw(
        self,
        recording: Recording,
        channel: int | None,
        start: int,
        stop: int,
        window_seconds: float | None = None,
    ) -> tuple[Envelope, np.ndarray]:
        """The result of `Overview.draw`, cached for the same recording, channel and stretch.

        The overview of a long recording is computed in a thread.
        """
        of = recording.path, channel
        if of not in self._overviews:
            overview = self._overviews[of] = Overview(recording, channel)
            if recording.n_samples > overview.longest_read:
                threading.Thread(target=self._fill, args=[overview], daemon=True).start()
        key = *of, start, stop, window_seconds
        before, drawn = self._kept
        is_new = before != key or self.is_sketch
        if is_new:
            overview = self._overviews[of]
            self.is_sketch = overview.sketches(start, stop)
            drawn = overview.draw(start, stop, window_seconds)
            self._kept = key, drawn
        if is_new or self.song_range_hz is None:
            low, high = song_range(drawn[1], recording.samplerate_hz)
            lowest, highest = self.song_range_hz or (low, high)
            nyquist = recording.samplerate_hz / 2
            self.song_range_hz = min(low, lowest), min(max(high, highest), nyquist)
        return drawn

    def _fill(self, overview: "Overview") -> None:
        overview.fill()
        self._when_filled()


class Overview:
    """The waveform and spectrogram of any stretch of a recording.

    Short stretches are read. For long ones, extremes and mean spectra of blocks are drawn, which
    are computed on demand, or in advance by `fill` in a thread. If many are still missing, the
    known blocks and a few others make a sketch.

    Arguments:
        recording: the audio.
        channel: the channel to show; None for the waveforms of all channels and their mean power.
    """

    def __init__(self, recording: Recording, channel: int | None = None):
        self.recording, self.channel = recording, channel
        coarser = -(-recording.n_samples // (BLOCK_SAMPLES * MOST_BLOCKS))
        self.width = BLOCK_SAMPLES * max(1, coarser)
        self.step = self.width * SPECTRUM_BLOCKS
        n = -(-recording.n_samples // self.step)
        n_channels = recording.n_channels if channel is None else 1
        # For unknown steps: values that do not change a sum or an extreme.
        self._low = np.full((n * SPECTRUM_BLOCKS, n_channels), np.inf, np.float32)
        self._high = -self._low
        self._power = np.zeros((n, 257), np.float32)
        self._is_known = np.zeros(n, bool)
        self._one_reads, self._one_sketches = threading.Lock(), threading.Lock()

    @property
    def longest_read(self) -> int:
        """The longest stretch, in samples, that is read to be drawn."""
        return BINS * self.step // 2

    def draw(
        self, start: int, stop: int, window_seconds: float | None = None
    ) -> tuple[Envelope, np.ndarray]:
        """The extremes, and power in dB [frequencies, columns], of the samples of a stretch.

        The window applies to stretches that are read: in longer ones, a pixel spans more than a
        window.
        """
        rate = self.recording.samplerate_hz
        if stop - start <= self.longest_read:
            x = self._read(start, stop)
            return envelope(x, "x"), spectrogram(x, rate, FRAMES, window_seconds)
        first, last = self._steps(start, stop)
        is_sketch = self.sketches(start, stop)
        edges = _edges(last - first, SKETCHED if is_sketch else BINS)
        if is_sketch:
            with self._one_sketches:
                lacks = ~np.logical_or.reduceat(self._is_known[first:last], edges)
                for step in first + edges[lacks]:
                    self._learn(step, step + 1)
        else:
            self._find(first, last)
        n_known = np.add.reduceat(self._is_known[first:last], edges, dtype=np.float32)
        power = np.add.reduceat(self._power[first:last], edges) / n_known[:, None]
        blocks = slice(first * SPECTRUM_BLOCKS, last * SPECTRUM_BLOCKS)
        edges = edges * SPECTRUM_BLOCKS
        if not is_sketch:
            edges = _edges(blocks.stop - blocks.start, 2 * BINS)
        low = np.minimum.reduceat(self._low[blocks], edges)
        high = np.maximum.reduceat(self._high[blocks], edges)
        # Blocks extend beyond the stretch by less than is visible.
        return Envelope(low, high, (stop - start) / len(low), stop - start), in_db(power.T)

    def sketches(self, start: int, stop: int) -> bool:
        """Whether so much of a stretch is unknown that it is sketched."""
        first, last = self._steps(start, stop)
        n_unknown = last - first - np.count_nonzero(self._is_known[first:last])
        return stop - start > self.longest_read and bool(n_unknown > MOST_UNKNOWN)

    def fill(self) -> None:
        """Compute all missing blocks; to be called in a thread."""
        for first in range(0, len(self._is_known), READ_STEPS):
            with self._one_sketches:
                pass  # what somebody waits for comes first
            self._find(first, min(first + READ_STEPS, len(self._is_known)))

    def _steps(self, start: int, stop: int) -> tuple[int, int]:
        return start // self.step, -(-stop // self.step)

    def _find(self, first: int, last: int) -> None:
        """Compute the missing blocks of these steps, a few at a time to fit in memory."""
        for start, stop in of_mask(~self._is_known[first:last]) + first:
            for begin in range(start, stop, READ_STEPS):
                end = min(begin + READ_STEPS, stop)
                with self._one_reads:
                    if not self._is_known[begin:end].all():
                        self._learn(begin, end)

    def _learn(self, start: int, stop: int) -> None:
        x = self._read(start * self.step, stop * self.step)
        padded = np.pad(x, ((0, (stop - start) * self.step - len(x)), (0, 0)), mode="edge")
        blocks = np.ascontiguousarray(padded.T).reshape(x.shape[1], -1, self.width)
        here = slice(start * SPECTRUM_BLOCKS, stop * SPECTRUM_BLOCKS)
        self._low[here], self._high[here] = blocks.min(axis=2).T, blocks.max(axis=2).T
        window = window_samples(self.recording.samplerate_hz)
        self._power[start:stop] = mean_power(padded, window, stop - start, SPECTRA)
        self._is_known[start:stop] = True

    def _read(self, start: int, stop: int) -> np.ndarray:
        x = self.recording.read(start, stop)
        return shown_audio(x, self.recording.samplerate_hz, self.channel)


def _edges(n: int, most: int) -> np.ndarray:
    """Where each of at most so many columns of `n` values begins."""
    return np.linspace(0, n, min(n, most) + 1).astype(int)[:-1]


def coarse_envelope(
    values: np.ndarray, samplerate_hz: float, stretch: tuple[float, float]
) -> Envelope | None:
    """The extremes of targets or probabilities [samples, classes] in a stretch of seconds.

    Returns: None if the stretch is too long, or too little of it exists, to draw anything.
    """
    start, stop = (round(t * samplerate_hz) for t in stretch)
    step = -(-(stop - start) * values.shape[1] // VALUES)
    if step > 1 and step > COARSEST_SECONDS * samplerate_hz:
        return None
    drawn = np.asarray(values[start : max(stop, start + 1) : step], np.float32)
    return envelope(drawn, "probabilities") if len(drawn) else None
