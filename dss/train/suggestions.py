"""Choose the options of a network and its training from the data, and say why."""

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from dss import models
from dss.data.batches import array_of, split_stretches
from dss.data.contents import song_stretches
from dss.data.dataset import open_dataset
from dss.errors import DssError
from dss.options import AugmentOptions, NetworkOptions, TrainOptions
from dss.support.units import readable

RAW_HZ = 12_000  # at a lower sample rate the audio itself tells song apart
RAW_FRAME_SECONDS = 0.0008
RAW_DILATIONS = [1, 4, 16]  # with filters of 7 frames no sample in reach is skipped
STEPS = 500  # that training takes at least until it is done
FEWEST_EPOCHS = 24
CONTEXT_SECONDS = 0.5, 1.0  # that filters on a spectrogram reach
FLOOR = 0.1  # of a spectrogram, as a part of the power of noise
BACKGROUND_SECONDS = 0.5  # longer than syllables mostly are; twice that is no better
LEAST_FLOOR = 1e-12  # half a step of 16-bit audio, spread over the frequencies of a spectrogram
DESCRIBED = {"nb_hist", "nb_filters", "kernel_size", "nb_conv"}  # with all these, nothing is chosen
EXAMPLES = 200  # annotations of a song type that are looked at; more say the same


class Suggestion(NamedTuple):
    """A value for an option, and why."""

    value: Any
    reason: str


BACKGROUND = Suggestion(
    AugmentOptions(background=0.5),
    "what else is heard is added to every second chunk: song is found in spite of it",
)
PATTERNS = Suggestion(
    8, "patterns in the spectrogram are found at any frequency: song may be higher or lower"
)
LEVELS = Suggestion(
    AugmentOptions(gain_db=6, invert=0.5, noise=0.1),
    "song is louder or softer elsewhere, upside down, with more noise or less",
)

# What suits each kind of song, for recordings at the usual sample rates: 4 to 10 kHz, 20 to 48 kHz,
# 200 to 300 kHz. A spectrogram that is trained learns small data by heart (benchmarks/mouse.py).
PRESETS: dict[str, dict[str, Any]] = {
    "fly": {
        "nb_hist": 4096,
        "nb_pre_conv": 2,
        "pre_nb_dft": 0,
        "nb_filters": 32,
        "kernel_size": 7,
        "nb_conv": 2,
        "dilations": RAW_DILATIONS,
        "augmentations": LEVELS.value,
        "batch_size": 8,
        "nb_epoch": 30,
        "learning_rate": 0.004,
    },
    "songbird": {
        "nb_hist": 32768,
        "nb_pre_conv": 5,
        "pre_nb_dft": 256,
        "freeze": ["spectrogram"],
        "nb_filters": 32,
        "kernel_size": 7,
        "dilations": [1, 4, 16, 48],
        "nb_conv": 2,
        "batch_size": 8,
        "nb_epoch": 30,
        "learning_rate": 0.004,
    },
    "mouse": {
        "nb_hist": 131072,
        "nb_pre_conv": 7,
        "pre_nb_dft": 512,
        "freeze": ["spectrogram"],
        "nb_filters": 24,
        "kernel_size": 7,
        "dilations": [1, 4, 16, 48],
        "nb_conv": 2,
        "batch_size": 8,
        "nb_epoch": 30,
        "learning_rate": 0.004,
    },
}


class Song(NamedTuple):
    """What of a dataset the suggestions depend on."""

    samplerate_hz: float
    train_seconds: float
    n_stretches: int  # pieces of recordings, each cut into chunks on its own
    song_types: list[str]
    has_events: bool
    shortest_seconds: float | None  # the tenth part of the segments is shorter
    typical_seconds: float | None  # the median of the segments
    band_hz: tuple[float, float]
    noise_density: float  # the power per Hz of what is no song, at the median frequency


def suggest(data_dir: str | Path, given: dict[str, Any] | None = None) -> dict[str, Suggestion]:
    """Propose options for `dss.train.train`, from the training split of a dataset.

    Arguments:
        data_dir: a dataset.
        given: options that are settled; the others are chosen to go with them.

    Returns: the value of each option that is not given, and one line that says why.
    Raises: DssError if there is no such dataset, or its training split has no song.

    Example:
        >>> from dss.train import suggest
        >>> chosen = suggest("finch.npy")
        >>> chosen["nb_pre_conv"].value
        5
    """
    given = given or {}
    song = _survey(open_dataset(data_dir), given.get("y_suffix", ""))
    rate = song.samplerate_hz
    chosen: dict[str, Suggestion] = {}

    def choose(name: str, value: Any, reason: str) -> Any:
        """The value that is given, else this one."""
        if name in given:
            return getattr(TrainOptions.checked({"data_dir": ".", name: given[name]}), name)
        chosen[name] = Suggestion(value, reason)
        return value

    in_frames = given.get("model_name", "tcn") == "tcn"
    downsample = choose("nb_pre_conv", *_downsampling(song, in_frames))
    hop = 2**downsample
    window = choose("pre_nb_dft", *_window(song, hop)) if downsample else 0
    n_patterns = 0
    if window and in_frames:
        choose("pre_floor", *_floor(song, window))
        choose("pre_background", *_background(rate, hop))
        n_patterns = choose("pre_filters", *PATTERNS)
    if window and not given.get("continue_from"):
        choose("freeze", ["spectrogram"], "with the STFT as it is the network learns sooner")
    kernel_size = choose("kernel_size", *_kernel_size(song, hop))
    nb_conv = choose(
        "nb_conv",
        2 if downsample else 3,
        f"two blocks are enough: each frame covers {readable(hop / rate)}"
        if downsample
        else "three blocks, so that filters on the audio itself see enough context",
    )
    if downsample:
        dilations = _dilations(song, hop, kernel_size, nb_conv) if window else RAW_DILATIONS
        shape = {"nb_conv": nb_conv, "kernel_size": kernel_size, "dilations": dilations}
        frontend = {"nb_pre_conv": downsample, "pre_nb_dft": window, "pre_filters": n_patterns}
        network = NetworkOptions(**shape, **frontend)
        reach = readable(models.receptive_field(network) / rate)
        reason = (
            f"filters reach {reach} in all: a syllable is seen in its context"
            if window
            else f"few layers that see {reach} together"
        )
        choose("dilations", dilations, reason)
    n_types = len(song.song_types)
    choose(
        "nb_filters",
        32 if not window or n_types > 5 else 24 if n_types > 3 else 16,
        f"for {n_types} song type{'s' * (n_types > 1)}",
    )
    ignored = 2 * kernel_size * nb_conv * hop if given.get("ignore_boundaries", True) else 0
    nb_hist = choose("nb_hist", *_chunk(song, hop, ignored))
    # The first and last chunk of a stretch are filled by it in part: together one more, on average.
    n_chunks = round(song.train_seconds * rate / max(1, nb_hist - ignored)) + song.n_stretches
    batch_size = choose(
        "batch_size",
        int(np.clip(2 ** round(math.log2(n_chunks / 32)), 2, 8)),
        f"{n_chunks} chunks for training: several steps an epoch",
    )
    steps = math.ceil(n_chunks / batch_size)
    choose(
        "nb_epoch",
        int(np.clip(math.ceil(STEPS / steps), FEWEST_EPOCHS, 200)),
        f"{steps} steps an epoch: about {STEPS} steps in all, {FEWEST_EPOCHS} epochs at least",
    )
    choose("augmentations", *(BACKGROUND if window else LEVELS))
    choose("learning_rate", 0.004, "learns fast with small batches, as it falls to zero")
    return chosen


def complete(options: TrainOptions) -> tuple[TrainOptions, dict[str, str]]:
    """The options with those that were not given filled in, as `preset` and `auto` ask for.

    Returns: the options, in which nothing is left to be chosen; and the reasons, by option.
    """
    values = {name: getattr(options, name) for name in options.model_fields_set}
    reasons = {}
    if options.preset:
        for name, value in PRESETS[options.preset].items():
            if name == "freeze" and not (values["nb_pre_conv"] and values["pre_nb_dft"]):
                continue  # there is no spectrogram
            if name not in values:
                values[name], reasons[name] = value, f"{value}: preset {options.preset}"
    if options.auto and ("auto" in values or not values.keys() >= DESCRIBED):
        for name, (value, reason) in suggest(options.data_dir, values).items():
            values[name], reasons[name] = value, f"{_shown(value)}: {reason}"
    if not reasons:
        return options, {}
    return TrainOptions.checked({**values, "preset": "", "auto": False}), reasons


def _shown(value: Any) -> str:
    """A value as a person reads it: of augmentations, those that are used."""
    if not isinstance(value, AugmentOptions):
        return str(value)
    used = [name for name in value.model_fields_set if getattr(value, name)]
    return ", ".join(f"{name} {getattr(value, name):g}" for name in sorted(used))


def _downsampling(song: Song, in_frames: bool) -> tuple[int, str]:
    rate = song.samplerate_hz
    if rate <= RAW_HZ:
        power = max(0, round(math.log2(RAW_FRAME_SECONDS * rate))) if in_frames else 0
        return power, (
            f"at {rate / 1000:g} kHz the network can work on the audio itself, {2**power} "
            f"sample{'s' * (power > 0)} at once"
        )
    # Frames of about 1 ms; shorter, if short song would not be seen in 20 of them.
    frame = np.clip((song.shortest_seconds or 1) / 20, 0.0005, 0.001)
    if song.has_events:
        frame = 0.0005
    power = int(np.clip(math.floor(math.log2(frame * rate) + 0.7), 1, 8))
    low, high = song.band_hz
    return power, (
        f"song at {low / 1000:.2g} to {high / 1000:.2g} kHz is told apart by its spectrum, "
        f"a frame each {1000 * 2**power / rate:.2g} ms"
    )


def _window(song: Song, hop: int) -> tuple[int, str]:
    rate = song.samplerate_hz
    if rate <= RAW_HZ:
        return 0, "no STFT: the waveform tells more than its spectrum"
    window = int(np.clip(2 ** math.floor(math.log2(0.01 * rate)), 2 * hop, max(512, 2 * hop)))
    return window, f"{1000 * window / rate:.3g} ms, shorter than most pauses between syllables"


def _floor(song: Song, window: int) -> tuple[float, str]:
    """A part of the power that noise has at a frequency of the spectrogram."""
    noise = 3 * song.noise_density * song.samplerate_hz / window  # below a Hann window
    floor = float(f"{min(max(FLOOR * noise, LEAST_FLOOR), 1):.2g}")
    return floor, f"{100 * FLOOR:g} % of the power of noise between song, so that soft song counts"


def _background(rate: float, hop: int) -> tuple[int, str]:
    frames = round(BACKGROUND_SECONDS * rate / hop)
    return frames, (
        f"song is what rises above the background of {readable(BACKGROUND_SECONDS)} around it, so "
        "that softer and louder recordings look alike"
    )


def _kernel_size(song: Song, hop: int) -> tuple[int, str]:
    if hop > 1:
        return 7, f"{7000 * hop / song.samplerate_hz:.2g} ms of frames in a filter"
    low, high = song.band_hz
    middle = math.sqrt(low * high)
    size = int(np.clip(2 ** round(math.log2(song.samplerate_hz / middle)), 8, 32))
    return size, (
        f"{1000 * size / song.samplerate_hz:.2g} ms: about a cycle of the song at {low:.0f} to "
        f"{high:.0f} Hz"
    )


def _dilations(song: Song, hop: int, kernel_size: int, nb_conv: int) -> list[int]:
    """As few as reach a context, each at most four times the one before: 5 taps leave no gaps.

    The context is ten times as long as a syllable: its neighbours tell it from calls that sound
    like it but come alone.
    """
    seconds = float(np.clip(10 * (song.typical_seconds or 0), *CONTEXT_SECONDS))
    in_all = seconds * song.samplerate_hz / hop / nb_conv / max(1, kernel_size - 1)
    n = math.ceil(math.log(3 * in_all + 1, 4))  # 1 + 4 + ... + 4**(n - 1) is no less
    powers = np.linspace(1, 4, 301)[:, None] ** np.arange(n)
    return powers[np.abs(powers.sum(axis=1) - in_all).argmin()].round().astype(int).tolist()


def _chunk(song: Song, hop: int, ignored: int) -> tuple[int, str]:
    """A power of two: a second, or more for long song, and mostly not ignored."""
    rate = song.samplerate_hz
    seconds = float(np.clip(1.5 * (song.typical_seconds or 0), 1, 4))
    longest = song.train_seconds / 16  # so that there are chunks to draw from
    samples = 2 ** round(math.log2(max(min(seconds, longest) * rate, 2 * ignored, 8 * hop, 64)))
    return samples, f"{samples / rate:.2g} s: context for song, and chunks enough to draw from"


def _survey(tree: xr.DataTree, y_suffix: str) -> Song:
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
    seconds = np.diff(np.concatenate(segments), axis=1) / rate if segments else np.empty(0)
    x = array_of(train["x"])
    around_noise = _spectra(x, noise, rate)
    background = around_noise.mean(axis=0)
    bands = [_band(_spectra(x, s, rate).mean(axis=0) - background, rate) for s in song if len(s)]
    return Song(
        samplerate_hz=rate,
        train_seconds=float(np.diff(stretches, axis=1).sum() / rate),
        n_stretches=len(stretches),
        song_types=[name for name, s in zip(names, song, strict=True) if len(s)],
        has_events="event" in types,
        shortest_seconds=float(np.quantile(seconds, 0.1)) if segments else None,
        typical_seconds=float(np.median(seconds)) if segments else None,
        band_hz=(min(low for low, _ in bands), max(high for _, high in bands)),
        noise_density=float(np.median(around_noise)),
    )


def _band(added: np.ndarray, rate: float) -> tuple[float, float]:
    """Between which frequencies is nine tenths of the power that a song type adds to noise."""
    frequency = np.linspace(0, rate / 2, len(added))
    power = np.cumsum(np.maximum(added, 0))
    if power[-1] == 0:
        return float(frequency[1]), float(frequency[-1])
    low, high = np.searchsorted(power / power[-1], [0.05, 0.95])
    return float(frequency[max(low, 1)]), float(frequency[high])


def _spectra(x, occurrences: np.ndarray, rate: float) -> np.ndarray:
    """Power per Hz around the middles of up to 200 occurrences: [occurrences, frequencies]."""
    import scipy.signal

    window = 2 ** round(math.log2(0.03 * rate))
    if not len(occurrences):
        return np.zeros((1, window // 2 + 1))
    drawn = np.linspace(0, len(occurrences) - 1, min(EXAMPLES, len(occurrences))).astype(int)
    middles = occurrences[drawn].mean(axis=1).astype(int)
    starts = np.clip(middles - window // 2, 0, max(0, len(x) - window))
    blocks = np.stack([np.asarray(x[start : start + window], np.float32) for start in starts])
    _, power = scipy.signal.periodogram(blocks, rate, window="hann", nfft=window, axis=1)
    return power.mean(axis=2)
