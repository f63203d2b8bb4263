"""How well two people, and dss trained by one of them, agree on the pulses of a fly's song.

python benchmarks/fly_pulses.py [--trained-by first] [--seed N] [--json]

One half of the recording trains and validates a network with the pulses of one person, a tenth of
it for validation; the other half is judged; and the reverse. Every pair of annotators is compared
with the same function.
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
DATASET = {"event_std_seconds": 0.003, "val_fraction": 0.1, "test_fraction": 0}
PEOPLE = ("first", "second")
COLUMNS = ["true", "predicted", "matched", "precision", "recall", "f1", "onset_error_ms"]


def main() -> int:
    """Read the command line, train, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trained-by", choices=PEOPLE, default="first")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    arguments = parser.parse_args()
    folder = RECORDINGS / "fly_pulses"
    if not folder.is_dir():
        print(f"{folder} is not here", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as temporary:
        table = compare(folder, Path(temporary), arguments.trained_by, arguments.seed)
    if arguments.json:
        print(table.to_json(orient="index", indent=2))
    else:
        print(table.to_string(float_format="{:.3f}".format))
        print(describe(table))
    return 0


def compare(folder: Path, temporary: Path, teacher: str, seed: int) -> pd.DataFrame:
    """Scores of each pair of annotators on each half of the recording."""
    (recording,) = find_recordings(folder)
    x, rate = soundfile.read(recording, dtype="float32", always_2d=True)
    endings = dict(zip(PEOPLE, ("annotations", "second_annotator"), strict=True))
    people = {
        name: read_annotations(recording.with_name(f"{recording.stem}_{ending}.csv"))
        for name, ending in endings.items()
    }
    middle = len(x) // 2
    halves = {"first half": (0, middle), "second half": (middle, len(x))}
    rows, training = {}, []
    for judged, (start, stop) in halves.items():
        (learned,) = (samples for name, samples in halves.items() if name != judged)
        dss = f"dss trained by {teacher}"
        by = {name: _within(table, start / rate, stop / rate) for name, table in people.items()}
        before = time.process_time()
        run = _train(x, rate, people[teacher], learned, temporary / judged, seed)
        training.append(time.process_time() - before)
        by[dss] = predict(x[start:stop], run)
        for true, predicted in ((*PEOPLE,), ("first", dss), ("second", dss)):
            scores = evaluate(by[true], by[predicted], tolerance_seconds=TOLERANCE_SECONDS)
            rows[f"{judged}: {predicted} against {true}"] = scores.loc["pulse"]
    table = pd.DataFrame.from_dict(rows, orient="index")[COLUMNS]
    table.attrs["training_cpu_seconds"] = training
    return table


def describe(table: pd.DataFrame) -> str:
    """The result in one line."""
    is_dss = table.index.str.contains("dss")
    return (
        f"within {1000 * TOLERANCE_SECONDS:g} ms, F1 of one person against the other "
        f"{_listed(table['f1'][~is_dss])}; of dss against both people "
        f"{_listed(table['f1'][is_dss])}; training "
        f"{' and '.join(f'{s:.1f}' for s in table.attrs['training_cpu_seconds'])}, "
        f"{time.process_time():.1f} CPU-s in all"
    )


def _train(x: np.ndarray, rate: float, table, samples, folder: Path, seed: int) -> Path:
    """Train with the annotations of a stretch of the recording; returns the run."""
    start, stop = samples
    folder.mkdir()
    soundfile.write(folder / "fly.wav", x[start:stop], rate, subtype="PCM_16")
    write_annotations(_within(table, start / rate, stop / rate), folder / "fly_annotations.csv")
    store = make_dataset(folder, **DATASET, seed=seed)
    return train(data_dir=store, seed=seed, auto=True)


def _listed(scores: pd.Series) -> str:
    return ", ".join(f"{score:.3f}" for score in scores)


def _within(table: pd.DataFrame, start_seconds: float, stop_seconds: float) -> pd.DataFrame:
    """The annotations of a stretch, in seconds from its start."""
    table = table[table["start_seconds"].between(start_seconds, stop_seconds, inclusive="left")]
    times = table[["start_seconds", "stop_seconds"]] - start_seconds
    return table.assign(**times)


if __name__ == "__main__":
    sys.exit(main())
