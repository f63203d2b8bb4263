"""The options of augmentation: how training chunks vary from epoch to epoch."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator

from dss.options.base import Options, option, parse_yaml, read_yaml

augmentation = partial(option, group="Augmentations")


class AugmentOptions(Options):
    """How training chunks are augmented (`dss.models.augmentation`)."""

    gain_db: float = augmentation(0.0, "Gain", unit="dB", ge=0, le=60)
    """Make chunks louder or softer by up to this much."""
    equalize_db: float = augmentation(0.0, "Equalizer", unit="dB", ge=0, le=60)
    """Make some frequency bands of a chunk louder and others softer by up to this much, as a
    different microphone, cage or distance would."""
    invert: float = augmentation(0.0, "Invert", ge=0, le=1)
    """Flip the sign of the waveform with this probability, as happens when an animal moves to the
    other side of a particle velocity microphone."""
    noise: float = augmentation(0.0, "Noise", ge=0, le=10)
    """Add white noise with up to this level, relative to the level of the chunk."""
    background: float = augmentation(0.0, "Background", ge=0, le=1)
    """With this probability, add a sound from outside song elsewhere in the recordings, such as
    wing beats, calls or cage noise. The network learns to detect song despite such sounds."""
    time_shift_seconds: float = augmentation(0.0, "Time shift", unit="s", ge=0, le=60)
    """Shift chunks, with their targets, earlier or later by up to this much."""
    channel_drop: float = augmentation(0.0, "Channel drop", ge=0, lt=1)
    """Silence each channel of a chunk with this probability; at least one is always kept."""
    frequency_shift_hz: float = augmentation(0.0, "Frequency shift", unit="Hz", ge=0)
    """Shift all frequencies up or down by up to this much."""


def _read_augmentations(value: Any) -> Any:
    """Accept augmentations as a YAML file, as YAML text in braces, or as a mapping."""
    if value is None or isinstance(value, AugmentOptions):
        return value
    if isinstance(value, dict):
        return AugmentOptions.checked({str(name): of_it for name, of_it in value.items()})
    if not isinstance(value, str | Path):
        raise ValueError("a YAML file, or YAML in braces")
    if not str(value).strip():
        return None
    if str(value).lstrip().startswith("{"):
        return AugmentOptions.checked(parse_yaml(str(value), str(value)))
    return AugmentOptions.checked(read_yaml(Path(value)))


Augmentations = Annotated[AugmentOptions | None, BeforeValidator(_read_augmentations)]
