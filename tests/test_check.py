import os
import re

import numpy as np
import pandas as pd
import pytest
import soundfile
from conftest import write_recording
from hypothesis import given, settings
from hypothesis import strategies as st

from dss.cli import main
from dss.data import check_annotations, list_recordings, make_dataset, open_dataset
from dss.data.annotated_recordings import AnnotatedRecording
from dss.data.check import find_problems
from dss.data.contents import audio_warnings
from dss.data.problems import format_problems, raise_errors
from dss.data.recordings import array_recording
from dss.errors import DssError

HEADER = "name,start_seconds,stop_seconds"


def write(folder, stem, *rows, seconds=10, samplerate=1000, channels=1):
    """A recording of a constant for each channel, with annotations if there are rows."""
    x = np.full((seconds * samplerate, channels), 0.1) / np.arange(1, channels + 1)
    soundfile.write(folder / f"{stem}.wav", x, samplerate)
    if rows:
        (folder / f"{stem}_annotations.csv").write_text("\n".join([HEADER, *rows]) + "\n")


def problems(folder, **options):
    """[(file name, row, name, problem, severity)]; the row is None if there is none."""
    table = check_annotations(folder, **options)
    return [
        (row[0].rsplit("/", 1)[-1], None if pd.isna(row[1]) else row[1], *row[2:])
        for row in table.itertuples(index=False, name=None)
    ]


def test_a_folder_without_problems_has_an_empty_table(folder):
    table = check_annotations(folder)
    assert table.empty
    assert [*table.columns] == ["file", "row", "name", "problem", "severity"]


@pytest.mark.parametrize(
    ("rows", "row", "name", "problem", "severity"),
    [
        (["a,1,2", "a,3,2.5"], 3, "a", "stops at 2.5 s, before it starts at 3 s", "error"),
        (["a,-1,2"], 2, "a", "starts at -1 s, before the recording", "error"),
        (["a,1,2", "a,9,11"], 3, "a", "stops at 11 s, but the recording ends at 10 s", "error"),
        (["a,1,NaN"], 2, "a", "has a start but no stop; for an event, set stop = start", "error"),
        (["a,1,two"], 2, None, "stop_seconds is 'two'; it should be a number", "error"),
        ([",1,2"], 2, None, "the name is missing; --unnamed", "error"),
        (["a,1,2", "a,3,4", "a,5,5"], 4, "a", "2 of 3 a are segments; use two", "error"),
        (["p,1,1", "p,3,3", "p,5,6"], 4, "p", "start < stop, as a segment, but 2 of 3", "error"),
        (["a,1,2", "a,1.5,3"], 3, "a", "overlaps another (row 2) by 500 ms", "warning"),
        (["a,1,2", "b,1.8,3"], 3, "b", "overlaps a (row 2) by 200 ms", "warning"),
        (["a,1,9", "b,2,3", "c,4,5"], 4, "c", "overlaps a (row 2) by 1 s", "warning"),
        (["a,1,1.0005"], 2, "a", "lasts 0.5 ms", "warning"),
        (
            [*(f"a,{i},{i + 0.8}" for i in range(5)), "a,8,8.05"],
            7,
            "a",
            "lasts 50 ms; the median of a is 800 ms",
            "warning",
        ),
        (
            ["a,1,2", "a,3,4", "A,5,6"],
            4,
            "A",
            "'A' (1 of these) differs from 'a' (2) only in case",
            "warning",
        ),
        (
            ["a b,1,2", "a b,3,4", "ab ,5,6"],
            4,
            "ab ",
            "differs from 'a b' (2) only in case or spaces",
            "warning",
        ),
        (["not_a,1,2", "a,1.5,1.5", "noise,0,10"], 3, "a", "lies in not_a (row 2)", "warning"),
        (["a,1,2", "not_b,3,4"], 3, "not_b", "none, add a row b,NaN,NaN", "warning"),
        (["a,1,2", "a,NaN,1"], 3, "a", "means that it does not occur; but row 2 is one", "warning"),
    ],
)
def test_each_kind_of_problem_is_found_with_its_row(tmp_path, rows, row, name, problem, severity):
    write(tmp_path, "x", *rows)
    listed = problems(tmp_path)
    assert any(
        found[:3] == ("x_annotations.csv", row, name) and problem in found[3] for found in listed
    ), listed
    assert {found[4] for found in listed} == {severity}


@pytest.mark.parametrize(
    "rows",
    [
        ["a,1,2", "a,2,3", "b,3.0005,4"],  # touching, and half a sample apart
        ["sine,1,4", "p,2,2", "p,3,3"],  # events within a segment
        ["a,8,10.0009"],  # rounded: no sample beyond the end
        ["noise,0,10", "a,1,2", "not_a,3,4", "not_b,1,2", "b,5,6"],
    ],
)
def test_what_is_right_is_no_problem(tmp_path, rows):
    write(tmp_path, "x", *rows)
    assert problems(tmp_path) == []


def test_song_types_that_are_named_but_never_found_are_said_once(tmp_path):
    write(tmp_path, "x", "a,NaN,1", "p,NaN,NaN", "not_p,1,2")
    write(tmp_path, "y", "a,1,2", "p,NaN,NaN", "noise,0,10")
    (tmp_path / "y_definitions.csv").write_text("a,segment\np,event\nsine,segment\n")
    said = "was never found: the network cannot learn it. Leave it out."
    listed = [problem for problem in problems(tmp_path) if "never found" in problem[3]]
    assert listed == [
        ("y_definitions.csv", 2, "p", said, "warning"),
        ("y_definitions.csv", 3, "sine", said, "warning"),
    ]
    assert list_recordings(tmp_path)[["p", "sine"]].sum().tolist() == [0, 0]


def test_noise_is_said_to_make_the_rest_of_its_recording_unknown(tmp_path):
    write(tmp_path, "x", "a,1,2", "noise,2,3", "noise,5,6.5")
    write(tmp_path, "y", "a,1,2")
    (found,) = problems(tmp_path)
    assert found[:3] == ("x_annotations.csv", 3, "noise")
    assert "only annotated time is known; the other 6.5 s are unknown" in found[3]


def test_a_name_marks_absence_whichever_file_has_the_song(tmp_path):
    write(tmp_path, "x", "a,1,2", "p,3,3")
    write(tmp_path, "y", "a,1,2", "not_p,1.5,3", "not_a,4,5")
    (found,) = problems(tmp_path)
    assert found[:3] == ("y_annotations.csv", 3, "not_p")
    assert "only annotated time is known; the other 9 s are unknown" in found[3]


@pytest.mark.parametrize("seconds", [4, 400])
def test_clipped_and_silent_channels_are_found_as_in_a_dataset(tmp_path, seconds):
    x = np.clip(np.random.default_rng(0).standard_normal((1000 * seconds, 3)), -2, 2) / 2
    x[:, 1] = 0
    x[:, 2] /= 2
    write_recording(tmp_path / "song", "x", x, 1000, [("a", 1, 2), ("a", 3, 3.5)])
    clipped, silent = problems(tmp_path / "song")
    assert silent[3] == "channel 1 is silent: all samples looked at are 0"
    assert {(file, severity) for file, *_, severity in (clipped, silent)} == {("x.wav", "warning")}
    percent = float(re.match(r"channel 0 is clipped: (.*) % of the samples looked", clipped[3])[1])
    assert percent == pytest.approx(100 * (np.abs(x[:, 0]) == 1).mean(), abs=0.4)


@pytest.mark.parametrize(
    ("kind", "subtype", "said"),
    [
        ("int32", "PCM_32", "reaches only 6.1e-06 of full scale: .* save them as 16-bit integers"),
        ("float32", "FLOAT", "reaches 13,000, but full scale is 1: .* divide them by 32,768"),
        ("int16", "PCM_16", None),
    ],
)
def test_values_of_another_scale_are_said_with_what_to_do(tmp_path, kind, subtype, said):
    noise = np.random.default_rng(0).uniform(-13_000, 13_000, 10_000)
    noise[::1000] = 13_000
    write(tmp_path, "x", "a,1,2", "a,3,4", "a,5,6", "a,7,8")
    soundfile.write(tmp_path / "x.wav", noise.astype(kind), 1000, subtype)
    found = problems(tmp_path)
    assert len(found) == bool(said)
    if said:
        assert re.match(said, found[0][3]), found
        assert found[0][4] == "warning"
    store = make_dataset(tmp_path, store_dir=tmp_path / "s.npy")
    reported = " ".join(audio_warnings(open_dataset(store), "train"))
    assert bool(said) == bool(reported)
    assert re.search(said or "", reported)


def test_audio_that_cannot_be_read_is_a_problem(tmp_path):
    write(tmp_path, "x", "a,1,2")
    np.savez(tmp_path / "y.npz", data=np.full(1000, np.nan), samplerate=1000)
    (tmp_path / "y_annotations.csv").write_text(f"{HEADER}\na,0,1\n")
    said = (
        "sample 0 is not a number (NaN or infinite). Export the recording again, or leave it out."
    )
    assert problems(tmp_path) == [("y.npz", None, None, said, "error")]


def test_all_problems_of_all_files_are_listed_at_once_in_order(tmp_path):
    write(tmp_path, "a", "s,1,2", "s,4,3", "s,1.5,5", "s,20,21")
    write(tmp_path, "b")
    (tmp_path / "c.wav").write_bytes(b"RIFFnonsense" * 9)
    write(tmp_path, "d", "s,1,x", ",2,3")
    write(tmp_path, "e", "s,1,2", channels=2)
    write(tmp_path, "f", "s,1,2", samplerate=500)
    (tmp_path / "f_annotated.csv").write_text("start_seconds,stop_seconds\n3,2\n")
    (tmp_path / "f_definitions.csv").write_text("s,syllable\n")
    write(tmp_path, "g", "s,1,2")
    soundfile.write(tmp_path / "g.flac", np.full(10_000, 0.1), 1000)
    listed = problems(tmp_path)
    assert [(file, row, severity) for file, row, _, _, severity in listed] == [
        ("a_annotations.csv", 3, "error"),
        ("a_annotations.csv", 4, "warning"),
        ("a_annotations.csv", 5, "error"),
        ("b.wav", None, "error"),
        ("c.wav", None, "error"),
        ("d_annotations.csv", 2, "error"),
        ("d_annotations.csv", 3, "error"),
        ("e.wav", None, "error"),
        ("f.wav", None, "error"),
        ("f_annotated.csv", 2, "error"),
        ("f_definitions.csv", 1, "error"),
        ("g.wav", None, "error"),
    ]
    assert "has the same name as g.flac" in listed[-1][3]
    assert not any(file == "f.wav" for file, *_ in problems(tmp_path, samplerate_hz=1000))


def test_rows_that_cannot_be_read_do_not_hide_what_is_wrong_with_the_others(tmp_path):
    write(tmp_path, "x", "a,1,two", "a,3,2", "a,4,5,6,7", "A,9,11", "a,7,8", ",8,9")
    listed = [(row, problem.split()[0]) for _, row, _, problem, _ in problems(tmp_path)]
    first_words = ["stop_seconds", "stops", "has", "stops", "'A'", "the"]
    assert listed == [*zip([2, 3, 4, 5, 5, 7], first_words, strict=True)]


def test_one_channel_is_said_as_one(tmp_path):
    for stem, channels in {"x": 1, "y": 2, "z": 2}.items():
        write(tmp_path, stem, "a,1,2", channels=channels)
    assert problems(tmp_path)[0][3].startswith("has 1 channel, but most of the others have 2; use")


def test_definitions_say_which_names_and_categories_are_right(tmp_path):
    write(tmp_path, "x", "a,1,1", "b,2,3", "noise,5,6", "not_a,7,8")
    (tmp_path / "x_definitions.csv").write_text("a,segment\n")
    assert [(row, name, severity) for _, row, name, _, severity in problems(tmp_path)] == [
        (2, "a", "error"),
        (3, "b", "warning"),
    ]


def test_other_formats_and_loaders_are_checked_too(tmp_path):
    write(tmp_path, "x")
    (tmp_path / "x.txt").write_text("1\t2\ta\n1.5\t3\ta\n")
    ((file, row, *_),) = problems(tmp_path)
    assert (file, row) == ("x.txt", 2)
    assert (
        "no annotations in the format raven" in problems(tmp_path, annotation_format="raven")[0][3]
    )

    def load(path):
        return pd.DataFrame({"name": ["a"], "start_seconds": [11], "stop_seconds": [12]})

    ((file, row, *_),) = problems(tmp_path, annotation_loader=load)
    assert (file, row) == ("x.wav", 1)


def test_a_second_file_of_annotations_is_named_if_it_could_be_read(tmp_path):
    write(tmp_path, "x", "a,1,2")
    (tmp_path / "x_annotations.txt").write_text("1\t2\ta\n")
    (tmp_path / "x.txt").write_text("It rained.")
    (tmp_path / "x.csv").write_text("temperature,humidity\n20,0.5\n")
    (tmp_path / "x2_annotations.txt").write_text("1\t2\ta\n")
    text = "x_annotations.txt also exists but is not read; x_annotations.csv is"
    assert problems(tmp_path) == [("x_annotations.csv", None, None, text, "warning")]
    (tmp_path / "x.txt").unlink()
    assert problems(tmp_path, annotation_format="audacity") == []


@pytest.mark.parametrize(
    ("confirmed", "text"),
    [
        (("True", "True", ""), None),
        (("False", "True", ""), "1 annotation was never confirmed; it counts as correct"),
        (("False", "false", "True"), "2 annotations were never confirmed; they count as correct"),
    ],
)
def test_proposals_that_nobody_confirmed_are_counted(tmp_path, confirmed, text):
    write(tmp_path, "x")
    rows = [f"a,{i},{i + 0.5},{c}" for i, c in enumerate(confirmed)]
    (tmp_path / "x_annotations.csv").write_text("\n".join([f"{HEADER},confirmed", *rows]))
    expected = [("x_annotations.csv", None, None, text, "warning")] if text else []
    assert problems(tmp_path) == expected


ROWS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 95), st.integers(2, 9)), max_size=12
)


@given(rows=ROWS)
@settings(deadline=None, max_examples=40)
def test_there_is_a_row_for_an_overlap_if_and_only_if_two_segments_overlap(tmp_path_factory, rows):
    segments = [(name, start / 10, (start + length) / 10) for name, start, length in rows]
    distinct = [*{(name, start, start + length) for name, start, length in rows}]
    overlap = any(a[1] < b[2] and b[1] < a[2] for i, a in enumerate(distinct) for b in distinct[:i])
    source = tmp_path_factory.getbasetemp() / "x.csv"
    table = pd.DataFrame(segments, columns=HEADER.split(","))
    recording = array_recording(np.zeros(10_400), 1000)
    listed = find_problems([AnnotatedRecording(recording, source, table)], 0)
    assert any(problem.startswith("overlaps") for _, _, _, problem, _ in listed) == overlap


def test_errors_are_raised_together_and_warnings_are_not(tmp_path):
    write(tmp_path, "x", "a,1,2", "a,1.5,3", "a,5,4", "a,8,12")
    table = check_annotations(tmp_path)
    with pytest.raises(DssError) as error:
        raise_errors(table)
    assert len(error.value.problems) == 2
    assert "row 4 (a): stops at 4 s" in str(error.value)
    raise_errors(table[table["severity"] == "warning"])
    assert format_problems(table)[0].endswith("row 3 (a): overlaps another (row 2) by 500 ms")


def test_the_command_lists_problems_and_exits_with_2_if_there_are_errors(tmp_path, capsys):
    write(tmp_path, "x", "a,1,2", "a,1.5,3")
    assert main(["check", str(tmp_path)]) == 0
    out, _ = capsys.readouterr()
    assert "warning: " in out
    assert out.endswith("0 errors, 1 warning\n")
    write(tmp_path, "y")
    assert main(["check", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert f"error: {tmp_path / 'y.wav'}: there are no annotations next to it" in out
    assert "dss: 1 error, 1 warning" in err


def test_a_format_that_there_is_not_is_no_problem_of_the_recordings(tmp_path, capsys):
    write(tmp_path, "x", "a,1,2")
    assert main(["check", str(tmp_path), "--annotation-format", "ravn"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "annotation_format is 'ravn'; it should be one of csv, audacity, raven" in err


def test_a_file_that_may_not_be_read_is_one_problem(tmp_path, monkeypatch):
    for stem in "abc":
        write(tmp_path, stem, "x,1,2")
    (tmp_path / "c_definitions.csv").write_text("x,segment\n")
    opened = open

    def denied(path, *args, **kwargs):
        if str(path).endswith(("a_annotations.csv", "c_definitions.csv")):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *args, **kwargs)

    for module in ("builtins", "io"):
        monkeypatch.setattr(f"{module}.open", denied)
    said = "cannot be read (Permission denied)"
    assert problems(tmp_path) == [
        (name, None, None, said, "error") for name in ("a_annotations.csv", "c_definitions.csv")
    ]


def test_a_name_that_is_not_utf8_is_a_problem(folder):
    for ending in (".wav", "_annotations.csv"):
        new = os.fsencode(folder) + b"/b\xe4r" + ending.encode()
        os.rename(folder / f"bird_1{ending}", new)
    ((name, *_, problem, severity),) = problems(folder)
    assert (name, severity) == (r"b\xe4r.wav", "error")
    assert "not UTF-8" in problem
    with pytest.raises(DssError, match=r"b\\xe4r\.wav: .* rename it"):
        make_dataset(folder)
