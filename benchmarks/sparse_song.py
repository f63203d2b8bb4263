"""Does sparse song need more training? The same simulated fly song, dense and in long noise.

python benchmarks/sparse_song.py [--seeds 3] [--steps 600]

The song of each training is the same, and so is the network. Dense song fills about a quarter of
its recordings; sparse song has 8 times as much noise around it, with footsteps and wing flicks.
Each is trained with as many steps; sparse song as it is, and with `balance`. What counts is after
how many steps the F1 by samples of the validation data, the mean of pulse and sine, reaches
`GOOD`, and how good it is in the end on a test recording.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
import simulate

from dss.data import make_dataset
from dss.evaluate import evaluate
from dss.predict import predict_files
from dss.runs import run_file
from dss.train import train

GOOD = 0.8
NETWORK = {"nb_hist": 2048, "nb_filters": 12, "kernel_size": 16, "nb_conv": 2}
BATCH_SIZE = 8
SECONDS = 60  # of dense song in all
SPARSER = 8


def main() -> None:
    """Train all, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=600)
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        for seed in range(arguments.seeds):
            for name, sparser, balance in (
                ("dense", 1, False),
                ("sparse", SPARSER, False),
                ("sparse, balanced", SPARSER, True),
            ):
                folder = Path(temporary) / f"{seed}_{sparser}"
                if not folder.is_dir():
                    record(folder, seed, sparser)
                rows.append({"song": name, "seed": seed})
                rows[-1] |= judge(folder, seed, arguments.steps, balance)
                print(rows[-1], file=sys.stderr)
    table = pd.DataFrame(rows)
    print(table.to_string(index=False))
    print(table.groupby("song", sort=False).mean(numeric_only=True).drop(columns="seed"))


def record(folder: Path, seed: int, sparser: int) -> None:
    """Two recordings to learn from, and one to judge: in `folder` and `folder`_judge."""
    for i in range(3):
        rng = np.random.default_rng([seed, i])
        recording = fly_song(SECONDS / 2, sparser, rng)
        where = folder.with_name(f"{folder.name}_judge") if i == 2 else folder
        simulate.save(where / f"fly{i}", simulate.FLY_HZ, *recording, ("pulse", "sine"))
    make_dataset(folder, test_fraction=0, val_fraction=0.3)


def fly_song(seconds: float, sparser: int, rng) -> tuple[np.ndarray, list]:
    """Song for so many seconds, in a recording that is longer: x [samples, 1], annotations."""
    levels = np.geomspace(0.06, 0.3, round(seconds / 6))
    sounds = [simulate.fly_bout(level, True, rng) for level in levels]
    seconds *= sparser
    sounds += [simulate.footstep(rng) for _ in range(int(seconds))]
    sounds += [simulate.wing_flick(rng) for _ in range(int(seconds / 5))]
    x, annotations = simulate.scatter(sounds, seconds, 0.08, simulate.FLY_HZ, rng)
    x += 0.005 * simulate.noise(len(x), 20, 900, simulate.FLY_HZ, rng)
    x += 0.007 * simulate.noise(len(x), 3, 35, simulate.FLY_HZ, rng)
    return x[:, None], annotations


def judge(folder: Path, seed: int, steps: int, balance: bool) -> dict[str, float]:
    """Train with as many steps, and score."""
    store = folder.with_suffix(".npy")
    chunk = NETWORK["nb_hist"] - 2 * NETWORK["kernel_size"] * NETWORK["nb_conv"]
    n_samples = len(np.load(store / "train" / "x.npy", mmap_mode="r"))
    per_epoch = -(-n_samples // chunk // BATCH_SIZE)
    began = time.process_time()
    trunk = train(
        data_dir=store,
        save_dir=folder / f"runs{balance}",
        nb_epoch=max(1, round(steps / per_epoch)),
        learning_rate=0.004,
        early_stopping_patience=1000,
        batch_size=BATCH_SIZE,
        balance=balance,
        seed=seed,
        **NETWORK,
    )
    spent = time.process_time() - began
    history = pd.read_csv(run_file(trunk, "_history.csv"))
    f1 = history[["val_f1_pulse", "val_f1_sine"]].mean(axis=1)
    good = np.flatnonzero(f1 >= GOOD)
    where = folder.with_name(f"{folder.name}_judge")
    predict_files(where, trunk, save_dir=folder / f"annotated{balance}")
    found = evaluate(where, folder / f"annotated{balance}", tolerance_seconds=0.01)
    return {
        "epochs": len(history),
        "steps an epoch": per_epoch,
        "steps until good": (good[0] + 1) * per_epoch if len(good) else np.nan,
        "best val F1": f1.max(),
        "test F1 pulse": found.loc["pulse", "f1"],
        "test F1 sine": found.loc["sine", "f1"],
        "CPU-s": spent,
    }


if __name__ == "__main__":
    main()
