"""Annotate recordings on a Dask cluster, whose workers are other processes or other machines."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from dss.errors import DssError
from dss.options import PredictFilesOptions
from dss.predict.recording import annotate_file
from dss.runs import open_run

CONNECT_SECONDS = 20


def annotate_on_cluster(
    targets: Mapping[Path, Path], trunk: Path, options: PredictFilesOptions
) -> Iterator[tuple[Path, Exception | None]]:
    """Annotate recordings on the workers of a scheduler, each on the next free worker.

    If a worker is lost, another one annotates its recording again; dss gives up on a recording once
    that has happened more often than the scheduler allows (3 times by default). Recordings, run and
    annotations must have the same paths on all machines.

    Arguments:
        targets: the annotation file to write for each audio file.
        trunk: the trunk of the run's files.
        options: as for `dss.predict.predict_files`, with the address of the scheduler. The workers
            must be able to import the loader, unless it is defined in a script or a notebook.

    Yields: each recording when it is done, with an error message or None.
    Raises: DssError if Dask is not installed, or there is no scheduler at the address.
    """
    try:
        from distributed import Client, KilledWorker, as_completed
    except ImportError:
        raise DssError(
            "scheduler: needs Dask, which is not installed; run pip install 'dss[cluster]'"
        ) from None
    try:
        client = Client(options.scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise DssError(
            f"scheduler: there is none at {options.scheduler} ({error}); give an address such as "
            "tcp://node1:8786, which `dask scheduler` prints"
        ) from None
    with client:
        futures = {
            client.submit(
                _attempt, path.resolve(), target.resolve(), trunk.resolve(), options, pure=False
            ): path
            for path, target in targets.items()
        }
        try:
            for future in as_completed(futures, loop=client.loop):
                try:
                    yield futures[future], future.result()
                except KilledWorker as error:
                    yield futures[future], error
        finally:
            client.cancel(list(futures))


def _attempt(
    path: Path, target: Path, trunk: Path, options: PredictFilesOptions
) -> Exception | None:
    """Annotate one recording on a worker."""
    return annotate_file(path, target, open_run(trunk), options, lambda seconds: None)
