"""Train with dss or with DAS: the same recordings, networks of the same size, as many epochs.

PYTHON benchmarks/training.py {dss,das} FOLDER [--nb-epoch 4]

Each makes its own dataset first. The last line says how many seconds of audio training learned from
in a CPU second: validation and the files of the run included, imports and the dataset not.
"""

import argparse
import os
import tempfile
from pathlib import Path

from annotate import NETWORK, SAMPLERATE_HZ
from assemble import with_das, with_dss

TRAINING = {"batch_size": 8, "learning_rate": 0.0005}


def main() -> None:
    """Read the command line, make the dataset and train."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("system", choices=("dss", "das"))
    parser.add_argument("folder", help="recordings with STEM_annotations.csv beside each")
    parser.add_argument("--nb-epoch", type=int, default=4)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        store = Path(temporary) / "song.npy"
        {"dss": with_dss, "das": with_das}[arguments.system](arguments.folder, str(store))
        spent = train(arguments.system, store, arguments.nb_epoch)
        learned = arguments.nb_epoch * _train_seconds(store)
    print(f"{arguments.system}: {learned / spent:.1f} s of audio learned from per CPU-s")


def train(system: str, store: Path, nb_epoch: int) -> float:
    """Train; returns the CPU seconds that it took."""
    if system == "das":
        from das.train import train
    else:
        from dss.models.backend import tf  # noqa: F401  imported with its train by DAS, too
        from dss.train import train
    began = _cpu_seconds()
    options = {"nb_epoch": nb_epoch, **NETWORK, **TRAINING}
    train(data_dir=str(store), save_dir=str(store.parent), **options)
    return _cpu_seconds() - began


def _cpu_seconds() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _train_seconds(store: Path) -> float:
    import numpy as np

    return len(np.load(store / "train" / "x.npy", mmap_mode="r")) / SAMPLERATE_HZ


if __name__ == "__main__":
    main()
