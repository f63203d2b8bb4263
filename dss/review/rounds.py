"""Rounds of annotating, training and checking: the progress so far, and what to do next.

`rounds.csv` next to the runs has one row per run: how much was annotated for it and how good it
probably is.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Unpack

import numpy as np
import pandas as pd

from dss.data.annotations import EVENT, SEGMENT, occurrences
from dss.data.dataset import open_dataset
from dss.data.splits import SPLITS
from dss.data.text_tables import read_csv
from dss.data.time_texts import numbers
from dss.errors import DssError, raise_problems
from dss.evaluate.pairs import ENDING
from dss.options import DetectOptions, FileOptions, takes_options
from dss.options.arguments import FileArguments
from dss.predict.confidence import Calibration, calibration_of, expected_errors
from dss.predict.detection import with_run_options
from dss.review.comparison import MOSTLY, annotations_in, in_dataset, is_among, is_predicted
from dss.review.novel_sounds import find_novel_sounds
from dss.review.proofread import count_novel, rank_recordings
from dss.review.views import View, completeness, dataset_views
from dss.runs import read_params, run_file, run_trunk
from dss.support.files import replacing
from dss.support.units import counted, readable

NOTHING_NEW = "You annotated all these recordings already: let the network annotate others."
ROUNDS = ["run", "annotated_seconds", "song_types", "found", "wrong", "f1", "unlike"]
MOST_NAMED = 3  # recordings to annotate next


class NextRound(NamedTuple):
    """The progress so far, and what to annotate next.

    Attributes:
        rounds: one row per run, the latest last: run, annotated_seconds and song_types (of its
            dataset), found (the number of annotations), wrong (how many of them are probably
            wrong), f1 (expected; NaN if the run is not calibrated) and unlike (the number of
            sounds).
        ranked: the recordings, from `dss.review.proofread.rank_recordings`.
        novel: the sounds, from `dss.review.novel_sounds.find_novel_sounds`.
    """

    rounds: pd.DataFrame
    ranked: pd.DataFrame
    novel: pd.DataFrame

    def __str__(self) -> str:
        now, before = self.rounds.iloc[-1], self.rounds.iloc[:-1].tail(1)
        seconds, f1 = (before[column].dropna() for column in ("annotated_seconds", "f1"))
        types = counted(now["song_types"], "song type")
        was = "".join(f" ({readable(s)} before)" for s in seconds)
        lines = [f"Annotated: {readable(now['annotated_seconds'])}{was}, {types}."]
        if pd.notna(now["f1"]):
            was = "".join(f" ({value:.2f} before)" for value in f1)
            of = f"of {now['found']:,} new annotations, about {now['wrong']:,.0f} are wrong"
            lines.append(f"Expected F1: {now['f1']:.2f}{was}; {of}.")
        if self.ranked.empty:
            return "\n".join([*lines, NOTHING_NEW])
        names = [Path(file).name.removesuffix(ENDING) for file in self.ranked["file"]]
        following = f"Annotate next: {', '.join(names[:MOST_NAMED])}."
        return "\n".join([*lines, count_novel(self.novel), following])


@takes_options
def next_round(
    files: Mapping[Path, Path],
    run: str | Path,
    *,
    options: FileOptions | None = None,
    **named: Unpack[FileArguments],
) -> NextRound:
    """Say how good a run is and what to annotate next, and record it in `rounds.csv`.

    F1 is expected, not measured: precision comes from the confidence of the annotations, recall
    from the validation split. It holds for recordings like the annotated ones. Recordings in any
    split of the run's dataset are left out if at least half of each is annotated already; so are
    those that were skipped because you annotated them.

    Arguments:
        files: the annotation file from `dss.predict.predict_files` for each recording. The options
            say how to read those that you corrected.
        run: the trunk of the run that found them; its dataset has to exist.

    Raises: DssError if the dataset of the run is missing, or `rounds.csv` cannot be read.
    """
    options = FileOptions.given(options, named)
    trunk = run_trunk(run)
    before = _read(trunk.parent / "rounds.csv")
    params = read_params(trunk)
    new, known = _new_and_known(files, trunk, params)
    novel = find_novel_sounds(new, known, options=options)
    rate = params["samplerate_x_Hz"]
    tables = {file: annotations_in(file, path, options, rate) for path, file in new.items()}
    row = _round(trunk, params, known, tables, len(novel))
    ranked = rank_recordings(tables, novel) if tables else pd.DataFrame(columns=["file"])
    others = before[before["run"] != trunk.name]
    rounds = pd.concat([others, row], ignore_index=True) if len(others) else row
    rounds = rounds.sort_values("run", ignore_index=True)
    with replacing(trunk.parent / "rounds.csv") as part:
        rounds.to_csv(part, index=False, float_format="%.6g")
    return NextRound(rounds, ranked, novel)


@takes_options
def find_novel_in_run(
    files: Mapping[Path, Path],
    run: str | Path,
    *,
    options: FileOptions | None = None,
    **named: Unpack[FileArguments],
) -> pd.DataFrame:
    """The sounds unlike anything in the dataset of a run, from `find_novel_sounds`.

    Arguments as for `next_round`; recordings in the dataset are left out here, too.

    Raises: DssError if all recordings are in the dataset, or it is missing.
    """
    options = FileOptions.given(options, named)
    trunk = run_trunk(run)
    new, known = _new_and_known(files, trunk, read_params(trunk))
    if not new:
        raise DssError(NOTHING_NEW)
    return find_novel_sounds(new, known, options=options)


def _new_and_known(
    files: Mapping[Path, Path], trunk: Path, params: Mapping[str, Any]
) -> tuple[dict[Path, Path], list[View]]:
    """The predicted files of recordings that are not in a run's dataset, and its views."""
    data_dir = params.get("data_dir")
    if not data_dir or not Path(data_dir).exists():
        raise DssError(
            f"{run_file(trunk, '_params.yaml')}: the dataset that the run was trained on is not "
            f"there (data_dir: {data_dir}). Make it again, or write there where it is now."
        )
    tree = open_dataset(data_dir)
    known = in_dataset(tree, SPLITS, MOSTLY)
    predicted = {path: file for path, file in files.items() if is_predicted(file)}
    new = {path: file for path, file in predicted.items() if not is_among(path, known)}
    return new, dataset_views(tree)


def _read(path: Path) -> pd.DataFrame:
    """The earlier rounds."""
    if not path.is_file():
        return pd.DataFrame(columns=ROUNDS)
    table = read_csv(path, ROUNDS)
    table[ROUNDS[1:]] = table[ROUNDS[1:]].apply(numbers)
    needed = ["annotated_seconds", "song_types", "found", "unlike"]
    bad = table.index[table[needed].isna().any(axis=1)]
    raise_problems([f"{path}, row {row}: lacks a number" for row in bad], "Remove these rounds:")
    return table.astype({"song_types": int, "found": int, "unlike": int})[ROUNDS]


def _round(
    trunk: Path,
    params: Mapping[str, Any],
    known: Sequence[View],
    tables: Mapping[Path, pd.DataFrame],
    n_novel: int,
) -> pd.DataFrame:
    """The row of a run."""
    parts = completeness(known)
    seconds = float((parts["seconds"] - parts["unknown"]).sum())
    n_found = sum(len(occurrences(table)) for table in tables.values())
    wrong = f1 = np.nan
    calibration = calibration_of(params, trunk)
    if calibration and n_found:
        wrong = expected_errors([*tables.values()], trunk).wrong
        precision, recall = 1 - wrong / n_found, _recall(calibration, params)
        f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    n_types = len(params["class_names"]) - 1
    row = (trunk.name, seconds, n_types, n_found, wrong, f1, n_novel)
    return pd.DataFrame([row], columns=ROUNDS)


def _recall(calibration: Calibration, params: Mapping[str, Any]) -> float:
    """The fraction of the true annotations that the thresholds of a run find; NaN if unknown."""
    options = with_run_options(DetectOptions(), params)
    used = {EVENT: options.event_threshold, SEGMENT: options.segment_threshold}
    parts = [
        min(points, key=lambda point: abs(point[0] - used[category]))[1]
        for category, points in calibration.recall.items()
    ]
    return float(np.mean(parts)) if parts else np.nan
