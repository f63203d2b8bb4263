"""Annotate a recording with a trained network."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Unpack

import numpy as np
import pandas as pd
import soundfile

from dss import models
from dss.data import fixes
from dss.data.ownership import write
from dss.data.recordings import Recording, array_recording, open_at_own_rate
from dss.errors import DssError
from dss.options import DetectOptions, PredictFilesOptions, PredictOptions, takes_options
from dss.options.arguments import PredictArguments
from dss.predict.confidence import calibration_of
from dss.predict.detection import detect, with_run_options
from dss.predict.near_misses import NearMisses, write_near_misses
from dss.predict.pending import find_matching
from dss.predict.stored_probabilities import probabilities_path, store_blocks
from dss.predict.stream import audio_array
from dss.runs import Run, open_run
from dss.support.files import remove, replacing
from dss.support.progress import bar
from dss.support.units import counted

# What an unreadable file may raise, in its header or later.
UNREADABLE = (DssError, OSError, soundfile.LibsndfileError)


@takes_options
def predict(
    recording: str | Path | np.ndarray,
    run: str | Path | Run,
    *,
    options: PredictOptions | None = None,
    **named: Unpack[PredictArguments],
) -> pd.DataFrame:
    """Annotate a recording, or several.

    Arguments:
        recording: an audio file; a folder, with its subfolders; a pattern such as `day1/*.wav`; or
            audio [samples, channels] or [samples], as floats in -1..1 or integers of a recorder, at
            the network's sample rate unless you give `samplerate_hz`. Other sample rates are
            resampled.
        run: the trunk of a run's files, any of them, their folder, or a `dss.runs.Run`.

    Returns: a table with name, start_seconds, stop_seconds and confidence, one row per annotation;
        for a folder or a pattern, with a further column recording: the path of the file.
    Raises: DssError if a recording or the run cannot be read, or they do not fit each other.

    Example:
        >>> from dss.predict import predict
        >>> table = predict("finch/bird1_08.wav", run)  # run: what `dss.train.train` gave
        >>> [*table.columns]
        ['name', 'start_seconds', 'stop_seconds', 'confidence']
    """
    options = PredictOptions.given(options, named)
    run = open_run(run)
    options = with_run_options(options, run.params)
    if isinstance(recording, np.ndarray) or Path(recording).is_file():
        return _detect(_blocks_with_bar(recording, run, options), run, options)
    paths, _ = find_matching(recording, options.endings)
    tables = [predict(path, run, options=options).assign(recording=str(path)) for path in paths]
    return pd.concat(tables, ignore_index=True)


def annotate_file(
    path: Path,
    target: Path,
    run: Run,
    options: PredictFilesOptions,
    after_block: Callable[[float], None],
) -> Exception | None:
    """Annotate one recording: write `target`, near misses next to it, and probabilities if
    requested.

    Arguments:
        path: the audio file.
        target: the annotation file.
        run: the trained network.
        options: as for `predict_files`, completed by `dss.predict.detection.with_run_options`.
        after_block: called with the seconds of audio annotated since the last call.

    Returns: the error if the recording cannot be read, or else None.
    """
    try:
        _annotate(path, target, run, options, after_block)
    except UNREADABLE as error:
        return error
    return None


@takes_options
def probabilities(
    recording: str | Path | np.ndarray,
    run: str | Path | Run,
    *,
    options: PredictOptions | None = None,
    **named: Unpack[PredictArguments],
) -> np.ndarray:
    """Compute the probability of each class at each sample of a recording: [samples, classes]
    float32.

    Meant for short recordings, since all of the result is in memory. Arguments as for `predict`,
    without folders and patterns. The samples are at the sample rate of the network.

    Example:
        >>> from dss.predict import probabilities
        >>> probabilities("finch/bird1_08.wav", run).shape[1]  # noise and six song types
        7
    """
    options = PredictOptions.given(options, named)
    run = open_run(run)
    return np.concatenate([*_blocks_with_bar(recording, run, options)])


def probability_blocks(
    recording: Recording,
    run: Run,
    options: PredictOptions,
    after_block: Callable[[float], None] = lambda seconds: None,
) -> Iterator[np.ndarray]:
    """Compute the probabilities of a recording, block by block: [samples, classes] float32.

    Arguments:
        recording: the result of `open_for_run`.
        run: the trained network.
        options: as for `predict`.
        after_block: called with the seconds of audio of each block once it has been used.
    """
    if options.batch_size:
        block_samples = options.batch_size * run.options.nb_hist
    else:
        block_samples = models.best_block(run.options, recording.n_samples)
    for _, p in run.network(block_samples).blocks(recording.read, recording.n_samples):
        yield p
        after_block(len(p) / run.samplerate_hz)


def _blocks_with_bar(
    recording: str | Path | np.ndarray, run: Run, options: PredictOptions
) -> Iterator[np.ndarray]:
    opened = open_for_run(recording, run, options)
    with bar(total=opened.duration_seconds, unit="s", desc="annotate") as progress:
        yield from probability_blocks(opened, run, options, progress.update)


def open_for_run(
    recording: str | Path | np.ndarray, run: Run, options: PredictOptions
) -> Recording:
    """Open an audio file or an array with the sample rate and channels that the network needs.

    Raises: DssError if it cannot be read, or has a different number of channels.
    """
    if not isinstance(recording, np.ndarray):
        return open_with_channels(recording, run, options).resampled(run.samplerate_hz)
    x = audio_array(recording, "the array")
    if not len(x):
        raise DssError("the array: is empty. Give audio of at least one sample.")
    rate = options.samplerate_hz or run.samplerate_hz
    opened = array_recording(x, rate, "the array")
    return _with_channels(opened, run, options).resampled(run.samplerate_hz)


def open_with_channels(path: str | Path, run: Run, options: PredictOptions) -> Recording:
    """Open an audio file with the channels that the network needs, at its own sample rate.

    An npy file is taken to have the network's sample rate, unless the options give another.
    """
    rate = options.samplerate_hz or run.samplerate_hz
    with fixes.collecting() as fixed:
        opened = open_at_own_rate(path, options.loader, rate)
        opened = _with_channels(opened, run, options)
    for file, what in fixed:
        if options.strict:
            raise DssError(f"{file}: {what}; this is not fixed (strict)")
        fixes.note(file, what)
    return opened


def _annotate(
    path: Path, target: Path, run: Run, options: PredictFilesOptions, after_block
) -> None:
    """Annotate one recording; arguments as for `annotate_file`."""
    recording = open_for_run(path, run, options)
    near = NearMisses(run.song_types, run.samplerate_hz, options)
    blocks = near.watch(probability_blocks(recording, run, options, after_block))
    if options.probabilities:
        with replacing(probabilities_path(target)) as part:
            table = _detect(store_blocks(blocks, part, recording.n_samples, run), run, options)
    else:
        table = _detect(blocks, run, options)
        remove(probabilities_path(target))  # of earlier annotations
    if options.proposals:
        table["confirmed"] = False
    write_near_misses(near.table(table), target)
    about = recording.duration_seconds, recording.own_samplerate_hz  # not that of the network
    write(table, target, options.format, *about)


def _detect(blocks: Iterable[np.ndarray], run: Run, options: DetectOptions) -> pd.DataFrame:
    calibration = calibration_of(run.params, run.trunk)
    return detect(blocks, run.song_types, run.samplerate_hz, calibration, options=options)


def _with_channels(recording: Recording, run: Run, options: PredictOptions) -> Recording:
    """Convert a recording to the channels that the network was trained with.

    Raises: DssError if that is impossible.
    """
    expected = run.params["nb_channels"]
    expects = f"the network was trained with {counted(expected, 'channel')}"
    if expected > 1 and (options.channel is not None or options.mix):
        name = "mix" if options.mix else "channel"
        raise DssError(f"{name}: {expects} and uses all of them. Leave this option out.")
    n = recording.n_channels
    recording = recording.one_channel(options.channel, options.mix)
    if expected == 1:
        recording = recording.without_equal_channels()
    if recording.n_channels == expected:
        return recording
    pick = ". Pick one of them (--channel), or use their mean (--mix)." if expected == 1 else ""
    raise DssError(f"{recording.path}: has {counted(n, 'channel')}, but {expects}{pick}")
