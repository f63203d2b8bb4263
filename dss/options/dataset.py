"""The options of a dataset (`dss.data.make_dataset`)."""

from pathlib import Path
from typing import Literal

from dss.options.base import Options, Renames, Words, option

SplitBy = Literal["files", "samples"]


class SourceOptions(Options):
    """What is read of a data folder (`dss.data.check_annotations`)."""

    endings: Words | None = option(
        None,
        "Endings of recordings",
        "Take the files with these endings, and no others, such as .mat for a loader of your own. "
        "Defaults to all forms of audio that dss reads.",
        group="Files",
        rare=True,
        min_length=1,
    )
    samplerate_hz: float | None = option(
        None,
        "Sample rate",
        "Resample all recordings to this rate. Defaults to the rate of the recordings, which is "
        "the same for all of them then. Of npy files, which do not say theirs, it is the rate.",
        unit="Hz",
        group="Files",
        rare=True,
        gt=0,
    )
    annotation_format: str | None = option(
        None,
        "Annotation format",
        "The format of the annotations, such as csv, audacity, raven or textgrid. Defaults to what "
        "the ending and the content of each file say.",
        group="Files",
        rare=True,
    )


class DatasetOptions(SourceOptions):
    """How recordings and annotations become a dataset (`dss.data.make_dataset`)."""

    store_dir: Path | None = option(
        None,
        "Store folder",
        "The dataset to write. Its name ends in .npy, or in .zarr for very big data; that is how "
        "it is recognised. Defaults to the data folder with .npy appended.",
        group="Files",
        path="new",
    )
    overwrite: bool = option(
        False, "Overwrite", "Replace a dataset that is there already.", group="Files"
    )
    split_csv: bool = option(
        False,
        "Write annotations of the splits",
        "Also write the annotations of each split as CSV, in seconds of the split.",
        group="Files",
        rare=True,
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
        rare=True,
    )
    event_std_seconds: float | None = option(
        None,
        "Width of events",
        "An event is a single point in time; its target is a Gaussian with this standard "
        "deviation, so that a prediction which is slightly off still counts for something. "
        "0 marks one sample. Chosen from the annotations unless you give it: 3 ms, or less where "
        "events follow each other faster.",
        unit="s",
        group="Targets",
        ge=0,
        le=1,
    )
    gap_seconds: float | None = option(
        None,
        "Gap between segments",
        "Segments that follow each other closer than this are shortened until this much noise "
        "lies between them, so that they do not merge in the prediction. Unless you give it, "
        "segments of the same song type are kept 4 ms apart if some of them touch.",
        unit="s",
        group="Targets",
        ge=0,
        le=1,
    )
    train_split: SplitBy = option(
        "samples",
        "Split train by",
        "Train on whole recordings (files) or on a part of each recording (samples).",
        group="Splits",
    )
    val_split: SplitBy = option(
        "samples",
        "Split validation by",
        "Validate on whole recordings (files) or on a part of each recording (samples).",
        group="Splits",
    )
    test_split: Literal["auto", "files", "samples"] = option(
        "auto",
        "Split test by",
        "Test on whole recordings (files) or on a part of each recording (samples). Files tell how "
        "well the network does on new recordings; with groups, on new individuals. Auto takes "
        "files if there are three recordings or more.",
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
        path="file",
    )
    block_seconds: float | None = option(
        None,
        "Blocks",
        "Splits by samples deal out blocks of this duration instead of one stretch per recording, "
        "so that rare song types reach every split in proportion. 0 for one stretch, which is also "
        "the default unless one or two recordings have to serve for testing as well.",
        unit="s",
        group="Splits",
        ge=0,
    )
    seed: int = option(
        0,
        "Seed",
        "The same seed gives the same splits.",
        group="Splits",
        rare=True,
        ge=0,
        le=2**32 - 1,
    )
