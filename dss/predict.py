"""Annotate recordings with a trained network."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from dss.data.annotations import annotations_path, write_annotations
from dss.data.recordings import find_recordings, open_recording
from dss.errors import DssError, raise_problems
from dss.options import PredictFilesOptions, PredictOptions, takes_options
from dss.postprocess import detect
from dss.progress import bar
from dss.runs import Run, load_run, run_trunk


@takes_options
def predict(
    recording: str | Path | np.ndarray, run: str | Path | Run, *, options: PredictOptions
) -> pd.DataFrame:
    """Annotate one recording.

    Arguments:
        recording: an audio file, or audio [samples, channels] or [samples] in -1..1 at the sample
            rate of the network.
        run: the trunk of a run's files, any one of them, or what `dss.runs.load_run` gave.

    Returns: a table with name, start_seconds, stop_seconds and confidence, a row an annotation.
    Raises: DssError if the recording or the run cannot be read, or do not fit each other.
    """
    run = run if isinstance(run, Run) else load_run(run)
    read, n_samples = _reader(recording, run)
    blocks = _probability_blocks(read, n_samples, run, options)
    return detect((p for _, p in blocks), run.song_types, run.samplerate_hz, options=options)


@takes_options
def predict_files(
    recordings: str | Path, run: str | Path | Run, *, options: PredictFilesOptions
) -> list[Path]:
    """Annotate recordings, one after the other, and write `STEM_annotations.csv` for each.

    Arguments:
        recordings: an audio file, or a folder of audio files; subfolders count, and are made in
            the save folder too.
        run: the trunk of a run's files, any one of them, or what `dss.runs.load_run` gave.

    Returns: the files written, in the order of the recordings' paths.
    Raises: DssError before anything is written if a recording cannot be read or does not fit the
        network, or if annotations would be overwritten.
    """
    run = run if isinstance(run, Run) else run_trunk(run)
    opened = [open_recording(path) for path in find_recordings(recordings)]
    folder = Path(recordings) if Path(recordings).is_dir() else Path(recordings).parent
    save_dir = options.save_dir or folder
    targets = [annotations_path(save_dir / r.path.relative_to(folder)) for r in opened]
    _check_targets(targets, options.overwrite)
    run = run if isinstance(run, Run) else load_run(run)
    for recording in opened:
        _check_fits(recording.path, recording.samplerate_hz, recording.n_channels, run)
    for recording, target in zip(bar(opened, unit="recording"), targets, strict=True):
        write_annotations(predict(recording.path, run, options=options), target)
    return targets


@takes_options
def probabilities(
    recording: str | Path | np.ndarray, run: str | Path | Run, *, options: PredictOptions
) -> np.ndarray:
    """The probability of each class at each sample of a recording: [samples, classes] float32.

    For a short recording, to look at: all of it is in memory. Arguments as for `predict`.
    """
    run = run if isinstance(run, Run) else load_run(run)
    read, n_samples = _reader(recording, run)
    return np.concatenate([p for _, p in _probability_blocks(read, n_samples, run, options)])


def _probability_blocks(
    read: Callable[[int, int], np.ndarray], n_samples: int, run: Run, options: PredictOptions
) -> Iterator[tuple[int, np.ndarray]]:
    network = run.network(options.batch_size)
    with bar(total=n_samples / run.samplerate_hz, unit="s", desc="annotate") as progress:
        for start, p in network.blocks(read, n_samples):
            yield start, p
            progress.update(len(p) / run.samplerate_hz)


def _reader(recording: str | Path | np.ndarray, run: Run) -> tuple[Callable, int]:
    """A function that reads samples from start to before stop, and how many there are."""
    if isinstance(recording, np.ndarray):
        x = np.atleast_2d(recording.T).T
        _check_fits("the array", run.samplerate_hz, x.shape[1], run)
        return (lambda start, stop: x[start:stop].astype(np.float32)), len(x)
    opened = open_recording(recording)
    _check_fits(opened.path, opened.samplerate_hz, opened.n_channels, run)
    return opened.read, opened.n_samples


def _check_targets(targets: list[Path], overwrite: bool) -> None:
    twice = sorted({str(target) for target in targets if targets.count(target) > 1})
    raise_problems(twice, "Two recordings of one name would be annotated in one file; rename one:")
    there = [str(target) for target in targets if target.exists()]
    if not overwrite:
        raise_problems(
            there,
            "These annotations are there already. Give another folder (--save-dir), or overwrite "
            "them (--overwrite):",
        )


def _check_fits(source, samplerate_hz: float, n_channels: int, run: Run) -> None:
    if samplerate_hz != run.samplerate_hz:
        raise DssError(
            f"{source}: the sample rate is {samplerate_hz:g} Hz, but the network was trained with "
            f"{run.samplerate_hz:g} Hz. Resample the recording."
        )
    if n_channels != run.params["nb_channels"]:
        raise DssError(
            f"{source}: has {n_channels} channels, but the network was trained with "
            f"{run.params['nb_channels']}"
        )
