import os
import pickle
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dss.data.plain_pickle import read_plain_pickle

ATTRIBUTES = {
    "samplerate_x_Hz": np.float64(10_000),
    "class_names": ["noise", "song"],
    "counts": np.arange(6, dtype=">i4").reshape(2, 3, order="F"),
    "names": np.array(["pulse", "ä"]),
    "files": np.array(["a.wav", None], object),
    "rest": (1, None, True, b"bytes", 2**80, -1.5, "", []),
}
PLAIN = {
    "samplerate_x_Hz": 10_000.0,
    "class_names": ["noise", "song"],
    "counts": [[0, 2, 4], [1, 3, 5]],
    "names": ["pulse", "ä"],
    "files": ["a.wav", None],
    "rest": [1, None, True, b"bytes", 2**80, -1.5, "", []],
}
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@pytest.mark.parametrize("protocol", [3, 4])  # DAS: 4; before numpy 1.18: 3
def test_plain_data_and_arrays_come_back(protocol):
    assert read_plain_pickle(pickle.dumps(ATTRIBUTES, protocol)) == PLAIN


@given(values, st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_any_plain_data_comes_back(value, protocol):
    assert read_plain_pickle(pickle.dumps(value, protocol)) == value


class Command:
    def __reduce__(self):
        return os.system, ("touch hacked",)


@pytest.mark.parametrize("data", [Command(), {"a": Command()}, np.array([Command()], object)])
def test_no_command_is_run(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="asks for .*system, which is not plain data"):
        read_plain_pickle(pickle.dumps(data))
    assert not [*tmp_path.iterdir()]


def array_pickle(shape, code, data):
    """The pickle of an array whose header can claim anything."""
    text = f"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n{shape}"
    dtype = f"cnumpy\ndtype\n(S'{code}'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\n"
    return (text + dtype).encode() + data + b"tb."


@pytest.mark.parametrize(
    ("shape", "code", "data", "said"),
    [
        ("(I3\nt", "i8", b"S'abcd'\n", "has the wrong number of bytes"),  # reads beyond them
        ("(I99999999999\nt", "U0", b"S''\n", "has the wrong number of bytes"),  # a terabyte
        ("(I-8\nt", "i8", b"S''\n", "has the shape"),
        ("(I1\nt", "O8", b"S'abcdefgh'\n", "objects is not plain data"),  # bytes as addresses
        ("(I1\nt", "V8", b"S'abcdefgh'\n", "not a plain one"),
        ("(I1\nt", "U1", b"S'abcd'\n", "decode"),  # no character has this number
    ],
)
def test_arrays_that_are_not_what_they_claim_are_refused(shape, code, data, said):
    with pytest.raises(ValueError, match=said):
        read_plain_pickle(array_pickle(shape, code, data))
    right = array_pickle("(I1\nt", "i4", b"S'abcd'\n")
    assert read_plain_pickle(right) == [int.from_bytes(b"abcd", "little")]


def test_what_holds_itself_or_repeats_its_parts_is_refused():
    endless: list = []
    endless.append(endless)
    many = ["x"] * 10
    for _ in range(12):
        many = [many] * 10
    deep: list = []
    for _ in range(100):
        deep = [deep]
    for value in (endless, many, deep):
        with pytest.raises(ValueError, match="nested too deeply, or contains too much"):
            read_plain_pickle(pickle.dumps(value))


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=8))
def test_flipped_bytes_end_in_an_error_or_in_plain_data(changes):
    data = bytearray(pickle.dumps(ATTRIBUTES, 4))
    for place, value in changes:
        data[place % len(data)] = value
    with suppress(ValueError):  # anything else would be raised, or end Python itself
        assert isinstance(read_plain_pickle(bytes(data)), dict | list | str | int | float | bytes)
