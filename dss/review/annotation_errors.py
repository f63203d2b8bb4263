"""Annotations that are probably wrong, found by networks that did not learn from them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Unpack

import numpy as np
import pandas as pd

from dss.data.corpus import read_corpus
from dss.data.stretches import contain
from dss.data.text_tables import TIMES
from dss.errors import warn
from dss.options import AnnotationErrorOptions, DatasetOptions, SourceOptions, takes_options
from dss.options.arguments import AnnotationErrorArguments
from dss.review.cross_validation import FEWEST_OF_TYPE, HeldOut, predict_held_out
from dss.review.disagreement import disagreements
from dss.support.units import clock_time, counted

NAME, ONSET, OFFSET = "name", "onset", "offset"
MISSING, FALSE, DOUBLE = "missing", "false", "double"
LISTED = [
    *("recording", "look_at", "annotated_name", "start_seconds", "stop_seconds"),
    *("error", "says", "score", "network_name", "network_start_seconds", "network_stop_seconds"),
]
FEWEST = 10  # annotations of a song type needed to know the precision of its boundaries
EXACT_SECONDS = 0.001  # no boundary is more precise
EXPECTED, FEW = 0.02, 3  # errors of each kind: fraction of the annotations; always credible
SHORT = 0.1  # fraction of the annotations of a type that are unusually short
UNUSUAL = 5  # standard deviations of a boundary that is as likely wrong as right
SURE_GAIN = 5.0  # in log odds, above which a boundary is probably elsewhere
VAL_FRACTION = 0.1  # of each half, as judging needs all the training it can get


@takes_options
def find_annotation_errors(
    folder: str | Path,
    *,
    options: AnnotationErrorOptions | None = None,
    **named: Unpack[AnnotationErrorArguments],
) -> pd.DataFrame:
    """List annotations that are probably wrong, the most certain ones first.

    A network is trained on half of the recordings and judges the annotations of the other half, and
    vice versa, so that no network judges what it learned. A single recording is cut in two. A song
    type is judged if the other half has at least three annotations of it.

    How far the network's boundaries usually lie from the annotated ones is estimated from all
    annotations: a boundary is listed if it is much farther off than others of its type. If the
    networks object in one way to more than 2 % of the annotations, as they do if they learned
    little, these objections get a lower score.

    Arguments:
        folder: recordings with their annotations, as for `dss.data.make_dataset`.

    Returns: a table with recording (relative to the folder); look_at (minutes:seconds);
        annotated_name, start_seconds and stop_seconds (for a missing annotation no name, and the
        times of the network); error (name, onset, offset, missing, false: there is no song, or
        double: the same song is annotated twice); says (the network's opinion, in words); score
        (how credible that is, from 0 to 1); network_name, network_start_seconds and
        network_stop_seconds (the proposed correction).
    Raises: DssError before any training if annotations cannot be read or are too few.
    Warns: DssWarning about song types that cannot be judged.

    Source, for judging by networks that did not learn from the data: Northcutt, Jiang & Chuang
    (2021), Confident learning, https://arxiv.org/abs/1911.00068.
    """
    options = AnnotationErrorOptions.given(options, named)
    folder = Path(folder)
    how = options.values_given(SourceOptions) | {"seed": options.seed}
    as_dataset = DatasetOptions(test_fraction=0.0, val_fraction=VAL_FRACTION, **how)
    corpus = read_corpus(folder, as_dataset)
    held_out = predict_held_out(folder, corpus, as_dataset)
    return rank_errors(held_out, corpus.types, options.min_certainty)


def rank_errors(
    held_out: Iterable[HeldOut], types: Mapping[str, str], min_certainty: float = 0.5
) -> pd.DataFrame:
    """The result of `find_annotation_errors`, from predictions for all recordings.

    Arguments:
        held_out: the results of `dss.review.cross_validation.predict_held_out`.
        types: the category of each song type, in the order of the classes, without noise.
        min_certainty: the minimum certainty of listed errors.
    """
    tables, unlearned = [], set()
    for part in held_out:
        table = disagreements(part, types)
        if part.source.known is not None:
            table = table[contain(part.source.known, table[TIMES].mean(axis=1).to_numpy())]
        is_judged = table["annotated_name"].isna() | table["annotated_name"].isin(part.learned)
        unlearned |= {*table.loc[~is_judged, "annotated_name"]}
        table = table[is_judged].assign(recording=part.source.name)
        table[TIMES] += part.start_seconds
        tables.append(table)
    if unlearned:
        names = ", ".join(sorted(unlearned))
        few = f"the other half has fewer than {FEWEST_OF_TYPE} annotations"
        said = f"{names}: not checked in one half of the recordings, because {few}"
        warn(said)
    table = pd.concat(tables, ignore_index=True)
    sure = _sure(table)
    scores = sure * _credible(sure, int(table["annotated_name"].notna().sum()))
    table["error"] = scores.idxmax(axis=1)
    table["score"] = scores.max(axis=1)
    table = table[sure.max(axis=1) >= min_certainty]
    table = table.sort_values("score", ascending=False, kind="stable", ignore_index=True)
    return _in_words(table)


def format_errors(errors: pd.DataFrame, n_shown: int = 20) -> str:
    """The first rows of `find_annotation_errors` as text: a line each, with the score."""
    if errors.empty:
        return "The networks agree with all annotations."
    text = f"The networks disagree with {counted(len(errors), 'annotation')}"
    text += f"; the {n_shown} most credible:" if len(errors) > n_shown else ":"
    shown = errors[:n_shown]
    width = int(shown["recording"].str.len().max())
    for row in shown.fillna({"annotated_name": ""}).itertuples():
        said = f"{row.annotated_name} {row.says}".strip()
        text += f"\n{row.recording:{width}} {row.look_at}  {said} ({row.score:.2f})"
    return text


def _sure(table: pd.DataFrame) -> pd.DataFrame:
    """How sure the network is of each kind of error, from 0 to 1: one column each."""
    is_annotated = table["annotated_name"].notna()
    scores = pd.DataFrame(
        {
            NAME: table["p_other"].where(is_annotated, 0),
            FALSE: table["p_noise"].where(is_annotated, 0),
            MISSING: (table["p_other"] * _long_enough(table)).where(~is_annotated, 0),
            DOUBLE: table["doubled"],
        }
    ).astype(float)
    for edge in (ONSET, OFFSET):
        sure = table["p_between"] * (1 - np.exp(-table[f"{edge}_gain"] / SURE_GAIN))
        scores[edge] = sure * _unusual(table[f"{edge}_later"], table["annotated_name"])
    return scores


def _credible(sure: pd.DataFrame, n_annotations: int) -> pd.Series:
    """The weight of each kind of error: if networks disagree in one way more often than people make
    mistakes, most of these disagreements are mistakes of the networks.

    Arguments:
        sure: how sure the networks are of each kind of error, one column each.
        n_annotations: the number of annotations judged.
    """
    expected = max(EXPECTED * n_annotations, FEW)
    return expected / sure.sum().clip(lower=expected)


def _long_enough(table: pd.DataFrame) -> pd.Series:
    """For missed song: below 1 if hardly any annotation of its type is so short."""
    seconds = table["stop_seconds"] - table["start_seconds"]
    is_annotated = table["annotated_name"].notna()
    by_name = seconds[is_annotated].groupby(table.loc[is_annotated, "annotated_name"])
    shortest = table["name"].map(by_name.quantile(SHORT)).fillna(0)
    return (seconds / shortest.where(shortest > 0)).clip(upper=1).fillna(1)


def _unusual(later: pd.Series, names: pd.Series) -> np.ndarray:
    """How unusual the distances between boundaries are, from 0 to 1, by song type."""
    unusual = np.zeros(len(later))
    for name in names.dropna().unique():
        is_type = names == name
        usual = later[is_type if is_type.sum() >= FEWEST else names.notna()]
        center = usual.median()
        spread = max(1.4826 * (usual - center).abs().median(), EXACT_SECONDS)  # without outliers
        deviation = (later[is_type] - center) / spread
        unusual[is_type] = deviation**2 / (deviation**2 + UNUSUAL**2)
    return unusual


def _in_words(table: pd.DataFrame) -> pd.DataFrame:
    """The columns to list."""
    error, start, stop = (table[c] for c in ("error", "start_seconds", "stop_seconds"))
    is_edge = error.isin([ONSET, OFFSET])
    name = table["name"].where(error.isin([NAME, MISSING]), table["annotated_name"])
    nothing = error.isin([FALSE, DOUBLE])
    table = table.assign(
        network_name=name.where(~nothing, None),
        network_start_seconds=(start + table["onset_later"].where(is_edge, 0)).where(~nothing),
        network_stop_seconds=(stop + table["offset_later"].where(is_edge, 0)).where(~nothing),
        look_at=[clock_time(seconds) for seconds in start],
    )
    table["says"] = [_sentence(row) for row in table.itertuples()]
    return table[LISTED]


def _sentence(row) -> str:
    if row.error in (ONSET, OFFSET):
        later = 1000 * (row.onset_later if row.error == ONSET else row.offset_later)
        verb = "starts" if row.error == ONSET else "stops"
        return f"{verb} {abs(later):.0f} ms {'later' if later > 0 else 'earlier'}"
    return {
        NAME: f"is {row.network_name}",
        MISSING: f"{row.network_name} is missing",
        FALSE: "no song here",
        DOUBLE: "is annotated twice",
    }[row.error]
