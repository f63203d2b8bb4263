"""Recordings: open audio files, and read stretches of them as float arrays."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from dss.data import fixes
from dss.data.audio import Loader, as_float, open_audio
from dss.data.resampling import Resampled, resampling_ratio
from dss.errors import DssError, raise_problems
from dss.options import SourceOptions

BLOCK_SAMPLES = 2**18


@dataclass(frozen=True)
class Recording:
    """An audio file: the facts in its header, and its samples on request.

    Attributes:
        path: the file, for error messages.
        samplerate_hz: the sample rate.
        n_samples: the length in samples.
        n_channels: the number of channels.
        reader: a function of a first sample and the one after the last: [samples, channels]
            float32.
        file_samplerate_hz: the sample rate of the file, if the recording is resampled.
    """

    path: Path
    samplerate_hz: float
    n_samples: int
    n_channels: int
    reader: Callable[[int, int], np.ndarray] = field(repr=False, compare=False)
    file_samplerate_hz: float | None = None

    @property
    def own_samplerate_hz(self) -> float:
        """The sample rate of the file, whose samples annotations may count."""
        return self.file_samplerate_hz or self.samplerate_hz

    @property
    def duration_seconds(self) -> float:
        """The length of the recording in seconds."""
        return self.n_samples / self.samplerate_hz

    def read(self, start_sample: int = 0, stop_sample: int | None = None) -> np.ndarray:
        """Read the samples from `start_sample` to before `stop_sample`: [samples, channels]
        float32.

        Integer audio is scaled to -1..1. Raises DssError if the file has fewer samples than its
        header says, or values that are not numbers.
        """
        stop_sample = self.n_samples if stop_sample is None else min(stop_sample, self.n_samples)
        if start_sample >= stop_sample:
            return np.empty((0, self.n_channels), np.float32)
        x = self.reader(start_sample, stop_sample)
        if len(x) != stop_sample - start_sample:
            raise DssError(
                f"{self.path}: the audio ends after {start_sample + len(x)} samples, but the "
                f"header says {self.n_samples}. The file is truncated: copy it again."
            )
        if not np.isfinite(x).all():
            row = start_sample + int(np.argmin(np.isfinite(x).all(axis=1)))
            raise DssError(
                f"{self.path}: sample {row} is not a number (NaN or infinite). Export the "
                "recording again, or leave it out."
            )
        return x

    def resampled(self, samplerate_hz: float) -> "Recording":
        """The same recording at another sample rate, without frequencies that this rate cannot
        represent.

        It is resampled while it is read. A stretch has the same samples however it is read: alone,
        as part of the whole, or in blocks of any size.
        """
        if samplerate_hz == self.samplerate_hz:
            return self
        ratio = resampling_ratio(self.samplerate_hz, samplerate_hz, self.n_samples, self.path)
        reader = Resampled(self.read, self.n_samples, ratio)
        about = samplerate_hz, reader.n_samples, self.n_channels
        return Recording(self.path, *about, reader, self.own_samplerate_hz)

    def one_channel(self, channel: int | None = None, mix: bool = False) -> "Recording":
        """The same recording with one channel, or with all of them if none is requested.

        Arguments:
            channel: the channel, counted from 0.
            mix: use the mean of all channels.

        Raises: DssError if there is no such channel.
        """
        if channel is not None and mix:
            raise DssError("channel, mix: give only one of these: a channel, or the mean of all")
        if channel is not None and channel >= self.n_channels:
            n = self.n_channels
            has = f"the channels 0 to {n - 1}" if n > 1 else "only channel 0"
            raise DssError(
                f"{self.path}: there is no channel {channel}; it has {has}. Choose one of these "
                "(--channel), or the mean of all (--mix)."
            )
        if self.n_channels == 1 or (channel is None and not mix):
            return self
        reader = partial(_read_mean, self.reader)
        if channel is not None:
            reader = partial(_read_channel, self.reader, channel)
        return replace(self, n_channels=1, reader=reader)

    def without_equal_channels(self) -> "Recording":
        """The same recording with one channel if all are identical, which is noted as a fix.

        The audio is read up to the first difference.
        """
        starts = range(0, self.n_samples, BLOCK_SAMPLES)
        blocks = (self.read(start, start + BLOCK_SAMPLES) for start in starts)
        if self.n_channels == 1 or not all((x == x[:, :1]).all() for x in blocks):
            return self
        fixes.note(self.path, f"has {self.n_channels} identical channels; one is used")
        return self.one_channel(0)


def open_recording(
    path: str | Path, loader: Loader | None = None, samplerate_hz: float | None = None
) -> Recording:
    """Open an audio file without reading its samples.

    wav, flac, aiff, au, caf, w64 and other formats of libsndfile are read block by block, as are h5
    files and memory-mapped npy and npz files; mp3 and ogg are unpacked like a compressed npz. An
    npz or h5 file contains `data` [samples, channels] (or `audio`, `samples`) and `samplerate` (or
    `samplerate_Hz`, `sample_rate`, `rate`, `fs`), in h5 also as an attribute of the file or of the
    data. A compressed npz file is unpacked into a temporary file while it is read.

    Arguments:
        path: the file.
        loader: a function that reads a file in another format, `loader(path) -> (samplerate,
            array)`: the sample rate in Hz, and audio [samples, channels] or [samples]. Its result
            is kept while the file is read.
        samplerate_hz: the sample rate of files that do not store it, such as all npy files.

    Raises: DssError for a file that is missing, empty, truncated, or not audio, or whose name is
        not UTF-8.

    Example:
        >>> from dss.data import open_recording
        >>> recording = open_recording("finch/bird1_01.wav")
        >>> recording.samplerate_hz, recording.duration_seconds
        (20000, 8.0241)
        >>> recording.read(0, 100).shape
        (100, 1)
    """
    recording = open_at_own_rate(path, loader, samplerate_hz)
    rate = recording.samplerate_hz
    if samplerate_hz not in (None, rate):
        raise DssError(
            f"{path}: the sample rate is {rate:g} Hz, not {samplerate_hz:g} Hz. To change it, "
            f"open_recording(path).resampled({samplerate_hz:g})."
        )
    return recording


def open_at_own_rate(
    path: str | Path, loader: Loader | None, fallback_hz: float | None
) -> Recording:
    """Open an audio file like `open_recording`, whatever the sample rate that it stores.

    `fallback_hz` is the rate of files that store none.
    """
    path = Path(path)
    _check_name(path)
    if path.is_symlink() and not path.exists():
        raise DssError(
            f"{path}: is a link to {os.readlink(path)}, which does not exist. Fetch that file, "
            "or remove the link."
        )
    if not path.is_file():
        raise DssError(f"{path}: there is no such recording")
    if path.stat().st_size == 0:
        raise DssError(f"{path}: the file is empty (0 bytes). Copy it again, or remove it.")
    audio = open_audio(path, loader)
    if audio.n_samples == 0:
        raise DssError(f"{path}: contains no samples")
    rate = fallback_hz if audio.samplerate_hz is None else audio.samplerate_hz
    if rate is None:
        raise DssError(
            f"{path}: does not store its sample rate. Give it (samplerate_hz), or save the audio "
            "as npz: numpy.savez(path, data=x, samplerate=samplerate_hz)."
        )
    return Recording(path, rate, audio.n_samples, audio.n_channels, audio.read)


def open_for_dataset(path: str | Path, options: SourceOptions) -> Recording:
    """Open a recording as a dataset uses it: with the requested channels and sample rate.

    A file that does not store its rate, such as npy, is taken to have the requested one.
    """
    recording = open_at_own_rate(path, options.loader, options.samplerate_hz)
    recording = recording.one_channel(options.channel, options.mix)
    return recording.resampled(options.samplerate_hz or recording.samplerate_hz)


def open_readable(
    paths: Sequence[Path], options: SourceOptions
) -> tuple[dict[Path, Recording], list[str]]:
    """Open those recordings that are readable, as `open_for_dataset` does.

    Returns: the recordings by path, and the errors of the others.
    Raises: DssError if none can be read.
    """
    recordings, problems = {}, []
    for path in paths:
        try:
            recordings[path] = open_for_dataset(path, options)
        except DssError as error:
            problems.append(str(error))
    if not recordings:
        raise_problems(problems, "These recordings cannot be read:")
    return recordings, problems


def array_recording(x: np.ndarray, samplerate_hz: float, name: str = "array") -> Recording:
    """A recording from audio in memory, or in a memory map, which is read on request.

    Arguments:
        x: [samples, channels] or [samples]; integers are scaled to -1..1.
        samplerate_hz: the sample rate.
        name: the name for error messages.
    """
    x = np.asarray(x)
    n_channels = 1 if x.ndim == 1 else x.shape[1]
    return Recording(Path(name), samplerate_hz, len(x), n_channels, lambda a, b: as_float(x[a:b]))


def resample(x: np.ndarray, samplerate_hz: float, new_samplerate_hz: float) -> np.ndarray:
    """Resample an array: like `Recording.resampled`, for audio in memory.

    Arguments:
        x: [samples, channels] or [samples]; integers are scaled to -1..1.
        samplerate_hz: its sample rate.
        new_samplerate_hz: the sample rate of the result.

    Returns: [samples, channels] or [samples] float32, with the closest number of samples for the
        duration.

    Example:
        >>> import numpy as np
        >>> from dss.data import resample
        >>> resample(np.zeros((32000, 1), "float32"), 32000, 16000).shape
        (16000, 1)
    """
    y = array_recording(x, samplerate_hz).resampled(new_samplerate_hz).read()
    return y[:, 0] if np.ndim(x) == 1 else y


def _check_name(path: Path) -> None:
    """Raise a DssError if the name of a file is not UTF-8."""
    name = os.fsencode(path)
    try:
        name.decode()
    except UnicodeDecodeError:
        raise DssError(
            f"{name.decode(errors='backslashreplace')}: the name of this file, or of its folder, "
            "is not UTF-8 but in another encoding; rename it"
        ) from None


def _read_channel(reader: Callable, channel: int, start: int, stop: int) -> np.ndarray:
    return reader(start, stop)[:, channel : channel + 1]


def _read_mean(reader: Callable, start: int, stop: int) -> np.ndarray:
    return reader(start, stop).mean(axis=1, keepdims=True)
