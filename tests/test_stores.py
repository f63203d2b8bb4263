import json
import pickle

import h5py
import numpy as np
import pytest
import soundfile
import yaml
from conftest import TINY

from dss.data import describe, make_dataset, open_dataset
from dss.data.batches import array_of, split_stretches
from dss.data.contents import audio_warnings
from dss.data.report import format_report
from dss.errors import DssError, DssWarning
from dss.options import DatasetOptions
from dss.support.files import remove

EVERYTHING = {"individual_targets": True, "test_split": "samples", "event_std_seconds": 0.002}


def same(a, b):
    for split in ("train", "val", "test"):
        assert set(a[split].data_vars) == set(b[split].data_vars)
        for name, variable in a[split].data_vars.items():
            assert variable.dtype == b[split][name].dtype
            np.testing.assert_array_equal(variable.values, b[split][name].values)
        np.testing.assert_array_equal(a[split].song_type.values, b[split].song_type.values)


def test_npy_and_zarr_hold_the_same(folder, tmp_path):
    trees = [
        open_dataset(make_dataset(folder, store_dir=tmp_path / f"d{ending}", **EVERYTHING))
        for ending in (".npy", ".zarr")
    ]
    same(*trees)
    assert trees[0].attrs["report"] == trees[1].attrs["report"]
    assert not isinstance(array_of(trees[1]["train"].x), np.ndarray)  # not read yet


def test_zarr_chunks_do_not_depend_on_the_blocks(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("dss.data.stores.CHUNK_SAMPLES", 700)
    monkeypatch.setattr("dss.data.split_writing.BLOCK_SAMPLES", 333)
    trees = [
        open_dataset(make_dataset(folder, store_dir=tmp_path / f"d{ending}"))
        for ending in (".npy", ".zarr")
    ]
    same(*trees)
    assert trees[1]["train"].x.encoding.get("chunks", (700, 1)) == (700, 1)


@pytest.mark.parametrize("lost", ["train/x/c/1", "train/annotated/c/0", "test/y/c"])
def test_lost_chunks_of_zarr_are_not_taken_for_zeros(folder, tmp_path, monkeypatch, lost):
    monkeypatch.setattr("dss.data.stores.CHUNK_SAMPLES", 700)
    (folder / "bird_0_annotated.csv").write_text("start_seconds,stop_seconds\n0,3\n")
    for wav in folder.glob("*.wav"):  # silence: chunks of zeros are written, too
        soundfile.write(wav, np.zeros(4000), 1000)
    store = make_dataset(folder, store_dir=tmp_path / "d.zarr")
    assert not open_dataset(store)["train"].x.values.any()
    remove(store / lost)
    with pytest.raises(DssError, match=rf"{lost.partition('/c')[0]}: .* of its .* damaged"):
        open_dataset(store)


def test_chunks_of_zarr_that_hold_nothing_are_reported(folder, tmp_path):
    store = make_dataset(folder, store_dir=tmp_path / "d.zarr")
    (store / "zarr.json").unlink()  # which repeats what each array says
    file = store / "train" / "x" / "zarr.json"
    said = json.loads(file.read_text())
    said["chunk_grid"]["configuration"]["chunk_shape"][0] = 0
    file.write_text(json.dumps(said))
    with pytest.raises(DssError, match=r"d\.zarr"):
        open_dataset(store)


def test_an_empty_chunk_of_zarr_is_damage_unless_the_store_leaves_chunks_out(folder, tmp_path):
    store = make_dataset(folder, store_dir=tmp_path / "d.zarr")
    (store / "val" / "y" / "c" / "0" / "0").write_bytes(b"")
    with pytest.raises(DssError, match="val/y: 1 of its 1 chunks"):
        open_dataset(store)
    remove(store / "val" / "y" / "c")
    described = store / "val" / "y" / "zarr.json"
    described.write_text(described.read_text().replace("all_chunks", "other"))
    assert not open_dataset(store)["val"].y.values.any()


def test_h5_is_read(folder, tmp_path):
    tree = open_dataset(make_dataset(folder, **EVERYTHING))
    with h5py.File(tmp_path / "d.h5", "w") as file:
        for name in ("samplerate_x_Hz", "samplerate_y_Hz", "class_names", "class_types"):
            file.attrs[name] = tree.attrs[name]
        for name in "abp":
            file.attrs[f"class_names_{name}"] = ["noise", name]
        for split in ("train", "val", "test"):
            for name, variable in tree[split].data_vars.items():
                file[f"{split}/{name}"] = variable.values
    again = open_dataset(tmp_path / "d.h5")
    same(tree, again)
    assert describe(again).loc["all", "seconds"] == pytest.approx(12)


def legacy(folder, attributes, arrays):
    """The same bytes as DAS 0.32 writes."""
    folder.mkdir()
    for name, array in arrays.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(folder / f"{name}.npy", array)
    np.save(folder / "attrs.npy", np.array(attributes, dtype=object), allow_pickle=True)
    return folder


@pytest.fixture
def das_dataset(folder, tmp_path):
    tree = open_dataset(make_dataset(folder, **EVERYTHING))
    arrays = {
        f"{split}/{name}": variable.values.astype(np.float16)
        for split in ("train", "val", "test")
        for name, variable in tree[split].data_vars.items()
    }
    attributes = {
        "samplerate_x_Hz": 1000,
        "samplerate_y_Hz": np.float64(1000),
        "class_names": np.array(["noise", "a", "b", "p"]),
        "class_types": ["segment", "segment", "segment", "event"],
        "filename_train": [],
        "filename_startsample_train": [],
        "filename_endsample_train": [],
        "data_splits": {np.str_("bird_0"): {"train": [[0, np.int64(100)]]}},
        **{f"class_names_{n}": ["noise", n] for n in "abp"},
        **{f"class_types_{n}": ["segment", "segment"] for n in "abp"},
    }
    return legacy(tmp_path / "das.npy", attributes, arrays), tree


def test_a_dataset_by_das_opens_and_trains(das_dataset):
    from dss.train import train

    store, tree = das_dataset
    das = open_dataset(store)
    assert das.attrs["class_names"] == ["noise", "a", "b", "p"]
    assert das.attrs["data_splits"] == {"bird_0": {"train": [[0, 100]]}}
    assert isinstance(das["train"].x.data, np.memmap)
    assert split_stretches(das, "train").tolist() == [[0, das["train"].sizes["time"]]]
    counted, reported = describe(das), describe(tree)
    assert (abs(counted[["a", "b"]] - reported[["a", "b"]]) <= 1).all().all()
    trunk = train(data_dir=store, nb_epoch=1, y_suffix="b", **TINY)
    assert yaml.safe_load((trunk.parent / f"{trunk.name}_params.yaml").read_text())[
        "class_names"
    ] == ["noise", "b"]


class Malicious:
    def __reduce__(self):
        return (exec, ("open('pwned', 'w').close()",))


@pytest.mark.parametrize(
    "attributes", [Malicious(), {"class_names": Malicious()}, {"a": np.array([Malicious()])}]
)
def test_a_malicious_pickle_is_refused(tmp_path, monkeypatch, attributes):
    monkeypatch.chdir(tmp_path)
    store = legacy(tmp_path / "das.npy", attributes, {})
    with pytest.raises(DssError, match=r"attrs\.npy: .*builtins\.exec, which is not plain data"):
        open_dataset(store)
    assert not (tmp_path / "pwned").exists()


def test_a_pickle_that_is_no_dictionary_is_an_error(tmp_path):
    with pytest.raises(DssError, match="contains no attributes"):
        open_dataset(legacy(tmp_path / "das.npy", [1, 2], {}))
    (tmp_path / "das.npy" / "attrs.npy").write_bytes(pickle.dumps({}))
    with pytest.raises(DssError, match="cannot be read as the attributes"):
        open_dataset(tmp_path / "das.npy")


@pytest.mark.parametrize("ending", [".npy", ".zarr"])
def test_a_dataset_may_be_renamed(folder, tmp_path, ending):
    store = make_dataset(folder, store_dir=tmp_path / f"d{ending}")
    n_samples = open_dataset(store)["train"].sizes["time"]
    for name in ("old", "old.npy", "old.zarr", "old.h5"):
        store = store.rename(tmp_path / name)
        assert open_dataset(store)["train"].x.values.shape == (n_samples, 1)


def test_a_broken_h5_is_an_error(tmp_path):
    (tmp_path / "d.h5").write_bytes(b"\x89HDF\r\n\x1a\n and no more")
    with pytest.raises(DssError, match=r"d\.h5: cannot be read as HDF5"):
        open_dataset(tmp_path / "d.h5")


def test_the_ending_says_what_is_written(folder, tmp_path):
    with pytest.raises(DssError, match=r"must end in \.npy or \.zarr"):
        make_dataset(folder, store_dir=tmp_path / "dataset")
    with pytest.raises(DssError, match=r"\.h5 is read, not written"):
        make_dataset(folder, store_dir=tmp_path / "dataset.h5")
    assert DatasetOptions().store_dir is None


@pytest.mark.parametrize("text", ["", '{"attributes": {"a"', "[1]", "null", '{"attributes": 5}'])
@pytest.mark.parametrize("where", ["", "train", "val/x"])
def test_damaged_descriptions_of_zarr_are_reported(folder, tmp_path, where, text):
    store = make_dataset(folder, store_dir=tmp_path / "d.zarr")
    (store / where / "zarr.json").write_text(text)
    with pytest.raises(DssError, match=r"d\.zarr.*make it again"):
        open_dataset(store)


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("attrs.yaml", b"", "attrs.yaml: contains no attributes"),
        ("attrs.yaml", b"null", "attrs.yaml: contains no attributes"),
        ("attrs.yaml", b"a: \x01", "attrs.yaml: cannot be read"),
        ("attrs.yaml", b"a: \xff", "attrs.yaml: cannot be read"),
        ("train/x.npy", b"", "x.npy: cannot be opened"),
        ("train/x.npy", np.zeros(10), r"train/x is float64 \(10,\)"),
        ("val/y.npy", np.zeros(10), r"val/y is float64 \(10,\)"),
        ("val/y.npy", np.array([["a"]]), r"val/y is <U1"),
        ("train/annotated.npy", np.zeros(10), r"train/annotated \(10,\) does not fit x"),
    ],
)
def test_damaged_files_of_npy_are_reported(folder, file, content, said):
    store = make_dataset(folder)
    if isinstance(content, bytes):
        (store / file).write_bytes(content)
    else:
        np.save(store / file, content)
    with pytest.raises(DssError, match=rf"(?s){said}.*make it again"):
        open_dataset(store)


def test_splits_that_do_not_fit_each_other_are_reported(folder):
    store = make_dataset(folder)
    x = np.load(store / "val" / "x.npy")
    np.save(store / "val" / "x.npy", np.repeat(x, 2, axis=1))
    with pytest.raises(DssError, match="have different channels, .*'val': 2"):
        open_dataset(store)
    remove(store / "val")
    with pytest.raises(DssError, match="has no val"):
        open_dataset(store)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"samplerate_x_Hz": "fast"}, "samplerate_x_Hz: 'fast'"),
        ({"samplerate_x_Hz": float("inf")}, "samplerate_x_Hz: inf"),
        ({"class_names": None}, "class_names: None"),
        ({"class_names": ["noise", "a", "a", "p"]}, "class_names: a occurs more than once"),
        ({"class_types": []}, "class_types: 0 of them"),
    ],
)
def test_attributes_that_cannot_be_right_are_reported(folder, changed, said):
    file = make_dataset(folder) / "attrs.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | changed))
    with pytest.raises(DssError, match=rf"(?s)song\.npy: these attributes .*{said}"):
        open_dataset(file.parent)


@pytest.mark.parametrize("ends", [[10**20], [-5]])
def test_stretches_that_cannot_be_are_reported(folder, ends):
    file = make_dataset(folder) / "attrs.yaml"
    changed = {"filename_startsample_val": [0], "filename_endsample_val": ends}
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | changed))
    with pytest.raises(DssError, match=r"song\.npy: filename_startsample_val and .* damaged"):
        split_stretches(open_dataset(file.parent), "val")


def test_attributes_that_a_dataset_can_do_without(folder):
    file = make_dataset(folder) / "attrs.yaml"
    attributes = yaml.safe_load(file.read_text())
    del attributes["samplerate_y_Hz"], attributes["filename_endsample_val"]
    file.write_text(yaml.safe_dump(attributes))
    tree = open_dataset(file.parent)
    assert tree.attrs["samplerate_y_Hz"] == 1000
    with pytest.raises(DssError, match=r"song\.npy: filename_startsample_val and .* damaged"):
        split_stretches(tree, "val")
    del attributes["filename_startsample_val"]
    file.write_text(yaml.safe_dump(attributes))
    assert len(split_stretches(open_dataset(file.parent), "val")) == 1


def test_a_truncated_h5_is_an_error(tmp_path):
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["train/x"] = np.zeros((9000, 1))
    content = (tmp_path / "d.h5").read_bytes()
    (tmp_path / "d.h5").write_bytes(content[: len(content) // 2])
    with pytest.raises(DssError, match=r"d\.h5: cannot be read as HDF5"):
        open_dataset(tmp_path / "d.h5")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("filename_train", -1),
        ("filename_val", [1, 2]),
        ("made_from", ["here"]),
        ("made_with", "dss"),
        ("chosen", 3),
        ("fixed", {"x": 1}),
    ],
)
def test_odd_notes_about_a_dataset_are_left_out_with_a_warning(folder, name, value):
    store = make_dataset(folder)
    attributes = yaml.safe_load((store / "attrs.yaml").read_text())
    (store / "attrs.yaml").write_text(yaml.safe_dump(attributes | {name: value}))
    with pytest.warns(DssWarning, match=f"song.npy: its attribute {name} is .*, which is ignore"):
        tree = open_dataset(store)
    assert name not in tree.attrs
    assert audio_warnings(tree, "train") == []
    assert "annotations" in format_report(tree)
