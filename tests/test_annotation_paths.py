import numpy as np
import pytest
import soundfile

from dss.cli import main
from dss.data import check_annotations, list_recordings, make_dataset, open_dataset
from dss.data.annotation_paths import annotation_finder
from dss.errors import DssError

TABLE = "name,start_seconds,stop_seconds\na,1,2\na,3,4\n"
# Where recordings and annotations are: {i} counts them, in two birds of two days.
LAYOUTS = {
    "two trees": ("audio/{i}.wav", "../labels/{i}.csv", "../labels/{{stem}}.csv"),
    "two deep trees": (
        "{bird}/{day}/{i}.wav",
        "../labels/{bird}/{day}/{i}.csv",
        "../labels/{{folder}}/{{stem}}.csv",
    ),
    "a folder beside each": (
        "{bird}/{i}.wav",
        "{bird}/annotations/{i}.csv",
        "{{folder}}/annotations/{{stem}}.csv",
    ),
    "two folders in one": ("wav/{i}.wav", "csv/{i}.csv", "csv/{{stem}}.csv"),
    "the name with its ending": ("{i}.wav", "labels/{i}.wav.csv", "labels/{{name}}.csv"),
    "-annotated": ("{i}.wav", "{i}-annotated.csv", "{{stem}}-annotated.csv"),
    "_labels elsewhere": ("{i}.wav", "../txt/{i}_labels.csv", "../txt/{{stem}}_labels.csv"),
    "both names have an ending": ("{i}_audio.wav", "{i}_song.csv", "{{stem-_audio}}_song.csv"),
    "a prefix": ("{i}.wav", "labels-{i}.csv", "labels-{{stem}}.csv"),
    "one name has a channel": ("{i}_ch1.wav", "txt/{i}.csv", "txt/{{stem-_ch1}}.csv"),
    "a folder for each recording": (
        "{bird}/{i}/audio.wav",
        "{bird}/{i}/song.csv",
        "{{folder}}/song.csv",
    ),
    "other folders have other names": (
        "{bird}/audio/{i}.wav",
        "../labels/{i}.csv",
        "../labels/{{stem}}.csv",
    ),
}


def lay_out(folder, audio, annotations):
    for i in range(4):
        of = {"i": f"rec{i}", "bird": f"bird{i % 2}", "day": f"day{i // 2}"}
        path = folder / "data" / audio.format(**of)
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * np.random.default_rng(i).standard_normal(500), 100)
        file = folder / "data" / annotations.format(**of)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(TABLE)
    return folder / "data"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_pattern_is_proposed_and_finds_the_annotations(tmp_path, layout):
    audio, annotations, pattern = LAYOUTS[layout]
    folder, pattern = lay_out(tmp_path, audio, annotations), pattern.format()
    (problem,) = check_annotations(folder)["problem"]
    are_beside = audio.rpartition("/")[0] == annotations.rpartition("/")[0]
    where = "in files of other names" if are_beside else "elsewhere"
    assert problem == (
        f"annotations of 4 of these 4 recordings are {where}: --annotations-at '{pattern}'"
    )
    assert check_annotations(folder, annotations_at=pattern).empty
    assert list_recordings(folder, annotations_at=pattern).at["all", "a"] == 8
    tree = open_dataset(make_dataset(folder, annotations_at=pattern))
    assert tree.attrs["made_with"]["annotations_at"] == pattern
    assert main(["check", str(folder), "--annotations-at", pattern]) == 0


def test_one_table_for_the_recordings_of_a_day_is_found(tmp_path):
    folder = lay_out(tmp_path, "{day}/{i}.wav", "../tables/unused.csv")
    for day in range(2):
        rows = [f"rec{i}.wav,a,{i},{i}.5" for i in range(4)]
        path = tmp_path / "tables" / f"day{day}.csv"
        path.write_text("\n".join(["filename,name,onset,offset", *rows]))
    pattern = "../tables/{parent}.csv"
    assert check_annotations(folder)["problem"][0].endswith(f"--annotations-at '{pattern}'")
    assert check_annotations(folder, annotations_at=pattern).empty


def test_a_pattern_with_any_text_fits_one_file(tmp_path):
    folder = lay_out(tmp_path, "{i}.wav", "../txt/{i}_by_anna.csv")
    assert check_annotations(folder, annotations_at="../txt/{stem}_*.csv").empty
    (tmp_path / "txt" / "rec1_by_ben.csv").write_text(TABLE)
    (problem,) = check_annotations(folder, annotations_at="../txt/{stem}_*.csv")["problem"]
    assert "there are 2 files at " in problem


def test_what_lies_next_to_a_recording_counts_first(tmp_path):
    folder = lay_out(tmp_path, "{i}.wav", "../txt/{i}.csv")
    (folder / "rec1_annotations.csv").write_text(TABLE.replace("a,", "b,"))
    table = list_recordings(folder, annotations_at="../txt/{stem}.csv")
    assert (table.at["all", "a"], table.at["rec1.wav", "b"]) == (6, 2)


def test_a_pattern_that_cannot_be_is_an_error(tmp_path):
    with pytest.raises(DssError, match=r"annotations_at: there is no \{bird\}, only \{folder\}"):
        annotation_finder("{bird}/{stem}.csv", tmp_path)


def test_nothing_is_proposed_where_nothing_fits(tmp_path):
    folder = lay_out(tmp_path, "{i}.wav", "../notes.csv")
    problems = check_annotations(folder)["problem"]
    assert len(problems) == 4
    assert not problems.str.contains("annotations-at").any()


def test_annotations_of_other_recordings_are_not_proposed(tmp_path):
    """Each bird has recordings 1, 2, ...; annotations of different birds must not be mixed up."""
    folder = lay_out(tmp_path, "{i}.wav", "../notes.csv")
    other = lay_out(tmp_path / "bird2", "{i}.wav", "{i}_annotations.csv")
    other.rename(tmp_path / "other")
    problems = check_annotations(folder)["problem"]
    assert len(problems) == 4
    assert not problems.str.contains("annotations-at").any()
