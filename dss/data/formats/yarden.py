"""Annotations of SongAnnotationGUI (.mat): one file for many recordings, with numbers as names.

https://github.com/yardencsGitHub/BirdSongBout. The file has two cell arrays: `keys`, the names of
the recordings, and `elements`, a struct for each.
"""

import struct
from collections.abc import Iterable
from pathlib import Path, PureWindowsPath

import numpy as np

from dss.data.formats import mat5_parts
from dss.data.formats.rows import Row, in_order
from dss.errors import DssError

STARTS, STOPS, TYPES, RATE = "segFileStartTimes", "segFileEndTimes", "segType", "fs"
DATES = "segAbsStartTimes"  # of the segments, in days
DAY_SECONDS = 86_400


def read_yarden(path: Path) -> dict[str, list[Row]]:
    """The annotations of each recording, by its file name.

    Raises: DssError if it is not such a file, or lists a recording twice.
    """
    _, keys, songs = _read(path)
    by_name = {}
    for name, song in zip(keys, songs, strict=True):
        try:
            parts = mat5_parts.fields(song)
            types, starts, stops = (mat5_parts.numbers(parts[n]) for n in (TYPES, STARTS, STOPS))
        except (KeyError, ValueError) as error:
            raise DssError(f"{path}: the annotations of {name} cannot be read ({error})") from None
        if not len(types) == len(starts) == len(stops):
            raise DssError(
                f"{path}: has {len(types)} names, {len(starts)} onsets and {len(stops)} offsets of "
                f"{name}; there should be one of each per annotation"
            )
        names = (f"{number:.15g}" for number in types.tolist())
        by_name[name] = [*zip(names, starts.tolist(), stops.tolist(), strict=True)]
    return by_name


def write_yarden(
    rows: Iterable[Row], path: Path, recording: Path, samplerate_hz: float, replaced: Path
) -> None:
    """Write the annotations of a recording, whose names are whole numbers.

    The others in the file stay byte for byte.
    """
    variables, keys, songs = _read(replaced) if replaced.is_file() else ({}, [], [])
    if recording.name not in keys:
        keys.append(recording.name)
        rate = mat5_parts.doubles(np.array([[samplerate_hz]]))
        songs.append(mat5_parts.struct_array({RATE: rate}))
    place = keys.index(recording.name)
    try:
        songs[place] = _changed(songs[place], in_order(rows))
    except (KeyError, ValueError) as error:
        what = f"{replaced}: the annotations of {recording.name} cannot be replaced"
        raise DssError(f"{what} ({error})") from None
    names = mat5_parts.cells(variables["keys"]) if variables else []
    names += [mat5_parts.text(key) for key in keys[len(names) :]]
    both = {"keys": mat5_parts.cell_array(names), "elements": mat5_parts.cell_array(songs)}
    mat5_parts.write_variables(variables | both, path)


def _read(path: Path) -> tuple[dict[str, bytes], list[str], list[bytes]]:
    """All arrays in a file; the names of its recordings; the struct of each."""
    variables = mat5_parts.read_variables(path)
    try:
        keys = [mat5_parts.characters(key) for key in mat5_parts.cells(variables["keys"])]
        songs = mat5_parts.cells(variables["elements"])
    except (KeyError, ValueError, struct.error) as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise DssError(f"{path}: cannot be read as a file of SongAnnotationGUI ({what})") from None
    names = [PureWindowsPath(key).name for key in keys]
    if len(names) != len(songs) or len({*names}) != len(names):
        raise DssError(
            f"{path}: has {len(songs)} structs for {len({*names})} recordings in a list of "
            f"{len(names)}; there should be one of each"
        )
    return variables, names, songs


def _changed(song: bytes, rows: list[Row]) -> bytes:
    """The struct of a recording with other annotations; its further fields stay."""
    parts = mat5_parts.fields(song)
    types = np.array([int(name) for name, _, _ in rows], int)
    starts, stops = (np.array([row[i] for row in rows], float) for i in (1, 2))
    changed = {
        DATES: _begin(parts) + starts[None] / DAY_SECONDS,
        STARTS: starts[None],
        STOPS: stops[None],
        TYPES: types[:, None],
    }
    return mat5_parts.struct_array(
        parts | {name: mat5_parts.doubles(values) for name, values in changed.items()}
    )


def _begin(parts: dict[str, bytes]) -> float:
    """The date of the start of a recording, or 0 if its struct does not say it."""
    if {DATES, STARTS} <= {*parts}:
        dates, starts = (mat5_parts.numbers(parts[name]) for name in (DATES, STARTS))
        if len(dates) and len(dates) == len(starts):
            return float(dates[0] - starts[0] / DAY_SECONDS)
    return 0.0
