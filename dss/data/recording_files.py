"""Find the recordings of a folder: audio files, but nothing that dss wrote itself."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from dss.data.annotation_files import annotations_beside
from dss.data.audio import ARRAY_ENDINGS, SOUND_ENDINGS, holds_audio
from dss.errors import DssError
from dss.support.units import listed

AUDIO_ENDINGS = (*SOUND_ENDINGS, *ARRAY_ENDINGS)
RUN_ENDINGS = ("_model.h5", "_results.h5")
STORE_ENDINGS = (".npy", ".zarr")


def find_recordings(path: str | Path, endings: Sequence[str] | None = None) -> list[Path]:
    """The audio files in a folder and its subfolders, sorted by path; or the one file itself.

    Hidden files and folders and datasets are left out, as are files that may be something else
    unless they have annotations: npz and h5 files without audio and a sample rate, and all npy
    files.

    Arguments:
        path: the folder.
        endings: find only files with these endings, such as [".mat"] for a loader of your own.

    Raises: DssError if there is no such folder, or no recording in it.

    Example:
        >>> from dss.data import find_recordings
        >>> recordings = find_recordings("finch")
        >>> len(recordings), recordings[0].name
        (8, 'bird1_01.wav')
    """
    path = Path(path)
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DssError(f"{path}: there is no such file or folder")
    if not os.access(path, os.R_OK | os.X_OK):
        raise DssError(f"{path}: you have no permission to read this folder")
    wanted = tuple(ending.lower() for ending in endings or AUDIO_ENDINGS)
    there = [*visible_files(path)]
    found = sorted(
        file
        for file in there
        if file.name.lower().endswith(wanted)
        and (file.is_file() or _leads_nowhere(file))
        and (endings or _is_recording(file))
    )
    if not found and path.name.endswith(STORE_ENDINGS):
        raise DssError(f"{path}: is a dataset; name the folder of its recordings instead")
    if not found:
        others = sorted({file.suffix.lower() or file.name for file in there})
        are_tables = {*others} <= {".csv", ".txt", ".tsv", ".textgrid", ".json"}
        way = "name the folder of the recordings" if are_tables else "convert recordings to wav"
        only = f", only {listed(others)}; {way}" if others else ""
        raise DssError(f"{path}: contains no recordings ({', '.join(wanted)}){only}")
    return found


def visible_files(folder: Path) -> Iterator[Path]:
    """All files in a folder and its subfolders, except hidden ones and those of datasets.

    Hidden are also the files `._bird.wav` of macOS. Links to folders are followed; each file comes
    once.
    """
    seen = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        status = os.stat(place)
        if (status.st_dev, status.st_ino) in seen:  # a link led back
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = [name for name in folders if not name.startswith(".")]
        folders[:] = [name for name in folders if not name.endswith(STORE_ENDINGS)]
        yield from (Path(place, name) for name in names if not name.startswith("."))


def _leads_nowhere(file: Path) -> bool:
    """Whether a file is a broken link, such as to a file that git-annex has not fetched."""
    return file.is_symlink() and not file.exists()


def _is_recording(file: Path) -> bool:
    ending = file.suffix.lower()
    if ending in (*SOUND_ENDINGS, ".cbin"):
        return True
    is_audio = ending != ".npy" and not file.name.endswith(RUN_ENDINGS) and holds_audio(file)
    return is_audio or bool(annotations_beside(file))
