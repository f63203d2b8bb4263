import numpy as np
import pytest
from conftest import shared, tone_song, write_recording
from sklearn.metrics import adjusted_rand_score

from dss.data.recordings import array_recording
from dss.errors import DssError
from dss.review.segment_features import describe_segments, list_segments, mel_filters
from dss.review.segment_groups import group_segments, lay_out_segments, quick_layout, split_group
from dss.review.view import View
from dss.review.views import open_views


def described(folder):
    views = open_views(folder)
    segments = list_segments(views)
    return segments, describe_segments(views, segments)


@pytest.fixture
def tones(tmp_path):
    """Tones of two types, 60 Hz and 220 Hz, in recordings of different rates and loudness."""
    for i, rate in enumerate((1000, 1000, 2000)):
        x, rows = tone_song(seed=i, seconds=8, samplerate=rate)
        write_recording(tmp_path / "song", f"bird_{i}", x * (0.05, 0.5, 0.9)[i], rate, rows)
    return tmp_path / "song"


def test_segments_are_listed_by_recording_without_events(tones):
    segments = list_segments(open_views(tones))
    assert {*segments["name"]} == {"a", "b"}  # p is an event
    first = open_views(tones)[0].annotations.reset_index(drop=True)
    here = segments[segments["view"] == 0]
    assert (first.loc[here["row"], "start_seconds"].to_numpy() == here["start_seconds"]).all()


def test_segments_that_sound_alike_are_grouped_however_loud_and_at_whatever_rate(tones):
    segments, features = described(tones)
    groups = group_segments(features)
    assert adjusted_rand_score(segments["name"], groups) > 0.9


def test_a_segment_is_described_the_same_in_two_channels_and_at_the_end(tones):
    view = open_views(tones)[0]
    x = view.recording.read()
    table = view.annotations

    def view_of(x):
        recording = array_recording(x, view.recording.samplerate_hz)
        return View("", recording, lambda: table)

    end = int(table["stop_seconds"].max() * view.recording.samplerate_hz)
    one, two, cut = (view_of(y) for y in (x, np.repeat(x, 2, axis=1), x[:end]))
    segments = list_segments([one])
    features = describe_segments([one], segments)
    assert np.allclose(features, describe_segments([two], segments), atol=1e-3)
    assert describe_segments([cut], segments).shape == features.shape


def test_a_segment_of_minutes_is_described_without_reading_all_of_it(tones, monkeypatch):
    monkeypatch.setattr("dss.review.segment_features.LONG_SAMPLES", 10)
    views = open_views(tones)
    segments = list_segments(views)
    piecewise = describe_segments(views, segments)
    monkeypatch.undo()
    assert np.allclose(piecewise, describe_segments(views, segments), atol=1e-4)


def test_without_segments_the_error_says_what_to_do(tones):
    views = open_views(tones)
    with pytest.raises(DssError, match="annotate some, or propose"):
        describe_segments(views, list_segments([]))


def test_every_mel_filter_passes_something_even_if_it_is_narrower_than_a_bin():
    filters = mel_filters(48, 512, 250_000, (2500, 93_750))
    assert np.allclose(filters.sum(axis=1), 1)
    assert (filters >= 0).all()
    assert (np.diff(filters.argmax(axis=1)) >= 0).all()


def clusters(*sizes, seed=0):
    """Points in clusters far from each other."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(20 * i, 1, (n, 4)) for i, n in enumerate(sizes)])


def test_groups_are_numbered_from_the_largest():
    groups = group_segments(clusters(20, 60, 40))
    assert [(groups == g).sum() for g in range(3)] == sorted(
        [(groups == g).sum() for g in range(3)], reverse=True
    )
    assert set(groups[20:80]) <= {0, -1}
    assert groups.max() == 2


def test_too_few_segments_are_in_no_group():
    assert (group_segments(clusters(1)) == -1).all()
    assert (group_segments(clusters(3)) == -1).all()
    with pytest.raises(DssError, match="2 segments"):
        group_segments(clusters(30), min_cluster_size=1)


@pytest.mark.parametrize("sizes", [(2,), (1,), (5, 5), (30, 50, 40), (12,)])
def test_a_split_leaves_nothing_over(sizes):
    parts = split_group(clusters(*sizes))
    assert parts.min() == 0
    assert {*parts} == {*range(parts.max() + 1)}
    assert parts.max() >= min(1, sum(sizes) - 1)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 40])
def test_a_map_lies_within_0_to_1_and_is_the_same_again(n):
    features = clusters(n, seed=3).astype("float32")
    xy = lay_out_segments(features)
    assert xy.shape == quick_layout(features).shape == (n, 2)
    assert xy.min() >= 0
    assert xy.max() <= 1
    assert (xy == lay_out_segments(features)).all()


def test_what_is_close_on_the_map_sounds_alike(tones):
    segments, features = described(tones)
    xy = lay_out_segments(features)
    distance = np.linalg.norm(xy[:, None] - xy, axis=2)
    np.fill_diagonal(distance, np.inf)
    names = segments["name"].to_numpy()
    assert (names[distance.argmin(axis=1)] == names).mean() > 0.95


@pytest.mark.parametrize(("corpus", "least"), [("zebra_finch", 0.98), ("bengalese_finch", 0.85)])
def test_groups_agree_with_manual_names(corpus, least):
    segments, features = described(shared(corpus))
    assert adjusted_rand_score(segments["name"], group_segments(features)) > least
