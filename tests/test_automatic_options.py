import numpy as np
import pandas as pd
import pytest
from conftest import write_recording

from dss.data import describe, make_dataset, open_dataset, preview_dataset
from dss.data.automatic_options import chosen_options
from dss.data.targets import add_gaps
from dss.options import DatasetOptions


def table(*rows):
    return pd.DataFrame(rows, columns=["name", "start_seconds", "stop_seconds"])


def syllables(pause_seconds, names="ab"):
    """Ten syllables of 100 ms, each type twice, with pauses between them."""
    starts = [i * (0.1 + pause_seconds) for i in range(10)]
    return table(*((names[i // 2 % len(names)], t, t + 0.1) for i, t in enumerate(starts)))


def chosen(tables, types, seconds=(60.0, 60.0, 60.0), **given):
    return chosen_options(tables, seconds, types, DatasetOptions(**given))


SEGMENTS = {"a": "segment", "b": "segment"}


def test_a_gap_is_left_only_where_segments_of_one_type_touch():
    options, reasons = chosen([syllables(0.001)], SEGMENTS)
    assert options.gap_seconds == 0.004
    assert "5 of 5 follow each other within 4 ms" in reasons["gap_seconds"]
    options, reasons = chosen([syllables(0.02)], SEGMENTS)
    assert options.gap_seconds == 0
    assert "gap_seconds" not in reasons
    alternating = table(("a", 0, 1), ("b", 1, 2), ("a", 2, 3))  # told apart by their names
    assert chosen([alternating], SEGMENTS)[0].gap_seconds == 0


def test_what_is_given_stays():
    given = {"gap_seconds": 0.01, "event_std_seconds": 0.002, "test_split": "files"}
    options, reasons = chosen([syllables(0)], SEGMENTS, [9.0], block_seconds=3, **given)
    assert {name: getattr(options, name) for name in given} == given
    assert options.block_seconds == 3
    assert not reasons


@pytest.mark.parametrize(("interval", "width"), [(0.04, 0.003), (0.008, 0.001)])
def test_events_are_narrow_where_they_follow_each_other_fast(interval, width):
    pulses = table(*(("p", i * interval, i * interval) for i in range(50)))
    assert chosen([pulses], {"p": "event"})[0].event_std_seconds == width


def test_one_recording_is_tested_by_samples_in_blocks(folder, tmp_path):
    options, reasons = chosen([syllables(0.1)], SEGMENTS, [60.0])
    assert (options.test_split, options.block_seconds) == ("samples", 2)
    assert "none can be spared" in reasons["test_split"]
    assert chosen([syllables(0.1)] * 3, SEGMENTS)[0].test_split == "files"
    options, reasons = chosen([syllables(0.1)] * 3, SEGMENTS, [1.0, 58.0, 1.0])
    assert (options.test_split, options.block_seconds) == ("samples", 2)
    assert "97% of all that is annotated is a single recording" in reasons["test_split"]
    assert reasons["test_split"].endswith("and the others are too short to test on")
    first = sorted(folder.glob("*.wav"))[0]
    tree = open_dataset(make_dataset(first, store_dir=tmp_path / "one.npy", block_seconds=0.5))
    assert all(tree[split].sizes["time"] for split in ("train", "val", "test"))
    assert tree.attrs["chosen"].keys() >= {"test_split"}
    assert tree.attrs["made_with"]["test_split"] == "auto"


@pytest.mark.parametrize(
    ("seconds", "split"),
    [
        ([10, 40, 10], "files"),
        ([7, 11, 32], "files"),
        ([6, 8, 8, 16], "files"),
        ([1, 58, 2], "samples"),  # a second of another recording tests nothing
        ([10, 10, 0.001], "samples"),
        ([2000, *[10] * 10], "samples"),
        ([450, *[10] * 55], "files"),
    ],
)
def test_another_recording_is_spared_if_one_holds_most(seconds, split):
    options, reasons = chosen([syllables(0.1)] * len(seconds), SEGMENTS, seconds)
    assert options.test_split == split
    each = "each split" if split == "samples" else "validation"
    assert reasons["block_seconds"].endswith(f"so that {each} gets a share of all song")


def test_excerpts_are_dealt_out_in_short_blocks(tmp_path):
    """A minute, of which six seconds are annotated, with song of one type after the other."""
    rows = [("ab"[t > 30], t, t + 0.3) for t in range(5, 58, 3)]
    marks = [("noise", start - 0.05, start) for _, start, _ in rows]
    noise = np.random.default_rng(0).standard_normal(60_000)
    write_recording(tmp_path / "song", "bird", noise, 1000, [*rows, *marks])
    for test_fraction in (0.1, 0):
        tree = preview_dataset(tmp_path / "song", test_fraction=test_fraction)
        assert tree.attrs["chosen"]["block_seconds"].startswith("0.5 s")
        counts = describe(tree)
        assert (counts.loc[["train", "val"], ["a", "b"]] > 0).all(axis=None)
        assert counts.loc["test", ["a", "b"]].sum() >= 2 * (test_fraction > 0)


def test_only_segments_of_one_type_are_moved_apart():
    touching = table(("a", 0.1, 0.2), ("a", 0.2, 0.3), ("b", 0.3, 0.4))
    moved = add_gaps(touching, SEGMENTS, 0.004, within_types=True)
    assert moved["start_seconds"].tolist() == pytest.approx([0.1, 0.202, 0.3])
    assert moved["stop_seconds"].tolist() == pytest.approx([0.198, 0.3, 0.4])
    everywhere = add_gaps(touching, SEGMENTS, 0.004)
    assert everywhere["start_seconds"].tolist() == pytest.approx([0.1, 0.202, 0.302])
