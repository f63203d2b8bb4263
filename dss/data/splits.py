"""Splits: which stretches of which recordings to use for training, validation and testing."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dss.data.stretches import union
from dss.errors import DssError
from dss.options import DatasetOptions

SPLITS = ("train", "val", "test")
UNUSED = "unused"
LARGEST_PART = 0.4  # of all that is known in one group, if it is drawn whole for a split by files
SMALLEST_PART = 0.1  # of the usual group, likewise: a recording that was broken off tests nothing
N_OF_EXCERPTS = 30  # pieces to deal out from a single recording of which parts are known
MARGIN_SECONDS = 0.1  # kept between a cut and the next song if the pause is long enough


@dataclass(frozen=True, order=True)
class Stretch:
    """Samples `start_sample` to before `stop_sample` of the recording number `recording`."""

    recording: int
    start_sample: int
    stop_sample: int

    @property
    def n_samples(self) -> int:
        """Length in samples."""
        return self.stop_sample - self.start_sample


@dataclass(frozen=True)
class Song:
    """The song in a recording, which must not be cut."""

    n_samples: int  # of the recording
    extents: np.ndarray  # [annotations, 2] first sample, and one past the last
    names: Sequence[str]  # the song type of each annotation
    group: str  # the individual in the recording; the recording's own name if unknown
    known: np.ndarray | None = None  # [stretches, 2] known samples, likewise; None for all

    def n_known(self, start: int, stop: int) -> int:
        """How many samples from `start` to before `stop` are known."""
        if self.known is None:
            return stop - start
        return int(np.diff(np.clip(self.known, start, stop)).sum())

    def after_known(self, counts: np.ndarray) -> np.ndarray:
        """The samples before which so many samples are known."""
        if self.known is None or not len(self.known):
            return counts
        before = np.cumsum([0, *np.diff(self.known)[:-1, 0]])
        stretch = np.maximum(np.searchsorted(before, counts) - 1, 0)
        return self.known[stretch, 0] + counts - before[stretch]


def split_recordings(
    recordings: Sequence[Song], samplerate_hz: float, options: DatasetOptions
) -> dict[str, list[Stretch]]:
    """Divide recordings among the splits, so that no sample is in two of them.

    Splits by files are filled first, with whole recordings drawn at random, keeping groups
    together; those that hold most of what is known, or next to nothing, are drawn last. The
    remaining recordings are divided among the splits by samples: into one stretch per split, in
    random order, or into blocks dealt out so that each split gets its share of every song type.
    Shares are of what is known. Cuts lie in pauses of the song.

    Returns: the stretches of each split, in the order of the recordings.
    Raises: DssError if these recordings do not allow such splits.
    """
    rng = np.random.default_rng(options.seed)
    fractions = _fractions(options)
    by_files = [s for s in fractions if s != UNUSED and getattr(options, f"{s}_split") == "files"]
    by_samples = {s: fractions[s] for s in fractions if s not in by_files}
    if set(by_samples) == {UNUSED}:
        by_samples = {}
    taken = _draw_groups(recordings, fractions, by_files, by_samples, rng)
    stretches: dict[str, list[Stretch]] = {split: [] for split in (*SPLITS, UNUSED)}
    for i, split in taken.items():
        stretches[split].append(Stretch(i, 0, recordings[i].n_samples))
    left = [i for i in range(len(recordings)) if i not in taken]
    margin = round(MARGIN_SECONDS * samplerate_hz)
    if options.block_seconds and by_samples:
        block = max(1, round(options.block_seconds * samplerate_hz))
        blocks = [b for i in left for b in _blocks(recordings[i], i, block, margin)]
        for split, dealt in _deal(blocks, recordings, by_samples, rng).items():
            stretches[split] += _joined(dealt)
    elif by_samples:
        for i in left:
            for split, stretch in _cut_in_order(recordings[i], i, by_samples, margin, rng):
                stretches[split].append(stretch)
    return {split: sorted(stretches[split]) for split in SPLITS}


def halved(recordings: Sequence[Song], samplerate_hz: float, seed: int) -> list[list[Stretch]]:
    """Two halves with a share of every song type: of whole recordings, or of a single recording.

    The latter is cut once, or into more pieces if only parts of it are known.

    Returns: the stretches of each half, in the order of the recordings.
    """
    rng = np.random.default_rng(seed)
    block = max(song.n_known(0, song.n_samples) for song in recordings)
    if len(recordings) == 1:
        block = -(-block // (2 if recordings[0].known is None else N_OF_EXCERPTS))
    margin = round(MARGIN_SECONDS * samplerate_hz)
    blocks = [b for i, song in enumerate(recordings) for b in _blocks(song, i, block, margin)]
    dealt = _deal(blocks, recordings, {"first": 1.0, "second": 1.0}, rng)
    return [_joined(half) for half in dealt.values()]


def _fractions(options: DatasetOptions) -> dict[str, float]:
    """The fraction of the data for each split that gets any, and for none."""
    given = {"val": options.val_fraction, "test": options.test_fraction}
    train = options.train_fraction
    if train is None:
        train = 1 - sum(given.values())
        if train <= 0:
            raise DssError(
                f"val_fraction {options.val_fraction:g} and test_fraction "
                f"{options.test_fraction:g} leave nothing for training: their sum must be below 1"
            )
    fractions = {"train": train, **given}
    unused = 1 - sum(fractions.values())
    if unused < -1e-9:
        raise DssError(
            f"train_fraction, val_fraction and test_fraction add up to {1 - unused:g}, more than 1"
        )
    if unused > 1e-9:
        fractions[UNUSED] = unused
    return {split: fraction for split, fraction in fractions.items() if fraction > 0}


def can_be_spared(sizes: np.ndarray) -> np.ndarray:
    """Which groups can be drawn whole for a split by files: not most of all, nor next to nothing.

    `sizes` say how much is known of each: [groups] seconds or samples.
    """
    least = SMALLEST_PART * np.median(sizes)
    return (sizes <= LARGEST_PART * sizes.sum()) & (sizes >= least)


def _draw_groups(recordings, fractions, by_files, by_samples, rng) -> dict[int, str]:
    """Which recordings are taken whole, and by which split: {number of the recording: split}."""
    groups = [recording.group for recording in recordings]
    members: dict[str, list[int]] = {group: [] for group in sorted(set(groups))}
    for i, group in enumerate(groups):
        members[group].append(i)
    needed = len(by_files) + bool(by_samples)
    if len(members) < needed:
        kind = "recordings" if len(members) == len(groups) else "groups of recordings"
        raise DssError(
            f"Too few {kind} ({len(members)}) to split {' and '.join(by_files)} by files, which "
            f"takes at least {needed}. Split by samples, set a fraction to 0, or add more."
        )
    names = list(members)
    known = [r.n_known(0, r.n_samples) for r in recordings]
    sizes = np.array([sum(known[i] for i in members[name]) for name in names])
    is_fit = can_be_spared(sizes)
    left = [names[i] for i in sorted(rng.permutation(len(names)), key=lambda i: is_fit[i])]
    taken: dict[int, str] = {}
    # The smallest split first: each gets one before the largest takes what is left.
    for n_served, split in enumerate(sorted(by_files, key=fractions.get), start=1):
        wanted, got = max(1, round(fractions[split] * len(groups))), 0
        while got < wanted and len(left) > needed - n_served:
            group = members[left.pop()]
            taken |= dict.fromkeys(group, split)
            got += len(group)
    if not by_samples and UNUSED not in fractions:
        largest = max(by_files, key=fractions.get)
        taken |= {i: largest for group in left for i in members[group]}
    return taken


def _cut_in_order(recording: Song, number: int, shares: dict[str, float], margin, rng):
    """One stretch for each split, in random order: (split, stretch)."""
    order = [list(shares)[i] for i in rng.permutation(len(shares))]
    parts = np.cumsum([shares[split] for split in order])
    n_known = recording.n_known(0, recording.n_samples)
    wanted = recording.after_known(np.round(n_known * parts[:-1] / parts[-1]).astype(int))
    edges = [0, *_cuts(wanted, recording, margin), recording.n_samples]
    for split, start, stop in zip(order, edges[:-1], edges[1:], strict=True):
        if stop > start:
            yield split, Stretch(number, int(start), int(stop))


def _blocks(recording: Song, number: int, block: int, margin: int) -> list[Stretch]:
    n_known = recording.n_known(0, recording.n_samples)
    wanted = recording.after_known(np.arange(block, n_known, block))
    edges = np.unique([0, *_cuts(wanted, recording, margin), recording.n_samples])
    return [Stretch(number, int(a), int(b)) for a, b in itertools.pairwise(edges)]


def _cuts(wanted: np.ndarray, recording: Song, margin: int) -> np.ndarray:
    """Move each wanted cut into the nearest pause, away from the song; in increasing order.

    A cut stays in place if all before it or all after it is song.
    """
    song = union(recording.extents).astype(int)
    pauses = np.stack([[0, *song[:, 1]], [*song[:, 0], recording.n_samples]], axis=1)
    inset = np.minimum((pauses[:, 1] - pauses[:, 0]) // 2, margin)[:, None] * [1, -1]
    pauses = pauses + inset
    after = np.minimum(np.searchsorted(pauses[:, 1], wanted), len(pauses) - 1)
    nearest = wanted.copy()
    distance = np.full(len(wanted), recording.n_samples)
    for candidate in (after, np.maximum(after - 1, 0)):
        cut = np.clip(wanted, pauses[candidate, 0], pauses[candidate, 1])
        better = (np.abs(cut - wanted) < distance) & (cut > 0) & (cut < recording.n_samples)
        nearest = np.where(better, cut, nearest)
        distance = np.where(better, np.abs(cut - wanted), distance)
    return np.maximum.accumulate(nearest)


def _deal(blocks, recordings, shares: dict[str, float], rng) -> dict[str, list[Stretch]]:
    """Deal out blocks so that each split gets its share of every song type, rarest first.

    Source: iterative stratification, Sechidis, Tsoumakas & Vlahavas (2011), doi
    10.1007/978-3-642-23808-6_10.
    """
    names = sorted({name for recording in recordings for name in recording.names})
    counts = np.array([_count(block, recordings[block.recording], names) for block in blocks])
    n_known = [[recordings[b.recording].n_known(b.start_sample, b.stop_sample)] for b in blocks]
    counts = np.hstack([counts.reshape(len(blocks), -1), n_known])
    part = np.array(list(shares.values())) / sum(shares.values())
    desired = part[:, None] * counts.sum(axis=0)
    dealt: dict[str, list[Stretch]] = {split: [] for split in shares}
    left = rng.permutation(len(blocks))
    while len(left):
        remaining = counts[left, :-1].sum(axis=0)
        rare = np.argmin(np.where(remaining > 0, remaining, np.inf)) if remaining.any() else -1
        holds = counts[left, rare] > 0
        holds |= not holds.any()  # nothing is known of the rest
        for i in left[holds]:
            # The split that lacks most of this type; among equals, the one that lacks most time.
            to = np.lexsort((desired[:, -1], desired[:, rare]))[-1]
            dealt[list(shares)[to]].append(blocks[i])
            desired[to] -= counts[i]
        left = left[~holds]
    return dealt


def _count(block: Stretch, recording: Song, names: list[str]) -> list[int]:
    onset = recording.extents[:, 0]
    inside = (onset >= block.start_sample) & (onset < block.stop_sample)
    found = list(np.asarray(recording.names, object)[inside])
    return [found.count(name) for name in names]


def _joined(blocks: list[Stretch]) -> list[Stretch]:
    """Merge adjacent blocks of a recording."""
    joined: list[Stretch] = []
    for block in sorted(blocks):
        last = joined[-1] if joined else None
        if last and (last.recording, last.stop_sample) == (block.recording, block.start_sample):
            joined[-1] = Stretch(block.recording, last.start_sample, block.stop_sample)
        else:
            joined.append(block)
    return joined
