import errno
from pathlib import Path

import h5py
import numpy as np
import pytest

from dss.data import open_recording
from dss.errors import DssError
from dss.models import epochs_done
from dss.models.checkpoint import load_checkpoint
from dss.support import hdf5


@pytest.mark.parametrize("first", [0, 400, 1200])
def test_a_damaged_file_is_reported(tmp_path, first):
    file = tmp_path / "a.h5"
    with h5py.File(file, "w") as opened:
        for name in "abc":
            opened[f"group/{name}"] = np.arange(100)
    content = bytearray(file.read_bytes())
    content[first : first + 2000] = bytes(b ^ 0xFF for b in content[first : first + 2000])
    file.write_bytes(content)
    said = r"(?s)a\.h5: cannot be read as HDF5 .* Copy it again"
    with pytest.raises(DssError, match=said), hdf5.reading(file) as opened:
        [item[()] for item in opened["group"].values()]


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    file = tmp_path / "a.h5"
    with hdf5.writing(file) as opened:
        opened["group/x"] = np.arange(3)
    with hdf5.reading(file) as opened:
        assert opened["group/x"][()].tolist() == [0, 1, 2]
    written = file.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with (
        pytest.raises(DssError, match=r"a\.h5: cannot be written, because the disk is full"),
        hdf5.writing(file) as opened,
    ):
        opened["y"] = np.zeros(10_000)
    assert file.read_bytes() == written
    assert [*tmp_path.iterdir()] == [file]


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n and no more"])
def test_a_damaged_checkpoint_says_how_to_go_on(tmp_path, content):
    file = tmp_path / "x_checkpoint.h5"
    file.write_bytes(content)
    for read in (epochs_done, lambda path: load_checkpoint(path, [], {})):
        with pytest.raises(DssError, match=r"x_checkpoint\.h5: .* nb_epoch, or remove this file"):
            read(file)


@pytest.mark.parametrize("epoch", ['"x"', "-3", "Infinity", "NaN", "true", "[]", "1.5"])
def test_a_checkpoint_whose_epoch_is_no_number_of_epochs_is_damaged(tmp_path, epoch):
    file = tmp_path / "x_checkpoint.h5"
    with h5py.File(file, "w") as opened:
        opened.attrs["state"] = f'{{"epoch": {epoch}}}'
    for read in (epochs_done, lambda path: load_checkpoint(path, [], {"epoch": 0})):
        with pytest.raises(DssError, match=r"x_checkpoint\.h5: cannot be read .* in place of a n"):
            read(file)


def test_a_checkpoint_that_lacks_its_state_is_damaged(tmp_path):
    with h5py.File(tmp_path / "x_checkpoint.h5", "w") as file:
        file.attrs["state"] = "{}"
    with pytest.raises(DssError, match="cannot be read as HDF5"):
        epochs_done(tmp_path / "x_checkpoint.h5")


def with_texts(path):
    with h5py.File(path, "w") as file:
        file["names"] = ["a", "b", "noise"]
        file.attrs["class_names"] = ["noise", "bird"]
        file.create_group("of").attrs["texts"] = "hello " * 20
    return path, path.read_bytes()


def read_texts(path):
    with hdf5.reading(path) as file:
        names = [name.decode() for name in file["names"][()]]
        return names, [*file.attrs["class_names"]], file["of"].attrs["texts"]


@pytest.mark.parametrize("damage", ["nothing ends", "a text of 4 GB"])
def test_damaged_texts_of_any_length_do_not_make_it_hang(tmp_path, damage):
    path, content = with_texts(tmp_path / "a.h5")
    assert read_texts(path) == (["a", "b", "noise"], ["noise", "bird"], "hello " * 20)
    heap = content.index(b"GCOL")
    place, new = heap + 16, bytes(64)
    if damage == "a text of 4 GB":  # which stands before where the text is
        place, new = content.rindex(heap.to_bytes(8, "little")) - 4, b"\xff" * 4
    path.write_bytes(content[:place] + new + content[place + len(new) :])
    with pytest.raises(
        DssError, match=r"a\.h5: cannot be read .+ \(its texts are damaged: .+\. Copy"
    ):
        read_texts(path)


def test_texts_that_nobody_reads_do_not_matter(tmp_path):
    path, content = with_texts(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        file["data"], file["samplerate"] = np.zeros(100), 1000
    content = path.read_bytes()
    heap = content.index(b"GCOL")
    path.write_bytes(content[: heap + 16] + bytes(64) + content[heap + 80 :])
    assert open_recording(path).samplerate_hz == 1000
    with h5py.File(path, "w") as file:
        file["data"] = np.zeros(100)
        file.attrs["samplerate"] = "1000"
    with pytest.raises(DssError, match="the sample rate is 'of type object'; it should be a num"):
        open_recording(path)
