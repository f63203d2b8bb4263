"""Splits: which stretches of which recordings are for training, validation and testing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dss.errors import DssError
from dss.options import DatasetOptions

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Stretch:
    """Samples `start_sample` to before `stop_sample` of the recording number `recording`."""

    recording: int
    start_sample: int
    stop_sample: int

    @property
    def n_samples(self) -> int:
        """Length in samples."""
        return self.stop_sample - self.start_sample


def split_recordings(
    n_samples: Sequence[int], song: Sequence[np.ndarray], options: DatasetOptions
) -> dict[str, list[Stretch]]:
    """Divide recordings among the splits; no sample is in two of them.

    Splits by files take whole recordings first, drawn at random. What is left of the recordings is
    divided among the splits by samples: a stretch of each recording for each split, in random
    order, cut in a pause of the song where there is one nearby.

    Arguments:
        n_samples: length of each recording.
        song: for each recording [annotations, 2]: first and last sample of what must not be cut.
        options: which splits are by files, which by samples, their fractions, and the seed.

    Returns: the stretches of each split, in the order of the recordings.
    Raises: DssError where the splits cannot be had from so many recordings.
    """
    rng = np.random.default_rng(options.seed)
    fractions = {"val": options.val_fraction, "test": options.test_fraction}
    fractions = {"train": 1 - sum(fractions.values()), **fractions}
    if fractions["train"] <= 0:
        raise DssError(
            f"val_fraction {options.val_fraction:g} and test_fraction {options.test_fraction:g} "
            "leave nothing for training: their sum must be below 1"
        )
    wanted = [split for split in SPLITS if fractions[split] > 0]
    by_files = [split for split in wanted if getattr(options, f"{split}_split") == "files"]
    by_samples = [split for split in wanted if split not in by_files]

    taken = _draw_files(len(n_samples), fractions, by_files, by_samples, rng)
    stretches = {split: [] for split in SPLITS}
    for recording, length in enumerate(n_samples):
        if recording in taken:
            stretches[taken[recording]].append(Stretch(recording, 0, length))
            continue
        order = list(rng.permutation(by_samples))
        shares = np.cumsum([fractions[split] for split in order])
        cuts = [
            _nearest_pause(length * share / shares[-1], length, song[recording])
            for share in shares[:-1]
        ]
        edges = [0, *np.maximum.accumulate(cuts).astype(int).tolist(), length]
        for split, start, stop in zip(order, edges[:-1], edges[1:], strict=True):
            if stop > start:
                stretches[split].append(Stretch(recording, start, stop))
    return stretches


def _draw_files(n_files, fractions, by_files, by_samples, rng) -> dict[int, str]:
    """Which recording is taken whole, and by which split."""
    needed = len(by_files) + bool(by_samples)
    if n_files < needed:
        names = " and ".join(by_files)
        raise DssError(
            f"There are {n_files} recordings, too few to split {names} by files: that takes at "
            f"least {needed}. Split by samples, set a fraction to 0, or add recordings."
        )
    counts = {split: max(1, round(n_files * fractions[split])) for split in by_files}
    keep = 0
    if by_samples:
        keep = 1
    elif by_files:
        counts[max(by_files, key=fractions.get)] += n_files - sum(counts.values())
    while sum(counts.values()) > n_files - keep:
        counts[max(counts, key=counts.get)] -= 1
    drawn = iter(rng.permutation(n_files).tolist())
    return {next(drawn): split for split in by_files for _ in range(counts[split])}


def _nearest_pause(cut: float, length: int, song: np.ndarray) -> int:
    """The sample closest to `cut` that is in no annotation; `cut` if all of it is song."""
    cut = round(cut)
    if not any(first <= cut <= last for first, last in song):
        return cut
    edges = np.concatenate([song[:, 0] - 1, song[:, 1] + 1]) if len(song) else np.empty(0)
    pauses = [
        e for e in edges if 0 < e < length and not ((song[:, 0] <= e) & (e <= song[:, 1])).any()
    ]
    return int(min(pauses, key=lambda edge: abs(edge - cut), default=cut))
