"""Text files may have the line ends of Windows, names may be in any case, and paths may be long."""

import numpy as np
import pytest
from conftest import tone_song, write_recording

from dss.data import check_annotations, make_dataset, open_dataset, recording_annotations
from dss.data.audio import open_audio

TEXTS = (".csv", ".yaml", ".rec", ".txt")


def to_windows(folder):
    """Give all text files in a folder the line ends of Windows; returns their number."""
    files = [path for path in folder.rglob("*") if path.suffix in TEXTS]
    for path in files:
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    return len(files)


def make(folder):
    """A dataset of recordings with annotations, definitions and annotated stretches."""
    for i in range(3):
        x, rows = tone_song(seed=i)
        path = write_recording(folder, f"bird_{i}", x, 1000, rows)
        path.with_name(f"bird_{i}_annotated.csv").write_text("start_seconds,stop_seconds\n0,3.5\n")
        path.with_name(f"bird_{i}_definitions.csv").write_text("a,segment\nb,segment\np,event\n")
    groups = folder.parent / "groups.csv"
    groups.write_text("file,group\n" + "".join(f"bird_{i}.wav,{i}\n" for i in range(3)))
    return {"groups": str(groups), "seed": 1}


def test_a_dataset_is_the_same_whatever_the_line_ends(tmp_path):
    how = make(tmp_path / "song")
    unix = open_dataset(make_dataset(tmp_path / "song", store_dir=tmp_path / "unix.npy", **how))
    assert to_windows(tmp_path / "song") == 9
    to_windows(tmp_path)  # the dataset's attributes and the groups, too
    store = make_dataset(tmp_path / "song", store_dir=tmp_path / "windows.npy", **how)
    windows, again = open_dataset(store), open_dataset(tmp_path / "unix.npy")
    for split in unix:
        for name in unix[split].data_vars:
            np.testing.assert_array_equal(unix[split][name], windows[split][name])
    assert again.attrs["class_names"] == windows.attrs["class_names"] == unix.attrs["class_names"]


def test_headers_are_the_same_whatever_the_line_ends(tmp_path):
    np.arange(1000, dtype=">i2").tofile(tmp_path / "x.cbin")
    (tmp_path / "x.rec").write_text("Chans = 2\nADFREQ = 32000\nSamples = 500\n")
    assert to_windows(tmp_path) == 1
    assert open_audio(tmp_path / "x.cbin")[:3] == (32000, 500, 2)


def test_paths_may_be_longer_than_windows_allows_by_default(tmp_path):
    folder = tmp_path.joinpath(*[f"{'day' * 20}_{i}" for i in range(8)], "song")
    how = make(folder)
    assert len(str(folder)) > 500
    tree = open_dataset(make_dataset(folder, **how))
    assert tree.attrs["filename_train"]
    assert check_annotations(tmp_path)["severity"].tolist() == []


@pytest.mark.parametrize("name", ["bird_ANNOTATIONS.CSV", "BIRD.Csv", "Bird.wav.CSV", "bird.TXT"])
def test_the_case_of_names_and_endings_does_not_matter(tmp_path, name):
    path = write_recording(tmp_path, "Bird", tone_song(seed=0)[0], 1000, [])
    (tmp_path / "Bird_annotations.csv").unlink()
    path = path.rename(tmp_path / "Bird.WAV")
    is_csv = name.lower().endswith("csv")
    text = "name,start_seconds,stop_seconds\na,1,1.25\n" if is_csv else "1\t1.25\ta\n"
    (tmp_path / name).write_text(text)
    file, table = recording_annotations(path)
    assert file.name == name
    assert table["stop_seconds"].tolist() == [1.25]
    assert check_annotations(tmp_path).empty
