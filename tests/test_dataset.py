import numpy as np
import pytest
import soundfile
import yaml
from conftest import tone_song, write_recording

from dss.data import describe, make_dataset, open_dataset, open_recording, read_annotations
from dss.data.targets import make_targets
from dss.errors import DssError


def test_the_dataset_holds_the_audio_and_the_targets_of_its_recordings(folder):
    tree = open_dataset(make_dataset(folder))
    names = tree.attrs["class_names"]
    assert names == ["noise", "a", "b", "p"]
    assert tree.attrs["class_types"] == ["segment", "segment", "segment", "event"]
    types = dict(zip(names[1:], tree.attrs["class_types"][1:], strict=True))
    total = 0
    for split in ("train", "val", "test"):
        x, y, first = tree[split].x.values, tree[split].y.values, 0
        files, starts, ends = (
            tree.attrs[f"filename_{part}{split}"] for part in ("", "startsample_", "endsample_")
        )
        assert split != "train" or len(files) == 2
        for file, start, end in zip(files, starts, ends, strict=True):
            here = slice(first, first + end - start)
            np.testing.assert_array_equal(x[here], open_recording(folder / file).read(start, end))
            table = read_annotations(folder / file.replace(".wav", "_annotations.csv"))
            np.testing.assert_array_equal(
                y[here], make_targets(table, types, 1000, start, end, 0.001)
            )
            first = here.stop
        assert first == len(x) == len(y)
        total += first
    assert total == 3 * 4000


def test_the_arrays_stay_on_disk_and_time_is_in_seconds(folder):
    tree = open_dataset(make_dataset(folder))
    assert isinstance(tree["train"].x.variable._data, np.memmap) or isinstance(
        tree["train"].x.data, np.memmap
    )
    stretch = tree["train"].isel(time=slice(500, 510))
    assert isinstance(stretch.x.data, np.memmap)
    np.testing.assert_allclose(stretch.time, np.arange(500, 510) / 1000)
    assert stretch.y.sel(song_type="noise").shape == (10,)


def test_the_report_counts_every_annotation_once(folder):
    table = describe(open_dataset(make_dataset(folder)))
    rows = [r for path in folder.glob("*.csv") for r in read_annotations(path)["name"]]
    assert table.loc["all", ["a", "b", "p"]].tolist() == [rows.count(n) for n in "abp"]
    assert table.loc["all", "seconds"] == pytest.approx(12)
    assert table.loc["test", "seconds"] == pytest.approx(4)


def test_the_same_seed_gives_the_same_bytes(folder, tmp_path):
    stores = [make_dataset(folder, store_dir=tmp_path / f"{i}.npy", seed=4) for i in range(2)]
    for name in ("train/x.npy", "train/y.npy", "val/x.npy", "test/y.npy"):
        assert (stores[0] / name).read_bytes() == (stores[1] / name).read_bytes()


def test_targets_are_bytes_if_they_are_exact(folder):
    assert open_dataset(make_dataset(folder, event_std_seconds=0))["train"].y.dtype == np.uint8


def test_the_attributes_are_plain_yaml_and_say_how_it_was_made(folder):
    store = make_dataset(folder, gap_seconds=0.003)
    attributes = yaml.safe_load((store / "attrs.yaml").read_text())
    assert attributes["made_with"]["gap_seconds"] == 0.003
    assert attributes["samplerate_x_Hz"] == 1000


def test_several_channels_and_subfolders(tmp_path):
    for i in range(3):
        x, rows = tone_song(seed=i, channels=3)
        write_recording(tmp_path / "song" / f"day{i}", "bird", x, 1000, rows)
    tree = open_dataset(make_dataset(tmp_path / "song"))
    assert tree["train"].sizes["channel"] == 3
    assert tree.attrs["filename_test"][0].endswith("/bird.wav")


def test_a_test_fraction_of_zero_leaves_an_empty_test_split(folder):
    tree = open_dataset(make_dataset(folder, test_fraction=0))
    assert tree["test"].sizes["time"] == 0
    assert describe(tree).loc["test"].sum() == 0


def test_a_dataset_that_is_there_stays_unless_asked(folder):
    store = make_dataset(folder)
    with pytest.raises(DssError, match="is there already"):
        make_dataset(folder, seed=1)
    assert open_dataset(store).attrs["made_with"]["seed"] == 0
    make_dataset(folder, seed=1, overwrite=True)
    assert open_dataset(store).attrs["made_with"]["seed"] == 1


def break_annotations(folder, row):
    path = folder / "bird_1_annotations.csv"
    path.write_text(path.read_text() + row + "\n")


BROKEN = {
    "no annotations": (
        lambda f: (f / "bird_1_annotations.csv").unlink(),
        "bird_1.wav: there is no bird_1_annotations.csv beside it",
    ),
    "beyond the end": (
        lambda f: break_annotations(f, "a,3.9,4.5"),
        r"bird_1_annotations.csv, row \d+ \(a\): stops at 4.5 s, but the recording ends at 4",
    ),
    "stop before start": (
        lambda f: break_annotations(f, "a,1.5,1.4"),
        r"bird_1_annotations.csv, row \d+ \(a\): stops at 1.4 s, before it starts at 1.5 s",
    ),
    "both ways": (
        lambda f: break_annotations(f, "a,1.5,1.5"),
        r"bird_1_annotations.csv, row \d+: a is used as event, but as segment in",
    ),
    "a column missing": (
        lambda f: (f / "bird_1_annotations.csv").write_text("name,start_seconds\na,1\n"),
        "bird_1_annotations.csv, row 1: there is no column stop_seconds",
    ),
    "sample rates": (
        lambda f: soundfile.write(f / "bird_1.wav", np.zeros(8000), 2000),
        "bird_1.wav: sample rate 2000, not 1000 as most of the others",
    ),
    "channels": (
        lambda f: soundfile.write(f / "bird_1.wav", np.zeros((4000, 2)), 1000),
        "bird_1.wav: number of channels 2, not 1 as most of the others",
    ),
    "an empty wav": (
        lambda f: (f / "bird_1.wav").write_bytes(b""),
        "bird_1.wav: the file is empty",
    ),
    "a truncated wav": (
        lambda f: (f / "bird_1.wav").write_bytes((f / "bird_1.wav").read_bytes()[:-99]),
        "bird_1.wav: the file is truncated",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_bad_input_is_named_and_nothing_is_written(folder, case):
    breaks, message = BROKEN[case]
    breaks(folder)
    with pytest.raises(DssError, match=message):
        make_dataset(folder)
    assert [p.name for p in folder.parent.iterdir()] == ["song"]


def test_a_damaged_sample_leaves_nothing_half_written(folder):
    x = np.zeros(4000, np.float32)
    x[3999] = np.inf
    soundfile.write(folder / "bird_2.wav", x, 1000, subtype="FLOAT")
    with pytest.raises(DssError, match="bird_2.wav: sample 3999 is not a number"):
        make_dataset(folder)
    assert [p.name for p in folder.parent.iterdir()] == ["song"]


def test_the_ending_npy_must_be_kept(folder, tmp_path):
    with pytest.raises(DssError, match="must end in .npy"):
        make_dataset(folder, store_dir=tmp_path / "dataset")


def test_a_split_that_would_be_empty_is_an_error(tmp_path):
    x, rows = tone_song(seed=0)
    write_recording(tmp_path / "song", "only", x, 1000, rows)
    with pytest.raises(DssError, match="too few to split test by files"):
        make_dataset(tmp_path / "song")


def test_what_is_no_dataset_is_an_error(folder):
    with pytest.raises(DssError, match="is not a dataset"):
        open_dataset(folder)
    with pytest.raises(DssError, match="there is no such dataset"):
        open_dataset(folder / "nowhere.npy")
    store = make_dataset(folder)
    (store / "val" / "y.npy").unlink()
    with pytest.raises(DssError, match="val lacks y; make it again"):
        open_dataset(store)
