import numpy as np
import pandas as pd
import pytest
import soundfile

from dss.cli import main
from dss.data import convert_annotations, read_annotations, write_annotations
from dss.data.formats import FORMATS, READ_ONLY
from dss.errors import DssError

RATE = 1000
SONG = [("1", 0.25, 0.5), ("2", 1.0, 1.125)]


@pytest.fixture
def folder(tmp_path):
    """Two recordings, annotated in Audacity; the first was corrected in the viewer."""
    song = tmp_path / "song"
    for name in ("a.wav", "day/b.wav"):
        path = song / name
        path.parent.mkdir(exist_ok=True, parents=True)
        soundfile.write(path, np.zeros(2 * RATE), RATE)
        path.with_suffix(".txt").write_text("0.3\t0.5\t1\n1\t1.125\t2\n")
    corrected = pd.DataFrame(SONG, columns=["name", "start_seconds", "stop_seconds"])
    corrected.loc[2] = ["3", np.nan, np.nan]
    write_annotations(corrected, song / "a_annotations.csv")
    return song


def rows(path, format, recording):
    table = read_annotations(path, format, recording)
    return [*table[["name", "start_seconds", "stop_seconds"]].itertuples(index=False, name=None)]


@pytest.mark.parametrize("format", sorted({*FORMATS} - {"csv", *READ_ONLY}))
def test_corrected_annotations_go_into_any_format(folder, tmp_path, format):
    files = convert_annotations(folder, format=format, save_dir=tmp_path / "there")
    first, last = files[0], files[-1]
    assert rows(first, format, folder / "a.wav") == SONG
    assert rows(last, format, folder / "day" / "b.wav")[0] == ("1", 0.3, 0.5)
    assert first == last or last.parent == tmp_path / "there" / "day"
    with pytest.raises(DssError, match=r"exist already.*\(--overwrite\):\n.*there"):
        convert_annotations(folder, format=format, save_dir=tmp_path / "there")
    again = {"save_dir": tmp_path / "there", "overwrite": True, "rename": {"1": "7"}}
    convert_annotations(folder, format=format, **again)
    assert rows(first, format, folder / "a.wav")[0] == ("7", 0.25, 0.5)


def test_marks_of_absence_follow_the_new_name_of_their_song_type(folder, tmp_path):
    (folder / "day" / "b.txt").write_text("0.3\t0.5\ta\n1\t1.5\tnot_a\n2\t2.5\tnot_c\n")
    how = {"format": "csv", "save_dir": tmp_path, "rename": {"a": "b", "not_c": "a"}}
    *_, file = convert_annotations(folder, **how)
    assert read_annotations(file)["name"].tolist() == ["b", "not_b", "a"]


def test_nothing_is_written_if_something_cannot_be(folder, tmp_path, capsys):
    (folder / "day" / "b.txt").write_text("0.3\t0.5\tlong\n")
    there = tmp_path / "there"
    assert main(["convert", str(folder), "--format", "notmat", "--save-dir", str(there)]) == 2
    said = capsys.readouterr().err
    assert "b.wav: Names in .not.mat files have one letter" in said
    assert not there.exists()
    assert main(["convert", str(folder), "--format", "raven", "--save-dir", str(there)]) == 0
    said = capsys.readouterr()
    assert said.out.split() == [
        str(there / "a_annotations.selections.txt"),
        str(there / "day" / "b_annotations.selections.txt"),
    ]
    assert "1 row for song types" in said.err


def test_annotations_that_are_in_such_a_file_already_stay(folder):
    with pytest.raises(DssError, match="has no annotations, or all are in such files already"):
        convert_annotations(folder / "a.wav", format="csv")
    (written,) = convert_annotations(folder, format="csv")
    assert written == folder / "day" / "b_annotations.csv"


def test_recordings_of_one_name_do_not_fit_into_one_file(folder):
    (folder / "day" / "b.wav").rename(folder / "day" / "a.wav")
    (folder / "day" / "b.txt").rename(folder / "day" / "a.txt")
    with pytest.raises(DssError, match=r"Several recordings .* Rename one:\n.*\.mat a\.wav"):
        convert_annotations(folder, format="yarden")


def test_times_in_other_units_are_converted(folder, tmp_path):
    (folder / "a_annotations.csv").unlink()
    (folder / "a.txt").write_text("250\t500\t1\n")
    (folder / "day" / "b.txt").write_text("300\t500\t1\n")
    there = tmp_path / "there"
    first, _ = convert_annotations(folder, format="textgrid", save_dir=there, time_unit="ms")
    assert rows(first, None, None) == [("1", 0.25, 0.5)]


def test_what_a_format_does_not_hold_is_said(folder, tmp_path, capsys):
    table = pd.DataFrame(SONG, columns=["name", "start_seconds", "stop_seconds"])
    table = table.assign(confidence=[0.5, 1], note=["x", "y"], file="b.wav")
    write_annotations(table, folder / "day" / "b_annotations.csv")
    convert_annotations(folder, format="audacity", save_dir=tmp_path / "there")
    assert capsys.readouterr().err.strip() == (
        "left out, as only csv holds them: 1 row for song types that were not found and the "
        "columns confidence, note"
    )
    convert_annotations(folder, save_dir=tmp_path / "there")
    assert capsys.readouterr().err == ""
