"""Choose the options of a network and its training from the data, and say why."""

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dss import models
from dss.data.dataset import open_dataset
from dss.options import AugmentOptions, NetworkOptions, TrainOptions
from dss.support.units import counted, readable
from dss.train.frontend_choices import Choose, Frontend, choose_frontend
from dss.train.presets import PRESETS
from dss.train.song_properties import Song, measure_song

RAW_DILATIONS = [1, 4, 16]  # with filters of 7 frames, no sample within reach is skipped
STEPS = 500  # minimum number of training steps
FEWEST_EPOCHS = 24
CONTEXT_SECONDS = 0.5, 1.0  # seen by filters on a spectrogram, to tell song types apart
ONE_TYPE_SECONDS = 0.25  # the minimum if there is one song type, to tell it from noise
MEMBERS_OF_ONE_TYPE = {25: 3, 100: 2}  # for at most so many seconds of song
MEMBERS_OF_SEVERAL = {60: 2}  # for at most so many seconds of audio
MOST_SECONDS = 300  # of audio to train several members with: each takes as long
DESCRIBED = {"nb_hist", "nb_filters", "kernel_size", "nb_conv"}  # if all given, nothing is chosen


class Suggestion(NamedTuple):
    """A value for an option, and the reason for it."""

    value: Any
    reason: str


BACKGROUND = Suggestion(
    AugmentOptions(background=0.5),
    "other sounds are added to every second chunk, so that song is found despite them",
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
    chosen: dict[str, Suggestion] = {}

    def choose(name: str, value: Any, reason: str) -> Any:
        """The given value, or else this one."""
        if name in given:
            return getattr(TrainOptions.checked({"data_dir": ".", name: given[name]}), name)
        chosen[name] = Suggestion(value, reason)
        return value

    frontend = choose_frontend(song, given.get("model_name", "tcn") == "tcn", choose)
    if frontend.window and not given.get("continue_from"):
        choose("freeze", ["spectrogram"], "the network learns faster with a fixed STFT")
    span, reach = _choose_network(song, frontend, choose)
    ignored = 2 * span * frontend.hop if given.get("ignore_boundaries", True) else 0
    _choose_training(song, frontend, ignored, reach, choose)
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


def _choose_network(song: Song, frontend: Frontend, choose: Choose) -> tuple[int, int]:
    """Choose blocks, filters and members.

    Returns: frames spanned by a filter of each block; samples of the receptive field, 0 if dss
        leaves the dilations as they are.
    """
    hop, window, n_patterns = frontend
    kernel_size = choose("kernel_size", *_kernel_size(song, hop))
    few = 2, f"two blocks are enough: each frame covers {readable(hop / song.samplerate_hz)}"
    more = 3, "three blocks give filters on the audio itself enough context"
    nb_conv = choose("nb_conv", *(few if hop > 1 else more))
    reach = 0
    if hop > 1:
        dilations = _dilations(song, hop, kernel_size, nb_conv) if window else RAW_DILATIONS
        network = NetworkOptions(
            nb_conv=nb_conv,
            kernel_size=kernel_size,
            dilations=dilations,
            nb_pre_conv=hop.bit_length() - 1,
            pre_nb_dft=window,
            pre_filters=n_patterns,
        )
        reach = models.receptive_field(network)
        seconds = readable(reach / song.samplerate_hz)
        choose("dilations", dilations, f"receptive field {seconds}{_use_of_context(song, window)}")
    n_types = len(song.song_types)
    nb_filters = 32 if not window or n_types > 5 else 24 if n_types > 3 else 16
    choose("nb_filters", nb_filters, f"for {counted(n_types, 'song type')}")
    n_members = _count_members(song)
    if n_patterns and n_members > 1:
        little = f"{readable(song.song_seconds)} of song is not much"
        together = "networks that learn it side by side, each in its own way, err less often"
        choose("nb_members", n_members, f"{little}: {together}")
    return kernel_size * nb_conv, reach


def _choose_training(
    song: Song, frontend: Frontend, ignored: int, reach: int, choose: Choose
) -> None:
    """Choose chunks, of which so many samples are ignored, and how to learn from them."""
    nb_hist = choose("nb_hist", *_chunk(song, frontend.hop, ignored, reach))
    # The first and last chunks of a stretch are partly empty: together one more, on average.
    stride = max(1, nb_hist - ignored)
    n_chunks = round(song.train_seconds * song.samplerate_hz / stride) + song.n_stretches
    batch_size = int(np.clip(2 ** round(math.log2(n_chunks / 32)), 2, 8))
    reason = f"{n_chunks} chunks for training: several steps per epoch"
    steps = math.ceil(n_chunks / choose("batch_size", batch_size, reason))
    nb_epoch = int(np.clip(math.ceil(STEPS / steps), FEWEST_EPOCHS, 200))
    reason = f"{steps} steps per epoch: about {STEPS} steps in total, but at least {FEWEST_EPOCHS}"
    choose("nb_epoch", nb_epoch, f"{reason} epochs")
    choose("augmentations", *(BACKGROUND if frontend.window else LEVELS))
    choose("learning_rate", 0.004, "fast for small batches, as it falls to zero during training")


def _shown(value: Any) -> str:
    """A value in readable form: of augmentations, only the ones in use."""
    if not isinstance(value, AugmentOptions):
        return str(value)
    used = [name for name in value.model_fields_set if getattr(value, name)]
    return ", ".join(f"{name} {getattr(value, name):g}" for name in sorted(used))


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


def _count_members(song: Song) -> int:
    """How many networks learn side by side: the fewer examples there are, the more it helps."""
    if song.train_seconds > MOST_SECONDS:
        return 1
    known, members = song.train_seconds, MEMBERS_OF_SEVERAL
    if song.is_one_type:
        known, members = song.song_seconds, MEMBERS_OF_ONE_TYPE
    return next((n for most, n in members.items() if known <= most), 1)


def _use_of_context(song: Song, window: int) -> str:
    if not window:
        return " with few layers"
    if song.is_one_type:
        return ": enough to tell song from noise"
    return ": enough to see a syllable in its context"


def _dilations(song: Song, hop: int, kernel_size: int, nb_conv: int) -> list[int]:
    """The smallest dilations that reach the context, each at most four times the one before, so
    that filters with 5 taps leave no gaps.

    The context is ten times as long as a syllable: neighbouring syllables distinguish it from
    isolated calls that sound similar. If there is one song type, a syllable is enough: with a
    longer context, the network learns by heart how syllables follow each other.
    """
    typical, slowness = song.typical_seconds or 0, song.slowness
    least, most = CONTEXT_SECONDS
    if song.is_one_type:
        seconds = np.clip(typical, ONE_TYPE_SECONDS * slowness, most * slowness)
    else:
        seconds = np.clip(10 * typical, least, most * slowness)
    in_all = seconds * song.samplerate_hz / hop / nb_conv / max(1, kernel_size - 1)
    n = math.ceil(math.log(3 * in_all + 1, 4))  # 1 + 4 + ... + 4**(n - 1) is no less
    powers = np.linspace(1, 4, 301)[:, None] ** np.arange(n)
    return powers[np.abs(powers.sum(axis=1) - in_all).argmin()].round().astype(int).tolist()


def _chunk(song: Song, hop: int, ignored: int, reach: int) -> tuple[int, str]:
    """A power of two: a second, or more for long song, mostly not ignored, and all that is seen."""
    rate = song.samplerate_hz
    seconds = float(np.clip(1.5 * (song.typical_seconds or 0), 1, 4)) * song.slowness
    longest = song.train_seconds / 16  # so that there are chunks to choose from
    samples = 2 ** round(math.log2(max(min(seconds, longest) * rate, 2 * ignored, 8 * hop, 64)))
    samples = max(samples, 2 ** math.ceil(math.log2(max(reach, 1))))
    return samples, f"{samples / rate:.2g} s: enough context, and enough chunks to draw from"
