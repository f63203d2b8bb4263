"""The options of annotating recordings (`dss.predict`, `dss.predict.detection`)."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

from dss.options.base import Options, option
from dss.options.dataset import FileOptions
from dss.options.notation import Ranges, Words
from dss.options.written_formats import FilePerRecording

detection_option = partial(option, group="Events and segments", rare=True)
recording_option = partial(option, group="Recordings", rare=True)
file_option = partial(option, group="Files")


class DetectOptions(Options):
    """How probabilities become annotations (`dss.predict.detection.detect`)."""

    # The best threshold for F1 is half the best F1; and people miss more events than they make up.
    event_threshold: float = detection_option(0.4, "Event threshold", gt=0, le=1)
    """The minimum peak probability of an event. Lower it to miss fewer events, raise it to get
    fewer false positives."""
    event_distance_seconds: float = detection_option(
        0.01, "Shortest time between events", unit="s", ge=0, le=60
    )
    """If events of the same type are closer together than this, keep only the most probable one."""
    event_interval_min_seconds: float = detection_option(
        0.0, "Shortest interval", unit="s", ge=0, le=3600
    )
    """Delete pairs of events of the same type that are closer together than this."""
    event_interval_max_seconds: float | None = detection_option(
        None, "Longest interval", unit="s", gt=0, le=3600
    )
    """Delete events farther than this from any other event of the same type, such as single pulses
    outside song. By default, the limit learned from the training data; none for no limit."""
    segment_threshold: float = detection_option(0.5, "Segment threshold", gt=0, le=1)
    """The minimum probability of song, summed over all segment types."""
    segment_hold_threshold: float | None = detection_option(
        None, "Segment hold threshold", gt=0, le=1
    )
    """A lower threshold for continuing song: once song has reached the segment threshold, it lasts
    until its probability falls below this. Defaults to the value stored with the run; none for the
    segment threshold."""
    segment_fill_seconds: float = detection_option(
        0.005, "Fill gaps shorter than", unit="s", ge=0, le=60
    )
    """Merge segments of the same type that are separated by less than this."""
    segment_min_seconds: float = detection_option(
        0.02, "Delete segments shorter than", unit="s", ge=0, le=60
    )
    """After gaps are filled, merge shorter segments into a segment that they touch, and delete
    those that touch none."""
    segment_join_touching: bool = detection_option(False, "Join touching song types")
    """Merge segments of different song types that follow each other without a gap. The result gets
    the type with the most probability, unless that type is never that long. By default, learned
    from the training data: on if annotated song types hardly ever touch."""
    segment_durations: Ranges = detection_option({}, "Durations of song types", unit="s")
    """The shortest and longest duration of each song type, such as a=0.03:0.09 b=0.1:0.2. Shorter
    segments are merged into a segment that they touch, or deleted; longer segments are cut where
    song is least probable. By default, learned from the training data; 0:60 lifts the limits of a
    type, but not the limit above, which applies to all types."""
    min_confidence: float = detection_option(0.0, "Minimum confidence", ge=0, le=1)
    """Leave out annotations that are less likely to be correct than this."""
    precision: float | None = detection_option(None, "Precision", gt=0, lt=1)
    """Leave out the least certain annotations of each song type, so that about this fraction of the
    remaining ones is correct, judging by the validation data. By default, all annotations are
    kept."""
    recall: float | None = detection_option(None, "Recall", gt=0, lt=1)
    """Lower the thresholds until about this fraction of the song is found, judging by the
    validation data. This adds false positives. By default, the thresholds are kept."""


class PredictOptions(DetectOptions):
    """How a recording is annotated (`dss.predict.predict`).

    Thresholds, distances, gaps and durations that you do not give are taken from the run, where
    `dss.predict.tune` stores them, or else from the defaults.
    """

    channel: int | None = recording_option(None, "Channel", ge=0)
    """Annotate only this channel of the recording, counted from 0, with a single-channel network.
    By default, all channels."""
    mix: bool = recording_option(False, "Mix channels")
    """Annotate the mean of all channels of the recording, with a single-channel network."""
    strict: bool = recording_option(False, "Strict")
    """Refuse recordings that dss would otherwise fix, such as truncated ones."""
    samplerate_hz: float | None = recording_option(None, "Sample rate", unit="Hz", gt=0)
    """The sample rate of arrays and of files that do not store one, such as npy. Defaults to the
    network's sample rate."""
    endings: Words | None = recording_option(None, "Endings of recordings", min_length=1)
    """In a folder, annotate only files with these endings. By default, all audio formats that dss
    supports."""
    loader: Callable | None = option(None, "Loader", is_function=True)
    """A function that reads recordings in a format of your own: loader(path) -> (sample rate in Hz,
    array [samples, channels]). List their endings in `endings`."""
    batch_size: int | None = option(None, "Batch size", group="Computing", rare=True, ge=1)
    """Number of chunks that are processed together. Larger batches use more memory and are faster
    on a GPU; the result is the same. By default, as many chunks as make up 262144 samples, or fewer
    for short recordings."""


class PredictFilesOptions(PredictOptions):
    """How recordings are annotated and the results saved (`dss.predict.predict_files`)."""

    save_dir: Path | None = file_option(None, "Save folder", path="folder")
    """Where to save the annotations. Defaults to the folder of each recording."""
    existing: Literal["skip", "overwrite", "error"] = file_option("skip", "Existing annotations")
    """Skip recordings that already have annotations (skip), replace the annotations (overwrite), or
    stop before anything is written (error). Manual annotations and corrections are never
    replaced."""
    format: FilePerRecording = file_option("csv", "Format")
    """CSV, which stores confidence and proposals; Audacity labels; Raven selection tables; Praat
    TextGrids; layers of Sonic Visualiser (svl); ELAN; .not.mat files of evsonganaly, for
    single-letter names; tabular events of BORIS; or transcriptions of TIMIT. For one file of all
    recordings, use `dss convert` afterwards."""
    probabilities: bool = file_option(False, "Write probabilities")
    """Also save the probability of each class at each sample, as STEM_probabilities.zarr."""
    proposals: bool = file_option(False, "Mark as proposals", rare=True)
    """Add a column `confirmed`, which is False for each annotation until you review it."""
    scheduler: str | None = option(None, "Scheduler", group="Computing", rare=True)
    """The address of a Dask scheduler whose workers annotate the recordings, such as
    tcp://node1:8786. The workers must have access to the same files under the same paths."""


class ProofreadOptions(Options):
    """Which annotations to review first (`dss.review.proofread`)."""

    n_least: int = option(20, "Least certain annotations", group="Lists", ge=1)
    """How many annotations to list, starting with the least certain one."""


class ProofreadFilesOptions(ProofreadOptions, FileOptions):
    """The options of `dss proofread`, which also lists sounds unlike any known ones.

    Those of files say how the known manual annotations are read.
    """

    recordings: Path | None = option(
        None, "Recordings", group="Unlike anything annotated", path="folder"
    )
    """The annotated recordings. Sounds in them that are unlike anything in `known` are also listed,
    and count when recordings are ranked."""
    known: Path | None = option(None, "Known", group="Unlike anything annotated", path="dataset")
    """Manual annotations: a dataset, or a folder of recordings."""

    @model_validator(mode="after")
    def _check_both(self) -> Self:
        if (self.recordings is None) != (self.known is None):
            raise ValueError("recordings and known go together: give both, or neither")
        return self
