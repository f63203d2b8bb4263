"""The options of training (`dss.train.train`) and of learning curves."""

from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

from dss.options.augmentation import Augmentations
from dss.options.base import option
from dss.options.network import NetworkOptions
from dss.options.notation import Parts, Words

data_option = partial(option, group="Data set")
start_option = partial(option, group="Presets and earlier runs", rare=True)
training_option = partial(option, group="Training")


class TrainOptions(NetworkOptions):
    """How a network is trained (`dss.train.train`)."""

    first_groups: ClassVar[tuple[str, ...]] = ("Data set", "Network", "Training")

    data_dir: Path = data_option(..., "Data folder", path="dataset")
    """The dataset to train on. Its name ends in .npy, .zarr or .h5."""
    save_dir: Path | None = data_option(None, "Save folder", path="folder")
    """Where to save the run's files. Defaults to the data folder with .npy replaced by .res."""
    save_prefix: str = data_option("", "Prefix for save files", pattern=r"^[^/\\]*$")
    """A word to put before the date and time in the names of the run's files."""
    y_suffix: str = data_option("", "Song type")
    """Train for a single song type, if the dataset has individual targets for it (y_<song type>).
    Leave blank for all song types."""
    fraction_data: float = data_option(1.0, "Data fraction", rare=True, gt=0, le=1)
    """Train and validate on a random fraction of the data. The test split is not affected."""
    seed: int = data_option(0, "Seed", rare=True, ge=0, le=2**32 - 1)
    """The same seed gives the same weights on the same machine, except for separable blocks on a
    GPU."""
    balance: bool = data_option(False, "Balance song types")
    """Draw the training chunks so that each song type, and noise, gets the same share, however rare
    it is. Otherwise, each sample is used once per epoch."""
    augmentations: Augmentations = data_option(None, "Augmentations", path="file", rare=True)
    """Vary the training chunks at random in every epoch. Give a YAML file or the YAML itself, such
    as {gain_db: 6, invert: 0.5, noise: 0.1, background: 0.5, time_shift_seconds: 0.1, channel_drop:
    0.2, frequency_shift_hz: 100}."""
    auto: bool = start_option(True, "Choose from the data")
    """Choose the options that you do not give (chunk and filter duration, frontend, filters, batch
    size, epochs, learning rate) from the sample rate and from the durations and frequency band of
    the song. If off, or if you specify the network yourself (chunk duration, number and duration of
    filters, TCN blocks), the fixed defaults are used."""
    preset: Literal["", "fly", "songbird", "mouse"] = start_option("", "Preset")
    """Settings for fly song, birdsong, or mouse ultrasonic vocalizations. Options that you give
    take precedence."""
    continue_from: Path | None = start_option(None, "Continue from", path="run")
    """An earlier run. If it was interrupted and you change none of its options, training resumes
    where it stopped. Otherwise, its network is trained further as a new run; for new song types,
    the last layer is extended and the rest is kept."""
    freeze: Words = start_option([], "Freeze")
    """Layers to leave unchanged during training: spectrogram, patterns, input, block0, block1, ...,
    scores."""
    batch_size: int = training_option(32, "Batch size", ge=1)
    """Number of chunks in each training step."""
    nb_epoch: int = training_option(400, "Number of epochs", ge=1)
    """Maximum number of passes through the training data. Training stops earlier if it no longer
    improves (early stopping patience)."""
    learning_rate: float = training_option(0.001, "Learning rate", gt=0, le=10)
    """The size of a training step. Values from 0.0001 to 0.01 work for most data; use a smaller one
    if the loss diverges."""
    reduce_lr: bool = training_option(False, "Reduce learning rate", rare=True)
    """Divide the learning rate by 10 when the validation loss stops falling."""
    reduce_lr_patience: int = training_option(
        5, "Reduce learning rate patience", unit="epochs", rare=True, ge=1
    )
    """Epochs without a lower validation loss before the learning rate is reduced."""
    early_stopping_patience: int = training_option(
        20, "Early stopping patience", unit="epochs", rare=True, ge=1
    )
    """Epochs without a lower validation loss before training stops."""
    mixed_precision: Literal["", "bfloat16", "float16"] = training_option(
        "", "Mixed precision", rare=True
    )
    """Compute with 16-bit numbers, which is faster on GPUs that support it (bfloat16 on recent
    ones, float16 on older ones). Weights are kept in 32 bits. Leave blank for 32 bits
    throughout."""
    devices: int = training_option(1, "Devices", rare=True, ge=1, le=64)
    """Train on this many GPUs of this machine at once, each processing a part of every batch. On a
    machine without GPUs, train in this many processes."""
    tensorboard: bool = training_option(False, "Create tensorboard logs", rare=True)
    """Save logs for TensorBoard next to the run's files."""

    @property
    def run_dir(self) -> Path:
        """The folder of the run's files."""
        return self.save_dir or self.data_dir.with_suffix(".res")


class LearningCurveOptions(TrainOptions):
    """How a learning curve is measured (`dss.train.learning_curve`): training on parts of data."""

    parts: Parts = option([0.125, 0.25, 0.5, 1.0], "Parts", group="Learning curve", min_length=3)
    """The fractions of the data to train on. Each fraction takes as long to train as all of it."""
    more: float = option(2.0, "More data", group="Learning curve", gt=1, le=10)
    """Extrapolate to this many times the data. Beyond twice the data, the result is a guess."""
