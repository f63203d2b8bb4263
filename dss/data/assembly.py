"""Assembly: turn recordings with annotations into a dataset, checking everything before writing."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import dss
from dss.data import report, stores, targets
from dss.data.annotations import NOISE, SEGMENT
from dss.data.corpus import Corpus, read_corpus
from dss.data.recording_groups import recording_groups
from dss.data.split_writing import split_annotations, write_split
from dss.data.splits import SPLITS, Stretch, split_recordings
from dss.errors import DssError, warn
from dss.options import DatasetOptions, takes_options
from dss.options.arguments import DatasetArguments
from dss.support.files import replacing, resolved
from dss.support.writers import only_writer

if TYPE_CHECKING:
    import xarray as xr


@takes_options
def make_dataset(
    folder: str | Path, *, options: DatasetOptions | None = None, **named: Unpack[DatasetArguments]
) -> Path:
    """Assemble the recordings of a folder and their annotations into a dataset.

    Everything is checked before anything is written. All cores read the recordings block by block,
    so memory does not grow with their length.

    Arguments:
        folder: recordings, each with its annotations next to it; subfolders are included.

    Returns: the dataset, which `open_dataset` opens.
    Raises: DssError with file and row: no recordings, no annotations, an unreadable file, different
        sample rates or channel counts, invalid annotations, an empty split, or a dataset that
        already exists.
    Warns: DssWarning for a song type that is missing from a split.

    Example:
        >>> from dss.data import make_dataset
        >>> print(make_dataset("finch", store_dir="song.npy", test_fraction=0.2, seed=1))
        song.npy
    """
    options = DatasetOptions.given(options, named)
    folder = Path(folder)
    store = options.store_dir or default_store(folder)
    stores.check_ending(store)
    place = resolved(store)  # it may be a link to another disk
    with only_writer(place.parent, [place.name]):
        _check_store(store, folder, options.overwrite)
        corpus = read_corpus(folder, options)
        write_dataset(place, folder, corpus, options)
    return store


@takes_options
def preview_dataset(
    folder: str | Path, *, options: DatasetOptions | None = None, **named: Unpack[DatasetArguments]
) -> "xr.DataTree":
    """Preview the dataset that `make_dataset` would make, without its arrays; nothing is written.

    It has the attributes of the dataset, so `describe`, `format_report`, `dss.plot.plot_counts` and
    `dss.plot.plot_splits` can show which stretches of which recordings are used for training,
    validation and testing, and how much of each song type they contain.

    Arguments: as for `make_dataset`.
    Raises: DssError as `make_dataset`, except for a dataset that already exists.

    Example:
        >>> from dss.data import preview_dataset
        >>> tree = preview_dataset("finch", test_fraction=0.2)  # nothing is written
        >>> tree.attrs["class_names"][:3]
        ['noise', 'a', 'b']
    """
    options = DatasetOptions.given(options, named)
    import xarray as xr

    folder = Path(folder)
    corpus = read_corpus(folder, options)
    attributes = _attributes(folder, plan_splits(corpus), corpus, options)
    return xr.DataTree(xr.Dataset(attrs=attributes))


def write_dataset(place: Path, folder: Path, corpus: Corpus, options: DatasetOptions) -> None:
    """Divide sources among the splits, and write the dataset.

    Arguments:
        place: the dataset to write, with an ending that `dss.data.stores` supports.
        folder: the data folder.
        corpus: the result of `read_corpus`, or some of its sources.
        options: the options as given, for later comparison by `differing_options`.

    Raises: DssError as `plan_splits` does.
    Warns: DssWarning for a song type that is missing from a split.
    """
    plan = plan_splits(corpus)
    attributes = _attributes(folder, plan, corpus, options)
    for sentence in report.missing(attributes):
        warn(sentence)
    with replacing(place) as part:
        writer = stores.ZarrWriter(part) if place.suffix == ".zarr" else stores.NpyWriter(part)
        for split in SPLITS:
            write_split(writer, split, plan[split], corpus)
            if options.split_csv:
                table = split_annotations(plan[split], corpus)
                table.to_csv(part / f"{split}_annotations.csv", index=False, float_format="%.6f")
        writer.write_attributes(attributes)


def default_store(folder: str | Path) -> Path:
    """The default dataset of a data folder: next to it."""
    folder = Path(folder)
    if folder.name in ("", ".."):  # the path does not contain its name
        folder = resolved(folder)
    if not folder.name:
        raise DssError(
            f"{folder}: nothing can be next to this folder; say where the dataset goes (store_dir)"
        )
    return folder.with_name(folder.name + ".npy")


def differing_options(store: str | Path, folder: str | Path, options: DatasetOptions) -> list[str]:
    """How making this dataset again would differ from how it was made.

    Returns: names of options; `folder` if it was made from another one, or if that is unknown.
    """
    attributes = stores.read_attributes(Path(store))
    made, now = attributes.get("made_with", {}), options.to_yaml_types()
    is_of_another = attributes.get("made_from") != str(resolved(Path(folder)))
    compared = now.keys() - {"store_dir", "overwrite"}
    defaults = DatasetOptions().to_yaml_types()  # for options that are newer than the dataset
    return ["folder"] * is_of_another + [
        name for name in now if name in compared and made.get(name, defaults[name]) != now[name]
    ]


def plan_splits(corpus: Corpus) -> dict[str, list[Stretch]]:
    """The stretches of the sources that each split would get, without writing anything.

    Raises: DssError if a split is impossible, or training or validation would be empty.
    """
    sources, types, options = corpus.sources, corpus.types, corpus.options
    groups = recording_groups([source.name for source in sources], options.groups)
    reach = targets.GAUSSIAN_REACH * (options.event_std_seconds or 0)
    songs = [s.song(types, reach, group) for s, group in zip(sources, groups, strict=True)]
    rate = corpus.samplerate_hz
    plan = split_recordings(songs, rate, options)
    for split in ("train", "val"):
        if not plan[split]:
            raise DssError(
                f"The {split} split would be empty: add recordings, or change its fraction"
            )
        unknown = sum(
            sources[s.recording].unknown_seconds(s.start_sample, s.stop_sample) for s in plan[split]
        )
        if sum(s.n_samples for s in plan[split]) / rate - unknown < 1 / rate:
            raise DssError(
                f"The {split} split would contain only unknown stretches: split by samples in "
                "blocks (--block-seconds), or try another seed"
            )
    return plan


def _attributes(
    folder: Path, plan: Mapping[str, list[Stretch]], corpus: Corpus, options: DatasetOptions
) -> dict[str, Any]:
    """The attributes of a dataset, as plain types; arguments as for `write_dataset`."""
    rate = float(corpus.samplerate_hz)
    attributes: dict[str, Any] = {"samplerate_x_Hz": rate, "samplerate_y_Hz": rate}
    attributes |= _classes(corpus.types)
    if options.individual_targets:
        for name, kind in corpus.types.items():
            attributes |= _classes({name: kind}, f"_{name}")
    for split, stretches in plan.items():
        attributes[f"filename_{split}"] = [corpus.sources[s.recording].name for s in stretches]
        attributes[f"filename_startsample_{split}"] = [s.start_sample for s in stretches]
        attributes[f"filename_endsample_{split}"] = [s.stop_sample for s in stretches]
    attributes["report"] = report.count(plan, corpus)
    attributes["made_from"] = str(resolved(folder))
    attributes["made_with"] = {"dss": dss.__version__, **options.to_yaml_types()}
    attributes["chosen"] = corpus.reasons
    attributes["fixed"] = corpus.fixed
    return attributes


def _classes(types: Mapping[str, str], suffix: str = "") -> dict[str, list[str]]:
    """The names and categories of the columns of targets: noise, a segment, is the first."""
    names, kinds = [NOISE, *types], [SEGMENT, *types.values()]
    return {f"class_names{suffix}": names, f"class_types{suffix}": kinds}


def _check_store(store: Path, folder: Path, overwrite: bool) -> None:
    """Raise a DssError if writing a dataset there would destroy anything else."""
    if resolved(folder).is_relative_to(resolved(store)):
        raise DssError(f"{store}: contains the recordings. Choose another store_dir.")
    if not store.exists():
        return
    if not overwrite:
        raise DssError(
            f"{store}: already exists. Overwrite it (--overwrite), or write another (--store-dir)."
        )
    if not stores.is_dataset(store):
        raise DssError(
            f"{store}: is not a dataset, so it is not overwritten. Choose another store_dir."
        )
