"""Every option of every stage, once: its type, default, range, unit, label and help.

One class a stage. The Python signature (`takes_options`), the command line, the forms of the
notebooks, the checks and the saved YAML all derive from the fields of that class.
"""

import difflib
import functools
import inspect
import textwrap
from collections.abc import Collection, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Self, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from dss.errors import DssError, raise_problems


def option(default: Any, label: str, help: str, *, unit: str = "", group: str = "", **bounds: Any):
    """A field of an options class: what it is called, what it does, and what it may be.

    Arguments:
        default: the value if nobody says otherwise; `...` if there is none.
        label: the name on a form.
        help: one or more sentences: what it does and how to choose it.
        unit: "s", "samples", "Hz", or "" for a plain number.
        group: the heading under which a form and `--help` list it.
        bounds: the range, in pydantic's words: ge, gt, le, lt, min_length, ...
    """
    extra = {"unit": unit, "group": group}
    return Field(default, title=label, description=help, json_schema_extra=extra, **bounds)


def _split_words(value: Any) -> Any:
    """A list may be written as text: "True True False", as on a form."""
    return value.replace(",", " ").split() if isinstance(value, str) else value


def _split_pairs(value: Any) -> Any:
    """A dictionary may be written as old=new, or as several of these."""
    if isinstance(value, dict):
        return value
    words = [str(word) for word in _split_words(value)]
    if not all("=" in word.strip("=") for word in words):
        raise ValueError("written as old=new")
    return dict(word.split("=", 1) for word in words)


Positive = Annotated[int, Field(ge=1)]
Switches = Annotated[list[bool], BeforeValidator(_split_words)]
Words = Annotated[list[str], BeforeValidator(_split_words)]
Renames = Annotated[dict[str, str], BeforeValidator(_split_pairs)]


_PLAIN_WORDS = {
    "a valid integer, unable to parse string as an integer": "a whole number",
    "a valid number, unable to parse string as a number": "a number",
    "a valid boolean, unable to interpret input": "True or False",
}


class Options(BaseModel):
    """What all options classes share: unknown names are errors, checked values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    @classmethod
    def checked(cls, values: Mapping[str, Any]) -> Self:
        """The options with these values; a DssError lists every value that cannot be."""
        problems = cls.problems(values)
        heading = "These options cannot be used:"
        raise_problems([f"{name}: {why}" for name, why in problems.items()], heading)
        return cls(**values)

    @classmethod
    def problems(cls, values: Mapping[str, Any]) -> dict[str, str]:
        """Why these values cannot be used: what would be right, by the name of the option."""
        try:
            cls(**values)
        except ValidationError as error:
            return {
                str(e["loc"][0] if e["loc"] else "options"): cls._explain(e) for e in error.errors()
            }
        return {}

    @classmethod
    def _explain(cls, item: dict[str, Any]) -> str:
        name = str(item["loc"][0]) if item["loc"] else ""
        if item["type"] == "extra_forbidden":
            near = difflib.get_close_matches(name, cls.model_fields, n=1)
            return "there is no such option" + (f"; did you mean {near[0]}?" if near else "")
        if item["type"] == "missing":
            return f"is needed ({cls.model_fields[name].title.lower()})"
        if isinstance(item.get("ctx", {}).get("error"), DssError):
            error = item["ctx"]["error"]
            return "; ".join(error.problems) or str(error)
        message = item["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        for said, plain in _PLAIN_WORDS.items():
            message = message.replace(said, plain)
        return f"{item['input']!r} should be {message}" if name else message

    def to_yaml_types(self) -> dict[str, Any]:
        """The options as plain types that YAML can hold."""
        return self.model_dump(mode="json")

    def to_switches(self, names: Collection[str] | None = None) -> list[str]:
        """All options, or those of these names, as words of a command line, without blank ones."""
        words = []
        for name, value in self.to_yaml_types().items():
            if value is None or value in ("", []) or (names is not None and name not in names):
                continue
            words.append("--" + name.replace("_", "-"))
            if isinstance(value, dict):
                value = yaml.safe_dump(value, default_flow_style=True, width=10**6).strip()
            words += map(str, value) if isinstance(value, list) else [str(value)]
        return words


def takes_options(function):
    """Let `function` be called with the fields of its `options` parameter as keywords.

    `function(x, *, options: TrainOptions)` becomes `function(x, *, data_dir, nb_epoch=400, ...)`:
    the signature and the docstring show the fields, and their values are checked before
    `function` starts. A ready options object can still be passed as `options`.
    """
    signature = inspect.signature(function)
    options_class = signature.parameters["options"].annotation
    own = [p for p in signature.parameters.values() if p.name != "options"]

    @functools.wraps(function)
    def wrapper(*args, options=None, **named):
        if options is None:
            names = {p.name for p in own}
            values = {name: named.pop(name) for name in list(named) if name not in names}
            options = options_class.checked(values)
        return function(*args, options=options, **named)

    fields = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.is_required() else field.default,
            annotation=field.annotation,
        )
        for name, field in options_class.model_fields.items()
    ]
    wrapper.__signature__ = signature.replace(parameters=[*own, *fields])
    doc = inspect.cleandoc(function.__doc__).split("\n\nOptions:\n")
    wrapper.__doc__ = f"{doc[0]}\n\nOptions:\n{_describe_fields(options_class)}"
    return wrapper


def _describe_fields(options_class: type[Options]) -> str:
    entries = []
    for name, field in options_class.model_fields.items():
        text = f"{name}: {field.description} {describe_range(field)}".strip()
        entries.append(textwrap.fill(text, 96, initial_indent="    ", subsequent_indent="        "))
    return "\n".join(entries)


def describe_range(field) -> str:
    """The default, unit and range of a field in brackets, as help and docstrings show them."""
    bounds = {
        key: getattr(m, key)
        for m in field.metadata
        for key in ("ge", "gt", "le", "lt")
        if hasattr(m, key)
    }
    symbols = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    parts = [f"{symbols[key]} {value:g}" for key, value in bounds.items()]
    if not field.is_required() and field.default not in (None, ""):
        default = field.default
        shown = " ".join(map(str, default)) if isinstance(default, list | tuple) else default
        parts.insert(0, f"default {shown}")
    unit = field.json_schema_extra["unit"]
    if unit:
        parts.append(f"in {unit}")
    return f"({', '.join(parts)})" if parts else ""


def holds_many(field) -> bool:
    """Whether a field is a list or a dictionary, which is written as several words."""
    kinds = [field.annotation]
    while kinds:
        kind = kinds.pop()
        if get_origin(kind) in (list, dict):
            return True
        kinds += [k for k in get_args(kind) if get_origin(kind) in (Union, UnionType, Annotated)]
    return False


SplitBy = Literal["files", "samples"]


class SourceOptions(Options):
    """What is read of a data folder (`dss.data.check_annotations`)."""

    endings: Words | None = option(
        None,
        "Endings of recordings",
        "Take the files with these endings, and no others, such as .mat for a loader of your own. "
        "Defaults to all forms of audio that dss reads.",
        group="Files",
        min_length=1,
    )
    samplerate_hz: float | None = option(
        None,
        "Sample rate",
        "Resample all recordings to this rate. Defaults to the rate of the recordings, which is "
        "the same for all of them then. Of npy files, which do not say theirs, it is the rate.",
        unit="Hz",
        group="Files",
        gt=0,
    )
    annotation_format: str | None = option(
        None,
        "Annotation format",
        "The format of the annotations, such as csv, audacity, raven or textgrid. Defaults to what "
        "the ending and the content of each file say.",
        group="Files",
    )


class DatasetOptions(SourceOptions):
    """How recordings and annotations become a dataset (`dss.data.make_dataset`)."""

    store_dir: Path | None = option(
        None,
        "Store folder",
        "The dataset to write. Its name ends in .npy, or in .zarr for very big data; that is how "
        "it is recognised. Defaults to the data folder with .npy appended.",
        group="Files",
    )
    overwrite: bool = option(
        False, "Overwrite", "Replace a dataset that is there already.", group="Files"
    )
    split_csv: bool = option(
        False,
        "Write annotations of the splits",
        "Also write the annotations of each split as CSV, in seconds of the split.",
        group="Files",
    )
    song_types: Words | None = option(
        None,
        "Song types",
        "Use only these song types, once they are renamed; the others count as noise. Defaults "
        "to all that are annotated.",
        group="Song types",
        min_length=1,
    )
    rename: Renames = option(
        {},
        "Rename",
        "Rename song types, as old=new; several with one new name are merged.",
        group="Song types",
    )
    individual_targets: bool = option(
        False,
        "Make individual training targets",
        "Add targets for each song type alone, so that a network can be trained for one type only. "
        "Helps for recordings with several channels.",
        group="Song types",
    )
    boundary_targets: bool = option(
        False,
        "Targets for onsets and offsets",
        "Add the onsets and the offsets of all segments as two more song types, onset and offset, "
        "which are events.",
        group="Song types",
    )
    event_std_seconds: float = option(
        0.001,
        "Width of events",
        "An event is a single point in time; its target is a Gaussian with this standard "
        "deviation, so that a prediction which is slightly off still counts for something. "
        "0 marks one sample.",
        unit="s",
        group="Targets",
        ge=0,
        le=1,
    )
    gap_seconds: float = option(
        0.0,
        "Gap between segments",
        "Segments that follow each other closer than this are shortened until this much noise "
        "lies between them, so that they do not merge in the prediction. Useful for birdsong.",
        unit="s",
        group="Targets",
        ge=0,
        le=1,
    )
    train_split: SplitBy = option(
        "samples",
        "Split train by",
        "Take whole recordings (files), or a stretch of every recording that no other split took "
        "whole (samples), for training.",
        group="Splits",
    )
    val_split: SplitBy = option(
        "samples", "Split validation by", "The same for validation.", group="Splits"
    )
    test_split: SplitBy = option(
        "files",
        "Split test by",
        "The same for testing. By files tells how well the network does on new recordings; with "
        "groups, how well it does on new individuals.",
        group="Splits",
    )
    train_fraction: float | None = option(
        None,
        "Train fraction",
        "Part of the data for training. Defaults to all that validation and test leave.",
        group="Splits",
        gt=0,
        lt=1,
    )
    val_fraction: float = option(
        0.2,
        "Validation fraction",
        "Part of the data that steers training: when to stop, which epoch is the best.",
        group="Splits",
        gt=0,
        lt=1,
    )
    test_fraction: float = option(
        0.1,
        "Test fraction",
        "Part of the data that is kept for judging the network in the end. 0 if there is too "
        "little data to spare.",
        group="Splits",
        ge=0,
        lt=1,
    )
    groups: str | None = option(
        None,
        "Groups",
        "Which individual a recording is from, so that splits by files keep individuals together: "
        "a pattern whose brackets match the individual in a recording's path, such as "
        "'(bird[0-9]+)_', or a CSV file with the columns file,group.",
        group="Splits",
    )
    block_seconds: float = option(
        0.0,
        "Blocks",
        "Splits by samples deal out blocks of this duration instead of one stretch a recording, "
        "so that rare song types reach every split in proportion. 0 for one stretch.",
        unit="s",
        group="Splits",
        ge=0,
    )
    seed: int = option(0, "Seed", "The same seed gives the same splits.", group="Splits", ge=0)


class NetworkOptions(Options):
    """The shape of a network: with the data's channels and classes, all that builds it."""

    model_name: Literal["tcn", "das_tcn"] = option(
        "tcn",
        "Network",
        "The architecture: tcn, a temporal convolutional network; das_tcn, that of DAS 0.32, as "
        "which models trained with DAS are loaded.",
        group="Network",
    )
    nb_hist: int = option(
        1024,
        "Chunk duration",
        "The network sees the audio in chunks of this many samples.",
        unit="samples",
        group="Network",
        ge=1,
    )
    ignore_boundaries: bool = option(
        True,
        "Ignore boundaries",
        "Chunks overlap, and their ends, where filters reach beyond the chunk, are neither trained "
        "on nor used for predictions.",
        group="Network",
    )
    nb_filters: int = option(
        16,
        "Number of filters",
        "Filters in each layer: 16 to 32 for most songs. More make training slower and help when "
        "there are many song types.",
        group="Network",
        ge=1,
        le=1024,
    )
    kernel_size: int = option(
        16,
        "Filter duration",
        "Duration of a filter, in samples after the frontend: as long as the finest feature of "
        "the song, such as one pulse or one cycle of the carrier.",
        unit="samples",
        group="Network",
        ge=1,
        le=4096,
    )
    nb_conv: int = option(
        3,
        "Number of TCN blocks",
        "More blocks see a longer context and can tell more complex song apart: 2 to 6.",
        group="Network",
        ge=1,
        le=100,
    )
    use_separable: Switches = option(
        [False],
        "Separable TCN blocks",
        "For recordings with several channels: True for the blocks that filter each channel with "
        "the same filters first and mix the channels second. One value for each block, "
        "usually True for the first one or two; or one value for all.",
        group="Network",
        min_length=1,
    )
    dilations: Annotated[list[Positive], BeforeValidator(_split_words)] = option(
        [1, 2, 4, 8, 16],
        "Dilations",
        "The spacing of the filters' taps in the layers of a block.",
        group="Network",
        min_length=1,
    )
    dropout: float = option(
        0.0,
        "Dropout",
        "The part of the filters of each layer that is switched off, others in every training "
        "step: 0.1 to 0.3 if the network learns its training data by heart.",
        group="Network",
        ge=0,
        lt=1,
    )
    nb_lstm_units: int = option(
        0,
        "LSTM units",
        "Put a recurrent layer that runs both ways, with this many units each, behind the last "
        "block: it sees the whole chunk. Slow, above all without a downsampling frontend. 0 for "
        "none.",
        group="Network",
        ge=0,
        le=1024,
    )
    nb_pre_conv: int = option(
        0,
        "Downsample by 2 to the power of",
        "Put an STFT in front that downsamples by 2**n: 0 works on the audio itself (fly song), "
        "4 or 5 suits birdsong and ultrasound.",
        group="Network",
        ge=0,
        le=10,
    )
    pre_nb_dft: int = option(
        256,
        "STFT window",
        "Length of the window of the frontend.",
        unit="samples",
        group="Network",
        ge=8,
        le=16384,
    )


class AugmentOptions(Options):
    """How chunks for training are varied (`dss.models.augment`)."""

    gain_db: float = option(
        0.0,
        "Gain",
        "Make chunks louder or softer, by this much at most.",
        unit="dB",
        group="Augmentations",
        ge=0,
        le=60,
    )
    noise: float = option(
        0.0,
        "Noise",
        "Add white noise: its level at most, as a part of that of the chunk.",
        group="Augmentations",
        ge=0,
        le=10,
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
    if str(value).strip() in ("", "None"):
        return None
    if str(value).lstrip().startswith("{"):
        return AugmentOptions.checked(_parse_yaml(str(value), str(value)))
    return AugmentOptions.checked(read_yaml(Path(value)))


Augmentations = Annotated[AugmentOptions | None, BeforeValidator(_read_augmentations)]


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file that maps names to values; a DssError says why if it cannot be."""
    try:
        text = Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise DssError(f"{path}: cannot be read ({error})") from None
    return _parse_yaml(text, str(path))


def read_options(path: Path, options_class: type[Options]) -> dict[str, Any]:
    """The values of options in a YAML file, or in the `_params.yaml` of a run.

    `train(**read_options(path, TrainOptions))` repeats a run.

    Raises: DssError if the file cannot be read, or names an option that there is not.
    """
    values = read_yaml(path)
    if "versions" in values:  # a run says much besides its options
        return {name: values[name] for name in options_class.model_fields if name in values}
    problems = [
        f"{name}: {options_class._explain({'loc': [name], 'type': 'extra_forbidden'})}"
        for name in values.keys() - options_class.model_fields.keys()
    ]
    raise_problems(sorted(problems), f"{path}: these options cannot be used:")
    return values


def _parse_yaml(text: str, source: str) -> dict[str, Any]:
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DssError(f"{source}: cannot be read as YAML ({error})") from None
    if not isinstance(values, dict):
        raise DssError(f"{source}: should hold rows such as nb_hist: 1024")
    return {str(name): value for name, value in values.items()}


class TrainOptions(NetworkOptions):
    """How a network is trained (`dss.train.train`)."""

    data_dir: Path = option(
        ...,
        "Data folder",
        "The dataset. Its name ends in .npy.",
        group="Data set",
    )
    save_dir: Path | None = option(
        None,
        "Save folder",
        "Where the run's files go. Defaults to the data folder with .npy replaced by .res.",
        group="Data set",
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
        gt=0,
        le=1,
    )
    seed: int = option(
        0,
        "Seed",
        "The same seed gives the same weights on the same machine.",
        group="Data set",
        ge=0,
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
        "as {gain_db: 6, noise: 0.1, time_shift_seconds: 0.1, channel_drop: 0.2, "
        "frequency_shift_hz: 100}.",
        group="Data set",
    )
    auto: bool = option(
        False,
        "Choose from the data",
        "Choose chunk and filter duration, frontend, filters, batch size, epochs and learning rate "
        "from the sample rate, the durations and the band of the song. What is given stays.",
        group="Presets",
    )
    preset: Literal["", "fly", "songbird", "mouse"] = option(
        "",
        "Preset",
        "Settings that suit fly song, birdsong, or the ultrasound of mice. What is given stays.",
        group="Presets",
    )
    continue_from: Path | None = option(
        None,
        "Continue from",
        "A run. If it was interrupted, and nothing but the data folder is given, it is resumed "
        "where it stopped. Else its network is trained further as a new run; for new song types "
        "the last layer is extended, and the rest kept.",
        group="Presets",
    )
    freeze: Words = option(
        [],
        "Freeze",
        "Layers that are not trained: spectrogram, input, block0, block1, ..., scores.",
        group="Presets",
    )
    batch_size: int = option(
        32, "Batch size", "Chunks in one training step.", group="Training", ge=1
    )
    nb_epoch: int = option(
        400,
        "Number of epochs",
        "Passes through the training data, at most; see early_stopping_patience.",
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
    )
    reduce_lr_patience: int = option(
        5,
        "Reduce learning rate patience",
        "Epochs without a lower validation loss before the learning rate is reduced.",
        unit="epochs",
        group="Training",
        ge=1,
    )
    early_stopping_patience: int = option(
        20,
        "Early stopping patience",
        "Epochs without a lower validation loss before training stops.",
        unit="epochs",
        group="Training",
        ge=1,
    )
    mixed_precision: Literal["", "bfloat16", "float16"] = option(
        "",
        "Mixed precision",
        "Compute with numbers of 16 bits: faster on GPUs that can (bfloat16 on recent ones, "
        "float16 on older ones). The weights keep 32. Blank for 32 bits throughout.",
        group="Training",
    )
    tensorboard: bool = option(
        False,
        "Create tensorboard logs",
        "Write logs for TensorBoard next to the run's files.",
        group="Training",
    )


class TrainCommandOptions(TrainOptions):
    """What `dss train` takes: the options, or the script to be written (`dss.script`)."""

    write_script: Path | None = option(
        None,
        "Script",
        "Do not train, but write a shell script that does, for another machine. Paths in it are "
        "relative to its folder.",
        group="Script",
    )
    scheduler: Literal["", "slurm", "sge", "lsf"] = option(
        "",
        "Scheduler",
        "Begin the script with a header for this scheduler.",
        group="Script",
    )
    hours: int = option(
        24, "Hours", "The time to reserve.", unit="h", group="Script", ge=1, le=10000
    )
    memory_gb: int = option(
        16, "Memory", "The memory to reserve.", unit="GB", group="Script", ge=1, le=100000
    )
    cores: int = option(4, "Cores", "The cores to reserve.", group="Script", ge=1, le=1000)
    gpus: int = option(0, "GPUs", "The GPUs to reserve.", group="Script", ge=0, le=16)
    conda_env: str = option(
        "",
        "Conda environment",
        "Activate this environment: its name or its folder.",
        group="Script",
    )
    modules: Words = option(
        [], "Modules", "Load these environment modules, such as cuda/12.4.", group="Script"
    )


class DetectOptions(Options):
    """How probabilities become annotations (`dss.postprocess.detect`)."""

    event_threshold: float = option(
        0.5,
        "Event threshold",
        "The probability that the peak of an event must reach.",
        group="Events and segments",
        gt=0,
        le=1,
    )
    event_distance_seconds: float = option(
        0.01,
        "Shortest time between events",
        "Of events of one type that are closer than this, the most probable stays.",
        unit="s",
        group="Events and segments",
        ge=0,
        le=60,
    )
    event_interval_min_seconds: float = option(
        0.0,
        "Shortest interval",
        "Delete events whose nearest neighbour of the same type is nearer, both of them.",
        unit="s",
        group="Events and segments",
        ge=0,
        le=3600,
    )
    event_interval_max_seconds: float | None = option(
        None,
        "Longest interval",
        "Delete events whose nearest neighbour of the same type is farther, such as single pulses "
        "outside song. Defaults to no limit.",
        unit="s",
        group="Events and segments",
        gt=0,
        le=3600,
    )
    segment_threshold: float = option(
        0.5,
        "Segment threshold",
        "The probability that song, of all segment types together, must reach.",
        group="Events and segments",
        gt=0,
        le=1,
    )
    segment_hold_threshold: float | None = option(
        None,
        "Segment hold threshold",
        "A lower probability, down to which song lasts once it has reached the segment threshold. "
        "Defaults to the segment threshold.",
        group="Events and segments",
        gt=0,
        le=1,
    )
    segment_fill_seconds: float = option(
        0.005,
        "Fill gaps shorter than",
        "Segments of one type with less time between them become one.",
        unit="s",
        group="Events and segments",
        ge=0,
        le=60,
    )
    segment_min_seconds: float = option(
        0.02,
        "Delete segments shorter than",
        "Segments that are shorter, once gaps are filled, become part of a segment that they "
        "touch; those that touch none are deleted.",
        unit="s",
        group="Events and segments",
        ge=0,
        le=60,
    )


class PredictOptions(DetectOptions):
    """How a recording is annotated (`dss.predict.predict`).

    What is not given of the thresholds, distances, gaps and lengths is what `dss.tune.tune` stored
    with the run, or the default.
    """

    channel: int | None = option(
        None,
        "Channel",
        "Annotate only this channel of the recording, counted from 0, with a network for one "
        "channel. Defaults to all channels.",
        group="Recordings",
        ge=0,
    )
    batch_size: int | None = option(
        None,
        "Batch size",
        "Chunks that are computed together. More take more memory, and are faster on a GPU; the "
        "result is the same. Defaults to as many as hold 131072 samples.",
        group="Computing",
        ge=1,
    )


class PredictFilesOptions(PredictOptions):
    """How recordings are annotated into files (`dss.predict.predict_files`)."""

    save_dir: Path | None = option(
        None,
        "Save folder",
        "Where the annotations go. Defaults to the folder of each recording.",
        group="Files",
    )
    existing: Literal["skip", "overwrite", "error"] = option(
        "skip",
        "Annotations that are there already",
        "Leave them and skip their recordings (skip), replace them (overwrite), or stop before "
        "anything is written (error).",
        group="Files",
    )
    format: Literal["csv", "audacity", "raven", "textgrid"] = option(
        "csv",
        "Format",
        "CSV, which datasets are made of; Audacity labels; Raven selection tables; or Praat "
        "TextGrids.",
        group="Files",
    )
    probabilities: bool = option(
        False,
        "Write probabilities",
        "Also write the probability of each class at each sample, as STEM_probabilities.zarr.",
        group="Files",
    )
    proposals: bool = option(
        False,
        "Mark as proposals",
        "Add a column `confirmed` that is False for every annotation, until somebody looked at it.",
        group="Files",
    )
    scheduler: str | None = option(
        None,
        "Scheduler",
        "The address of a Dask scheduler, such as tcp://node1:8786: its workers annotate the "
        "recordings. They must see the same files under the same paths.",
        group="Computing",
    )


class ProofreadOptions(Options):
    """What is worth looking at first (`dss.proofread`)."""

    n_least: int = option(
        20,
        "Least certain annotations",
        "How many of the annotations are listed, the least certain one first.",
        group="Lists",
        ge=1,
    )


class EvaluateOptions(Options):
    """How annotations are compared (`dss.evaluate.evaluate`)."""

    tolerance_seconds: float = option(
        0.01,
        "Tolerance",
        "A predicted annotation is right if a true one of the same name starts within this time "
        "of it.",
        unit="s",
        group="Scores",
        gt=0,
        le=60,
    )
    event_tolerance_seconds: float | None = option(
        None,
        "Tolerance of events",
        "The same for events, which can be placed better than onsets. Defaults to the tolerance.",
        unit="s",
        group="Scores",
        gt=0,
        le=60,
    )
    offset_tolerance_seconds: float | None = option(
        None,
        "Tolerance of offsets",
        "A segment must also stop within this time of the true one. Defaults to no such condition.",
        unit="s",
        group="Scores",
        gt=0,
        le=60,
    )


class TuneOptions(EvaluateOptions):
    """How annotations are compared while thresholds are chosen (`dss.tune.tune`)."""

    data_dir: Path | None = option(
        None,
        "Data folder",
        "The dataset whose validation split is annotated. Defaults to the one of the run.",
        group="Data",
    )


class DemoOptions(Options):
    """How the demonstration runs (`dss.demo.demo`)."""

    song: Literal["finch", "fly"] = option(
        "finch", "Song", "Which of the shipped recordings: finch or fly song.", group="Demo"
    )
    save_dir: Path = option(
        Path("dss_demo"), "Save folder", "Where all that the demo makes goes.", group="Demo"
    )
    seed: int = option(
        0, "Seed", "The same seed gives the same result on the same machine.", group="Demo", ge=0
    )
