import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dss.data.splits import SPLITS, Song, split_recordings
from dss.errors import DssError
from dss.options import DatasetOptions

by = st.sampled_from(["files", "samples"])


def recording(n_samples, *extents, names=None, group=None):
    extents = np.array(extents, int).reshape(-1, 2)
    return Song(n_samples, extents, names or ["a"] * len(extents), group or str(id(extents)))


def share_of(plan, lengths):
    return {split: sum(s.n_samples for s in plan[split]) / sum(lengths) for split in SPLITS}


@given(
    lengths=st.lists(st.integers(1, 5000), min_size=3, max_size=12),
    kinds=st.tuples(by, by, by),
    fractions=st.tuples(st.sampled_from([None, 0.2]), st.floats(0.05, 0.4), st.floats(0, 0.4)),
    block_seconds=st.sampled_from([0, 0.3, 2]),
    n_groups=st.integers(3, 12),
    seed=st.integers(0, 99),
)
@settings(max_examples=200, deadline=None)
def test_every_sample_is_in_at_most_one_split(
    lengths, kinds, fractions, block_seconds, n_groups, seed
):
    options = DatasetOptions(
        **{f"{split}_split": kind for split, kind in zip(SPLITS, kinds, strict=True)},
        **{f"{split}_fraction": f for split, f in zip(SPLITS, fractions, strict=True)},
        block_seconds=block_seconds,
        seed=seed,
    )
    songs = [
        recording(n, [n // 3, n // 2], [n // 2, 2 * n // 3], group=f"{i % n_groups}")
        for i, n in enumerate(lengths)
    ]
    plan = split_recordings(songs, 1000, options)
    counts = [np.zeros(n, int) for n in lengths]
    for stretches in plan.values():
        for s in stretches:
            counts[s.recording][s.start_sample : s.stop_sample] += 1
    everything = np.concatenate(counts)
    assert everything.max() <= 1
    if options.train_fraction is None:
        assert everything.min() == 1
    assert plan == split_recordings(songs, 1000, options)
    groups = {split: {songs[s.recording].group for s in plan[split]} for split in SPLITS}
    for split in SPLITS:
        if getattr(options, f"{split}_split") == "files":
            assert all(s.n_samples == lengths[s.recording] for s in plan[split])
            others = set().union(*(groups[other] for other in SPLITS if other != split))
            assert not groups[split] & others


@pytest.mark.parametrize("block_seconds", [0, 1.0])
def test_fractions_are_what_was_asked_for(block_seconds):
    options = DatasetOptions(
        val_fraction=0.2, test_split="samples", test_fraction=0.3, block_seconds=block_seconds
    )
    plan = split_recordings([recording(100_000) for _ in range(4)], 1000, options)
    share = share_of(plan, [400_000])
    assert share == pytest.approx({"train": 0.5, "val": 0.2, "test": 0.3}, abs=0.01)
    some = options.model_copy(update={"train_fraction": 0.1})
    share = share_of(split_recordings([recording(100_000)] * 4, 1000, some), [400_000])
    assert share == pytest.approx({"train": 0.1, "val": 0.2, "test": 0.3}, abs=0.01)


def test_cuts_lie_in_pauses_away_from_song():
    options = DatasetOptions(val_fraction=0.5, test_fraction=0)
    plan = split_recordings([recording(3000, [1350, 1520], [1520, 1580])], 1000, options)
    cut = min(s.stop_sample for split in SPLITS for s in plan[split])
    assert cut == 1680  # 0.1 s behind the song, which is nearer than 0.1 s before it
    plan = split_recordings([recording(3000, [100, 1400], [1440, 2900])], 1000, options)
    assert min(s.stop_sample for split in SPLITS for s in plan[split]) == 1420  # in mid-pause
    plan = split_recordings([recording(3000, [0, 3000])], 1000, options)
    assert min(s.stop_sample for split in SPLITS for s in plan[split]) == 1500  # no pause at all


def test_blocks_bring_rare_song_types_into_every_split():
    rng = np.random.default_rng(0)
    extents = np.sort(rng.choice(60_000, 300, replace=False))[:, None] + [0, 5]
    names = ["rare" if i < 12 else "often" for i in range(300)]
    song = recording(60_000, *extents, names=names)
    options = DatasetOptions(
        block_seconds=0.5, val_fraction=0.25, test_split="samples", test_fraction=0.25
    )
    plan = split_recordings([song], 1000, options)
    for split, expected in {"train": 6, "val": 3, "test": 3}.items():
        onsets = extents[:12, 0]
        held = sum(
            ((s.start_sample <= onsets) & (onsets < s.stop_sample)).sum() for s in plan[split]
        )
        assert abs(held - expected) <= 1


def test_different_seeds_give_different_splits():
    songs = [recording(1000) for _ in range(9)]
    plans = [split_recordings(songs, 1000, DatasetOptions(seed=seed)) for seed in range(5)]
    assert len({str(plan["test"]) for plan in plans}) > 1


def test_what_cannot_be_split_is_an_error():
    with pytest.raises(DssError, match=r"Too few recordings \(1\) to split test by .* least 2"):
        split_recordings([recording(1000)], 1000, DatasetOptions(test_split="files"))
    options = DatasetOptions(test_split="files")
    with pytest.raises(DssError, match=r"Too few groups of recordings \(1\)"):
        split_recordings([recording(1000, group="x")] * 3, 1000, options)
    options = DatasetOptions(val_fraction=0.5, test_fraction=0.5)
    with pytest.raises(DssError, match="leave nothing for training"):
        split_recordings([recording(1000)] * 5, 1000, options)
    options = DatasetOptions(train_fraction=0.9, val_fraction=0.2)
    with pytest.raises(DssError, match="add up to 1.2, more than 1"):
        split_recordings([recording(1000)] * 5, 1000, options)


@pytest.mark.parametrize("block_seconds", [0, 0.05])
@pytest.mark.parametrize("seed", range(4))
def test_each_split_gets_its_share_of_what_is_known(block_seconds, seed):
    known = np.array([[1000, 1400], [7000, 7600]])
    onset = np.r_[1010:1400:20, 7010:7600:20]
    song = Song(10_000, np.stack([onset, onset + 10], 1), ["a"] * len(onset), "x", known)
    kinds = dict.fromkeys(("train_split", "val_split", "test_split"), "samples")
    options = DatasetOptions(**kinds, block_seconds=block_seconds, seed=seed)
    plan = split_recordings([song], 1000, options)
    for split, share in (("train", 0.7), ("val", 0.2), ("test", 0.1)):
        n_known = sum(song.n_known(s.start_sample, s.stop_sample) for s in plan[split])
        assert n_known == pytest.approx(1000 * share, abs=60)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("by_files", [("test",), ("val", "test")])
def test_what_is_most_or_next_to_nothing_is_not_drawn_whole(seed, by_files):
    lengths = [32_000, 7_000, 11_000, 9_000, 1]
    options = DatasetOptions(**{f"{split}_split": "files" for split in by_files}, seed=seed)
    plan = split_recordings([recording(n) for n in lengths], 1000, options)
    for split in by_files:
        assert len(plan[split]) == 1
        assert plan[split][0].n_samples in (7_000, 11_000, 9_000)


def test_individuals_count_as_a_whole():
    lengths, birds = [5000, 5000, 5000, 3000, 3000], "aaabc"
    songs = [recording(n, group=bird) for n, bird in zip(lengths, birds, strict=True)]
    for seed in range(10):
        plan = split_recordings(songs, 1000, DatasetOptions(test_split="files", seed=seed))
        assert len(plan["test"]) == 1
        assert songs[plan["test"][0].recording].group in "bc"
