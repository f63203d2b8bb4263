"""Files as programs for bioacoustics write them, and folders as labs have them."""

import json
import os
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
import soundfile

from dss.cli import main
from dss.data import (
    check_annotations,
    convert_annotations,
    list_recordings,
    make_dataset,
    open_dataset,
    read_annotations,
    write_annotations,
)
from dss.data.annotated_recordings import read_annotated_recordings
from dss.errors import DssError
from dss.evaluate import evaluate, read_pairs
from dss.options import EvaluateOptions, SourceOptions

RATE, SECONDS = 8000, 4
SONG = [("a", 0.5, 1.0), ("b", 1.25, 1.5), ("a", 3.0, 3.5)]
HEADER = "name,start_seconds,stop_seconds\n"
CSV = HEADER + "".join(f"{name},{start},{stop}\n" for name, start, stop in SONG)


def sound(path, seconds=SECONDS):
    path.parent.mkdir(parents=True, exist_ok=True)
    x = 0.1 * np.random.default_rng(0).standard_normal(round(RATE * seconds)).clip(-4, 4)
    soundfile.write(path, x, RATE)


def rows(folder, **options):
    """The annotations of r.wav, and everything that is said."""
    inputs, failed, fixed = read_annotated_recordings(folder, SourceOptions(**options))
    assert failed == []
    (found,) = (found for found in inputs if found.recording.path.name == "r.wav")
    table = found.table[["name", "start_seconds", "stop_seconds"]]
    return [*table.itertuples(index=False, name=None)], [what for _, what in fixed]


def lines(header, line):
    """A table with a line per annotation, which may use name, start, stop, length and i."""
    text = f"{header}\n" if header else ""
    for i, (name, start, stop) in enumerate(SONG, start=1):
        about = {"name": name, "start": start, "stop": stop, "length": stop - start, "i": i}
        samples = {"first": round(start * RATE), "last": round(stop * RATE)}
        text += line.format(**about, **samples) + "\n"
    return text


# File, header, line of an annotation, and options, by program.
PROGRAMS = {
    "BORIS, aggregated": (
        "r.csv",
        "Observation id,Time offset (s),Subject,Behavior,Behavior type,Start (s),Stop (s)",
        "x,0,,{name},STATE,{start},{stop}",
        {},
    ),
    "Kaleidoscope without clock times": (
        "cluster.csv",
        "INDIR,FOLDER,IN FILE,CHANNEL,OFFSET,DURATION,TOP1MATCH,MANUAL ID",
        "C:\\rec,,r.wav,0,{start},{length},x{i},{name}",
        {},
    ),
    "SAP": (
        "table.csv",
        "recnum,syllable_duration,syllable_start,mean_pitch,file_name,cluster",
        "{i},{length}e3,{start}e3,900,r.wav,{name}",
        {"time_unit": "ms"},
    ),
    "scikit-maad": ("r.csv", ",fname,label,min_t,max_t", "{i},r,{name},{start},{stop}", {}),
    "warbleR": (
        "selections.csv",
        '"sound.files","selec","start","end","type"',
        '"r.wav",{i},{start},{stop},"{name}"',
        {},
    ),
    "SongExplorer": (
        "annotated.csv",
        "",
        "r.wav,{first},{last},annotated,{name}",
        {"time_unit": "samples"},
    ),
    "BirdNET, labels": ("r.BirdNET.results.txt", "", "{start}\t{stop}\t{name}\t0.87", {}),
    "ELAN, text": (
        "r.txt",
        "Tier\tBegin Time - hh:mm:ss.ms\tBegin Time - ss.msec\tEnd Time - ss.msec\tAnnotation",
        "song\t00:00:09.000\t{start}\t{stop}\t{name}",
        {},
    ),
    "ELAN, a column per tier": (
        "r.txt",
        "\tBegin Time - hh:mm:ss.ms\tEnd Time - hh:mm:ss.ms\tsong",
        "\t00:00:0{start}\t00:00:0{stop}\t{name}",
        {"annotation_format": "csv:song"},
    ),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_files_of_programs_are_read(tmp_path, program):
    name, header, line, options = PROGRAMS[program]
    sound(tmp_path / "r.wav")
    (tmp_path / name).write_text(lines(header, line))
    found, _ = rows(tmp_path, **options)
    assert [row[0] for row in found] == ["a", "b", "a"]
    assert np.allclose([row[1:] for row in found], [row[1:] for row in SONG])


UNNAMED = {
    "Raven": ("r.selections.txt", "View\tBegin Time (s)\tEnd Time (s)", "S 1\t{start}\t{stop}"),
    "Audacity": ("r.txt", "", "{start}\t{stop}\t"),
    "USVSEG": ("r.csv", "#,start,end,maxfreq", "{i},{start},{stop},70"),
    "Kaleidoscope": ("r.csv", "OFFSET,DURATION,IN FILE,MANUAL ID", "{start},{length},r.wav,"),
}


@pytest.mark.parametrize("program", UNNAMED)
def test_annotations_without_names_get_one_if_you_say_so(tmp_path, program):
    name, header, line = UNNAMED[program]
    sound(tmp_path / "r.wav")
    (tmp_path / name).write_text(lines(header, line))
    found, _ = rows(tmp_path, unnamed="call")
    assert found == [("call", start, stop) for _, start, stop in SONG]
    assert list_recordings(tmp_path, unnamed="call").at["all", "call"] == len(SONG)
    problems = check_annotations(tmp_path)["problem"].tolist()
    assert problems == ["the name is missing; --unnamed NAME gives one to all such annotations"] * 3


def test_a_column_of_other_names_is_not_passed_over(tmp_path):
    sound(tmp_path / "r.wav")
    (tmp_path / "r.csv").write_text(lines("start,end,Art", "{start},{stop},{name}"))
    (problem,) = check_annotations(tmp_path, unnamed="call")["problem"]
    assert "there is no column name, only start, end, Art." in problem


def test_two_columns_of_numbers_may_be_starts_and_stops(tmp_path):
    sound(tmp_path / "r.wav")
    (tmp_path / "r.csv").write_text(lines("", "{start},{stop}"))
    (problem,) = check_annotations(tmp_path)["problem"]
    assert problem.startswith("there is no header.")


def two_trees(folder, *files):
    for file in files:
        sound(folder / "audio" / f"{file}.wav")
        labels = folder / "labels" / f"{file}.csv"
        labels.parent.mkdir(parents=True, exist_ok=True)
        labels.write_text(f"{HEADER}{file.replace('/', '')},1,1.5\n")


def test_recordings_of_one_name_do_not_get_the_annotations_of_each_other(tmp_path):
    two_trees(tmp_path, "b1/r0", "b1/r1", "b2/r0", "b2/r1")
    problem = check_annotations(tmp_path)["problem"][0]
    assert problem.endswith("are elsewhere: --annotations-at 'labels/{parent}/{stem}.csv'")
    assert check_annotations(tmp_path, annotations_at="labels/{parent}/{stem}.csv").empty
    wrong = check_annotations(tmp_path, annotations_at="labels/b1/{stem}.csv")
    assert len(wrong) == 2
    assert "finds this file for" in wrong["problem"][0]
    assert "tell them apart by {folder} or {parent}" in wrong["problem"][0]


def test_files_that_cannot_be_read_are_not_proposed(tmp_path):
    sound(tmp_path / "song" / "r.wav")
    (tmp_path / "song" / "r.txt").write_text("my notes")
    (problem,) = check_annotations(tmp_path / "song")["problem"]
    assert "(r.txt is of another format)" in problem


def test_recordings_without_annotations_are_left_out_if_you_say_so(tmp_path, capsys):
    song = tmp_path / "song"
    for i in range(4):
        sound(song / f"r{i}.wav")
        if i != 1:
            (song / f"r{i}_annotations.csv").write_text(CSV)
    assert main(["check", str(song)]) == 2
    assert "r1_annotations.csv (--skip-unannotated leaves out such recordings)" in (
        capsys.readouterr().out
    )
    assert main(["check", str(song), "--skip-unannotated"]) == 0
    assert "1 recording without annotations left out" in capsys.readouterr().out
    assert main(["make-dataset", str(song), "--skip-unannotated"]) == 0
    for path in song.glob("*.csv"):
        path.unlink()
    assert main(["check", str(song), "--skip-unannotated"]) == 2
    assert f"{song}: no recording has annotations" in capsys.readouterr().out


def test_a_table_that_lists_the_recordings_is_proposed_wherever_it_is(tmp_path):
    song = tmp_path / "song"
    for name in "rqx":
        sound(song / "bird" / "day" / f"{name}.wav")
    table = "label,onset,offset,file\n" + "".join(f"a,1,2,{name}.wav\n" for name in "rq")
    (song / "all.csv").write_text(table)
    found, missing = check_annotations(song)["problem"]
    assert found == "annotations of 2 of these 3 recordings are in one file: " + (
        "--annotations-at 'all.csv'"
    )
    assert missing.startswith("there are no annotations next to it")
    (missing,) = check_annotations(song, annotations_at="all.csv")["problem"]
    assert missing == (
        "the column 'file' does not list x.wav; add rows for it (--skip-unannotated leaves out "
        "such recordings)"
    )
    left_out = check_annotations(song, annotations_at="all.csv", skip_unannotated=True)
    assert left_out["severity"].tolist() == ["fixed"]
    assert len(convert_annotations(song, annotations_at="all.csv", format="raven")) == 2
    for path in song.rglob("*.selections.txt"):
        path.unlink()
    (tmp_path / "labels").mkdir()
    (song / "all.csv").rename(tmp_path / "labels" / "all.csv")
    assert check_annotations(song)["problem"][0].endswith("--annotations-at '../labels/all.csv'")
    sound(tmp_path / "labels" / "r.wav")  # the table is of other recordings
    assert "--annotations-at" not in " ".join(check_annotations(song)["problem"])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_what_is_no_file_is_no_table_of_the_recordings(tmp_path):
    sound(tmp_path / "song" / "r.wav")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "gone.csv").symlink_to("nowhere")
    os.mkfifo(tmp_path / "labels" / "pipe.csv")
    (problem,) = check_annotations(tmp_path / "song")["problem"]
    assert problem.startswith("there are no annotations next to it")


def test_a_workbook_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    sound(tmp_path / "song" / "r.wav")
    (tmp_path / "all.xlsx").write_bytes(b"PK")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    (problem,) = check_annotations(tmp_path / "song")["problem"]
    assert "(all.xlsx is a spreadsheet: install openpyxl, or save it as CSV)" in problem


def test_annotations_without_a_recording_are_named(tmp_path):
    sound(tmp_path / "r.wav")
    for name in ("r_annotations.csv", "gone_annotations.csv", "gone.TextGrid", "notes.csv"):
        (tmp_path / name).write_text(CSV)
    (problem,) = check_annotations(tmp_path).itertuples(index=False)
    assert problem.severity == "warning"
    assert problem.problem == (
        "2 annotation files have no recording: gone.TextGrid, gone_annotations.csv"
    )


def test_a_folder_without_recordings_says_what_there_is(tmp_path, capsys):
    (tmp_path / "r.m4a").write_bytes(b"")
    assert main(["check", str(tmp_path)]) == 2
    assert ".cbin), only .m4a; convert recordings to wav" in capsys.readouterr().err
    (tmp_path / "r.m4a").rename(tmp_path / "r.csv")
    assert main(["convert", str(tmp_path)]) == 2
    assert ", only .csv; name the folder of the recordings" in capsys.readouterr().err


def test_a_column_of_ids_is_questioned(tmp_path):
    sound(tmp_path / "r.wav")
    times = np.arange(60) / 20
    text = "".join(f"call {i},{t},{t + 0.04}\n" for i, t in enumerate(times))
    (tmp_path / "r_annotations.csv").write_text(HEADER + text)
    (problem,) = check_annotations(tmp_path)["problem"]
    assert problem.startswith("is one of 60 names, most of which occur less than 5 times: are")


def test_impossible_times_come_with_the_way_on(tmp_path, capsys):
    sound(tmp_path / "r.wav")
    (tmp_path / "r_annotations.csv").write_text(f"{CSV}a,3.8,3.7\n")
    assert main(["check", str(tmp_path)]) == 2
    assert "; --skip-bad-rows leaves out annotations with" in capsys.readouterr().err
    assert main(["make-dataset", str(tmp_path)]) == 2
    assert "(--skip-bad-rows leaves out impossible times)" in capsys.readouterr().err


COLUMNS = [[*column] for column in zip(*SONG, strict=True)]


def _label_studio(key):
    """Two tasks, with names as Label Studio stores them."""
    labels = [{"start": start, "end": stop, "labels": [name]} for name, start, stop in SONG]
    if key == "label":
        return [{"audio": f"/data/upload/1/8f2b1c3d-{n}.wav", key: labels} for n in "qr"]
    results = [{"value": label, "type": "labels"} for label in labels]
    of = [{"audio": f"/data/upload/1/8f2b1c3d-{name}.wav"} for name in "qr"]
    return [{"data": data, "annotations": [{"result": results}]} for data in of]


TIMES = '{"start": [1], "end": [2]}'


def _in_json(content):
    return json.dumps(content).encode()


TEXTS = {
    "WhisperSeg": (
        "r.json",
        _in_json(dict(zip(("cluster", "onset", "offset"), COLUMNS, strict=True)) | {"sr": 8000}),
    ),
    "AVGN": (
        "r.JSON",
        _in_json(
            {
                "wav_loc": "x",
                "indvs": {
                    "bird": {
                        "notes": dict(
                            zip(("labels", "start_times", "end_times"), COLUMNS, strict=True)
                        )
                    }
                },
            }
        ),
    ),
    "rows in JSON": (
        "all.json",
        _in_json(
            [{"file": "r.wav", "label": n, "start": a, "duration": b - a} for n, a, b in SONG]
        ),
    ),
    "Label Studio": ("project.json", _in_json(_label_studio("annotations"))),
    "Label Studio, minimal": ("project.json", _in_json(_label_studio("label"))),
    "RTTM": (
        "r.rttm",
        lines(";; by hand", "SPEAKER r 1 {start} {length} <NA> <NA> {name} <NA> <NA>").encode(),
    ),
    "RTTM of many": (
        "all.rttm",
        lines("SPEAKER q 1 0 9 - - b - -", "SPEAKER r 1 {start} {length} - - {name} - -").encode(),
    ),
    "WebVTT": (
        "r.vtt",
        lines(
            "WEBVTT\n", "{i}\n00:0{start} --> 00:00:0{stop} align:left\n<v>{name}</v>\n"
        ).encode(),
    ),
    "SubRip": (
        "r.srt",
        lines("", "{i}\n00:00:0{start} --> 00:00:0{stop}\n{name}\n").replace(".", ",").encode(),
    ),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_labels_in_other_texts_are_read(tmp_path, kind):
    name, content = TEXTS[kind]
    sound(tmp_path / "r.wav")
    (tmp_path / name).write_bytes(content)
    found, _ = rows(tmp_path)
    assert [row[0] for row in found] == ["a", "b", "a"]
    assert np.allclose([row[1:] for row in found], [row[1:] for row in SONG])
    with pytest.raises(DssError, match="but does not write this format; write CSV"):
        write_annotations(pd.DataFrame(SONG, columns=HEADER.strip().split(",")), tmp_path / name)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("r.json", '{"onset": [1', "cannot be read as JSON"),
        ("r.json", '{"start": ' + "[" * 100_000, "cannot be read as JSON"),
        ("r.json", '{"start": 1}', "contains no table with starts and stops"),
        ("r.json", f'{{"x": {TIMES}, "y": {TIMES}}}', "contains 2 tables"),
        ("r.json", '{"onset": [1, 2], "offset": [2]}', "onset, offset should have the same length"),
        ("r.json", '{"onset": [null], "offset": [2], "label": ["a"]}', "is 'missing'; it should"),
        ("r.json", '{"onset": [{}], "offset": [2], "label": ["a"]}', "is '{}'; it should be a"),
        ("r.rttm", "SPEAKER r 1 0.5 0.5 - - a\nSPEAKER r 1 x 1 - - a\n", "row 2: should have 8"),
        ("r.vtt", "WEBVTT\n\nsoon --> 00:02\na\n", "row 3: start_seconds is 'soon'; it should"),
        ("r.vtt", "WEBVTT\n\n00:01 --> 00:02\n\n", "row 3: the name is missing"),
    ],
)
def test_what_is_wrong_with_labels_is_one_sentence(tmp_path, name, text, sentence):
    sound(tmp_path / "r.wav")
    (tmp_path / name).write_text(text)
    (problem,) = check_annotations(tmp_path).itertuples(index=False)
    row = "" if pd.isna(problem.row) else f"row {problem.row}: "
    assert problem.file == str(tmp_path / name)
    assert sentence in row + problem.problem


def test_json_about_something_else_is_left_alone(tmp_path):
    sound(tmp_path / "r.wav")
    (tmp_path / "r.json").write_text('{"recorder": "x", "gain": 3}')
    (tmp_path / "r_annotations.csv").write_text(CSV)
    assert check_annotations(tmp_path).empty


@pytest.mark.parametrize("name", ["r.xlsx", "calls.xlsx"])
def test_workbooks_are_read(tmp_path, name):
    pytest.importorskip("openpyxl")
    sound(tmp_path / "r.wav")
    table = pd.DataFrame(SONG, columns=["Label", "Start (s)", "End (s)"]).assign(File="r.wav")
    table.to_excel(tmp_path / name, index=False)
    assert rows(tmp_path)[0] == SONG
    assert len(read_annotations(tmp_path / name)) == len(SONG)
    table["Start (s)"] = [0.5, "soon", 3.0]
    table.to_excel(tmp_path / name, index=False)
    (problem,) = check_annotations(tmp_path).itertuples(index=False)
    assert (problem.row, problem.problem) == (3, "start_seconds is 'soon'; it should be a number")
    with pytest.raises(DssError, match="reads workbooks, but does not write"):
        write_annotations(table, tmp_path / name)


def test_damaged_and_huge_workbooks_are_refused(tmp_path, monkeypatch):
    pytest.importorskip("openpyxl")
    sound(tmp_path / "r.wav")
    path = tmp_path / "r.xlsx"
    path.write_bytes(b"PK\3\4 and then nothing")
    with pytest.raises(DssError, match=r"r.xlsx: is damaged or not an Excel workbook"):
        read_annotations(path)
    monkeypatch.setattr("dss.data.spreadsheets.MOST_BYTES", 1000)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(1001))
    with pytest.raises(DssError, match=r"r.xlsx: is too large for a table"):
        read_annotations(path)


def test_a_table_of_thousands_of_columns_is_refused(tmp_path):
    (tmp_path / "x.csv").write_text(",".join(f"c{i}" for i in range(20_000)))
    with pytest.raises(DssError, match=r"x.csv: cannot be read as CSV \(it has 20000 columns\)"):
        read_annotations(tmp_path / "x.csv")


def test_a_recording_of_which_little_is_known_is_divided(tmp_path):
    sound(tmp_path / "song" / "r.wav")
    table = tmp_path / "song" / "r_annotations.csv"
    table.write_text(f"{HEADER}not_a,1,2\na,3,4\n")
    store = make_dataset(tmp_path / "song", val_fraction=0.3)
    assert sum(open_dataset(store)[split].sizes["time"] for split in ("train", "val", "test"))


def test_recordings_are_listed_whatever_the_unit_of_their_annotations(tmp_path):
    sound(tmp_path / "r.wav")
    (tmp_path / "r_annotations.csv").write_text("name,start_ms,stop_ms\na,100,200\n")
    assert list_recordings(tmp_path).at["all", "a"] == 1
    assert check_annotations(tmp_path)["severity"].tolist() == ["fixed"]
    (tmp_path / "r_annotations.csv").write_text("name,start,stop\na,0.1,25000000\n")
    assert list_recordings(tmp_path, time_unit="samples").at["all", "a"] == 1


def one_csv(folder):
    sound(folder / "song" / "r.wav")
    sound(folder / "song" / "day" / "q.wav")
    rows = "".join(f"{n},{a},{b},{f}.wav\n" for f in "rq" for n, a, b in SONG)
    (folder / "song" / "all.csv").write_text(f"label,onset,offset,file\n{rows}")


def samples(folder):
    sound(folder / "song" / "r.wav")
    (folder / "song" / "r.csv").write_text(lines("label,start,stop", "{name},{first},{last}"))


def without_names(folder):
    sound(folder / "song" / "r.wav")
    (folder / "song" / "r.txt").write_text(lines("", "{start}\t{stop}\t"))


def one_without_annotations(folder):
    sound(folder / "song" / "r.wav")
    sound(folder / "song" / "later.wav")
    (folder / "song" / "r.csv").write_text(CSV)


def trees(folder):
    two_trees(folder, "r", "q")
    (folder / "audio").rename(folder / "song")
    for name in "rq":
        (folder / "labels" / f"{name}.csv").write_text(CSV)


# How recordings and annotations lie, the options that check proposes, and the recordings judged.
FOLDERS = {
    "one table for all": (one_csv, {}, ("r", "day/q")),
    "samples": (samples, {"time_unit": "samples"}, ("r",)),
    "no names": (without_names, {"unnamed": "a"}, ("r",)),
    "one without annotations": (one_without_annotations, {}, ("r",)),
    "two trees": (trees, {"annotations_at": "../labels/{stem}.csv"}, ("r", "q")),
}


@pytest.mark.parametrize("layout", FOLDERS)
@pytest.mark.parametrize("inside", [False, True])
def test_scores_find_the_annotations_that_the_check_finds(tmp_path, layout, inside):
    lay_out, options, judged = FOLDERS[layout]
    lay_out(tmp_path)
    folder, found = tmp_path / "song", tmp_path / ("song/annotated" if inside else "annotated")
    names = ["a"] * 3 if "unnamed" in options else [name for name, _, _ in SONG]
    rows = pd.DataFrame(SONG, columns=["name", "start_seconds", "stop_seconds"]).assign(name=names)
    for stem in judged:
        write_annotations(rows, found / f"{stem}_annotations.csv")
    pairs = read_pairs(folder, found, EvaluateOptions(**options))
    assert [len(pair.true) for pair in pairs] == [3] * len(judged)
    scores = evaluate(folder, found, **options)
    assert scores.loc["all", ["true", "f1"]].tolist() == [3 * len(judged), 1]
    switches = [f"--{n.replace('_', '-')}={value}" for n, value in options.items()]
    assert main(["evaluate", str(folder), str(found), *switches]) == 0


def test_scores_tell_where_annotations_are(tmp_path, capsys):
    trees(tmp_path)
    assert main(["evaluate", str(tmp_path / "song"), str(tmp_path / "labels")]) == 2
    assert "are elsewhere: --annotations-at '../labels/{stem}.csv'" in capsys.readouterr().err
    samples(tmp_path / "other")
    (tmp_path / "other" / "song" / "r.csv").write_text("name,start,stop\na,soon,2\n")
    assert main(["evaluate", str(tmp_path / "other" / "song"), str(tmp_path / "labels")]) == 2
    assert "r.csv, row 2: start_seconds is 'soon'" in capsys.readouterr().err
