import numpy as np
import pandas as pd
import pytest
import soundfile

from dss.data import (
    check_annotations,
    make_dataset,
    open_dataset,
    recording_annotations,
    write_annotations,
)
from dss.errors import DssError
from dss.evaluate import evaluate

RATE = 1000


def record(folder, *names, seconds=5):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(seconds * RATE), RATE)


def raven(path, rows, offset=True):
    """A selection table of rows (file, time in all recordings, time in its own, name)."""
    head = ["Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Begin File"]
    lines = ["\t".join([*head, *["File Offset (s)"] * offset, "Annotation"])]
    for i, (file, begin, own, name) in enumerate(rows, start=1):
        values = [i, "Spectrogram 1", 1, begin, begin + 0.25, file, *[own] * offset, name]
        lines.append("\t".join(map(str, values)))
    path.write_text("\n".join(lines) + "\n")


def read(path):
    """The annotations of a recording as rows."""
    return [*recording_annotations(path)[1][COLUMNS].itertuples(index=False, name=None)]


COLUMNS = ["name", "start_seconds", "stop_seconds"]


@pytest.mark.parametrize("place", [".", ".."])
def test_one_selection_table_of_raven_holds_all_recordings(tmp_path, place):
    folder = tmp_path / "song"
    record(folder, "a.wav", "b.WAV", "c.wav")
    rows = [("a.wav", 1, 1, "x"), ("b.WAV", 6, 1, "x"), ("b.WAV", 7.5, 2.5, "y")]
    raven(folder / place / "all.txt", [*rows, ("c.wav", 12, 2, "y")])
    assert read(folder / "a.wav") == [("x", 1, 1.25)]
    assert read(folder / "b.WAV") == [("x", 1, 1.25), ("y", 2.5, 2.75)]
    assert check_annotations(folder).empty
    tree = open_dataset(make_dataset(folder, test_fraction=0))
    assert tree.attrs["class_names"] == ["noise", "x", "y"]


def test_selections_without_their_place_in_the_recording_are_not_guessed(tmp_path):
    record(tmp_path, "a.wav", "b.wav")
    raven(tmp_path / "all.txt", [("a.wav", 1, 1, "x"), ("b.wav", 6, 1, "x")], offset=False)
    with pytest.raises(DssError, match=r"2 recordings, .* Add the measurement 'File Offset \(s\)'"):
        read(tmp_path / "a.wav")


@pytest.mark.parametrize("column", ["filename", "file", "recording", "File"])
@pytest.mark.parametrize("name", ["{}.wav", "{}", "/data/song/{}.wav", r"C:\song\{}.wav", "{}.WAV"])
def test_one_csv_with_a_column_of_files_holds_all_recordings(tmp_path, column, name):
    record(tmp_path, "01.wav", "02.wav")
    rows = [f"{name.format('01')},x,1,1.5", f"{name.format('02')},y,2,2.5"]
    (tmp_path / "all.csv").write_text("\n".join([f"{column},{','.join(COLUMNS)}", *rows]))
    assert read(tmp_path / "01.wav") == [("x", 1, 1.5)]
    assert read(tmp_path / "02.wav") == [("y", 2, 2.5)]


def test_recordings_of_one_name_are_told_apart_by_their_folders(tmp_path):
    record(tmp_path, "day1/1.wav", "day2/1.wav")
    rows = ["/mnt/day2/1.wav,y,2,2.5", "/mnt/day1/1.wav,x,1,1.5"]
    (tmp_path / "all.csv").write_text("\n".join(["file,name,onset,offset", *rows]))
    assert read(tmp_path / "day1" / "1.wav") == [("x", 1, 1.5)]
    assert read(tmp_path / "day2" / "1.wav") == [("y", 2, 2.5)]


def test_a_recording_that_no_table_names_has_no_annotations(tmp_path):
    record(tmp_path, "a.wav", "b.wav")
    (tmp_path / "all.csv").write_text("file,name,onset,offset\na.wav,x,1,1.5\n")
    with pytest.raises(DssError, match=r"b\.wav: there are no annotations next to it"):
        read(tmp_path / "b.wav")


def test_a_row_of_a_shared_table_is_named_as_an_editor_shows_it(tmp_path):
    record(tmp_path, "a.wav", "b.wav")
    rows = ["a.wav,x,1,1.5", "b.wav,x,1,1.5", "b.wav,x,3,2"]
    (tmp_path / "all.csv").write_text("\n".join(["file,name,onset,offset", *rows]))
    table = check_annotations(tmp_path)
    assert table["row"].tolist() == [4]
    raven(tmp_path / "all.txt", [("a.wav", 1, "?", "x")])
    (tmp_path / "all.csv").unlink()
    with pytest.raises(DssError, match=r"all.txt, row 2: start_seconds is 'missing'"):
        read(tmp_path / "a.wav")


def test_a_column_of_files_in_the_table_of_one_recording_does_not_matter(tmp_path):
    record(tmp_path, "a.wav")
    text = "file,name,start_seconds,stop_seconds\nold.wav,x,1,1.5\n"
    (tmp_path / "a_annotations.csv").write_text(text)
    assert read(tmp_path / "a.wav") == [("x", 1, 1.5)]


@pytest.mark.parametrize("column", ["filename", "recording"])
def test_scores_need_a_table_of_many_but_not_their_recordings(tmp_path, column):
    rows = [("day1/r0.wav", "a", 1.0, 1.5), ("day2/r0.wav", "b", 2.0, 2.5), ("s.flac", "a", 1, 2)]
    (tmp_path / "true").mkdir()
    table = pd.DataFrame(rows, columns=[column, "name", "start_seconds", "stop_seconds"])
    table.to_csv(tmp_path / "true" / "all.csv", index=False)
    for file, *annotation in rows:
        target = (tmp_path / "found" / file).with_suffix("")
        own = pd.DataFrame([annotation], columns=table.columns[1:])
        write_annotations(own, target.with_name(f"{target.name}_annotations.csv"))
    scores = evaluate(tmp_path / "true", tmp_path / "found")
    assert scores.loc["all", ["true", "predicted", "f1"]].tolist() == [3, 3, 1]
    (tmp_path / "found" / "s_annotations.csv").unlink()
    with pytest.raises(DssError, match=r"have no counterpart .*\n.*found/s_annotations\.csv"):
        evaluate(tmp_path / "true", tmp_path / "found")


def test_scores_read_a_table_of_many_with_the_options_given(tmp_path):
    (tmp_path / "true").mkdir()
    (tmp_path / "true" / "all.csv").write_text("filename,start,stop\nr.wav,1000,1500\n")
    own = pd.DataFrame([("call", 1, 1.5)], columns=["name", "start_seconds", "stop_seconds"])
    write_annotations(own, tmp_path / "found" / "r_annotations.csv")
    how = {"time_unit": "ms", "unnamed": "call"}
    assert evaluate(tmp_path / "true", tmp_path / "found", **how).loc["call", "f1"] == 1
    with pytest.raises(DssError, match="row 2: the name is missing"):
        evaluate(tmp_path / "true", tmp_path / "found")
