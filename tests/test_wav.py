import struct
import time
import warnings

import numpy as np
import pytest
import soundfile

from dss.data import open_recording
from dss.data.audio.wav import read_header
from dss.errors import DssError, DssWarning

SUBTYPES = ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAW", "ULAW"]


def write(folder, subtype="PCM_16", format="WAV", n=1000):
    """Write a wav file with two channels; returns its samples as they are read."""
    x = np.random.default_rng(0).uniform(-0.9, 0.9, (n, 2))
    soundfile.write(folder / "a.wav", x, 500, subtype=subtype, format=format)
    return folder / "a.wav", soundfile.read(folder / "a.wav", dtype="float32")[0]


def claim(path, n_bytes):
    """Make the header of a wav file claim this many bytes of samples."""
    content, at = bytearray(path.read_bytes()), read_header(path).start - 4
    content[at : at + 4] = struct.pack("<I", n_bytes)
    content[4:8] = struct.pack("<I", (n_bytes + at) % 2**32)
    path.write_bytes(content)


def read(path):
    """All samples of a recording, and the messages about it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        x = open_recording(path).read()
    return x, " ".join(str(w.message) for w in caught)


@pytest.mark.parametrize("subtype", SUBTYPES)
@pytest.mark.parametrize("format", ["WAV", "WAVEX"])
def test_samples_are_read_to_the_end_if_the_header_says_that_there_are_none(
    tmp_path, subtype, format
):
    path, x = write(tmp_path, subtype, format)
    claim(path, 0)
    found, said = read(path)
    np.testing.assert_array_equal(found, x)
    assert "a.wav: its header says 0 bytes of audio, but 2 s were found" in said
    np.testing.assert_array_equal(open_recording(path).read(400, 403), x[400:403])


@pytest.mark.parametrize("more", [1600, 10**9])
def test_a_recording_that_ends_early_is_as_long_as_what_is_there(tmp_path, more):
    path, x = write(tmp_path)
    claim(path, x.size * 2 + more)
    found, said = read(path)
    np.testing.assert_array_equal(found, x)
    assert "a.wav: ends earlier than its header says: " in said
    assert ("800 ms are missing" in said) == (more == 1600)


def test_a_file_that_was_cut_within_a_sample_is_read_to_the_last_whole_one(tmp_path):
    path, x = write(tmp_path)
    path.write_bytes(path.read_bytes()[:-301])
    np.testing.assert_array_equal(read(path)[0], x[:-76])


@pytest.mark.parametrize("chunk", [b"LIST\x05\0\0\0abcde", b"junk\x05\0\0\0abcde\0", b"\0\0\0"])
def test_what_is_behind_the_samples_is_no_audio_and_not_worth_a_word(tmp_path, chunk):
    path, x = write(tmp_path)
    path.write_bytes(path.read_bytes() + chunk)
    found, said = read(path)
    np.testing.assert_array_equal(found, x)
    assert not said


def test_a_size_that_wrapped_at_4_gb_is_unwrapped(tmp_path):
    path, x = write(tmp_path)
    start = read_header(path).start
    n_bytes = 2**32 + 400
    claim(path, 400)
    with path.open("r+b") as file:
        file.truncate(start + n_bytes)  # the rest takes no place on the disk
        file.seek(start + n_bytes - 4)
        file.write(struct.pack("<hh", 16384, -16384))
    with pytest.warns(DssWarning, match="its header says 400 bytes of audio"):
        recording = open_recording(path)
    assert recording.n_samples == n_bytes // 4
    np.testing.assert_array_equal(recording.read(0, 1000), x)
    np.testing.assert_array_equal(recording.read(recording.n_samples - 1), [[0.5, -0.5]])


@pytest.mark.parametrize("chunk", [b"", b"LIST\x04\0\0\0abcd"])
def test_a_wav_that_holds_only_other_things_holds_no_samples(tmp_path, chunk):
    path, _ = write(tmp_path, n=0)
    path.write_bytes(path.read_bytes() + chunk)
    with pytest.raises(DssError, match="contains no samples"):
        open_recording(path)


def _many_chunks(path, n_empty, rate=1000):
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    samples = struct.pack("<4sI", b"data", 2000) + bytes(range(1, 201)) * 10
    body = b"WAVE" + struct.pack("<4sI", b"abcd", 0) * n_empty + form + samples
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)


def test_only_so_many_chunks_of_a_header_are_looked_at(tmp_path):
    path = tmp_path / "a.wav"
    _many_chunks(path, 900)
    assert read_header(path).claimed == 2000
    _many_chunks(path, 3_000_000)
    begun = time.process_time()
    assert read_header(path) is None
    with pytest.raises(DssError, match="a.wav: cannot be read as audio"):
        open_recording(path)
    assert time.process_time() - begun < 1


def test_a_rate_of_zero_is_reported(tmp_path):
    _many_chunks(tmp_path / "a.wav", 0, rate=0)
    with pytest.raises(DssError, match="a.wav: its header says a sample rate of 0 Hz"):
        open_recording(tmp_path / "a.wav")
