"""How the cost grows with the length of a recording, song types, channels, and data to train with.

python benchmarks/growth.py [minutes] [types] [channels] [data] [--figure benchmarks/growth.png]

Each point is a process of its own, from start to end, with the network of the preset `songbird`: it
annotates noise at 32 kHz; or it assembles copies of the shipped song of a finch, and trains for an
epoch. Most of what the smallest points cost does not grow: importing TensorFlow, and compiling.
"""

import argparse
import subprocess
import sys
import tempfile
from itertools import cycle, islice
from pathlib import Path

from measure import Cost, measure
from works import HERE

SONG = HERE.parent / "data" / "finch"
SONG_SECONDS = 8.2  # of each recording
SERIES = {
    "minutes": ("minutes of recording", (1, 4, 15, 60, 240)),
    "types": ("song types", (2, 5, 10, 20, 50)),
    "channels": ("channels", (1, 2, 4, 8, 16)),
    "data": ("minutes to train with", (1, 4, 16, 64)),
}


def main() -> None:
    """Read the command line; measure one series after the other, print a table and draw."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("series", nargs="*", help=f"{', '.join(SERIES)}; default: all")
    parser.add_argument("--figure", type=Path, default=HERE / "growth.png")
    arguments = parser.parse_args()
    if unknown := set(arguments.series) - set(SERIES):
        parser.error(f"no such series: {', '.join(unknown)}")
    print("| what grows | CPU-s | MB |\n| --- | ---: | ---: |")
    points = []
    for name in arguments.series or SERIES:
        label, values = SERIES[name]
        for value in values:
            cost = cost_of(name, value)
            points.append((label, value, cost.cpu_seconds, cost.peak_mb))
            print(f"| {value} {label} | {cost.cpu_seconds:.1f} | {cost.peak_mb:.0f} |", flush=True)
    task("draw", repr(points), arguments.figure)


def cost_of(name: str, value: int) -> Cost:
    """Prepare what one point needs, and measure it."""
    with tempfile.TemporaryDirectory() as temporary:
        if name == "data":
            words = ("learn", temporary, value)
        else:
            minutes = value if name == "minutes" else 4
            n_types = value if name == "types" else 6
            n_channels = value if name == "channels" else 1
            task("record", temporary, minutes, n_channels)
            words = ("run", temporary, n_types, n_channels)
        cost = measure([sys.executable, __file__, "--task", *map(str, words)])
    if cost.exit_code:
        sys.exit(cost.output)
    return cost


def task(*words) -> None:
    """Run a task, unmeasured, in a process of its own: this one has to stay small."""
    subprocess.run([sys.executable, __file__, "--task", *map(str, words)], check=True)


def record(folder: str, minutes: str, n_channels: str) -> None:
    """Write a recording of noise."""
    import annotate

    annotate.make(Path(folder) / "noise.wav", int(minutes), int(n_channels))


def run(folder: str, n_types: str, n_channels: str) -> None:
    """Annotate it."""
    import annotate

    recording = Path(folder) / "noise.wav"
    annotate.with_dss(recording, Path(folder), "songbird", int(n_types), int(n_channels))


def learn(folder: str, minutes: str) -> None:
    """Assemble so much song and train with it for an epoch."""
    from dss.data import make_dataset
    from dss.train import train

    song, n_copies = Path(folder) / "song", round(60 * int(minutes) / SONG_SECONDS)
    song.mkdir()
    for i, recording in enumerate(islice(cycle(sorted(SONG.glob("*.wav"))), n_copies)):
        table = recording.with_name(f"{recording.stem}_annotations.csv")
        (song / f"{i:04}.wav").symlink_to(recording)
        (song / f"{i:04}_annotations.csv").symlink_to(table)
    store = make_dataset(song, test_fraction=0, val_fraction=0.05)
    train(data_dir=store, preset="songbird", nb_epoch=1)


def draw(points: str, figure: str) -> None:
    """Draw CPU seconds above, memory below, a column a series; name the card if there is one."""
    import ast

    import arithmetic
    import matplotlib.pyplot as plt

    points = ast.literal_eval(points)
    labels = list(dict.fromkeys(label for label, *_ in points))
    fig, axes = plt.subplots(
        2, len(labels), figsize=(3 * len(labels), 5), sharex="col", squeeze=False
    )
    for column, label in zip(axes.T, labels, strict=True):
        _, values, seconds, megabytes = zip(*(p for p in points if p[0] == label), strict=True)
        for ax, y in zip(column, (seconds, megabytes), strict=True):
            ax.plot(values, y, "o-", color="#3b6ea8")
            ax.set_ylim(0, 1.15 * max(y))
            ax.spines[["top", "right"]].set_visible(False)
        column[1].set_xlabel(label)
        column[1].set_xlim(0)
    axes[0, 0].set_ylabel("CPU seconds")
    axes[1, 0].set_ylabel("peak memory [MB]")
    fig.suptitle(f"What dss costs, whole processes ({arithmetic.device()})")
    fig.tight_layout()
    fig.savefig(figure, dpi=100)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--task"]:
        globals()[sys.argv[2]](*sys.argv[3:])
    else:
        main()
