"""How well dss learns whistles that last longer than a second, as those of marmosets.

python benchmarks/long_calls.py [--seeds 0 1] [--train JSON]

The corpora have no such calls, so they are simulated: steady whistles at 7 kHz, 0.8 to 2 s long,
in white noise of 0.5 to 3 times their amplitude. Learned from two minutes, judged on four.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import animals
import numpy as np
import pandas as pd
import soundfile

RATE = 44_100
SECONDS = 20  # of a recording
FADE_SECONDS = 0.02


def main() -> int:
    """Read the command line, train with each seed, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--train", default="{}", help="options of training, as JSON")
    arguments = parser.parse_args()
    print("| seed |", " | ".join(animals.SCORES.values()), "|")
    print("| ---: |", " | ".join(["---:"] * len(animals.SCORES)), "|", flush=True)
    for seed in arguments.seeds:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            simulate(folder / "learn", 6, 1)
            simulate(folder / "judge", 12, 2)
            animals.with_dss(folder, seed, json.loads(arguments.train))
            scores = animals.score(folder / "judge", folder / "annotated", animals.Corpus())
            print(f"| {seed} |", " | ".join(f"{scores[s]:.3f}" for s in animals.SCORES), "|")
    return 0


def simulate(folder: Path, n_recordings: int, seed: int) -> None:
    """Write recordings of whistles, with annotations beside them."""
    folder.mkdir()
    rng = np.random.default_rng(seed)
    for i in range(n_recordings):
        audio = 0.005 * rng.standard_normal(SECONDS * RATE)
        rows, start = [], 0.5
        while start + len(call := whistle(rng)) / RATE < SECONDS - 0.3:
            first = round(start * RATE)
            audio[first : first + len(call)] += call
            stop = start + len(call) / RATE
            rows.append(("whistle", start, stop))
            start = stop + rng.choice([rng.uniform(0.1, 0.3), rng.uniform(0.5, 2)])
        soundfile.write(folder / f"{i}.wav", audio, RATE)
        table = pd.DataFrame(rows, columns=["name", "start_seconds", "stop_seconds"])
        table.to_csv(folder / f"{i}_annotations.csv", index=False)


def whistle(rng: np.random.Generator) -> np.ndarray:
    """A steady whistle whose pitch and loudness hardly vary."""
    n = round(rng.uniform(0.8, 2) * RATE)
    seconds = np.arange(n) / RATE
    hz = rng.uniform(6500, 7500) + 200 * rng.random() * np.arange(n) / n
    loudness = 1 + 0.2 * np.sin(2 * np.pi * rng.uniform(1, 4) * seconds)
    edge = np.minimum(seconds, seconds[::-1]) / FADE_SECONDS
    loudness *= np.sin(np.pi / 2 * np.minimum(edge, 1)) ** 2
    return rng.uniform(0.0017, 0.01) * loudness * np.sin(2 * np.pi * np.cumsum(hz) / RATE)


if __name__ == "__main__":
    sys.exit(main())
