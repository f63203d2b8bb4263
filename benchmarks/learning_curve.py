"""How well a learning curve of up to half of the data predicts what all of it gives.

python benchmarks/learning_curve.py [--corpora canary meerkat ...]
"""

import argparse
import sys
import tempfile
from pathlib import Path

RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "data"
# Of the long ones, so many recordings.
CORPORA = {"fly_pulses": 1, "meerkat": 3, "canary": 4, "mouse": 4, "zebra_finch": 14}


def main() -> int:
    """Read the command line, train, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--corpora", nargs="+", default=[*CORPORA], choices=[*CORPORA])
    arguments = parser.parse_args()
    print("| corpus | song type | annotated s | F1 with half | foretold | 90 % | with all | off |")
    print("| --- | --- | ---: | ---: | ---: | --- | ---: | ---: |", flush=True)
    for name in arguments.corpora:
        with tempfile.TemporaryDirectory() as folder:
            for cells in foretold(name, Path(folder)):
                print(f"| `{name}` | {' | '.join(cells)} |", flush=True)
    return 0


def foretold(name: str, folder: Path):
    """A row of the table for each song type."""
    import numpy as np

    from dss.data import find_recordings, make_dataset
    from dss.train import learning_curve
    from dss.train.learning_curve import extrapolate

    (folder / "song").mkdir()
    for path in find_recordings(RECORDINGS / name)[: CORPORA[name]]:
        for file in (path, path.with_name(f"{path.stem}_annotations.csv")):
            (folder / "song" / file.name).symlink_to(file)
    store = make_dataset(folder / "song", test_fraction=0.3)
    table = learning_curve(data_dir=store)
    for song_type, rows in table[table["is_measured"]].groupby("song_type", sort=False):
        seconds, f1 = rows["seconds"].to_numpy(), rows["f1"].to_numpy()
        drawn = extrapolate(seconds[:-1], np.tile(f1[:-1, None], (1, 1000)), 2)
        low, middle, high = np.quantile(drawn, [0.05, 0.5, 0.95])
        yield (
            song_type,
            f"{seconds[-1]:.0f}",
            f"{f1[-2]:.3f}",
            f"{middle:.3f}",
            f"{low:.3f} to {high:.3f}",
            f"{f1[-1]:.3f}",
            f"{middle - f1[-1]:+.3f}",
        )


if __name__ == "__main__":
    sys.exit(main())
