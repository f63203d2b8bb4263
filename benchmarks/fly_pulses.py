"""How well two people, and dss trained by each, agree on the pulses of a fly's song.

python benchmarks/fly_pulses.py [--seed N] [--json]

The first half of the recording trains and validates a network for each annotator; the second half
is judged. Every pair of annotators is compared with the same function.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from works import RECORDINGS

from dss.data import find_recordings, make_dataset, read_annotations, write_annotations
from dss.evaluate import evaluate
from dss.predict import predict
from dss.train import train

TOLERANCE_SECONDS = 0.004
EVENT_STD_SECONDS = 0.002
TRAIN_OPTIONS = {
    "nb_hist": 2048,
    "nb_filters": 24,
    "kernel_size": 16,
    "nb_conv": 3,
    "batch_size": 8,
    "nb_epoch": 40,
    "learning_rate": 0.004,
}


def main() -> int:
    """Read the command line, train, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    arguments = parser.parse_args()
    folder = RECORDINGS / "fly_pulses"
    if not folder.is_dir():
        print(f"{folder} is not here", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as temporary:
        table = compare(folder, Path(temporary), arguments.seed)
    if arguments.json:
        print(table.to_json(orient="index", indent=2))
    else:
        print(table.to_string(float_format="{:.3f}".format))
        print(describe(table))
    return 0


def compare(folder: Path, temporary: Path, seed: int) -> pd.DataFrame:
    """Scores of each pair of annotators on the second half of the recording."""
    (recording,) = find_recordings(folder)
    x, rate = soundfile.read(recording, dtype="float32", always_2d=True)
    half = len(x) // 2
    people = {
        "first": read_annotations(recording.with_name(f"{recording.stem}_annotations.csv")),
        "second": read_annotations(recording.with_name(f"{recording.stem}_second_annotator.csv")),
    }
    later = {name: _within(table, half / rate, len(x) / rate) for name, table in people.items()}
    for name, table in people.items():
        learn = temporary / name
        learn.mkdir()
        soundfile.write(learn / "fly.wav", x[:half], rate, subtype="PCM_16")
        write_annotations(_within(table, 0, half / rate), learn / "fly_annotations.csv")
        store = make_dataset(
            learn, event_std_seconds=EVENT_STD_SECONDS, test_fraction=0, val_fraction=0.2, seed=seed
        )
        run = train(data_dir=store, seed=seed, **TRAIN_OPTIONS)
        later[f"dss trained by {name}"] = predict(x[half:], run)
    rows = {}
    for true, predicted in (
        ("first", "second"),
        ("first", "dss trained by first"),
        ("second", "dss trained by second"),
        ("first", "dss trained by second"),
        ("second", "dss trained by first"),
    ):
        scores = evaluate(later[true], later[predicted], tolerance_seconds=TOLERANCE_SECONDS)
        rows[f"{predicted} against {true}"] = scores.loc["pulse"]
    columns = ["true", "predicted", "matched", "precision", "recall", "f1"]
    columns += ["onset_error_ms", "onset_error_95_ms"]
    return pd.DataFrame.from_dict(rows, orient="index")[columns]


def describe(table: pd.DataFrame) -> str:
    """The result in one line."""
    people = table.loc["second against first", "f1"]
    network = np.mean([table.loc[f"dss trained by {n} against {n}", "f1"] for n in ORDER])
    return (
        f"within {1000 * TOLERANCE_SECONDS:g} ms, F1 of one person against the other {people:.3f}, "
        f"of dss against who trained it {network:.3f} (mean of two); "
        f"{time.process_time():.1f} CPU-s"
    )


ORDER = ("first", "second")


def _within(table: pd.DataFrame, start_seconds: float, stop_seconds: float) -> pd.DataFrame:
    """The annotations of a stretch, in seconds from its start."""
    table = table[table["start_seconds"].between(start_seconds, stop_seconds, inclusive="left")]
    times = table[["start_seconds", "stop_seconds"]] - start_seconds
    return table.assign(**times)


if __name__ == "__main__":
    sys.exit(main())
