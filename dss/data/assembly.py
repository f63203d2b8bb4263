"""Assembly: turn recordings with annotations into a dataset, checking everything before writing."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

import pandas as pd

import dss
from dss.data import report, stores, targets
from dss.data.corpus import Corpus, read_corpus
from dss.data.split_writing import split_annotations, write_split
from dss.data.splits import SPLITS, Stretch, recording_groups, split_recordings
from dss.errors import DssError, DssWarning
from dss.options import DatasetOptions, takes_options
from dss.options.arguments import DatasetArguments
from dss.support.files import replacing
from dss.support.writers import only_writer


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
    place = store.resolve()  # it may be a link to another disk
    with only_writer(place.parent, [place.name]):
        _check_store(store, folder, options.overwrite)
        corpus = read_corpus(folder, options)
        write_dataset(place, folder, corpus, options)
    return store


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
    plan, tables = plan_splits(corpus), corpus.tables()
    attributes = dataset_attributes(folder, plan, corpus, tables, options)
    sources, types = corpus.sources, corpus.types
    for sentence in report.missing(attributes):
        warnings.warn(sentence, DssWarning, stacklevel=4)
    with replacing(place) as part:
        writer = stores.ZarrWriter(part) if place.suffix == ".zarr" else stores.NpyWriter(part)
        for split in SPLITS:
            write_split(writer, split, plan[split], sources, types, tables, corpus.options)
            if options.split_csv:
                table = split_annotations(plan[split], sources, types)
                table.to_csv(part / f"{split}_annotations.csv", index=False, float_format="%.6f")
        writer.write_attributes(attributes)


def default_store(folder: str | Path) -> Path:
    """The default dataset of a data folder: next to it."""
    folder = Path(folder)
    if folder.name in ("", ".."):  # the path does not contain its name
        folder = folder.resolve()
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
    is_of_another = attributes.get("made_from") != str(Path(folder).resolve())
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
    rate = sources[0].recording.samplerate_hz
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
                "blocks (block_seconds), or try another seed"
            )
    return plan


def dataset_attributes(
    folder: Path,
    plan: Mapping[str, list[Stretch]],
    corpus: Corpus,
    tables: list[pd.DataFrame],
    options: DatasetOptions,
) -> dict[str, Any]:
    """The attributes of a dataset, as plain types.

    Arguments:
        folder: the data folder.
        plan: the stretches of each split.
        corpus: recordings and song types.
        tables: the annotations as the targets show them.
        options: the options as given, for later comparison by `differing_options`.
    """
    sources, types = corpus.sources, corpus.types
    samplerate = float(sources[0].recording.samplerate_hz)
    attributes = {
        "samplerate_x_Hz": samplerate,
        "samplerate_y_Hz": samplerate,
        "class_names": targets.class_names(types),
        "class_types": targets.class_types(types),
    }
    if options.individual_targets:
        for name, kind in types.items():
            attributes[f"class_names_{name}"] = targets.class_names({name: kind})
            attributes[f"class_types_{name}"] = targets.class_types({name: kind})
    for split, stretches in plan.items():
        attributes[f"filename_{split}"] = [sources[s.recording].name for s in stretches]
        attributes[f"filename_startsample_{split}"] = [s.start_sample for s in stretches]
        attributes[f"filename_endsample_{split}"] = [s.stop_sample for s in stretches]
    attributes["report"] = report.count(plan, sources, types, tables)
    attributes["made_from"] = str(folder.resolve())
    attributes["made_with"] = {"dss": dss.__version__, **options.to_yaml_types()}
    attributes["chosen"] = corpus.reasons
    attributes["fixed"] = corpus.fixed
    return attributes


def _check_store(store: Path, folder: Path, overwrite: bool) -> None:
    """Raise a DssError if writing a dataset there would destroy anything else."""
    if folder.resolve().is_relative_to(store.resolve()):
        raise DssError(f"{store}: contains the recordings. Choose another store_dir.")
    if not store.exists():
        return
    if not overwrite:
        raise DssError(
            f"{store}: already exists. Choose another store_dir, or overwrite it (--overwrite)."
        )
    if not stores.is_dataset(store):
        raise DssError(
            f"{store}: is not a dataset, so it is not overwritten. Choose another store_dir."
        )
