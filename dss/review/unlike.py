"""Sounds unlike anything annotated: perhaps song types that nobody annotated yet.

How alike two sounds are, the last hidden layer of a network tells: what it takes for the same song
type lies close together there, and what it never learned often far from all.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from dss.data.annotations import SEGMENT, found, read_annotations
from dss.data.audio import Loader
from dss.data.dataset import open_dataset
from dss.data.recordings import Recording
from dss.data.texttables import COLUMNS
from dss.errors import DssError
from dss.options import PredictOptions
from dss.predict.hidden_features import segment_features
from dss.predict.near_misses import apart_from, read_near_misses
from dss.predict.recording import fitting
from dss.review.proposals import propose
from dss.review.segment_groups import group_segments
from dss.review.views import dataset_views
from dss.runs import Run, open_run

LISTED = ["file", "recording", *COLUMNS, "distance", "group"]
NEIGHBORS = 3  # that a sound is compared with; a single one may be wrong itself
USUAL = 0.99  # part of the annotated sounds that are alike others
EVENT_SECONDS = 0.005  # of an event, on both sides of it


def find_unlike(
    files: Mapping[Path, Path], run: str | Path | Run, loader: Loader | None = None
) -> pd.DataFrame:
    """List sounds in annotated recordings that are unlike anything the network was trained with.

    Sounds are what the network found, near misses, and what rises above the noise without being
    either. They are compared with all sounds of the dataset, annotated or noise.

    Arguments:
        files: file of annotations, as `dss.predict.predict_files` wrote it, by recording.
        run: the run that found them; its dataset has to be there.
        loader: as for `dss.predict.predict`.

    Returns: a table with file (of annotations), recording, name (what the network took it for;
        blank where it found nothing), start_seconds, stop_seconds, distance (1 is the largest usual
        distance among the annotated sounds; only what is above is listed) and group (a number, the
        same for sounds that are alike, from 0 for the largest group; -1: like no other one), the
        most distant first.
    Raises: DssError if the dataset of the run is not there.
    """
    run = open_run(run)
    known = _known_features(run)
    tables, features = [], []
    for recording, file in files.items():
        opened = fitting(recording, run, PredictOptions(), loader)
        table = _sounds(opened, file, run)
        features.append(segment_features(opened, _extents(table), run))
        tables.append(table.assign(file=str(file), recording=str(recording)))
    return _far(pd.concat(tables, ignore_index=True), np.concatenate(features), known)


def _known_features(run: Run) -> np.ndarray:
    """What the network holds of all sounds in its dataset: [sounds, filters]."""
    source = run.params.get("data_dir")
    try:
        views = dataset_views(open_dataset(source or ""))
    except DssError as error:
        raise DssError(
            f"{run.trunk}: what was annotated is not known without its dataset: {error}"
        ) from None
    features = []
    for view in views:
        table = view.annotations
        noise = apart_from(propose(view.recording), table)
        sounds = pd.concat([table[COLUMNS], noise[COLUMNS]], ignore_index=True)
        middle = sounds[COLUMNS[1:]].mean(axis=1).to_numpy()
        unknown = (middle[:, None] >= view.unknown[:, 0]) & (middle[:, None] < view.unknown[:, 1])
        sounds = sounds[~unknown.any(axis=1)]
        features.append(segment_features(view.recording, _extents(sounds), run))
    return np.concatenate(features)


def _sounds(recording: Recording, file: Path, run: Run) -> pd.DataFrame:
    """What was found, near misses, and other sounds: name, start_seconds and stop_seconds."""
    table = found(read_annotations(file, recording=recording.path))
    near = read_near_misses(file, table)
    parts = [table[COLUMNS], near[COLUMNS]]
    if SEGMENT in run.song_types.values():
        others = apart_from(apart_from(propose(recording), table), near)
        parts.append(others[COLUMNS].assign(name=""))
    return pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)


def _extents(sounds: pd.DataFrame) -> np.ndarray:
    """[sounds, 2] seconds, with what is around events."""
    times = sounds[COLUMNS[1:]].to_numpy(float)
    is_event = times[:, :1] == times[:, 1:]
    return times + is_event * EVENT_SECONDS * np.array([-1, 1])


def _far(sounds: pd.DataFrame, features: np.ndarray, known: np.ndarray) -> pd.DataFrame:
    """The sounds that are farther from what is known than that is from itself, with groups."""
    from sklearn.neighbors import NearestNeighbors

    known, features = _unit(known), _unit(features)
    n = min(NEIGHBORS, len(known) - 1)
    neighbors = NearestNeighbors(n_neighbors=n).fit(known)
    usual = np.quantile(neighbors.kneighbors()[0].mean(axis=1), USUAL)  # each without itself
    distance = neighbors.kneighbors(features)[0].mean(axis=1) / max(usual, 1e-9)
    is_far = distance > 1
    table = sounds[is_far].assign(distance=distance[is_far], group=group_segments(features[is_far]))
    table = table.sort_values("distance", ascending=False, kind="stable", ignore_index=True)
    return table[LISTED]


def _unit(features: np.ndarray) -> np.ndarray:
    """Of length 1, as distances then tell more (Sun et al. 2022, arXiv:2204.06507)."""
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-9)
