"""Plain tables are read as pandas would read them, or left to pandas."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dss.data import text_tables
from dss.data.plain_tables import read_plain
from dss.data.text_tables import COLUMNS, read_rows

VALUES = [
    *'ab1,;".-+e# \t\r\n\v\0',
    "NaN",
    "nan",
    "NA",
    "0.25",
    "1.7",
    "1e-3",
    "1e999",
    "inf",
    "-0",
    "é",
]
TEXT = st.lists(st.sampled_from(VALUES), max_size=4).map("".join)
NUMBER = st.one_of(st.floats(0, 1e6).map(str), st.integers(0, 9).map(str))
NAME = st.text("ab \u00e9\U0001f426", max_size=3)
ROW = st.tuples(NAME, NUMBER, NUMBER)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("tables") / "a_annotations.csv"


@given(
    rows=st.lists(st.one_of(ROW, st.tuples(NAME, NUMBER, TEXT), st.tuples(TEXT, TEXT)), max_size=5)
)
def test_a_table_is_the_same_with_and_without_the_parser(path, rows):
    lines = [",".join(COLUMNS), *(",".join(row) for row in rows)]
    path.write_text("\n".join(lines), newline="")
    plain = read_plain(path.read_bytes().decode(), COLUMNS)
    if plain is None:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_tables, "read_plain", lambda *_: None)
        parsed, broken = read_rows(path, COLUMNS)
    assert not broken
    times = dict.fromkeys(COLUMNS[1:], float)  # which may be integers in the other
    pd.testing.assert_frame_equal(plain, parsed.astype(times), check_exact=True)


def test_usual_tables_are_plain_and_unusual_ones_are_not():
    head, row = "name,start_seconds,stop_seconds", "a,0.1,0.2"
    for text in (f"{head}\n{row}", f"{head}\r\n{row}\r\n", f"{head}\n{row}\nb c,NaN,NaN\n"):
        assert read_plain(text, COLUMNS) is not None
    assert read_plain(f"{head},confidence\n{row},0.9\n", COLUMNS) is not None
    for text in (
        f"{head}\n",
        f"{head}\n\n{row}\n",
        f'{head}\n"a",0.1,0.2\n',
        f"{head}\n,0.1,0.2\n",
    ):
        assert read_plain(text, COLUMNS) is None
    assert read_plain("file,group\n1,2\n", ["file", "group"]) is None  # text, not numbers
