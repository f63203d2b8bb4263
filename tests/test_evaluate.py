import time
from pathlib import Path

import mir_eval
import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from dss.data import read_annotations, write_annotations
from dss.errors import DssError, DssWarning
from dss.evaluate import (
    agreement,
    bootstrap,
    edit_distance,
    evaluate,
    format_scores,
    format_summary,
    match,
    mistakes,
    sample_confusion,
    sample_macro_f1,
    sample_scores,
    summarize,
    syllable_error_rate,
    timing_errors,
)
from dss.evaluate.pairs import stem_of


def table(*rows):
    return pd.DataFrame(rows, columns=["name", "start_seconds", "stop_seconds"])


TRUE = table(("a", 0.1, 0.2), ("a", 1.1, 1.2), ("b", 2.1, 2.2), ("noise", 0, 3), ("c", np.nan, 0))


def test_annotations_compared_with_themselves_are_perfect():
    scores = evaluate(TRUE, TRUE)
    assert scores.index.tolist() == ["a", "b", "c", "all"]
    assert scores.loc["all", ["true", "predicted", "matched"]].tolist() == [3, 3, 3]
    assert scores.loc["all", ["precision", "recall", "f1"]].tolist() == [1, 1, 1]
    assert np.isnan(scores.loc["c", "f1"])


def test_onset_and_name_must_be_right():
    predicted = table(("a", 0.104, 0.23), ("b", 1.1, 1.2), ("b", 2.12, 2.2))
    scores = evaluate(TRUE, predicted)
    assert scores["matched"].tolist() == [1, 0, 0, 1]
    assert scores.loc["a", "precision"] == 1
    assert scores.loc["a", "recall"] == 0.5
    assert scores.loc["a", "f1"] == pytest.approx(2 / 3)
    assert scores.loc["a", "onset_error_ms"] == pytest.approx(4)
    assert scores.loc["a", "offset_error_ms"] == pytest.approx(30)
    assert evaluate(TRUE, predicted, tolerance_seconds=0.03).loc["b", "matched"] == 1


def test_each_annotation_is_matched_once_and_as_many_as_possible():
    true = table(("p", 1.000, 1.000), ("p", 1.008, 1.008))
    assert evaluate(true, table(("p", 1.004, 1.004))).loc["p", "matched"] == 1
    # The nearest match of the first one, 1.007, would leave the second one without.
    assert evaluate(true, table(("p", 0.992, 0.992), ("p", 1.007, 1.007))).loc["p", "matched"] == 2


def test_files_and_folders_are_compared_by_name(tmp_path):
    for folder in ("hand", "dss"):
        for name in ("1", "sub/2"):
            path = tmp_path / folder / f"{name}_annotations.csv"
            write_annotations(TRUE, path)
    scores = evaluate(tmp_path / "hand", tmp_path / "dss")
    assert scores.loc["all", "matched"] == 6
    one = "sub/2_annotations.csv"
    assert evaluate(tmp_path / "hand" / one, tmp_path / "dss" / one).loc["all", "matched"] == 3
    assert evaluate([TRUE, TRUE], [TRUE, TRUE.iloc[:1]]).loc["all", "recall"] == pytest.approx(
        4 / 6
    )
    (tmp_path / "dss" / one).unlink()
    with pytest.raises(
        DssError, match="have no counterpart to compare with:\n.*dss/sub/2_annotations.csv"
    ):
        evaluate(tmp_path / "hand", tmp_path / "dss")
    with pytest.raises(DssError, match="one is a folder"):
        evaluate(tmp_path / "hand", tmp_path / "dss" / "1_annotations.csv")


def test_hidden_files_are_left_out(tmp_path):
    for folder in ("hand", "dss"):
        write_annotations(TRUE, tmp_path / folder / "1_annotations.csv")
    for name in ("._1_annotations.csv", "._1.TextGrid", ".old/2_annotations.csv"):
        write_annotations(TRUE, tmp_path / "hand" / name)
    assert evaluate(tmp_path / "hand", tmp_path / "dss").loc["all", "matched"] == 3


def test_one_of_the_folders_may_lie_within_the_other(tmp_path):
    inner = tmp_path / "song" / "annotated"
    for folder, rows in ((tmp_path / "song", TRUE), (inner, TRUE.iloc[1:])):
        write_annotations(rows, folder / "1_annotations.csv")
    assert evaluate(tmp_path / "song", inner).loc["all", ["true", "predicted"]].tolist() == [3, 2]
    assert evaluate(inner, tmp_path / "song").loc["all", ["true", "predicted"]].tolist() == [2, 3]


@pytest.mark.parametrize(
    ("format", "name"),
    [
        ("audacity", "bird.1.txt"),
        ("raven", "bird.1.Table.1.selections.txt"),
        ("textgrid", "bird.1_annotations.TextGrid"),
        ("csv", "bird.1.csv"),
        ("csv", "bird.1.wav.csv"),
        ("csv", "bird.1_labels.csv"),
    ],
)
def test_folders_may_hold_annotations_of_other_programs(tmp_path, format, name):
    (tmp_path / "hand").mkdir()
    (tmp_path / "dss").mkdir()
    write_annotations(TRUE, tmp_path / "hand" / name, format)
    (tmp_path / "hand" / "bird.1_annotated.csv").write_text("start_seconds,stop_seconds\n0,2\n")
    (tmp_path / "hand" / "bird.1_definitions.csv").write_text("a,segment\n")
    (tmp_path / "hand" / "notes.txt").write_text("It rained.")
    (tmp_path / "hand" / "weather.csv").write_text("day,start,stop\n1,2,3\n")
    write_annotations(TRUE, tmp_path / "hand" / "bird.1_near_misses.csv")
    write_annotations(TRUE, tmp_path / "dss" / "bird.1_annotations.csv")
    scores = evaluate(tmp_path / "hand", tmp_path / "dss")
    assert scores.loc["all", "matched"] == 2  # b lies outside the annotated stretches


def test_every_name_of_annotations_belongs_to_the_same_recording():
    for name in (
        *("csv", "txt", "TextGrid", "phn", "wrd", "wav.csv", "labels.txt", "annotations.csv"),
        *("selections.txt", "Table.1.selections.txt", "wav.Table.1.selections.txt"),
        *("wav.not.mat", "cbin.not.mat", "FLAC.txt"),
    ):
        assert stem_of(Path(f"bird.1.{name}")) == "bird.1"
    assert stem_of(Path("bird.1_annotations.TextGrid")) == "bird.1"
    assert stem_of(Path("bird.1_annotations.selections.txt")) == "bird.1"
    assert stem_of(Path("bird.1.wav")) is None


def test_folders_of_timit_are_compared(tmp_path):
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        soundfile.write(tmp_path / folder / "a.wav", np.zeros(16_000), 16_000)
        (tmp_path / folder / "a.phn").write_text("0 4000 h#\n4000 8000 sh\n")
    assert evaluate(tmp_path / "one", tmp_path / "other").loc["all", "matched"] == 2
    (tmp_path / "other" / "a.wav").unlink()  # the one of the true annotations says the rate
    assert evaluate(tmp_path / "one", tmp_path / "other").loc["all", "matched"] == 2
    (tmp_path / "one" / "a.wav").unlink()
    with pytest.raises(DssError, match=r"but its recording is not there\. Give the sample rate"):
        evaluate(tmp_path / "one", tmp_path / "other")
    table = summarize(tmp_path / "one", tmp_path / "other", samplerate_hz=16_000)
    assert table.loc["all", ["matched", "true_seconds"]].tolist() == [2, 0.5]


def test_folders_that_are_exchanged_are_noticed(tmp_path):
    song, found = tmp_path / "song", tmp_path / "found"
    write_annotations(TRUE, song / "1_annotations.csv")
    write_annotations(TRUE.assign(confidence=0.5), found / "1_annotations.csv")
    with pytest.warns(DssWarning, match="have a column confidence, .* Did you exchange them?"):
        evaluate(found, song)
    evaluate(song, found)
    evaluate(found, found)
    (song / "1_annotations.csv").rename(song / "all.csv")
    soundfile.write(song / "1.wav", np.zeros(10), 1000)
    with pytest.raises(DssError, match="did you mean dss evaluate .*song .*found"):
        evaluate(found, song)


def test_two_files_of_annotations_for_a_recording_are_an_error(tmp_path):
    for name, format in (("1.txt", "audacity"), ("1.TextGrid", "textgrid")):
        write_annotations(TRUE, tmp_path / name, format)
    with pytest.raises(DssError, match=r"1.TextGrid, .*1.txt"):
        evaluate(tmp_path, tmp_path)
    write_annotations(TRUE, tmp_path / "1_annotations.csv")
    assert evaluate(tmp_path, tmp_path).loc["all", "f1"] == 1


def test_the_text_shows_every_song_type():
    text = format_scores(evaluate(TRUE, TRUE))
    assert [line.split()[0] for line in text.splitlines()[2:]] == ["a", "b", "c", "all"]
    assert "onset error/ms" in text


def test_the_offset_counts_when_it_is_asked_for():
    predicted = table(("a", 0.1, 0.23), ("a", 1.1, 1.201))
    assert evaluate(TRUE, predicted).loc["a", "matched"] == 2
    scores = evaluate(TRUE, predicted, offset_tolerance_seconds=0.01)
    assert scores.loc["a", "matched"] == 1
    assert scores.loc["a", "offset_error_ms"] == pytest.approx(1)


def test_events_have_a_tolerance_of_their_own():
    true = table(("p", 1, 1), ("s", 2, 3))
    predicted = table(("p", 1.008, 1.008), ("s", 2.008, 3))
    scores = evaluate(true, predicted, event_tolerance_seconds=0.004)
    assert scores.loc[["p", "s"], "matched"].tolist() == [0, 1]


def test_errors_of_the_worst_are_told():
    true = table(*(("a", t, t + 0.1) for t in range(100)))
    errors = np.r_[np.full(90, 0.001), np.full(10, 0.009)]
    predicted = true.assign(start_seconds=true["start_seconds"] + errors)
    scores = evaluate(true, predicted).loc["a"]
    assert scores["onset_error_ms"] == pytest.approx(1)
    assert scores["onset_error_95_ms"] == pytest.approx(9)


times = st.lists(st.integers(0, 60).map(lambda n: n / 10), max_size=20).map(sorted)


@given(times, times, st.sampled_from([0.05, 0.25, 0.55]))
@settings(max_examples=150, deadline=None)
def test_as_many_are_matched_as_mir_eval_matches(true, predicted, tolerance):
    onsets = np.array(true), np.array(predicted)
    ours = match(*(np.stack([t, t], axis=1) for t in onsets), tolerance)
    theirs = mir_eval.util.match_events(*onsets, tolerance)
    assert len(ours) == len(theirs)
    assert len(set(ours[:, 0])) == len(set(ours[:, 1])) == len(ours)
    errors = [sum(abs(onsets[0][i] - onsets[1][j]) for i, j in m) for m in (ours, theirs)]
    assert errors[0] <= errors[1] + 1e-9


def test_only_stretches_that_somebody_looked_at_count(tmp_path):
    path = tmp_path / "1_annotations.csv"
    write_annotations(table(("a", 1, 1.5), ("a", 5.001, 5.5)), path)
    predicted = table(("a", 1, 1.5), ("a", 2, 2.5), ("a", 4.999, 5.5), ("a", 8, 8.5))
    assert evaluate(path, predicted).loc["a", ["true", "predicted"]].tolist() == [2, 4]
    (tmp_path / "1_annotated.csv").write_text("start_seconds,stop_seconds\n0,3\n5,7\n")
    scores = evaluate(path, predicted).loc["a"]
    # The one at 4.999 s is outside, but right for the one inside.
    assert scores[["true", "predicted", "matched"]].tolist() == [2, 3, 2]
    assert sample_confusion(path, predicted).to_numpy().sum() == pytest.approx(5000, abs=2)
    assert agreement(path, predicted).loc["a", "predicted"] == 3
    assert syllable_error_rate(path, predicted) == 1 / 2  # the one at 2 s
    (tmp_path / "1_annotated.csv").write_text("start_seconds,stop_seconds\n")
    assert evaluate(path, predicted).loc["all", ["true", "predicted"]].tolist() == [0, 0]


def test_where_noise_is_annotated_only_what_is_annotated_is_known():
    predicted = table(("a", 1, 1.5), ("a", 2.2, 2.4), ("a", 4.5, 4.7), ("a", 8, 8.5))
    true = table(("a", 1, 1.5), ("noise", 2, 3))
    assert evaluate(true, predicted).loc["a", ["true", "predicted"]].tolist() == [1, 2]
    true = table(("a", 1, 1.5), ("noise", 2, 3), ("not_a", 4, 5))
    scores = evaluate(true, predicted)
    assert scores.index.tolist() == ["a", "all"]
    assert scores.loc["a", ["true", "predicted"]].tolist() == [1, 3]


def test_song_may_go_on_where_nobody_looked():
    true = table(("a", 1, 1.5), ("a", 2, 2.4), ("noise", 2.4, 3), ("b", 4, 4.5))
    predicted = table(("a", 0.6, 2.41), ("a", 2.98, 3.4), ("b", 3.5, 4.498), ("c", 0.9, 1.1))
    scores = evaluate(true, predicted, tolerance_seconds=0.02, offset_tolerance_seconds=0.02)
    assert scores.loc["a", ["true", "predicted", "matched"]].tolist() == [2, 3, 2]
    assert scores.loc["b", ["true", "predicted", "matched"]].tolist() == [1, 1, 1]
    # Only the end of the second a is known not to be the end of what was looked at.
    assert scores.loc["a", "offset_error_ms"] == pytest.approx(10)
    assert scores.loc[["a", "b"], "onset_error_ms"].isna().all()
    assert scores.loc[["b"], "offset_error_ms"].isna().all()
    errors = timing_errors(true, predicted, tolerance_seconds=0.02)
    assert errors.notna().sum()[1:].tolist() == [0, 1]
    drawn = bootstrap([true, true], [predicted, predicted])
    assert drawn.loc["a", ("offset_error_ms", "high")] == pytest.approx(10)


def test_what_is_marked_as_absent_counts_for_this_song_type():
    true = table(("a", 1, 1.5), ("b", 6, 6), ("not_a", 2, 3), ("not_b", 2.5, 4))
    predicted = table(
        ("a", 1, 1.5), ("a", 2.1, 2.2), ("a", 2.995, 3.5), ("b", 2.2, 2.2), ("b", 3, 3)
    )
    scores = evaluate(true, predicted)
    # The third a begins at the edge of what is known; it may be one that nobody annotated.
    assert scores.loc["a", ["true", "predicted", "matched"]].tolist() == [1, 2, 1]
    assert scores.loc["b", ["true", "predicted", "matched"]].tolist() == [1, 1, 0]
    assert mistakes(true, predicted)["start_seconds"].tolist() == [2.1, 6, 3]


def test_a_name_marks_absence_whichever_recording_has_the_song():
    song, none = table(("a", 1, 1.5)), table(("not_a", 1, 2), ("noise", 3, 4))
    for of_song, of_none in (([song], [none]), ([none], [song])):
        true, predicted = [*of_song, *of_none], [song, song]
        scores = evaluate(true, predicted)
        assert scores.index.tolist() == ["a", "all"]
        assert scores.loc["a", ["true", "predicted", "matched"]].tolist() == [1, 2, 1]


def test_a_mark_of_absence_is_no_song_even_if_nobody_has_the_song():
    true = table(("a", 1, 1.5), ("not_b", 2, 3))
    scores = evaluate(true, table(("a", 1, 1.5), ("a", 2.2, 2.8)))
    assert scores.index.tolist() == ["a", "all"]
    assert scores.loc["a", ["true", "predicted"]].tolist() == [1, 1]  # a is unknown in not_b
    named = table(("not_b", 1, 2))  # by a network that learned this name
    assert evaluate(named, named).loc["not_b", "f1"] == 1


def test_a_segment_that_lies_mostly_in_noise_is_false_wherever_it_begins():
    true = table(("a", 1, 1.5), ("noise", 2, 3), ("not_a", 6, 7))
    predicted = table(("a", 1, 1.5), ("a", 1.9, 2.5), ("a", 5.5, 6.8), ("a", 3.5, 6.1))
    assert evaluate(true, predicted).loc["a", ["true", "predicted"]].tolist() == [1, 3]
    assert mistakes(true, predicted)["start_seconds"].tolist() == [5.5, 1.9]


def test_milliseconds_count_where_all_types_of_segments_are_absent():
    true = table(("a", 1, 2), ("p", 5, 5), ("not_a", 2, 4))
    predicted = table(("a", 1, 2.5), ("p", 2.2, 2.2), ("a", 8, 9))
    counts = sample_confusion(true, predicted)
    assert counts.loc["noise", "a"] == pytest.approx(500, abs=2)
    assert counts.to_numpy().sum() == pytest.approx(3020, abs=3)
    other = table(("b", 1, 2))
    counts = sample_confusion([true, other], [predicted, other])  # b is unknown in not_a
    assert counts.loc["noise", "a"] == 0


def test_stretches_an_instant_apart_are_looked_at_as_one():
    true = table(("a", 1, 1.5), ("noise", 1.501, 3))
    scores = evaluate(true, table(("a", 1, 1.508)))
    assert scores.loc["a", "offset_error_ms"] == pytest.approx(8)


edges = st.integers(0, 400).map(lambda n: n / 2000)
songs = st.lists(st.tuples(st.sampled_from("abc"), edges, edges), max_size=8).map(
    lambda rows: table(*((name, min(a, b), max(a, b)) for name, a, b in rows))
)


@given(songs, songs)
@settings(max_examples=60, deadline=None)
def test_samples_are_counted_as_if_each_were_looked_at(true, predicted):
    last = max([0, *true["stop_seconds"], *predicted["stop_seconds"]])
    at = 0.001 * (np.arange(int(last / 0.001)) + 0.5)
    counts = sample_confusion(true, predicted)
    names = [_names_at(song, at) for song in (true, predicted)]
    for row in counts.index:
        for column in counts.columns:
            expected = ((names[0] == row) & (names[1] == column)).sum()
            assert counts.loc[row, column] == (expected if len(counts) > 1 else 0)


def _names_at(song, times):
    """The name of the last segment that starts before each time and stops after it."""
    names = np.full(len(times), "noise")
    for name, start, stop in song.sort_values("start_seconds", kind="stable").to_numpy():
        names[(times >= start) & (times < stop)] = name
    return names


def test_long_silence_costs_no_time_or_memory():
    true = table(("a", 1, 2), ("a", 9e6, 9.1e6))
    counts = sample_confusion(true, true).loc["a", "a"]
    assert counts == pytest.approx(1e8 + 1000, abs=2)


def test_segments_are_compared_sample_by_sample():
    true = table(("a", 0, 1), ("b", 1, 2))
    predicted = table(("a", 0, 1.5), ("b", 1.5, 1.75))
    confusion = sample_confusion(true, predicted)
    expected = [[0, 0, 0], [0, 1000, 0], [250, 500, 250]]
    np.testing.assert_allclose(confusion, expected, atol=1)
    scores = sample_scores(true, predicted)
    assert scores.loc["a", "precision"] == pytest.approx(2 / 3, abs=0.01)
    assert scores.loc["b", "recall"] == pytest.approx(1 / 4, abs=0.01)
    assert scores.loc["all", "f1"] == pytest.approx(2 * 1250 / (1750 + 2000), abs=0.01)


def test_the_mean_of_f1_by_milliseconds_counts_noise_and_each_type_alike():
    true = table(("a", 0, 1), ("a", 3, 4), ("b", 5, 5.1))
    predicted = table(("a", 0, 1), ("a", 3.2, 4), ("a", 5, 5.1))
    labels = np.zeros((2, 5100), int)
    for row, annotations in zip(labels, (true, predicted), strict=True):
        for name, start, stop in annotations.itertuples(index=False):
            row[round(1000 * start) : round(1000 * stop)] = "-ab".index(name)
    expected = f1_score(*labels, average="macro")
    assert sample_macro_f1(true, predicted) == pytest.approx(expected, abs=1e-3)
    assert summarize(true, predicted).loc["all", "sample_macro_f1"] < 0.7
    assert np.isnan(sample_macro_f1(table(("p", 1, 1)), table(("p", 1, 1))))


def test_the_syllable_error_rate_counts_edits():
    def song(text):
        return table(*((name, i, i + 0.5) for i, name in enumerate(text)))

    assert syllable_error_rate(song("abcabc"), song("abcabc")) == 0
    assert syllable_error_rate(song("abcabc"), song("abbabcd")) == pytest.approx(2 / 6)
    assert syllable_error_rate([song("ab"), song("cd")], [song("b"), song("cd")]) == 1 / 4
    assert np.isnan(syllable_error_rate(table(("p", 1, 1)), table(("p", 1, 1))))


@given(st.text("abc", max_size=12), st.text("abc", max_size=12), st.text("abc", max_size=12))
@settings(max_examples=100, deadline=None)
def test_the_edit_distance_is_a_distance(x, y, z):
    assert edit_distance(x, y) == edit_distance(y, x)
    assert (edit_distance(x, y) == 0) == (x == y)
    assert edit_distance(x, z) <= edit_distance(x, y) + edit_distance(y, z)
    assert edit_distance(x, x + y) == len(y)


def test_numbers_and_durations_are_compared():
    rows = agreement(TRUE, table(("a", 0.5, 0.7))).loc["a"]
    assert rows[["true", "predicted", "ratio"]].tolist() == [2, 1, 0.5]
    assert rows["seconds_ratio"] == pytest.approx(1)
    assert rows[["true_median_ms", "predicted_median_ms"]].tolist() == pytest.approx([100, 200])


def test_intervals_hold_the_score_and_are_wider_for_fewer_recordings():
    rng = np.random.default_rng(0)
    true = [table(*(("a", t, t + 0.1) for t in range(20))) for _ in range(16)]
    predicted = [t[rng.random(20) < rng.uniform(0.4, 1)] for t in true]
    recall = evaluate(true, predicted).loc["a", "recall"]
    many, few = (
        bootstrap(true[:n], predicted[:n], n_draws=200).loc["a", "recall"] for n in (16, 4)
    )
    assert many["low"] < recall < many["high"]
    assert few["high"] - few["low"] > many["high"] - many["low"]
    first, again, other = (bootstrap(true, predicted, n_draws=50, seed=s) for s in (0, 0, 1))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)
    with pytest.raises(DssError, match="at least two"):
        bootstrap(TRUE, TRUE)


def test_one_recording_with_a_song_type_gives_it_no_interval():
    true = [table(("a", 0, 0.1), ("a", 1, 1.1), ("b", 2, 2.1)), table(("a", 0, 0.1))]
    found = [table(("a", 0, 0.1), ("b", 2.001, 2.1)), table(("a", 0.002, 0.1))]
    bounds = bootstrap(true, found, n_draws=50)
    assert bounds.loc["b"].isna().all()
    assert bounds.loc["a", "recall"].tolist() == [0.5, 1]
    assert bounds.loc["a", "onset_error_ms"].tolist() == pytest.approx([0, 2])
    lines = format_summary(true, found).partition("95 % interval")[2].splitlines()
    assert lines[3].split() == ["b"]


def test_the_summary_says_what_is_matched():
    said = format_summary(TRUE, TRUE).splitlines()[0]
    assert said.startswith("Matched: same name, onset within 10 ms. Errors")
    limits = {"event_tolerance_seconds": 0.002, "offset_tolerance_seconds": 0.05}
    said = format_summary(TRUE, TRUE, **limits).splitlines()[0]
    assert "onset within 10 ms, offset within 50 ms, events within 2 ms." in said


def test_the_worst_mistakes_come_first():
    predicted = table(("a", 0.1, 0.2), ("a", 5, 5.1), ("b", 6, 6.1), ("b", 7, 7.1))
    predicted["confidence"] = [0.99, 0.7, 0.95, 0.6]
    wrong = mistakes(TRUE[TRUE["name"] != "noise"], predicted)
    assert wrong["mistake"].tolist() == ["false", "missed", "false", "missed", "false"]
    assert wrong["start_seconds"].tolist()[::2] == [6, 5, 7]
    assert mistakes(TRUE, TRUE).empty


def test_what_was_missed_has_no_confidence_even_if_it_was_found_by_a_network_once():
    true = table(("a", 1, 1.1), ("a", 2, 2.3)).assign(confidence=[0.9, 0.2])
    wrong = mistakes(true, table(("a", 5, 5.1)).assign(confidence=0.7))
    assert wrong["mistake"].tolist() == ["false", "missed", "missed"]
    assert wrong["confidence"].fillna(-1).tolist() == [0.7, -1, -1]
    assert wrong["start_seconds"].tolist() == [5, 2, 1]  # of what was missed, the longest first


def test_the_summary_reads_each_file_once(tmp_path, monkeypatch):
    for name in ("hand", "dss"):
        for i in range(2):
            write_annotations(TRUE, tmp_path / name / f"{i}_annotations.csv")
    read = []
    monkeypatch.setattr(
        "dss.data.annotation_files.read_annotations",
        lambda p, *how, **named: read.append(p) or read_annotations(p, *how, **named),
    )
    for summary in (summarize, format_summary):
        summary(tmp_path / "hand", tmp_path / "dss")
        assert len(read) == len({*read}) == 4
        read.clear()


def test_an_interval_is_that_of_the_scores_of_each_draw():
    true = [TRUE, table(("a", 0.5, 0.6), ("p", 1, 1)), TRUE.iloc[2:]]
    predicted = [TRUE.iloc[1:], table(("a", 0.504, 0.61)), table(("b", 2.108, 2.2), ("a", 3, 4))]
    draws = np.random.default_rng(3).integers(3, size=(20, 3))
    drawn = [summarize([true[i] for i in d], [predicted[i] for i in d]) for d in draws]
    bounds = bootstrap(true, predicted, n_draws=20, seed=3)
    for score in ("precision", "recall", "f1", "onset_error_ms", "offset_error_95_ms", "ratio"):
        for name in ("a", "all"):
            values = [scores[score].get(name, np.nan) for scores in drawn]
            low, high = np.nanquantile(values, [0.025, 0.975])
            assert bounds.loc[name, score].tolist() == pytest.approx([low, high])


def test_the_summary_of_many_recordings_takes_seconds():
    begun = time.process_time()
    format_summary([TRUE] * 300, [TRUE.iloc[1:]] * 300)
    assert time.process_time() - begun < 10


def test_a_song_type_may_be_called_all():
    true, predicted = (t.replace({"name": {"a": "all"}}) for t in (TRUE, TRUE.iloc[1:]))
    summary = summarize([true, true], [predicted, true])
    assert summary.index.tolist() == ["all (song type)", "b", "c", "all"]
    assert summary["true"].tolist() == [4, 2, 0, 6]
    assert summary["matched"].tolist() == [3, 2, 0, 5]
    assert "all (song type)" in format_summary(true, predicted)
    assert mistakes(true, predicted)["name"].tolist() == ["all (song type)"]


def test_the_summary_has_everything():
    summary = summarize([TRUE, TRUE], [TRUE, TRUE.iloc[1:]])
    assert {"f1", "f1_low", "sample_f1", "seconds_ratio"} <= set(summary)
    row = summary.loc["all"]
    # Both recordings twice, or one of them twice: one is right, in the other one of 3 is missed.
    for score, low, high in (
        ("syllable_error_rate", 0, 1 / 3),
        ("ratio", 2 / 3, 1),
        ("seconds_ratio", 2 / 3, 1),
        ("sample_recall", 2 / 3, 1),
    ):
        assert row[[f"{score}_low", f"{score}_high"]].tolist() == pytest.approx([low, high])
    assert row["sample_macro_f1_low"] < row["sample_macro_f1"] < row["sample_macro_f1_high"]
    assert summary.loc["all", "syllable_error_rate"] == pytest.approx(1 / 6)
    text = format_summary([TRUE, TRUE], [TRUE, TRUE.iloc[1:]])
    for part in (
        "95 % interval",
        "sample_f1",
        "mean of all types and noise: 0.",
        "Syllable error rate 0.167",
        "annotated as",
    ):
        assert part in text


def test_thousands_of_names_are_refused_and_hundreds_not_printed_as_a_matrix():
    def table(n):
        starts = np.arange(n) / 100
        names = [f"song {i}" for i in range(n)]
        return pd.DataFrame(
            {"name": names, "start_seconds": starts, "stop_seconds": starts + 0.005}
        )

    with pytest.raises(DssError, match="There are 12001 names in 1 recordings, too many"):
        summarize(table(12_000), table(3))
    assert "Milliseconds of each type" in format_summary(table(9), table(9))
    assert "Milliseconds of each type" not in format_summary(table(120), table(120))
