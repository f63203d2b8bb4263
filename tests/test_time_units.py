"""Times in the units that the columns of a table say, read and written back."""

import json

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from dss.cli import main
from dss.data import (
    check_annotations,
    convert_annotations,
    make_dataset,
    open_dataset,
    read_annotations,
    write_annotations,
)
from dss.data.annotated_recordings import read_annotated_recording
from dss.data.column_names import COLUMNS, unit_of
from dss.errors import DssError, DssWarning
from dss.evaluate import evaluate
from dss.options import SourceOptions
from dss.review.edits import Edits, edited_of
from dss.review.table_edits import annotate
from dss.review.views import open_views

RATE = 2000
SONG = [("x", 1.5, 1.75), ("y", 2.0, 2.5)]
PER_SECOND = {"s": 1, "ms": 1000, "samples": RATE}
FOLDERS = pytest.mark.filterwarnings("ignore:.*times are read in::")


def sound(path, seconds=4):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, RATE * seconds), RATE)
    return path


def song_in(start="s", stop="s", duration=False, line="{name},{start},{stop}"):
    """The rows of a table with times in these units."""
    rows = []
    for name, first, last in SONG:
        second = (last - first if duration else last) * PER_SECOND[stop]
        rows.append(
            line.format(name=name, start=f"{first * PER_SECOND[start]:g}", stop=f"{second:g}")
        )
    return "\n".join(rows) + "\n"


def rows(table):
    times = table[["start_seconds", "stop_seconds"]].to_numpy(float).round(9)
    return [(name, *time) for name, time in zip(table["name"], times.tolist(), strict=True)]


def said(folder, **options):
    table = check_annotations(folder, **options)
    return [*table[table["file"] == str(folder)][["severity", "problem"]].itertuples(False, None)]


@FOLDERS
@pytest.mark.parametrize(
    ("columns", "units"),
    [
        ("onset_ms,offset_ms", ("ms", "ms")),
        ("start (ms),stop (ms)", ("ms", "ms")),
        ("Begin Time (ms),End Time (ms)", ("ms", "ms")),
        ("Start_in_ms,End_in_ms", ("ms", "ms")),
        ("onset_samples,offset_samples", ("samples", "samples")),
        ("start_sample,end_sample", ("samples", "samples")),
        ("start_frame,end_frame", ("samples", "samples")),
        ("onset_ms,offset_s", ("ms", "s")),
        ("onset_s,offset_samples", ("s", "samples")),
        ("start_ms,duration_ms", ("ms", "ms")),
        ("start_sample,duration (s)", ("samples", "s")),
        ("onset_s,duration_msec", ("s", "ms")),
    ],
)
def test_columns_that_say_their_unit_are_read_in_it(tmp_path, columns, units):
    recording = sound(tmp_path / "r.wav")
    is_length = "duration" in columns
    (tmp_path / "r.csv").write_text(f"label,{columns}\n{song_in(*units, is_length)}")
    table = read_annotated_recording(
        recording, SourceOptions(samplerate_hz=1000)
    ).table  # samples of the file
    assert rows(table) == SONG
    assert rows(read_annotations(tmp_path / "r.csv")) == SONG
    (view,) = open_views(tmp_path)
    assert rows(view.annotations) == SONG
    ((severity, problem),) = said(tmp_path)
    names = [name for name in columns.split(",") if unit_of(name) != "s"]
    assert severity == "fixed"
    assert problem.startswith("times are read in")
    assert f"column{'s' * (len(names) > 1)} {' and '.join(names)} say" in problem
    assert ("frames count as samples" in problem) == ("frame" in columns)
    if units[0] == units[1]:
        assert said(tmp_path, time_unit=units[0]) == []
        assert main(["check", str(tmp_path), "--strict", "--time-unit", units[0]]) == 0
    assert main(["check", str(tmp_path), "--strict"]) == 2


def test_it_is_said_once_for_all_files_of_a_folder(tmp_path):
    for i in range(3):
        sound(tmp_path / f"{i}.wav")
        (tmp_path / f"{i}.csv").write_text("label,onset_ms,offset_ms\n" + song_in("ms", "ms"))
    what = "times are read in milliseconds, as the columns onset_ms and offset_ms say"
    assert said(tmp_path) == [("fixed", what)]
    tree = open_dataset(make_dataset(tmp_path, block_seconds=0.5, seed=1))
    assert tree.attrs["fixed"] == [f"{tmp_path}: {what}"]


@pytest.mark.parametrize(
    ("columns", "unit", "message"),
    [
        ("onset_ms,offset", "auto", "onset_ms says that it holds milliseconds, but offset does"),
        ("start_ms,duration", "auto", "duration does not say .* to duration_ms or duration_s"),
        ("start_sample,end", "auto", "holds samples, but end does not"),
        ("onset_ms,offset_ms", "samples", "onset_ms and offset_ms say that times are in millis"),
        ("onset_samples,offset_samples", "s", "are in samples, but you say that they are in sec"),
    ],
)
def test_units_that_are_unclear_or_contradict_are_errors(tmp_path, columns, unit, message):
    recording = sound(tmp_path / "r.wav")
    (tmp_path / "r.csv").write_text(f"label,{columns}\n{song_in('ms', 'ms')}")
    with pytest.raises(DssError, match=f"r.csv: .*{message}"):
        read_annotated_recording(recording, SourceOptions(time_unit=unit))


def test_the_unit_that_you_give_counts_for_columns_that_do_not_say_theirs(tmp_path):
    recording = sound(tmp_path / "r.wav")
    milliseconds = SourceOptions(time_unit="ms")
    for columns in ("onset_ms,offset", "start,stop", "start_seconds,stop_seconds"):
        (tmp_path / "r.csv").write_text(f"label,{columns}\n{song_in('ms', 'ms')}")
        assert rows(read_annotated_recording(recording, milliseconds).table) == SONG
        assert said(tmp_path, time_unit="ms") == []
    (tmp_path / "r.csv").write_text(f"label,onset_s,offset_s\n{song_in('ms', 'ms')}")
    ((_, problem),) = said(tmp_path, time_unit="ms")
    assert (
        "onset_s and offset_s say that times are in seconds, but they are read in milli" in problem
    )


def test_formats_that_define_their_unit_are_read_in_it(tmp_path):
    recording = sound(tmp_path / "r.wav")
    for format in ("textgrid", "svl", "elan", "notmat", "boris", "timit"):
        found = convert(tmp_path, format)
        options = SourceOptions(time_unit="ms", annotation_format=format)
        assert sorted(rows(read_annotated_recording(recording, options).table)) == SONG
        found.unlink()


def convert(folder, format):
    file = folder / "r_annotations.csv"
    file.write_text(f"name,start_seconds,stop_seconds\n{song_in()}")
    (found,) = convert_annotations(folder, format=format)
    file.unlink()
    return found


def test_late_samples_are_not_late_times(tmp_path):
    soundfile.write(tmp_path / "r.flac", np.zeros(20_000_000, np.int16), 250_000)
    file = tmp_path / "r.csv"
    file.write_text("name,start,stop\na,15000000,16000000\n")
    options = {"time_unit": "samples"}
    table = read_annotated_recording(tmp_path / "r.flac", SourceOptions(**options)).table
    assert rows(table) == [("a", 60, 64)]
    with pytest.raises(DssError, match="longer than any recording; --time-unit samples, if"):
        read_annotations(file)
    file.write_text("name,start,stop\na,25000000000000,26000000000000\n")
    with pytest.raises(DssError, match=r"start_seconds is 1e\+08 s, longer than any"):
        read_annotated_recording(tmp_path / "r.flac", SourceOptions(**options))


@FOLDERS
@pytest.mark.parametrize("columns", ["start,stop", "start_ms,stop_ms"])
def test_clock_times_are_clock_times_in_any_unit(tmp_path, columns):
    recording = sound(tmp_path / "r.wav")
    (tmp_path / "r.csv").write_text(f'name,{columns}\nx,0:01.5,1750\ny,0:00:02,"2500,0"\n')
    assert rows(read_annotated_recording(recording, SourceOptions(time_unit="ms")).table) == SONG


@FOLDERS
def test_what_is_no_number_is_named_with_its_row(tmp_path):
    sound(tmp_path / "r.wav")
    (tmp_path / "r.csv").write_text("name,start_ms,duration_ms\nx,1500,soon\ny,?,500\nz,1,2\n")
    with pytest.raises(DssError) as caught:
        read_annotations(tmp_path / "r.csv")
    assert "row 2: stop_seconds is 'soon'" in str(caught.value)
    assert "row 3: start_seconds is '?'" in str(caught.value)
    (tmp_path / "r.csv").write_text("name,start_sample,stop_sample\nx,NaN,NaN\ny,4000,5000\n")
    table = read_annotations(tmp_path / "r.csv")
    assert rows(table.iloc[1:]) == SONG[1:]
    assert table["start_seconds"].isna().tolist() == [True, False]


@FOLDERS
@pytest.mark.parametrize("unit", ["ms", "samples"])
def test_json_is_read_in_the_unit_of_its_keys(tmp_path, unit):
    recording, n = sound(tmp_path / "r.wav"), PER_SECOND[unit]
    table = [
        {"label": a, f"onset_{unit}": b * n, f"duration ({unit})": (c - b) * n} for a, b, c in SONG
    ]
    (tmp_path / "r.json").write_text(json.dumps(table))
    assert rows(read_annotated_recording(recording, SourceOptions()).table) == SONG
    labels = [{"label": name, "onset": start * n, "offset": stop * n} for name, start, stop in SONG]
    (tmp_path / "r.json").write_text(json.dumps({"labels": labels}))
    assert rows(read_annotated_recording(recording, SourceOptions(time_unit=unit)).table) == SONG


@FOLDERS
def test_annotated_stretches_may_be_in_milliseconds(tmp_path):
    sound(tmp_path / "r.wav")
    (tmp_path / "r.csv").write_text(f"label,onset_ms,offset_ms\n{song_in('ms', 'ms')}")
    (tmp_path / "r_annotated.csv").write_text("start_ms,stop_ms\n1000,3000\n")
    (view,) = open_views(tmp_path)
    assert view.unknown.tolist() == [[0, 1], [3, 4]]


@FOLDERS
def test_scores_are_those_of_the_same_annotations_in_seconds(tmp_path):
    sound(tmp_path / "song" / "r.wav")
    sound(tmp_path / "found" / "r.wav")
    (tmp_path / "song" / "r.csv").write_text(f"name,start_ms,stop_ms\n{song_in('ms', 'ms')}")
    found = song_in("samples", "samples", line="{name},0,{start},{stop}")
    text = f"name,first_sample,onset_samples,offset_samples\n{found}"
    (tmp_path / "found" / "r.csv").write_text(text)
    scores = evaluate(tmp_path / "song", tmp_path / "found")
    assert scores.loc["all", "f1"] == 1


@FOLDERS
def test_samples_are_scored_without_recordings_if_you_give_their_rate(tmp_path):
    song, found = tmp_path / "song", tmp_path / "found"
    write_annotations(pd.DataFrame(SONG, columns=COLUMNS), found / "r_annotations.csv")
    song.mkdir()
    text = song_in("samples", "samples", line="r.wav,{name},{start},{stop}")
    (song / "all.csv").write_text(f"file,name,start_sample,stop_sample\n{text}")
    with pytest.raises(DssError, match=r"but r\.wav is not there.*\(--samplerate-hz\), or put the"):
        evaluate(song, found)
    assert evaluate(song, found, samplerate_hz=RATE).loc["all", "f1"] == 1
    (song / "all.csv").write_text(f"file,name,onset,offset\n{text}")
    with pytest.warns(DssWarning, match=r"most true annotations start after 3500 s.*--time-unit"):
        assert evaluate(song, found).loc["all", "f1"] == 0
    (song / "r.csv").write_text(f"file,name,onset,offset\n{text}")
    with pytest.warns(DssWarning, match="most predictions start after 3500 s.*name their columns"):
        evaluate(found, song)


# Written back.


@FOLDERS
@pytest.mark.parametrize(
    ("columns", "units", "new"),
    [
        ("start_ms,stop_ms", ("ms", "ms"), "a.wav,z,3000.000000,3250.500000"),
        ("start_ms,stop_s", ("ms", "s"), "a.wav,z,3000.000000,3.250500"),
        ("start_sample,stop_sample", ("samples", "samples"), "a.wav,z,6000,6501"),
        ("start_ms,duration_ms", ("ms", "ms"), "a.wav,z,3000.000000,250.500000"),
        ("start_sample,duration_s", ("samples", "s"), "a.wav,z,6000,0.250500"),
    ],
)
def test_new_rows_of_a_table_of_many_are_in_the_unit_of_its_columns(tmp_path, columns, units, new):
    recording, path = sound(tmp_path / "a.wav"), tmp_path / "all.csv"
    text = f"file,name,{columns}\n" + song_in(
        *units, "dur" in columns, "a.wav,{name},{start},{stop}"
    )
    path.write_text(f"{text}b.wav,x,1,2\n")
    table = read_annotations(path, recording=recording)[["name", "start_seconds", "stop_seconds"]]
    assert rows(table) == SONG
    table.loc[99] = ["z", 3, 3.2505]
    write_annotations(table, path, samplerate_hz=RATE, recording=recording)
    assert path.read_text() == f"{text}{new}\nb.wav,x,1,2\n"
    assert rows(read_annotations(path, recording=recording)) == [*SONG, ("z", 3, 3.2505)]


@FOLDERS
@pytest.mark.parametrize("unit", PER_SECOND)
def test_a_table_of_many_without_units_is_written_in_the_unit_that_you_give(tmp_path, unit):
    recording, path = sound(tmp_path / "a.wav"), tmp_path / "all.csv"
    text = "file,name,start,stop\n" + song_in(unit, unit, line="a.wav,{name},{start},{stop}")
    path.write_text(text)
    table = read_annotations(path, recording=recording, time_unit=unit).drop(columns="file")
    assert rows(table) == SONG
    write_annotations(table.iloc[:1], path, recording=recording, time_unit=unit)
    write_annotations(table, path, recording=recording, time_unit=unit)
    assert rows(read_annotations(path, recording=recording, time_unit=unit)) == SONG


@FOLDERS
@pytest.mark.parametrize("unit", ["ms", "samples"])
@pytest.mark.parametrize("columns", ["onset_{},offset_{}", "onset_{},duration_{}"])
def test_corrections_go_back_into_the_columns_of_their_file(tmp_path, unit, columns):
    sound(tmp_path / "r.wav")
    file = tmp_path / "r_annotations.csv"
    header = f"name,{columns.format(unit, unit)},who\n"
    file.write_text(header + song_in(unit, unit, "dur" in columns, "{name},{start},{stop},me"))
    for options in ({}, {"time_unit": unit}, {"samplerate_hz": 500}):
        (view,) = open_views(tmp_path, **options)
        assert rows(view.annotations) == SONG
        correct(view, 1, "y", 2.0005, 2.25)
        assert file.read_text().startswith(header)
        assert rows(read_annotations(file)) == [SONG[0], ("y", 2.0005, 2.25)]
        correct(open_views(tmp_path, **options)[0], 1, "y", 2, 2.5)
    assert rows(read_annotations(file)) == SONG
    assert (read_annotations(file)["who"] == "me").all()


@FOLDERS
@pytest.mark.parametrize("unit", ["ms", "samples"])
def test_corrections_of_files_in_another_unit_say_it_in_a_file_of_their_own(tmp_path, unit):
    sound(tmp_path / "r.wav")
    (tmp_path / "r.csv").write_text(f"label,start,stop\n{song_in(unit, unit)}")
    (view,) = open_views(tmp_path, time_unit=unit)
    correct(view, 1, "y", 2, 2.25)
    file = tmp_path / "r_annotations.csv"
    assert file.read_text().startswith(f"name,start_{unit},stop_{unit}\n")
    for options in ({}, {"time_unit": unit}):
        (again,) = open_views(tmp_path, **options)
        assert rows(again.annotations) == [SONG[0], ("y", 2, 2.25)]


def correct(view, row, *what):
    edits, before = Edits(), edited_of(view, view.annotations.reset_index(drop=True))
    table, _ = annotate(before.annotations, *what, row=row)
    edits.put(view.recording.path, before._replace(annotations=table), before)
    edits.save()


@FOLDERS
@pytest.mark.parametrize("columns", ["start_samples,stop_samples", "start_ms,duration_ms"])
@settings(max_examples=25, deadline=None)
@given(data=st.data(), rate=st.sampled_from([8000, 22050, 44100, 384_000]))
def test_every_sample_comes_back(tmp_path_factory, columns, data, rate):
    edges = data.draw(st.lists(st.integers(0, 10**8), min_size=2, max_size=8, unique=True))
    edges = sorted(edges)[: len(edges) // 2 * 2]
    times = np.array(edges).reshape(-1, 2) / rate
    file = tmp_path_factory.mktemp("song") / "r_annotations.csv"
    file.write_text(f"name,{columns}\n")
    table = read_annotations(file, samplerate_hz=rate).astype(object)
    table["name"], table[["start_seconds", "stop_seconds"]] = ["a"] * len(times), times
    write_annotations(table, file, samplerate_hz=rate)
    found = read_annotations(file, samplerate_hz=rate)[["start_seconds", "stop_seconds"]]
    assert (found.to_numpy(float) * rate).round().astype(int).ravel().tolist() == edges


def test_segments_shorter_than_a_sample_stay_segments(tmp_path):
    file = tmp_path / "r_annotations.csv"
    file.write_text("name,start_sample,stop_sample\n")
    with pytest.warns(DssWarning, match="times are read in samples"):
        table = read_annotations(file, samplerate_hz=1000)
    table = table.assign(name=["a", "p"], start_seconds=[0.5, 0.6], stop_seconds=[0.5001, 0.6])
    write_annotations(table, file, samplerate_hz=1000)
    assert file.read_text() == "name,start_sample,stop_sample\na,500,501\np,600,600\n"


def test_annotations_without_names_are_corrected_in_their_file(tmp_path):
    sound(tmp_path / "r.wav")
    file = tmp_path / "r_annotations.csv"
    file.write_text("start_seconds,stop_seconds\n0.5,1\n2,3\n")
    (view,) = open_views(tmp_path, unnamed="call")
    correct(view, 0, "song", 0.5, 1)
    assert rows(read_annotations(file)) == [("song", 0.5, 1), ("call", 2, 3)]
