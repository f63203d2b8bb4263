import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dss.data.annotated_stretches import read_annotated
from dss.data.annotations import read_annotations, time_problems, write_annotations
from dss.data.song_types import song_types
from dss.errors import DssError


def write(path, *rows, header="name,start_seconds,stop_seconds"):
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def table(*rows):
    return pd.DataFrame(rows, columns=["name", "start_seconds", "stop_seconds"])


def test_annotations_are_read_as_they_were_written(tmp_path):
    rows = table(("a", 0.1, 0.2), ("p", 0.123456, 0.123456), ("sine", np.nan, np.nan))
    write_annotations(rows, tmp_path / "x_annotations.csv")
    again = read_annotations(tmp_path / "x_annotations.csv")
    pd.testing.assert_frame_equal(again.reset_index(drop=True), rows)


def test_further_columns_stay_as_they_are(tmp_path):
    rows = ["a,0.500000,1.000000,3,0.1234567,yes,True", "b,NaN,NaN,NaN,2.5,no,False"]
    header = "name,start_seconds,stop_seconds,number,loudness,seen,confirmed"
    path = write(tmp_path / "a.csv", *rows, header=header)
    text = path.read_text()
    write_annotations(read_annotations(path), path)
    assert path.read_text() == text


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("quote", ["", '"'])  # plain tables are read without pandas' parser
def test_numbers_are_read_exactly(tmp_path, quote):
    times = [5e-324, 1.0000000000000002, 0.1 + 0.2, 8.41, 1234567.1234567891, 9007199.254740993]
    rows = [f"{quote}a{quote},0,{time!r}" for time in times]
    table = read_annotations(write(tmp_path / "a.csv", *rows))
    assert table["stop_seconds"].tolist() == times
    write_annotations(table.assign(score=times), tmp_path / "b.csv")
    assert read_annotations(tmp_path / "b.csv")["score"].tolist() == times


def test_a_name_may_look_like_a_number_or_like_nothing(tmp_path):
    again = read_annotations(write(tmp_path / "a.csv", "1,0,1", "NA,1,2", "None,2,3"))
    assert again["name"].tolist() == ["1", "NA", "None"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["a,0.5,oops"], "row 2: stop_seconds is 'oops'; it should be a number"),
        (["a,0,1", ",1,2"], "row 3: the name is missing"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(tmp_path, rows, message):
    with pytest.raises(DssError, match=f"a.csv, {message}"):
        read_annotations(write(tmp_path / "a.csv", *rows))


def test_a_missing_column_is_named(tmp_path):
    path = write(tmp_path / "a.csv", "a,0", header="name,from")
    with pytest.raises(DssError, match="row 1: there are no columns start_seconds, stop_s"):
        read_annotations(path)


def test_a_file_that_is_missing_or_empty_is_an_error(tmp_path):
    with pytest.raises(DssError, match="there are no annotations here"):
        read_annotations(tmp_path / "a.csv")
    (tmp_path / "a.csv").touch()
    with pytest.raises(DssError, match=r"a\.csv: is empty \(0 bytes\)"):
        read_annotations(tmp_path / "a.csv")


def test_impossible_times_are_listed_with_their_rows(tmp_path):
    path = write(tmp_path / "a.csv", "a,0.5,0.4", "a,-1,1", "a,1,2.5", "a,1,", "a,0,1", "a,NaN,NaN")
    problems = list(time_problems(read_annotations(path), duration_seconds=2))
    assert [row for row, _, _ in problems] == [2, 3, 4, 5]
    assert "stops at 0.4 s, before it starts at 0.5 s" in problems[0][2]
    assert "stops at 2.5 s, but the recording ends at 2 s" in problems[2][2]


def test_categories_follow_from_the_times(tmp_path):
    tables = {
        tmp_path / "1": table(("p", 1, 1), ("b", 1, 2), ("noise", 0, 1)),
        tmp_path / "2": table(("q", np.nan, np.nan), ("c", np.nan, 0), ("b", np.nan, np.nan)),
    }
    types = {"b": "segment", "c": "segment", "p": "event", "q": "event"}
    assert song_types(tables) == types
    tables[tmp_path / "3"] = table(("not_b", 2, 3), ("not_x", 4, 5))
    assert song_types(tables) == types | {"not_x": "segment"}
    renamed = song_types(tables, rename={"b": "c", "not_x": "x"})
    assert renamed == {"c": "segment", "p": "event", "q": "event", "x": "segment"}


def test_definitions_count_where_a_type_was_never_found(tmp_path):
    path = tmp_path / "x_definitions.csv"
    path.write_text("q,segment\n")
    assert song_types({tmp_path / "1": table(("q", np.nan, np.nan))}, [path]) == {"q": "segment"}
    path.write_text("q,syllable\n")
    with pytest.raises(DssError, match="row 1: the category of q is 'syllable'"):
        song_types({}, [path])


def test_a_name_used_both_ways_is_an_error_that_names_both_rows(tmp_path):
    first = read_annotations(write(tmp_path / "1.csv", "b,0,1", "a,1,2"))
    second = read_annotations(write(tmp_path / "2.csv", "b,0,1", "b,2,3", "a,5,5"))
    tables = {tmp_path / "1.csv": first, tmp_path / "2.csv": second}
    with pytest.raises(
        DssError, match=r"2\.csv, row 4: a is used as event, but as segment in .*1\.csv, row 3"
    ):
        song_types(tables)


def test_without_a_file_somebody_looked_at_the_whole_recording(tmp_path):
    np.testing.assert_array_equal(read_annotated(tmp_path / "a.wav", 3.5), [[0, 3.5]])


def test_stretches_that_were_looked_at_are_merged_and_in_order(tmp_path):
    path = tmp_path / "a_annotated.csv"
    write(path, "4,5", "1,2", "2,2.5", "0.5,1.5", "8,10.0004", header="start_seconds,stop_seconds")
    np.testing.assert_array_equal(
        read_annotated(tmp_path / "a.wav", 10), [[0.5, 2.5], [4, 5], [8, 10]]
    )
    write(path, header="start_seconds,stop_seconds")
    assert read_annotated(tmp_path / "a.wav", 10).shape == (0, 2)


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(1, 20)).map(lambda s: (s[0], s[0] + s[1])),
        max_size=8,
    )
)
def test_a_moment_was_looked_at_if_any_row_says_so(tmp_path_factory, stretches):
    path = tmp_path_factory.getbasetemp() / "any_annotated.csv"
    write(path, *(f"{a},{b}" for a, b in stretches), header="start_seconds,stop_seconds")
    merged = read_annotated(path.with_name("any.wav"), 70)
    for t in np.arange(0.5, 70):
        inside = [a < t < b for a, b in merged]
        assert sum(inside) == any(a < t < b for a, b in stretches)
    assert (np.diff(merged.ravel()) > 0).all()


def test_stretches_that_cannot_be_are_listed_with_their_rows(tmp_path):
    rows = ["0,1", "-1,1", "2,1", "3,NaN", "4,oops", "5,11", "", "6,6"]
    write(tmp_path / "a_annotated.csv", *rows, header="start_seconds,stop_seconds")
    with pytest.raises(DssError) as error:
        read_annotated(tmp_path / "a.wav", 10)
    lines = str(error.value).splitlines()[1:]
    assert sorted({line.split("row ")[1].split(":")[0] for line in lines}) == list("345679")
    assert "'oops'; it should be a number" in str(error.value)
    assert "stops at 11 s, but the recording ends at 10 s" in str(error.value)


def test_rows_are_those_that_an_editor_shows_and_a_comma_too_many_shifts_nothing(tmp_path):
    path = write(
        tmp_path / "a.csv", "a, 0, 1", "", "b, 1, 2", header="name, start_seconds, stop_seconds"
    )
    again = read_annotations(path)
    assert list(again.itertuples(name=None)) == [(2, "a", 0, 1), (4, "b", 1, 2)]
    again = read_annotations(write(tmp_path / "a.csv", "a,0,1,", "b,1,2,"))
    assert again["name"].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (bytes(range(256)), "is no text, or is damaged"),
        (b"hello,world\n1,2\n", "there are no columns name, start_seconds, stop_seconds, only"),
        (b'name,start_seconds,stop_seconds\n"a,1,2\n', r'a quote \("\) opens in row 2, and is nev'),
    ],
)
def test_tables_that_are_none_say_so_in_plain_words(tmp_path, content, said):
    path = tmp_path / "a_annotations.csv"
    path.write_bytes(content)
    with pytest.raises(DssError, match=rf"a_annotations\.csv.*{said}"):
        read_annotations(path)
