"""The options of annotating recordings (`dss.predict`, `dss.predict.detection`)."""

from pathlib import Path
from typing import Literal

from dss.options.base import Options, Ranges, Words, option


class DetectOptions(Options):
    """How probabilities become annotations (`dss.predict.detection.detect`)."""

    # Half of the F1 that can be had is best for F1; and people miss more events than they make up.
    event_threshold: float = option(
        0.4,
        "Event threshold",
        "The probability that the peak of an event must reach. Lower it if pulses are missed, "
        "raise it if noise is called a pulse.",
        group="Events and segments",
        rare=True,
        gt=0,
        le=1,
    )
    event_distance_seconds: float = option(
        0.01,
        "Shortest time between events",
        "Of events of one type that are closer than this, the most probable stays.",
        unit="s",
        group="Events and segments",
        rare=True,
        ge=0,
        le=60,
    )
    event_interval_min_seconds: float = option(
        0.0,
        "Shortest interval",
        "Delete events whose nearest neighbour of the same type is nearer, both of them.",
        unit="s",
        group="Events and segments",
        rare=True,
        ge=0,
        le=3600,
    )
    event_interval_max_seconds: float | None = option(
        None,
        "Longest interval",
        "Delete events whose nearest neighbour of the same type is farther, such as single pulses "
        "outside song. Defaults to what the run knows; none for no limit.",
        unit="s",
        group="Events and segments",
        rare=True,
        gt=0,
        le=3600,
    )
    segment_threshold: float = option(
        0.5,
        "Segment threshold",
        "The probability that song, of all segment types together, must reach.",
        group="Events and segments",
        rare=True,
        gt=0,
        le=1,
    )
    segment_hold_threshold: float | None = option(
        None,
        "Segment hold threshold",
        "A lower probability, down to which song lasts once it has reached the segment threshold. "
        "Defaults to what is stored with the run; none for the segment threshold.",
        group="Events and segments",
        rare=True,
        gt=0,
        le=1,
    )
    segment_fill_seconds: float = option(
        0.005,
        "Fill gaps shorter than",
        "Segments of one type with less time between them become one.",
        unit="s",
        group="Events and segments",
        rare=True,
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
        rare=True,
        ge=0,
        le=60,
    )
    segment_durations: Ranges = option(
        {},
        "Durations of song types",
        "The shortest and the longest a segment of a song type can be, such as a=0.03:0.09 "
        "b=0.1:0.2. What is shorter becomes part of a segment that it touches, or is deleted; what "
        "is longer is deleted. A run knows them from its training data; 0:60 lifts the limits of a "
        "type, but for that of all types.",
        unit="s",
        group="Events and segments",
        rare=True,
    )


class PredictOptions(DetectOptions):
    """How a recording is annotated (`dss.predict.predict`).

    Thresholds, distances, gaps and lengths that you do not give are those that `dss.predict.tune`
    stored with the run, or the defaults.
    """

    channel: int | None = option(
        None,
        "Channel",
        "Annotate only this channel of the recording, counted from 0, with a network for one "
        "channel. Defaults to all channels.",
        group="Recordings",
        rare=True,
        ge=0,
    )
    samplerate_hz: float | None = option(
        None,
        "Sample rate",
        "The sample rate of npy files and arrays, which do not say theirs. Defaults to that of the "
        "network.",
        unit="Hz",
        group="Recordings",
        rare=True,
        gt=0,
    )
    endings: Words | None = option(
        None,
        "Endings of recordings",
        "Of a folder, annotate the files with these endings, and no others. Defaults to all forms "
        "of audio that dss reads.",
        group="Recordings",
        rare=True,
        min_length=1,
    )
    batch_size: int | None = option(
        None,
        "Batch size",
        "Chunks of audio that are computed together. More take more memory, and are faster on a "
        "GPU; the result is the same. Defaults to as many as hold 131072 samples; to fewer for "
        "short recordings.",
        group="Computing",
        rare=True,
        ge=1,
    )


class PredictFilesOptions(PredictOptions):
    """How recordings are annotated into files (`dss.predict.predict_files`)."""

    save_dir: Path | None = option(
        None,
        "Save folder",
        "Where the annotations go. Defaults to the folder of each recording.",
        group="Files",
        path="folder",
    )
    existing: Literal["skip", "overwrite", "error"] = option(
        "skip",
        "Annotations that are there already",
        "Leave them and skip their recordings (skip), replace them (overwrite), or stop before "
        "anything is written (error). Only what dss wrote is replaced, never what was made or "
        "changed by hand.",
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
        rare=True,
    )
    scheduler: str | None = option(
        None,
        "Scheduler",
        "The address of a Dask scheduler, such as tcp://node1:8786: its workers annotate the "
        "recordings. They must see the same files under the same paths.",
        group="Computing",
        rare=True,
    )


class ProofreadOptions(Options):
    """What is worth looking at first (`dss.review.proofread`)."""

    n_least: int = option(
        20,
        "Least certain annotations",
        "How many of the annotations are listed, the least certain one first.",
        group="Lists",
        ge=1,
    )
