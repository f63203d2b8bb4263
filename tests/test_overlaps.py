import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from dss.data import make_dataset, open_dataset
from dss.data.overlaps import overlaps, target_seconds, without_overlaps
from dss.data.targets import make_targets
from dss.errors import DssWarning

RATE = 100
TYPES = {"a": "segment", "b": "segment", "p": "event"}
COLUMNS = ["name", "start_seconds", "stop_seconds"]


def table(rows):
    return pd.DataFrame(rows, columns=COLUMNS)


def rows_of(found):
    return [*found[COLUMNS].itertuples(index=False, name=None)]


LONG = [("a", 1.0, 5.0), ("b", 2.0, 3.0), ("p", 2.5, 2.5)]
LATE = [("a", 1.0, 3.0), ("b", 2.0, 6.0)]


@pytest.mark.parametrize(
    ("rows", "winner", "expected"),
    [
        (LONG, "shorter", [("a", 1, 2), ("b", 2, 3), ("p", 2.5, 2.5), ("a", 3, 5)]),
        (LONG, "later", [("a", 1, 2), ("b", 2, 3), ("p", 2.5, 2.5), ("a", 3, 5)]),
        (LATE, "shorter", [("a", 1, 3), ("b", 3, 6)]),
        (LATE, "later", [("a", 1, 2), ("b", 2, 6)]),
        ([("a", 1.0, 3.0), ("a", 2.0, 4.0)], "later", [("a", 1, 3), ("a", 2, 4)]),
        ([("a", 1.0, 2.0), ("x", 1.0, 2.0)], "later", [("a", 1, 2), ("x", 1, 2)]),
    ],
)
def test_one_of_two_that_overlap_counts(rows, winner, expected):
    assert rows_of(without_overlaps(table(rows), TYPES, winner)) == expected


SEGMENTS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 50), st.integers(1, 20)))


@given(SEGMENTS, st.sampled_from(["shorter", "later"]))
def test_no_time_is_lost_and_none_is_shared(rows, winner):
    before = table([(name, start / 10, (start + n) / 10) for name, start, n in rows])
    after = without_overlaps(before, TYPES, winner)
    assert overlaps(after, TYPES) == []
    t = np.arange(0, 7, 0.1) + 0.05
    is_song = [
        (
            (t[:, None] > of["start_seconds"].to_numpy())
            & (t[:, None] < of["stop_seconds"].to_numpy())
        )
        for of in (before, after)
    ]
    np.testing.assert_array_equal(is_song[0].any(axis=1), is_song[1].any(axis=1))


@pytest.fixture
def song(tmp_path):
    for stem in "xyz":
        noise = 0.1 * np.random.default_rng(0).standard_normal(10 * RATE)
        soundfile.write(tmp_path / f"{stem}.wav", noise, RATE)
        rows = [*LATE, ("a", 7.0, 8.0), ("b", 9.0, 9.5)]
        table(rows).to_csv(tmp_path / f"{stem}_annotations.csv", index=False)
    return tmp_path


def targets(folder, **options):
    """The targets of the first recording, and which samples are known."""
    how = {"train_split": "files", "val_split": "files", "test_fraction": 0, "val_fraction": 0.34}
    store = make_dataset(folder, overwrite=True, gap_seconds=0, **how, **options)
    train = open_dataset(store)["train"]
    return train["y"].values[: 10 * RATE], train.get("annotated")


def test_what_is_learned_where_song_types_overlap_is_said_and_can_be_chosen(song):
    with pytest.warns(
        DssWarning, match=r"a and b \(3 times, 3 s in all\)\. There, the network learns"
    ):
        y, _ = targets(song)
    shared = slice(2 * RATE, 3 * RATE)
    assert (y[shared] == [0, 0.5, 0.5]).all()
    assert (targets(song, overlaps="shorter")[0][shared] == [0, 1, 0]).all()
    assert (targets(song, overlaps="later")[0][shared] == [0, 0, 1]).all()
    _, annotated = targets(song, overlaps="unknown")
    assert annotated.values[: 10 * RATE].sum() == 9 * RATE
    assert not annotated.values[shared].any()


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 5), st.floats(0.001, 2)), max_size=12),
    st.integers(0, 600),
    st.integers(0, 600),
)
@settings(deadline=None)
def test_seconds_of_song_are_the_sums_of_the_targets(rows, start, stop):
    start, stop = sorted([start, stop])
    segments = table([(name, at, at + seconds) for name, at, seconds in rows])
    types = dict.fromkeys("abc", "segment")
    y = make_targets(segments, types, RATE, start, stop, 0, np.float16)
    counted = target_seconds(segments, types, RATE, start, stop)
    sums = y[:, 1:].astype(float).sum(axis=0) / RATE
    np.testing.assert_allclose([*counted.values()], sums, atol=len(y) / RATE / 1024)


def test_the_report_on_a_dataset_counts_what_overlaps_once(song):
    for path in song.glob("*.csv"):
        with path.open("a") as file:
            file.write("a,2.5,4.0\n")
    for overlap in ("share", "shorter"):
        store = make_dataset(song, overwrite=True, gap_seconds=0, overlaps=overlap)
        tree = open_dataset(store)
        for split in tree:
            sums = tree[split]["y"].values[:, 1:].astype(float).sum(axis=0) / RATE
            report = tree.attrs["report"][split]["song_seconds"]
            np.testing.assert_allclose([*report.values()], sums, atol=0.02)
