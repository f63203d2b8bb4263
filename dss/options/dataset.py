"""The options of a dataset (`dss.data.make_dataset`)."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

from dss.options.base import Options, option
from dss.options.notation import Renames, Words
from dss.options.song_type_names import SongTypeName

SplitBy = Literal["files", "samples"]
file_option = partial(option, group="Files", rare=True)
song_type_option = partial(option, group="Song types")
target_option = partial(option, group="Targets")
split_option = partial(option, group="Splits")


class FileOptions(Options):
    """Which recordings and annotations of a folder to read (`dss.data.convert_annotations`)."""

    endings: Words | None = file_option(None, "Endings of recordings", min_length=1)
    """Use only files with these endings, such as .mat for a loader of your own. By default, all
    audio formats that dss supports."""
    annotation_format: str | None = file_option(None, "Annotation format")
    """The format of the annotations, such as csv, audacity, raven or textgrid. By default, detected
    from the ending and content of each file."""
    unnamed: SongTypeName | None = file_option(None, "Name of unnamed annotations")
    """The name of annotations that have none, such as Audacity labels without text, or rows of
    tables without a column of names. By default, they are errors."""
    annotations_at: str | None = file_option(None, "Location of annotations")
    """For annotations that are not next to their recordings: a path from the data folder, such as
    ../labels/{folder}/{stem}.txt. {folder} is the recording's folder, {parent} the last part of
    that folder, {stem} the recording's name without its ending and {name} with it; {stem-_audio}
    drops _audio from the end of the name, and * stands for any text."""
    time_unit: Literal["auto", "s", "ms", "samples"] = file_option("auto", "Unit of times")
    """The unit of the times in the annotation files: seconds (s), milliseconds (ms), or samples of
    the recording. By default, the one that the columns say, such as onset_ms or start_sample, or
    else seconds. Clock times, such as 1:02.5, are always understood."""
    loader: Callable | None = option(None, "Loader", is_function=True)
    """A function that reads recordings in a format of your own: loader(path) -> (sample rate in Hz,
    array [samples, channels]). List the endings of these recordings in `endings`."""
    annotation_loader: Callable | None = option(None, "Annotation loader", is_function=True)
    """A function that reads annotations in a format of your own: annotation_loader(path of the
    recording) -> table with name, start_seconds and stop_seconds."""


class SourceOptions(FileOptions):
    """How to read the files of a data folder (`dss.data.check_annotations`)."""

    samplerate_hz: float | None = file_option(None, "Sample rate", unit="Hz", gt=0)
    """Resample all recordings to this rate. By default, keep the sample rate of the recordings,
    which must then be the same for all of them. npy files do not store a rate: for them, give the
    rate at which they were recorded."""
    channel: int | None = file_option(None, "Channel", ge=0)
    """Use only this channel of the recordings, counted from 0. By default, all channels."""
    mix: bool = file_option(False, "Mix channels")
    """Use the mean of all channels of a recording."""
    tolerance_seconds: float = file_option(0.005, "Tolerance at the ends", unit="s", ge=0, le=1)
    """Cut annotations that extend beyond the recording by no more than this, for example by one
    frame of the program that made them. Anything longer is an error."""
    skip_bad_rows: bool = file_option(False, "Skip bad rows")
    """Leave out invalid annotations, such as those that stop before they start, and list them. The
    time around them counts as unknown, so the network does not learn from it."""
    skip_unannotated: bool = file_option(False, "Skip recordings without annotations")
    """Leave out recordings without annotations. By default, they are errors: a recording without
    song should have a file with only the header."""
    strict: bool = file_option(False, "Strict")
    """Refuse files that dss would otherwise fix, such as truncated recordings or duplicate
    annotations."""


class DatasetOptions(SourceOptions):
    """How recordings and annotations become a dataset (`dss.data.make_dataset`)."""

    store_dir: Path | None = option(None, "Store folder", group="Files", path="new")
    """The dataset to write. Its name must end in .npy, or in .zarr for very large datasets.
    Defaults to the data folder, or the recording, with .npy appended."""
    overwrite: bool = option(False, "Overwrite", group="Files")
    """Replace an existing dataset."""
    split_csv: bool = file_option(False, "Write annotations of each split")
    """Also write the annotations of each split as CSV, in seconds from the start of the split."""
    song_types: Words | None = song_type_option(None, "Song types", min_length=1)
    """Keep only these song types (after renaming); everything else becomes noise. By default, all
    annotated song types."""
    rename: Renames = song_type_option({}, "Rename")
    """Rename song types, as old=new. Types given the same new name are merged."""
    individual_targets: bool = song_type_option(False, "Make individual training targets")
    """Add separate targets for each song type, so that you can train a network for a single type.
    Useful for multi-channel recordings."""
    boundary_targets: bool = song_type_option(False, "Targets for onsets and offsets", rare=True)
    """Add the onsets and offsets of all segments as two extra event types, onset and offset."""
    event_std_seconds: float | None = target_option(None, "Width of events", unit="s", ge=0, le=1)
    """Standard deviation of the Gaussian that marks an event in the targets. It gives partial
    credit to predictions that are slightly off. 0 marks a single sample. By default, chosen from
    the annotations: 3 ms, or less if events follow each other more closely."""
    gap_seconds: float | None = target_option(None, "Gap between segments", unit="s", ge=0, le=1)
    """Shorten segments that follow each other too closely, so that at least this much noise
    separates them and they do not merge in the predictions. By default, segments of the same song
    type are kept 4 ms apart if some of them touch."""
    overlaps: Literal["share", "shorter", "later", "unknown"] = target_option(
        "share", "Where song types overlap", rare=True
    )
    """Where segments of different song types overlap, share the target between them (share), use
    only the shorter or the later one, or learn nothing there (unknown)."""
    train_split: SplitBy = split_option("samples", "Split train by")
    """Train on whole recordings (files) or on part of each recording (samples)."""
    val_split: SplitBy = split_option("samples", "Split validation by")
    """Validate on whole recordings (files) or on part of each recording (samples)."""
    test_split: Literal["auto", "files", "samples"] = split_option("auto", "Split test by")
    """Test on whole recordings (files) or on part of each recording (samples). Testing on files
    shows how well the network generalizes to new recordings or, with groups, to new individuals.
    auto uses files if there are at least three recordings and none holds over 40 % of the audio."""
    train_fraction: float | None = split_option(None, "Train fraction", gt=0, lt=1)
    """Fraction of the data used for training. By default, everything that is not used for
    validation or testing."""
    val_fraction: float = split_option(0.2, "Validation fraction", gt=0, lt=1)
    """Fraction of the data used for validation during training: to pick the best epoch and decide
    when to stop."""
    test_fraction: float = split_option(0.1, "Test fraction", ge=0, lt=1)
    """Fraction of the data held out to evaluate the trained network. Set it to 0 if you have too
    little data to spare."""
    groups: str | None = split_option(None, "Groups", path="file")
    """Which individual each recording comes from, so that splits by files keep individuals
    together. Either a regular expression whose parentheses capture the individual in the
    recording's path, such as '(bird[0-9]+)_', or a CSV file with the columns file,group. By
    default, dss uses individuals or days if the names of the recordings show at least three of
    them; '(.+)' treats each recording separately."""
    block_seconds: float | None = split_option(None, "Blocks", unit="s", ge=0)
    """When splitting by samples, distribute blocks of this duration instead of one stretch per
    recording, so that each split gets its share of rare song types. 0 uses one stretch per split.
    By default 0, unless there are too few recordings to spare one for testing."""
    seed: int = split_option(0, "Seed", rare=True, ge=0, le=2**32 - 1)
    """The same seed gives the same splits."""
