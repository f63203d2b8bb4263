"""What to annotate next: F1 against seconds annotated, for three ways to choose.

python benchmarks/loop.py [--corpora zebra_finch ...] [--seeds 0 1]

Recordings are cut at pauses into pieces of a few seconds. Every other recording is for judging;
pieces of the others can be annotated. The first two are drawn at random. A network is trained with
them, with the options that dss chooses, and annotates the rest; then the next ones are chosen: at
random, by confidence alone (`rank_recordings`), or by confidence and what is unlike anything
annotated (`find_novel_sounds`). Scores are the mean F1 of all song types, onsets within 10 ms.

Recordings of `zebra_finch_calls` in which syllables have no names of their own, but are all called
`s`, are left out.
"""

import itertools
import json
import sys
import tempfile
from pathlib import Path

from measure import RECORDINGS, corpora_and_seeds, each_alone

CORPORA = {"zebra_finch": 14, "bengalese_finch": 40, "zebra_finch_calls": 15}  # so many recordings
NAMELESS = {"n", "s"}
PIECE_SECONDS, LEAST_SECONDS = 4.0, 1.5
BATCHES = 2, 2, 4  # pieces that are annotated in each round
WAYS = "random", "confidence", "both"


def main() -> int:
    """Read the command line, simulate, and print a table."""
    arguments = corpora_and_seeds(__doc__, CORPORA)
    if arguments.inside:
        (name,), (seed,) = arguments.corpora, arguments.seeds
        with tempfile.TemporaryDirectory() as folder:
            for row in simulate(name, Path(folder), seed):
                print(json.dumps(row), flush=True)
        return 0
    print("| corpus | seed | way | annotated s | types | F1 |")
    print("| --- | ---: | --- | ---: | ---: | ---: |", flush=True)
    for name, seed, cost in each_alone(__file__, arguments):
        for line in cost.output.splitlines():
            if line.startswith('{"way"'):
                row = json.loads(line)
                cells = f"{row['seconds']:.0f} | {row['types']} | {row['f1']:.3f}"
                print(f"| `{name}` | {seed} | {row['way']} | {cells} |", flush=True)
    return 0


def simulate(name: str, folder: Path, seed: int):
    """The scores of each way after each round."""
    import numpy as np

    pool, judged = folder / "pool", folder / "judged"
    cut(name, pool, judged)
    pieces = sorted(pool.glob("*.wav"))
    order = np.random.default_rng(seed).permutation(len(pieces))
    first = [pieces[i] for i in order[: BATCHES[0]]]
    places = {frozenset(first): folder / "first"}  # ways that chose the same share a network
    learned = {frozenset(first): learn(first, judged, folder / "first", seed)}
    for way in WAYS:
        chosen = first
        yield {"way": way, **learned[frozenset(chosen)][1]}
        for number, n in enumerate(BATCHES[1:], start=1):
            run, known = learned[frozenset(chosen)][0], places[frozenset(chosen)] / "song"
            left = [piece for piece in pieces if piece not in chosen]
            place = folder / f"{way}_{number}"
            chosen = chosen + choose(way, left, run, known, n, place, seed + number)
            which = frozenset(chosen)
            if which not in learned:
                places[which], learned[which] = place, learn(chosen, judged, place, seed)
            yield {"way": way, **learned[which][1]}


def cut(name: str, pool: Path, judged: Path) -> None:
    """Cut recordings where a pause is near, and write the pieces."""
    import numpy as np
    import soundfile

    from dss.data import find_recordings, read_annotations, write_annotations

    tables = {
        path: read_annotations(path.with_name(f"{path.stem}_annotations.csv"), recording=path)
        for path in find_recordings(RECORDINGS / name)
    }
    named = [path for path, table in tables.items() if NAMELESS.isdisjoint(table["name"])]
    for number, path in enumerate(named[: CORPORA[name]]):
        folder, table = (pool, judged)[number % 2], tables[path]
        folder.mkdir(exist_ok=True)
        x, rate = soundfile.read(path, dtype="float32")
        seconds = len(x) / rate
        start, stop = (table[f"{edge}_seconds"].to_numpy() for edge in ("start", "stop"))
        times = np.arange(0, seconds, 0.005)
        free = times[
            ~((start[:, None] < times + 0.02) & (stop[:, None] > times - 0.02)).any(axis=0)
        ]
        wanted = np.arange(PIECE_SECONDS, seconds - LEAST_SECONDS, PIECE_SECONDS)
        edges = [0.0, *sorted({free[np.abs(free - w).argmin()] for w in wanted}), seconds]
        for i, (a, b) in enumerate(itertools.pairwise(edges)):
            part = table[(start >= a) & (start < b)].copy()
            part[["start_seconds", "stop_seconds"]] -= a
            soundfile.write(
                folder / f"{path.stem}_{i}.wav", x[round(a * rate) : round(b * rate)], rate
            )
            write_annotations(part, folder / f"{path.stem}_{i}_annotations.csv")


def learn(pieces: list[Path], judged: Path, folder: Path, seed: int):
    """Train with some pieces; returns the run, and how well it does."""
    from dss.data import make_dataset, open_recording, read_annotations
    from dss.data.annotations import NOISE
    from dss.evaluate import evaluate
    from dss.predict import predict_files
    from dss.train import train

    song = folder / "song"
    song.mkdir(parents=True)
    for piece in pieces:
        for file in (piece, piece.with_name(f"{piece.stem}_annotations.csv")):
            (song / file.name).symlink_to(file)
    how = {"test_fraction": 0, "val_fraction": 0.2, "block_seconds": 0.5, "seed": seed}
    run = train(data_dir=make_dataset(song, **how), seed=seed)
    files = predict_files(judged, run, save_dir=folder / "judged")
    true = [read_annotations(judged / file.name) for file in files]
    names = {name for table in true for name in table["name"]} - {NOISE}
    scores = evaluate(true, files)
    f1 = scores["f1"].reindex(sorted(names)).fillna(0)
    learned = {name for file in song.glob("*.csv") for name in read_annotations(file)["name"]}
    return run, {
        "seconds": sum(open_recording(piece).duration_seconds for piece in pieces),
        "types": len(learned & names),
        "f1": float(f1.mean()),
    }


def choose(
    way: str, left: list[Path], run, known: Path, n: int, folder: Path, seed: int
) -> list[Path]:
    """The pieces to annotate next, by what the last run says of those that are left."""
    import numpy as np

    from dss.predict import predict_files
    from dss.review.novel_sounds import find_novel_sounds
    from dss.review.proofread import rank_recordings

    if way == "random":
        return [left[i] for i in np.random.default_rng(seed).permutation(len(left))[:n]]
    pool, annotated = folder / "pool", folder / "annotated"
    pool.mkdir(parents=True)
    for piece in left:
        (pool / piece.name).symlink_to(piece)
    predict_files(pool, run, save_dir=annotated)
    by_file = {f"{annotated / piece.stem}_annotations.csv": piece for piece in left}
    files = {piece: Path(file) for file, piece in by_file.items()}
    novel = find_novel_sounds(files, known) if way == "both" else None
    ranked = rank_recordings(annotated, novel)
    return [by_file[file] for file in ranked["file"][:n]]


if __name__ == "__main__":
    sys.exit(main())
