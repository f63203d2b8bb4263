"""Annotations that are not next to their recordings: patterns that say where, and which fits.

A pattern is a path from the data folder, in which `{folder}` stands for the folder of the
recording, `{parent}` for the last part of that folder, `{name}` and `{stem}` for the recording's
name with and without its ending, `{stem-_audio}` for the stem without `_audio` at its end, and `*`
for any text.
"""

import glob
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path, PurePosixPath

from dss.data.formats import lists
from dss.data.formats.guessing import guess_format
from dss.data.formats.shared_tables import lists_many
from dss.data.recording_files import AUDIO_ENDINGS
from dss.data.spreadsheets import WORKBOOK
from dss.errors import DssError, MissingAnnotations

AnnotationFinder = Callable[[Path], Path]

FIELD = re.compile(r"\{([^{}]*)\}")
ENDINGS = (
    *(".csv", ".txt", ".tsv", ".xlsx", ".textgrid", ".svl", ".eaf", ".not.mat", ".phn", ".wrd"),
    *(".json", ".rttm", ".vtt", ".srt"),
)
MOST_FILES = 50_000  # searched to find a pattern
MOST_TABLES, MOST_BYTES = 1000, 2**22  # searched for names of the recordings, of each so much
MOST_OPENED = 20  # tables that may list the recordings
MOST_RECORDINGS = 20  # to try a pattern on
TABLES = (".csv", ".txt", ".tsv", ".xlsx", ".json", ".rttm")  # that may list many recordings
CODES = ("utf-8", "utf-16-le", "utf-16-be")  # of names in tables
FEWEST = 0.5  # fraction of these that a pattern has to fit


def annotation_finder(pattern: str | None, folder: str | Path) -> AnnotationFinder | None:
    """A function that finds the annotations of a recording; None without a pattern.

    Arguments:
        pattern: as described above.
        folder: the data folder, or its only recording.

    Raises: DssError if the pattern has an unknown field; the function raises it unless exactly one
        file fits.
    """
    if pattern is None:
        return None
    root = Path(folder) if Path(folder).is_dir() else Path(folder).parent
    for field in FIELD.findall(pattern):
        if field not in ("folder", "parent", "name", "stem") and not field.startswith("stem-"):
            raise DssError(
                f"annotations_at: there is no {{{field}}}, only {{folder}}, {{parent}}, {{name}}, "
                f"{{stem}} and {{stem-TEXT}}"
            )

    is_by_name = "{stem" in pattern or "{name}" in pattern
    taken: dict[str, Path] = {}

    def find(recording: Path) -> Path:
        wanted = FIELD.sub(lambda match: _filled(match[1], recording, root), pattern)
        there = sorted(path for path in glob.glob(str(root / wanted)) if Path(path).is_file())
        if len(there) == 1:
            other = taken.setdefault(there[0], recording)
            if is_by_name and other != recording:
                raise DssError(
                    f"{there[0]}: annotations_at finds this file for {other} and for {recording}; "
                    "tell them apart by {folder} or {parent}"
                )
            return Path(os.path.normpath(there[0]))
        place = f"{root / wanted} (annotations_at)"
        if not there:
            raise MissingAnnotations(f"{recording}: there are no annotations at {place}; add them")
        raise DssError(f"{recording}: there are {len(there)} files at {place}")

    return find


def files_by_pattern(
    pattern: str, folder: Path, recordings: Sequence[Path]
) -> list[tuple[Path, Path]]:
    """The recordings for which a pattern finds annotations, each with its file."""
    find, found = annotation_finder(pattern, folder), []
    assert find is not None  # as there is a pattern
    for recording in recordings:
        with suppress(DssError):
            path = find(recording)
            if not _omits(path, recording):
                found.append((recording, path))
    return found


def proposed_pattern(folder: str | Path, recordings: Sequence[Path]) -> str | None:
    """The pattern that fits most recordings without annotations; None if none fits enough of them.

    Files in the data folder and in the folders next to it are searched, except those that belong to
    a recording in their own folder.
    """
    root = Path(folder)
    if not root.is_dir() or not recordings:
        return None
    root = root.resolve()
    tried = [Path(path).resolve() for path in recordings[:: len(recordings) // MOST_RECORDINGS + 1]]
    there = dict.fromkeys(path for top in (root, root.parent) for path in _files(top))
    stems = _stems_by_folder(there)
    files = [
        path
        for path in there
        if path.name.lower().endswith(ENDINGS) and not _has_recording(path, stems, root)
    ]
    votes: Counter[str] = Counter()
    n_in = Counter(Path(path).resolve().parent for path in recordings)
    for recording in tried:
        is_alone = n_in[recording.parent] == 1
        found = (_pattern(path, recording, root, is_alone) for path in files)
        votes.update({pattern for pattern in found if pattern})
    fits = [pattern for pattern, n in votes.most_common(5) if n >= FEWEST * len(tried)]

    if not any(pattern[:2] != ".." for pattern in fits):
        others = {folder for place in stems for folder in (place, *place.parents)}
        near = [path for path in files if _is_near(path, root) or path.parent not in others]
        fits += _tables_of_many(near, tried, root)

    def fit(pattern: str) -> tuple[int, bool]:
        files = [file for _, file in files_by_pattern(pattern, root, tried)]
        return sum(guess_format(file) is not None for file in files), pattern[:2] != ".."

    best = max(fits, key=fit, default=None)
    return best if best and fit(best)[0] else None


def _tables_of_many(files: list[Path], recordings: list[Path], root: Path) -> list[str]:
    """The paths of tables that list enough of these recordings."""
    tables = [path for path in files if path.suffix.lower() in TABLES]
    tables = sorted(tables, key=lambda path: len(path.parts))[:MOST_TABLES]
    tables = [path for path in tables if _may_list(path, recordings)][:MOST_OPENED]
    n = {path: sum(lists(path, guess_format(path) or "", r) for r in recordings) for path in tables}
    enough = [path for path in tables if n[path] >= FEWEST * len(recordings)]
    return [Path(os.path.relpath(path, root)).as_posix() for path in enough]


def _may_list(path: Path, recordings: list[Path]) -> bool:
    """Whether a table names one of the recordings, without parsing it; workbooks are packed."""
    content = b""
    if path.is_file():  # neither a link to nothing nor a pipe
        with suppress(OSError), path.open("rb") as file:
            content = file.read(MOST_BYTES)
    coded = (r.stem.encode(code, "replace") for r in recordings for code in CODES)
    is_packed = bool(content) and path.suffix.lower() == WORKBOOK
    return is_packed or any(name in content for name in coded)


def _omits(path: Path, recording: Path) -> bool:
    """Whether a file is a table of many recordings without this one."""
    format = guess_format(path) or ""
    is_table = format in ("csv", "raven", "generic-seq") and lists_many(path, format, recording)
    return is_table and not lists(path, format, recording)


def _replaced(name: str, text: str, field: str) -> str | None:
    """A name with a field in place of a text that stands alone in it; None if there is none."""
    found = re.search(rf"(?<![A-Za-z0-9]){re.escape(text)}(?![A-Za-z0-9])", name)
    return name[: found.start()] + field + name[found.end() :] if found else None


def _filled(field: str, recording: Path, root: Path) -> str:
    folder = Path(os.path.relpath(recording.parent, root)).as_posix()
    values = {
        "folder": folder,
        "parent": recording.parent.name,
        "name": recording.name,
        "stem": recording.stem,
    }
    stem, _, text = field.partition("-")
    return glob.escape(values[stem].removesuffix(text) if text else values[stem])


def _files(top: Path):
    walked = (Path(place, name) for place, _, names in os.walk(top) for name in names)
    return islice(walked, MOST_FILES)


def _stems_by_folder(paths: Iterable[Path]) -> dict[Path, set[str]]:
    """The names of recordings without their endings, by folder."""
    stems: dict[Path, set[str]] = {}
    for path in paths:
        if path.suffix.lower() in AUDIO_ENDINGS:
            stems.setdefault(path.parent, set()).add(path.stem)
    return stems


def _has_recording(path: Path, stems: dict[Path, set[str]], root: Path) -> bool:
    """Whether a file outside the data folder is named after a recording beside it."""
    there = stems.get(path.parent)
    if not there or path.is_relative_to(root):
        return False
    return any(path.name[: end.start()] in there for end in re.finditer(r"[^A-Za-z0-9]", path.name))


def _is_near(path: Path, root: Path) -> bool:
    """Whether a file lies in a data folder or right beside it, not in another one next to it."""
    return path.parent == root.parent or path.is_relative_to(root)


def _pattern(path: Path, recording: Path, root: Path, is_alone: bool) -> str | None:
    """How the path of a file follows from that of a recording; None if their names differ.

    If a recording is alone in its folder, names do not matter.
    """
    short = re.sub(r"[-_. ][A-Za-z]+\d*$", "", recording.stem)
    fields = {recording.name: "{name}", recording.stem: "{stem}"}
    if short != recording.stem:
        fields[short] = f"{{stem-{recording.stem[len(short) :]}}}"
    if path.stem == recording.parent.name:
        name = "{parent}" + path.suffix
    else:
        names = (_replaced(path.name, text, field) for text, field in fields.items())
        is_beside = is_alone and path.parent == recording.parent
        name = next(filter(None, names), path.name if is_beside else "")
    if not name:
        return None
    own = Path(os.path.relpath(recording.parent, root)).parts
    parts = list(Path(os.path.relpath(path.parent, root)).parts)
    for i in range(len(parts) - len(own) + 1):
        if own and tuple(parts[i : i + len(own)]) == own:
            parts[i : i + len(own)] = ["{folder}"]
            break
    else:
        parts = ["{parent}" if own and part == own[-1] else part for part in parts]
    return str(PurePosixPath(*parts, name))
