"""The options of training (`dss.train`), of augmentation, and of a script for elsewhere."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator

from dss.options.base import (
    Options,
    Words,
    option,
    parse_yaml,
    read_yaml,
)
from dss.options.network import NetworkOptions


class AugmentOptions(Options):
    """How chunks for training are varied (`dss.models.augmentation`)."""

    gain_db: float = option(
        0.0,
        "Gain",
        "Make chunks louder or softer, by this much at most.",
        unit="dB",
        group="Augmentations",
        ge=0,
        le=60,
    )
    equalize_db: float = option(
        0.0,
        "Equalizer",
        "Make some frequency bands of a chunk louder and others softer, by this much at most, as "
        "another microphone, cage or distance does.",
        unit="dB",
        group="Augmentations",
        ge=0,
        le=60,
    )
    invert: float = option(
        0.0,
        "Invert",
        "Turn chunks upside down with this probability, as a microphone for particle velocity "
        "hears an animal on its other side.",
        group="Augmentations",
        ge=0,
        le=1,
    )
    noise: float = option(
        0.0,
        "Noise",
        "Add white noise: its level at most, as a part of that of the chunk.",
        group="Augmentations",
        ge=0,
        le=10,
    )
    background: float = option(
        0.0,
        "Background",
        "Add what is heard outside song elsewhere in the recordings to chunks, with this "
        "probability: wing beats, calls, the noise of cages. Song is then found in spite of them.",
        group="Augmentations",
        ge=0,
        le=1,
    )
    time_shift_seconds: float = option(
        0.0,
        "Time shift",
        "Take chunks, and their targets, from this much earlier or later at most.",
        unit="s",
        group="Augmentations",
        ge=0,
        le=60,
    )
    channel_drop: float = option(
        0.0,
        "Channel drop",
        "Silence each channel of a chunk with this probability; one always stays.",
        group="Augmentations",
        ge=0,
        lt=1,
    )
    frequency_shift_hz: float = option(
        0.0,
        "Frequency shift",
        "Shift all frequencies up or down, by this much at most.",
        unit="Hz",
        group="Augmentations",
        ge=0,
    )


def _read_augmentations(value: Any) -> Any:
    """Augmentations may be given as a YAML file, as YAML text in braces, or as a mapping."""
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


class TrainOptions(NetworkOptions):
    """How a network is trained (`dss.train.train`)."""

    first_groups: ClassVar[tuple[str, ...]] = ("Data set", "Network", "Training")

    data_dir: Path = option(
        ...,
        "Data folder",
        "The dataset. Its name ends in .npy, .zarr or .h5.",
        group="Data set",
        path="dataset",
    )
    save_dir: Path | None = option(
        None,
        "Save folder",
        "Where the run's files go. Defaults to the data folder with .npy replaced by .res.",
        group="Data set",
        path="folder",
    )
    save_prefix: str = option(
        "",
        "Prefix for save files",
        "A word in front of the date and time in the names of the run's files.",
        group="Data set",
        pattern=r"^[^/\\]*$",
    )
    y_suffix: str = option(
        "",
        "Song type",
        "Train for one song type only, if the dataset has targets for it (y_<song type>). "
        "Blank for all song types.",
        group="Data set",
    )
    fraction_data: float = option(
        1.0,
        "Data fraction",
        "Train and validate on a random part of the chunks. The test split is not affected.",
        group="Data set",
        rare=True,
        gt=0,
        le=1,
    )
    seed: int = option(
        0,
        "Seed",
        "The same seed gives the same weights on the same machine; on a GPU not with separable "
        "blocks.",
        group="Data set",
        rare=True,
        ge=0,
        le=2**32 - 1,
    )
    balance: bool = option(
        False,
        "Balance song types",
        "Draw the chunks for training so that each song type, and noise, gets the same share, "
        "however sparse it is. Without it every sample counts once an epoch.",
        group="Data set",
    )
    augmentations: Augmentations = option(
        None,
        "Augmentations",
        "Vary the chunks for training, anew in every epoch: a YAML file, or the YAML itself, such "
        "as {gain_db: 6, invert: 0.5, noise: 0.1, background: 0.5, time_shift_seconds: 0.1, "
        "channel_drop: 0.2, frequency_shift_hz: 100}.",
        group="Data set",
        path="file",
        rare=True,
    )
    auto: bool = option(
        True,
        "Choose from the data",
        "Choose what you do not give (chunk and filter duration, frontend, filters, batch size, "
        "epochs, learning rate) from the sample rate, the durations and the band of the song. Off, "
        "or where you describe a network yourself (chunk duration, number and duration of filters, "
        "TCN blocks): the fixed defaults.",
        group="Presets and earlier runs",
        rare=True,
    )
    preset: Literal["", "fly", "songbird", "mouse"] = option(
        "",
        "Preset",
        "Settings that suit fly song, birdsong, or the ultrasound of mice. What is given stays.",
        group="Presets and earlier runs",
        rare=True,
    )
    continue_from: Path | None = option(
        None,
        "Continue from",
        "A run. If it was interrupted, and no option that is given differs from its own, it is "
        "resumed where it stopped. Else its network is trained further as a new run; for new song "
        "types the last layer is extended, and the rest kept.",
        group="Presets and earlier runs",
        path="run",
        rare=True,
    )
    freeze: Words = option(
        [],
        "Freeze",
        "Layers that are not trained: spectrogram, input, block0, block1, ..., scores.",
        group="Presets and earlier runs",
        rare=True,
    )
    batch_size: int = option(
        32, "Batch size", "Chunks in one training step.", group="Training", ge=1
    )
    nb_epoch: int = option(
        400,
        "Number of epochs",
        "Passes through the training data, at most: training stops early if nothing improves "
        "any more (early stopping patience).",
        group="Training",
        ge=1,
    )
    learning_rate: float = option(
        0.001,
        "Learning rate",
        "The size of a training step: 0.0001 to 0.01 work for most data. If the loss explodes, "
        "take a smaller one.",
        group="Training",
        gt=0,
        le=10,
    )
    reduce_lr: bool = option(
        False,
        "Reduce learning rate",
        "Divide the learning rate by 10 when the validation loss stops falling.",
        group="Training",
        rare=True,
    )
    reduce_lr_patience: int = option(
        5,
        "Reduce learning rate patience",
        "Epochs without a lower validation loss before the learning rate is reduced.",
        unit="epochs",
        group="Training",
        rare=True,
        ge=1,
    )
    early_stopping_patience: int = option(
        20,
        "Early stopping patience",
        "Epochs without a lower validation loss before training stops.",
        unit="epochs",
        group="Training",
        rare=True,
        ge=1,
    )
    mixed_precision: Literal["", "bfloat16", "float16"] = option(
        "",
        "Mixed precision",
        "Compute with numbers of 16 bits: faster on GPUs that can (bfloat16 on recent ones, "
        "float16 on older ones). The weights keep 32. Blank for 32 bits throughout.",
        group="Training",
        rare=True,
    )
    devices: int = option(
        1,
        "Devices",
        "Train on this many GPUs of this machine at once: each learns from its part of every "
        "batch. On a machine without GPUs, in this many processes.",
        group="Training",
        rare=True,
        ge=1,
        le=64,
    )
    tensorboard: bool = option(
        False,
        "Create tensorboard logs",
        "Write logs for TensorBoard next to the run's files.",
        group="Training",
        rare=True,
    )

    @property
    def run_dir(self) -> Path:
        """The folder of the run's files."""
        return self.save_dir or self.data_dir.with_suffix(".res")


class TrainCommandOptions(TrainOptions):
    """What `dss train` takes: the options, or the script to be written (`dss.train.job_script`)."""

    write_script: Path | None = option(
        None,
        "Script",
        "Do not train, but write a shell script that does, for another machine. Paths in it are "
        "relative to its folder.",
        group="Script for another machine",
        path="new",
        rare=True,
    )
    scheduler: Literal["", "slurm", "sge", "lsf"] = option(
        "",
        "Scheduler",
        "Begin the script with a header for this scheduler.",
        group="Script for another machine",
        rare=True,
    )
    hours: int = option(
        24,
        "Hours",
        "The time to reserve.",
        unit="h",
        group="Script for another machine",
        rare=True,
        ge=1,
        le=10000,
    )
    nodes: int = option(
        1,
        "Machines",
        "The machines to reserve, for SLURM: they train together, and all have to see the folder.",
        group="Script for another machine",
        rare=True,
        ge=1,
        le=64,
    )
    memory_gb: int = option(
        16,
        "Memory",
        "The memory to reserve on a machine.",
        unit="GB",
        group="Script for another machine",
        rare=True,
        ge=1,
        le=100000,
    )
    cores: int = option(
        4,
        "Cores",
        "The cores to reserve on a machine.",
        group="Script for another machine",
        rare=True,
        ge=1,
        le=1000,
    )
    gpus: int = option(
        0,
        "GPUs",
        "The GPUs to reserve on a machine; all train together.",
        group="Script for another machine",
        rare=True,
        ge=0,
        le=16,
    )
    conda_env: str = option(
        "",
        "Conda environment",
        "Activate this environment: its name or its folder.",
        group="Script for another machine",
        rare=True,
    )
    modules: Words = option(
        [],
        "Modules",
        "Load these environment modules, such as cuda/12.4.",
        group="Script for another machine",
        rare=True,
    )
