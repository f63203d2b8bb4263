"""Propose segments or events without a network: sounds that exceed the noise in their band."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Unpack

import numpy as np
import pandas as pd
import scipy.ndimage

from dss.data import ownership
from dss.data.annotations import read_annotations
from dss.data.recordings import Recording, open_recording
from dss.data.text_tables import COLUMNS, TIMES
from dss.errors import warn
from dss.evaluate.pairs import stem_of
from dss.options import ProposeOptions, takes_options
from dss.options.arguments import ProposeArguments
from dss.predict.pending import target_paths
from dss.predict.recording import UNREADABLE
from dss.review.loudness import Loudness, find_peaks, find_segments, loudest, measure_loudness
from dss.support.files import check_writable
from dss.support.units import counted, listed, readable
from dss.support.writers import only_writer_of

LOWEST_DB, PART_OF_RANGE = 2, 0.75  # range of the thresholds tried, 1 dB apart
STEPS, TOLERANCE_SECONDS = (5, 10), 0.01  # dB up; how far boundaries may move
NUMBER_POWER = 0.1  # how much it counts that many boundaries stay
SMOOTHING_DB = 3  # of stability
AS_STABLE = 0.95  # fraction of the best stability that is good enough
UP = 0.2  # from the lowest to the highest threshold that is good enough
MOST_LISTED = 10  # files whose proposals are counted one by one
PART_OF_TYPICAL, SHORTEST_SECONDS = 0.25, (0.01, 0.02)  # of typical durations; and its limits


@takes_options
def propose(
    recording: Recording,
    *,
    options: ProposeOptions | None = None,
    **named: Unpack[ProposeArguments],
) -> pd.DataFrame:
    """Find what is probably song in a recording, without a network.

    Arguments:
        recording: the result of `dss.data.open_recording`. It is read block by block.

    Returns: an annotation table with the same name in all rows.
    Raises: DssError if the frequency range is empty.
    """
    options = ProposeOptions.given(options, named)
    loudness = measure_loudness(recording, options.lowest_hz, options.highest_hz)
    given_db = options.threshold_db
    threshold_db = stable_threshold(loudness) if given_db is None else given_db
    return above_threshold(loudness, threshold_db, recording.duration_seconds, options)


def above_threshold(
    loudness: Loudness, threshold_db: float, duration_seconds: float, options: ProposeOptions
) -> pd.DataFrame:
    """An annotation table of everything louder than a threshold.

    Arguments:
        loudness: the result of `measure_loudness`.
        threshold_db: above the noise; the threshold in the options is ignored.
        duration_seconds: the length of the recording.
        options: segments or events, their name and durations.
    """
    if options.kind == "event":
        seconds = find_peaks(loudness, threshold_db, options.event_distance_seconds)
        times = np.column_stack([seconds, seconds])
    else:
        shortest = options.min_seconds
        if shortest is None:
            shortest = shortest_seconds(loudness, threshold_db)
        times = find_segments(loudness, threshold_db, options.fill_seconds, shortest)
        if options.max_seconds is not None:
            times = times[times[:, 1] - times[:, 0] <= options.max_seconds]
        times = np.minimum(times, duration_seconds)
    table = pd.DataFrame(times, columns=TIMES).assign(name=options.song_type)
    return table[COLUMNS].astype({"name": str})


@takes_options
def propose_files(
    recordings: str | Path,
    *,
    after_each: Callable[[Path], None] | None = None,
    options: ProposeOptions | None = None,
    **named: Unpack[ProposeArguments],
) -> list[Path]:
    """Write proposals for recordings, as annotation files to name and correct.

    Arguments:
        recordings: an audio file, a folder, or a pattern such as `day1/*.wav`.
        after_each: called with each file that was written.

    Returns: the files, `STEM_annotations.csv`. Recordings with manual annotations, and unreadable
        ones, are left out with a warning.
    Raises: DssError if there are no recordings.
    """
    options = ProposeOptions.given(options, named)
    files = target_paths(recordings, options.save_dir, "csv")
    by_hand = [file for file in files.values() if file.exists() and not ownership.is_by_dss(file)]
    if by_hand:
        said = f"{listed(by_hand, 1)}: contains manual annotations, so nothing is proposed there"
        warn(said)
    todo = {path: file for path, file in files.items() if file not in by_hand}
    with only_writer_of(todo.values()):
        return [*_propose_each(todo, options, after_each, is_alone=len(files) == 1)]


def format_proposals(files: Sequence[Path]) -> str:
    """What the files of `propose_files` hold, each if they are few, and what to do next."""
    tables = {file: read_annotations(file) for file in files}
    names = {name for table in tables.values() for name in table["name"]}
    lines = []
    if len(files) <= MOST_LISTED:
        lines += [f"{stem_of(file)}: {_amount([table])}" for file, table in tables.items()]
    if len(files) > 1:
        lines.append(f"{len(files):,} recordings: {_amount([*tables.values()])}")
    if names:
        lines.append(
            f"All have the name {', '.join(names)}. Next, open the folder in notebook 1, which dss "
            "notebooks writes: delete what is not song, and name the rest."
        )
    else:
        lines.append("Nothing is loud enough. Set a lower threshold, such as --threshold-db 5.")
    return "\n".join(lines)


def _amount(tables: Sequence[pd.DataFrame]) -> str:
    """How many sounds are proposed, and how long they are in all."""
    seconds = sum(float((t["stop_seconds"] - t["start_seconds"]).sum()) for t in tables)
    return counted(sum(map(len, tables)), "sound") + (f", {readable(seconds)}" if seconds else "")


def _propose_each(
    files: Mapping[Path, Path],
    options: ProposeOptions,
    after_each: Callable[[Path], None] | None,
    is_alone: bool,
) -> Iterator[Path]:
    """Write proposals for each recording that can be read; yields the files."""
    for path, file in files.items():
        try:
            recording = open_recording(path)
            table = propose(recording, options=options)
        except UNREADABLE as error:
            if is_alone:
                raise
            warn(str(error))
            continue
        check_writable(file.parent)
        ownership.write(table, file, "csv", recording.duration_seconds, recording.samplerate_hz)
        if after_each:
            after_each(file)
        yield file


def stable_threshold(loudness: Loudness) -> float:
    """Find a threshold at which many boundaries hardly move when it rises by a few dB.

    At onsets and offsets of song, loudness changes steeply, so they hardly move; noise, and
    fluctuations within syllables, come and go with the threshold. Among thresholds about as stable
    as the most stable one, a low one is chosen: it misses little, and is close to where sounds
    start and stop.
    """
    highest = max(LOWEST_DB + 6, PART_OF_RANGE * float(loudest(loudness.db)))
    thresholds = np.arange(LOWEST_DB, highest)
    found = [find_segments(loudness, t) for t in range(LOWEST_DB, int(highest) + max(STEPS) + 1)]
    agreements = [
        sum(_agreement(found[i], found[i + step]) for step in STEPS) for i in range(len(thresholds))
    ]
    stability = scipy.ndimage.gaussian_filter1d(np.array(agreements), SMOOTHING_DB)
    stable = thresholds[stability >= AS_STABLE * stability.max()]
    return float(np.round(stable[0] + UP * (stable[-1] - stable[0])))


def shortest_seconds(loudness: Loudness, threshold_db: float) -> float:
    """The minimum duration of a sound, from 10 to 20 ms: a quarter of the typical duration.

    Half of the sound, rather than half of the sounds, lasts longer than the typical duration, so
    clicks hardly count.
    """
    durations = np.sort(np.diff(find_segments(loudness, threshold_db, min_seconds=0)).ravel())
    if not len(durations):
        return SHORTEST_SECONDS[0]
    sums = durations.cumsum()
    typical = durations[sums.searchsorted(sums[-1] / 2)]
    return round(float(np.clip(PART_OF_TYPICAL * typical, *SHORTEST_SECONDS)), 4)


def _agreement(one: np.ndarray, other: np.ndarray) -> float:
    """F1 of the boundaries of segments, onsets and offsets together; higher if these are many."""
    if not len(one) or not len(other):
        return 0.0
    agreeing = sum(_n_close(one[:, i], other[:, i]) for i in (0, 1))
    return agreeing / (len(one) + len(other)) * agreeing**NUMBER_POWER


def _n_close(one: np.ndarray, other: np.ndarray) -> int:
    """How many times in two lists are mutual nearest neighbours within the tolerance."""
    there, back = _nearest(one, other), _nearest(other, one)
    is_mutual = back[there] == np.arange(len(one))
    return int((is_mutual & (np.abs(other[there] - one) <= TOLERANCE_SECONDS)).sum())


def _nearest(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """For each time in a list, the number of the nearest one in another; both are increasing."""
    after = np.searchsorted(other, one).clip(1, max(1, len(other) - 1))
    after = np.minimum(after, len(other) - 1)
    before = np.maximum(after - 1, 0)
    return np.where(one - other[before] <= other[after] - one, before, after)
