"""Group segments that sound alike, and arrange them on a map."""

import numpy as np

from dss.errors import DssError

FEWEST = 5  # segments in a group
SMALLEST_SHARE = 0.01  # of all segments, in a group
PERPLEXITY = 30.0
UNGROUPED = -1


def group_segments(features: np.ndarray, min_cluster_size: int | None = None) -> np.ndarray:
    """Group segments that sound alike, with HDBSCAN on their features.

    Groups are found in the feature space rather than on the map, which splits some types: on the
    recordings of `benchmarks/groups.py`, this agrees better with manual names.

    Arguments:
        features: [segments, features] from `describe_segments`.
        min_cluster_size: the minimum size of a group; default: 1 % of all segments, but at least 5.

    Returns: [segments] the number of the group, from 0 for the largest one; -1 for no group.
    Raises: DssError if groups may have fewer than 2 segments.

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
        raise DssError(f"min_cluster_size: {size} is too small; a group has at least 2 segments")
    if n < max(2, size):
        return np.full(n, UNGROUPED)
    # min_samples counts the segment itself.
    found = HDBSCAN(min_cluster_size=size, min_samples=min(FEWEST, n), copy=True)
    return largest_first(found.fit_predict(features))


def split_group(features: np.ndarray) -> np.ndarray:
    """Split segments into the groups that HDBSCAN finds among them, or into two halves if none.

    Arguments:
        features: [segments, features] of the group.

    Returns: [segments] the number of the part, from 0; every segment is in a part.
    """
    from sklearn.cluster import KMeans

    n = len(features)
    if n < 2:
        return np.zeros(n, int)
    parts = group_segments(features, max(2, round(0.05 * n), min(FEWEST, n)))
    if parts.max() < 1:
        parts = KMeans(2, n_init=4, random_state=0).fit_predict(features)
    return largest_first(_with_nearest(features, parts))


def lay_out_segments(features: np.ndarray, seed: int = 0) -> np.ndarray:
    """Arrange segments on a map where those that sound alike are close together (t-SNE).

    Arguments:
        features: [segments, features] from `describe_segments`.
        seed: the same seed gives the same map.

    Returns: [segments, 2] float32, from 0 to 1 across the longer side.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    n = len(features)
    if n < 4:
        return quick_layout(features)
    perplexity = min(PERPLEXITY, (n - 1) / 3)
    with threadpool_limits(1):  # more threads wait for each other when the machine is busy
        found = TSNE(perplexity=perplexity, random_state=seed).fit_transform(features)
    return _fitted(found)


def quick_layout(features: np.ndarray) -> np.ndarray:
    """An instant map from the first two principal components: [segments, 2]."""
    first = features[:, :2]
    return _fitted(np.pad(first, ((0, 0), (0, 2 - first.shape[1]))))


def largest_first(groups: np.ndarray) -> np.ndarray:
    """Renumber groups, from 0 for the largest; -1 stays for segments in no group."""
    numbers, counts = np.unique(groups[groups >= 0], return_counts=True)
    new = np.full(len(groups), UNGROUPED)
    for rank, number in enumerate(numbers[np.argsort(-counts, kind="stable")]):
        new[groups == number] = rank
    return new


def _with_nearest(features: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Assign segments in no part to the part of the nearest assigned segment."""
    from sklearn.neighbors import KNeighborsClassifier

    is_left = parts < 0
    if not is_left.any():
        return parts
    nearest = KNeighborsClassifier(1).fit(features[~is_left], parts[~is_left])
    parts = parts.copy()
    parts[is_left] = nearest.predict(features[is_left])
    return parts


def _fitted(xy: np.ndarray) -> np.ndarray:
    """Positions [segments, 2], shifted and scaled to 0 to 1."""
    low, high = xy.min(axis=0), xy.max(axis=0)
    return ((xy - low) / max((high - low).max(), 1e-9)).astype(np.float32)
