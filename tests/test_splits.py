import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dss.data.splits import SPLITS, split_recordings
from dss.errors import DssError
from dss.options import DatasetOptions

by = st.sampled_from(["files", "samples"])
NO_SONG = np.empty((0, 2), int)


@given(
    lengths=st.lists(st.integers(1, 5000), min_size=3, max_size=12),
    kinds=st.tuples(by, by, by),
    fractions=st.tuples(st.floats(0.05, 0.4), st.floats(0, 0.4)),
    seed=st.integers(0, 99),
)
@settings(max_examples=150, deadline=None)
def test_every_sample_is_in_exactly_one_split(lengths, kinds, fractions, seed):
    options = DatasetOptions(
        **{f"{split}_split": kind for split, kind in zip(SPLITS, kinds, strict=True)},
        val_fraction=fractions[0],
        test_fraction=fractions[1],
        seed=seed,
    )
    song = [np.array([[n // 3, n // 2]]) for n in lengths]
    plan = split_recordings(lengths, song, options)
    counts = [np.zeros(n, int) for n in lengths]
    for stretches in plan.values():
        for s in stretches:
            counts[s.recording][s.start_sample : s.stop_sample] += 1
    assert all((count == 1).all() for count in counts)
    assert plan == split_recordings(lengths, song, options)
    for split in SPLITS:
        if getattr(options, f"{split}_split") == "files":
            assert all(s.n_samples == lengths[s.recording] for s in plan[split])


def test_fractions_are_what_was_asked_for():
    options = DatasetOptions(val_fraction=0.2, test_split="samples", test_fraction=0.3)
    plan = split_recordings([100_000] * 4, [NO_SONG] * 4, options)
    share = {split: sum(s.n_samples for s in plan[split]) / 400_000 for split in SPLITS}
    assert share == pytest.approx({"train": 0.5, "val": 0.2, "test": 0.3}, abs=1e-4)


def test_cuts_are_moved_out_of_song():
    options = DatasetOptions(val_fraction=0.5, test_fraction=0)
    song = np.array([[450, 520], [521, 580]])
    plan = split_recordings([1000], [song], options)
    cut = min(s.stop_sample for split in SPLITS for s in plan[split])
    assert cut == 449


def test_different_seeds_give_different_splits():
    plans = [
        split_recordings([1000] * 9, [NO_SONG] * 9, DatasetOptions(seed=seed)) for seed in range(5)
    ]
    assert len({str(plan["test"]) for plan in plans}) > 1


def test_what_cannot_be_split_is_an_error():
    with pytest.raises(DssError, match="too few to split test by files: that takes at least 2"):
        split_recordings([1000], [NO_SONG], DatasetOptions())
    options = DatasetOptions(val_fraction=0.5, test_fraction=0.5)
    with pytest.raises(DssError, match="leave nothing for training"):
        split_recordings([1000] * 5, [NO_SONG] * 5, options)
