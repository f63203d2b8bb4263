"""Kill dss at random moments, and look at what is left.

python benchmarks/kills.py [--moments 50] [--works assemble train ...] [--seed 0]

Each work runs to its end, to know what it gives and how long it takes until that is there. Then it
is killed (signal 9) at random moments before. What is left must be either what was there before or
the result of the work; and the same command, run again, must end with the same result.

The processes that are killed are forked from one that has imported TensorFlow, so that the moments
are spread over the work itself, and not over the seconds that it takes to start.
"""

import argparse
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import soundfile

FINCH = Path(__file__).resolve().parents[1] / "data" / "finch"
N_RECORDINGS, SECONDS = 4, 3.5
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tensorflow", "dss.cli", "dss.predict", "dss.train", "dss.data"])
OPTIONS = ["--nb-epoch", "6", "--nb-hist", "4096", "--nb-filters", "4", "--kernel-size", "4"]
OPTIONS += ["--nb-conv", "1", "--nb-pre-conv", "5", "--batch-size", "4"]


@dataclass(frozen=True)
class Work:
    """A command, what it needs, and what it gives.

    Attributes:
        prepare: makes what the command needs in a folder, apart from what it gives.
        command: the words behind `dss`, in a folder.
        result: what is there of the result, None if nothing: it raises if anything is broken.
    """

    prepare: Callable[[Path], None]
    command: Callable[[Path], list[str]]
    result: Callable[[Path], object]


def main() -> int:
    """Read the command line, kill all works, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--moments", type=int, default=50)
    parser.add_argument("--works", nargs="+", default=[*WORKS], choices=[*WORKS])
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print("| work | kills | before | done | broken | not the same when done again |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |", flush=True)
    n_bad = 0
    for name in arguments.works:
        counts = kill(WORKS[name], arguments.moments, random.Random(arguments.seed))
        n_bad += counts["broken"] + counts["other"]
        print(f"| {name} | {' | '.join(map(str, counts.values()))} |", flush=True)
    return int(n_bad > 0)


def kill(work: Work, n_moments: int, draw: random.Random) -> dict[str, int]:
    """Kill a work at so many moments; how often what was left."""
    counts = dict.fromkeys(("kills", "before", "done", "broken", "other"), 0)
    with tempfile.TemporaryDirectory() as temporary:
        prepared, whole = Path(temporary, "prepared"), Path(temporary, "whole")
        write_recordings(prepared / "recordings")
        work.prepare(prepared)
        before = work.result(prepared)
        shutil.copytree(prepared, whole, symlinks=True)
        _run(work.command(whole)).join()
        right, warm = work.result(whole), Path(temporary, "warm")
        shutil.copytree(prepared, warm, symlinks=True)
        seconds = _seconds_until_done(work, warm, None if before == right else right)
        for number in range(n_moments):
            folder = Path(temporary, str(number))
            shutil.copytree(prepared, folder, symlinks=True)
            process = _run(work.command(folder))
            time.sleep(draw.uniform(0, 1) * seconds)
            process.kill()
            process.join()
            counts["kills"] += 1
            try:
                left = work.result(folder)
                counts["done" if left == right else "before" if left == before else "broken"] += 1
            except Exception as error:
                print(f"{folder}: {error}", file=sys.stderr)
                counts["broken"] += 1
            _run(work.command(folder)).join()
            counts["other"] += work.result(folder) != right
            shutil.rmtree(folder)
    return counts


def write_recordings(folder: Path) -> None:
    """The first seconds of some shipped recordings, with their annotations."""
    folder.mkdir(parents=True)
    for path in sorted(FINCH.glob("*.wav"))[:N_RECORDINGS]:
        rate = soundfile.info(path).samplerate
        x, _ = soundfile.read(path, frames=round(SECONDS * rate), dtype="int16")
        soundfile.write(folder / path.name, x, rate)
        name = f"{path.stem}_annotations.csv"
        table = pd.read_csv(path.with_name(name))
        table[table["stop_seconds"] < SECONDS].to_csv(folder / name, index=False)


def _seconds_until_done(work: Work, folder: Path, right: object) -> float:
    """How long it takes until the result is right, or the command ends."""
    start, process = time.monotonic(), _run(work.command(folder))
    while process.is_alive():
        with suppress(Exception):  # which is not there yet
            if right is not None and work.result(folder) == right:
                break
        time.sleep(0.01)
    seconds = time.monotonic() - start
    process.join()
    return seconds


def _run(words: list[str]) -> multiprocessing.Process:
    process = PROCESSES.Process(target=_main, args=(words,))
    process.start()
    return process


def _main(words: list[str]) -> None:
    """The command line of dss, without a word."""
    from dss.cli import main

    for number in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), number)
    sys.exit(main(words))


def _store(name: str) -> Callable[[Path], object]:
    """The samples and targets of a dataset, as numbers that differ if anything does."""

    def result(folder: Path) -> object:
        from dss.data import open_dataset

        if not (folder / name).exists():
            return None
        tree = open_dataset(folder / name)
        return [
            (split, key, float(np.sum(np.asarray(tree[split][key], float) * 1.5)))
            for split in ("train", "val", "test")
            for key in ("x", "y")
        ] + [str(tree.attrs["made_with"]["seed"])]

    return result


def _assemble(folder: Path, name: str, seed: int = 0, *words: str) -> list[str]:
    where = ["--store-dir", str(folder / name), "--seed", str(seed), "--test-fraction", "0.2"]
    return ["make-dataset", str(folder / "recordings"), *where, *words]


def _nothing(folder: Path) -> None:
    """Nothing is needed."""


def _made(folder: Path) -> None:
    _run(_assemble(folder, "song.npy")).join()


def _trained(folder: Path) -> None:
    _made(folder)
    _run(_train(folder, 6)).join()


def _train(folder: Path, n_epochs: int) -> list[str]:
    words = ["--data-dir", str(folder / "song.npy"), *OPTIONS]
    words[words.index("--nb-epoch") + 1] = str(n_epochs)
    return ["train", *words]


def _go_on(folder: Path) -> list[str]:
    """Go on with the run that was begun last, or begin one."""
    runs = sorted((folder / "song.res").glob("*_checkpoint.h5"))
    words = _train(folder, 6)
    return [*words, "--continue-from", str(runs[-1])] if runs else words


def _continued(folder: Path) -> object:
    """The weights of the runs, if all are complete: none was left when another one began."""
    weights = _weights(folder)
    return None if None in weights else weights or None


def _runs(folder: Path) -> object:
    """The weights of the runs that are complete; those that were killed stay."""
    return _weights(folder) - {None} or None


def _weights(folder: Path) -> set[float | None]:
    """A number by run that can annotate, which differs if any weight does; None if it is not done.

    Raises whatever is raised if one of the files is broken.
    """
    from dss.runs import can_annotate, read_params

    found: set[float | None] = set()
    for params in (folder / "song.res").glob("*_params.yaml"):
        trunk = Path(str(params).removesuffix("_params.yaml"))
        if not can_annotate(trunk):
            continue
        read_params(trunk)
        arrays: list[h5py.Dataset] = []
        with h5py.File(f"{trunk}_model.h5") as file:
            file.visititems(lambda _, item, arrays=arrays: arrays.append(item))
            sums = [np.sum(x[()]) for x in arrays if isinstance(x, h5py.Dataset)]
        is_done = Path(f"{trunk}_results.h5").is_file()
        is_done = is_done and not Path(f"{trunk}_checkpoint.h5").is_file()
        found.add(sum((i + 1) * float(x) for i, x in enumerate(sums)) if is_done else None)
    return found


def _predict(folder: Path, *words: str) -> list[str]:
    run = next((folder / "song.res").glob("*_model.h5"))
    return [
        "predict",
        str(folder / "recordings"),
        str(run),
        "--save-dir",
        str(folder / "out"),
        *words,
    ]


def _on_cluster(folder: Path) -> list[str]:
    return _predict(folder, "--scheduler", _cluster().scheduler_address)


@cache
def _cluster():
    """A Dask cluster whose only worker outlives the process that is killed."""
    from distributed import LocalCluster

    return LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None)


def _annotations(folder: Path) -> object:
    """The annotations; those of some recordings only count as what was before."""
    files = sorted((folder / "out").glob("*_annotations.csv"))
    texts = {file.name: file.read_text() for file in files}
    if any(not text.endswith("\n") for text in texts.values()):
        raise ValueError("a file is cut off")
    return texts if len(texts) == N_RECORDINGS else None


def _annotated(folder: Path) -> None:
    _trained(folder)
    _run(_predict(folder)).join()


WORKS = {
    "assemble, npy": Work(_nothing, lambda f: _assemble(f, "song.npy"), _store("song.npy")),
    "assemble, zarr": Work(_nothing, lambda f: _assemble(f, "song.zarr"), _store("song.zarr")),
    "assemble, --overwrite": Work(
        _made, lambda f: _assemble(f, "song.npy", 1, "--overwrite"), _store("song.npy")
    ),
    "train": Work(_made, lambda f: _train(f, 6), _runs),
    "train, --continue-from": Work(_made, _go_on, _continued),
    "predict": Work(_trained, _predict, _annotations),
    "predict, Dask": Work(_trained, _on_cluster, _annotations),
    "predict, --existing overwrite": Work(
        _annotated, lambda f: _predict(f, "--existing", "overwrite"), _annotations
    ),
}


if __name__ == "__main__":
    sys.exit(main())
