"""How well, and at what cost, dss learns the syllables of a zebra finch.

python benchmarks/zebra_finch.py [--fold K] [--seed N] [--nb-epoch N] [--json]

Of 14 recordings, 12 train and validate a network, which then annotates the other two. The folds 0
to 6 judge each recording once.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from works import RECORDINGS

from dss.data import find_recordings, make_dataset, open_recording
from dss.evaluate import evaluate
from dss.predict import predict_files
from dss.train import train

N_FOLDS = 7
TOLERANCE_SECONDS = 0.01
VAL_FRACTION = 0.1  # there is little data: most of it is to be learned from


def main() -> int:
    """Read the command line, run one fold and print how it went."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--fold", type=int, default=0, choices=range(N_FOLDS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--nb-epoch", type=int, help="epochs; default: what --auto suggests")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    arguments = parser.parse_args()
    folder = RECORDINGS / "zebra_finch"
    if not folder.is_dir():
        print(f"{folder} is not here", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as temporary:
        given = {"nb_epoch": arguments.nb_epoch} if arguments.nb_epoch else {}
        results = judge(folder, Path(temporary), arguments.fold, arguments.seed, given)
    print(json.dumps(results) if arguments.json else describe(results))
    return 0


def judge(folder: Path, temporary: Path, fold: int, seed: int, given: dict) -> dict[str, float]:
    """Train without the recordings of one fold, annotate these, and score."""
    for i, recording in enumerate(find_recordings(folder)):
        _link(recording, temporary / ("judge" if i % N_FOLDS == fold else "learn"))
    store = make_dataset(temporary / "learn", test_fraction=0, val_fraction=VAL_FRACTION, seed=seed)
    trunk = train(data_dir=store, seed=seed, auto=True, **given)
    trained = time.process_time()
    annotated = predict_files(temporary / "judge", trunk, save_dir=temporary / "annotated")
    annotate_seconds = time.process_time() - trained
    scores = evaluate(
        temporary / "judge", temporary / "annotated", tolerance_seconds=TOLERANCE_SECONDS
    ).loc["all"]
    recordings = find_recordings(temporary / "judge")
    assert len(annotated) == len(recordings) == 2
    audio_seconds = sum(open_recording(path).duration_seconds for path in recordings)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "fold": fold,
        "seed": seed,
        "f1": scores["f1"],
        "onset_error_ms": scores["onset_error_ms"],
        "cpu_seconds": time.process_time(),
        "peak_mb": peak * (1 if sys.platform == "darwin" else 1024) / 1e6,
        "annotated_seconds_per_cpu_second": audio_seconds / annotate_seconds,
    }


def describe(results: dict[str, float]) -> str:
    """The results in one line."""
    return (
        "fold {fold}, seed {seed}: F1 {f1:.3f}, median onset error {onset_error_ms:.2f} ms; "
        "{cpu_seconds:.1f} CPU-s, {peak_mb:.0f} MB; annotates "
        "{annotated_seconds_per_cpu_second:.1f} s of audio per CPU-s"
    ).format(**results)


def _link(recording: Path, folder: Path) -> None:
    """Put a recording and its annotations into a folder, without copying them."""
    folder.mkdir(exist_ok=True)
    for path in (recording, recording.with_name(f"{recording.stem}_annotations.csv")):
        (folder / path.name).symlink_to(path.resolve())


if __name__ == "__main__":
    sys.exit(main())
