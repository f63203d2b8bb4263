"""How many planted errors are found in manual annotations.

python benchmarks/annotation_errors.py [--corpora zebra_finch ...] [--seeds 0 1]

In a copy of the annotations of each corpus, 2 % of the names are changed (where there are several),
2 % have their onset or offset moved by 20 ms, and 2 % are deleted.
`dss.review.annotation_errors.find_annotation_errors` lists what is probably wrong. Recall is the
part of the planted errors at which the beginning of the list points, which is three times as long
as there are planted errors. Errors that were there before count as false positives.
"""

import json
import sys
import tempfile
from pathlib import Path

from measure import RECORDINGS, corpora_and_seeds, each_alone

CORPORA = {"zebra_finch": 14, "bengalese_finch": 24, "zebra_finch_adults": 10}  # recordings
PART, MOVED_SECONDS = 0.02, 0.02
SHORTEST_SECONDS = 0.005  # of a segment whose boundary is moved
TIMES = 3  # as long a list as there are planted errors
KINDS = ["name", "boundary", "missing"]
OVERLAP = 0.3  # of a deleted annotation, with what is listed


def main() -> int:
    """Read the command line, plant errors in each corpus, and print how many are found."""
    arguments = corpora_and_seeds(__doc__, CORPORA)
    if arguments.inside:
        (name,), (seed,) = arguments.corpora, arguments.seeds
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(judge(name, Path(folder), seed)))
        return 0
    print("| corpus | seed | planted | recall | of", " | of ".join(KINDS), "| CPU-s |")
    print("| --- | ---: | ---: | ---: |", " | ".join(["---:"] * 4), "|", flush=True)
    for name, seed, cost in each_alone(__file__, arguments):
        if cost.exit_code:
            continue
        row = json.loads(cost.output.splitlines()[-1])
        cells = [row["recall"], *(row.get(kind) for kind in KINDS)]
        shown = " | ".join("" if cell is None else f"{cell:.3f}" for cell in cells)
        print(f"| `{name}` | {seed} | {row['n']} | {shown} | {cost.cpu_seconds:.0f} |", flush=True)
    return 0


def judge(name: str, folder: Path, seed: int) -> dict[str, float]:
    """How many errors are planted, and which part of them is found; also by kind."""
    from dss.review.annotation_errors import find_annotation_errors

    planted = plant(name, folder, seed)
    errors = find_annotation_errors(folder, seed=seed, min_certainty=0.0)[: TIMES * len(planted)]
    is_found = [_points_at(errors, error) for error in planted.itertuples()]
    by_kind = planted.assign(is_found=is_found).groupby("error")["is_found"].mean()
    return {"n": len(planted), "recall": sum(is_found) / len(planted), **by_kind.to_dict()}


def _points_at(errors, planted) -> bool:
    """Whether one of the errors that are listed is this one."""
    listed = errors[errors["recording"] == planted.recording]
    start, stop = listed["start_seconds"], listed["stop_seconds"]
    if planted.error == "missing":
        shared = stop.clip(upper=planted.stop_seconds) - start.clip(lower=planted.start_seconds)
        enough = OVERLAP * (planted.stop_seconds - planted.start_seconds)
        return bool((listed["annotated_name"].isna() & (shared > enough)).any())
    off = (start - planted.start_seconds).abs() + (stop - planted.stop_seconds).abs()
    return bool((listed["annotated_name"].notna() & (off < 1e-4)).any())


def plant(name: str, folder: Path, seed: int):
    """Write a corpus with errors into a folder; returns a table of these.

    The table has recording, start_seconds, stop_seconds and name (as they are now; of a deleted
    annotation as it was), and error.
    """
    import numpy as np
    import pandas as pd

    from dss.data import find_recordings, read_annotations, write_annotations

    rng = np.random.default_rng(seed)
    paths = find_recordings(RECORDINGS / name)[: CORPORA[name]]
    tables = []
    for path in paths:
        (folder / path.name).symlink_to(path)
        table = read_annotations(path.with_name(f"{path.stem}_annotations.csv"), recording=path)
        tables.append(table.dropna().assign(recording=path.name))
    table = pd.concat(tables, ignore_index=True)
    names = sorted({*table["name"]})
    kinds = ["boundary", "missing"] + ["name"] * (len(names) > 1)
    n = round(PART * len(table))
    rows = rng.choice(len(table), n * len(kinds), replace=False)
    table["error"] = ""
    for i, row in enumerate(rows):
        kind = table.loc[row, "error"] = kinds[i % len(kinds)]
        if kind == "name":
            others = [other for other in names if other != table.loc[row, "name"]]
            table.loc[row, "name"] = rng.choice(others)
        elif kind == "boundary":
            edge = rng.choice(["start_seconds", "stop_seconds"])
            times = table.loc[row, ["start_seconds", "stop_seconds"]].astype(float)
            earlier, later = times[edge] - MOVED_SECONDS, times[edge] + MOVED_SECONDS
            moved = [earlier, later][int(rng.integers(2))]
            is_within = moved >= 0 and (
                moved <= times["stop_seconds"] - SHORTEST_SECONDS
                if edge == "start_seconds"
                else moved >= times["start_seconds"] + SHORTEST_SECONDS
            )
            # Of a short segment, only outwards.
            table.loc[row, edge] = (
                moved if is_within else earlier if edge == "start_seconds" else later
            )
    for path in paths:
        kept = table[(table["recording"] == path.name) & (table["error"] != "missing")]
        kept = kept.drop(columns=["recording", "error"]).sort_values("start_seconds")
        write_annotations(kept, folder / f"{path.stem}_annotations.csv")
    return table[table["error"] != ""]


if __name__ == "__main__":
    sys.exit(main())
