"""Compare annotations with annotations: a person's with the network's, or with another person's.

A predicted annotation is right if a true one of the same name starts within the tolerance; each
true annotation is matched with at most one predicted one, so that as many as possible are.
"""

from collections.abc import Sequence
from pathlib import Path

import mir_eval
import numpy as np
import pandas as pd

from dss.data.annotations import NOISE, found, read_annotations
from dss.errors import DssError, raise_problems
from dss.options import EvaluateOptions, takes_options

ENDING = "_annotations.csv"


Annotations = str | Path | pd.DataFrame


@takes_options
def evaluate(
    true: Annotations | Sequence[Annotations],
    predicted: Annotations | Sequence[Annotations],
    *,
    options: EvaluateOptions,
) -> pd.DataFrame:
    """Score predicted annotations against true ones.

    Arguments:
        true: an annotation table or a CSV file; a list of these, one a recording; or a folder of
            `STEM_annotations.csv`.
        predicted: the same; lists are matched in their order, files in folders by name.

    Returns: a table with a row for each song type in the true annotations or the predicted ones,
        and a last row `all`:
        true, predicted, matched: numbers of annotations;
        precision: matched / predicted; recall: matched / true;
        f1: their harmonic mean; each NaN where there is nothing to divide by;
        onset_error_ms, offset_error_ms: median absolute error of the matched ones.
    Raises: DssError if a file is missing, or true annotations have no predicted ones.
    """
    pairs = _pairs(true, predicted)
    names = sorted(set().union(*(table["name"] for pair in pairs for table in pair)) - {NOISE})
    matches = {
        name: [_match(*pair, name, options.tolerance_seconds) for pair in pairs] for name in names
    }
    matches["all"] = [match for name in names for match in matches[name]]
    rows = {name: _scores(of_name) for name, of_name in matches.items()}
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index.name = "song_type"
    return table


def format_scores(scores: pd.DataFrame) -> str:
    """The table that `evaluate` gives, as text to read."""
    numbers = {"f1": "F1", "onset_error_ms": "onset error/ms", "offset_error_ms": "offset error/ms"}
    return scores.rename(columns=numbers).to_string(float_format="{:.3f}".format)


def _match(true, predicted, name, tolerance_seconds):
    """Of one name: number of true, number of predicted, errors [matched, (onset, offset)]."""
    true, predicted = (
        found(table)[lambda t: t["name"] == name][["start_seconds", "stop_seconds"]].to_numpy()
        for table in (true, predicted)
    )
    matched = mir_eval.util.match_events(true[:, 0], predicted[:, 0], tolerance_seconds)
    rows = np.array(matched, int).reshape(-1, 2)
    return len(true), len(predicted), predicted[rows[:, 1]] - true[rows[:, 0]]


def _scores(matches) -> dict[str, float]:
    n_true, n_predicted = (sum(match[i] for match in matches) for i in (0, 1))
    errors = np.concatenate([match[2] for match in matches] + [np.empty((0, 2))])
    n_matched = len(errors)
    onset, offset = 1000 * np.median(np.abs(errors), axis=0) if n_matched else (np.nan, np.nan)
    return {
        "true": n_true,
        "predicted": n_predicted,
        "matched": n_matched,
        "precision": n_matched / n_predicted if n_predicted else np.nan,
        "recall": n_matched / n_true if n_true else np.nan,
        "f1": 2 * n_matched / (n_true + n_predicted) if n_true + n_predicted else np.nan,
        "onset_error_ms": onset,
        "offset_error_ms": offset,
    }


def _pairs(true, predicted) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """Tables of true and predicted annotations that belong to one recording."""
    if _is_folder(true) and _is_folder(predicted):
        true, predicted = _matching_files(Path(true), Path(predicted))
    elif _is_folder(true) or _is_folder(predicted):
        raise DssError(f"{true} and {predicted}: one is a folder, the other is not")
    true, predicted = (
        [given] if isinstance(given, Annotations) else list(given) for given in (true, predicted)
    )
    if len(true) != len(predicted):
        raise DssError(f"{len(true)} true annotation tables, but {len(predicted)} predicted ones")
    return [(_table(t), _table(p)) for t, p in zip(true, predicted, strict=True)]


def _is_folder(annotations) -> bool:
    return isinstance(annotations, str | Path) and Path(annotations).is_dir()


def _table(annotations: Annotations) -> pd.DataFrame:
    is_table = isinstance(annotations, pd.DataFrame)
    return annotations if is_table else read_annotations(annotations)


def _matching_files(true: Path, predicted: Path) -> tuple[list[Path], list[Path]]:
    """The annotation files in one folder, and those of the same names in the other."""
    names = sorted(path.relative_to(true) for path in true.rglob(f"*{ENDING}"))
    if not names:
        raise DssError(f"{true}: holds no *{ENDING}")
    missing = [f"{predicted / name}" for name in names if not (predicted / name).is_file()]
    raise_problems(missing, f"Annotations in {true} have none to be compared with:")
    return [true / name for name in names], [predicted / name for name in names]
