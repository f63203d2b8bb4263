"""The options of augmentation: how training chunks vary from epoch to epoch."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator

from dss.options.base import Options, option, parse_yaml, read_yaml

augmentation = partial(option, group="Augmentations")


class AugmentOptions(Options):
    """How training chunks are augmented (`dss.models.augmentation`)."""

    gain_db: float = augmentation(
        0.0, "Gain", "Make chunks louder or softer by up to this much.", unit="dB", ge=0, le=60
    )
    equalize_db: float = augmentation(
        0.0,
        "Equalizer",
        "Make some frequency bands of a chunk louder and others softer by up to this much, as a "
        "different microphone, cage or distance would.",
        unit="dB",
        ge=0,
        le=60,
    )
    invert: float = augmentation(
        0.0,
        "Invert",
        "Flip the sign of the waveform with this probability, as happens when an animal moves to "
        "the other side of a particle velocity microphone.",
        ge=0,
        le=1,
    )
    noise: float = augmentation(
        0.0,
        "Noise",
        "Add white noise with up to this level, relative to the level of the chunk.",
        ge=0,
        le=10,
    )
    background: float = augmentation(
        0.0,
        "Background",
        "With this probability, add a sound from outside song elsewhere in the recordings, such as "
        "wing beats, calls or cage noise. The network learns to detect song despite such sounds.",
        ge=0,
        le=1,
    )
    time_shift_seconds: float = augmentation(
        0.0,
        "Time shift",
        "Shift chunks, with their targets, earlier or later by up to this much.",
        unit="s",
        ge=0,
        le=60,
    )
    channel_drop: float = augmentation(
        0.0,
        "Channel drop",
        "Silence each channel of a chunk with this probability; at least one is always kept.",
        ge=0,
        lt=1,
    )
    frequency_shift_hz: float = augmentation(
        0.0,
        "Frequency shift",
        "Shift all frequencies up or down by up to this much.",
        unit="Hz",
        ge=0,
    )


def _read_augmentations(value: Any) -> Any:
    """Accept augmentations as a YAML file, as YAML text in braces, or as a mapping."""
    if value is None or isinstance(value, AugmentOptions):
        return value
    if isinstance(value, dict):
        return AugmentOptions.checked(value)
    if not str(value).strip():
        return None
    if str(value).lstrip().startswith("{"):
        return AugmentOptions.checked(parse_yaml(str(value), str(value)))
    return AugmentOptions.checked(read_yaml(Path(value)))


Augmentations = Annotated[AugmentOptions | None, BeforeValidator(_read_augmentations)]
