"""How well dss learns the song of each animal, judged on recordings that it never heard.

python benchmarks/animals.py [--corpora meerkat canary ...] [--seeds 0 1 2] [--jobs 2]

Each run makes a dataset of some recordings of a corpus, trains with the options that dss chooses,
and annotates the recordings that were left out. It is a process of its own. `--train` changes
options of training, `--quick` takes the first fold of each corpus. `--speed 0.125` plays all
recordings at an eighth of their speed, as if the animals were larger; `--gain-db -40` makes those
that are judged softer, as if they were made with less gain, and `--snr-db 20` noisier: white noise
is added, so much softer than song. `--das PYTHON` judges DAS instead, on the same recordings;
PYTHON is that of an environment which has it.
"""

import argparse
import itertools
import json
import math
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from measure import RECORDINGS, measure

ONE_NAME = "song"


@dataclass(frozen=True)
class Corpus:
    """A folder of recordings, and how it is split.

    Attributes:
        groups: a pattern whose brackets match what is left out as a whole, such as the animal;
            blank to leave out single recordings.
        n_folds: how many parts recordings are dealt into.
        by_time: cut each recording into as many parts, of which one is left out: the same animals
            are heard in training.
        train_seconds: with so much audio at most; the first recordings are taken.
        judge_names: whether names count; else boundaries only.
        tolerance_seconds: of onsets and offsets.
    """

    groups: str = ""
    n_folds: int = 2
    by_time: bool = False
    train_seconds: float = float("inf")
    judge_names: bool = True
    tolerance_seconds: float = 0.01


CORPORA = {
    "zebra_finch_adults": Corpus(n_folds=3),
    "zebra_finch_backpack": Corpus(n_folds=3, by_time=True),
    "meerkat": Corpus(n_folds=3, tolerance_seconds=0.02),
    "canary": Corpus(n_folds=2),
    "mouse": Corpus(n_folds=3),
    "zebra_finch_calls": Corpus(n_folds=2, judge_names=False),
    "bengalese_finch": Corpus(n_folds=2, train_seconds=180),
    "zebra_finch": Corpus(n_folds=7),
}
SCORES = {
    "f1": "F1 onset",
    "f1_both": "F1 onset and offset",
    "f1_frames": "F1 by ms",
    "f1_overlap": "F1 by overlap",
    "frame_error": "frame error %",
    "syllable_error": "syllable error %",
    "onset_error_ms": "onset error [ms]",
}


def main() -> int:
    """Read the command line, run all folds with all seeds, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--corpora", nargs="+", default=[*CORPORA], choices=[*CORPORA])
    parser.add_argument("--folds", type=int, nargs="+", help="these folds only")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--jobs", type=int, default=1, help="runs at the same time")
    parser.add_argument("--train", default="{}", help="options of training, as JSON")
    parser.add_argument("--quick", action="store_true", help="the first fold of each corpus")
    parser.add_argument("--speed", type=float, default=1, help="play so many times as fast")
    parser.add_argument("--gain-db", type=float, default=0, help="of recordings that are judged")
    parser.add_argument("--snr-db", type=float, default=math.inf, help="of these, by added noise")
    parser.add_argument("--das", type=Path, metavar="PYTHON", help="judge DAS instead")
    parser.add_argument("--keep", type=Path, help="a folder in which runs and annotations stay")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        (name,), (fold,), (seed,) = arguments.corpora, arguments.folds, arguments.seeds
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            if arguments.keep:
                folder = arguments.keep / f"{name}_{fold}_{seed}"
                folder.mkdir(parents=True)
            how = {name: getattr(arguments, name) for name in ("speed", "gain_db", "snr_db", "das")}
            print(json.dumps(judge(name, folder, fold, seed, json.loads(arguments.train), **how)))
        return 0
    if not RECORDINGS.is_dir():
        print(f"{RECORDINGS} is not here", file=sys.stderr)
        return 1
    tasks = []
    for name in arguments.corpora:
        folds = range(1 if arguments.quick else CORPORA[name].n_folds)
        for fold in folds if arguments.folds is None else arguments.folds:
            tasks += [(name, fold, seed) for seed in arguments.seeds]
    print("| corpus | fold | seed |", " | ".join(SCORES.values()), "| CPU-s | MB |")
    print("| --- | ---: | ---: |", " | ".join(["---:"] * (len(SCORES) + 2)), "|", flush=True)
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in arguments.corpora}
    with ThreadPoolExecutor(arguments.jobs) as pool:
        words = ["--train", arguments.train, "--speed", str(arguments.speed)]
        words += [f"--gain-db={arguments.gain_db}", f"--snr-db={arguments.snr_db}"]
        words += ["--das", str(arguments.das)] * bool(arguments.das)
        words += ["--keep", str(arguments.keep)] * bool(arguments.keep)
        for (name, fold, seed), row in zip(tasks, pool.map(_run(words), tasks), strict=True):
            rows[name].append(row)
            print(f"| {name} | {fold} | {seed} | {_cells(row)} |", flush=True)
    print()
    for name, of_corpus in rows.items():
        means = {score: _mean([row[score] for row in of_corpus]) for score in of_corpus[0]}
        print(f"| {name} | mean | | {_cells(means)} |", flush=True)
    return 0


def _run(words: list[str]) -> Callable[[tuple[str, int, int]], dict[str, float]]:
    def run(task: tuple[str, int, int]) -> dict[str, float]:
        """The scores of one training, and what its process cost."""
        name, fold, seed = task
        which = ["--corpora", name, "--folds", str(fold), "--seeds", str(seed)]
        cost = measure([sys.executable, __file__, "--inside", *which, *words])
        if cost.exit_code:
            print(cost.output, file=sys.stderr)
            return dict.fromkeys(SCORES, float("nan")) | {"cpu": cost.cpu_seconds, "mb": 0}
        return json.loads(cost.output.splitlines()[-1]) | {
            "cpu": cost.cpu_seconds,
            "mb": cost.peak_mb,
        }

    return run


def split(name: str, fold: int) -> tuple[list[Path], list[Path]]:
    """The recordings of a corpus to learn from, and those to judge."""
    from dss.data import find_recordings, open_recording

    corpus, recordings = CORPORA[name], find_recordings(RECORDINGS / name)
    if corpus.groups:
        group = [re.search(corpus.groups, path.name)[1] for path in recordings]
        part = [sorted({*group}).index(g) for g in group]
    else:
        part = [i % corpus.n_folds for i in range(len(recordings))]
    judged = [path for path, p in zip(recordings, part, strict=True) if p == fold]
    learned, left = [], corpus.train_seconds
    for path in recordings:
        seconds = open_recording(path).duration_seconds
        if path not in judged and seconds <= left:
            learned.append(path)
            left -= seconds
    return learned, judged


def cut(path: Path, n_parts: int, left_out: int, learn: Path, judge: Path) -> None:
    """Cut a recording into parts of the same duration, one of them into another folder.

    A segment that is cut in two belongs to the part in which it starts, up to its end.
    """
    import numpy as np
    import pandas as pd
    import soundfile

    audio, rate = soundfile.read(path)
    table = pd.read_csv(path.with_name(f"{path.stem}_annotations.csv"))
    edges = np.linspace(0, len(audio), n_parts + 1).astype(int)
    for part, (start, stop) in enumerate(itertools.pairwise(edges)):
        folder = judge if part == left_out else learn
        stem = f"{path.stem}_part{part}"
        soundfile.write(folder / f"{stem}.wav", audio[start:stop], rate)
        seconds = table["start_seconds"] * rate
        of_part = table[(seconds >= start) & (seconds < stop)].copy()
        for column in ("start_seconds", "stop_seconds"):
            of_part[column] = (of_part[column] - start / rate).clip(upper=(stop - start) / rate)
        of_part.to_csv(folder / f"{stem}_annotations.csv", index=False)


def play(path: Path, folder: Path, speed: float) -> None:
    """Put a recording and its annotations into a folder, so many times as fast."""
    import pandas as pd
    import soundfile

    annotations = path.with_name(f"{path.stem}_annotations.csv")
    if speed == 1:
        for file in (path, annotations):
            (folder / file.name).symlink_to(file)
        return
    audio, rate = soundfile.read(path)
    played_hz = round(rate * speed)
    soundfile.write(folder / f"{path.stem}.wav", audio, played_hz)
    table = pd.read_csv(annotations)
    table[["start_seconds", "stop_seconds"]] *= rate / played_hz
    table.to_csv(folder / annotations.name, index=False)


def change(path: Path, gain_db: float, snr_db: float) -> None:
    """Replace a recording by a noisier, louder or softer one, without rounding or clipping.

    The noise is white and `snr_db` below the level of song, which a twentieth of all stretches of
    10 ms exceed.
    """
    import numpy as np
    import soundfile

    audio, rate = soundfile.read(path)
    n = rate // 100
    rms = np.sqrt(np.mean(audio[: len(audio) // n * n].reshape(-1, n) ** 2, axis=1))
    noise = np.random.default_rng(0).standard_normal(len(audio))
    audio = audio + noise * np.percentile(rms, 95) * 10 ** (-snr_db / 20)
    path.unlink()  # it may be a link
    soundfile.write(path.with_suffix(".wav"), audio * 10 ** (gain_db / 20), rate, subtype="FLOAT")


def divide(name: str, fold: int, speed: float, folder: Path) -> Corpus:
    """Put what is learned from into `learn`, and what is judged into `judge`.

    Returns: the corpus, with the tolerance that fits the speed.
    """
    corpus = CORPORA[name]
    if corpus.by_time:
        parts = folder / "learned_parts", folder / "judged_parts"
        for part in parts:
            part.mkdir()
        for path in sorted((RECORDINGS / name).glob("*.flac")):
            cut(path, corpus.n_folds, fold, *parts)
        divided = [sorted(part.glob("*.wav")) for part in parts]
    else:
        divided = split(name, fold)
    for part, paths in zip(("learn", "judge"), divided, strict=True):
        (folder / part).mkdir()
        for path in paths:
            play(path, folder / part, speed)
    return replace(corpus, tolerance_seconds=corpus.tolerance_seconds / speed)


def judge(
    name: str,
    folder: Path,
    fold: int,
    seed: int,
    train_options: dict[str, object] | None = None,
    speed: float = 1,
    gain_db: float = 0,
    snr_db: float = math.inf,
    das: Path | None = None,
) -> dict[str, float]:
    """Train with some of the recordings, annotate the others, and score."""
    from dss.data import find_recordings

    corpus = divide(name, fold, speed, folder)
    if gain_db or snr_db < math.inf:
        for path in find_recordings(folder / "judge"):
            change(path, gain_db, snr_db)
    if das:
        with_das(das, folder, seed)
    else:
        with_dss(folder, seed, train_options or {})
    return score(folder / "judge", folder / "annotated", corpus)


def with_dss(folder: Path, seed: int, train_options: dict[str, object]) -> None:
    """Train with `learn`; annotate `judge` into `annotated`."""
    from dss.data import make_dataset
    from dss.predict import predict_files
    from dss.train import train

    store = make_dataset(folder / "learn", test_fraction=0, seed=seed)
    trunk = train(data_dir=store, seed=seed, **{"auto": True, **train_options})
    predict_files(folder / "judge", trunk, save_dir=folder / "annotated")


def with_das(python: Path, folder: Path, seed: int) -> None:
    """The same with DAS."""
    script = Path(__file__).with_name("with_das.py")
    folders = [folder / name for name in ("learn", "judge", "annotated")]
    subprocess.run([python, script, *folders, "--seed", str(seed)], check=True)


def score(true_dir: Path, predicted_dir: Path, corpus: Corpus) -> dict[str, float]:
    """All scores of a folder of predictions.

    The frame error counts every millisecond of the recordings, as that of TweetyNet does.
    """
    import numpy as np

    from dss.data import find_recordings, open_recording, read_annotations
    from dss.evaluate import sample_confusion, summarize

    names = sorted(path.name for path in true_dir.glob("*_annotations.csv"))
    true, predicted = (
        [read_annotations(folder / name) for name in names] for folder in (true_dir, predicted_dir)
    )
    if not corpus.judge_names:
        true, predicted = (
            [t.assign(name=ONE_NAME) for t in tables] for tables in (true, predicted)
        )
    within = {"tolerance_seconds": corpus.tolerance_seconds}
    table = summarize(true, predicted, **within).loc["all"]
    both = summarize(
        true, predicted, **within, offset_tolerance_seconds=corpus.tolerance_seconds
    ).loc["all"]
    confusion = sample_confusion(true, predicted).to_numpy()
    n_ms = 1000 * sum(open_recording(path).duration_seconds for path in find_recordings(true_dir))
    hits = np.array([_overlapping(t, p) for t, p in zip(true, predicted, strict=True)]).sum(axis=0)
    return {
        "f1": float(table["f1"]),
        "f1_both": float(both["f1"]),
        "f1_frames": float(table["sample_macro_f1"]),
        "f1_overlap": float(2 / (hits[1] / max(hits[0], 1) + hits[3] / max(hits[2], 1))),
        "frame_error": 100 * float((confusion.sum() - np.trace(confusion)) / n_ms),
        "syllable_error": 100 * float(table["syllable_error_rate"]),
        "onset_error_ms": float(table["onset_error_ms"]),
    }


def _overlapping(true, predicted) -> tuple[int, int, int, int]:
    """How many predicted ones overlap a true one, of how many; and the same for the true ones."""
    columns = ["start_seconds", "stop_seconds"]
    a, b = (table[columns].dropna().to_numpy() for table in (true, predicted))
    meets = (a[:, None, 0] < b[None, :, 1]) & (b[None, :, 0] < a[:, None, 1])
    return meets.any(axis=0).sum(), len(b), meets.any(axis=1).sum(), len(a)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _cells(row: dict[str, float]) -> str:
    scores = " | ".join(f"{row[name]:.3f}" for name in SCORES)
    return f"{scores} | {row['cpu']:.0f} | {row['mb']:.0f}"


if __name__ == "__main__":
    sys.exit(main())
