"""How well, and at what cost, dss learns the syllables of a zebra finch.

python benchmarks/zebra_finch.py [--folds 0 1 ...] [--seeds 0 1 2] [--few]

Of 14 recordings, 12 train and validate a network, which then annotates the other two. The folds 0
to 6 judge each recording once. With `--few` a fold is another draw of recordings of 30 s in all to
train and validate with; all others are judged. Each run is a process of its own.
"""

import argparse
import ast
import sys
import tempfile
from pathlib import Path
from statistics import mean

from measure import machine_rate, measure
from works import RECORDINGS

N_FOLDS = 7
FEW_SECONDS = 30
TOLERANCE_SECONDS = 0.01
VAL_FRACTION = 0.1  # there is little data: most of it is to be learned from
SCORES = {
    "f1": "F1",
    "onset_error_ms": "onset error [ms]",
    "syllable_error_rate": "syllable errors",
    "sample_macro_f1": "macro F1 by ms",
}


def main() -> int:
    """Read the command line, run all folds with all seeds, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folds", type=int, nargs="+", default=[0], choices=range(N_FOLDS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--few", action="store_true", help="train with 30 s of annotated audio")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    folder = RECORDINGS / "zebra_finch"
    if not folder.is_dir():
        print(f"{folder} is not here", file=sys.stderr)
        return 1
    if arguments.inside:
        with tempfile.TemporaryDirectory() as temporary:
            fold, seed = arguments.folds[0], arguments.seeds[0]
            print(judge(folder, Path(temporary), fold, seed, arguments.few))
        return 0
    rows = []
    print("| fold | seed |", " | ".join(SCORES.values()), "| CPU-s | MB | GFLOP/CPU-s |")
    print("| ---: | ---: |", " | ".join(["---:"] * (len(SCORES) + 3)), "|")
    for fold in arguments.folds:
        for seed in arguments.seeds:
            rows.append(run(fold, seed, arguments.few))
            print(f"| {fold} | {seed} | {_cells(rows[-1])} |", flush=True)
    means = {name: mean(row[name] for row in rows) for name in rows[0]}
    print(f"| mean | | {_cells(means)} |")
    print(
        "zebra finch: F1 {f1:.3f}, onset error {onset_error_ms:.2f} ms, {syllable_error_rate:.4f} "
        "syllable errors, macro F1 by ms {sample_macro_f1:.3f}".format(**means)
    )
    return 0


def run(fold: int, seed: int, few: bool) -> dict[str, float]:
    """The scores of one training, what its process cost, and the machine's rate just before."""
    rate = machine_rate()
    words = ["--inside", "--folds", str(fold), "--seeds", str(seed), *["--few"] * few]
    cost = measure([sys.executable, __file__, *words])
    if cost.exit_code:
        sys.exit(cost.output)
    scores = ast.literal_eval(cost.output.splitlines()[-1])
    costs = {"cpu_seconds": cost.cpu_seconds, "peak_mb": cost.peak_mb, "rate": rate}
    return {**scores, **costs}


def judge(folder: Path, temporary: Path, fold: int, seed: int, few: bool) -> dict[str, float]:
    """Train with some of the recordings, annotate the others, and score."""
    from dss.data import find_recordings, make_dataset
    from dss.evaluate import summarize
    from dss.predict import predict_files
    from dss.train import train

    recordings = find_recordings(folder)
    learned = _few(recordings, fold) if few else {*recordings} - {*recordings[fold::N_FOLDS]}
    for recording in recordings:
        _link(recording, temporary / ("learn" if recording in learned else "judge"))
    store = make_dataset(temporary / "learn", test_fraction=0, val_fraction=VAL_FRACTION, seed=seed)
    trunk = train(data_dir=store, seed=seed, auto=True)
    predict_files(temporary / "judge", trunk, save_dir=temporary / "annotated")
    scores = summarize(
        temporary / "judge", temporary / "annotated", tolerance_seconds=TOLERANCE_SECONDS
    )
    return {name: float(scores.at["all", name]) for name in SCORES}


def _few(recordings: list[Path], draw: int) -> set[Path]:
    """Recordings of 30 s in all, or a little less, in the order of a random draw."""
    import numpy as np

    from dss.data import open_recording

    drawn, left = set(), FEW_SECONDS
    for i in np.random.default_rng(draw).permutation(len(recordings)):
        seconds = open_recording(recordings[i]).duration_seconds
        if seconds <= left:
            drawn.add(recordings[i])
            left -= seconds
    return drawn


def _cells(row: dict[str, float]) -> str:
    scores = " | ".join(f"{row[name]:.3f}" for name in SCORES)
    return f"{scores} | {row['cpu_seconds']:.1f} | {row['peak_mb']:.0f} | {row['rate']:.0f}"


def _link(recording: Path, folder: Path) -> None:
    """Put a recording and its annotations into a folder, without copying them."""
    folder.mkdir(exist_ok=True)
    for path in (recording, recording.with_name(f"{recording.stem}_annotations.csv")):
        (folder / path.name).symlink_to(path.resolve())


if __name__ == "__main__":
    sys.exit(main())
