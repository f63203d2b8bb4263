import numpy as np
import pandas as pd
import pytest
import soundfile
from conftest import tone_song, write_recording
from hypothesis import given, settings
from hypothesis import strategies as st

from dss.cli import main
from dss.data import check_annotations, format_report, make_dataset, open_dataset
from dss.data.annotated_recordings import read_annotated_recording
from dss.errors import DssError, DssWarning
from dss.options import SourceOptions

RATE = 1000


def write(folder, *rows, seconds=10):
    """A recording of noise, with rows of annotations."""
    folder.mkdir(parents=True, exist_ok=True)
    x = 0.1 * np.random.default_rng(0).standard_normal(seconds * RATE)
    soundfile.write(folder / "x.wav", x, RATE)
    text = "\n".join(["name,start_seconds,stop_seconds", *rows])
    (folder / "x_annotations.csv").write_text(text + "\n")
    return folder / "x.wav"


def said(folder, **options):
    """(severity, problem) of everything that a check finds."""
    table = check_annotations(folder, **options)
    return [*zip(table["severity"], table["problem"], strict=True)]


@pytest.mark.parametrize(
    ("rows", "kept", "what"),
    [
        (["a,-0.0012,0.2"], (0, 0.2), "reaches up to 1.2 ms beyond the recording"),
        (["a,9.5,10.0041"], (9.5, 10), "reaches up to 4.1 ms beyond the recording"),
        (["p,10.003,10.003"], (9.999, 9.999), "reaches up to 3 ms beyond the recording"),
        (["p,10,10"], (9.999, 9.999), None),
        (["a,9.5,10.0009"], (9.5, 10), None),
        (["a,2,3", "a,2,3", "a,2,3"], (2, 3), "2 annotations appear twice and count once"),
        (["p,2,2", "p,2.0,2.000"], (2, 2), "1 annotation appears twice and counts once (row 3)"),
    ],
)
def test_what_is_certain_is_fixed_and_said_once(tmp_path, rows, kept, what):
    path = write(tmp_path, *rows)
    (found,) = said(tmp_path) or [("fixed", None)]
    assert found[0] == "fixed"
    assert (what or "") in (found[1] or "")
    assert bool(what) == bool(found[1])
    (times,) = (
        read_annotated_recording(path, SourceOptions())
        .table[["start_seconds", "stop_seconds"]]
        .to_numpy()
    )
    np.testing.assert_allclose(times, kept)
    strict = said(tmp_path, strict=True)
    assert [severity for severity, _ in strict] == ["error"] * bool(what)


@pytest.mark.parametrize(
    ("start", "stop", "is_right"),
    [
        (9, 10.0004, True),  # written with three digits
        (9, 10.005, True),
        (9, 10.0051, False),
        (-0.005, 1, True),
        (-0.0051, 1, False),
        (10.001, 10.004, False),  # nothing of it is in the recording
        (-0.004, -0.001, False),
    ],
)
def test_annotations_and_annotated_stretches_have_one_tolerance(tmp_path, start, stop, is_right):
    write(tmp_path, f"a,{start},{stop}")
    of_annotation = [severity for severity, _ in said(tmp_path)]
    write(tmp_path, "a,5,5.5")
    stretch = f"start_seconds,stop_seconds\n{start},{stop}\n"
    (tmp_path / "x_annotated.csv").write_text(stretch)
    of_stretch = [severity for severity, _ in said(tmp_path)]
    assert ("error" not in of_annotation, "error" not in of_stretch) == (is_right, is_right)
    is_wide = "error" not in [severity for severity, _ in said(tmp_path, tolerance_seconds=0.1)]
    assert is_wide == (stop > 0 and start < 10)


def test_an_event_at_the_very_end_counts_and_has_its_target(tmp_path):
    for name in ("a", "b", "c"):
        write(tmp_path / name, "p,1,1", "p,4,4", "p,10,10")
    options = {"event_std_seconds": 0.01, "split_csv": True, "test_fraction": 0.3}
    store = make_dataset(tmp_path, store_dir=tmp_path / "s.npy", **options)
    tree = open_dataset(store)
    n_written = n_peaks = 0
    for split in ("train", "val", "test"):
        n_written += len((store / f"{split}_annotations.csv").read_text().splitlines()) - 1
        n_peaks += int((np.asarray(tree[split]["y"])[:, 1] > 0.999).sum())
    assert (n_written, n_peaks) == (9, 9)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("a,-0.006,1", "starts at -0.006 s, before the recording"),
        ("a,9,10.006", "stops at 10.006 s, but the recording ends at 10 s"),
        ("a,10.002,10.004", "stops at 10.004 s, but the recording ends at 10 s"),
        ("a,-0.003,0", "starts at -0.003 s, before the recording"),
    ],
)
def test_what_is_out_by_more_is_an_error_and_the_tolerance_can_be_chosen(tmp_path, row, problem):
    write(tmp_path, "a,1,2", row)
    assert said(tmp_path) == [("error", problem)]
    if "006" in row:
        assert [severity for severity, _ in said(tmp_path, tolerance_seconds=0.01)] == ["fixed"]


@given(st.lists(st.tuples(st.floats(-0.02, 10.02), st.floats(0, 0.02), st.booleans()), min_size=1))
@settings(deadline=None, max_examples=40)
def test_what_is_accepted_lies_in_the_recording_and_keeps_its_kind(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("x")
    lines = [f"{'pa'[d]},{t:.6f},{t + d * (s + 0.002):.6f}" for t, s, d in rows]
    path = write(folder, *lines)
    table = read_annotated_recording(
        path, SourceOptions(skip_bad_rows=True, tolerance_seconds=0.004)
    ).table
    times = table[["start_seconds", "stop_seconds"]].to_numpy()
    samples = (times * RATE).round()
    assert (samples[:, 0] >= 0).all()
    assert (samples <= 10 * RATE).all()
    is_event = (table["name"] == "p").to_numpy()
    assert (samples[:, 0] < 10 * RATE).all()
    assert ((times[:, 0] == times[:, 1]) == is_event).all()


def test_bad_rows_are_errors_or_are_skipped_and_what_is_around_them_is_unknown(folder):
    path = folder / "bird_1_annotations.csv"
    good = pd.read_csv(path)
    lines = path.read_text().splitlines()
    lines.insert(6, "a,1.5,1.4")
    lines.insert(12, "a,2.x,2.9")
    path.write_text("\n".join(lines) + "\n")
    assert [severity for severity, _ in said(folder)] == ["error", "error"]
    with pytest.raises(DssError, match=r"row 13: start_seconds is '2.x'"):
        make_dataset(folder)
    fixed = [what for severity, what in said(folder, skip_bad_rows=True) if severity == "fixed"]
    assert fixed == [
        "row 7 is skipped, the audio around it unknown: (a) stops at 1.4 s, before it starts at "
        "1.5 s",
        "row 13 is skipped, the audio around it unknown: start_seconds is '2.x'; it should be "
        "a number",
    ]
    found = read_annotated_recording(folder / "bird_1.wav", SourceOptions(skip_bad_rows=True))
    assert found.table["start_seconds"].tolist() == good["start_seconds"].tolist()
    before, after = good.iloc[4], good.iloc[5]  # the rows around the first
    low, high = min(before["stop_seconds"], 1.4), max(after["start_seconds"], 1.5)
    np.testing.assert_allclose(found.unknown[0], [low, high])
    tree = open_dataset(make_dataset(folder, skip_bad_rows=True))
    unknown = sum(tree.attrs["report"][split]["unknown_seconds"] for split in tree)
    assert unknown == pytest.approx(np.diff(found.unknown).sum(), abs=0.01)


def test_what_was_fixed_is_in_the_dataset_its_report_and_the_command(tmp_path, capsys):
    for i in range(3):
        x, rows = tone_song(seed=i)
        path = write_recording(tmp_path / "song", f"bird_{i}", x, RATE, rows)
    path.write_bytes(path.read_bytes()[:-200])
    with path.with_name("bird_1_annotations.csv").open("a") as file:
        file.write("a,3.98,4.0030\n" * 2)
    assert main(["make-dataset", str(tmp_path / "song")]) == 0
    tree = open_dataset(tmp_path / "song.npy")
    assert [sentence.rsplit("/")[-1].partition(":")[0] for sentence in tree.attrs["fixed"]] == [
        *["bird_1_annotations.csv"] * 2,
        "bird_2.wav",
    ]
    out = capsys.readouterr().out
    for sentence in tree.attrs["fixed"]:
        assert f"fixed: {sentence}" in out
        assert sentence in format_report(tree)
    assert main(["check", str(tmp_path / "song")]) == 0
    assert "3 fixed" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "song"), "--strict"]) == 2
    assert main(["make-dataset", str(tmp_path / "song"), "--strict", "--overwrite"]) == 2
    assert "need fixes" in capsys.readouterr().err


def test_annotations_beyond_what_is_left_of_a_recording_are_errors(folder):
    path = folder / "bird_1.wav"
    path.write_bytes(path.read_bytes()[:-4000])
    problems = check_annotations(folder)
    errors = problems[problems["severity"] == "error"]
    assert len(errors)
    assert errors["problem"].str.contains("but the recording ends at 2 s").all()


def test_seconds_of_song_are_those_of_the_targets(folder):
    path = folder / "bird_0_annotations.csv"
    path.write_text(path.read_text() + "\n".join(path.read_text().splitlines()[1:]) + "\n")
    tree = open_dataset(make_dataset(folder, event_std_seconds=0, gap_seconds=0))
    for split in ("train", "val", "test"):
        seconds = tree.attrs["report"][split]["song_seconds"]
        for column, name in enumerate(tree.attrs["class_names"]):
            if name in seconds:
                in_targets = tree[split]["y"].values[:, column].sum() / RATE
                assert seconds[name] == pytest.approx(in_targets, abs=0.01)


def test_a_recording_that_is_opened_alone_says_what_is_fixed(folder):
    from dss.data import open_recording

    path = folder / "bird_1.wav"
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.warns(DssWarning, match="2 s are missing; the rest was read"):
        open_recording(path)


def test_one_channel_or_the_mean_of_all_makes_mono_of_stereo(folder):
    x, _ = soundfile.read(folder / "bird_1.wav")
    soundfile.write(folder / "bird_1.wav", np.stack([x, x / 2], 1), RATE)
    ((severity, problem),) = said(folder)
    assert severity == "error"
    assert "use one channel of each (--channel 0), or the mean of the channels (--mix)" in problem
    for options, factor in (({"channel": 0}, 1), ({"mix": True}, 0.75)):
        assert said(folder, **options) == []
        found = read_annotated_recording(folder / "bird_1.wav", SourceOptions(**options)).recording
        np.testing.assert_allclose(found.read()[:, 0], factor * x, atol=1e-4)
    with pytest.raises(DssError, match="bird_0.wav: there is no channel 1; it has only channel 0"):
        make_dataset(folder, channel=1)
    with pytest.raises(DssError, match="channel, mix: give only one of these"):
        make_dataset(folder, channel=0, mix=True)
    tree = open_dataset(make_dataset(folder, channel=0))
    assert tree["train"].sizes["channel"] == 1


def test_equal_channels_among_mono_recordings_are_one(folder):
    x, _ = soundfile.read(folder / "bird_1.wav")
    soundfile.write(folder / "bird_1.wav", np.stack([x, x], 1), RATE)
    assert said(folder) == [("fixed", "has 2 identical channels; one is used")]
    tree = open_dataset(make_dataset(folder))
    assert tree["train"].sizes["channel"] == 1
    assert tree.attrs["fixed"][0].endswith("bird_1.wav: has 2 identical channels; one is used")


def test_of_a_recording_of_another_rate_only_the_rate_is_said_and_which_would_suit(folder):
    x, _ = soundfile.read(folder / "bird_1.wav")
    soundfile.write(folder / "bird_1.wav", x, 2 * RATE)  # so that half of it is missing
    ((severity, problem),) = said(folder)
    assert severity == "error"
    assert "the sample rate is 2000 Hz, not 1000 Hz" in problem
    assert "(--samplerate-hz 2000, which keeps the band of the song)" in problem


@pytest.mark.parametrize(
    ("rows", "unit", "expected"),
    [
        (["a,0:00:01.2,0:00:01.7", "a,0:02.5,0:03.25"], "s", [[1.2, 1.7], [2.5, 3.25]]),
        (["a,1200,1700", "a,2500.5,3250"], "ms", [[1.2, 1.7], [2.5005, 3.25]]),
        (["a,1200,1700", "a,2500,3250"], "samples", [[1.2, 1.7], [2.5, 3.25]]),
    ],
)
def test_times_in_other_units_are_read(tmp_path, rows, unit, expected):
    path = write(tmp_path, *rows)
    options = SourceOptions(time_unit=unit, samplerate_hz=500)  # samples are those of the file
    table = read_annotated_recording(path, options).table
    np.testing.assert_allclose(table[["start_seconds", "stop_seconds"]], expected)
    assert said(tmp_path, time_unit=unit) == []


@pytest.mark.parametrize(
    ("rows", "fits"),
    [
        (["a,1200,1700", "a,2500.5,3250"], "milliseconds (--time-unit ms)."),
        (["a,120,170", "a,2500,3250"], "ms) or as samples (--time-unit samples)."),
    ],
)
def test_the_unit_is_proposed_if_times_do_not_fit_as_seconds(tmp_path, rows, fits):
    write(tmp_path, *rows)
    ((severity, problem),) = said(tmp_path)
    assert severity == "error"
    assert (
        "the times reach up to 3250, but the recording ends at 10 s. They would fit as" in problem
    )
    assert problem.endswith(fits)


def test_one_time_that_is_wrong_is_not_another_unit(tmp_path):
    write(tmp_path, "a,1,2", "a,3,4", "a,5,15")
    assert said(tmp_path) == [("error", "stops at 15 s, but the recording ends at 10 s")]


NAMES = ["nan", "NA", "None", "True", "1", "01", "1.0", "NaN", "null", "1e3"]


def test_names_are_text_as_they_are_written(tmp_path):
    path = write(tmp_path, *(f"{name},{i},{i}.5" for i, name in enumerate(NAMES, start=0)))
    assert read_annotated_recording(path, SourceOptions()).table["name"].tolist() == NAMES
    tree = open_dataset(make_dataset(tmp_path, block_seconds=0.5, seed=1))
    assert tree.attrs["class_names"] == ["noise", *sorted(NAMES)]


def test_the_check_shows_how_far_it_is_and_the_first_errors_at_once(folder, capsys, monkeypatch):
    from dss.support import progress

    (folder / "bird_0_annotations.csv").unlink()
    with (folder / "bird_1_annotations.csv").open("a") as file:
        file.write("a,2,1\n")
    shown = []
    with progress.shown_by(lambda *what: shown.append(what)):
        check_annotations(folder)
    assert [one for one in shown if one[1] == 0][:2] == [("reading", 0, 3), ("comparing", 0, 2)]
    monkeypatch.setattr(progress, "_is_watched", lambda: True)
    check_annotations(folder)
    assert "error: " in (err := capsys.readouterr().err)
    assert "bird_0.wav: there are no annotations next to it" in err
    assert "a): stops at 1 s, before it starts at 2 s" in err
