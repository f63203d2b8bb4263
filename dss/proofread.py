"""What is worth looking at first: the least certain annotations, and recordings full of them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from dss.data.annotations import found, read_annotations
from dss.errors import DssError
from dss.evaluate.pairs import ENDING
from dss.options import ProofreadOptions, takes_options

Annotated = str | Path | Mapping[Path, pd.DataFrame]


@takes_options
def least_certain(annotated: Annotated, *, options: ProofreadOptions) -> pd.DataFrame:
    """The annotations with the lowest confidence, the least certain one first.

    Where annotations are marked as proposals, those that somebody confirmed are left out.

    Arguments:
        annotated: a file that `dss.predict.predict_files` wrote, a folder of these, or annotation
            tables by their files.

    Returns: a table with file, look_at (minutes:seconds), name, start_seconds, stop_seconds and
        confidence.
    Raises: DssError if there are no annotations with a confidence.
    """
    tables = [table.assign(file=str(path)) for path, table in _unconfirmed(annotated)]
    table = pd.concat(tables, ignore_index=True)
    table = table.sort_values("confidence", kind="stable", ignore_index=True)[: options.n_least]
    table["look_at"] = [_minutes(seconds) for seconds in table["start_seconds"]]
    return table[["file", "look_at", "name", "start_seconds", "stop_seconds", "confidence"]]


def rank_recordings(annotated: Annotated) -> pd.DataFrame:
    """Annotated recordings, the one that the network is least sure of first.

    It is the one to annotate by hand next, and to train with again (uncertainty sampling; Settles
    2009, Active Learning Literature Survey, section 3.1).

    Arguments:
        annotated: as for `least_certain`.

    Returns: a table with file, annotations (their number), uncertainty (mean of 1 - confidence; NaN
        without annotations) and lowest_confidence.
    Raises: DssError if there are no annotations with a confidence.
    """
    rows = [
        (str(path), len(t), 1 - t["confidence"].mean(), t["confidence"].min())
        for path, t in _unconfirmed(annotated)
    ]
    columns = ["file", "annotations", "uncertainty", "lowest_confidence"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("uncertainty", ascending=False, kind="stable", ignore_index=True)


def format_proofread(least: pd.DataFrame, ranked: pd.DataFrame) -> str:
    """Both tables as text to read."""
    parts = [("Least certain annotations", least.drop(columns=["start_seconds", "stop_seconds"]))]
    if len(ranked) > 1:
        parts.append(("Recordings to annotate next, the least certain first", ranked))
    style = {"index": False, "float_format": "{:.3f}".format, "na_rep": ""}
    return "\n\n".join(f"{title}\n{table.to_string(**style)}" for title, table in parts)


def _unconfirmed(annotated: Annotated) -> Iterator[tuple[Path, pd.DataFrame]]:
    """The annotations with a confidence that nobody confirmed, file by file."""
    if isinstance(annotated, Mapping):
        tables = annotated
    else:
        annotated = Path(annotated)
        paths = sorted(annotated.rglob(f"*{ENDING}")) if annotated.is_dir() else [annotated]
        tables = {path: read_annotations(path) for path in paths}
    tables = {path: table for path, table in tables.items() if "confidence" in table}
    if not tables:
        where = "here" if isinstance(annotated, Mapping) else annotated
        raise DssError(
            f"{where}: holds no annotations with a confidence, as `dss predict` writes them"
        )
    for path, table in tables.items():
        table = found(table)
        table = table.assign(confidence=pd.to_numeric(table["confidence"], errors="coerce"))
        table = table[table["confidence"].notna()]
        if "confirmed" in table:
            table = table[table["confirmed"].astype(str).str.lower() != "true"]
        yield path, table


def _minutes(seconds: float) -> str:
    minutes, milliseconds = divmod(round(1000 * seconds), 60_000)
    return f"{minutes}:{milliseconds / 1000:06.3f}"
