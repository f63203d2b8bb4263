"""The four notebooks from top to bottom on recordings of each animal, only the path changed.

python benchmarks/notebooks.py [--corpora meerkat canary ...] [--epochs 1]

This is what you get if you change nothing else. `--epochs` replaces the number of epochs that dss
chooses, for a quick check that everything works, without meaningful scores.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RECORDINGS = ROOT.parent / "shared" / "data"
LONGEST_SECONDS = 3600  # of a cell
# What the notebooks say about their example.
EXAMPLE, STORE, RUNS = "../data/finch", "work/finch.npy", "work/finch.res"


def main() -> int:
    """Read the command line, run the notebooks on each corpus, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    there = (
        sorted(p.name for p in RECORDINGS.iterdir() if p.is_dir()) if RECORDINGS.is_dir() else []
    )
    parser.add_argument("--corpora", nargs="+", default=there)
    parser.add_argument("--epochs", type=int, help="of training; default: what dss chooses")
    arguments = parser.parse_args()
    print(
        "| corpus | F1 by samples, test split | annotations judged | F1 | recordings judged | s |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: |", flush=True)
    for name in arguments.corpora:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            got = run_notebooks(RECORDINGS / name, Path(folder), arguments.epochs)
            seconds = time.perf_counter() - start
        judged = f"{got['n_judged']} of {got['n_recordings']}"
        cells = [got["f1_samples"], got["n_true"], got["f1"], judged, f"{seconds:.0f}"]
        print(f"| `{name}` | {' | '.join(map(str, cells))} |", flush=True)
    return 0


def run_notebooks(recordings: Path, folder: Path, epochs: int | None = None) -> dict[str, object]:
    """Run all cells of all notebooks, in one kernel, in a folder of their own.

    Arguments:
        recordings: the folder of recordings.
        folder: where the notebooks are run, and write.
        epochs: of training; None for what dss chooses.

    Returns: what the last two of them show: scores, and how much was annotated.
    Raises: nbclient.exceptions.CellExecutionError with what a cell said.
    """
    import nbformat
    from nbclient import NotebookClient

    cells = []
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells += [c for c in nbformat.read(path, 4).cells if c.cell_type == "code"]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"  # in each notebook they count anew
        cell.source = changed(cell.source, recordings, epochs)
    cells.append(nbformat.v4.new_code_cell(SHOWN))
    notebook = nbformat.v4.new_notebook(cells=cells)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    client = NotebookClient(
        notebook,
        timeout=LONGEST_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env=environment)
    said = [o.get("text", "") for o in notebook.cells[-1].outputs if o.output_type == "stream"]
    return json.loads("".join(said).splitlines()[-1])


def changed(source: str, recordings: Path, epochs: int | None) -> str:
    """A cell with the path of the recordings changed, and those that follow from it."""
    source = source.replace(EXAMPLE, str(recordings))
    for path in (STORE, RUNS):
        source = source.replace(path, path.replace("finch", recordings.name))
    if epochs:
        source = source.replace("TrainingForm({", f'TrainingForm({{"nb_epoch": {epochs}, ')
    return source


SHOWN = """
import json

song = scores.drop(index="noise", errors="ignore")
by_hand, _ = viewer.compared
row = viewer.scores.loc["all"]
shown = {
    "f1_samples": round(float(song.loc[list(class_names[1:]), "f1"].mean()), 3),
    "n_true": int(row["true"]),
    "f1": round(float(row["f1"]), 3),
    "n_judged": len(by_hand),
    "n_recordings": len(annotated.files),
}
print(json.dumps(shown))
"""


if __name__ == "__main__":
    sys.exit(main())
