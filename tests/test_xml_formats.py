import numpy as np
import pytest
import soundfile

from dss.data import read_annotations, recording_annotations
from dss.errors import DssError

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
    """The annotations that are read beside a recording, as rows."""
    soundfile.write(folder / "x.wav", np.zeros(80), 8)
    (folder / name).write_text(text)
    path, table = recording_annotations(folder / "x.wav")
    assert path.name == name
    return [*table[["name", "start_seconds", "stop_seconds"]].itertuples(index=False, name=None)]


def test_layers_of_sonic_visualiser_are_read(tmp_path):
    rows = read(tmp_path, "x.svl", SVL.format(dims=3, points=REGIONS))
    assert rows == [("01", 0.1, pytest.approx(0.11)), ("b & c", 1, 1.5)]
    assert read(tmp_path, "x.svl", SVL.format(dims=1, points=INSTANTS)) == [("p", 1.5, 1.5)]


def test_tiers_of_elan_are_read_and_one_is_chosen(tmp_path):
    assert read(tmp_path, "x.eaf", elan()) == [("a", 0.1, 0.25), ("b", 1, 1.5)]
    text = elan(calls=ONE.format("a4", "ts2", "ts3", "c"))
    with pytest.raises(DssError, match="2 tiers, song, calls. Say which .* elan:song"):
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
