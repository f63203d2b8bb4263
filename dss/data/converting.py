"""Write the annotations of a folder in another format."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Unpack

import pandas as pd

from dss.data.annotated_recordings import AnnotatedRecording, annotations_of
from dss.data.annotation_paths import annotation_finder
from dss.data.annotations import occurrences, write_annotations
from dss.data.column_names import COLUMNS, is_duration, recording_column
from dss.data.formats.table_writing import OF_ALL, check_names, written_path
from dss.data.recording_files import find_recordings
from dss.data.recordings import open_at_own_rate
from dss.data.song_types import renamed
from dss.data.time_units import time_columns
from dss.errors import DssError, MissingAnnotations, naming, raise_problems
from dss.options import ConvertOptions, takes_options
from dss.options.arguments import ConvertArguments
from dss.support.files import resolved
from dss.support.progress import bar, say
from dss.support.units import counted, listed


@takes_options
def convert_annotations(
    folder: str | Path, *, options: ConvertOptions | None = None, **named: Unpack[ConvertArguments]
) -> list[Path]:
    """Write the annotations of recordings in the format of another program.

    What you corrected in the viewer, in `STEM_annotations.csv`, comes first. So annotations go back
    to the program that they came from, and predictions to any other. Recordings without annotations
    are left out.

    Arguments:
        folder: a folder of recordings, or a recording.

    Returns: the files written.
    Raises: DssError that lists what cannot be read or written, before anything is written.

    Example:
        >>> from dss.data import convert_annotations
        >>> files = convert_annotations("finch", format="textgrid", save_dir="for_praat")
        >>> len(files), files[0].name
        (8, 'bird1_01_annotations.TextGrid')
    """
    options = ConvertOptions.given(options, named)
    folder = Path(folder)
    sources = _read(folder, options)
    targets = _targets(folder, sources, options)
    n_without, columns = 0, dict[str, None]()
    for path in bar(targets, desc="writing", unit="recording", delay=1):
        recording, _, table, _ = sources[path]
        about = recording.duration_seconds, recording.samplerate_hz, path
        write_annotations(table, targets[path], options.format, *about)
        n_without += len(table) - len(occurrences(table))
        columns |= dict.fromkeys(_further_columns(table))
    if options.format != "csv":
        rows = f"{counted(n_without, 'row')} for song types that were not found" * bool(n_without)
        further = f"the column{'s' * (len(columns) > 1)} {listed([*columns])}" * bool(columns)
        if lost := " and ".join(filter(None, [rows, further])):
            say(f"left out, as only csv holds them: {lost}")
    return [*dict.fromkeys(targets.values())]


def _further_columns(table: pd.DataFrame) -> list[str]:
    """The columns of a table that are neither names nor times, nor name the recording."""
    header = [str(column) for column in table.columns]
    read = {*COLUMNS, recording_column(header), *time_columns(header).values()}
    return [column for column in header if column not in read and not is_duration(column)]


def _read(folder: Path, options: ConvertOptions) -> dict[Path, AnnotatedRecording]:
    """Each recording that has annotations."""
    find = annotation_finder(options.annotations_at, folder)
    sources, problems = {}, []
    paths = find_recordings(folder, options.endings)
    for path in bar(paths, desc="reading", unit="recording", delay=1):
        try:
            recording = open_at_own_rate(path, options.loader, options.samplerate_hz)
            file, table = annotations_of(path, options, find, recording.samplerate_hz)
            table["name"] = [renamed(name, options.rename) for name in table["name"]]
            check_names(occurrences(table)["name"], options.format)
        except MissingAnnotations:
            continue
        except (DssError, OSError) as error:
            problems.append(naming(path, error))
            continue
        sources[path] = AnnotatedRecording(recording, file, table)
    raise_problems(problems, "These annotations cannot be converted; nothing was written:")
    return sources


def _targets(
    folder: Path, sources: Mapping[Path, AnnotatedRecording], options: ConvertOptions
) -> dict[Path, Path]:
    """The file to write for each recording whose annotations are not in it already."""
    root = folder if folder.is_dir() else folder.parent
    top = options.save_dir or root
    if options.format in OF_ALL:
        targets = dict.fromkeys(sources, written_path(top / "any", options.format))
    else:
        targets = {p: written_path(top / p.relative_to(root), options.format) for p in sources}
    targets = {
        path: t for path, t in targets.items() if resolved(t) != resolved(sources[path].file)
    }
    if not targets:
        raise DssError(f"{folder}: has no annotations, or all are in such files already")
    keys = Counter((targets[p], p.name if options.format in OF_ALL else "") for p in targets)
    raise_problems(
        [f"{target} {name}".strip() for (target, name), n in keys.items() if n > 1],
        "Several recordings of the same name would be written here. Rename one:",
    )
    there = sorted({str(target) for target in targets.values() if target.exists()})
    if not options.overwrite:
        raise_problems(
            there,
            "These files exist already. Choose another folder (--save-dir), or replace them "
            "(--overwrite):",
        )
    return targets
