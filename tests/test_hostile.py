"""Files made to do harm, or to use up memory or time."""

import io
import os
import re
import zipfile

import h5py
import numpy as np
import pytest
import scipy.io
import yaml

from dss.cli import main
from dss.data import (
    check_annotations,
    find_recordings,
    fixes,
    make_dataset,
    open_dataset,
    open_recording,
)
from dss.data.annotations import read_annotations
from dss.data.audio import open_audio
from dss.data.batches import array_of
from dss.data.formats.mat5 import check_mat
from dss.data.recording_groups import recording_groups
from dss.data.report import describe
from dss.data.song_types import read_definitions
from dss.errors import DssError, DssWarning
from dss.predict import predict
from dss.review.proofread import is_confirmed
from dss.runs import load_run, run_file
from dss.support import hdf5
from dss.train import train


def audio_file(path, **links):
    with h5py.File(path, "w") as file:
        file["samplerate"] = 1000
        for name, link in links.items():
            file[name] = link
    return path


def test_links_out_of_an_hdf5_file_are_not_followed(tmp_path):
    audio_file(tmp_path / "secret.h5", data=np.zeros(100))
    pipe = tmp_path / "pipe.h5"
    os.mkfifo(pipe)  # opening it would wait for ever
    for link in (
        h5py.ExternalLink("secret.h5", "/data"),
        h5py.ExternalLink(str(pipe), "/data"),
        h5py.SoftLink("/other/data"),
    ):
        path = audio_file(tmp_path / "a.h5", data=link)
        with pytest.raises(DssError, match="a.h5: /data is a link to .*: not followed"):
            open_audio(path)


def test_values_in_other_files_are_not_read(tmp_path):
    (tmp_path / "secret.bin").write_bytes(bytes(800))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["samplerate"] = 1000
        stored_in = [(str(tmp_path / "secret.bin"), 0, 800)]
        file.create_dataset("data", (100,), float, external=stored_in)
    with pytest.raises(DssError, match="the values of /data are in another file"):
        open_audio(tmp_path / "a.h5")
    layout = h5py.VirtualLayout((100,), float)
    layout[:] = h5py.VirtualSource(str(tmp_path / "b.h5"), "data", shape=(100,))
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file["samplerate"] = 1000
        file.create_virtual_dataset("data", layout)
    with pytest.raises(DssError, match="the values of /data are in another file"):
        open_audio(tmp_path / "v.h5")


def test_a_pipe_is_no_hdf5_file(tmp_path):
    os.mkfifo(tmp_path / "a.h5")
    with pytest.raises(DssError, match="there is no such file"), hdf5.reading(tmp_path / "a.h5"):
        pass


def test_an_array_cannot_claim_more_than_its_file_holds(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["samplerate"] = 1000
        file.create_dataset("data", (2**40,), "f4", chunks=(1024,))
    with pytest.raises(DssError, match="/data claims 4,398,046,511,104 bytes, in a file of"):
        open_audio(tmp_path / "a.h5")


@pytest.mark.parametrize("name", ["data", "../../data", "folder/data"])
def test_members_of_an_npz_file_lie_in_no_folder(tmp_path, name):
    content = io.BytesIO()
    np.save(content, np.zeros(100))
    np.savez(tmp_path / "a.npz", samplerate=1000)
    with zipfile.ZipFile(tmp_path / "a.npz", "a") as archive:
        archive.writestr(f"{name}.npy", content.getvalue())
    if name == "data":
        assert open_recording(tmp_path / "a.npz").n_samples == 100
    else:
        with pytest.raises(DssError, match=f"no 'data', only 'samplerate', '{name}'"):
            open_recording(tmp_path / "a.npz")


@pytest.mark.parametrize("ending", [".npy", ".zarr"])
@pytest.mark.parametrize("what", ["link", "linked folder", "pipe"])
def test_links_out_of_a_dataset_are_not_followed(folder, tmp_path, ending, what):
    store = make_dataset(folder, store_dir=tmp_path / f"song{ending}")
    victim = next(
        p
        for p in sorted(store.rglob("*"))
        if p.is_file() and "x" in p.parts[-1:][0] + p.parent.name
    )
    if what == "linked folder":
        victim = victim.parent
    victim.rename(tmp_path / "secret")
    if what == "pipe":
        os.mkfifo(victim)
    else:
        victim.symlink_to(tmp_path / "secret")
    said = "is not a regular file" if what == "pipe" else "is a link out of .*song"
    with pytest.raises(DssError, match=said):
        open_dataset(store)


def test_links_within_a_dataset_and_to_it_are_followed(folder, tmp_path):
    store = make_dataset(folder, store_dir=tmp_path / "song.npy")
    (store / "train" / "x.npy").rename(store / "train" / "audio")
    (store / "train" / "x.npy").symlink_to("audio")
    (tmp_path / "link.npy").symlink_to(store)
    assert "x" in open_dataset(tmp_path / "link.npy")["train"]


@pytest.mark.parametrize("text", ["[" * 100_000, "&a [*a]", "&a {b: [*a, *a]}"])
def test_attributes_that_are_too_deep_or_hold_themselves_are_damaged(folder, tmp_path, text):
    store = make_dataset(folder, store_dir=tmp_path / "song.npy")
    with (store / "attrs.yaml").open("a") as file:
        file.write(f"more: {text}\n")
    with pytest.raises(DssError, match=r"attrs\.yaml: cannot be read as YAML .*make it again"):
        open_dataset(store)


def test_attributes_of_zarr_that_are_too_deep_are_damaged(folder, tmp_path):
    store = make_dataset(folder, store_dir=tmp_path / "song.zarr")
    (store / "zarr.json").write_text('{"attributes": {"a": ' + "[" * 100_000)
    with pytest.raises(DssError, match=r"zarr\.json: cannot be read .*make it again"):
        open_dataset(store)


def test_a_rate_cannot_be_an_array(tmp_path):
    np.savez(tmp_path / "a.npz", data=np.zeros(100, "f4"), samplerate=np.zeros(10_000))
    with pytest.raises(DssError, match="samplerate.npy has .* bytes; it should be a number"):
        open_audio(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", data=np.zeros(100, "f4"), samplerate=np.zeros(3))
    with pytest.raises(DssError, match=r"has the shape \(3,\); it should be a number"):
        open_audio(tmp_path / "b.npz")


def test_one_broken_recording_does_not_stop_the_others(tiny_run, folder, tmp_path, capsys):
    audio_file(folder / "broken.h5", data=h5py.SoftLink("/nowhere/at/all"))
    (folder / "broken_annotations.csv").write_text("name,start_seconds,stop_seconds\n")
    out = tmp_path / "annotated"
    assert main(["predict", str(folder), str(tiny_run[0]), "--save-dir", str(out)]) == 2
    assert "broken.h5: /data is a link to /nowhere/at/all" in capsys.readouterr().err
    assert len([*out.glob("bird_*_annotations.csv")]) == 3


@pytest.mark.parametrize("damage", [b"", b"\xff" * 60])
def test_a_damaged_chunk_is_said_where_it_is_read(folder, tmp_path, damage):
    store = make_dataset(folder, store_dir=tmp_path / "song.zarr", test_fraction=0)
    chunk = next(path for path in (store / "train" / "x" / "c").rglob("*") if path.is_file())
    chunk.write_bytes(damage)
    with pytest.raises(DssError, match=r"song.zarr.*make it again"):
        np.asarray(array_of(open_dataset(store)["train"]["x"]))
    with pytest.raises(DssError, match=r"song.zarr.*make it again"):
        train(data_dir=store, save_dir=tmp_path / "res", nb_epoch=1)
    assert not [*(tmp_path / "res").glob("*_params.yaml")]


@pytest.mark.parametrize(
    "report", [["a"], 5, {"train": {}}, {"train": None, "val": 1, "test": "x"}]
)
def test_a_damaged_report_is_as_if_it_was_not_there(folder, tmp_path, report):
    store = make_dataset(folder, store_dir=tmp_path / "song.npy", test_fraction=0)
    before = describe(open_dataset(store))
    attributes = yaml.safe_load((store / "attrs.yaml").read_text()) | {"report": report}
    (store / "attrs.yaml").write_text(yaml.safe_dump(attributes))
    with pytest.warns(DssWarning, match="its report is damaged"):
        counted = describe(open_dataset(store))
    assert counted.loc["train", "seconds"] == pytest.approx(before.loc["train", "seconds"])


def test_times_that_no_recording_has_are_an_error(tmp_path):
    path = tmp_path / "a_annotations.csv"
    path.write_text("name,start_seconds,stop_seconds\na,0.1,0.2\nb,1e15,1e15\n")
    with pytest.raises(DssError, match=r"row 3: start_seconds is 1e\+15 s, longer than any"):
        read_annotations(path)


def test_a_column_that_is_there_twice_is_an_error(tmp_path):
    path = tmp_path / "a_annotations.csv"
    path.write_text("name,start_seconds,start_seconds ,stop_seconds\na,0.1,5,0.2\n")
    with pytest.raises(DssError, match="row 1: the column start_seconds occurs 2 times"):
        read_annotations(path)


RAVEN = "Selection\tView\tBegin Time (s)\tEnd Time (s)\tBegin Time (s)\tAnnotation\n"
BORIS = "Subject\tBehavior\tBehavior type\tTime\tTime\nx\ta\tPOINT\t0.1\t3\n"


@pytest.mark.parametrize(
    ("name", "text", "column"),
    [
        ("a.txt", f"{RAVEN}1\tS\t1\t1.5\t2\ta\n", "begin time (s)"),
        ("a.tsv", BORIS, "time"),
        ("a.tsv", f"Observation\tof x\n{BORIS}", "time"),
    ],
)
def test_columns_of_other_programs_that_are_there_twice_are_errors(tmp_path, name, text, column):
    path = tmp_path / name
    path.write_text(text)
    row = 2 if text.startswith("Obs") else 1
    with pytest.raises(DssError, match=rf"row {row}: the column {re.escape(column)} occurs 2 t"):
        read_annotations(path)


@pytest.mark.parametrize(
    ("onsets", "offsets", "labels"), [(2, 1, "ab"), (2, 2, "abc"), (0, 0, "a")]
)
def test_a_file_of_evsonganaly_has_as_many_names_as_onsets(tmp_path, onsets, offsets, labels):
    path = tmp_path / "a.wav.not.mat"
    times = np.arange(1.0, 3)[:, None] * 100
    content = {"onsets": times[:onsets], "offsets": times[:offsets] + 50, "labels": labels}
    scipy.io.savemat(path, {**content, "Fs": 1000.0})
    with pytest.raises(
        DssError, match=rf"mat: has {len(labels)} names, {onsets} onsets and {offsets} o"
    ):
        read_annotations(path)


def test_a_confidence_that_is_none_counts_as_missing_and_is_reported(tmp_path):
    path, rows = tmp_path / "a_annotations.csv", ["0.5,True", "x,False", "inf,maybe", "7,", "NaN,"]
    lines = [f"a,{i},{i + 0.5},{row}" for i, row in enumerate(rows)]
    header = "name,start_seconds,stop_seconds,confidence,confirmed"
    path.write_text("\n".join([header, *lines]))
    with fixes.collecting() as fixed:
        table = read_annotations(path)
    np.testing.assert_array_equal(table["confidence"], [0.5, *[np.nan] * 4])
    assert is_confirmed(table).tolist() == [True, False, False, False, False]
    assert [what for _, what in fixed] == [
        "confidence is 'x'; it should be a number from 0 to 1; it counts as missing (rows 3, 4, 5)",
        "confirmed is 'maybe'; it should be True or False; it counts as missing (row 4)",
    ]


def test_definitions_are_in_any_encoding_and_say_one_thing_of_a_name(tmp_path):
    path = tmp_path / "a_definitions.csv"
    path.write_bytes("ä,segment\np,event\nä,segment\n".encode("utf-16"))
    assert read_definitions(path) == {"ä": "segment", "p": "event"}
    path.write_text("a,segment\np,event\na,event\n")
    with pytest.raises(DssError, match=r"csv, row 3: a is event here and segment in row 1; leave"):
        read_definitions(path)


def test_a_pattern_that_never_ends_is_stopped():
    with pytest.raises(DssError, match="takes more than 1 s to match"):
        recording_groups(["a" * 60 + "!"], r"(?:(?:a|aa)+)+(b)")


@pytest.mark.parametrize("name", ["a\\b", "a/b", "x" * 300, "a\x07", "a:b"])
def test_a_name_that_cannot_be_a_file_is_an_error_before_anything_is_written(
    folder, tmp_path, name
):
    path = folder / "bird_0_annotations.csv"
    text = path.read_text()
    path.write_text(text + f"{name},3.0,3.1\n")
    with pytest.raises(DssError, match="no file can be named after these song types"):
        make_dataset(folder, store_dir=tmp_path / "song.npy", individual_targets=True)
    assert not [*tmp_path.glob("song.npy*")]


def test_linked_folders_are_searched_once(folder, tmp_path):
    (folder / "again").symlink_to(folder)
    (tmp_path / "elsewhere").mkdir()
    (folder / "bird_2.wav").rename(tmp_path / "elsewhere" / "bird_2.wav")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    names = [path.relative_to(folder).as_posix() for path in find_recordings(folder)]
    assert names == ["bird_0.wav", "bird_1.wav", "linked/bird_2.wav"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"nb_channels": 2**16 - 1}, "describes a network with .* bytes of weights, but"),
        ({"dilations": [1] * 500}, "describes a network with .* bytes of weights, but"),
        ({"dilations": [1, 2**40]}, "the network would see"),
        ({"nb_hist": 2**40}, "the network would see .* in chunks of 1,099,511,627,776"),
    ],
)
def test_a_network_is_no_larger_than_its_file(tiny_run, tmp_path, changed, said):
    trunk = tmp_path / "run"
    params = yaml.safe_load(run_file(tiny_run[0], "_params.yaml").read_text())
    run_file(trunk, "_params.yaml").write_text(yaml.safe_dump(params | changed))
    run_file(trunk, "_model.h5").symlink_to(run_file(tiny_run[0], "_model.h5"))
    with pytest.raises(DssError, match=said):
        load_run(trunk)


@pytest.mark.parametrize(
    ("weight", "said"),
    [
        (1e300, "contains values that are not numbers"),
        (3e38, r"run_model\.h5: gives probabilities that are not numbers"),
    ],
)
def test_weights_that_are_far_too_large_are_damaged(tiny_run, tmp_path, weight, said):
    trunk = tmp_path / "run"
    for suffix in ("_params.yaml", "_model.h5"):
        run_file(trunk, suffix).write_bytes(run_file(tiny_run[0], suffix).read_bytes())
    with h5py.File(run_file(trunk, "_model.h5"), "r+") as file:
        shape = file["scores/kernel"].shape
        del file["scores/kernel"]
        file["scores/kernel"] = np.full(shape, weight)
    with pytest.raises(DssError, match=said):
        predict(np.zeros(1000), trunk)


@pytest.mark.parametrize("compressed", [True, False])
def test_sound_matlab_files_are_read_and_others_not_even_tried(tmp_path, compressed):
    path = tmp_path / "a.mat"
    cells = np.array([1, "a", [2, 3]], object)
    content = {"a": np.arange(5.0), "s": "hä", "c": 1 + 2j, "t": {"x": cells}, "e": [], "b": True}
    scipy.io.savemat(path, content, do_compression=compressed)
    check_mat(path)
    whole = path.read_bytes()
    for damaged in (whole[:300], whole[:128] + whole[129:], b"MATLAB" + whole[:50], b""):
        path.write_bytes(damaged)
        with pytest.raises(DssError, match=r"a.mat: cannot be read as a MATLAB file"):
            check_mat(path)


def test_a_folder_with_a_broken_file_is_checked_to_its_end(folder):
    (folder / "broken.npz").write_bytes(b"PK\x03\x04 broken")
    (folder / "broken_annotations.csv").write_text("name,start_seconds,stop_seconds\n")
    problems = check_annotations(folder, endings=[".wav", ".npz"])
    assert problems["file"].str.endswith("broken.npz").sum() == 1


def test_gsm_is_read_though_it_cannot_seek(tmp_path):
    import soundfile

    x = np.sin(np.arange(4000) / 3)
    soundfile.write(tmp_path / "a.wav", x, 8000, subtype="GSM610")
    recording = open_recording(tmp_path / "a.wav")
    whole, _ = soundfile.read(tmp_path / "a.wav", dtype="float32")
    np.testing.assert_array_equal(recording.read(1000, 1500)[:, 0], whole[1000:1500])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"data": np.zeros((9, 0)), "samplerate": 8}, r"the shape is \(9, 0\); it should be"),
        (
            {"data": np.zeros(9), "samplerate": 1e15},
            "the sample rate is 1000000000000000.0; it",
        ),
        ({"data": np.zeros(9), "samplerate": "fast"}, "the sample rate is 'fast'; it should be"),
    ],
)
def test_arrays_that_are_no_recording_say_why(tmp_path, content, message):
    np.savez(tmp_path / "a.npz", **content)
    with pytest.raises(DssError, match=message):
        open_recording(tmp_path / "a.npz")


def test_a_group_in_place_of_an_array_is_named(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_group("data")
        file["samplerate"] = 8
    with pytest.raises(DssError, match="'data' is a group; it should be an array"):
        open_recording(tmp_path / "a.h5")


@pytest.mark.parametrize("count", ["-3", '1\n"IntervalTier"\n"a"\n0\n1\n-2'])
def test_a_textgrid_has_no_negative_counts(tmp_path, count):
    path = tmp_path / "a.TextGrid"
    head = 'File type = "ooTextFile"\nObject class = "TextGrid"\n0\n1\n<exists>\n'
    path.write_text(f"{head}{count}\n")
    with pytest.raises(DssError, match="cannot be read as TextGrid"):
        read_annotations(path)
