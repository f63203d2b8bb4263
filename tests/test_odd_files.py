"""Slightly odd files, as labs have them: dss reads them without a word, or says why not."""

import struct

import numpy as np
import pytest
import soundfile

from dss.data import check_annotations, read_annotations, write_annotations
from dss.data.annotated_recordings import read_annotated_recordings
from dss.errors import DssError
from dss.options import SourceOptions

RATE, SECONDS = 8000, 4
HEADER = "name,start_seconds,stop_seconds\n"
SONG = [("a", 0.5, 1.0), ("b", 1.25, 1.5)]
CSV = f"{HEADER}a,0.5,1\nb,1.25,1.5\n"
RAVEN = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 123\n"
POINTS = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 4
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "TextTier"
        name = "clicks"
        xmin = 0
        xmax = 4
        points: size = 2
        points [1]:
            number = 0.5
            mark = "p"
        points [2]:
            time = 2.25
            mark = "q"
"""


def sound(path, loud=1.0, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    x = 0.1 * np.random.default_rng(0).standard_normal(RATE * SECONDS).clip(-4, 4)
    soundfile.write(path, loud * x, RATE, **how)
    return path


def rows(folder, **options):
    """The annotations of the only recording."""
    (found,), failed, _ = read_annotated_recordings(folder, SourceOptions(**options))
    assert failed == []
    assert found.recording.n_samples == len(found.recording.read()) == RATE * SECONDS
    table = found.table[["name", "start_seconds", "stop_seconds"]]
    return [*table.itertuples(index=False, name=None)]


def said(folder, **options):
    """(severity, problem) of everything that a check finds."""
    table = check_annotations(folder, **options)
    return [*zip(table["severity"], table["problem"], strict=True)]


TABLES = {
    "a mark, and the line ends of Windows": ("x.csv", "\ufeff" + CSV.replace("\n", "\r\n"), SONG),
    "semicolons and decimal commas": (
        "x.csv",
        CSV.replace(",", ";").replace(".", ","),
        SONG,
    ),
    "tabs": ("x.csv", CSV.replace(",", "\t"), SONG),
    "tabs in a tsv": ("x.tsv", CSV.replace(",", "\t"), SONG),
    "tabs in a txt": ("x.txt", "label\tonset\toffset\na\t0.5\t1\nb\t1.25\t1.5\n", SONG),
    "comments": ("x.csv", f"# by Anna, in May\n\n{CSV}# the end\n", SONG),
    "a separator that is said": ("x.csv", "sep=;\n" + CSV.replace(",", ";"), SONG),
    "an index": (
        "x.csv",
        ",name,start_seconds,stop_seconds\n0,a,0.5,1\n1,b,1.25,1.5\n",
        SONG,
    ),
    "an index that is called #": (
        "x.csv",
        "#,name,start_seconds,stop_seconds\n1,a,0.5,1\n2,b,1.25,1.5\n",
        SONG,
    ),
    "vak's simple-seq": ("x.wav.csv", "onset_s,offset_s,label\n0.5,1,a\n1.25,1.5,b\n", SONG),
    "another order and case": ("x.csv", "Stop_Seconds, Start_Seconds ,NAME\n1,0.5,a\n", SONG[:1]),
    "durations": ("x.csv", "label,onset,duration\na,0.5,0.5\n", SONG[:1]),
    "points": ("x.csv", f"{HEADER}p,0.5,0.5\n", [("p", 0.5, 0.5)]),
    "points of Audacity, with frequencies and decimal commas": (
        "x.txt",
        "0,500000\t0,500000\tp\n\\\t100,000000\t200,000000\n",
        [("p", 0.5, 0.5)],
    ),
    "points of Praat": ("x.TextGrid", POINTS, [("p", 0.5, 0.5), ("q", 2.25, 2.25)]),
    "a tier of Praat that is absent": (
        "x.TextGrid",
        POINTS.partition("tiers?")[0] + "tiers? <absent>\n",
        [],
    ),
    "a header alone": ("x_annotations.csv", HEADER, []),
    "a header of Raven alone": ("x.Table.1.selections.txt", f"{RAVEN}\n", []),
    "all selections twice, in two views": (
        "x.selections.txt",
        f"{RAVEN}\tAnnotation\n" + "".join(f"1\t{v}\t1\t0.5\t1\t0\t9\ta\n" for v in ("W", "S")),
        SONG[:1],
    ),
}


@pytest.mark.parametrize("table", TABLES)
def test_odd_tables_are_read_without_a_word(tmp_path, table):
    name, text, expected = TABLES[table]
    sound(tmp_path / "x.wav")
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    assert said(tmp_path) == []
    assert rows(tmp_path) == expected


def chunk(name, content):
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def with_chunks(before=b"", behind=b"", in_front=b"", at_end=b""):
    """A wav file with other chunks before and after its samples, and bytes around everything."""

    def make(folder):
        path = sound(folder / "x.wav")
        content = path.read_bytes()
        content = content[:12] + before + content[12:] + behind
        content = content[:4] + struct.pack("<I", len(content) - 8) + content[8:]
        path.write_bytes(in_front + content + at_end)

    return make


def with_size(data):
    """A wav file whose header states another size."""

    def make(folder):
        path = sound(folder / "x.wav")
        content = bytearray(path.read_bytes())
        content[40:44] = struct.pack("<I", data)
        content[4:8] = struct.pack("<I", min(data + 36, 2**32 - 1))
        path.write_bytes(content)

    return make


def of_link(folder):
    sound(folder / "elsewhere" / "x.wav")
    (folder / "song").mkdir()
    (folder / "song" / "day").symlink_to(folder / "elsewhere")


def with_hidden(folder):
    sound(folder / "x.wav")
    (folder / "._x.wav").write_bytes(b"\0\5\x16\7" + bytes(4092))
    (folder / "._x.csv").write_bytes(b"\0\5\x16\7" + bytes(4092))


RECORDINGS = {
    **{
        kind: lambda folder, kind=kind: sound(folder / "x.wav", subtype=kind)
        for kind in ("PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")
    },
    "WAVE_EXTENSIBLE": lambda folder: sound(folder / "x.wav", format="WAVEX"),
    "RF64": lambda folder: sound(folder / "x.wav", format="RF64"),
    "an unknown size": with_size(2**32 - 1),
    "louder than full scale": lambda folder: sound(folder / "x.wav", loud=9, subtype="FLOAT"),
    "a broadcast wav": with_chunks(before=chunk(b"bext", bytes(603))),
    "chunks of id3 and of a recorder": with_chunks(
        behind=chunk(b"id3 ", b"ID3\3\0\0\0\0\0\x0bTIT2" + bytes(11)) + chunk(b"iXML", b"<a/>")
    ),
    "a tag glued to its end": with_chunks(at_end=b"TAG" + bytes(125)),
    "a tag glued to its start": with_chunks(in_front=b"ID3\3\0\0\0\0\0\x0a" + bytes(10)),
    "hidden files of macOS": with_hidden,
    "a linked folder": of_link,
    "an ending in capitals": lambda folder: sound(folder / "x.WAV"),
    **{
        f"the name {name!r}": lambda folder, name=name: sound(folder / f"{name}.wav")
        for name in ("tö ne", "\U0001f426", "a\nb", "50%s {stem} %(x)d", "a,b;c", "-rf", "[x]*?")
    },
}


@pytest.mark.parametrize("recording", RECORDINGS)
def test_odd_recordings_are_read_without_a_word(tmp_path, recording):
    RECORDINGS[recording](tmp_path)
    (path,) = (p for p in tmp_path.rglob("*") if p.suffix in (".wav", ".WAV") and p.name[0] != ".")
    path.with_name(f"{path.stem}_annotations.csv").write_text(CSV)
    folder = tmp_path / "song" if (tmp_path / "song").exists() else tmp_path
    assert said(folder) == []
    assert rows(folder) == SONG


def appended(folder):
    sound(folder / "x.wav")
    (folder / "x.csv").write_text(CSV + f"{HEADER}c,2,2.5\n")


def with_file(name, content):
    def make(folder):
        sound(folder / "x.wav")
        (folder / name).write_bytes(content)

    return make


def unfetched(folder):
    with_file("x.csv", CSV.encode())(folder)
    (folder / "x.wav").write_bytes(POINTER)


def nowhere(folder):
    with_file("x.csv", CSV.encode())(folder)
    (folder / "y.wav").symlink_to("annex/y.wav")


def two_cases(folder):
    for name in ("x", "X"):
        sound(folder / f"{name}.wav")
        (folder / f"{name}_annotations.csv").write_text(CSV)


@pytest.mark.parametrize(
    ("make", "severity", "sentence"),
    [
        (appended, "fixed", "repeats its header (row 4), as if files were appended; these rows"),
        (
            with_file("x_annotations.csv", b""),
            "error",
            "is empty (0 bytes). If the recording has no song, write only the header, ",
        ),
        (
            with_file("x.csv", b"\xef\xbb\xbf\n"),
            "error",
            "contains no header. The columns should be",
        ),
        (with_file("x.txt", b""), "error", "no annotations next to it (x.txt is empty); add x_ann"),
        (with_file("x.txt", b"my notes"), "error", "next to it (x.txt is of another format); add"),
        (with_file("x.csv", POINTER), "error", "is a Git LFS pointer, not the file itself. Fetch"),
        (with_file("x.csv", b"PK\3\4" + bytes(99)), "error", "is a zip file or a spreadsheet. Unp"),
        (unfetched, "error", "is a Git LFS pointer, not the file itself. Fetch it: git lfs pull"),
        (nowhere, "error", "is a link to annex/y.wav, which does not exist. Fetch that file, or"),
        (two_cases, "warning", "X.wav only in case: on Windows and macOS, these are the same"),
    ],
)
def test_what_else_is_odd_is_one_sentence(tmp_path, make, severity, sentence):
    make(tmp_path)
    (found,) = [one for one in said(tmp_path) if sentence in one[1]]
    assert found[0] == severity


def test_rows_below_comments_are_named_as_an_editor_shows_them(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(f"# one\n# two\n{HEADER}a,0.5,1\n# three\nb,?,1\nc,1,2,3\n")
    with pytest.raises(DssError, match=r"row 6: start_seconds is '\?'") as error:
        read_annotations(path)
    assert "row 7: has 4 fields, but the header 3" in str(error.value)
    path.write_text("# one\nname,from,stop_seconds\n")
    with pytest.raises(DssError, match="row 2: there is no column start_seconds, only name, from"):
        read_annotations(path)


@pytest.mark.parametrize(
    ("name", "there", "is_kept"),
    [
        ("x.TextGrid", None, False),
        ("x.selections.txt", None, False),
        ("x.txt", None, False),
        ("x.eaf", None, False),
        ("x.txt", f"{RAVEN}\tAnnotation\n1\tS\t1\t0.5\t1\t0\t9\ta\n", True),
        ("x.csv", HEADER, True),
    ],
)
def test_annotations_go_back_into_the_format_that_they_came_from(tmp_path, name, there, is_kept):
    path = tmp_path / name
    if there:
        path.write_text(there)
    table = read_annotations(path) if there else None
    written = table if table is not None and len(table) else song_table()
    write_annotations(written, path)
    again = read_annotations(path)
    columns = ["name", "start_seconds", "stop_seconds"]
    assert again[columns].to_numpy().tolist() == written[columns].to_numpy().tolist()
    starts = {"x.TextGrid": "File type", "x.selections.txt": "Selection\t", "x.eaf": "<?xml"}
    first = "Selection\t" if there and "View" in there else starts.get(name, "")
    assert path.read_text().startswith(first)
    if name == "x.txt" and not there:
        assert path.read_text().startswith("0.5")


def song_table():
    import pandas as pd

    return pd.DataFrame(SONG, columns=["name", "start_seconds", "stop_seconds"])
