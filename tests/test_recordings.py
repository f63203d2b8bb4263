import numpy as np
import pytest
import soundfile

from dss.data import find_recordings, open_recording
from dss.errors import DssError


@pytest.fixture
def wav(tmp_path):
    x = np.linspace(-1, 1, 2000).reshape(1000, 2)
    soundfile.write(tmp_path / "a.wav", x, 500, subtype="PCM_16")
    return tmp_path / "a.wav"


def test_a_recording_is_what_was_written(wav):
    recording = open_recording(wav)
    assert (recording.samplerate_hz, recording.n_samples, recording.n_channels) == (500, 1000, 2)
    assert recording.duration_seconds == 2
    x = recording.read()
    assert x.dtype == np.float32
    np.testing.assert_allclose(x, np.linspace(-1, 1, 2000).reshape(1000, 2), atol=1e-4)


def test_a_stretch_is_part_of_the_whole(wav):
    recording = open_recording(wav)
    np.testing.assert_array_equal(recording.read(990, 2000), recording.read()[990:])


def test_recordings_are_found_in_subfolders_in_order_but_not_hidden_ones(tmp_path):
    for name in ("b/2.WAV", "a.flac", "b/1.ogg", ".c/3.wav", "b/.4.wav", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in find_recordings(tmp_path)]
    assert found == ["a.flac", "b/1.ogg", "b/2.WAV"]


def test_a_folder_without_recordings_is_an_error(tmp_path):
    with pytest.raises(DssError, match="holds no recordings"):
        find_recordings(tmp_path)
    with pytest.raises(DssError, match="there is no such file or folder"):
        find_recordings(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "the file is empty"), (b"RIFFnonsense" * 9, "cannot be read as audio")],
)
def test_what_is_not_audio_is_an_error(tmp_path, content, message):
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(DssError, match=f"a.wav: .*{message}"):
        open_recording(tmp_path / "a.wav")


def test_a_wav_without_samples_is_an_error(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.empty((0, 1)), 500)
    with pytest.raises(DssError, match="a.wav: holds no samples"):
        open_recording(tmp_path / "a.wav")


def test_a_truncated_wav_is_an_error(wav):
    wav.write_bytes(wav.read_bytes()[:-300])
    with pytest.raises(DssError, match="a.wav: the file is truncated"):
        open_recording(wav)


def test_a_wav_from_a_pipe_whose_header_states_no_size_is_read(wav):
    content = bytearray(wav.read_bytes())
    content[4:8] = b"\xff\xff\xff\xff"
    wav.write_bytes(content)
    assert open_recording(wav).n_samples == 1000


def test_samples_that_are_no_numbers_are_an_error(tmp_path):
    x = np.zeros(100)
    x[60] = np.nan
    soundfile.write(tmp_path / "a.wav", x, 500, subtype="FLOAT")
    with pytest.raises(DssError, match="sample 60 is not a number"):
        open_recording(tmp_path / "a.wav").read()
