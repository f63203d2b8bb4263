import os
import re
from pathlib import Path

import crowsetta
import numpy as np
import pandas as pd
import pytest
import scipy.io
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from dss.data import (
    find_annotations,
    formats,
    read_annotations,
    recording_annotations,
    write_annotations,
)
from dss.data.formats.guessing import guess_format
from dss.errors import DssError

REAL = Path(crowsetta.__file__).parent / "examples"
ENDINGS = {
    "csv": ".csv",
    "audacity": ".txt",
    "raven": ".selections.txt",
    "textgrid": ".TextGrid",
    "svl": ".svl",
    "elan": ".eaf",
    "notmat": ".wav.not.mat",
    "boris": ".tsv",
    "timit": ".phn",
    "generic-seq": ".csv",
    "yarden": ".mat",
    "birdsong-recognition-dataset": ".xml",
}
OF_MANY = ("generic-seq", "yarden", "birdsong-recognition-dataset")


def table(*rows):
    return pd.DataFrame(rows, columns=["name", "start_seconds", "stop_seconds"])


def rows(read):
    return [*read[["name", "start_seconds", "stop_seconds"]].itertuples(index=False, name=None)]


def write(path, text, encoding="utf-8"):
    path.write_text(text, encoding)
    return path


@pytest.mark.parametrize(
    ("file", "format", "n", "first"),
    [
        ("Recording_1_Segment_02.Table.1.selections.txt", "raven", None, ("EATO", 154.387792767)),
        ("405_marron1_June_14_2016_69640887.audacity.txt", "audacity", 61, ("SIL", 0)),
        ("spinetail.txt", "audacity", None, ("SP", 0.101385)),
        ("gy6or6_baseline_230312_0808.138.cbin.not.mat", "notmat", None, ("i", None)),
        ("bl26lb16_190412_0721.20144_annotations.csv", "csv", None, ("e", 23331.875)),
    ],
)
def test_real_files_of_many_programs_are_told_apart_and_read(file, format, n, first):
    assert guess_format(REAL / file) == format
    found = read_annotations(REAL / file)
    assert len(found) == n if n else len(found) > 5
    assert (found["stop_seconds"] > found["start_seconds"]).all()
    assert (found["start_seconds"].diff().dropna() >= 0).mean() > 0.9
    name, start = first
    assert found["name"].iloc[0] == name
    assert start is None or found["start_seconds"].iloc[0] == pytest.approx(start, abs=1e-9)


def test_a_real_file_of_many_recordings_is_read_for_one_of_them():
    assert guess_format(REAL / "bird1.csv") == "generic-seq"
    found = read_annotations(REAL / "bird1.csv", recording="lbr3009_0005_2017_04_27_06_14_46.wav")
    assert rows(found)[0] == ("1", 0.0029761904761904, 0.141504329004329)


def test_raven_tables_of_several_views_have_each_selection_once_and_any_column_of_names(tmp_path):
    head = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tSong\n"
    lines = "1\tWaveform 1\t1\t0.5\t0.75\t100\ttrill\n1\tSpectrogram 1\t1\t0.5\t0.75\t100\ttrill\n"
    path = write(tmp_path / "a.txt", head + lines + "2\tSpectrogram 1\t1\t1\t1\t100\tchip\n")
    with pytest.raises(DssError, match="no column 'Annotation'.*raven:COLUMN"):
        read_annotations(path)
    found = read_annotations(path, "raven:Song")
    assert rows(found) == [("trill", 0.5, 0.75), ("chip", 1, 1)]
    assert found.index.tolist() == [2, 4]
    with pytest.raises(DssError, match="no column 'Sing'"):
        read_annotations(path, "raven:Sing")


def test_a_raven_table_of_several_recordings_is_refused(tmp_path):
    head = "Begin File\tBegin Time (s)\tEnd Time (s)\tAnnotation\n"
    path = write(tmp_path / "a.txt", head + "1.wav\t0\t1\ta\n2.wav\t3\t4\ta\n")
    with pytest.raises(DssError, match=r"annotations of 2 recordings \(1.wav, 2.wav"):
        read_annotations(path)


def test_audacity_labels_keep_points_frequencies_are_skipped_and_commas_are_understood(tmp_path):
    path = write(tmp_path / "a.txt", "0.5\t0.5\tpulse\n\\\t100\t200\n1,25\t2,5\tlong song\n")
    found = read_annotations(path)
    assert rows(found) == [("pulse", 0.5, 0.5), ("long song", 1.25, 2.5)]
    assert found.index.tolist() == [1, 3]
    write(path, "0.5\t0.75\n1\t2\ta\n")
    with pytest.raises(DssError, match=r"a\.txt, row 1: the name is missing"):
        read_annotations(path)
    assert rows(read_annotations(write(tmp_path / "b.txt", ""), "audacity")) == []


GRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 3
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "notes"
        xmin = 0
        xmax = 3
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 1
            text = ""
        intervals [2]:
            xmin = 1
            xmax = 1.25
            text = "the ""a"" note"
        intervals [3]:
            xmin = 1.25
            xmax = 3
            text = ""
    item [2]:
        class = "TextTier"
        name = "clicks"
        xmin = 0
        xmax = 3
        points: size = 1
        points [1]:
            number = 2.5
            mark = "p"
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_of_a_textgrid_the_tier_is_chosen_and_empty_intervals_are_skipped(tmp_path, encoding):
    path = write(tmp_path / "a.TextGrid", GRID, encoding)
    with pytest.raises(DssError, match="2 tiers, notes, clicks. Name the tier.*textgrid:notes"):
        read_annotations(path)
    assert rows(read_annotations(path, "textgrid:notes")) == [('the "a" note', 1, 1.25)]
    both = read_annotations(path, "textgrid:clicks,notes")
    assert rows(both) == [('the "a" note', 1, 1.25), ("p", 2.5, 2.5)]
    with pytest.raises(DssError, match="no tier 'songs', only 'notes', 'clicks'"):
        read_annotations(path, "textgrid:songs")


def test_short_textgrids_with_tiny_numbers_are_read(tmp_path):
    head = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n3\n<exists>\n1\n'
    tier = '"IntervalTier"\n"notes"\n0\n3\n2\n0\n5e-05\n""\n5e-05\n3\n"a 2 b"\n'
    found = read_annotations(write(tmp_path / "a.TextGrid", head + tier))
    assert rows(found) == [("a 2 b", 5e-05, 3)]


def test_a_real_textgrid_names_its_tiers():
    with pytest.raises(DssError, match="Name the tier or tiers to read"):
        read_annotations(REAL / "AVO-maea-basic.TextGrid")
    found = read_annotations(REAL / "AVO-maea-basic.TextGrid", "textgrid:Gloss")
    assert found["name"].tolist()[-1] == "earlier"


def test_csv_of_other_programs_with_other_columns_separators_and_encodings(tmp_path):
    path = write(tmp_path / "a.csv", "onset_s,offset_s,label\n0.5,1,a\n")
    assert rows(read_annotations(path)) == [("a", 0.5, 1)]
    path = write(tmp_path / "b.csv", "name;start_seconds;stop_seconds\nTöne;0,5;1,25\n", "cp1252")
    assert rows(read_annotations(path)) == [("Töne", 0.5, 1.25)]
    path = write(tmp_path / "c.csv", "\ufeffname,start_seconds,stop_seconds\na,0,1\n")
    assert rows(read_annotations(path)) == [("a", 0, 1)]


@pytest.mark.parametrize("first", ["", "b,1,2\n", '"b, loud","1,5",2,\n'])
def test_rows_of_a_csv_with_more_fields_than_the_header_are_named(tmp_path, first):
    head = "name,start_seconds,stop_seconds\n"
    path = write(tmp_path / "a.csv", f"{head}{first}a,1,25,1,30\n")
    row = 2 + (first > "")
    with pytest.raises(DssError, match=rf"a\.csv, row {row}: has 5 fields, but the header 3"):
        read_annotations(path)
    assert len(rows(read_annotations(write(path, head + first)))) == (first > "")


def test_commas_at_the_ends_of_rows_and_old_line_ends_do_no_harm(tmp_path):
    text = "name,start_seconds,stop_seconds\na,0.5,1,, \n\nb,1,2,,\n"
    for end in ("\n", "\r\n", "\r"):
        path = write(tmp_path / "a.csv", text.replace("\n", end))
        assert rows(read_annotations(path)) == [("a", 0.5, 1), ("b", 1, 2)]


def test_names_that_look_like_numbers_are_text_whatever_blanks_the_header_has(tmp_path):
    for head in ("name ,start_seconds,stop_seconds", ' "name " , start_seconds ,stop_seconds '):
        path = write(tmp_path / "a.csv", f"{head}\n01,1,2\n2,3,4\n")
        assert rows(read_annotations(path)) == [("01", 1, 2), ("2", 3, 4)]
    path = write(tmp_path / "a.csv", "onset , offset, label \n1,2,01\n")
    assert rows(read_annotations(path)) == [("01", 1, 2)]


def test_further_columns_of_a_csv_keep_their_types(tmp_path):
    written = table(("a", 0.5, 1.0)).assign(confidence=0.75, confirmed=False)
    write_annotations(written, tmp_path / "a.csv")
    again = read_annotations(tmp_path / "a.csv").reset_index(drop=True)
    pd.testing.assert_frame_equal(again, written)


def test_times_in_samples_need_the_recording(tmp_path):
    soundfile.write(tmp_path / "sa1.wav", np.zeros(60_000), 16_000)
    (tmp_path / "sa1.phn").write_bytes((REAL / "sa1.phn").read_bytes())
    path, found = recording_annotations(tmp_path / "sa1.wav")
    assert path == tmp_path / "sa1.phn"
    assert rows(found)[1] == ("sh", 7812 / 16_000, 9507 / 16_000)


def write_yarden(path, songs):
    """The .mat file of SongAnnotationGUI: onsets and offsets of the songs by file name."""
    elements = np.zeros(len(songs), object)
    for i, found in enumerate(songs.values()):
        elements[i] = {
            "segFileStartTimes": [start for start, _ in found],
            "segFileEndTimes": [stop for _, stop in found],
            "segType": np.arange(len(found)) + 1,
            "fs": 48_000.0,
        }
    scipy.io.savemat(path, {"keys": np.array([*songs], object), "elements": elements})


def test_a_file_for_many_recordings_gives_each_its_own(tmp_path):
    songs = {"1.wav": [(0.5, 0.75), (1, 1.5)], "2.wav": [(0.25, 0.3), (2, 2.5), (3, 4)]}
    write_yarden(tmp_path / "annotation.mat", songs)
    _, found = recording_annotations(tmp_path / "2.wav", "yarden")
    assert rows(found) == [("1", 0.25, 0.3), ("2", 2, 2.5), ("3", 3, 4)]
    with pytest.raises(DssError, match=r"contains annotations of 2 recordings \(1.wav, 2.wav"):
        read_annotations(tmp_path / "annotation.mat", "yarden")
    with pytest.raises(DssError, match=r"contains no annotations of 3\.wav"):
        recording_annotations(tmp_path / "3.wav", "yarden")


def test_a_file_for_many_recordings_is_parsed_once_until_it_changes(tmp_path, monkeypatch):
    path, parsed = tmp_path / "annotation.mat", []
    read = formats.read_yarden
    monkeypatch.setattr(formats, "read_yarden", lambda path: parsed.append(path) or read(path))
    write_yarden(path, {f"{i}.wav": [(i + 0.25, i + 0.5), (i + 1.5, i + 1.75)] for i in range(9)})
    for i in range(9):
        assert (
            recording_annotations(tmp_path / f"{i}.wav", "yarden")[1]["start_seconds"][1]
            == i + 0.25
        )
    assert len(parsed) == 1
    write_yarden(path, {f"{i}.wav": [(7.5, 8.5), (9.5, 10.5), (11.5, 12.5)] for i in range(9)})
    assert recording_annotations(tmp_path / "3.wav", "yarden")[1]["start_seconds"][1] == 7.5


def test_the_birdsong_recognition_dataset_is_read_beside_its_waves(tmp_path):
    (tmp_path / "Annotation.xml").write_bytes((REAL / "Annotation.xml").read_bytes())
    (tmp_path / "Wave").mkdir()
    soundfile.write(tmp_path / "Wave" / "0.wav", np.zeros(320_000), 32_000)
    path, found = recording_annotations(tmp_path / "Wave" / "0.wav", "birdsong-recognition-dataset")
    assert path == tmp_path / "Annotation.xml"
    assert len(found) > 10
    assert (found["start_seconds"] * 32_000 % 1 < 1e-6).all()  # not rounded to milliseconds


LETTERS = st.characters(categories=["L", "N", "P", "Zs"])
NAMES = st.text(LETTERS, min_size=1, max_size=8).map(str.strip)
NAMES = NAMES.filter(bool) | st.sampled_from(["nan", "NA", "None", "01"])
ANNOTATIONS = st.lists(
    st.tuples(NAMES, st.integers(0, 10**7), st.integers(0, 10**6)).map(
        lambda a: (a[0], a[1] / 1e6, (a[1] + a[2] * (a[2] % 3 > 0)) / 1e6)
    ),
    max_size=8,
)


def write_and_read(folder, format, annotations, samplerate):
    """The rows of annotations that are written and read again."""
    recording, path = folder / "any.wav", folder / f"any{ENDINGS[format]}"
    if format in ("timit", "birdsong-recognition-dataset"):
        soundfile.write(recording, [0.0], samplerate)
    more = {"recording": recording} if format in OF_MANY else {}
    path.unlink(missing_ok=True)
    write_annotations(table(*annotations), path, format, 12, samplerate, **more)
    assert annotations == [] or format == "yarden" or guess_format(path) == format
    if annotations == [] and format == "generic-seq":  # there, it has no row
        with pytest.raises(DssError, match="does not list any.wav"):
            read_annotations(path, format, recording)
        return []
    return sorted(rows(read_annotations(path, format, recording)))


def fitting(format, name, number):
    """A name that the format can hold."""
    return {"notmat": name[:1], "yarden": str(number % 1000 - 500)}.get(format, name)


@pytest.mark.parametrize("format", ENDINGS)
@given(annotations=ANNOTATIONS)
@settings(max_examples=30, deadline=None)
def test_what_is_written_is_read_again(tmp_path_factory, format, annotations):
    annotations = [
        (fitting(format, name, round(start * 1e6)), start, stop)
        for name, start, stop in annotations
    ]
    again = write_and_read(tmp_path_factory.getbasetemp(), format, annotations, 10**6)
    ours, theirs = (
        sorted((name, round(a, 6), round(b, 6)) for name, a, b in found)
        for found in (annotations, again)
    )
    assert theirs == ours


@pytest.mark.parametrize("format", ENDINGS)
@given(
    samplerate=st.sampled_from([8000, 22_050, 44_100, 48_000, 96_000, 250_000, 384_000, 500_000]),
    edges=st.lists(st.integers(0, 3_000_000), min_size=2, max_size=12, unique=True).map(sorted),
)
@settings(max_examples=20, deadline=None)
def test_what_is_written_comes_back_at_the_same_samples(
    tmp_path_factory, format, samplerate, edges
):
    pairs = [*zip(edges[::2], edges[1::2], strict=False), (edges[-1] + 1,) * 2]
    written = [("1", start / samplerate, stop / samplerate) for start, stop in pairs]
    again = write_and_read(tmp_path_factory.getbasetemp(), format, written, samplerate)
    assert [(round(a * samplerate), round(b * samplerate)) for _, a, b in again] == pairs


@pytest.mark.parametrize("format", [*ENDINGS][1:])
def test_only_csv_holds_what_was_not_found(tmp_path, format):
    path = tmp_path / f"a{ENDINGS[format]}"
    soundfile.write(tmp_path / "a.wav", [0.0], 1000)
    more = {"recording": tmp_path / "a.wav"} if format in OF_MANY else {}
    written = table(("1", 0, 1), ("7", np.nan, np.nan))
    write_annotations(written, path, format, samplerate_hz=1000, **more)
    assert rows(read_annotations(path, format)) == [("1", 0, 1)]


def test_raven_and_praat_can_read_what_is_written(tmp_path):
    written = table(("a", 0, 1), ("b", 0.5, 2))
    write_annotations(written, tmp_path / "a.txt", "raven")
    boxes = crowsetta.formats.bbox.Raven.from_file(tmp_path / "a.txt").to_bbox()
    assert [(box.label, box.onset, box.offset) for box in boxes] == [("a", 0, 1), ("b", 0.5, 2)]
    written = table(("a", 0, 1), ("b", 0.5, 2), ("p", 1, 1))
    write_annotations(written, tmp_path / "a.TextGrid", "textgrid", duration_seconds=3)
    grid = crowsetta.formats.seq.TextGrid.from_file(tmp_path / "a.TextGrid", keep_empty=True)
    assert grid.tier_names == ["segments", "segments 2", "events"]
    assert grid.xmax == 3
    assert [(i.text, i.xmin, i.xmax) for i in grid["segments"]] == [("a", 0, 1), ("", 1, 3)]


def test_boxes_for_raven_reach_to_the_highest_frequency_of_the_recording(tmp_path):
    for rate, highest in ((250_000, "125000.0"), (None, "20000.0")):
        write_annotations(table(("usv", 0, 1)), tmp_path / "a.txt", "raven", samplerate_hz=rate)
        header, row = (line.split("\t") for line in (tmp_path / "a.txt").read_text().splitlines())
        assert dict(zip(header, row, strict=True))["High Freq (Hz)"] == highest
    soundfile.write(tmp_path / "b.wav", np.zeros(10), 96_000)
    write_annotations(table(("usv", 0, 1)), tmp_path / "b.txt", "raven")  # b.wav lies beside it
    assert "\t48000.0\t" in (tmp_path / "b.txt").read_text()


def test_evsonganaly_can_read_what_is_written(tmp_path):
    write_annotations(table(("b", 1, 2), ("a", 0, 0.5)), tmp_path / "x.not.mat", "notmat", 3, 32000)
    content = scipy.io.loadmat(tmp_path / "x.not.mat")
    assert content["labels"] == ["ab"]
    assert content["onsets"].ravel().tolist() == [0, 1000]
    assert content["offsets"].ravel().tolist() == [500, 2000]
    assert content["Fs"] == 32000
    for name in ("threshold", "min_int", "min_dur", "sm_win"):
        assert content[name] > 0


def test_what_else_a_file_of_evsonganaly_holds_is_kept(tmp_path):
    path = tmp_path / "x.wav.not.mat"
    old = {"threshold": 345.0, "min_int": 7.0, "fname": "x.wav", "note": {"by": "me", "n": [1, 2]}}
    onsets = {"onsets": [[10.0]], "offsets": [[20.0]], "labels": "z", "Fs": 1000.0}
    scipy.io.savemat(path, old | onsets)
    write_annotations(table(("b", 1, 2), ("a", 0, 0.5)), path, "notmat", 3, 32000)
    content = scipy.io.loadmat(path, simplify_cells=True)
    assert [content[name] for name in ("threshold", "min_int", "fname")] == [345, 7, "x.wav"]
    assert content["note"]["by"] == "me"
    assert content["note"]["n"].tolist() == [1, 2]
    assert (content["labels"], content["Fs"], content["sm_win"]) == ("ab", 32000, 2)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(DssError, match=r"x\.wav\.not\.mat: cannot be read"):
        write_annotations(table(("b", 1, 2)), path, "notmat", 3, 32000)
    assert path.stat().st_size == 300


def test_elan_shows_milliseconds_and_what_was_moved_there_counts(tmp_path):
    path = tmp_path / "x.eaf"
    written = [("a", 0.1004, 0.2006), ("b", 0.15, 0.3), ("p", 0.5003, 0.5003)]
    write_annotations(table(*written), path, "elan")
    assert rows(read_annotations(path)) == written
    text = path.read_text()
    assert text.count("<TIER ") == 2  # on a tier of ELAN no two overlap
    values = [int(value) for value in re.findall(r'TIME_VALUE="(\d+)"', text)]
    assert values == [100, 201, 150, 300, 500, 501]
    path.write_text(text.replace('TIME_VALUE="100"', 'TIME_VALUE="90"'))
    assert rows(read_annotations(path)) == [("a", 0.09, 0.201), *written[1:]]
    path.write_text(re.sub("<PROPERTY.*", "", text))
    assert rows(read_annotations(path))[2] == ("p", 0.5, 0.501)


def test_sonic_visualiser_gets_regions_or_instants(tmp_path):
    both, points = [("a", 1, 2), ("p", 3, 3)], [("p", 1, 1)]
    for song, kind, n in ((both, "regions", 2), (points, "timeinstants", 0)):
        write_annotations(table(*song), tmp_path / "x.svl", "svl", samplerate_hz=1000)
        text = (tmp_path / "x.svl").read_text()
        assert f'type="{kind}"' in text
        assert '<point frame="1000" label="' in text
        assert text.count(" duration=") == n
        assert rows(read_annotations(tmp_path / "x.svl")) == [*song]


def test_names_that_a_format_cannot_hold_and_what_else_it_needs(tmp_path):
    with pytest.raises(DssError, match=r"tab or a line break; rename:\n  'a\\tb'"):
        write_annotations(table(("a\tb", 0, 1)), tmp_path / "a.txt", "audacity")
    song = table(("a", 0, 1), ("-3", 1, 2), ("01", 1, 2))
    with pytest.raises(DssError, match="are whole numbers; rename .*:\n  'a'\n  '01'"):
        write_annotations(song, tmp_path / "a.mat", "yarden", recording="x.wav")
    with pytest.raises(DssError, match="yarden files are for many recordings; give recording"):
        write_annotations(table(("3", 0, 1)), tmp_path / "a.mat", "yarden")
    with pytest.raises(DssError, match="have one letter; rename .*:\n  'ab'"):
        write_annotations(table(("ab", 0, 1)), tmp_path / "a.not.mat", "notmat")
    with pytest.raises(DssError, match=r"cannot be in XML; rename:\n  'a\\x00'"):
        write_annotations(table(("a\x00", 0, 1)), tmp_path / "a.eaf", "elan")
    with pytest.raises(DssError, match="svl files hold the sample rate, .*; give samplerate_hz"):
        write_annotations(table(("a", 0, 1)), tmp_path / "a.svl", "svl")
    with pytest.raises(DssError, match=r"is 'ravn'; it should be one of csv, audacity"):
        write_annotations(table(("a", 0, 1)), tmp_path / "a.txt", "ravn")
    assert [*tmp_path.iterdir()] == []


AUDACITY = "0.5\t1\ta\n"
RAVEN = "Selection\tBegin Time (s)\tEnd Time (s)\tAnnotation\n1\t0.5\t1\ta\n"
CSV = "name,start_seconds,stop_seconds\na,0.5,1\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bird.1_annotations.csv", CSV),
        ("bird.1.csv", CSV),
        ("bird.1.txt", AUDACITY),
        ("bird.1.wav.txt", AUDACITY),
        ("bird.1_annotations.txt", AUDACITY),
        ("bird.1.selections.txt", RAVEN),
        ("bird.1.Table.1.selections.txt", RAVEN),
        ("bird.1_annotations.selections.txt", RAVEN),
        ("bird.1.TextGrid", GRID.replace("clicks", "events").replace("notes", "segments")),
    ],
)
def test_annotations_of_any_format_are_found_beside_their_recording(tmp_path, name, text):
    write(tmp_path / name, text)
    for other in ("bird.txt", "bird.10.txt", "bird.1_second.txt", "bird.1_definitions.csv"):
        write(tmp_path / other, AUDACITY)
    path, found = recording_annotations(tmp_path / "bird.1.wav")
    assert path.name == name
    assert len(found) > 0


def test_csv_counts_first_and_what_else_is_there_must_be_named(tmp_path):
    recording = tmp_path / "a.wav"
    with pytest.raises(DssError, match=r"a\.wav: there are no annotations.*a_annotations\.csv"):
        find_annotations(recording)
    write(tmp_path / "a.txt", "Recorded at dawn, it rained.\n")
    with pytest.raises(DssError, match="there are no annotations"):
        find_annotations(recording)
    write(tmp_path / "a.selections.txt", RAVEN)
    assert find_annotations(recording).name == "a.selections.txt"
    write(tmp_path / "a.txt", AUDACITY)
    with pytest.raises(DssError, match=r"several annotation files.*a\.selections\.txt, a\.txt"):
        find_annotations(recording)
    assert find_annotations(recording, "audacity").name == "a.txt"
    write(tmp_path / "a_annotations.csv", CSV)
    assert find_annotations(recording).name == "a_annotations.csv"
    assert find_annotations(recording, "raven:Annotation").name == "a.selections.txt"
    with pytest.raises(DssError, match="no annotations in the format notmat"):
        find_annotations(recording, "notmat")


def test_a_folder_is_listed_once_until_it_changes(tmp_path, monkeypatch):
    listed, listing = [], Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda path: listed.append(path) or listing(path))
    for i in range(3):
        write(tmp_path / f"{i}.txt", "1\t2\ta\n")
    os.utime(tmp_path, (0, 0))
    found = [find_annotations(tmp_path / f"{i}.wav").name for i in range(3)]
    assert found == ["0.txt", "1.txt", "2.txt"]
    assert len(listed) == 1
    write(tmp_path / "3.TXT", "1\t2\ta\n")
    assert find_annotations(tmp_path / "3.wav").name == "3.TXT"


def test_a_file_of_no_known_format_says_what_would_be_right(tmp_path):
    path = write(tmp_path / "a.txt", "Recorded at dawn\n")
    with pytest.raises(DssError, match=r"has an unknown format\. Use a CSV file"):
        read_annotations(path)


@pytest.mark.parametrize("format", ["textgrid", "notmat", "yarden", "boris"])
def test_a_broken_file_is_an_error_that_names_it(tmp_path, format):
    path = write(tmp_path / "a.txt", "nonsense\n")
    with pytest.raises(DssError, match=re.escape(f"{path}: cannot be read as")):
        read_annotations(path, format)


def test_an_annotation_loader_of_ones_own_is_a_plain_function(tmp_path):
    recording = tmp_path / "a.wav"
    given = table((1, "0.5", 1), ("b", 2, 2))
    source, found = recording_annotations(recording, loader=lambda path: given)
    assert source == recording
    assert rows(found) == [("1", 0.5, 1), ("b", 2, 2)]
    assert found.index.tolist() == [1, 2]
    for loader, message in [
        (lambda path: {}["x"], "the annotation loader failed: KeyError"),
        (
            lambda path: [1],
            "the annotation loader returned list; it should return a pandas DataFrame",
        ),
        (lambda path: given[["name"]], "returned name; it should return"),
        (lambda path: table(("a", "x", 1)), "row 1: start_seconds is 'x'"),
    ]:
        with pytest.raises(DssError, match=message):
            recording_annotations(recording, loader=loader)


@pytest.mark.parametrize("format", sorted({*ENDINGS} - {"notmat", "yarden"}))
def test_files_with_the_line_ends_of_windows_are_the_same(tmp_path, format):
    path = tmp_path / f"a{ENDINGS[format]}"
    written = table(("a", 0.25, 0.5), ("long name", 1, 1))
    recording = tmp_path / "a.wav"
    soundfile.write(recording, [0.0], 1000)
    write_annotations(written, path, format, samplerate_hz=1000, recording=recording)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert guess_format(path) == format
    assert rows(read_annotations(path, recording=recording)) == rows(written)
