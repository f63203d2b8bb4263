"""The options of functions, for editors and type checkers: names, and what each may be.

Written by `python -m dss.options.write_arguments`; change the classes in the other files.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict

from dss.options.augmentation import AugmentOptions
from dss.options.written_formats import FilePerRecording, WrittenFormat


class DemoArguments(TypedDict, total=False):
    song: Literal["finch", "fly"]
    save_dir: str | Path
    seed: int


class DetectArguments(TypedDict, total=False):
    event_threshold: float
    event_distance_seconds: float
    event_interval_min_seconds: float
    event_interval_max_seconds: float | None
    segment_threshold: float
    segment_hold_threshold: float | None
    segment_fill_seconds: float
    segment_min_seconds: float
    segment_join_touching: bool
    segment_durations: dict[str, tuple[float, float]] | str
    min_confidence: float
    precision: float | None
    recall: float | None


class FileArguments(TypedDict, total=False):
    endings: Sequence[str] | str | None
    annotation_format: str | None
    unnamed: str | None
    annotations_at: str | None
    time_unit: Literal["auto", "s", "ms", "samples"]
    loader: Callable[..., Any] | None
    annotation_loader: Callable[..., Any] | None


class NetworkArguments(TypedDict, total=False):
    model_name: Literal["tcn", "das_tcn"]
    nb_hist: int
    ignore_boundaries: bool
    nb_filters: int
    kernel_size: int
    nb_conv: int
    use_separable: Sequence[bool] | str
    dilations: Sequence[int] | str
    dropout: float
    nb_members: int
    nb_lstm_units: int
    nb_pre_conv: int
    pre_nb_dft: int
    pre_bins: Sequence[int] | str
    pre_floor: float
    pre_background: int
    pre_relative_floor: float
    pre_filters: int


class NotebooksArguments(TypedDict, total=False):
    overwrite: bool


class ProofreadArguments(TypedDict, total=False):
    n_least: int


class ProposeArguments(TypedDict, total=False):
    threshold_db: float | None
    kind: Literal["segment", "event"]
    song_type: str
    fill_seconds: float
    min_seconds: float | None
    max_seconds: float | None
    event_distance_seconds: float
    lowest_hz: float
    highest_hz: float | None
    save_dir: str | Path | None


class ToleranceArguments(TypedDict, total=False):
    tolerance_seconds: float
    event_tolerance_seconds: float | None
    offset_tolerance_seconds: float | None


class ConvertArguments(FileArguments, total=False):
    format: WrittenFormat
    save_dir: str | Path | None
    overwrite: bool
    rename: dict[str, str] | str
    samplerate_hz: float | None


class PredictArguments(DetectArguments, total=False):
    channel: int | None
    mix: bool
    strict: bool
    samplerate_hz: float | None
    endings: Sequence[str] | str | None
    loader: Callable[..., Any] | None
    batch_size: int | None


class SourceArguments(FileArguments, total=False):
    samplerate_hz: float | None
    channel: int | None
    mix: bool
    tolerance_seconds: float
    skip_bad_rows: bool
    skip_unannotated: bool
    strict: bool


class TrainArguments(NetworkArguments, total=False):
    data_dir: str | Path
    save_dir: str | Path | None
    save_prefix: str
    y_suffix: str
    fraction_data: float
    seed: int
    balance: bool
    augmentations: AugmentOptions | dict[str, Any] | Path | str | None
    auto: bool
    preset: Literal["", "fly", "songbird", "mouse"]
    continue_from: str | Path | None
    freeze: Sequence[str] | str
    batch_size: int
    nb_epoch: int
    learning_rate: float
    reduce_lr: bool
    reduce_lr_patience: int
    early_stopping_patience: int
    mixed_precision: Literal["", "bfloat16", "float16"]
    devices: int
    tensorboard: bool


class TuneArguments(ToleranceArguments, total=False):
    data_dir: str | Path | None


class AnnotationErrorArguments(SourceArguments, total=False):
    min_certainty: float
    seed: int


class DatasetArguments(SourceArguments, total=False):
    store_dir: str | Path | None
    overwrite: bool
    split_csv: bool
    song_types: Sequence[str] | str | None
    rename: dict[str, str] | str
    individual_targets: bool
    boundary_targets: bool
    event_std_seconds: float | None
    gap_seconds: float | None
    overlaps: Literal["share", "shorter", "later", "unknown"]
    train_split: Literal["files", "samples"]
    val_split: Literal["files", "samples"]
    test_split: Literal["auto", "files", "samples"]
    train_fraction: float | None
    val_fraction: float
    test_fraction: float
    groups: str | None
    block_seconds: float | None
    seed: int


class EvaluateArguments(ToleranceArguments, FileArguments, total=False):
    samplerate_hz: float | None


class LearningCurveArguments(TrainArguments, total=False):
    parts: Sequence[float] | str
    more: float


class PredictFilesArguments(PredictArguments, total=False):
    save_dir: str | Path | None
    existing: Literal["skip", "overwrite", "error"]
    format: FilePerRecording
    probabilities: bool
    proposals: bool
    scheduler: str | None


class ProofreadFilesArguments(ProofreadArguments, FileArguments, total=False):
    recordings: str | Path | None
    known: str | Path | None


class TrainCommandArguments(TrainArguments, total=False):
    write_script: str | Path | None
    scheduler: Literal["", "slurm", "sge", "lsf"]
    hours: int
    nodes: int
    memory_gb: int
    cores: int
    gpus: int
    conda_env: str
    modules: Sequence[str] | str


class CheckArguments(AnnotationErrorArguments, total=False):
    with_network: bool
    save_dir: str | Path | None
