"""Files that other programs stumbled over, from public bug reports, and how dss reads them.

Each report says where it is, what the file is like, and what is right. The files are made here.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from dss.data import check_annotations
from dss.data.annotated_recordings import read_annotated_recordings
from dss.data.audio.wav import read_header
from dss.options import SourceOptions

RATE, SECONDS = 8000, 4
USUAL = [("a", 1.0, 1.5)]
HEADER = "name,start_seconds,stop_seconds\n"
RAVEN = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)"


@dataclass
class Report:
    """A bug report of another program, the file that it is about, and what is right.

    Attributes:
        source: the page of the report, below https://github.com/.
        what: what the file is like.
        make: makes it in a folder, with the recording x.wav and possibly others.
        rows: the correct annotations of x.wav; None if it has none, as `says` explains.
        n_samples: the length of the recording.
        says: what dss reports: "fixed", "warning" or "error", and a part of the sentence.
        options: the options it needs.
    """

    source: str
    what: str
    make: Callable[[Path], None]
    rows: list | None = None
    n_samples: int = RATE * SECONDS
    says: tuple[str, str] | None = None
    options: tuple[tuple[str, object], ...] = ()


def sound(folder, name="x.wav", seconds=SECONDS, channels=1, **how):
    x = 0.1 * np.random.default_rng(0).standard_normal((round(RATE * seconds), channels))
    soundfile.write(folder / name, x, RATE, **how)
    return folder / name


def beside(name, text, encoding="utf-8"):
    """A recording, and a file of this text beside it."""

    def make(folder):
        sound(folder)
        (folder / name).write_bytes(text.encode(encoding))

    return make


def with_header(data=None, riff=None, cut=0):
    """A recording whose header claims other sizes, with usual annotations."""

    def make(folder):
        path = sound(folder)
        at = read_header(path).start
        content = bytearray(path.read_bytes())
        if data is not None:
            content[at - 4 : at] = struct.pack("<I", data)
        if riff is not None:
            content[4:8] = struct.pack("<I", riff)
        path.write_bytes(content[: len(content) - cut])
        usual(folder)

    return make


def usual(folder, stem="x"):
    (folder / f"{stem}_annotations.csv").write_text(f"{HEADER}a,1,1.5\n")


def zero_chunk(folder):
    path = sound(folder)
    content = path.read_bytes()
    path.write_bytes(content[:12] + b"LIST" + struct.pack("<I", 400) + bytes(400) + content[12:])
    usual(folder)


def other_format(ending, **how):
    def make(folder):
        sound(folder, f"x.{ending}", **how)
        usual(folder)

    return make


def with_apple_double(name):
    """A recording with the hidden file that macOS writes on foreign disks."""

    def make(folder):
        sound(folder, name)
        (folder / f"._{name}").write_bytes(b"\0\5\x16\7" + bytes(4092))
        usual(folder)

    return make


def two_channels(folder):
    sound(folder, "y.wav")
    sound(folder, channels=2)
    for stem in "xy":
        usual(folder, stem)


def many_files(*rows, head="Begin File\tBegin Time (s)\tEnd Time (s)\tFile Offset (s)\tSpecies"):
    def make(folder):
        sound(folder)
        (folder / "all.selections.txt").write_text("\n".join([head, *rows]))

    return make


def textgrid(intervals, mark=""):
    lines = [f'{mark}File type = "ooTextFile"', 'Object class = "TextGrid"', "", "0", "4"]
    lines += ["<exists>", "1", '"IntervalTier"', '"song"', "0", "4", str(len(intervals))]
    return "\n".join(lines + [f'{a}\n{b}\n"{name}"' for name, a, b in intervals])


GRID = textgrid([("", 0, 1), ("a", 1, 1.5), ("", 1.5, 4)])
SVL = (
    '<?xml version="1.0"?><!DOCTYPE sonic-visualiser><sv><data><model id="1" sampleRate="8000" '
    'dataset="0"/><dataset id="0"><point frame="8000" duration="4000" label="a"/></dataset>'
    "</data></sv>"
)
EAF = (
    "<ANNOTATION_DOCUMENT><TIME_ORDER><TIME_SLOT TIME_SLOT_ID='1' TIME_VALUE='1000'/><TIME_SLOT "
    "TIME_SLOT_ID='2' TIME_VALUE='1500'/></TIME_ORDER><TIER TIER_ID='t'><ANNOTATION>"
    "<ALIGNABLE_ANNOTATION TIME_SLOT_REF1='1' TIME_SLOT_REF2='2'><ANNOTATION_VALUE>a"
    "</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER></ANNOTATION_DOCUMENT>"
)

REPORTS = [
    # Headers of wav files
    Report(
        "llfbandit/record/issues/553",
        "a long recording whose header says that it is empty",
        with_header(data=0, riff=36),
        USUAL,
        says=("fixed", "says 0 bytes of audio, but 4 s were found"),
    ),
    Report(
        "google/oboe/issues/2108",
        "a recorder that left the largest size in the header",
        with_header(data=2**31 - 1, riff=2**31 - 1),
        USUAL,
        says=("fixed", "ends earlier than its header says"),
    ),
    Report(
        "afarhan/sbitx/issues/16",
        "a header with a size of -1, in a part that claims 35 bytes",
        with_header(data=2**32 - 1, riff=35),
        USUAL,
    ),
    Report(
        "tinyalsa/tinyalsa/pull/16",
        "a header whose outer size is 0",
        with_header(riff=0),
        USUAL,
    ),
    Report(
        "streamproc/MediaStreamRecorder/issues/97",
        "a header whose outer size is 8 bytes too large",
        with_header(riff=44 + 2 * RATE * SECONDS),
        USUAL,
    ),
    Report(
        "MediaArea/MediaInfoLib/pull/352",
        "a wav that lost its last bytes",
        with_header(cut=2000),
        USUAL,
        n_samples=RATE * SECONDS - 1000,
        says=("fixed", "125 ms are missing"),
    ),
    Report(
        "Helco/zzio/issues/322",
        "a wav that ends within a sample",
        with_header(cut=1),
        USUAL,
        n_samples=RATE * SECONDS - 1,
        says=("fixed", "ends earlier than its header says"),
    ),
    Report(
        "libsndfile/libsndfile/issues/542",
        "a wav with a part of zeros before the audio",
        zero_chunk,
        USUAL,
    ),
    # Other audio
    Report(
        "pytorch/audio/issues/1500",
        "an mp3, longer than what it was made of",
        other_format("mp3"),
        USUAL,
    ),
    Report(
        "libsndfile/libsndfile/issues/1112",
        "an mp3 with a hidden file of macOS beside it, which is taken for its data",
        with_apple_double("x.mp3"),
        USUAL,
    ),
    Report(
        "birdnet-team/BirdNET-Analyzer/pull/635",
        "hidden files of macOS, which are taken for recordings",
        with_apple_double("x.wav"),
        USUAL,
    ),
    Report(
        "DrCoffey/DeepSqueak/issues/77",
        "a recording of two channels among others of one",
        two_channels,
        USUAL,
        options=(("channel", 0),),
    ),
    # Times
    Report(
        "timsainb/vocalization-segmentation/issues/1",
        "an onset 7 ms behind the end of the recording",
        beside("x.csv", f"{HEADER}a,1,1.5\na,4.007,4.07\n"),
        says=("error", "stops at 4.07 s, but the recording ends at 4 s"),
    ),
    Report(
        "QutEcoacoustics/workbench-client/issues/2680",
        "an annotation that ends just behind the recording",
        beside("x.csv", f"{HEADER}a,3.5,4.004\n"),
        [("a", 3.5, 4.0)],
        says=("fixed", "1 annotation reaches up to 4 ms beyond the recording"),
    ),
    Report(
        "QutEcoacoustics/baw-server/issues/817",
        "an annotation that ends behind the recording",
        beside("x.csv", f"{HEADER}a,1,1.5\na,3,4.5\n"),
        says=("error", "stops at 4.5 s, but the recording ends at 4 s"),
    ),
    Report(
        "SpeechColab/GigaSpeech/issues/125",
        "times far behind the end of the recording",
        beside("x.csv", f"{HEADER}a,1,1.5\na,2,2.5\na,4540,4541\n"),
        says=("error", "stops at 4541 s, but the recording ends at 4 s"),
    ),
    Report(
        "pearsonlab/autoencoded-vocal-analysis/issues/12",
        "a program that writes the first segment twice",
        beside("x.csv", f"{HEADER}a,1,1.5\na,1,1.5\n"),
        USUAL,
        says=("fixed", "1 annotation appears twice and counts once (row 3)"),
    ),
    Report(
        "vocalpy/vocalpy/issues/79",
        "a single segment",
        beside("x.csv", "label,onset_s,offset_s\na,1,1.5\n"),
        USUAL,
    ),
    Report(
        "audacity/audacity/pull/819",
        "labels whose times are written as clocks show them",
        beside("x.txt", "00:00:01\t00:00:01.5\ta\n"),
        USUAL,
    ),
    Report(
        "ynop/audiomate/issues/30",
        "labels with decimal commas",
        beside("x.txt", "1,000000\t1,500000\ta\n"),
        USUAL,
    ),
    Report(
        "vocalpy/crowsetta/issues/96",
        "labels with lines of frequencies",
        beside("x.txt", "1.0\t1.5\ta\n\\\t2000.0\t3000.0\n"),
        USUAL,
    ),
    Report(
        "justinsalamon/scaper/issues/23",
        "labels that are separated by blanks",
        beside("x.txt", "1.0 1.5 a\n2.0 2.5 a b\n"),
        [*USUAL, ("a b", 2.0, 2.5)],
    ),
    # Names of columns and files
    Report(
        "vocalpy/vak/issues/516",
        "annotations named after the recording with its ending",
        beside("x.wav.csv", f"{HEADER}a,1,1.5\n"),
        USUAL,
    ),
    Report(
        "orcasound/orcadata/issues/33",
        "one table for all recordings, with durations instead of stops",
        beside("all.csv", "file,start_time_s,duration_s,name\nx.wav,1,0.5,a\ny.wav,1,1,b\n"),
        USUAL,
    ),
    Report(
        "vocalpy/vak/issues/99",
        "a table that names recordings which are not there",
        beside("all.csv", f"filename,{HEADER}gone.wav,a,1,9\nx.wav,a,1,1.5\n"),
        USUAL,
    ),
    Report(
        "OasisLMF/OasisLMF/issues/307",
        "a code that is NA",
        beside("x.csv", f"{HEADER}NA,1,1.5\nnan,2,2.5\n"),
        [("NA", 1.0, 1.5), ("nan", 2.0, 2.5)],
    ),
    # Raven
    Report(
        "kitzeslab/opensoundscape/issues/1135",
        "a selection table without selections and without a column of names",
        beside("x.Table.1.selections.txt", f"{RAVEN}\n"),
        [],
    ),
    Report(
        "kitzeslab/opensoundscape/issues/936",
        "the names are in a column that Raven does not know",
        beside("x.selections.txt", f"{RAVEN}\tSpecies\n1\tW\t1\t1\t1.5\t0\t9\ta\n"),
        USUAL,
    ),
    Report(
        "birdnet-team/BirdNET-Analyzer/pull/188",
        "selections of BirdNET, with the file of each",
        many_files(
            "x.wav\t1.0\t1.5\ta", head="Begin File\tBegin Time (s)\tEnd Time (s)\tCommon Name"
        ),
        USUAL,
    ),
    Report(
        "maRce10/Rraven/issues/3",
        "times that count from the first of many recordings",
        many_files("w.wav\t1.0\t1.5\t1.0\tb", "x.wav\t61.0\t61.5\t1.0\ta"),
        USUAL,
    ),
    # Praat and others
    Report(
        "Legisign/Praat-textgrids/issues/11",
        "UTF-8 with a mark",
        beside("x.TextGrid", textgrid([("a", 1, 1.5)], "\ufeff")),
        USUAL,
    ),
    Report(
        "kylebgorman/textgrid/issues/2",
        "UTF-16 with a mark",
        beside("x.TextGrid", GRID, "utf-16"),
        USUAL,
    ),
    Report(
        "kylerbrown/textgrid/pull/4",
        "UTF-16 without a mark",
        beside("x.TextGrid", GRID, "utf-16-be"),
        USUAL,
    ),
    Report(
        "vocalpy/crowsetta/issues/241",
        "a short TextGrid with empty intervals",
        beside("x.TextGrid", GRID),
        USUAL,
    ),
    Report(
        "vocalpy/crowsetta/issues/206", "a layer of Sonic Visualiser", beside("x.svl", SVL), USUAL
    ),
    Report("vocalpy/crowsetta/issues/196", "a file of ELAN", beside("x.eaf", EAF), USUAL),
]


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.source)
def test_what_others_stumbled_over_is_read_or_explained(tmp_path, report):
    report.make(tmp_path)
    options = dict(report.options)
    problems = check_annotations(tmp_path, **options)
    said = [*zip(problems["severity"], problems["problem"], strict=True)]
    if report.says is None:
        assert said == []
    else:
        ((severity, sentence),) = said
        assert severity == report.says[0]
        assert report.says[1] in sentence
    inputs, _, _ = read_annotated_recordings(tmp_path, SourceOptions(**options))
    (found,) = [one for one in inputs if one.recording.path.stem == "x"]
    assert found.recording.n_samples == len(found.recording.read()) == report.n_samples
    if report.rows is not None:
        table = found.table[["name", "start_seconds", "stop_seconds"]]
        assert [*table.itertuples(index=False, name=None)] == report.rows


def test_each_report_is_a_page_of_its_own():
    sources = [report.source for report in REPORTS]
    assert len(REPORTS) >= 30
    assert len(sources) == len({*sources})
    assert all(len(report.what.split()) > 1 for report in REPORTS)
