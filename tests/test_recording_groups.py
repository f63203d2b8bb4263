import pytest
from conftest import tone_song, write_recording

from dss.data import make_dataset, open_dataset
from dss.data.recording_groups import groups_in_filenames, recording_groups
from dss.data.splits import SPLITS
from dss.errors import DssError


@pytest.mark.parametrize(
    ("kind", "group", "other", "rest"),
    [
        ("individual", "llb3", "llb16", "{}_0310_2018_04_24_12_45_0{}.wav"),
        ("individual", "g17y2U", "g4p5U", "zebra_finch_{}-f0000{}.flac"),
        ("individual", "bird1", "bird2", "{}/0{}.wav"),
        ("day", "2019_12_01", "2019_12_02", "b30807_{}_06-44-0{}.wav"),
        ("day", "20191201", "20191202", "{}_06440{}.wav"),
        ("day", "43592", "43593", "b30807_{}.2{}.wav"),
        ("day", "220312", "230312", "gy6or6_baseline_{}_0836.{}.wav"),
        ("day", "day1", "day2", "{}/rec_{}.wav"),
        ("day", "15DEC2022", "27DEC2022", "AL_6_{}_MF_{}.wav"),
    ],
)
def test_names_tell_individuals_or_days(kind, group, other, rest):
    paths = [rest.format(g, i) for g, n in ((group, 3), (other, 2)) for i in range(n)]
    groups = groups_in_filenames(paths)
    assert (groups.kind, groups.n_recordings) == (kind, {group: 3, other: 2})
    assert recording_groups(paths, groups.pattern) == [group] * 3 + [other] * 2
    assert not groups.are_enough


@pytest.mark.parametrize(
    "names",
    [
        ["rec_1.wav", "rec_2.wav", "rec_3.wav"],
        ["bird0_000.flac", "bird0_001.flac"],  # one
        ["VALP007_15DEC2022.wav", "VALP009_15DEC2022.wav", "VLM298_27DEC2022.wav"],  # each
        ["song_ch1.wav", "song_ch2.wav", "song_ch2 2.wav"],  # channels
        ["x_999999_1.wav", "x_999998_1.wav", "x_999998_2.wav"],  # no dates
    ],
)
def test_names_that_only_count_tell_nothing(names):
    assert groups_in_filenames(names) is None


def test_a_dataset_tests_on_an_individual_that_is_in_no_other_split(tmp_path):
    for bird, i in [("ab1", 1), ("ab1", 2), ("cd2", 1), ("ef3", 1)]:
        write_recording(tmp_path / "song", f"{bird}_{i}", *with_rate(tone_song(i)))
    tree = open_dataset(make_dataset(tmp_path / "song", test_fraction=0.25))
    birds = {split: {name[:3] for name in tree.attrs[f"filename_{split}"]} for split in SPLITS}
    assert len(birds["test"]) == 1
    assert not birds["test"] & (birds["train"] | birds["val"])
    assert "3 individuals (ab1, cd2, ef3)" in tree.attrs["chosen"]["groups"]
    alone = {"test_fraction": 0.25, "groups": "(.+)", "store_dir": tmp_path / "alone.npy"}
    assert "groups" not in open_dataset(make_dataset(tmp_path / "song", **alone)).attrs["chosen"]


def with_rate(song):
    x, rows = song
    return x, 1000, rows


def test_groups_come_from_a_pattern_or_a_file(tmp_path):
    paths = ["day1/bird1_a.wav", "day2/bird1_b.wav", "day1/bird2_a.wav"]
    assert recording_groups(paths, r"(bird\d)_") == ["bird1", "bird1", "bird2"]
    assert recording_groups(paths, None) == paths
    table = tmp_path / "birds.csv"
    table.write_text("file,group\nbird1_a.wav,x\nday2/bird1_b.wav,y\nbird2_a.wav,x\n")
    assert recording_groups(paths, str(table)) == ["x", "y", "x"]
    table.write_text("file,group\nbird1_a.wav,x\n")
    with pytest.raises(DssError, match="match no group in .*:\n  day2/bird1_b.wav"):
        recording_groups(paths, str(table))
    table.write_text("file,group\nbird1_a.wav,x\nbird1_b.wav,\n,y\nbird2_a.wav,NA\n")
    with pytest.raises(DssError, match=r"row 3: needs a file and a group\n.*, row 4: ") as error:
        recording_groups(paths, str(table))
    assert len(error.value.problems) == 2
    with pytest.raises(DssError, match="needs parentheses around the individual"):
        recording_groups(paths, "bird1")
    with pytest.raises(DssError, match="is not a regular expression"):
        recording_groups(paths, "(bird")
    with pytest.raises(DssError, match=r"none\.csv: there is no such file"):
        recording_groups(paths, str(tmp_path / "none.csv"))


def test_a_file_of_groups_is_read_as_a_spreadsheet_saves_it(tmp_path):
    table = tmp_path / "birds.csv"
    table.write_text("group;file\n01;Büro_a.wav\n\n2;b.wav\n", "cp1252")
    assert recording_groups(["x/Büro_a.wav", "b.wav"], str(table)) == ["01", "2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "contains no header"),
        ("file,bird\na.wav,x\n", "row 1: there is no column group, only file, bird"),
        ("file,group\na.wav,x\na.wav,x,y\n", "row 3: has 3 fields, but the header 2"),
        (
            "file,group\na.wav,x\n\na.wav,y\n",
            r"row 4: a\.wav is in the group y, but in x in an earlier row",
        ),
        ("file,group\x00\na.wav,x\n", "is no text, or is damaged"),
    ],
)
def test_what_is_wrong_with_a_file_of_groups_is_reported(tmp_path, text, said):
    table = tmp_path / "birds.csv"
    table.write_text(text)
    with pytest.raises(DssError, match=rf"birds\.csv.*{said}"):
        recording_groups(["a.wav"], str(table))
