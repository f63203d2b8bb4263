"""The loaders in the guide read files as the programs write them; the files are made here."""

import re
import struct
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from dss.data import check_annotations, make_dataset, open_dataset, open_recording

GUIDE = Path(__file__).parents[1] / "docs/guide/recordings.md"
RATE = 20_000
BLOCK = 128  # samples in a block of a file of version 2
VOLTS = 0.00015259  # a step, where 32768 is 0 V


def example(word):
    """What the guide's example with this word defines."""
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    (block,) = (block for block in blocks if word in block)
    names = {}
    exec(block, names)
    return names


def text(words):
    content = words.encode("utf-16-le")
    return struct.pack("<I", len(content)) + content


def channel(name, kind, number):
    values = [number, number, kind, 1, number, 0, 0, 0, 0, 0]
    return text(name) * 2 + struct.pack("<10h2f", *values, 0, 0)


def write_rhd(path, volts):
    """A file of Intan's RHX with an amplifier, and analog inputs at these volts."""
    n_blocks = len(volts) // BLOCK
    head = struct.pack("<Ihh", 0xC6912702, 2, 0)
    head += struct.pack("<fh6fh2f", RATE, 0, *[1.0] * 6, 0, 1.0, 1.0)
    head += text("") * 3 + struct.pack("<hh", 0, 1) + text("none")  # no thermometers, +-5 V
    n_inputs = volts.shape[1]
    channels = [channel("A-000", 0, 0)]
    channels += [channel(f"ANALOG-IN-{i}", 3, i) for i in range(n_inputs)]
    group = text("Port") + text("P") + struct.pack("<hhh", 1, len(channels), 1)
    blocks = np.zeros(
        n_blocks, [("t", "<i4", BLOCK), ("amp", "<u2", BLOCK), ("adc", "<u2", (n_inputs, BLOCK))]
    )
    blocks["t"] = np.arange(n_blocks * BLOCK).reshape(n_blocks, BLOCK)
    blocks["amp"] = 32768
    steps = np.round(volts / VOLTS) + 32768
    blocks["adc"] = steps.reshape(n_blocks, BLOCK, n_inputs).transpose(0, 2, 1)
    path.write_bytes(head + struct.pack("<h", 1) + group + b"".join(channels) + blocks.tobytes())


def annotate(folder):
    text = "name,start_seconds,stop_seconds\n" + "".join(f"a,{t},{t + 0.1}\n" for t in range(1, 9))
    (folder / "x_annotations.csv").write_text(text)


def test_the_analog_input_of_intan_is_read(tmp_path):
    pytest.importorskip("neo", reason="neo is not installed")
    n = BLOCK * (10 * RATE // BLOCK)
    volts = 0.2 * np.random.default_rng(0).standard_normal((n, 2)).clip(-4, 4)
    write_rhd(tmp_path / "x.rhd", volts)
    annotate(tmp_path)
    loader = example("IntanRawIO")["load"]
    recording = open_recording(tmp_path / "x.rhd", loader)
    assert recording.samplerate_hz == RATE
    np.testing.assert_allclose(recording.read(), volts, atol=VOLTS)
    how = {"endings": [".rhd"], "loader": loader}
    assert check_annotations(tmp_path, **how).empty
    tree = open_dataset(make_dataset(tmp_path, **how))
    assert tree["train"].sizes["channel"] == 2


def test_matlab_files_with_audio_and_annotations_are_read(tmp_path, monkeypatch):
    (tmp_path / "song").mkdir()
    x = 0.1 * np.random.default_rng(0).standard_normal(10 * RATE)
    onsets = np.arange(1, 9) + 0.25
    song = {"onsets": onsets, "offsets": onsets + 0.1, "labels": np.array([*"abababab"], object)}
    scipy.io.savemat(tmp_path / "song" / "x.mat", {"fs": RATE, "audio": x, **song})
    monkeypatch.chdir(tmp_path)
    names = example("scipy.io")  # which makes the dataset, too
    assert check_annotations("song", **names["how"]).empty
    tree = open_dataset(names["store"])
    assert tree.attrs["class_names"] == ["noise", "a", "b"]
    assert tree.attrs["samplerate_x_Hz"] == RATE
