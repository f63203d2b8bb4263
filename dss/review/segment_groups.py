"""Group segments that sound alike, and lay them out as a map."""

import numpy as np

from dss.errors import DssError

FEWEST = 5  # segments in a group
SMALLEST_SHARE = 0.01  # of all segments, in a group
PERPLEXITY = 30.0
UNGROUPED = -1


def group_segments(features: np.ndarray, min_cluster_size: int | None = None) -> np.ndarray:
    """Group segments that sound alike: HDBSCAN on their features.

    The groups are found among the features and not on the map, which tears types apart: on the
    recordings of `benchmarks/groups.py` that agrees better with manual names.

    Arguments:
        features: [segments, features], as `describe_segments` gives them.
        min_cluster_size: the fewest segments of a group; default: one in a hundred of all, but 5.

    Returns: [segments] the number of the group, from 0 for the largest one; -1 if in none.
    Raises: DssError if a group is to have less than 2 segments.

    Example:
        >>> import numpy as np
        >>> from dss.review.segment_groups import group_segments
        >>> low, high = np.random.default_rng(0).normal([[[0.0]], [[9.0]]], 1, (2, 20, 3))
        >>> group_segments(np.concatenate([low, high[:15]])).max()
        np.int64(1)
    """
    from sklearn.cluster import HDBSCAN

    n = len(features)
    size = max(FEWEST, round(SMALLEST_SHARE * n)) if min_cluster_size is None else min_cluster_size
    if size < 2:
        raise DssError(f"min_cluster_size: {size}, but a group has 2 segments at least")
    if n < max(2, size):
        return np.full(n, UNGROUPED)
    # min_samples counts a segment itself.
    found = HDBSCAN(min_cluster_size=size, min_samples=min(FEWEST, n), copy=True)
    return largest_first(found.fit_predict(features))


def split_group(features: np.ndarray) -> np.ndarray:
    """Split segments into groups: those that HDBSCAN finds among them, or two halves if none.

    Arguments:
        features: [segments, features] of the group.

    Returns: [segments] the number of the part, from 0; no segment is left over.
    """
    from sklearn.cluster import KMeans

    if len(features) < 2:
        return np.zeros(len(features), int)
    parts = group_segments(
        features, max(2, round(0.05 * len(features)), min(FEWEST, len(features)))
    )
    if parts.max() < 1:
        parts = KMeans(2, n_init=4, random_state=0).fit_predict(features)
    return largest_first(_with_nearest(features, parts))


def lay_out_segments(features: np.ndarray, seed: int = 0) -> np.ndarray:
    """Lay out segments as a map, on which those are close that sound alike: t-SNE.

    Arguments:
        features: [segments, features], as `describe_segments` gives them.
        seed: the same seed gives the same map.

    Returns: [segments, 2] float32, from 0 to 1 across the longer side.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    n = len(features)
    if n < 4:
        return quick_layout(features)
    perplexity = min(PERPLEXITY, (n - 1) / 3)
    with threadpool_limits(1):  # several wait for each other where other work goes on
        found = TSNE(perplexity=perplexity, random_state=seed).fit_transform(features)
    return _fitted(found)


def quick_layout(features: np.ndarray) -> np.ndarray:
    """The map by the first two principal components, which takes no time: [segments, 2]."""
    first = features[:, :2]
    return _fitted(np.pad(first, ((0, 0), (0, 2 - first.shape[1]))))


def largest_first(groups: np.ndarray) -> np.ndarray:
    """Number groups anew, from 0 for the largest; what is in none stays -1."""
    numbers, counts = np.unique(groups[groups >= 0], return_counts=True)
    new = np.full(len(groups), UNGROUPED)
    for rank, number in enumerate(numbers[np.argsort(-counts, kind="stable")]):
        new[groups == number] = rank
    return new


def _with_nearest(features: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Give what is in no part to that of the nearest segment in one."""
    from sklearn.neighbors import KNeighborsClassifier

    is_left = parts < 0
    if not is_left.any():
        return parts
    nearest = KNeighborsClassifier(1).fit(features[~is_left], parts[~is_left])
    parts = parts.copy()
    parts[is_left] = nearest.predict(features[is_left])
    return parts


def _fitted(xy: np.ndarray) -> np.ndarray:
    """Places [segments, 2] moved and scaled to 0 to 1."""
    low, high = xy.min(axis=0), xy.max(axis=0)
    return ((xy - low) / max((high - low).max(), 1e-9)).astype(np.float32)
