"""What to check first: the least certain annotations, and the recordings with many of them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Unpack

import numpy as np
import pandas as pd

from dss.data.annotations import occurrences, read_annotations
from dss.data.recording_files import visible_files
from dss.data.text_tables import TIMES, header_of
from dss.errors import DssError
from dss.evaluate.pairs import ENDING
from dss.options import ProofreadOptions, takes_options
from dss.options.arguments import ProofreadArguments
from dss.predict.near_misses import read_near_misses
from dss.support.units import clock_time

Annotated = str | Path | Mapping[Path, pd.DataFrame]

ANNOTATION, NEAR_MISS, NOVEL = "annotation", "near miss", "unlike"
SURE = 5  # certain annotations added to every recording
LISTED = ["file", "look_at", "name", "found", "start_seconds", "stop_seconds", "confidence"]


@takes_options
def least_certain(
    annotated: Annotated,
    novel: pd.DataFrame | None = None,
    *,
    options: ProofreadOptions | None = None,
    **named: Unpack[ProofreadArguments],
) -> pd.DataFrame:
    """List the most likely mistakes: annotations, and near misses, where song may have been
    missed.

    Near misses are read from files next to the annotations. If annotations are marked as proposals,
    confirmed ones are left out. Sounds unlike anything annotated are included: the farther they
    are, the earlier they come.

    Arguments:
        annotated: a file written by `dss.predict.predict_files`, a folder of these, or annotation
            tables by file.
        novel: the result of `dss.review.novel_sounds.find_novel_sounds` for these annotations.

    Returns: a table with file, look_at (minutes:seconds), name, found ("annotation", "near miss" or
        "unlike"), start_seconds, stop_seconds and confidence (for a near miss, the peak probability
        of song; NaN if nothing was found), sorted by how likely it is wrong: for an annotation with
        a confidence of 0.3 that is 0.7, for a near miss with a probability of 0.4 it is 0.4, for a
        sound at three times the largest usual distance 2/3.
    Raises: DssError if there are no annotations with a confidence.
    """
    options = ProofreadOptions.given(options, named)
    tables = [
        _with_novel(table, path, novel).assign(file=str(path))
        for path, table in _doubtful(annotated)
    ]
    table = pd.concat(tables, ignore_index=True)
    table = table.sort_values("doubt", ascending=False, kind="stable", ignore_index=True)
    table = table[: options.n_least]
    table.loc[table["is_novel"], "found"] = NOVEL
    table["look_at"] = [clock_time(seconds) for seconds in table["start_seconds"]]
    return table[LISTED]


def rank_recordings(annotated: Annotated, novel: pd.DataFrame | None = None) -> pd.DataFrame:
    """Rank annotated recordings, starting with the one that the network is least sure of.

    This is the one to annotate by hand next, and to train on again (uncertainty sampling; Settles
    2009, Active Learning Literature Survey, section 3.1). It counts annotations and near misses, so
    a recording with missed song ranks high, too; long ones count once per second. Sounds unlike
    anything annotated can be included: the farther they are, the more they count.

    Arguments:
        annotated: as for `least_certain`.
        novel: the result of `dss.review.novel_sounds.find_novel_sounds` for these annotations.

    Returns: a table with file, annotations, near_misses and unlike (their numbers),
        lowest_confidence (of the annotations; NaN without), and uncertainty: the fraction of these
        that is expected to be wrong or new, after adding 5 certain ones. So a recording with a
        single doubtful annotation, from which little can be learned, does not come first.
    Raises: DssError if there are no annotations with a confidence.
    """
    rows = []
    for path, table in _doubtful(annotated):
        table = _with_novel(table, path, novel)
        n = table["found"].value_counts()
        seconds = table["stop_seconds"] - table["start_seconds"]
        weight = np.maximum(np.ceil(seconds.to_numpy(float)), 1)
        uncertainty = (weight * table["doubt"]).sum() / (weight.sum() + SURE)
        lowest = table.loc[table["found"] == ANNOTATION, "confidence"].min()
        counts = n.get(ANNOTATION, 0), n.get(NEAR_MISS, 0), table["is_novel"].sum()
        rows.append((str(path), *counts, lowest, uncertainty))
    columns = ["file", "annotations", "near_misses", "unlike", "lowest_confidence", "uncertainty"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("uncertainty", ascending=False, kind="stable", ignore_index=True)


def _with_novel(table: pd.DataFrame, file: Path, novel: pd.DataFrame | None) -> pd.DataFrame:
    """The table `_doubtful` of a file, with sounds that are unlike anything annotated.

    The doubt about a sound is 0 at the largest usual distance, and 1/2 at twice that distance. The
    column is_novel marks these sounds.
    """
    here = None if novel is None else novel[novel["file"] == str(file)]
    if here is None or here.empty:
        return table.assign(is_novel=False)
    sounds = here[[*TIMES, "name"]].assign(doubt=1 - 1 / here["distance"], is_novel=True)
    both = pd.merge(table, sounds, on=TIMES, how="outer", suffixes=("", "_novel"))
    return both.assign(
        name=both["name"].fillna(both["name_novel"]),
        doubt=both[["doubt", "doubt_novel"]].max(axis=1),
        found=both["found"].fillna(NOVEL),
        is_novel=both["is_novel"].notna(),
    )


def format_proofread(
    least: pd.DataFrame, ranked: pd.DataFrame, novel: pd.DataFrame | None = None
) -> str:
    """Both tables as text, with the number of sounds unlike anything annotated."""
    if least.empty:
        return "Nothing to check: no annotations, and no near misses."
    style = {"index": False, "float_format": "{:.3f}".format, "na_rep": ""}
    parts = [f"Most probably wrong\n{least.drop(columns=TIMES).to_string(**style)}"]
    if len(ranked) > 1:
        table = ranked.drop(columns="unlike" if novel is None else [])  # not searched
        title = "Recordings to annotate next, the least certain first"
        parts.append(f"{title}\n{table.to_string(**style)}")
    if novel is not None:
        parts.append(count_novel(novel))
    return "\n\n".join(parts)


def count_novel(novel: pd.DataFrame) -> str:
    """A sentence on how many sounds are unlike anything annotated."""
    n = len(novel)
    return f"{n or 'No'} sound{' is' if n == 1 else 's are'} unlike anything annotated."


def _doubtful(annotated: Annotated) -> Iterator[tuple[Path, pd.DataFrame]]:
    """Unconfirmed annotations with a confidence, and near misses, file by file.

    The column doubt is the probability that they are wrong.
    """
    where, tables = "here", annotated
    if not isinstance(tables, Mapping):
        folder = Path(tables)
        where, paths = str(folder), [folder]
        if folder.is_dir():
            paths = sorted(path for path in visible_files(folder) if path.name.endswith(ENDING))
        # Manual annotations are left unread, which may be in other units, or without names.
        tables = {
            path: read_annotations(path)
            for path in paths
            if not path.is_file() or has_confidence(path)
        }
    tables = {path: table for path, table in tables.items() if "confidence" in table}
    if not tables:
        raise DssError(
            f"{where}: contains no annotations with a confidence, as `dss predict` writes them"
        )
    for path, table in tables.items():
        near = read_near_misses(path, table).rename(columns={"probability": "confidence"})
        near = near.assign(found=NEAR_MISS, doubt=near["confidence"])
        table = occurrences(table)
        table = table.assign(confidence=pd.to_numeric(table["confidence"], errors="coerce"))
        table = table[table["confidence"].notna()]
        if "confirmed" in table:
            table = table[~is_confirmed(table)]
        table = table.assign(found=ANNOTATION, doubt=1 - table["confidence"])
        yield path, pd.concat([part for part in (table, near) if len(part)] or [table])


def has_confidence(file: Path) -> bool:
    """Whether a CSV file of annotations has a column `confidence`, as predictions have."""
    return "confidence" in header_of(file)


def is_confirmed(table: pd.DataFrame) -> pd.Series:
    """Which annotations are confirmed, in a table with a column `confirmed`."""
    return table["confirmed"].astype(str).str.lower() == "true"
