import ctypes
import pickle
import time
import tracemalloc
import warnings
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest
import soundfile

from dss.data import check_annotations, find_recordings, open_recording
from dss.data.recordings import open_for_dataset
from dss.errors import DssError, DssWarning
from dss.options import SourceOptions
from dss.support import system


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


def test_a_folder_that_may_not_be_read_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(DssError, match="no permission to read"):
        find_recordings(tmp_path)


def test_a_folder_without_recordings_is_an_error(tmp_path):
    with pytest.raises(DssError, match="contains no recordings"):
        find_recordings(tmp_path)
    with pytest.raises(DssError, match="there is no such file or folder"):
        find_recordings(tmp_path / "nowhere")
    (tmp_path / "song.npy").mkdir()
    with pytest.raises(DssError, match="song.npy: is a dataset; name the folder of its recordings"):
        find_recordings(tmp_path / "song.npy")


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
    with pytest.raises(DssError, match="a.wav: contains no samples"):
        open_recording(tmp_path / "a.wav")


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


def ramp(dtype):
    """Audio [1000, 2] from the smallest to the largest value of a type."""
    low, high = (np.iinfo(dtype).min, np.iinfo(dtype).max) if dtype(0.5) == 0 else (-1, 1)
    return np.linspace(low, high, 2000).astype(dtype).reshape(1000, 2)


def write_h5(path, rate_as, **data):
    with h5py.File(path, "w") as file:
        for name, x in data.items():
            file.create_dataset(name, data=x, chunks=True, compression="gzip")
        if rate_as == "dataset":
            file["samplerate"] = 500
        elif rate_as == "attribute":
            file.attrs["samplerate_Hz"] = 500.0


FORMS = {
    "wav": lambda path, x: soundfile.write(path, x, 500, subtype="FLOAT"),
    "npz": lambda path, x: np.savez(path, data=x, samplerate=500),
    "compressed.npz": lambda path, x: np.savez_compressed(path, data=x, samplerate=[500.0]),
    "fortran.npz": lambda path, x: np.savez(path, data=np.asfortranarray(x), samplerate=500),
    "npy": lambda path, x: np.save(path, x),
    "h5": lambda path, x: write_h5(path, "dataset", data=x),
    "attribute.h5": lambda path, x: write_h5(path, "attribute", audio=x),
}


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_give_the_same_samples_in_blocks_and_at_once(tmp_path, form):
    path, x = tmp_path / f"a.{form}", ramp(np.float32)
    FORMS[form](path, x)
    recording = open_recording(path, samplerate_hz=500)
    assert (recording.samplerate_hz, recording.n_samples, recording.n_channels) == (500, 1000, 2)
    np.testing.assert_array_equal(recording.read(), x)
    np.testing.assert_array_equal(recording.read(990, 2000), x[990:])
    assert recording.read(5, 5).shape == (0, 2)
    blocks = [recording.read(start, start + 300) for start in range(0, 1000, 300)]
    np.testing.assert_array_equal(np.concatenate(blocks), x)
    again = pickle.loads(pickle.dumps(recording))  # it can be sent to another process
    np.testing.assert_array_equal(again.read(10, 20), x[10:20])


@pytest.mark.parametrize("form", ["npy", "npz", "compressed.npz", "h5"])
def test_arrays_without_an_axis_of_channels_have_one_channel(tmp_path, form):
    path = tmp_path / f"a.{form}"
    FORMS[form](path, np.linspace(-1, 1, 50))
    recording = open_recording(path, samplerate_hz=500)
    assert recording.read(40).shape == (10, 1)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.uint8, np.uint16, np.float64])
def test_audio_of_any_type_is_within_one(tmp_path, dtype):
    np.savez(tmp_path / "a.npz", data=ramp(dtype), samplerate=500)
    x = open_recording(tmp_path / "a.npz").read()
    assert x.dtype == np.float32
    np.testing.assert_allclose(x, ramp(np.float32), atol=0.016)
    assert np.abs(x).max() <= 1


def test_16_bit_audio_has_the_same_samples_as_wav_and_as_array(tmp_path):
    x = np.random.default_rng(0).integers(-(2**15), 2**15, (200, 1)).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", x, 500)
    np.savez(tmp_path / "a.npz", data=x, samplerate=500)
    a, b = (open_recording(tmp_path / name).read() for name in ("a.wav", "a.npz"))
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("form", ["npy", "npz", "compressed.npz", "h5"])
def test_a_stretch_of_a_long_array_is_read_without_the_rest(tmp_path, form):
    x = np.zeros(2**23, np.int16)
    x[-1] = 2**14
    FORMS[form](tmp_path / f"a.{form}", x)
    tracemalloc.start()
    recording = open_recording(tmp_path / f"a.{form}", samplerate_hz=500)
    np.testing.assert_array_equal(recording.read(2**23 - 2), [[0], [0.5]])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < x.nbytes / 2


def test_npy_needs_a_sample_rate_and_the_error_says_how_to_give_it(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(10))
    with pytest.raises(DssError, match=r"a\.npy: does not store its sample rate.*numpy\.savez"):
        open_recording(tmp_path / "a.npy")
    for name in ("a.npy", "b.NPY"):
        (tmp_path / "a.npy").rename(tmp_path / name)
        options = SourceOptions(samplerate_hz=250)
        assert open_for_dataset(tmp_path / name, options).samplerate_hz == 250


def test_whatever_stores_no_sample_rate_gets_the_one_of_the_options(tmp_path):
    np.savez(tmp_path / "a.npz", data=np.zeros(10))
    for loader in (None, lambda path: (None, np.zeros(10))):
        options = SourceOptions(samplerate_hz=250, loader=loader)
        assert open_for_dataset(tmp_path / "a.npz", options).samplerate_hz == 250


def test_a_sample_rate_that_the_file_contradicts_is_an_error(wav):
    with pytest.raises(DssError, match=r"is 500 Hz, not 250 Hz.*resampled\(250\)"):
        open_recording(wav, samplerate_hz=250)


def test_a_loader_of_ones_own_reads_any_file(tmp_path):
    (tmp_path / "a.dat").write_bytes(np.arange(-50, 50, dtype=np.int16).tobytes())
    calls = []

    def load(path):
        calls.append(path)
        return 200, np.fromfile(path, np.int16)

    recording = open_recording(tmp_path / "a.dat", loader=load)
    assert (recording.samplerate_hz, recording.n_samples, recording.n_channels) == (200, 100, 1)
    x = np.concatenate([recording.read(start, start + 7) for start in range(0, 100, 7)])
    np.testing.assert_array_equal(x[:, 0], np.arange(-50, 50) / 2**15)
    assert len(calls) == 1  # not once a block


@pytest.mark.parametrize(
    ("gives", "message"),
    [
        ("song.npy", "'song.npy' cannot load it; it should be a function"),
        (lambda path: 1 / 0, "the loader failed: ZeroDivisionError"),
        (lambda path: np.zeros(5), "the loader returned a ndarray; it should"),
        (lambda path: (0, np.zeros(5)), "the sample rate is 0; it should be"),
        (lambda path: (500, np.zeros((2, 5))), r"the shape is \(2, 5\); it should be"),
        (lambda path: (500, np.zeros((5, 2, 1))), r"the shape is \(5, 2, 1\)"),
        (lambda path: (500, np.array(["a"])), "contains values of type <U1"),
        (lambda path: (500, np.arange(5)), "64-bit integers"),
        (lambda path: (500, np.zeros(0)), "contains no samples"),
    ],
)
def test_a_loader_that_gives_something_else_is_an_error(wav, gives, message):
    with pytest.raises(DssError, match=f"a.wav: .*{message}"):
        open_recording(wav, loader=gives)


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        (
            "a.npz",
            lambda p: np.savez(p, x=[1.0]),
            "contains no 'data', only 'x'. It should contain",
        ),
        ("a.npz", lambda p: np.savez(p, data=[1.0]), "does not store its sample rate"),
        ("a.npz", lambda p: p.write_bytes(b"PK nonsense"), "cannot be read as npz"),
        ("a.npz", lambda p: np.savez(p, data=np.array([{}]), samplerate=1), "of type object"),
        ("a.npy", lambda p: p.write_bytes(b"nonsense"), "cannot be read as npy"),
        ("a.npy", lambda p: np.save(p, np.array([{}])), "contains values of type object"),
        ("a.h5", lambda p: p.write_bytes(b"nonsense"), "cannot be read as HDF5"),
        ("a.h5", lambda p: write_h5(p, None, x=np.ones(9)), "contains no 'data', only 'x'"),
        ("a.h5", lambda p: write_h5(p, None, data=np.ones(9)), "contains no 'samplerate'"),
    ],
)
def test_arrays_that_are_no_recordings_say_what_is_missing(tmp_path, name, write, message):
    write(tmp_path / name)
    with pytest.raises(DssError, match=f"{name}: .*{message}"):
        open_recording(tmp_path / name)


def test_a_truncated_npy_is_an_error(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(1000))
    (tmp_path / "a.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-300])
    with pytest.raises(DssError, match=r"a\.npy: cannot be read as npy"):
        open_recording(tmp_path / "a.npy", samplerate_hz=500)


def test_of_arrays_only_those_that_are_recordings_are_found(tmp_path):
    song = tmp_path / "song"
    for folder in ("song.npy/train", "song.zarr/train", "song.res", "."):
        (song / folder).mkdir(parents=True, exist_ok=True)
    x = np.zeros((10, 1))
    for name in ("song.npy/train/x.npy", "bird.npy", "notes.npy"):
        np.save(song / name, x)
    for name in ("recording.npz", "song.zarr/recording.npz"):
        np.savez(song / name, data=x, samplerate=500)
    np.savez(song / "statistics.npz", mean=x)
    write_h5(song / "fly.h5", "dataset", data=x)
    write_h5(song / "song.res" / "20261123_101500_model.h5", None, weights=x)
    write_h5(song / "song.res" / "20261123_101500_results.h5", "dataset", data=x)
    (song / "bird_annotations.csv").touch()
    (song / "broken.npz").touch()
    (song / "broken.txt").write_text("0.5\t1\ta\n")
    found = [path.relative_to(song).as_posix() for path in find_recordings(song)]
    assert found == ["bird.npy", "broken.npz", "fly.h5", "recording.npz"]
    found = find_recordings(song, endings=[".npy"])
    assert [path.name for path in found] == ["bird.npy", "notes.npy"]
    (song / "bird.mat").touch()
    assert find_recordings(song, [".mat"]) == [song / "bird.mat"]


def test_threads_that_read_one_file_load_it_once(tmp_path):
    calls = []

    def load(path):
        calls.append(path.name)
        time.sleep(0.05)
        return 500, np.arange(800, dtype=np.float32)

    for name in "abc":
        (tmp_path / name).write_bytes(b"x")
    recordings = [open_recording(tmp_path / name, loader=load) for name in "abc"]
    calls.clear()
    with ThreadPoolExecutor(4) as pool:  # of a, which is not in memory anymore
        blocks = [*pool.map(lambda start: recordings[0].read(start, start + 1)[0, 0], range(8))]
    assert blocks == [*range(8)]
    assert calls == ["a"]


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100])
@pytest.mark.parametrize(
    ("format", "ending"),
    [("MP3", "mp3"), ("OGG", "ogg"), ("AIFF", "aif"), ("W64", "w64"), ("CAF", "caf"), ("AU", "au")],
)
def test_other_formats_are_read_in_time_and_the_same_wherever_reading_begins(
    tmp_path, format, ending, rate
):
    x = 0.01 * np.random.default_rng(0).standard_normal(3 * rate)
    onset = round(1.3 * rate)
    x[onset : onset + 400] += 0.5 * np.sin(np.arange(400))
    soundfile.write(tmp_path / f"a.{ending}", x, rate, format=format)
    (path,) = find_recordings(tmp_path)
    recording = open_recording(path)
    assert (recording.samplerate_hz, recording.n_samples) == (rate, 3 * rate)
    y = recording.read()[:, 0]
    shift = np.argmax(np.correlate(y[onset - 100 : onset + 500], x[onset : onset + 400], "valid"))
    assert shift == 100  # what an encoder adds at the beginning is gone
    parts = [recording.read(start, start + 3001)[:, 0] for start in range(0, 3 * rate, 3001)]
    np.testing.assert_array_equal(np.concatenate(parts), y)


def write_cbin(folder, x, rec="ADFREQ =  32000\r\nChans =   2\r\nSamples = 9\r\n"):
    (folder / "a.cbin").write_bytes(x.astype(">i2").tobytes())
    (folder / "a.rec").write_text(f"File created: today\r\n{rec}")
    return folder / "a.cbin"


def test_audio_of_evsonganaly_is_read_with_its_rec_file(tmp_path):
    x = np.array([[-32768, 0], [16384, 1], [0, 32767]])
    path = write_cbin(tmp_path, x)
    assert find_recordings(tmp_path) == [path]
    recording = open_recording(path)
    assert (recording.samplerate_hz, recording.n_samples, recording.n_channels) == (32_000, 3, 2)
    np.testing.assert_array_equal(recording.read(), x / np.float32(32768))


@pytest.mark.parametrize(
    ("rec", "message"),
    [
        ("ADFREQ = 32000\n", "a.rec: does not give Chans"),
        ("ADFREQ = 32000\nChans = 99\n", "a.rec: says 99 channels; a.cbin has 6 values"),
        ("ADFREQ = 0\nChans = 1\n", "the sample rate is 0"),
    ],
)
def test_a_rec_file_that_cannot_be_right_is_an_error(tmp_path, rec, message):
    with pytest.raises(DssError, match=message):
        open_recording(write_cbin(tmp_path, np.zeros((3, 2)), rec))
    (tmp_path / "a.rec").unlink()
    with pytest.raises(DssError, match="are in a.rec; add that file"):
        open_recording(tmp_path / "a.cbin")


@pytest.mark.skipif(system.is_windows(), reason="there, libraries cannot be hushed")
def test_libraries_print_nothing_about_an_odd_mp3(tmp_path, capfd):
    path = tmp_path / "x.mp3"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 44100), 44100)
    content = path.read_bytes()
    half = len(content) // 2
    path.write_bytes(content[:half] + bytes(3000) + content[half:])
    with pytest.raises(DssError, match=r"x.mp3: cannot be read .* damaged: copy it again"):
        open_recording(path).read()
    assert capfd.readouterr().err == ""
    ctypes.CDLL(None).perror(b"C")  # is heard again
    assert capfd.readouterr().err.startswith("C: ")


def cut_mp3(path, left, tag=b""):
    """Part of the bytes of an mp3 with a tag and 20 s of noise."""
    x = 0.1 * np.random.default_rng(0).standard_normal(20 * 8000)
    soundfile.write(path, x, 8000)
    content = tag + path.read_bytes()
    path.write_bytes(content[: round(left * len(content))])


@pytest.mark.parametrize("tag", [b"", b"ID3\4\0\0\0\0\1\1" + bytes(129)])
def test_an_mp3_that_was_cut_off_is_as_long_as_what_is_there_and_that_is_reported(tmp_path, tag):
    path = tmp_path / "x.mp3"
    cut_mp3(path, 1, tag)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole = open_recording(path)
    assert whole.n_samples == 20 * 8000
    x = whole.read()
    for left in (0.99, 0.5, 0.2):
        cut_mp3(path, left, tag)
        with pytest.warns(
            DssWarning, match=r"x.mp3: ends earlier than its header says: .* are missing"
        ):
            recording = open_recording(path)
        assert abs(recording.n_samples / x.shape[0] - left) < 0.05
        y = recording.read()
        assert len(y) == recording.n_samples
        np.testing.assert_allclose(y[: len(y) // 2], x[: len(y) // 2], atol=1e-6)
    (tmp_path / "x_annotations.csv").write_text("name,start_seconds,stop_seconds\na,1,1.5\n")
    assert check_annotations(tmp_path)["severity"].tolist() == ["fixed"]
    assert check_annotations(tmp_path, strict=True)["severity"].tolist() == ["error"]
