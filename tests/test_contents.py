import numpy as np
import pytest
from conftest import write_recording
from hypothesis import given
from hypothesis import strategies as st

from dss.data import contents, make_dataset, open_dataset


@given(st.lists(st.booleans(), min_size=2, max_size=60), st.integers(1, 59), st.integers(1, 7))
def test_song_is_found_where_it_is_whatever_the_blocks(song, cut, block):
    y = np.stack([~np.array(song), np.array(song)], axis=1).astype("float32")
    cut = min(cut, len(song) - 1)
    stretches = np.array([[0, cut], [cut, len(song)]])
    usual, contents.BLOCK_SAMPLES = contents.BLOCK_SAMPLES, block
    try:
        noise, there = contents.song_stretches(y, stretches)
    finally:
        contents.BLOCK_SAMPLES = usual
    for column, found in enumerate((noise, there)):
        rebuilt = np.zeros(len(song))
        for start, stop in found:
            assert stop > start
            assert start >= cut or stop <= cut  # none reaches over the end of its stretch
            rebuilt[start:stop] += 1
        np.testing.assert_array_equal(rebuilt, y[:, column])


def test_where_nobody_looked_is_no_noise():
    y = np.array([[1, 1, 0, 0, 1, 1], [0, 0, 1, 1, 0, 0]], "float32").T
    noise, song = contents.song_stretches(y, np.array([[0, 6]]), np.array([0, 1, 1, 1, 1, 0]))
    assert noise.tolist() == [[1, 2], [4, 5]]
    assert song.tolist() == [[2, 4]]


@pytest.mark.parametrize("block", [2, 100])
def test_annotated_parts_end_where_stretches_do(monkeypatch, block):
    monkeypatch.setattr(contents, "BLOCK_SAMPLES", block)
    stretches = np.array([[0, 4], [4, 9]])
    parts = contents.annotated_parts(np.array([0, 1, 1, 1, 1, 0, 1, 1, 0]), stretches)
    assert parts.tolist() == [[1, 4], [4, 5], [6, 8]]
    assert contents.annotated_parts(None, stretches) is stretches
    assert contents.annotated_parts(np.zeros(9), stretches).shape == (0, 2)


@pytest.mark.parametrize("block_seconds", [0, 0.4])
def test_silent_and_clipped_recordings_are_named_once(tmp_path, block_seconds):
    rng = np.random.default_rng(0)
    good = 0.1 * rng.standard_normal((2000, 2))
    silent, clipped = good.copy(), np.clip(20 * good, -1, 1)
    silent[:, 1] = 0
    for name, x in {"good": good, "silent": silent, "clipped": clipped}.items():
        write_recording(tmp_path / "s", name, x, 1000, [("a", 0.2, 0.3), ("a", 1.2, 1.3)])
    made = {"test_fraction": 0, "train_split": "samples", "block_seconds": block_seconds}
    store = make_dataset(tmp_path / "s", **made)
    warnings = contents.audio_warnings(open_dataset(store), "train")
    assert sorted(w.split(" is ")[0] for w in warnings) == [
        "clipped.wav, channel 0:",
        "clipped.wav, channel 1:",
        "silent.wav, channel 1:",
    ]


def test_song_types_without_examples_are_named():
    song = [np.array([[0, 9]]), np.array([[3, 4]]), np.empty((0, 2), int)]
    (warning,) = contents.song_type_warnings(song, ["noise", "a", "b"], "train")
    assert warning.startswith("b: has no example in the train split, so the network cannot learn")


@pytest.mark.parametrize("part", ["x", "y"])
def test_the_fingerprint_is_that_of_the_data(folder, tmp_path, part):
    store, again = (
        make_dataset(folder, store_dir=tmp_path / f"{name}.npy") for name in ("one", "two")
    )
    same = contents.fingerprint(open_dataset(store))
    assert same == contents.fingerprint(open_dataset(again))
    values = np.load(again / "val" / f"{part}.npy")
    values[5, 0] += 1
    np.save(again / "val" / f"{part}.npy", values)
    assert same != contents.fingerprint(open_dataset(again))
