"""Which recordings to annotate, and into which files."""

import glob
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from dss.data.annotation_files import existing_annotations
from dss.data.formats.table_writing import written_path
from dss.data.ownership import check_replaceable, is_by_dss
from dss.data.recording_files import find_recordings
from dss.errors import DssError, raise_problems
from dss.support.files import resolved
from dss.support.progress import say


def find_matching(
    recordings: str | Path, endings: Sequence[str] | None = None
) -> tuple[list[Path], Path]:
    """The audio files for a file, a folder or a pattern, and their common folder.

    A pattern with an ending, such as "*.mat", matches all files that have it; a pattern without
    one, such as "day1/*", matches what `find_recordings` accepts.
    """
    path = Path(recordings)
    if path.exists() or not glob.has_magic(str(path)):
        return find_recordings(path, endings), path if path.is_dir() else path.parent
    found = _matching(str(path), endings)
    if not found:
        raise DssError(f"{path}: no file matches this pattern. Check the folder and the ending.")
    plain = []
    for part in path.parent.parts:
        if glob.has_magic(part):
            break
        plain.append(part)
    return sorted(found), Path(*plain)


def _matching(pattern: str, endings: Sequence[str] | None) -> set[Path]:
    ending = Path(pattern).suffix
    has_ending = bool(ending) and not glob.has_magic(ending)

    @cache
    def within(folder: Path) -> set[Path]:
        try:
            return {*find_recordings(folder, endings)}
        except DssError:  # no recordings
            return set()

    found = set()
    for match in map(Path, glob.glob(pattern, recursive=True)):
        if match.is_dir():
            found |= within(match)
        elif has_ending or match in within(match.parent):
            found.add(match)
    return found


def target_paths(
    recordings: str | Path, save_dir: Path | None, format: str, endings: Sequence[str] | None = None
) -> dict[Path, Path]:
    """The annotation file of each recording in a file, a folder or a pattern.

    Arguments:
        recordings: as for `find_matching`.
        save_dir: the folder for the annotation files, in the same subfolders as the recordings;
            None for next to the recordings.
        format: the format of the files.
        endings: as for `find_recordings`.
    """
    paths, folder = find_matching(recordings, endings)
    return {
        path: written_path((save_dir or folder) / path.relative_to(folder), format)
        for path in paths
    }


def annotated_already(recording: Path, target: Path) -> Path | None:
    """The existing annotations of a recording, or None.

    These are in the target file or, if that is next to the recording, in any file there, or a table
    of many recordings, that dss did not write.
    """
    if target.exists():
        return target
    if resolved(target.parent) != resolved(recording.parent):
        return None
    there = existing_annotations(recording)
    return next((file for file in there if not is_by_dss(file)), None)


def still_to_do(targets: dict[Path, Path], existing: str) -> list[Path]:
    """The recordings that are still to be annotated.

    Arguments:
        targets: the annotation file of each audio file.
        existing: "skip", "overwrite" or "error": what to do about existing annotations.

    Raises: DssError for "error"; for "overwrite" if annotations were made or changed by hand; and
        if two recordings would be annotated in the same file.
    """
    files = list(targets.values())
    twice = sorted(str(target) for target, n in Counter(files).items() if n > 1)
    raise_problems(twice, "Recordings with the same name would write to the same file. Rename one:")
    found = {path: annotated_already(path, target) for path, target in targets.items()}
    there = {path: file for path, file in found.items() if file}
    if existing == "overwrite":
        check_replaceable(there.values())
    if existing == "overwrite" or not there:
        return list(targets)
    if existing == "error":
        raise_problems(
            [*map(str, there.values())],
            "These annotations already exist. Choose another folder (--save-dir), skip their "
            "recordings (--existing skip), or overwrite them (--existing overwrite):",
        )
    say(
        f"skipped {len(there)} of {len(targets)} recordings, which already have annotations. Use "
        "--existing overwrite to replace them, or --save-dir to write elsewhere."
    )
    return [path for path in targets if path not in there]
