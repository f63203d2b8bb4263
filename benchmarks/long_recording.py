"""Make one long recording with annotations like those of a fly's song.

python benchmarks/long_recording.py FOLDER [--hours 2]

The audio is noise: how long assembly takes does not depend on what is heard.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

SAMPLERATE_HZ = 10_000
SEED = 0


def main() -> None:
    """Read the command line; write STEM.wav and STEM_annotations.csv."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--hours", type=float, default=2)
    arguments = parser.parse_args()
    rng = np.random.default_rng(SEED)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    write_noise(arguments.folder / "fly.wav", 3600 * arguments.hours, rng)
    table = song_bouts(3600 * arguments.hours, rng)
    table.to_csv(arguments.folder / "fly_annotations.csv", index=False)


def write_noise(path: Path, duration_seconds: float, rng: np.random.Generator) -> None:
    """Write 16-bit mono noise, minute by minute."""
    n_samples = round(duration_seconds * SAMPLERATE_HZ)
    block = 60 * SAMPLERATE_HZ
    with soundfile.SoundFile(path, "w", SAMPLERATE_HZ, 1, subtype="PCM_16") as file:
        for start in range(0, n_samples, block):
            noise = rng.standard_normal(min(block, n_samples - start), dtype=np.float32)
            file.write(0.05 * noise)


def song_bouts(duration_seconds: float, rng: np.random.Generator) -> pd.DataFrame:
    """Bouts every ten seconds or so: a train of pulses every 35 ms or so, then often a sine."""
    rows = []
    now = rng.exponential(10)
    while True:
        pulses = now + np.cumsum(rng.normal(0.035, 0.003, rng.integers(3, 41)))
        rows += [("pulse", time, time) for time in pulses]
        now = pulses[-1]
        if rng.random() < 0.7:
            onset, offset = now + 0.05, now + 0.05 + rng.uniform(0.2, 2)
            rows.append(("sine", onset, offset))
            now = offset
        if now >= duration_seconds - 1:
            break
        now += 0.2 + rng.exponential(8)
    table = pd.DataFrame(rows, columns=["name", "start_seconds", "stop_seconds"])
    return table[table["stop_seconds"] < duration_seconds - 0.1].round(6)


if __name__ == "__main__":
    main()
