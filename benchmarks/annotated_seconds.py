"""How good dss gets with how many seconds of annotated song, beside TweetyNet.

python benchmarks/annotated_seconds.py [--seconds 30 180 480 600] [--seeds 0 1 2] [--figure FILE]

Trains with songs of the Bengalese finch Bird0 and judges each network on the same songs, a third of
all, that it never heard. TweetyNet's errors are those that its authors published, for other songs
of the same bird (Cohen et al. 2022, eLife 11:e63853; mean of ten networks).
"""

import argparse
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import animals
from measure import measure

CORPUS = "bengalese_finch"
TWEETYNET = {
    "frame_error": {30: 2.73, 180: 1.81, 480: 1.58, 600: 1.64},
    "syllable_error": {30: 3.83, 180: 1.84, 480: 1.38, 600: 1.51},
}


def main() -> int:
    """Read the command line, train with each amount, print a table, and draw it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, nargs="+", default=[30, 180, 480, 600])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--figure", type=Path, help="a PNG file to draw the errors into")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        (seconds,), (seed,) = arguments.seconds, arguments.seeds
        print(json.dumps(errors(seconds, seed)))
        return 0
    if not animals.RECORDINGS.is_dir():
        print(f"{animals.RECORDINGS} is not here", file=sys.stderr)
        return 1
    names = "frame error %", "syllable error %"
    print("| annotated s | seed |", " | ".join(f"{n}: dss | TweetyNet" for n in names), "| CPU-s |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
    found: dict[str, dict[int, list[float]]] = {score: {} for score in TWEETYNET}
    for seconds in arguments.seconds:
        for seed in arguments.seeds:
            which = ["--seconds", str(seconds), "--seeds", str(seed)]
            cost = measure([sys.executable, __file__, "--inside", *which])
            if cost.exit_code:
                print(cost.output, file=sys.stderr)
                return 1
            row = json.loads(cost.output.splitlines()[-1])
            cells = []
            for score, published in TWEETYNET.items():
                found[score].setdefault(seconds, []).append(row[score])
                cells += [f"{row[score]:.2f}", f"{published.get(seconds, float('nan')):.2f}"]
            print(f"| {seconds} | {seed} | {' | '.join(cells)} | {cost.cpu_seconds:.0f} |")
            sys.stdout.flush()
    if arguments.figure:
        draw(found, arguments.figure)
    return 0


def errors(seconds: int, seed: int) -> dict[str, float]:
    """The scores of one network, trained with so many seconds."""
    third = replace(animals.CORPORA[CORPUS], n_folds=3, train_seconds=seconds)
    animals.CORPORA[CORPUS] = third
    with tempfile.TemporaryDirectory() as folder:
        return animals.judge(CORPUS, Path(folder), 0, seed)


def draw(found: dict[str, dict[int, list[float]]], figure: Path) -> None:
    """Draw both errors against the seconds of annotated song."""
    import matplotlib.pyplot as plt
    import numpy as np

    fig, axes = plt.subplots(1, 2, figsize=(7.5, 3), layout="constrained", sharex=True)
    for ax, (score, by_seconds) in zip(axes, found.items(), strict=True):
        published = TWEETYNET[score]
        ax.plot([*published], [*published.values()], "s--", color="0.55", label="TweetyNet")
        seconds = [*by_seconds]
        for s, values in by_seconds.items():
            ax.plot([s] * len(values), values, ".", color="#3b6ea8", alpha=0.5)
        means = [np.mean(values) for values in by_seconds.values()]
        ax.plot(seconds, means, "o-", color="#3b6ea8", label="dss")
        ax.set_xlim(0)
        ax.set_ylim(0, 1.1 * max(published.values()))
        ax.set_xlabel("annotated song [s]")
        ax.set_ylabel(score.replace("_", " ") + " [%]")
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].legend(frameon=False)
    fig.savefig(figure, dpi=120)
    plt.close(fig)


if __name__ == "__main__":
    sys.exit(main())
