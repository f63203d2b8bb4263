import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from conftest import tone_song, write_recording
from hypothesis import given, settings
from hypothesis import strategies as st

from dss.data import (
    describe,
    format_report,
    list_recordings,
    make_dataset,
    open_dataset,
    open_recording,
    read_annotations,
)
from dss.data.targets import make_targets
from dss.errors import DssError, DssWarning
from dss.support.progress import shown_by


def test_the_dataset_holds_the_audio_and_the_targets_of_its_recordings(folder):
    tree = open_dataset(make_dataset(folder, event_std_seconds=0.001))
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


def test_targets_of_one_song_type_need_a_name_without_a_slash(folder, tmp_path):
    with pytest.raises(DssError, match=r"(?s)individual_targets: no file .*slash.*\n  a/b"):
        make_dataset(folder, rename={"a": "a/b"}, individual_targets=True)
    store = make_dataset(folder, rename={"a": "a/b"}, store_dir=tmp_path / "x.npy")
    assert open_dataset(store).attrs["class_names"] == ["noise", "a/b", "b", "p"]


def test_a_dataset_of_one_recording_names_it(folder, tmp_path):
    recording = next(folder.glob("*.wav"))
    store = make_dataset(recording, store_dir=tmp_path / "one.npy", test_fraction=0)
    assert open_dataset(store).attrs["filename_train"] == [recording.name]


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


def test_a_song_type_may_be_called_as_a_column_of_the_report(folder):
    make_dataset(folder, rename="a=seconds b=unknown p=channels", event_std_seconds=0.001)
    tree = open_dataset(folder.with_name("song.npy"))
    rows = [r for path in folder.glob("*.csv") for r in read_annotations(path)["name"]]
    table = describe(tree)
    names = [f"{name} (song type)" for name in ("seconds", "unknown", "channels")]
    assert table.loc["all", names].tolist() == [rows.count(n) for n in "abp"]
    assert table["seconds"]["all"] == pytest.approx(12)
    assert [line.split()[0] for line in format_report(tree).splitlines()[-3:]] == [
        "channels",
        "seconds",
        "unknown",
    ]
    for path in folder.glob("*.csv"):
        path.write_text(path.read_text().replace("\na,", "\nseconds,"))
    table = list_recordings(folder)
    assert table.loc["all", ["seconds", "seconds (song type)"]].tolist() == [12, rows.count("a")]


def test_what_is_shown_while_a_dataset_is_made_is_that_it_is_read_and_written(folder):
    shown = set()
    with shown_by(lambda what, done, total: shown.add(what)):
        make_dataset(folder)
    assert shown == {"reading", "comparing", "writing train", "writing val", "writing test"}


def test_only_a_dataset_is_overwritten_and_never_with_its_recordings_in_it(folder, tmp_path):
    store = tmp_path / "thesis.npy"
    store.mkdir()
    (store / "chapter1.txt").write_text("song")
    with pytest.raises(DssError, match="is not a dataset, so it is not overwritten"):
        make_dataset(folder, store_dir=store, overwrite=True)
    store = tmp_path / "audio.npy"
    np.save(store, np.zeros(5))
    with pytest.raises(DssError, match="is not a dataset, so it is not overwritten"):
        make_dataset(folder, store_dir=store, overwrite=True)
    inside = shutil.copytree(folder, tmp_path / "all.zarr" / "song")
    with pytest.raises(DssError, match="contains the recordings"):
        make_dataset(inside, store_dir=inside.parent, overwrite=True)
    assert (tmp_path / "thesis.npy" / "chapter1.txt").is_file()
    assert len(list(inside.iterdir())) == len(list(folder.iterdir()))


def test_a_link_to_a_dataset_stays_one(folder, tmp_path):
    store, link = tmp_path / "disk" / "song.npy", tmp_path / "song.npy"
    make_dataset(folder, store_dir=store)
    link.symlink_to(store)
    make_dataset(folder, store_dir=link, overwrite=True, seed=1)
    assert link.is_symlink()
    assert open_dataset(store).attrs["made_with"]["seed"] == 1


def test_the_same_seed_gives_the_same_bytes(folder, tmp_path):
    stores = [make_dataset(folder, store_dir=tmp_path / f"{i}.npy", seed=4) for i in range(2)]
    for name in ("train/x.npy", "train/y.npy", "val/x.npy", "test/y.npy"):
        assert (stores[0] / name).read_bytes() == (stores[1] / name).read_bytes()


def test_targets_are_bytes_if_they_are_exact(folder):
    assert open_dataset(make_dataset(folder, event_std_seconds=0))["train"].y.dtype == np.uint8


@pytest.mark.filterwarnings("ignore::dss.errors.DssWarning")
@pytest.mark.parametrize(
    "rows",
    ["p,3.9,3.9\nq,3.9,3.9", "p,3.9,3.9\nq,3.9004,3.9004", "a,3.9001,3.9002\nb,3.9002,3.9003"],
)
def test_targets_sum_to_one_where_song_types_share_a_sample(folder, rows):
    path = folder / "bird_1_annotations.csv"
    path.write_text(f"{path.read_text()}{rows}\n")
    tree = open_dataset(make_dataset(folder, event_std_seconds=0, test_fraction=0, seed=1))
    for split in ("train", "val"):
        np.testing.assert_array_equal(tree[split].y.sum("song_type"), 1)


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


@pytest.mark.parametrize("name", [".", "..", "sub/..", "../song"])
def test_the_dataset_lies_beside_the_folder_however_it_is_written(folder, monkeypatch, name):
    inside = folder / "within" if name == ".." else folder
    (folder / "sub").mkdir()
    inside.mkdir(exist_ok=True)
    monkeypatch.chdir(inside)
    assert make_dataset(name).resolve() == folder.with_name("song.npy")


def test_a_dataset_that_is_there_stays_unless_asked(folder):
    store = make_dataset(folder)
    with pytest.raises(DssError, match="already exists"):
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
        "bird_1.wav: there are no annotations next to it; add bird_1_annotations.csv",
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
        r"bird_1_annotations.csv, row \d+ \(a\): has start = stop, as an event, but .* segments",
    ),
    "a column missing": (
        lambda f: (f / "bird_1_annotations.csv").write_text("name,start_seconds\na,1\n"),
        "bird_1_annotations.csv, row 1: there is no column stop_seconds",
    ),
    "sample rates": (
        lambda f: soundfile.write(f / "bird_1.wav", np.zeros(8000), 2000),
        "bird_1.wav: the sample rate is 2000 Hz, not 1000 Hz as most of the others",
    ),
    "channels": (
        lambda f: soundfile.write(f / "bird_1.wav", np.eye(4000, 2), 1000),
        "bird_1.wav: has 2 channels, but most of the others have 1",
    ),
    "an empty wav": (
        lambda f: (f / "bird_1.wav").write_bytes(b""),
        "bird_1.wav: the file is empty",
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


def test_a_damaged_flac_is_named_and_leaves_nothing_half_written(folder):
    x = np.random.default_rng(0).uniform(-1, 1, 60_000)
    (folder / "bird_2.wav").unlink()
    path = folder / "bird_2.flac"
    soundfile.write(path, x, 1000)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : -1000] = bytes(len(content) - len(content) // 2 - 1000)
    path.write_bytes(content)
    with pytest.raises(DssError, match="bird_2.flac: .* are missing"):
        make_dataset(folder, strict=True)
    assert [p.name for p in folder.parent.iterdir()] == ["song"]


def test_the_ending_npy_must_be_kept(folder, tmp_path):
    with pytest.raises(DssError, match="must end in .npy"):
        make_dataset(folder, store_dir=tmp_path / "dataset")


def test_a_split_that_would_be_empty_is_an_error(tmp_path):
    x, rows = tone_song(seed=0)
    write_recording(tmp_path / "song", "only", x, 1000, rows)
    with pytest.raises(DssError, match="Too few recordings .* to split test by files"):
        make_dataset(tmp_path / "song", test_split="files")


def test_what_is_no_dataset_is_an_error(folder):
    with pytest.raises(DssError, match="is not a dataset"):
        open_dataset(folder)
    with pytest.raises(DssError, match="there is no such dataset"):
        open_dataset(folder / "nowhere.npy")
    store = make_dataset(folder)
    (store / "val" / "y.npy").unlink()
    with pytest.raises(DssError, match="val lacks y; make it again"):
        open_dataset(store)


def test_song_types_are_chosen_renamed_and_merged(folder):
    tree = open_dataset(make_dataset(folder, rename={"a": "tone", "b": "tone"}))
    assert tree.attrs["class_names"] == ["noise", "p", "tone"]
    only = make_dataset(folder, song_types=["b"], rename=["a=x"], overwrite=True)
    assert open_dataset(only).attrs["class_names"] == ["noise", "b"]
    with pytest.raises(DssError, match="the song types are a, b, p, but not:\n  c"):
        make_dataset(folder, song_types="a c", overwrite=True)
    with pytest.raises(DssError, match="rename: 'a' should be written as old=new"):
        make_dataset(folder, rename="a", overwrite=True)


def test_definitions_are_renamed_as_annotations_are(folder):
    (folder / "bird_0_definitions.csv").write_text("a,segment\nb,segment\np,event\n")
    tree = open_dataset(make_dataset(folder, rename={"a": "tone", "b": "tone"}))
    assert tree.attrs["class_names"] == ["noise", "p", "tone"]


def test_only_song_types_that_there_are_can_be_renamed_and_only_to_song_types(folder):
    with pytest.raises(DssError, match="rename: the song types are a, b, p, but not:\n  aa"):
        make_dataset(folder, rename={"aa": "x"})
    with pytest.raises(DssError, match="rename: 'not_b' should be the name of a song type"):
        make_dataset(folder, rename={"a": "not_b"})


def test_what_is_known_does_not_depend_on_new_names(folder):
    for i, path in enumerate(sorted(folder.glob("*.csv"))):
        path.write_text(path.read_text() + f"not_a,{i},3.9\nnot_b,1,3.5\nnot_p,2,3.7\n")
    old = open_dataset(make_dataset(folder, test_fraction=0))
    new = make_dataset(folder, rename="a=tone b=tone p=click", test_fraction=0, overwrite=True)
    new = open_dataset(new)
    assert new.attrs["class_names"] == ["noise", "click", "tone"]
    assert 0 < old["train"].annotated.sum() < old["train"].sizes["time"]
    np.testing.assert_array_equal(new["train"].annotated, old["train"].annotated)


def test_noise_can_become_a_song_type(folder):
    path = folder / "bird_0_annotations.csv"
    path.write_text(path.read_text() + "noise,0.02,0.05\nnoise,3.8,3.95\n")
    store = make_dataset(folder, rename="noise=cage", test_fraction=0, seed=1)
    tree = open_dataset(store)
    assert tree.attrs["class_names"] == ["noise", "a", "b", "cage", "p"]
    assert "annotated" not in tree["train"]


def test_individual_targets_whose_files_would_be_one_on_other_systems_are_refused(folder):
    with pytest.raises(DssError, match=r"(?s)differ only in case are the same file .*\n  B and b"):
        make_dataset(folder, rename={"a": "B"}, individual_targets=True)
    assert make_dataset(folder, rename={"a": "B"}).exists()


def test_individual_targets_are_those_of_one_song_type(folder):
    tree = open_dataset(make_dataset(folder, individual_targets=True, event_std_seconds=0.002))
    for name in "abp":
        y = tree["train"][f"y_{name}"]
        assert y[f"song_type_{name}"].values.tolist() == ["noise", name]
        np.testing.assert_allclose(y[:, 1], tree["train"].y.sel(song_type=name), atol=2e-3)
        np.testing.assert_allclose(y.sum(axis=1), 1, atol=1e-6)
        assert tree.attrs[f"class_names_{name}"] == ["noise", name]


def test_onsets_and_offsets_of_segments_can_be_events(folder):
    tree = open_dataset(make_dataset(folder, boundary_targets=True, event_std_seconds=0))
    assert tree.attrs["class_names"] == ["noise", "a", "b", "p", "onset", "offset"]
    assert tree.attrs["class_types"][-2:] == ["event", "event"]
    counts = describe(tree).loc["all"]
    assert counts["onset"] == counts["a"] + counts["b"]
    segment = tree["test"].y.sel(song_type=["a", "b"]).max("song_type").values > 0
    rises = np.flatnonzero(segment[1:] & ~segment[:-1]) + 1
    onsets = np.flatnonzero(tree["test"].y.sel(song_type="onset").values > 0)
    np.testing.assert_array_equal(onsets, rises)


def test_what_nobody_looked_at_is_unknown(folder):
    (folder / "bird_1_annotated.csv").write_text("start_seconds,stop_seconds\n1,2\n3,3.5\n")
    tree = open_dataset(make_dataset(folder, test_fraction=0))
    assert describe(tree).loc["all", "unknown"] == pytest.approx(2.5)
    known = sum(int(tree[split].annotated.sum()) for split in ("train", "val"))
    assert known == 3 * 4000 - 2500


def test_unknown_samples_have_no_weight(folder):
    from dss.data.batches import Chunks, array_of, split_stretches

    (folder / "bird_1_annotated.csv").write_text("start_seconds,stop_seconds\n1,2\n")
    train = (tree := open_dataset(make_dataset(folder, test_fraction=0)))["train"]
    chunks = Chunks(
        *(array_of(train[name]) for name in "xy"),
        split_stretches(tree, "train"),
        64,
        8,
        array_of(train["annotated"]),
    )
    _, _, weight = chunks.batch(*chunks.grid())
    assert weight.sum() == train.annotated.sum() < train.sizes["time"]


def test_a_song_type_that_a_split_lacks_is_a_warning_with_a_suggestion(folder):
    path = folder / "bird_1_annotations.csv"
    path.write_text(path.read_text() + "trill,3.9,3.95\nbuzz,NaN,0\n")
    with pytest.warns(DssWarning) as warned:
        make_dataset(folder, test_fraction=0, seed=1)
    messages = [str(w.message) for w in warned if w.category is DssWarning]
    assert any(
        "trill does not occur in" in m and "it has 1 annotation, in 1 rec" in m for m in messages
    )
    assert any("buzz was never found" in m for m in messages)


def test_annotations_of_the_splits_are_written_in_their_own_time(folder):
    store = make_dataset(folder, split_csv=True, event_std_seconds=0)
    tree = open_dataset(store)
    for split in ("train", "val", "test"):
        table = read_annotations(store / f"{split}_annotations.csv")
        y = tree[split].y
        for name, start, stop in table[table["name"] != "p"].iloc[:, :3].itertuples(index=False):
            a, b = round(start * 1000), round(stop * 1000)
            assert (y.sel(song_type=name)[a:b] == 1).all()
        assert len(table) >= describe(tree).loc[split, ["a", "b", "p"]].sum()


def test_individuals_stay_together(tmp_path):
    for bird in "xyz":
        for i in range(2):
            x, rows = tone_song(seed=i)
            write_recording(tmp_path / "song" / bird, f"{i}", x, 1000, rows)
    tree = open_dataset(make_dataset(tmp_path / "song", groups="^([xyz])/", test_fraction=0.3))
    birds = {s: {f[0] for f in tree.attrs[f"filename_{s}"]} for s in ("train", "test")}
    assert len(tree.attrs["filename_test"]) == 2
    assert len(birds["test"]) == 1
    assert not birds["test"] & birds["train"]


def test_targets_do_not_depend_on_the_size_of_blocks(folder, tmp_path, monkeypatch):
    whole = make_dataset(folder, event_std_seconds=0.01)
    monkeypatch.setattr("dss.data.split_writing.BLOCK_SAMPLES", 97)
    parts = make_dataset(folder, event_std_seconds=0.01, store_dir=tmp_path / "parts.npy")
    for name in ("train/x.npy", "train/y.npy", "test/y.npy"):
        assert (whole / name).read_bytes() == (parts / name).read_bytes()


def test_recordings_of_any_rate_are_resampled(folder):
    x, _ = soundfile.read(folder / "bird_1.wav")
    soundfile.write(folder / "bird_1.wav", np.repeat(x, 2), 2000)
    tree = open_dataset(make_dataset(folder, samplerate_hz=500))
    assert tree.attrs["samplerate_x_Hz"] == 500
    total = sum(tree[split].sizes["time"] for split in ("train", "val", "test"))
    assert total == 3 * 2000
    assert describe(tree).loc["all", "seconds"] == pytest.approx(12)


def test_a_loader_of_ones_own_reads_recordings_and_annotations(tmp_path):
    for i in range(3):
        x, rows = tone_song(seed=i)
        write_recording(tmp_path / "song", f"bird_{i}", x, 1000, rows)
        (tmp_path / "song" / f"bird_{i}.wav").unlink()
        np.save(tmp_path / "song" / f"bird_{i}.raw.npy", (x * 2**15).astype(np.int16))
        (tmp_path / "song" / f"bird_{i}.raw.npy").rename(tmp_path / "song" / f"bird_{i}.raw")

    def loader(path):
        with path.open("rb") as file:
            return 1000, np.load(file)[:, 0]

    store = make_dataset(tmp_path / "song", loader=loader, endings=".raw", test_fraction=0)
    x = open_dataset(store)["train"].x.values
    assert x.dtype == np.float32
    assert 0.3 < abs(x).max() <= 1


def test_a_split_of_which_nothing_is_known_is_an_error(folder):
    for i in range(3):
        path = folder / f"bird_{i}_annotated.csv"
        path.write_text("start_seconds,stop_seconds\n1.9,2.1\n")
    with pytest.raises(DssError, match="would contain only unknown stretches"):
        make_dataset(folder, test_fraction=0, val_fraction=0.1, seed=2)


def test_partly_annotated_song_of_a_real_fly(fly_partial, tmp_path):
    store = make_dataset(
        fly_partial, store_dir=tmp_path / "fly.npy", test_split="samples", block_seconds=2
    )
    tree = open_dataset(store)
    assert tree.attrs["class_names"] == ["noise", "pulse", "sine"]
    table = describe(tree)
    assert table.loc["all", "seconds"] == pytest.approx(200)
    assert 170 < table.loc["all", "unknown"] < 180
    assert table.loc["all", ["pulse", "sine"]].tolist() == [67, 15]
    assert (table.loc[["train", "val", "test"], ["pulse", "sine"]] > 0).all().all()


rows = st.lists(
    st.tuples(st.sampled_from("abp"), st.integers(0, 900), st.integers(1, 90)),
    min_size=1,
    max_size=12,
)


@given(
    st.lists(rows, min_size=3, max_size=4),
    st.tuples(*[st.sampled_from(["files", "samples"])] * 3),
    st.sampled_from([0, 0.2]),
    st.sampled_from([0, 0.3]),
    st.sampled_from([0, 0.002]),
    st.sampled_from([".npy", ".zarr"]),
)
@settings(max_examples=25, deadline=None)
@pytest.mark.filterwarnings("ignore::dss.errors.DssWarning")
def test_any_annotations_come_back_from_any_splits(tables, kinds, test, blocks, std, ending):
    """Lengths add up, rows sum to one, and the targets say what the annotations said."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for i, table in enumerate(tables):
            x = np.random.default_rng(i).uniform(-1, 1, 1000)
            annotated = [(n, t / 1e3, (t + d * (n != "p")) / 1e3) for n, t, d in table]
            write_recording(folder / "song", f"r{i}", x, 1000, annotated)
        store = make_dataset(
            folder / "song",
            store_dir=folder / f"d{ending}",
            test_fraction=test,
            block_seconds=blocks,
            event_std_seconds=std,
            gap_seconds=0,
            **{f"{s}_split": kind for s, kind in zip(("train", "val", "test"), kinds, strict=True)},
        )
        tree = open_dataset(store)
        total = 0
        for split in ("train", "val", "test"):
            x, y = tree[split].x.values, tree[split].y.values
            np.testing.assert_array_equal(y.sum(axis=1), 1)
            first = 0
            parts = [tree.attrs[f"filename_{k}{split}"] for k in ("", "startsample_", "endsample_")]
            for file, start, end in zip(*parts, strict=True):
                here = slice(first, first + end - start)
                audio = open_recording(folder / "song" / file)
                np.testing.assert_array_equal(x[here], audio.read(start, end))
                song = np.zeros((end - start, len(tree.attrs["class_names"])), bool)
                for name, t, d in tables[int(file[1])]:
                    if name != "p":
                        a, b = np.clip([t, t + d], start, end) - start
                        song[a:b, tree.attrs["class_names"].index(name)] = True
                for column, name in enumerate(tree.attrs["class_names"]):
                    if name in "ab":
                        np.testing.assert_array_equal(y[here, column] > 0, song[:, column])
                first = here.stop
            assert first == len(x) == len(y)
            total += first
        assert total == 1000 * len(tables)


def test_annotations_of_other_formats_are_found_beside_the_recordings(folder):
    for i in range(3):
        path = folder / f"bird_{i}_annotations.csv"
        table = read_annotations(path)
        labels = "".join(f"{t}\t{u}\t{n}\n" for n, t, u in table.itertuples(index=False))
        (folder / f"bird_{i}.txt").write_text(labels)
        path.unlink()
    tree = open_dataset(make_dataset(folder, event_std_seconds=0))
    assert tree.attrs["class_types"] == ["segment", "segment", "segment", "event"]
    assert describe(tree).loc["all", "a"] > 5


def test_an_annotation_loader_of_ones_own(folder):
    tables = {
        p.stem: read_annotations(folder / f"{p.stem}_annotations.csv") for p in folder.glob("*.wav")
    }
    for path in folder.glob("*.csv"):
        path.unlink()
    store = make_dataset(folder, annotation_loader=lambda recording: tables[recording.stem])
    total = sum((table["name"] == "a").sum() for table in tables.values())
    assert describe(open_dataset(store)).loc["all", "a"] == total
    with pytest.raises(DssError, match="bird_0.wav: the annotation loader failed: KeyError: 'x'"):
        make_dataset(folder, annotation_loader=lambda recording: tables["x"], overwrite=True)


def test_a_link_that_leads_to_itself_is_no_folder_and_is_replaced_as_a_dataset(folder, tmp_path):
    loop = tmp_path / "loop.npy"
    loop.symlink_to(loop)
    with pytest.raises(DssError, match=r"loop\.npy: there is no such file or folder"):
        make_dataset(loop, store_dir=tmp_path / "song.npy")
    assert open_dataset(make_dataset(folder, store_dir=loop))["train"].sizes["time"]
