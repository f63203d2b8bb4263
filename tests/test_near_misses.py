import numpy as np
import pandas as pd
import pytest
from conftest import tone_song, write_recording
from hypothesis import given, settings
from hypothesis import strategies as st

from dss.options import DetectOptions
from dss.predict import predict_files
from dss.predict.detection import detect
from dss.predict.near_misses import NearMisses, near_misses_path, read_near_misses
from dss.review.proofread import least_certain, rank_recordings

TYPES = {"a": "segment", "b": "segment", "p": "event"}
OPTIONS = DetectOptions(segment_min_seconds=0.02, segment_fill_seconds=0.005)


def probabilities(*song, n=1000):
    """[samples, classes] at 1 kHz with (type, start, stop, probability) of song."""
    p = np.zeros((n, 4), "float32")
    for name, start, stop, value in song:
        p[start:stop, 1 + list(TYPES).index(name)] = value
    p[:, 0] = 1 - p.sum(axis=1)
    return p


def near(p, sizes=(1000,)):
    """Near misses in probabilities that come in blocks of these sizes."""
    watched = NearMisses(TYPES, 1000, OPTIONS)
    blocks = np.split(p, np.cumsum(sizes)[:-1])
    table = detect(watched.watch(blocks), TYPES, 1000, options=OPTIONS)
    return watched.table(table)


def test_what_stays_below_the_threshold_is_a_near_miss_and_what_is_found_is_none():
    p = probabilities(
        ("a", 100, 150, 0.4), ("b", 300, 350, 0.9), ("p", 500, 503, 0.3), ("p", 600, 603, 0.9)
    )
    table = near(p)
    assert table["name"].tolist() == ["a", "p"]
    np.testing.assert_allclose(
        table[["start_seconds", "stop_seconds"]], [[0.1, 0.15], [0.5, 0.503]]
    )
    np.testing.assert_allclose(table["probability"], [0.4, 0.3], atol=1e-6)


def test_song_that_was_deleted_as_it_is_too_short_is_a_near_miss():
    options = OPTIONS.model_copy(update={"segment_durations": {"a": (0.25, 0.4)}})
    watched = NearMisses(TYPES, 1000, options)
    blocks = watched.watch([probabilities(("a", 100, 300, 0.95))])
    assert detect(blocks, TYPES, 1000, options=options).empty
    found = watched.table(pd.DataFrame(columns=["name", "start_seconds", "stop_seconds"]))
    assert found["probability"].tolist() == pytest.approx([0.95])


def test_short_gaps_are_filled_and_short_flickers_of_segments_do_not_count():
    assert len(near(probabilities(("a", 100, 120, 0.4), ("a", 124, 150, 0.3)))) == 1
    assert near(probabilities(("a", 100, 110, 0.4))).empty
    assert near(probabilities(("a", 100, 200, 0.15))).empty


@given(
    st.lists(st.tuples(st.sampled_from("abp"), st.integers(0, 99), st.floats(0, 1)), max_size=30),
    st.lists(st.integers(1, 400), max_size=8),
)
@settings(max_examples=40, deadline=None)
def test_the_size_of_the_blocks_does_not_matter(song, sizes):
    p = probabilities(*((name, 10 * at, 10 * at + 25, value) for name, at, value in song))
    p /= p.sum(axis=1, keepdims=True).clip(1e-9)
    sizes = [size for size, end in zip(sizes, np.cumsum(sizes), strict=True) if end < 1000]
    pd.testing.assert_frame_equal(near(p, [*sizes, 1000 - sum(sizes)]), near(p))


def test_song_that_is_missed_is_worth_looking_at(tiny_run, tmp_path):
    """With very high thresholds, there are only near misses."""
    songs, out = tmp_path / "songs", tmp_path / "out"
    x, rows = tone_song(seed=300)
    write_recording(songs, "song", x, 1000, rows)
    write_recording(songs, "noise", x[:3000] * 0.001, 1000, [])
    strict = {"segment_threshold": 1, "event_threshold": 1, "save_dir": out}
    file, _ = reversed(predict_files(songs, tiny_run[0], **strict))
    missed = pd.read_csv(near_misses_path(file))
    assert len(missed) > 0.6 * len(rows)
    ranked = rank_recordings(out).set_index("file")
    assert ranked.index.tolist() == [str(file), str(out / "noise_annotations.csv")]
    assert ranked.at[str(file), "near_misses"] == len(missed)
    assert ranked["uncertainty"].iloc[0] > 0.5 > 0.2 > ranked["uncertainty"].iloc[1]
    assert set(least_certain(out, n_least=5)["found"]) == {"near miss"}
    predict_files(songs, tiny_run[0], save_dir=out, existing="overwrite")
    assert read_near_misses(file, pd.read_csv(file)).shape[0] < len(missed) / 3


def test_what_somebody_annotated_since_is_no_near_miss_any_more(tmp_path):
    file = tmp_path / "x_annotations.csv"
    rows = [("a", 1, 1.1, 0.4), ("b", 2, 2.2, 0.3)]
    columns = ["name", "start_seconds", "stop_seconds", "probability"]
    pd.DataFrame(rows, columns=columns).to_csv(near_misses_path(file), index=False)
    table = pd.DataFrame([("a", 1.02, 1.09, np.nan), ("b", 3, 3.1, 0.9)], columns=columns)
    assert read_near_misses(file, table)["name"].tolist() == ["b"]
    absent = table.assign(name=["not_a", "not_b"], start_seconds=0, stop_seconds=[1.5, 3])
    assert read_near_misses(file, absent)["name"].tolist() == []
    assert read_near_misses(file, absent[:1].assign(stop_seconds=3))["name"].tolist() == ["b"]
