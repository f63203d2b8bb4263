"""Audio files that end before their header says, or whose header does not say how long they are."""

import re
import struct
import warnings

import numpy as np
import pytest
import soundfile

from dss.cli import main
from dss.data import open_recording
from dss.errors import DssError, DssWarning

RATE, SECONDS = 8000, 4
FORMS = {
    "wav": {},
    "wav, GSM": {"subtype": "GSM610"},
    "wav, ADPCM": {"subtype": "IMA_ADPCM"},
    "flac": {},
    "mp3": {},
    "aiff": {},
    "aifc": {"format": "AIFF", "subtype": "ULAW"},
    "au": {},
    "au, little": {"endian": "LITTLE"},
    "caf": {},
    "caf, ALAC": {"subtype": "ALAC_16"},
    "w64": {},
    "rf64": {},
    "nist": {},
    "nist, ULAW": {"subtype": "ULAW"},
    "voc": {},
}
BLOCKS = {"wav, GSM": 320, "wav, ADPCM": 600}  # samples; the last block is cut itself


def write(folder, form, channels=2, **how):
    """Write a file of noise; returns its path, and its samples as they are read."""
    path = folder / f"a.{form.partition(',')[0]}"
    channels = 1 if {"GSM", "nist", "voc"} & {*re.split(", ?", form)} else channels
    x = 0.1 * np.random.default_rng(0).standard_normal((RATE * SECONDS, channels))
    soundfile.write(path, x, RATE, **{**FORMS.get(form, {}), **how})
    return path, soundfile.read(path, dtype="float32", always_2d=True)[0]


def opened(path):
    """A recording, and the messages about it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        recording = open_recording(path)
    return recording, [str(w.message) for w in caught]


def patch(path, marker, at, content):
    """Overwrite bytes at this distance from a marker."""
    before = bytearray(path.read_bytes())
    place = before.index(marker) + at
    before[place : place + len(content)] = content
    path.write_bytes(before)


@pytest.mark.parametrize("form", FORMS)
def test_what_is_there_of_a_file_that_was_cut_is_read(tmp_path, form):
    path, x = write(tmp_path, form)
    assert opened(path)[1] == []
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    recording, (said,) = opened(path)
    found = recording.read()
    assert 0.4 * len(x) < recording.n_samples == len(found) < 0.62 * len(x)
    whole = len(found) - BLOCKS.get(form, 0)
    np.testing.assert_allclose(found[:whole], x[:whole], atol=1e-7)
    np.testing.assert_array_equal(recording.read(5000, 5010), found[5000:5010])
    np.testing.assert_array_equal(recording.read(whole - 9, whole), found[whole - 9 : whole])
    missing = re.search(r"a\.\w+: ends earlier than its header says: (.+) s are missing", said)[1]
    assert float(missing) == pytest.approx((len(x) - len(found)) / RATE, abs=0.1)


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_an_ogg_file_does_not_say_how_much_is_missing(tmp_path, subtype):
    path, _ = write(tmp_path, "ogg", subtype=subtype)
    assert opened(path)[1] == []
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 7 // 10])
    recording, (said,) = opened(path)
    assert RATE < recording.n_samples == len(recording.read()) < 3.5 * RATE
    assert "a.ogg: does not say how long it is, and may be truncated" in said


EMPTY = {
    "aiff": (b"SSND", 4, struct.pack(">I", 8)),
    "au": (b".snd", 8, bytes(4)),
    "caf": (b"data", 4, bytes(8)),
    "w64": (b"data", 16, struct.pack("<Q", 24)),
    "rf64": (b"ds64", 8, bytes(24)),
}


@pytest.mark.parametrize("form", EMPTY)
def test_a_file_is_read_to_its_end_if_its_header_says_that_it_is_empty(tmp_path, form):
    path, x = write(tmp_path, form)
    patch(path, *EMPTY[form])
    recording, (said,) = opened(path)
    np.testing.assert_array_equal(recording.read(), x)
    np.testing.assert_array_equal(recording.read(400, 403), x[400:403])
    assert f"a.{form}: its header says 0 bytes of audio, but 4 s were found and read" in said


def test_an_empty_file_with_other_parts_holds_no_samples(tmp_path):
    soundfile.write(tmp_path / "a.aiff", np.empty(0), RATE)
    with (tmp_path / "a.aiff").open("ab") as file:
        file.write(b"NAME" + struct.pack(">I", 4) + b"bird")
    with pytest.raises(DssError, match="contains no samples"):
        open_recording(tmp_path / "a.aiff")


def test_a_length_that_is_left_open_is_none_to_speak_of(tmp_path):
    path, x = write(tmp_path, "caf")
    patch(path, b"data", 4, b"\xff" * 8)
    recording, said = opened(path)
    np.testing.assert_array_equal(recording.read(), x)
    assert said == []


def test_a_flac_file_that_does_not_say_its_length_is_read_to_its_end(tmp_path):
    path, x = write(tmp_path, "flac")
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)
    recording, (said,) = opened(path)
    np.testing.assert_array_equal(recording.read(), x)
    assert "a.flac: does not say how long it is, and may be truncated; 4 s were read" in said


@pytest.mark.parametrize("part", [0.2, 0.5, 0.7])
def test_a_flac_file_that_is_damaged_within_is_an_error_and_not_taken_for_shorter(tmp_path, part):
    path, _ = write(tmp_path, "flac")
    content = path.read_bytes()
    at = int(part * len(content))
    path.write_bytes(content[:at] + bytes(6000) + content[at + 6000 :])
    with pytest.raises(DssError, match=r"a\.flac: samples 0 to 32000 cannot be read"):
        open_recording(path).read()


def test_it_is_said_once_and_refused_if_one_is_strict(tmp_path, capsys):
    path, _ = write(tmp_path, "flac", channels=1)
    path.write_bytes(path.read_bytes()[:-20_000])
    (tmp_path / "a_annotations.csv").write_text("name,start_seconds,stop_seconds\na,1,1.5\n")
    assert main(["check", str(tmp_path)]) == 0
    assert capsys.readouterr().out.count("are missing; the rest was read") == 1
    assert main(["check", str(tmp_path), "--strict"]) == 2
    with pytest.warns(DssWarning, match=r"a\.flac: ends earlier than its header says") as caught:
        open_recording(path)
    assert len(caught) == 1
