"""Views: a common interface for recordings of a folder and splits of a dataset."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Unpack

import numpy as np
import pandas as pd
import xarray as xr

from dss.data.annotated_recordings import annotations_of
from dss.data.annotated_stretches import known_stretches, read_annotated
from dss.data.annotation_paths import AnnotationFinder, annotation_finder
from dss.data.annotations import ABSENT, NOISE, definitions_path, occurrences
from dss.data.automatic_options import EVENT_STD_SECONDS
from dss.data.batches import array_of, split_stretches
from dss.data.check import check_annotations
from dss.data.contents import audio_warnings, song_stretches, song_type_warnings
from dss.data.dataset import open_dataset
from dss.data.problems import COLUMNS as PROBLEM_COLUMNS
from dss.data.problems import WARNING, format_problems
from dss.data.recording_files import find_recordings
from dss.data.recordings import Recording, open_at_own_rate, open_for_dataset, open_readable
from dss.data.report import describe, list_recordings
from dss.data.song_types import song_names, song_types
from dss.data.splits import SPLITS
from dss.data.stretches import complement, intersection
from dss.data.targets import GAUSSIAN_REACH
from dss.data.text_tables import TIMES
from dss.errors import DssError, warn
from dss.options import SourceOptions, takes_options
from dss.options.arguments import SourceArguments
from dss.review.split_views import dataset_views, is_dataset
from dss.review.view import View


@takes_options
def open_views(
    path: str | Path, *, options: SourceOptions | None = None, **named: Unpack[SourceArguments]
) -> list[View]:
    """Open the recordings of a folder, a single recording, or the splits of a dataset with audio.

    Arguments: as for `dss.data.check_annotations`.

    Raises: DssError if nothing can be opened.
    Warns: DssWarning for unreadable recordings, which are left out.
    """
    options = SourceOptions.given(options, named)
    path = Path(path)
    if is_dataset(path):
        return dataset_views(open_dataset(path))
    folder = path.parent if path.is_file() else path
    files = find_recordings(path, options.endings)
    recordings, problems = open_readable(files, options)
    if problems:
        sentence = f"{len(problems)} of {len(files)} recordings left out: {problems[0]}"
        warn(sentence)
    reading = _Reading(files, options, annotation_finder(options.annotations_at, path))
    return [
        _recording_view(recording, file.relative_to(folder).as_posix(), reading)
        for file, recording in recordings.items()
    ]


def views_of(source: str | Path | Recording | xr.DataTree | View | Sequence[View]) -> list[View]:
    """The views of a path, a recording, an open dataset, or several views."""
    if isinstance(source, xr.DataTree):
        return dataset_views(source)
    if isinstance(source, str | Path):
        return open_views(source)
    if isinstance(source, Recording):
        return [View(source.path.name, source)]
    if isinstance(source, View):
        return [source]
    return list(source)


@takes_options
def recording_view(
    path: str | Path,
    folder: str | Path | None = None,
    *,
    options: SourceOptions | None = None,
    **named: Unpack[SourceArguments],
) -> View:
    """A recording with its annotations, if they are readable.

    Arguments:
        path: the audio file.
        folder: its data folder, from which `annotations_at` starts; default: its own folder.
    """
    options = SourceOptions.given(options, named)
    path = Path(path)
    reading = _Reading([path], options, annotation_finder(options.annotations_at, folder or path))
    return _recording_view(open_for_dataset(path, options), path.name, reading)


@takes_options
def summarize(
    path: str | Path, *, options: SourceOptions | None = None, **named: Unpack[SourceArguments]
) -> pd.DataFrame:
    """Summarize recordings or splits: one row each, with totals in the last row.

    Arguments: as for `open_views`.
    """
    options = SourceOptions.given(options, named)
    if is_dataset(path):
        return describe(open_dataset(path))
    return list_recordings(path, options=options)


def completeness(views: Sequence[View]) -> pd.DataFrame:
    """How much of each recording, or split, is song, and how much is unknown.

    Returns: a table by name with seconds; song, the seconds of segments; annotations, their number;
        and unknown, the seconds that count as neither song nor noise.
    """
    rows, names = {}, song_names({name for view in views for name in view.annotations["name"]})
    for view in views:
        table, duration = occurrences(view.annotations), view.recording.duration_seconds
        table = table[table["name"].isin(names)]
        times = intersection(table[TIMES].to_numpy(), np.array([[0.0, duration]]))
        rows[view.name] = {
            "seconds": duration,
            "song": float(np.diff(times).sum()),
            "annotations": len(table),
            "unknown": view.unknown_seconds,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("name")


@takes_options
def find_problems(
    path: str | Path, *, options: SourceOptions | None = None, **named: Unpack[SourceArguments]
) -> pd.DataFrame:
    """List errors and probable mistakes; for a dataset, all of its audio is read.

    Arguments: as for `open_views`.

    Returns: a table with the columns file, row, name, problem and severity (error or warning);
        empty if there are no problems.
    """
    options = SourceOptions.given(options, named)
    if not is_dataset(path):
        return check_annotations(path, options=options)
    tree, sentences = open_dataset(path), []
    for split in SPLITS:
        song = song_stretches(array_of(tree[split]["y"]), split_stretches(tree, split))
        if split != "test" and tree[split].sizes["time"]:
            sentences += song_type_warnings(song, tree.attrs["class_names"], split)
        sentences += audio_warnings(tree, split)
    rows = [(str(path), None, None, sentence, WARNING) for sentence in sentences]
    return pd.DataFrame(rows, columns=PROBLEM_COLUMNS)


def describe_problems(problems: pd.DataFrame) -> str:
    """The result of `find_problems` as text: one line per problem."""
    sentences = zip(problems["severity"], format_problems(problems), strict=True)
    lines = [f"{severity}: {sentence}" for severity, sentence in sentences]
    return "\n".join(lines) or "No problems found."


@dataclass(eq=False)
class _Reading:
    """How annotations are read, and the song types across all recordings."""

    files: Sequence[Path]
    options: SourceOptions
    find_file: AnnotationFinder | None = None

    def read(self, recording: Path) -> pd.DataFrame:
        """Read the annotations of one of the recordings, in seconds."""
        options = self.options

        def samplerate_hz() -> float:  # of the file, even if resampled
            return open_at_own_rate(recording, options.loader, options.samplerate_hz).samplerate_hz

        return annotations_of(recording, options, self.find_file, samplerate_hz)[1]

    @cached_property
    def song(self) -> tuple[dict[str, str], set[str]]:
        """The category of each song type, and all names, in readable annotations."""
        tables = {}
        for file in self.files:
            with suppress(DssError):
                tables[file] = self.read(file)
        types = song_types(tables, map(definitions_path, self.files))
        return types, set(types).union(*(table["name"] for table in tables.values()))


def _recording_view(recording: Recording, name: str, reading: _Reading) -> View:
    path, duration = recording.path, recording.duration_seconds

    def annotations() -> pd.DataFrame:
        return reading.read(path)

    def unknown() -> np.ndarray:
        """The time that is not annotated, or in which not all song types are known."""
        known, table = read_annotated(path, duration), reading.read(path)
        if table["name"].str.startswith((NOISE, ABSENT)).any():
            types, names = reading.song  # reads all other recordings
            reach = GAUSSIAN_REACH * EVENT_STD_SECONDS
            known = known_stretches(table, types, known, reach, names)
        return complement(known, duration)

    how = reading.options
    return View(name, recording, annotations, unknown, time_unit=how.time_unit, unnamed=how.unnamed)
