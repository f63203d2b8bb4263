"""Annotate recordings with a trained network."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from dss import models
from dss.data.audio import Loader, as_float
from dss.data.recordings import Recording, open_recording, unsaid_rate
from dss.errors import DssError, raise_problems
from dss.files import check_writable, remove, replacing
from dss.near_misses import NearMisses, write_near_misses
from dss.options import DetectOptions, PredictFilesOptions, PredictOptions, takes_options
from dss.postprocess import detect, tuned
from dss.probabilities import probabilities_path, store_blocks
from dss.progress import bar, say
from dss.runs import Run, open_run, read_params, run_trunk
from dss.stream import Stream, audio_array
from dss.worklist import Pace, find_matching, still_to_do, target_paths
from dss.written import write

__all__ = ["Stream", "annotate", "attempt", "predict", "predict_files", "probabilities"]

# What a file that cannot be read raises, in its header or on the way.
UNREADABLE = (DssError, OSError, soundfile.LibsndfileError)


@takes_options
def predict(
    recording: str | Path | np.ndarray,
    run: str | Path | Run,
    loader: Loader | None = None,
    *,
    options: PredictOptions,
) -> pd.DataFrame:
    """Annotate a recording, or several.

    Arguments:
        recording: an audio file; a folder of these, with its subfolders; a pattern such as
            "day1/*.wav"; or audio [samples, channels] or [samples], floats in -1..1 or integers of
            a recorder, at the sample rate of the network unless `samplerate_hz` says otherwise.
            What has another sample rate is resampled.
        run: the trunk of a run's files, any one of them, or what `dss.runs.load_run` gave.
        loader: a function that reads recordings of another form, as for `dss.data.open_recording`;
            `endings` says which files of a folder these are.

    Returns: a table with name, start_seconds, stop_seconds and confidence, a row an annotation;
        for a folder or a pattern with a further column, recording: the path of the file.
    Raises: DssError if a recording or the run cannot be read, or do not fit each other.
    """
    run = open_run(run)
    options = tuned(options, run.params)
    if isinstance(recording, np.ndarray) or Path(recording).is_file():
        opened = fitting(recording, run, options, loader)
        with bar(total=opened.duration_seconds, unit="s", desc="annotate") as progress:
            blocks = probability_blocks(opened, run, options, progress.update)
            return _detect(blocks, run, options)
    paths, _ = find_matching(recording, options.endings)
    tables = [
        predict(path, run, loader, options=options).assign(recording=str(path)) for path in paths
    ]
    return pd.concat(tables, ignore_index=True)


@takes_options
def predict_files(
    recordings: str | Path,
    run: str | Path | Run,
    loader: Loader | None = None,
    *,
    after_each: Callable[[Path], None] = lambda path: None,
    options: PredictFilesOptions,
) -> list[Path]:
    """Annotate recordings and write `STEM_annotations.csv` for each.

    Where song was almost found, `STEM_near_misses.csv` says so beside it, for `dss.proofread`. A
    file is written when its recording is done, so Ctrl-C loses only the recording it interrupts.
    One that cannot be read does not stop the others. Annotations that were made or changed by hand
    are never overwritten (`dss.written`).

    Arguments:
        recordings: an audio file; a folder of these; or a pattern such as "day1/*.wav". Subfolders
            count, and are made in the save folder too.
        run: the trunk of a run's files, any one of them, or what `dss.runs.load_run` gave.
        loader: as for `predict`.
        after_each: is called with each file that was written.

    Returns: the files written, in the order of the recordings' paths.
    Raises: DssError before anything is written if nothing can be; after the last recording if some
        could not be annotated: which, and why.
    """
    if options.proposals and options.format != "csv":
        raise DssError(f"proposals: the format {options.format} cannot say this; only csv can")
    params = run.params if isinstance(run, Run) else read_params(run_trunk(run))
    options = tuned(options, params)
    targets = target_paths(recordings, options.save_dir, options.format, options.endings)
    todo = still_to_do(targets, options.existing)
    if not todo:
        return []
    for folder in {options.save_dir} if options.save_dir else {targets[p].parent for p in todo}:
        check_writable(folder)
    run = open_run(run)
    seconds, problems = _check_recordings(todo, run, options, loader)
    total = sum(seconds.values())
    with bar(total=round(total), unit="s", unit_scale=True, desc="annotate") as progress:
        pace = Pace(total, progress)
        files = {path: targets[path] for path in seconds}
        results = _results(files, seconds, run, options, loader, pace.count)
        for n_done, (path, error) in enumerate(results, start=1):
            pace.finish(seconds[path])
            if progress.disable and len(seconds) > 1:
                say(f"{n_done}/{len(seconds)} {path.name}: {error or 'annotated'}; {pace}")
            if error is None:
                after_each(targets[path])
            else:
                problems[path] = error
    _raise_failed(problems, len(todo))
    return [targets[path] for path in todo]


def annotate(
    path: Path,
    target: Path,
    run: Run,
    options: PredictFilesOptions,
    after_block: Callable[[float], None],
    loader: Loader | None = None,
) -> None:
    """Annotate one recording: write `target`, beside it near misses, and probabilities if asked.

    Arguments:
        path: the audio file.
        target: the file of annotations.
        run: the trained network.
        options: as for `predict_files`, with what `dss.postprocess.tuned` adds.
        after_block: is called with the seconds of audio that were annotated since the last call.
        loader: as for `predict`.
    """
    recording = fitting(path, run, options, loader)
    near = NearMisses(run.song_types, run.samplerate_hz, options)
    blocks = near.watch(probability_blocks(recording, run, options, after_block))
    if options.probabilities:
        with replacing(probabilities_path(target)) as part:
            table = _detect(store_blocks(blocks, part, recording.n_samples, run), run, options)
    else:
        table = _detect(blocks, run, options)
        remove(probabilities_path(target))  # of what was annotated before
    if options.proposals:
        table["confirmed"] = False
    write_near_misses(near.table(table), target)
    write(table, target, options.format, recording.duration_seconds)


def attempt(
    path: Path,
    target: Path,
    run: Run,
    options: PredictFilesOptions,
    after_block: Callable[[float], None],
    loader: Loader | None = None,
) -> Exception | None:
    """`annotate`, but what is wrong with the recording is returned, not raised."""
    try:
        annotate(path, target, run, options, after_block, loader)
    except UNREADABLE as error:
        return error
    return None


@takes_options
def probabilities(
    recording: str | Path | np.ndarray,
    run: str | Path | Run,
    loader: Loader | None = None,
    *,
    options: PredictOptions,
) -> np.ndarray:
    """The probability of each class at each sample of a recording: [samples, classes] float32.

    For a short recording, to look at: all of it is in memory. Arguments as for `predict`, without
    folders and patterns. The samples are at the sample rate of the network.
    """
    run = open_run(run)
    opened = fitting(recording, run, options, loader)
    with bar(total=opened.duration_seconds, unit="s", desc="annotate") as progress:
        blocks = probability_blocks(opened, run, options, progress.update)
        return np.concatenate(list(blocks))


def probability_blocks(
    recording: Recording,
    run: Run,
    options: PredictOptions,
    after_block: Callable[[float], None] = lambda seconds: None,
) -> Iterator[np.ndarray]:
    """The probabilities of a recording, block by block: [samples, classes] float32.

    Arguments:
        recording: what `fitting` gave.
        run: the trained network.
        options: as for `predict`.
        after_block: is called with the seconds of audio of each block when it was used.
    """
    if options.batch_size:
        block_samples = options.batch_size * run.options.nb_hist
    else:
        block_samples = models.best_block(run.options, recording.n_samples)
    for _, p in run.network(block_samples).blocks(recording.read, recording.n_samples):
        yield p
        after_block(len(p) / run.samplerate_hz)


def fitting(
    recording: str | Path | np.ndarray,
    run: Run,
    options: PredictOptions,
    loader: Loader | None = None,
) -> Recording:
    """Open an audio file, or an array, so that it fits the network: its sample rate and channels.

    Raises: DssError if it cannot be read, or has another number of channels.
    """
    channel = options.channel
    if isinstance(recording, np.ndarray):
        x = audio_array(recording, "the array")
        if not len(x):
            raise DssError("the array: holds no samples")
        rate = options.samplerate_hz or run.samplerate_hz
        opened = Recording(Path("the array"), rate, *x.shape, lambda a, b: as_float(x[a:b]))
    else:
        opened = _opened(recording, run, options, loader)
    opened = opened.resampled(run.samplerate_hz)
    _check_channels(opened.path, opened.n_channels, run, channel)
    if channel is None:
        return opened
    one = slice(channel, channel + 1)
    return Recording(
        opened.path,
        opened.samplerate_hz,
        opened.n_samples,
        1,
        lambda a, b: opened.read(a, b)[:, one],
    )


def _opened(
    path: str | Path, run: Run, options: PredictOptions, loader: Loader | None
) -> Recording:
    """Open an audio file; a npy file has the sample rate of the network if nobody says another."""
    rate = options.samplerate_hz or run.samplerate_hz
    return open_recording(path, loader, unsaid_rate(path, loader, rate))


def _detect(blocks: Iterable[np.ndarray], run: Run, options: DetectOptions) -> pd.DataFrame:
    return detect(blocks, run.song_types, run.samplerate_hz, options=options)


def _check_channels(source, n_channels: int, run: Run, channel: int | None) -> None:
    expected = run.params["nb_channels"]
    expects = f"the network was trained with {expected} channel{'s' if expected > 1 else ''}"
    if channel is not None and expected != 1:
        raise DssError(f"channel: {expects} and takes all of them; leave the option out")
    if channel is not None and channel >= n_channels:
        raise DssError(
            f"{source}: there is no channel {channel}; it has the channels 0 to {n_channels - 1}"
        )
    if channel is None and n_channels != expected:
        pick = ". Pick one of them (--channel)." if expected == 1 else ""
        has = f"{n_channels} channel{'s' if n_channels > 1 else ''}"
        raise DssError(f"{source}: has {has}, but {expects}{pick}")


def _results(
    targets: dict[Path, Path],
    seconds: dict[Path, float],
    run: Run,
    options: PredictFilesOptions,
    loader: Loader | None,
    after_block: Callable[[float], None],
) -> Iterator[tuple[Path, Exception | None]]:
    """Annotate recordings, here or on a cluster: each when it is done, and what was wrong."""
    if options.scheduler:
        from dss.cluster import annotate_on_cluster

        for path, error in annotate_on_cluster(targets, run.trunk, options, loader):
            after_block(seconds[path])
            yield path, error
    else:
        for path, target in targets.items():
            yield path, attempt(path, target, run, options, after_block, loader)


def _check_recordings(
    paths: list[Path], run: Run, options: PredictOptions, loader: Loader | None
) -> tuple[dict[Path, float], dict[Path, Exception]]:
    """Seconds of each recording that fits the network, and what is wrong with each other one."""
    seconds, problems = {}, {}
    for path in paths:
        try:
            recording = _opened(path, run, options, loader)
            _check_channels(path, recording.n_channels, run, options.channel)
            seconds[path] = recording.duration_seconds
        except UNREADABLE as error:
            problems[path] = error
    return seconds, problems


def _raise_failed(problems: dict[Path, Exception], n_recordings: int) -> None:
    texts = [
        str(error) if str(path) in str(error) else f"{path}: {error}"
        for path, error in sorted(problems.items())
    ]
    if texts and n_recordings == 1:
        raise DssError(texts[0])
    failed = f"{len(texts)} of {n_recordings} recordings could not be annotated"
    raise_problems(texts, f"{failed}{'; the others are' * (len(texts) < n_recordings)}:")
