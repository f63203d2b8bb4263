"""How well the preset for mice learns simulated ultrasound.

python benchmarks/mouse.py [--seeds 1] [--auto]

Sweeps of 20 to 80 ms between 50 and 90 kHz, upwards, downwards, or with a jump, in noise with
rustling and clicks, at 250 kHz. Six recordings to learn from, two to judge; onset within 10 ms and
right name.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from scipy import signal

from dss.data import make_dataset, write_annotations
from dss.evaluate import evaluate
from dss.predict import predict_files
from dss.train import train

RATE_HZ = 250_000
SECONDS = 8


def main() -> None:
    """Train once a seed, and print the scores."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--auto", action="store_true", help="as --auto suggests, not as the preset")
    arguments = parser.parse_args()
    how = {"auto": True} if arguments.auto else {"preset": "mouse"}
    for seed in range(arguments.seeds):
        with tempfile.TemporaryDirectory() as temporary:
            print(f"seed {seed}:\n{judge(Path(temporary), seed, how)}", flush=True)


def judge(folder: Path, seed: int, how: dict) -> pd.DataFrame:
    """Train with six recordings, and the scores of the two others."""
    for i in range(8):
        record(folder / ("judge" if i > 5 else "learn"), i, np.random.default_rng([seed, i]))
    store = make_dataset(folder / "learn", test_fraction=0, seed=seed)
    began = time.process_time()
    trunk = train(data_dir=store, seed=seed, **how)
    print(f"{time.process_time() - began:.0f} CPU-s")
    predict_files(folder / "judge", trunk, save_dir=folder / "annotated")
    scores = evaluate(folder / "judge", folder / "annotated", tolerance_seconds=0.01)
    return scores[["precision", "recall", "f1", "onset_error_ms"]].round(3)


def record(folder: Path, number: int, rng: np.random.Generator) -> None:
    """Write one recording and its annotations."""
    folder.mkdir(parents=True, exist_ok=True)
    x = 0.01 * rng.standard_normal(SECONDS * RATE_HZ)
    x += (
        0.3
        * np.repeat(np.abs(np.sin(np.arange(SECONDS * 10))) > 0.9, RATE_HZ // 10)
        * rustling(rng)
    )
    x[rng.integers(len(x), size=20)] += rng.uniform(-0.5, 0.5, 20)
    rows, seconds = [], 0.1
    while seconds < SECONDS - 0.2:
        name = str(rng.choice(["up", "down", "jump"]))
        wave = syllable(name, rng.uniform(0.02, 0.08), rng)
        start = round(seconds * RATE_HZ)
        x[start : start + len(wave)] += rng.uniform(0.02, 0.15) * wave
        rows.append((name, start / RATE_HZ, (start + len(wave)) / RATE_HZ))
        seconds += len(wave) / RATE_HZ + rng.uniform(0.05, 0.3)
    soundfile.write(folder / f"mouse{number}.wav", np.clip(x, -1, 1), RATE_HZ, subtype="PCM_16")
    table = pd.DataFrame(rows, columns=["name", "start_seconds", "stop_seconds"])
    write_annotations(table, folder / f"mouse{number}_annotations.csv")


def syllable(name: str, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """One call: [samples]."""
    t = np.linspace(0, 1, round(seconds * RATE_HZ))
    low, high = rng.uniform(50_000, 60_000), rng.uniform(70_000, 90_000)
    course = {"up": t, "down": 1 - t, "jump": np.where(t < rng.uniform(0.3, 0.7), 0.9, 0.2)}[name]
    phase = 2 * np.pi * np.cumsum(low + (high - low) * course) / RATE_HZ
    return np.sin(np.pi * t).clip(0) ** 0.3 * np.sin(phase)


def rustling(rng: np.random.Generator) -> np.ndarray:
    """What a mouse does to its bedding: broadband, most of it below song: [samples]."""
    low = signal.butter(2, 20_000, fs=RATE_HZ, output="sos")
    return signal.sosfilt(low, rng.standard_normal(SECONDS * RATE_HZ)) * 0.5


if __name__ == "__main__":
    main()
