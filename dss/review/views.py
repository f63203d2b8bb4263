"""Views: the recordings of a folder, or the splits of a dataset, alike."""

import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from dss.data.annotated import known_stretches, read_annotated
from dss.data.annotation_files import recording_annotations
from dss.data.annotations import (
    ABSENT,
    EVENT,
    NOISE,
    definitions_path,
    found,
    is_song,
    song_types,
)
from dss.data.batches import array_of, split_stretches
from dss.data.check import check_annotations
from dss.data.choices import EVENT_STD_SECONDS
from dss.data.contents import audio_warnings, song_stretches, song_type_warnings
from dss.data.dataset import open_dataset
from dss.data.places import Place, place_of
from dss.data.problems import COLUMNS as PROBLEM_COLUMNS
from dss.data.problems import WARNING, format_problems
from dss.data.recordings import (
    Recording,
    find_recordings,
    open_at_own_rate,
    open_readable,
    open_source,
)
from dss.data.report import describe, list_recordings
from dss.data.splits import SPLITS
from dss.data.stretches import complement, intersection, of_mask
from dss.data.targets import GAUSSIAN_REACH
from dss.data.texttables import COLUMNS
from dss.errors import DssError, DssWarning
from dss.options import SourceOptions, takes_options
from dss.support import hdf5

ENDINGS = (".npy", ".zarr", ".h5")


@dataclass(eq=False)
class View:
    """A recording, or a split of a dataset, and what is known about it.

    Attributes:
        name: of the file or split.
        recording: the audio.
        find: functions that give the annotations and the unknown stretches, or raise a DssError.
        targets: of a split, [samples, classes], lazy; None for a recording.
        class_names: of the columns of the targets.
        cuts: [cuts] seconds where one stretch of a recording ends and the next stretch begins.
        per_second: how many units of time the files of annotations count per second.
    """

    name: str
    recording: Recording
    find: tuple[Callable[[], pd.DataFrame], Callable[[], np.ndarray]] = field(repr=False)
    targets: xr.Variable | None = field(default=None, repr=False)
    class_names: Sequence[str] = ()
    cuts: np.ndarray = field(default_factory=lambda: np.empty(0))
    per_second: float = 1.0

    @cached_property
    def annotations(self) -> pd.DataFrame:
        """The annotation table; of a split, what its targets show. Without rows if there is none.

        An event is the middle of where its target is high.
        """
        with suppress(DssError):
            return self.find[0]()
        return no_annotations()

    @cached_property
    def unknown(self) -> np.ndarray:
        """[stretches, 2] seconds that nobody annotated, where others are annotated."""
        with suppress(DssError):
            return self.find[1]()
        return np.empty((0, 2))

    def forget(self) -> None:
        """Find annotations, and what is unknown, anew when they are asked for again."""
        for name in ("annotations", "unknown"):
            vars(self).pop(name, None)

    @property
    def unknown_seconds(self) -> float:
        """How much nobody annotated: all, if there are no annotations that can be read."""
        try:
            return float(np.diff(self.find[1]()).sum())
        except DssError:
            return self.recording.duration_seconds


def is_dataset(path: str | Path) -> bool:
    """Whether this is a dataset, and not a folder of recordings."""
    path = Path(path)
    return path.suffix in ENDINGS and (path.is_dir() or _is_h5_dataset(path))


@takes_options
def open_views(
    path: str | Path,
    loader: Callable | None = None,
    annotation_loader: Callable | None = None,
    *,
    options: SourceOptions,
) -> list[View]:
    """The recordings of a folder, a single recording, or the splits of a dataset that hold audio.

    Arguments: as for `dss.data.check_annotations`.

    Raises: DssError if there is nothing of this kind that can be read.
    Warns: DssWarning for recordings that cannot be read and are left out.
    """
    path = Path(path)
    if is_dataset(path):
        return dataset_views(open_dataset(path))
    folder = path.parent if path.is_file() else path
    files = find_recordings(path, options.endings)
    recordings, problems = open_readable(files, loader, options)
    if problems:
        sentence = f"{len(problems)} of {len(files)} recordings left out: {problems[0]}"
        warnings.warn(sentence, DssWarning, stacklevel=3)
    place = place_of(options.annotations_at, path)
    reading = _Reading(files, options, (loader, annotation_loader), place)
    return [
        _recording_view(recording, file.relative_to(folder).as_posix(), reading)
        for file, recording in recordings.items()
    ]


def views_of(
    source: str | Path | Recording | xr.DataTree | View | Sequence[View],
) -> list[View]:
    """What there is to look at in a path, a recording, an open dataset, or some of these."""
    if isinstance(source, xr.DataTree):
        return dataset_views(source)
    if isinstance(source, str | Path):
        return open_views(source)
    if isinstance(source, Recording):
        return [View(source.path.name, source, (no_annotations, lambda: np.empty((0, 2))))]
    if isinstance(source, View):
        return [source]
    return list(source)


@takes_options
def recording_view(
    path: str | Path,
    name: str | None = None,
    loader: Callable | None = None,
    annotation_loader: Callable | None = None,
    *,
    options: SourceOptions,
) -> View:
    """A recording with its annotations, if they can be read; arguments as for `open_views`."""
    path = Path(path)
    recording = open_source(path, loader, options)
    place = place_of(options.annotations_at, path)
    reading = _Reading([path], options, (loader, annotation_loader), place)
    return _recording_view(recording, name or path.name, reading)


def no_annotations() -> pd.DataFrame:
    """An annotation table without rows."""
    return pd.DataFrame(columns=COLUMNS).astype({"name": str, **dict.fromkeys(COLUMNS[1:], float)})


def dataset_views(tree: xr.DataTree) -> list[View]:
    """The splits of a dataset that hold audio."""
    return [_split_view(tree, split) for split in SPLITS if tree[split].sizes["time"]]


@takes_options
def summarize(
    path: str | Path,
    loader: Callable | None = None,
    annotation_loader: Callable | None = None,
    *,
    options: SourceOptions,
) -> pd.DataFrame:
    """What is there: a row a recording of a folder, or a row a split of a dataset, and of all.

    Arguments: as for `open_views`.
    """
    if is_dataset(path):
        return describe(open_dataset(path))
    return list_recordings(path, loader, annotation_loader, options=options)


def completeness(views: Sequence[View]) -> pd.DataFrame:
    """How much of each recording, or split, is song, and how much of it nobody looked at.

    Returns: a table by name with seconds; song, the seconds of segments; annotations, their number;
        and unknown, the seconds that count neither as song nor as noise.
    """
    rows, names = {}, {name for view in views for name in view.annotations["name"]}
    for view in views:
        table, duration = found(view.annotations), view.recording.duration_seconds
        table = table[is_song(table["name"], names)]
        times = intersection(table[COLUMNS[1:]].to_numpy(), np.array([[0.0, duration]]))
        rows[view.name] = {
            "seconds": duration,
            "song": float(np.diff(times).sum()),
            "annotations": len(table),
            "unknown": view.unknown_seconds,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("name")


@takes_options
def find_problems(
    path: str | Path,
    loader: Callable | None = None,
    annotation_loader: Callable | None = None,
    *,
    options: SourceOptions,
) -> pd.DataFrame:
    """What is wrong, or probably not meant; for a dataset, all of its audio is read.

    Arguments: as for `open_views`.

    Returns: a table with the columns file, row, name, problem and severity (error or warning);
        without rows if all is well.
    """
    if not is_dataset(path):
        return check_annotations(path, loader, annotation_loader, options=options)
    tree, sentences = open_dataset(path), []
    for split in SPLITS:
        song = song_stretches(array_of(tree[split]["y"]), split_stretches(tree, split))
        if split != "test" and tree[split].sizes["time"]:
            sentences += song_type_warnings(song, tree.attrs["class_names"], split)
        sentences += audio_warnings(tree, split)
    rows = [(str(path), None, None, sentence, WARNING) for sentence in sentences]
    return pd.DataFrame(rows, columns=PROBLEM_COLUMNS)


def describe_problems(problems: pd.DataFrame) -> str:
    """What `find_problems` found, as text to read: a line a problem."""
    sentences = zip(problems["severity"], format_problems(problems), strict=True)
    lines = [f"{severity}: {sentence}" for severity, sentence in sentences]
    return "\n".join(lines) or "No problems found."


def _split_view(tree: xr.DataTree, split: str) -> View:
    x, y = (tree[split][name].variable for name in "xy")
    rate, names, types = (
        tree.attrs[name] for name in ("samplerate_x_Hz", "class_names", "class_types")
    )
    stretches = split_stretches(tree, split)
    n_samples, n_channels = x.shape
    recording = Recording(
        Path(split), rate, n_samples, n_channels, lambda a, b: np.asarray(x[a:b].data, np.float32)
    )

    def annotations() -> pd.DataFrame:
        song = song_stretches(array_of(tree[split]["y"]), stretches)
        return _as_annotations(song[1:], names[1:], types[1:], rate)

    def unknown() -> np.ndarray:
        if "annotated" not in tree[split]:
            return np.empty((0, 2))
        return of_mask(np.asarray(tree[split]["annotated"].variable.data) == 0) / rate

    return View(split, recording, (annotations, unknown), y, names, stretches[1:, 0] / rate)


def _as_annotations(song: Sequence[np.ndarray], names, types, rate: float) -> pd.DataFrame:
    tables = []
    for stretches, name, kind in zip(song, names, types, strict=True):
        times = stretches / rate
        if kind == EVENT:
            times = np.repeat((stretches.sum(axis=1, keepdims=True) - 1) / 2 / rate, 2, axis=1)
        columns = dict(zip(COLUMNS[1:], times.T, strict=True))
        tables.append(pd.DataFrame({"name": name, **columns}, range(len(times))))
    table = pd.concat(tables, ignore_index=True).astype({"name": str})
    return table.sort_values("start_seconds", ignore_index=True, kind="stable")


@dataclass(eq=False)
class _Reading:
    """How annotations are read, and what is annotated in all recordings together."""

    files: Sequence[Path]
    options: SourceOptions
    loaders: tuple[Callable | None, Callable | None]
    place: Place | None = None

    def read(self, recording: Path) -> pd.DataFrame:
        """The annotations of one of the recordings, in seconds."""
        how = self.options.annotation_format, self.loaders[1], self.place
        table = recording_annotations(recording, *how)[1]
        if self.options.time_unit != "s":
            table[COLUMNS[1:]] /= self.per_second(recording)
        return table

    def per_second(self, recording: Path) -> float:
        """How many units of time the annotations of a recording count per second."""
        if self.options.time_unit == "samples":  # of the file, however it is resampled
            return open_at_own_rate(recording, self.loaders[0], self.options).samplerate_hz
        return 1000.0 if self.options.time_unit == "ms" else 1.0

    @cached_property
    def song(self) -> tuple[dict[str, str], set[str]]:
        """The song types, category by name, and all names, in what can be read."""
        tables = {}
        for file in self.files:
            with suppress(DssError):
                tables[file] = self.read(file)
        definitions = [path for path in map(definitions_path, self.files) if path.is_file()]
        types = song_types(tables, definitions)
        return types, set(types).union(*(table["name"] for table in tables.values()))


def _recording_view(recording: Recording, name: str, reading: _Reading) -> View:
    def annotations() -> pd.DataFrame:
        return reading.read(recording.path)

    def unknown() -> np.ndarray:
        looked_at = read_annotated(recording.path, recording.duration_seconds)
        known = _known(reading.read(recording.path), looked_at, reading)
        return complement(known, recording.duration_seconds)

    unit = reading.per_second(recording.path)
    return View(name, recording, (annotations, unknown), per_second=unit)


def _known(table: pd.DataFrame, looked_at: np.ndarray, reading: _Reading) -> np.ndarray:
    """Of what somebody looked at, where all song types are known, as in a dataset."""
    if not table["name"].str.startswith((NOISE, ABSENT)).any():
        return looked_at  # and the other recordings need not be read
    types, names = reading.song
    reach = GAUSSIAN_REACH * EVENT_STD_SECONDS
    return known_stretches(table, types, looked_at, reach, names)


def _is_h5_dataset(path: Path) -> bool:
    if path.suffix != ".h5" or not path.is_file():
        return False
    try:
        with hdf5.reading(path) as file:
            return "train" in file
    except DssError:  # which opening it will say
        return False
