"""Every option of every stage, once: its type, default, range, unit, label and help.

One class a stage. The Python signature (`takes_options`), the command line, the forms of the
notebooks, the checks and the saved YAML all derive from the fields of that class.
"""

import difflib
import functools
import inspect
import textwrap
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from dss.errors import raise_problems


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


Switches = Annotated[list[bool], BeforeValidator(_split_words)]


class Options(BaseModel):
    """What all options classes share: unknown names are errors, checked values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    @classmethod
    def checked(cls, values: dict[str, Any]) -> "Options":
        """The options with these values; a DssError lists every value that cannot be."""
        try:
            return cls(**values)
        except ValidationError as error:
            problems = [cls._explain(item) for item in error.errors()]
        raise_problems(problems, "These options cannot be used:")

    @classmethod
    def _explain(cls, item: dict[str, Any]) -> str:
        name = str(item["loc"][0]) if item["loc"] else ""
        if item["type"] == "extra_forbidden":
            near = difflib.get_close_matches(name, cls.model_fields, n=1)
            return f"{name}: there is no such option" + (
                f"; did you mean {near[0]}?" if near else ""
            )
        if item["type"] == "missing":
            return f"{name}: is needed ({cls.model_fields[name].title.lower()})"
        message = item["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        message = message.replace(
            "a valid integer, unable to parse string as an integer", "a whole number"
        )
        return f"{name}: {item['input']!r} should be {message}" if name else message

    def to_yaml_types(self) -> dict[str, Any]:
        """The options as plain types that YAML can hold."""
        return self.model_dump(mode="json")


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


SplitBy = Literal["files", "samples"]


class DatasetOptions(Options):
    """How recordings and annotations become a dataset (`dss.data.make_dataset`)."""

    store_dir: Path | None = option(
        None,
        "Store folder",
        "The dataset to write. Its name ends in .npy, which is how it is recognised. "
        "Defaults to the folder of recordings with .npy appended.",
        group="Files",
    )
    overwrite: bool = option(
        False, "Overwrite", "Replace a dataset that is there already.", group="Files"
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
        "Take whole recordings (files) or a stretch of every recording that no other split took "
        "whole (samples) for training.",
        group="Splits",
    )
    val_split: SplitBy = option(
        "samples", "Split validation by", "The same for validation.", group="Splits"
    )
    test_split: SplitBy = option(
        "files",
        "Split test by",
        "The same for testing. By files tells how well the network does on new recordings; "
        "hold out recordings of other individuals to know how it does on these.",
        group="Splits",
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
        "little data to spare. All the rest is for training.",
        group="Splits",
        ge=0,
        lt=1,
    )
    seed: int = option(0, "Seed", "The same seed gives the same splits.", group="Splits", ge=0)


class NetworkOptions(Options):
    """The shape of a network: with the data's channels and classes, all that builds it."""

    model_name: Literal["tcn"] = option(
        "tcn",
        "Network",
        "The architecture: tcn, a temporal convolutional network.",
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
    dilations: list[int] = option(
        [1, 2, 4, 8, 16],
        "Dilations",
        "The spacing of the filters' taps in the layers of a block.",
        group="Network",
        min_length=1,
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
    batch_size: int = option(
        32, "Batch size", "Chunks in one training step.", group="Training", ge=1
    )
    nb_epoch: int = option(
        400,
        "Number of epochs",
        "Passes through the training data, at most: training stops after 20 epochs without a "
        "lower validation loss.",
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
    tensorboard: bool = option(
        False,
        "Create tensorboard logs",
        "Write logs for TensorBoard next to the run's files.",
        group="Training",
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
    segment_threshold: float = option(
        0.5,
        "Segment threshold",
        "The probability that a segment must have.",
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
        "Segments that are shorter, once gaps are filled, are deleted.",
        unit="s",
        group="Events and segments",
        ge=0,
        le=60,
    )


class PredictOptions(DetectOptions):
    """How a recording is annotated (`dss.predict.predict`)."""

    batch_size: int = option(
        32,
        "Batch size",
        "Chunks that are computed together. More take more memory; the result is the same.",
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
    overwrite: bool = option(
        False, "Overwrite", "Replace annotations that are there already.", group="Files"
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
