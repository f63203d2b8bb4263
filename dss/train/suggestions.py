"""Choose the options of a network and its training from the data, and say why."""

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dss import models
from dss.data.dataset import open_dataset
from dss.options import AugmentOptions, NetworkOptions, TrainOptions
from dss.support.units import counted, readable
from dss.train.presets import PRESETS
from dss.train.song_properties import Song, measure_song

RAW_HZ = 12_000  # up to this sample rate, the audio itself is enough to recognize pulses
RAW_FRAME_SECONDS = 0.0008
RAW_DILATIONS = [1, 4, 16]  # with filters of 7 frames, no sample within reach is skipped
STEPS = 500  # minimum number of training steps
FEWEST_EPOCHS = 24
CONTEXT_SECONDS = 0.5, 1.0  # seen by filters on a spectrogram, to tell song types apart
ONE_TYPE_SECONDS = 0.25  # the minimum if there is one song type, to tell it from noise
WINDOW_SECONDS = 0.01, 0.02  # longest STFT window: for most song, and for low song
LOW_HZ = 3000  # song below this is low
SLOW_SECONDS = 0.15  # low song is slow if nearly all of its segments last longer
SLOWEST = 16  # times as slow as other song, at most
OCTAVE = 2
FEW_BINS = 16  # minimum number of bins; if fewer lie below the song, they are kept
FLOOR = 0.1  # of the spectrogram, as a fraction of the noise power
BACKGROUND_SECONDS = 0.5  # longer than most syllables; twice that is no better
LEAST_FLOOR = 1e-12  # half a step of 16-bit audio, spread over the frequencies of a spectrogram
# The number of members for at most so many seconds of audio; for more, there is one.
MEMBERS_OF_ONE_TYPE, MEMBERS_OF_SEVERAL = {60: 3, 300: 2}, {60: 2}
DESCRIBED = {"nb_hist", "nb_filters", "kernel_size", "nb_conv"}  # if all given, nothing is chosen


class Suggestion(NamedTuple):
    """A value for an option, and the reason for it."""

    value: Any
    reason: str


BACKGROUND = Suggestion(
    AugmentOptions(background=0.5),
    "other sounds are added to every second chunk, so that song is found in spite of them",
)
PATTERNS = Suggestion(
    8, "they find patterns in the spectrogram at any frequency, so that the pitch of song may vary"
)
LEVELS = Suggestion(
    AugmentOptions(gain_db=6, invert=0.5, noise=0.1),
    "song may be louder, softer or inverted elsewhere, with more noise or less",
)


def suggest(data_dir: str | Path, given: dict[str, Any] | None = None) -> dict[str, Suggestion]:
    """Propose options for `dss.train.train`, from the training split of a dataset.

    Arguments:
        data_dir: the dataset.
        given: options that are already set; the others are chosen to go with them.

    Returns: the value of each other option, and a line that explains it.
    Raises: DssError if there is no such dataset, or its training split has no song.

    Example:
        >>> from dss.train import suggest
        >>> chosen = suggest("finch.npy")
        >>> chosen["nb_pre_conv"].value
        5
    """
    given = given or {}
    song = measure_song(open_dataset(data_dir), given.get("y_suffix", ""))
    rate = song.samplerate_hz
    chosen: dict[str, Suggestion] = {}

    def choose(name: str, value: Any, reason: str) -> Any:
        """The given value, or else this one."""
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
        choose("pre_bins", *_bins(song, window))
        choose("pre_floor", *_floor(song, window))
        choose("pre_background", *_background(song, hop))
        n_patterns = choose("pre_filters", *PATTERNS)
    if window and not given.get("continue_from"):
        choose("freeze", ["spectrogram"], "the network learns faster with a fixed STFT")
    kernel_size = choose("kernel_size", *_kernel_size(song, hop))
    nb_conv = choose(
        "nb_conv",
        2 if downsample else 3,
        f"two blocks are enough: each frame covers {readable(hop / rate)}"
        if downsample
        else "three blocks give filters on the audio itself enough context",
    )
    if downsample:
        dilations = _dilations(song, hop, kernel_size, nb_conv) if window else RAW_DILATIONS
        shape = {"nb_conv": nb_conv, "kernel_size": kernel_size, "dilations": dilations}
        frontend = {"nb_pre_conv": downsample, "pre_nb_dft": window, "pre_filters": n_patterns}
        network = NetworkOptions(**shape, **frontend)
        reach = readable(models.receptive_field(network) / rate)
        choose("dilations", dilations, f"receptive field {reach}{_use_of_context(song, window)}")
    n_types = len(song.song_types)
    choose(
        "nb_filters",
        32 if not window or n_types > 5 else 24 if n_types > 3 else 16,
        f"for {counted(n_types, 'song type')}",
    )
    few = MEMBERS_OF_ONE_TYPE if _is_one_type(song) else MEMBERS_OF_SEVERAL
    n_members = next((n for most, n in few.items() if song.train_seconds <= most), 1)
    if n_patterns and n_members > 1:
        reason = "networks learn the same song, each in its own way, and err less often together"
        choose("nb_members", n_members, reason)
    ignored = 2 * kernel_size * nb_conv * hop if given.get("ignore_boundaries", True) else 0
    nb_hist = choose("nb_hist", *_chunk(song, hop, ignored))
    # The first and last chunks of a stretch are partly empty: together one more, on average.
    n_chunks = round(song.train_seconds * rate / max(1, nb_hist - ignored)) + song.n_stretches
    batch_size = choose(
        "batch_size",
        int(np.clip(2 ** round(math.log2(n_chunks / 32)), 2, 8)),
        f"{n_chunks} chunks for training: several steps per epoch",
    )
    steps = math.ceil(n_chunks / batch_size)
    choose(
        "nb_epoch",
        int(np.clip(math.ceil(STEPS / steps), FEWEST_EPOCHS, 200)),
        f"{steps} steps per epoch: about {STEPS} steps in total, but at least {FEWEST_EPOCHS} "
        "epochs",
    )
    choose("augmentations", *(BACKGROUND if window else LEVELS))
    choose("learning_rate", 0.004, "fast for small batches, as it falls to zero during training")
    return chosen


def complete(options: TrainOptions) -> tuple[TrainOptions, dict[str, str]]:
    """Fill in the options that were not given, as `preset` and `auto` ask for.

    Returns: the complete options; and the reasons, by option.
    """
    values = options.values_given()
    reasons = {}
    if options.preset:
        for name, value in PRESETS[options.preset].items():
            if name == "freeze" and not (values["nb_pre_conv"] and values["pre_nb_dft"]):
                continue  # there is no spectrogram
            if name not in values:
                values[name], reasons[name] = value, f"{value}: preset {options.preset}"
    # A run to continue describes the network; how it is trained follows from the new data.
    is_described = values.keys() >= DESCRIBED and not options.continue_from
    if options.auto and ("auto" in values or not is_described):
        for name, (value, reason) in suggest(options.data_dir, values).items():
            values[name], reasons[name] = value, f"{_shown(value)}: {reason}"
    if not reasons:
        return options, {}
    return TrainOptions.checked({**values, "preset": "", "auto": False}), reasons


def _shown(value: Any) -> str:
    """A value in readable form: of augmentations, only the ones in use."""
    if not isinstance(value, AugmentOptions):
        return str(value)
    used = [name for name in value.model_fields_set if getattr(value, name)]
    return ", ".join(f"{name} {getattr(value, name):g}" for name in sorted(used))


def _downsampling(song: Song, in_frames: bool) -> tuple[int, str]:
    rate = song.samplerate_hz
    if _is_raw(song):
        power = max(0, round(math.log2(RAW_FRAME_SECONDS * rate))) if in_frames else 0
        return power, (
            f"at {rate / 1000:g} kHz the network can process the audio itself, "
            f"{counted(2**power, 'sample')} at a time"
        )
    # Frames of about 1 ms; shorter if short song would span fewer than 20 of them.
    frame = np.clip((song.shortest_seconds or 1) / 20, 0.00025, 0.001) * _slowness(song)
    if song.has_events:
        frame = 0.0005
    power = int(np.clip(math.floor(math.log2(frame * rate) + 0.7), 1, 8))
    low, high = song.band_hz
    return power, (
        f"song at {low / 1000:.2g} to {high / 1000:.2g} kHz is recognized by its spectrum, one "
        f"frame every {1000 * 2**power / rate:.2g} ms"
    )


def _is_raw(song: Song) -> bool:
    """Whether the network should see the audio itself instead of a spectrogram."""
    return song.has_events and song.samplerate_hz <= RAW_HZ


def _is_one_type(song: Song) -> bool:
    """Whether segments need only be told from noise."""
    return len(song.song_types) == 1 and not song.has_events


def _slowness(song: Song) -> float:
    """How many times slower than birdsong the song is, if it is low and slow, such as a whale's.

    Frames, windows, context, background and chunks are longer by this factor.
    """
    if song.has_events or not song.shortest_seconds:
        return 1.0
    slow = min(song.shortest_seconds / SLOW_SECONDS, LOW_HZ / song.band_hz[1])
    return float(np.clip(slow, 1, SLOWEST))


def _window(song: Song, hop: int) -> tuple[int, str]:
    rate = song.samplerate_hz
    if _is_raw(song):
        return 0, "no STFT: the waveform is more informative than its spectrum"
    is_low = song.band_hz[1] < LOW_HZ
    longest = WINDOW_SECONDS[is_low] * _slowness(song)
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
    seconds = BACKGROUND_SECONDS * _slowness(song)
    return round(seconds * song.samplerate_hz / hop), (
        f"song is measured against the background within {readable(seconds)}, so that softer and "
        "louder recordings look alike"
    )


def _kernel_size(song: Song, hop: int) -> tuple[int, str]:
    if hop > 1:
        return 7, f"each filter spans {7000 * hop / song.samplerate_hz:.2g} ms of frames"
    low, high = song.band_hz
    middle = math.sqrt(low * high)
    size = int(np.clip(2 ** round(math.log2(song.samplerate_hz / middle)), 8, 32))
    return size, (
        f"{1000 * size / song.samplerate_hz:.2g} ms: about one cycle of the song at {low:.0f} to "
        f"{high:.0f} Hz"
    )


def _use_of_context(song: Song, window: int) -> str:
    if not window:
        return " with few layers"
    if _is_one_type(song):
        return ": enough to tell song from noise"
    return ": enough to see a syllable in its context"


def _dilations(song: Song, hop: int, kernel_size: int, nb_conv: int) -> list[int]:
    """The smallest dilations that reach the context, each at most four times the one before, so
    that filters with 5 taps leave no gaps.

    The context is ten times as long as a syllable: neighbouring syllables distinguish it from
    isolated calls that sound similar. If there is one song type, a syllable is enough: with a
    longer context, the network learns by heart how syllables follow each other.
    """
    typical, slowness = song.typical_seconds or 0, _slowness(song)
    least, most = CONTEXT_SECONDS
    if _is_one_type(song):
        seconds = np.clip(typical, ONE_TYPE_SECONDS * slowness, most * slowness)
    else:
        seconds = np.clip(10 * typical, least, most * slowness)
    in_all = seconds * song.samplerate_hz / hop / nb_conv / max(1, kernel_size - 1)
    n = math.ceil(math.log(3 * in_all + 1, 4))  # 1 + 4 + ... + 4**(n - 1) is no less
    powers = np.linspace(1, 4, 301)[:, None] ** np.arange(n)
    return powers[np.abs(powers.sum(axis=1) - in_all).argmin()].round().astype(int).tolist()


def _chunk(song: Song, hop: int, ignored: int) -> tuple[int, str]:
    """A power of two: a second, or more for long song, and mostly not ignored."""
    rate = song.samplerate_hz
    seconds = float(np.clip(1.5 * (song.typical_seconds or 0), 1, 4)) * _slowness(song)
    longest = song.train_seconds / 16  # so that there are chunks to choose from
    samples = 2 ** round(math.log2(max(min(seconds, longest) * rate, 2 * ignored, 8 * hop, 64)))
    return samples, f"{samples / rate:.2g} s: enough context, and enough chunks to draw from"
