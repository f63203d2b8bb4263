from concurrent.futures import ThreadPoolExecutor

import crowsetta
import numpy as np
import pandas as pd
import pytest
import scipy.io
import soundfile

from dss.data import read_annotations, recording_annotations, write_annotations
from dss.errors import DssError

ENDINGS = {"generic-seq": ".csv", "yarden": ".mat", "birdsong-recognition-dataset": ".xml"}
RATE = 1000


def table(*rows):
    return pd.DataFrame(rows, columns=["name", "start_seconds", "stop_seconds"])


def rows(found):
    return [*found[["name", "start_seconds", "stop_seconds"]].itertuples(index=False, name=None)]


def record(folder, n):
    """Recordings 0.wav, 1.wav, ..., each with two annotations."""
    for i in range(n):
        soundfile.write(folder / f"{i}.wav", np.zeros(10 * RATE), RATE)
    return {
        folder / f"{i}.wav": [("1", i + 0.25, i + 0.5), ("2", i + 0.75, i + 1)] for i in range(n)
    }


def write(song, path, recording, format=None):
    write_annotations(table(*song), path, format, 10, RATE, recording)


@pytest.mark.parametrize("format", ENDINGS)
def test_into_a_file_of_many_recordings_only_one_is_written(tmp_path, format):
    songs, path = record(tmp_path, 3), tmp_path / f"all{ENDINGS[format]}"
    for recording, song in songs.items():
        write(song, path, recording, format)
    changed = [*songs][1]
    songs[changed] = [("3", 0.125, 0.25), songs[changed][1]]
    write(songs[changed], path, changed, format)
    for recording, song in songs.items():
        assert rows(recording_annotations(recording, format)[1]) == song
    with pytest.raises(DssError, match=r"of 3 recordings \(0.wav, 1.wav"):
        read_annotations(path, format)
    with pytest.raises(DssError, match="are for many recordings; give recording"):
        write_annotations(table(*song), path, format, samplerate_hz=RATE)
    (tmp_path / "Wave").mkdir()
    for recording in songs:
        recording.rename(tmp_path / "Wave" / recording.name)
    theirs = crowsetta.formats.by_name(format).from_file(path).to_annot()
    assert [each.notated_path.name for each in theirs] == ["0.wav", "1.wav", "2.wav"]
    assert [*theirs[1].seq.labels] == ["3", "2"]
    assert theirs[1].seq.onsets_s.tolist() == [0.125, 1.75]


@pytest.mark.parametrize("format", ENDINGS)
def test_processes_that_write_into_one_file_wait_for_each_other(tmp_path, format):
    songs, path = record(tmp_path, 6), tmp_path / f"all{ENDINGS[format]}"
    with ThreadPoolExecutor(6) as threads:
        done = [threads.submit(write, song, path, r, format) for r, song in songs.items()]
        assert [each.result() for each in done] == [None] * 6
    for recording, song in songs.items():
        assert rows(read_annotations(path, format, recording)) == song


def test_what_else_a_file_of_songannotationgui_holds_is_kept(tmp_path):
    elements, path = np.zeros(2, object), tmp_path / "a.mat"
    for i in range(2):
        elements[i] = {
            "exper": {"birdname": "b", "desiredInSampRate": 48_000.0},
            "segAbsStartTimes": [700_000 + 1 / 86_400, 700_000 + 2 / 86_400],
            "segFileStartTimes": [1.0, 2.0],
            "segFileEndTimes": [1.5, 2.5],
            "segType": np.array([[4.0], [5.0]]),
            "drugstatus": "No Drug",
        }
    keys = np.array(["0.wav", "1.wav"], object)
    scipy.io.savemat(path, {"keys": keys, "elements": elements, "audio": [1.0, 2.0]})
    write([("-6", 3, 3.25)], path, tmp_path / "1.wav", "yarden")
    content = scipy.io.loadmat(path, squeeze_me=True, mat_dtype=True)
    first, second = content["elements"]
    assert content["audio"].tolist() == [1, 2]
    assert first["segType"].item().tolist() == [4, 5]
    assert second["segType"].item() == -6
    assert second["segAbsStartTimes"].item() == pytest.approx(700_000 + 3 / 86_400, abs=1e-9)
    for one in (first, second):
        assert one["exper"].item()["birdname"].item() == "b"
        assert one["drugstatus"].item() == "No Drug"
    scipy.io.savemat(path, {"elements": elements})
    with pytest.raises(
        DssError, match=r"a\.mat: cannot be read .* SongAnnotationGUI \(no 'keys'\)"
    ):
        write([], path, tmp_path / "2.wav", "yarden")


LINES = [
    "recording;sex;name;start_seconds;stop_seconds;note\r\n",
    "b.wav;m;x;0,5;1;first\r\n",
    "# a comment\r\n",
    "ä.wav;f;x;1,5;2;kept\r\n",
    "ä.wav;f;y;2,5;3;gone\r\n",
    "b.wav;m;y;4;5;last",
]


def test_lines_of_other_recordings_and_annotations_stay_byte_for_byte(tmp_path):
    path = tmp_path / "all.csv"
    path.write_bytes("".join(LINES).encode("cp1252"))
    write([("z", 0.25, 0.5), ("x", 1.5, 2)], path, tmp_path / "ä.wav")
    new = "ä.wav;;z;0,250000;0,500000;\r\n"
    wanted = [*LINES[:3], new, LINES[3], f"{LINES[5]}\r\n"]
    assert path.read_bytes().decode("cp1252") == "".join(wanted)
    with pytest.raises(DssError, match=r"of 2 recordings .*Name the recording"):
        write_annotations(table(), path)
    with pytest.raises(DssError, match="its encoding has no '→'; save it as UTF-8"):
        write([("→", 1, 2)], path, tmp_path / "b.wav")
    write([], path, tmp_path / "b.wav")
    assert path.read_bytes().decode("cp1252") == "".join([LINES[0], LINES[2], new, LINES[3]])
    whole = table(("x", 1, 2), ("x", 1, 2)).assign(recording=["b.wav", "c.wav"])
    write_annotations(whole, path)
    assert rows(read_annotations(path, recording="c.wav")) == [("x", 1, 2)]


def test_new_rows_use_the_columns_of_the_program(tmp_path):
    path = tmp_path / "cluster.csv"
    head = "IN FILE,OFFSET,DURATION,MANUAL ID,TIME\n"
    path.write_text(f"{head}a.wav,1.5,0.25,x,12:00\n")
    write([("x", 1.5, 1.75), ("y", 2, 2.5)], path, tmp_path / "a.wav")
    assert path.read_text() == f"{head}a.wav,1.5,0.25,x,12:00\na.wav,2.000000,0.500000,y,\n"


def test_selections_of_raven_keep_their_place_among_the_recordings(tmp_path):
    head = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tBegin File\tFile Offset (s)"
    head += "\tLow Freq (Hz)\tHigh Freq (Hz)\tAnnotation\n"
    first, second = (
        f"{i}\tSpectrogram 1\t1\t{at}\t{at + 0.5}\t{file}.wav\t{own}\t12.5\t90\tx\n"
        for i, at, file, own in ((1, 1, "a", 1), (2, 11, "b", 1))
    )
    path = tmp_path / "all.txt"
    path.write_text(head + first + second)
    write_annotations(table(("x", 1, 1.5), ("y", 2, 2.25)), path, recording=tmp_path / "b.wav")
    lines = path.read_text().splitlines(keepends=True)
    assert lines[:3] == [head, first, second]
    times = "12.000000\t12.250000\tb.wav\t2.000000"
    assert lines[3:] == [
        f"3\tSpectrogram 1\t1\t{times}\t0.0\t20000.0\ty\n"
    ]  # as b.wav is elsewhere
    assert rows(read_annotations(path, recording=tmp_path / "b.wav"))[1] == ("y", 2, 2.25)
    with pytest.raises(DssError, match=r"has no selection in c\.wav yet"):
        write([("x", 1, 2)], path, tmp_path / "c.wav")
    soundfile.write(tmp_path / "b.wav", np.zeros(10), 96_000)
    write_annotations(table(("z", 3, 4)), path, recording=tmp_path / "b.wav")
    assert path.read_text().endswith("\tb.wav\t3.000000\t0.0\t48000.0\tz\n")


@pytest.mark.parametrize("format", ENDINGS)
def test_of_several_files_the_one_that_names_the_recording_is_read(tmp_path, format):
    songs = record(tmp_path, 2)
    for (recording, song), name in zip(songs.items(), "ab", strict=True):
        write(song, tmp_path / f"{name}{ENDINGS[format]}", recording, format)
    for recording, song in songs.items():
        assert rows(recording_annotations(recording, format)[1]) == song
