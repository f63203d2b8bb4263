"""Annotate the recordings of a folder and save the results, here or on a cluster."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Unpack

from dss.data.formats.table_writing import check_names
from dss.errors import DssError, naming, raise_problems
from dss.options import PredictFilesOptions, PredictOptions, takes_options
from dss.options.arguments import PredictFilesArguments
from dss.predict.confidence import calibration_of
from dss.predict.detection import with_run_options
from dss.predict.pending import still_to_do, target_paths
from dss.predict.recording import UNREADABLE, annotate_file, open_with_channels
from dss.runs import Run, open_run, read_params, run_trunk
from dss.support.files import check_writable
from dss.support.progress import bar, say
from dss.support.writers import only_writer_of

TOLD_SECONDS = 60  # between progress lines in a log, for a long recording


@takes_options
def predict_files(
    recordings: str | Path,
    run: str | Path | Run,
    *,
    after_each: Callable[[Path], None] = lambda path: None,
    options: PredictFilesOptions | None = None,
    **named: Unpack[PredictFilesArguments],
) -> list[Path]:
    """Annotate recordings and write `STEM_annotations.csv` for each.

    `STEM_near_misses.csv` next to it lists where song was almost found, for `dss.review.proofread`.
    Each file is written as soon as its recording is done, so Ctrl-C loses only the current
    recording. A recording that cannot be read does not stop the others. Manual annotations and
    corrections are never overwritten (`dss.data.ownership`).

    Arguments:
        recordings: an audio file, a folder, or a pattern such as `day1/*.wav`. Subfolders are
            included, and recreated in the save folder.
        run: the trunk of a run's files, any of them, their folder, or a `dss.runs.Run`.
        after_each: called with each file that was written.

    Returns: the files written, sorted by the paths of the recordings.
    Raises: DssError before anything is written if nothing can be annotated; after the last
        recording if some could not be annotated: which, and why.

    Example:
        >>> from dss.predict import predict_files
        >>> [path.name for path in predict_files("finch/bird1_08.wav", run, save_dir="predicted")]
        ['bird1_08_annotations.csv']
    """
    options = PredictFilesOptions.given(options, named)
    if options.proposals and options.format != "csv":
        raise DssError(
            f"proposals: the format {options.format} cannot mark annotations as unconfirmed. Use "
            "csv."
        )
    trunk = run.trunk if isinstance(run, Run) else run_trunk(run)
    params = run.params if isinstance(run, Run) else read_params(trunk)
    calibration_of(params, trunk)  # if it is damaged, all recordings would fail
    check_names(params["class_names"][1:], options.format)
    options = with_run_options(options, params)
    targets = target_paths(recordings, options.save_dir, options.format, options.endings)
    todo = still_to_do(targets, options.existing)
    if not todo:
        return []
    for folder in {options.save_dir} if options.save_dir else {targets[p].parent for p in todo}:
        check_writable(folder)
    run = open_run(run)
    with only_writer_of(targets[path] for path in todo):
        seconds, problems = _check_recordings(todo, run, options)
        total = sum(seconds.values())
        with bar(total=round(total), unit="s", unit_scale=True, desc="annotate") as progress:
            pace = _Pace(total, progress)
            files = {path: targets[path] for path in seconds}
            results = _results(files, seconds, run, options, pace.count)
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


class _Pace:
    """The progress of annotating and the time left, for a bar or for lines in a log."""

    def __init__(self, total_seconds: float, progress):
        self._total, self._progress = total_seconds, progress
        self._done = self._finished = 0.0
        self._begun = self._told = time.monotonic()

    def count(self, seconds: float) -> None:
        """Count these seconds of audio as done."""
        self._done += seconds
        self._progress.update(seconds)
        if self._progress.disable and time.monotonic() - self._told >= TOLD_SECONDS:
            self._told = time.monotonic()
            say(str(self))

    def finish(self, seconds: float) -> None:
        """Count a recording of this duration as done, however much of it was readable."""
        self._finished += seconds
        self._done = self._finished

    def __str__(self) -> str:
        part = self._done / self._total
        rest = (time.monotonic() - self._begun) * (1 / part - 1)
        return f"{part:.0%} done, {timedelta(seconds=round(rest))} left"


def _results(
    targets: dict[Path, Path],
    seconds: dict[Path, float],
    run: Run,
    options: PredictFilesOptions,
    after_block: Callable[[float], None],
) -> Iterator[tuple[Path, Exception | None]]:
    """Annotate recordings, here or on a cluster: yields each when done, with an error or None."""
    if options.scheduler:
        from dss.predict.cluster import annotate_on_cluster

        for path, error in annotate_on_cluster(targets, run.trunk, options):
            after_block(seconds[path])
            yield path, error
    else:
        for path, target in targets.items():
            yield path, annotate_file(path, target, run, options, after_block)


def _check_recordings(
    paths: list[Path], run: Run, options: PredictOptions
) -> tuple[dict[Path, float], dict[Path, Exception]]:
    """The seconds of each recording that fits the network, and the errors of the others."""
    seconds, problems = {}, {}
    for path in paths:
        try:
            seconds[path] = open_with_channels(path, run, options).duration_seconds
        except UNREADABLE as error:
            problems[path] = error
    return seconds, problems


def _raise_failed(problems: dict[Path, Exception], n_recordings: int) -> None:
    texts = [naming(path, error) for path, error in sorted(problems.items())]
    if texts and n_recordings == 1:
        raise DssError(texts[0])
    failed = f"{len(texts)} of {n_recordings} recordings could not be annotated"
    raise_problems(texts, f"{failed}{'; the others are done' * (len(texts) < n_recordings)}:")
