"""What training options mean for a dataset: durations, receptive field, number of weights."""

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from dss import models
from dss.data import open_dataset
from dss.data.annotation_files import recording_annotations
from dss.data.annotation_paths import annotation_finder
from dss.data.annotations import NOISE, occurrences
from dss.data.recording_files import find_recordings
from dss.data.splits import SPLITS
from dss.errors import DssError
from dss.options import SourceOptions, TrainOptions
from dss.support.caching import cached_by_file
from dss.support.units import readable

MOST_READ = 50  # recordings whose annotations are read for a hint


class Facts(NamedTuple):
    """The facts about a dataset that a form shows."""

    samplerate_hz: float
    nb_channels: int
    song_types: tuple[str, ...]
    individual_types: tuple[str, ...]  # song types with individual targets
    seconds: dict[str, float]  # by split


@cached_by_file(8)
def dataset_facts(path: Path) -> Facts:
    """The facts about a dataset, read again only when the dataset changes.

    Raises: DssError if there is no dataset.
    """
    tree = open_dataset(path)
    rate, names = tree.attrs["samplerate_x_Hz"], tree.attrs["class_names"]
    variables = map(str, tree["train"].data_vars)
    return Facts(
        samplerate_hz=rate,
        nb_channels=tree["train"].sizes["channel"],
        song_types=tuple(names[1:]),
        individual_types=tuple(n.removeprefix("y_") for n in variables if n.startswith("y_")),
        seconds={split: tree[split].sizes["time"] / rate for split in SPLITS},
    )


def recording_facts(
    folder: str | Path, options: SourceOptions
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The recordings in a folder, relative to it, and the song types in the first of them.

    Searched again only when files are added or removed.

    Raises: DssError if there is no recording.
    """
    how = options.annotation_format, options.annotation_loader, options.annotations_at
    return _recordings(Path(folder), tuple(options.endings or ()), *how)


def hints(options: TrainOptions, facts: Facts) -> dict[str, str]:
    """What values mean, in a few words, by option."""
    rate, hop = facts.samplerate_hz, 2**options.nb_pre_conv
    lengths = ", ".join(f"{split} {readable(s)}" for split, s in facts.seconds.items() if s)
    channels = f", {facts.nb_channels} channels" if facts.nb_channels > 1 else ""
    said = {
        "data_dir": f"{lengths}; {rate:g} Hz{channels}; {', '.join(facts.song_types)}.",
        "nb_hist": f"{readable(options.nb_hist / rate)}.",
        "kernel_size": f"{readable(options.kernel_size * hop / rate)}.",
        "nb_conv": f"Receptive field: {readable(models.receptive_field(options) / rate)}.",
    }
    if options.save_dir is None:
        said["save_dir"] = f"{options.run_dir}."
    if hop > 1:
        said["nb_pre_conv"] = f"One frame every {readable(hop / rate)}."
    if hop > 1 and options.pre_nb_dft:
        said["pre_nb_dft"] = f"{readable(options.pre_nb_dft / rate)}."
    return said


def describe_network(options: TrainOptions, facts: Facts) -> str:
    """One line about the network: weights, receptive field, chunk, and what is ignored."""
    nb_classes = 2 if options.y_suffix else 1 + len(facts.song_types)
    weights = models.count_weights(options, facts.nb_channels, nb_classes)
    rate, ignored = facts.samplerate_hz, models.padding(options)
    chunk, reach = (readable(n / rate) for n in (options.nb_hist, models.receptive_field(options)))
    line = f"{weights:,} weights · receptive field {reach} · chunk {chunk}"
    if ignored:
        line += f", of which {readable(ignored / rate)} at each end are ignored"
    return line


@cached_by_file(8)
def _recordings(folder: Path, endings, format, loader, annotations_at):
    find_file = annotation_finder(annotations_at, folder)
    files, names = find_recordings(folder, endings or None), set()
    for file in files[:MOST_READ]:
        with suppress(DssError):
            _, table = recording_annotations(file, format, loader, find_file)
            names |= {*occurrences(table)["name"]} - {NOISE}
    top = folder.parent if folder.is_file() else folder
    return tuple(file.relative_to(top).as_posix() for file in files), tuple(sorted(names))
