"""Sounds unlike anything annotated, which may be song types that nobody has annotated yet."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Unpack

import numpy as np
import pandas as pd

from dss.data.annotations import EVENT, occurrences
from dss.data.recordings import Recording, open_at_own_rate
from dss.data.stretches import contain
from dss.data.text_tables import COLUMNS, TIMES
from dss.errors import DssError
from dss.evaluate.pair import types_in
from dss.evaluate.true_annotations import true_annotations
from dss.options import FileOptions, SourceOptions, takes_options
from dss.options.arguments import FileArguments
from dss.predict.near_misses import apart_from, read_near_misses
from dss.review.comparison import annotations_in
from dss.review.proposals import propose
from dss.review.segment_features import describe_segments
from dss.review.segment_groups import group_segments
from dss.review.split_views import is_dataset
from dss.review.table_edits import joined
from dss.review.views import View, open_views, views_of

LISTED = ["file", "recording", *COLUMNS, "distance", "group"]
USUAL = 0.99  # fraction of the known sounds that count as alike


@takes_options
def find_novel_sounds(
    files: Mapping[Path, Path],
    known: str | Path | Sequence[View],
    *,
    options: FileOptions | None = None,
    **named: Unpack[FileArguments],
) -> pd.DataFrame:
    """List sounds in annotated recordings that are unlike anything known.

    Sounds are the segments that the network found, near misses, and other sounds above the noise.
    Each is compared with the most similar known sound: annotated ones, and other sounds above the
    noise next to them. Similarity is measured on spectrograms (`dss.review.segment_features`),
    which detected new song types on real song better than the last hidden layer of the network.
    Events are not compared.

    Arguments:
        files: the annotation file from `dss.predict.predict_files` for each recording.
        known: the manual annotations: a dataset; a folder of recordings, which is read as for a
            dataset, with the same options; or its recordings from `dss.review.views.open_views`.

    Recordings whose files store no sample rate are taken to have the rate of the known ones.

    Returns: a table with file (of annotations), recording, name (the network's name; blank if it
        found nothing), start_seconds, stop_seconds, distance (to the most similar known sound; 1 is
        the 99th percentile among known sounds, and only larger distances are listed) and group (a
        number shared by similar sounds, from 0 for the largest group; -1: unlike any other), sorted
        by decreasing distance.
    Raises: DssError if nothing is known, or manual annotations cannot be read.
    """
    options = FileOptions.given(options, named)
    views = [view for view in _known_views(known, options) if len(view.annotations)]
    types = types_in([view.annotations for view in views], [])
    tables = [_known_sounds(view, types) for view in views]
    if not views:
        raise DssError(f"{known}: contains no annotated segments to compare sounds with")
    n_known = sum(map(len, tables))
    events = [name for name, category in types.items() if category == EVENT]
    rate = views[0].recording.samplerate_hz
    for path, file in files.items():
        recording = open_at_own_rate(path, options.loader, rate)
        views.extend(views_of(recording))
        sounds = _new_sounds(recording, file, options)
        tables.append(sounds[~sounds["name"].isin(events)])
    numbered = [table.assign(view=i, row=0) for i, table in enumerate(tables)]
    sounds = pd.concat(numbered, ignore_index=True)
    if min(n_known, len(sounds) - n_known) < 2:  # a single sound has nothing to be compared with
        return pd.DataFrame(columns=LISTED)
    features = describe_segments(views, sounds[["view", "row", *COLUMNS]])
    return _far(sounds[n_known:], features[n_known:], features[:n_known])


def _known_views(known: str | Path | Sequence[View], options: FileOptions) -> Sequence[View]:
    if not isinstance(known, str | Path) or is_dataset(known):
        return views_of(known)
    if Path(known).is_dir():
        true_annotations(Path(known), options, lambda _: False)  # raises what views would hide
    return open_views(known, options=SourceOptions(**options.values_given(FileOptions)))


def _known_sounds(view: View, types: Collection[str]) -> pd.DataFrame:
    """Annotated segments of song, and other sounds above the noise in annotated stretches."""
    annotated = occurrences(view.annotations)[COLUMNS]
    annotated = annotated[annotated["name"].isin(types)]
    sounds = _joined([annotated, apart_from(propose(view.recording), annotated)])
    return sounds[~contain(view.unknown, sounds[TIMES].mean(axis=1).to_numpy())]


def _new_sounds(recording: Recording, file: Path, options: FileOptions) -> pd.DataFrame:
    """Predictions, near misses, and other sounds above the noise; with their files."""
    table = annotations_in(file, recording.path, options, recording.own_samplerate_hz)
    table = occurrences(table)
    near = read_near_misses(file, table)
    others = apart_from(apart_from(propose(recording), table), near).assign(name="")
    sounds = _joined([table[COLUMNS], near[COLUMNS], others])
    return sounds.assign(file=str(file), recording=str(recording.path))


def _joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Concatenate the segments of some tables."""
    table = joined([table[COLUMNS] for table in tables])
    return table[table["stop_seconds"] > table["start_seconds"]]


def _far(sounds: pd.DataFrame, features: np.ndarray, known: np.ndarray) -> pd.DataFrame:
    """The sounds that are farther from known sounds than these are from each other, with groups."""
    from sklearn.neighbors import NearestNeighbors

    nearest = NearestNeighbors(n_neighbors=1).fit(known)
    usual = np.quantile(nearest.kneighbors()[0], USUAL)  # each without itself
    distance = nearest.kneighbors(features)[0][:, 0] / max(usual, 1e-9)
    is_far = distance > 1
    table = sounds[is_far].assign(distance=distance[is_far], group=group_segments(features[is_far]))
    return table.sort_values("distance", ascending=False, ignore_index=True, kind="stable")[LISTED]
