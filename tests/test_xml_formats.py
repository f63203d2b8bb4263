import re

import numpy as np
import pytest
import soundfile

from dss.data import check_annotations, read_annotations, recording_annotations
from dss.errors import DssError, DssWarning

SVL = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE sonic-visualiser>
<sv><data>
<model id="1" name="" sampleRate="44100" type="sparse" dimensions="{dims}" dataset="0" />
<dataset id="0" dimensions="{dims}">{points}</dataset>
</data><display><layer id="2" type="regions" name="Regions" model="1" /></display></sv>
"""
REGIONS = (
    '<point frame="44100" value="1" duration="22050" label="b &amp; c" />'
    '<point frame="4410" value="1" duration="441" label="01" />'
    '<point frame="0" value="1" duration="441" label="" />'
)
INSTANTS = '<point frame="66150" label="p" />'
EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT FORMAT="3.0" VERSION="3.0">
<HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"/>
<TIME_ORDER>
<TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="100"/><TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="250"/>
<TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="1000"/><TIME_SLOT TIME_SLOT_ID="ts4"{value}/>
</TIME_ORDER>
<TIER TIER_ID="song">{one}{two}</TIER><TIER TIER_ID="calls">{calls}</TIER>
</ANNOTATION_DOCUMENT>
"""
ONE = (
    '<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="{}" TIME_SLOT_REF1="{}" TIME_SLOT_REF2="{}">'
    "<ANNOTATION_VALUE>{}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>"
)


def elan(value=' TIME_VALUE="1500"', calls=""):
    two = ONE.format("a1", "ts1", "ts2", "a") + ONE.format("a2", "ts1", "ts2", "")
    return EAF.format(value=value, one=ONE.format("a3", "ts3", "ts4", "b"), two=two, calls=calls)


def read(folder, name, text):
    """The annotations next to a recording, as rows."""
    soundfile.write(folder / "x.wav", np.zeros(80), 8)
    (folder / name).write_text(text)
    path, table = recording_annotations(folder / "x.wav")
    assert path.name == name
    return [*table[["name", "start_seconds", "stop_seconds"]].itertuples(index=False, name=None)]


def said(folder, **options):
    """The severities of what a check finds."""
    problems = check_annotations(folder, **options)
    return problems["severity"][~problems["file"].str.endswith(".wav")].tolist()


def test_layers_of_sonic_visualiser_are_read(tmp_path):
    rows = read(tmp_path, "x.svl", SVL.format(dims=3, points=REGIONS))
    assert rows == [("01", 0.1, pytest.approx(0.11)), ("b & c", 1, 1.5)]
    assert read(tmp_path, "x.svl", SVL.format(dims=1, points=INSTANTS)) == [("p", 1.5, 1.5)]


def test_tiers_of_elan_are_read_and_one_is_chosen(tmp_path):
    assert read(tmp_path, "x.eaf", elan()) == [("a", 0.1, 0.25), ("b", 1, 1.5)]
    text = elan(calls=ONE.format("a4", "ts2", "ts3", "c"))
    with pytest.raises(DssError, match="2 tiers, song, calls. Name the tier .* elan:song"):
        read(tmp_path, "x.eaf", text)
    assert read_annotations(tmp_path / "x.eaf", "elan:calls")["name"].tolist() == ["c"]
    with pytest.raises(DssError, match="there is no tier 'notes', only 'song', 'calls'"):
        read_annotations(tmp_path / "x.eaf", "elan:notes")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.eaf", elan(value=""), r"a time of a3 \(b\) is None, but should be a number"),
        ("x.eaf", elan(value=' TIME_VALUE="1e999"'), "is '1e999', but should be a number"),
        ("x.eaf", "<sv/>", "cannot be read as an ELAN file"),
        ("x.svl", "not XML", "cannot be read as a layer of Sonic Visualiser"),
        ("x.svl", '<!DOCTYPE sv [<!ENTITY a "aa">]><sv>&a;</sv>', "it defines entities"),
        ("x.svl", SVL.format(dims=1, points='<point label="p" />'), "the frame of point 1"),
        ("x.svl", SVL.format(dims=1, points=INSTANTS).replace("44100", "x"), "the sample rate"),
    ],
)
def test_what_is_damaged_is_named(tmp_path, name, text, message):
    with pytest.raises(DssError, match=message):
        read(tmp_path, name, text)


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("TIME,VALUE,DURATION,LABEL", "1.5,1,0.25,01"),  # Sonic Visualiser
        ("Behavior,Behavior type,Start (s),Stop (s),Duration (s)", "01,STATE,1.5,1.75,0.25"),
        ("Name,Start,Stop", "01,1.5,1.75"),
        ("Selection,Begin Time (s),End Time (s),Annotation", "1,1.5,1.75,01"),  # Raven, as CSV
        ("ID,Label,Begin Time (s),End Time (s)", "1,01,1.5,1.75"),  # DeepSqueak
        ("onset,offset,cluster", "1.5,1.75,01"),  # WhisperSeg
        ("Start (s),End (s),Scientific name,Common name", "1.5,1.75,x,01"),  # BirdNET
        ("INDIR,FOLDER,IN FILE,OFFSET,DURATION,MANUAL ID", "d,f,x.wav,1.5,0.25,01"),  # Kaleidoscope
        ("rowLabel,tmin,text,tmax", ",1.5,01,1.75"),  # a table of Praat
        ("syllable,onset (s),offset (s)", "01,1.5,1.75"),
        ("type,startSeconds,dur", "01,1.5,0.25"),
        ("start,begin,time,stop,end_ms,name", "1.5,7,8,1.75,9,01"),  # the first, and not in ms
    ],
)
def test_columns_of_other_programs_are_known(tmp_path, header, row):
    assert read(tmp_path, "x.csv", f"{header}\n{row}\n") == [("01", 1.5, 1.75)]
    broken = row.replace("1.5", "?")
    with pytest.raises(DssError, match=r"row 2: start_seconds is '\?'"):
        read(tmp_path, "x.csv", f"{header}\n{broken}\n")
    broken = row.replace("0.25", "?").replace("1.75", "?")
    with pytest.raises(DssError, match=r"row 2: stop_seconds is '\?'"):
        read(tmp_path, "x.csv", f"{header}\n{broken}\n")


@pytest.mark.parametrize(
    ("lines", "rows"),
    [
        (["1.5,p", "2.25,01"], [("p", 1.5, 1.5), ("01", 2.25, 2.25)]),
        (["1.5,1,0.25,a", "2,1,0.5,01"], [("a", 1.5, 1.75), ("01", 2, 2.5)]),
        (["1.5,440,0.25,0.8,a"], [("a", 1.5, 1.75)]),
    ],
)
def test_tables_of_sonic_visualiser_may_have_no_header(tmp_path, lines, rows):
    with pytest.warns(DssWarning, match="x.csv: has no header; read as exported by Sonic Visual"):
        assert read(tmp_path, "x.csv", "\n".join(lines)) == rows
    assert said(tmp_path) == ["fixed"]
    broken = "\n".join([*lines, lines[0].replace("1.5", "?")])
    (tmp_path / "x.csv").write_text(broken)
    row = len(lines) + 1
    with pytest.raises(DssError, match=rf"row {row}: start_seconds is '\?'"):
        read(tmp_path, "x.csv", broken)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("label,onset_ms,offset", "offset does not say its unit.* give --time-unit ms"),
        ("species,call_type,onset,offset", "no column name, .* annotation_format csv:COLUMN"),
        ("x.wav,1,annotated,a", "there is no header"),
    ],
)
def test_columns_that_are_unclear_are_named(tmp_path, header, message):
    n = header.count(",") - 2
    text = f"{header}\n{'a,' * (n + 1)}1,2\n"
    soundfile.write(tmp_path / "x.wav", np.zeros(80), 8)
    (tmp_path / "x.csv").write_text(text)
    (problem,) = check_annotations(tmp_path)["problem"]
    assert re.search(message, problem)
    if "--time-unit ms" in message:
        assert said(tmp_path, time_unit="ms") == []
    if "csv:" in message:
        assert said(tmp_path, annotation_format="csv:species") == []


def test_files_that_dss_does_not_know_are_named(tmp_path):
    soundfile.write(tmp_path / "x.wav", np.zeros(80), 8)
    for name in ("x.xls", "x.json"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(DssError, match="x.json is of another format"):
        recording_annotations(tmp_path / "x.wav")
    (tmp_path / "x.json").unlink()
    with pytest.raises(DssError, match="x.xls is a spreadsheet: save it as CSV"):
        recording_annotations(tmp_path / "x.wav")


@pytest.mark.parametrize("name", ["x.BirdNET.results.csv", "x.selections.csv", "x.wav.csv"])
def test_names_of_files_of_other_programs_are_known(tmp_path, name):
    assert read(tmp_path, name, "Begin Time (s),End Time (s),Species\n1,2,a\n") == [("a", 1, 2)]


def test_three_columns_without_a_header_are_not_guessed(tmp_path):
    with pytest.raises(DssError, match=r"x\.csv, row 1: there is no header\. Add a first row"):
        read(tmp_path, "x.csv", "1.5,1.75,a\n")


NEW = "Observation id,Media file,Subject,Behavior,Modifier #1,Behavior type,Time\n"
OLD = "Time\tMedia file path\tTotal length\tFPS\tSubject\tBehavior\tComment\tStatus\n"
ABOVE = "Observation id\tsong\n\nMedia file(s)\n\nPlayer #1\tx.wav\n\n"
EVENTS = [
    ("m", "a", "START", 1.0),
    ("f", "a", "START", 1.25),
    ("m", "p", "POINT", 1.3),
    ("m", "a", "STOP", 1.5),
    ("f", "a", "STOP", 2.5),
]
SONG = [("a", 1.0, 1.5), ("a", 1.25, 2.5), ("p", 1.3, 1.3)]


def boris(name, events):
    """A tabular export of BORIS, as its new or its old versions write it."""
    if name == "x.csv":
        rows = (f"o,x.wav,{who},{what},,{kind},{time}\n" for who, what, kind, time in events)
        return NEW + "".join(rows)
    rows = (f"{time}\tx.wav\t9\t25\t{who}\t{what}\t\t{kind}\n" for who, what, kind, time in events)
    return ABOVE + OLD + "".join(rows)


@pytest.mark.parametrize(("name", "first"), [("x.csv", 2), ("x.tsv", 8)])
def test_starts_and_stops_of_boris_are_segments_and_points_are_events(tmp_path, name, first):
    assert read(tmp_path, name, boris(name, EVENTS)) == SONG
    for without, message in (
        (0, f"row {first + 2}: a has a STOP, but no START before it"),
        (4, f"row {first + 1}: a has no STOP"),
    ):
        events = [event for i, event in enumerate(EVENTS) if i != without]
        with pytest.raises(DssError, match=message):
            read(tmp_path, name, boris(name, events))
        assert said(tmp_path) == ["error"]
        assert said(tmp_path, skip_bad_rows=True) == ["fixed"]
    with pytest.raises(DssError, match="2 media files .* Export each observation separately"):
        read(tmp_path, name, "y.wav".join(boris(name, EVENTS).rsplit("x.wav", 1)))


def test_a_time_of_boris_that_is_no_number_is_named(tmp_path):
    with pytest.raises(DssError, match=r"row 2: start_seconds is '\?'"):
        read(tmp_path, "x.csv", boris("x.csv", [("m", "p", "POINT", "?")]))
