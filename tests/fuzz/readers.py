"""Every reader of dss: how to make a small file that is right, and how to read all of it."""

import json
import pickle
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import scipy.io
import soundfile
import yaml

from dss.data.annotated_stretches import read_annotated
from dss.data.annotations import read_annotations
from dss.data.audio import open_audio
from dss.data.batches import array_of, split_stretches
from dss.data.dataset import open_dataset
from dss.data.recording_groups import recording_groups
from dss.data.report import format_report
from dss.data.song_types import read_definitions
from dss.data.stores import NpyWriter, ZarrWriter
from dss.models.checkpoint import epochs_done
from dss.options import TrainOptions, read_options
from dss.predict.confidence import calibration_of
from dss.predict.near_misses import read_near_misses
from dss.predict.stored_probabilities import detect_stored, stored_probabilities
from dss.runs import read_params
from dss.train.results import read_results

RATE = 1000
AUDIO = np.sin(np.arange(400) / 3).astype(np.float32)
TABLE = pd.DataFrame(
    [("a", 0.05, 0.1), ("b", 0.12, 0.2), ("a", 0.3, 0.35)],
    columns=["name", "start_seconds", "stop_seconds"],
)
FIRST = "a.wav"  # the recording that annotations belong to


@dataclass(frozen=True)
class Reader:
    """A form of input.

    Attributes:
        make: writes a file, or a folder, that is right below this path; gives the file to damage.
        read: reads all of it, from that file.
        covers: the functions of dss that it is read with.
    """

    make: Callable[[Path], Path]
    read: Callable[[Path], object]
    covers: tuple[str, ...]


def _sound(ending: str, **named) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / f"a{ending}"
        soundfile.write(path, AUDIO, RATE if ending != ".mp3" else 16000, **named)
        return path

    return make


def _read_audio(path: Path) -> None:
    audio = open_audio(path)
    for start in range(0, min(audio.n_samples, 2000), 150):
        audio.read(start, min(start + 150, audio.n_samples))


def _npz(folder: Path, save=np.savez) -> Path:
    path = folder / "a.npz"
    save(path, data=AUDIO, samplerate=RATE)
    return path


def _npy(folder: Path) -> Path:
    path = folder / "a.npy"
    np.save(path, AUDIO)
    return path


def _h5(folder: Path) -> Path:
    path = folder / "a.h5"
    with h5py.File(path, "w") as file:
        file["data"], file["samplerate"] = AUDIO, RATE
        file.attrs["recorded by"] = ["somebody", "somewhere"]  # texts of any length
    return path


def _cbin(folder: Path) -> Path:
    path = folder / "a.cbin"
    (1000 * AUDIO).astype(">i2").tofile(path)
    path.with_suffix(".rec").write_text(f"ADFREQ = {RATE}\nChans = 1\n")
    return path


def _rec(folder: Path) -> Path:
    return _cbin(folder).with_suffix(".rec")


def _text(name: str, content: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        soundfile.write(folder / FIRST, AUDIO, RATE)
        path = folder / name
        path.write_text(content)
        return path

    return make


def _read_annotations(path: Path) -> None:
    read_annotations(path, recording=path.with_name(FIRST))


RAVEN = (
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\t"
    "Annotation\n1\tSpectrogram 1\t1\t0.1\t0.2\t0\t500\ta\n"
)
TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 0.4
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "IntervalTier"
        name = "song"
        xmin = 0
        xmax = 0.4
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 0.1
            text = ""
        intervals [2]:
            xmin = 0.1
            xmax = 0.4
            text = "a"
"""
SVL = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE sonic-visualiser>
<sv><data><model id="1" name="" sampleRate="1000" start="0" end="400" type="sparse"
 dimensions="2" resolution="1" notifyOnAdd="true" dataset="0" subtype="region" units="" />
<dataset id="0" dimensions="2"><point frame="100" value="1" duration="50" label="a" /></dataset>
</data></sv>
"""
ELAN = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT><TIME_ORDER><TIME_SLOT TIME_SLOT_ID="t1" TIME_VALUE="100"/>
<TIME_SLOT TIME_SLOT_ID="t2" TIME_VALUE="200"/></TIME_ORDER><TIER TIER_ID="song"><ANNOTATION>
<ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="t1" TIME_SLOT_REF2="t2">
<ANNOTATION_VALUE>a</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
</ANNOTATION_DOCUMENT>
"""
GENERIC = (
    "label,onset_s,offset_s,onset_sample,offset_sample,notated_path,annot_path,sequence,annotation\n"
    "a,0.1,0.2,100,200,a.wav,a.csv,0,0\n"
)
BORIS = (
    "Subject\tBehavior\tBehavior type\tTime\nx\ta\tSTART\t0.1\nx\ta\tSTOP\t0.2\nx\tb\tPOINT\t0.3\n"
)
KOUMURA = """<?xml version="1.0" encoding="UTF-8"?>
<Sequences><NumSequence>1</NumSequence><Sequence><WaveFileName>a.wav</WaveFileName>
<Position>50</Position><Length>200</Length><NumNote>1</NumNote><Note><Position>20</Position>
<Length>30</Length><Label>3</Label></Note></Sequence></Sequences>
"""
WHISPERSEG = json.dumps({"onset": [0.1], "offset": [0.2], "cluster": ["a"], "sr": RATE})
LABEL_STUDIO = (
    '[{"data": {"audio": "/data/upload/1/8f2b1c3d-a.wav"}, "annotations": [{"result": [{"value": '
    '{"start": 0.1, "end": 0.2, "labels": ["a"]}}]}]}]'
)
RTTM = "SPEAKER a 1 0.1 0.1 <NA> <NA> b <NA> <NA>\n"
SUBTITLES = "1\n00:00:00,100 --> 00:00:00,200\na\n\n"
SHARED = "filename,name,start_seconds,stop_seconds\na.wav,a,0.1,0.2\nb.wav,b,0.1,0.2\n"


def _workbook(folder: Path) -> Path:
    soundfile.write(folder / FIRST, AUDIO, RATE)
    TABLE.to_excel(folder / "a.xlsx", index=False)
    return folder / "a.xlsx"


def _notmat(folder: Path) -> Path:
    soundfile.write(folder / FIRST, AUDIO, RATE)
    path = folder / "a.wav.not.mat"
    content = {"onsets": [[100.0], [300.0]], "offsets": [[200.0], [350.0]], "labels": "ab"}
    scipy.io.savemat(path, content | {"Fs": 1000.0, "fname": "a.wav", "min_int": 2.0})
    return path


def _yarden(folder: Path) -> Path:
    path, songs = folder / "all.mat", np.zeros(2, object)
    for i in range(2):
        times = {"segFileStartTimes": [0.05, 0.3], "segFileEndTimes": [0.1, 0.35]}
        songs[i] = times | {"segType": np.array([[1.0], [2.0]]), "fs": 1000.0}
    scipy.io.savemat(path, {"keys": np.array([FIRST, "b.wav"], object), "elements": songs})
    return path


def _read_yarden(path: Path) -> None:
    read_annotations(path, "yarden", path.with_name(FIRST))


def _read_near_misses(path: Path) -> None:
    read_near_misses(path.with_name("a_annotations.csv"), TABLE)


def _read_groups(path: Path) -> None:
    recording_groups(["a.wav", "b.wav"], str(path))


def _fill(writer) -> None:
    """A dataset of three splits with a second of audio each."""
    for split in ("train", "val", "test"):
        x = writer.new_array(f"{split}/x", (400, 1), np.float32, ("time", "channel"))
        y = writer.new_array(f"{split}/y", (400, 2), np.float16, ("time", "song_type"))
        x.append(AUDIO[:, None])
        y.append(np.stack([AUDIO > 0, AUDIO <= 0], axis=1).astype(np.float16))
        x.close()
        y.close()
    writer.write_attributes(_attributes())


def _attributes() -> dict:
    attributes = {
        "samplerate_x_Hz": 1000.0,
        "samplerate_y_Hz": 1000.0,
        "class_names": ["noise", "a"],
        "class_types": ["segment", "segment"],
        "report": {
            split: {
                "seconds": 0.4,
                "unknown_seconds": 0.0,
                "annotations": {"a": 2},
                "song_seconds": {"a": 0.2},
                "recordings": {"a": 1},
            }
            for split in ("train", "val", "test")
        },
        "chosen": {"gap_seconds": "none"},
        "fixed": ["nothing"],
    }
    for split in ("train", "val", "test"):
        attributes[f"filename_{split}"] = ["a.wav"]
        attributes[f"filename_startsample_{split}"] = [0]
        attributes[f"filename_endsample_{split}"] = [400]
    return attributes


def _npy_store(folder: Path) -> Path:
    (folder / "song.npy").mkdir()
    _fill(NpyWriter(folder / "song.npy"))
    return folder / "song.npy"


def _zarr_store(folder: Path) -> Path:
    _fill(ZarrWriter(folder / "song.zarr"))
    return folder / "song.zarr"


def _h5_store(folder: Path) -> Path:
    path = folder / "song.h5"
    with h5py.File(path, "w") as file:
        for split in ("train", "val", "test"):
            file[f"{split}/x"] = AUDIO[:, None]
            file[f"{split}/y"] = np.stack([AUDIO > 0, AUDIO <= 0], axis=1).astype(np.float32)
        for name, value in _attributes().items():
            if isinstance(value, list) and isinstance(value[0], str):  # texts: see test_hdf5.py
                file.attrs[name] = np.bytes_(value)
            elif not isinstance(value, dict):
                file.attrs[name] = value
    return path


def _legacy_store(folder: Path) -> Path:
    store = _npy_store(folder)
    (store / "attrs.yaml").unlink()
    path = store / "attrs.npy"
    with path.open("wb") as file:
        header = {"descr": "|O", "fortran_order": False, "shape": ()}
        np.lib.format.write_array_header_1_0(file, header)
        pickle.dump(np.array(_attributes(), object), file, protocol=3)
    return path


def _of(make: Callable[[Path], Path], name: str) -> Callable[[Path], Path]:
    """A file of what `make` writes."""
    return lambda folder: make(folder) / name


def _read_dataset(path: Path) -> None:
    while path.suffix not in (".npy", ".zarr", ".h5") or path.parent.suffix in (".npy", ".zarr"):
        path = path.parent
    if path.parent.name in ("train", "val", "test"):
        path = path.parents[1]
    tree = open_dataset(path)
    format_report(tree)
    for split in ("train", "val", "test"):
        split_stretches(tree, split)
        for name in tree[split].data_vars:
            np.asarray(array_of(tree[split][name])[:2000])


PARAMS = {
    "class_names": ["noise", "a"],
    "class_types": ["segment", "segment"],
    "samplerate_x_Hz": 1000.0,
    "samplerate_y_Hz": 1000.0,
    "nb_channels": 1,
    "nb_hist": 256,
    "nb_filters": 8,
    "kernel_size": 8,
    "nb_conv": 1,
    "dilations": [1, 4],
    "data_padding": 8,
    "detect": {
        "options": {"segment_threshold": 0.5},
        "calibration": {
            "curve": [0.1, 0.9],
            "covariance": [[1.0, 0.1], [0.1, 0.2]],
            "validation": [0.5, 0.9, 0.95],
            "matched": 0.9,
            "types": {
                "a": {
                    "curve": [0.2, 0.9],
                    "covariance": [[1.0, 0.1], [0.1, 0.2]],
                    "validation": [0.6, 0.9],
                }
            },
            "recall": {"segment": [[0.5, 0.8], [0.1, 0.9]]},
        },
    },
    "versions": {"dss": "0"},
}
DAS_PARAMS = """class_names: [noise, a]
class_types: !!python/tuple [segment, segment]
samplerate_x_Hz: !!python/object/apply:numpy.core.multiarray.scalar
- !!python/object/apply:numpy.dtype
  args: [f8, 0, 1]
  state: !!python/tuple [3, '<', null, null, null, -1, -1, 0]
- !!binary AAAAAABAj0A=
nb_classes: 2
nb_freq: 1
nb_hist: 256
nb_kernels: 8
nb_conv: 2
kernel_size: 8
model_name: tcn
"""


def _read_params(path: Path) -> None:
    calibration = calibration_of(read_params(Path(str(path).removesuffix("_params.yaml"))))
    if calibration:
        names, p = pd.Series(["a"] * len(AUDIO)), pd.Series(np.ravel(AUDIO))
        calibration.expected(names, pd.Series(calibration.confidences(names, p)))


def _results(folder: Path) -> Path:
    path = folder / "run_results.h5"
    score = {"precision": 1.0, "recall": 1.0, "f1-score": 1.0, "support": 10}
    with h5py.File(path, "w") as file:
        file["report"] = np.bytes_(json.dumps({"noise": score, "a": score}))
        file["confusion_matrix"] = np.eye(2)
        file["class_names"] = np.array([b"noise", b"a"])
    return path


def _read_results(path: Path) -> None:
    read_results(str(path).removesuffix("_results.h5"))


def _checkpoint(folder: Path) -> Path:
    path = folder / "run_checkpoint.h5"
    with h5py.File(path, "w") as file:
        file["0"] = AUDIO
        file.attrs["state"] = np.bytes_(json.dumps({"epoch": 3, "step": 12}))  # see test_hdf5.py
    return path


def _probabilities(folder: Path) -> Path:
    import zarr

    array = zarr.create_array(
        str(folder / "a_probabilities.zarr"),
        shape=(400, 2),
        chunks=(200, 2),
        dtype="float16",
        attributes={"samplerate_hz": 1000.0, "class_names": ["noise", "a"]},
    )
    array[:] = np.stack([AUDIO > 0, AUDIO <= 0], axis=1)
    return folder / "a_probabilities.zarr"


def _read_probabilities(path: Path) -> None:
    while path.suffix != ".zarr":
        path = path.parent
    p = stored_probabilities(path.with_name("a_annotations.csv"))
    if p is not None:
        detect_stored(p, {"a": "segment"})


def _wav_of_floats(folder: Path) -> Path:
    """A wav file with a chunk before and one behind its samples."""
    path = folder / "a.wav"
    samples = AUDIO.tobytes()
    chunks = b"fmt " + struct.pack("<IHHIIHH", 16, 3, 1, RATE, 4 * RATE, 4, 32)
    chunks += b"LIST" + struct.pack("<I", 4) + b"INFO"
    chunks += b"data" + struct.pack("<I", len(samples)) + samples + b"note" + bytes(4)
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    return path


AUDIO_READERS = (
    "open_audio",
    "open_recording",
    "open_for_dataset",
    "open_at_own_rate",
    "open_readable",
)
ANNOTATION_READERS = ("read_annotations", "read_table", "read_text", "read_rows", "read_csv")
ANNOTATION_READERS += ("read_plain",)
DATASETS = ("open_dataset", "read_attributes", "read_arrays")


def _audio(make: Callable[[Path], Path], *covers: str) -> Reader:
    return Reader(make, _read_audio, (*AUDIO_READERS, *covers))


def _annotations(name: str, content: str, *covers: str) -> Reader:
    return Reader(_text(name, content), _read_annotations, (*ANNOTATION_READERS, *covers))


def _dataset(make: Callable[[Path], Path], *covers: str) -> Reader:
    return Reader(make, _read_dataset, (*DATASETS, *covers))


READERS = {
    "wav": _audio(_sound(".wav"), "read_header", "read_frames"),
    "wav, floats": _audio(_wav_of_floats, "read_header"),
    "wav, GSM": _audio(_sound(".wav", subtype="GSM610")),
    "flac": _audio(_sound(".flac")),
    "ogg": _audio(_sound(".ogg")),
    "mp3": _audio(_sound(".mp3")),
    "aiff": _audio(_sound(".aiff")),
    "w64": _audio(_sound(".w64"), "open_patched"),
    "caf": _audio(_sound(".caf")),
    "caf, ALAC": _audio(_sound(".caf", subtype="ALAC_16")),
    "au": _audio(_sound(".au")),
    "rf64": _audio(_sound(".rf64")),
    "nist": _audio(_sound(".nist")),
    "voc": _audio(_sound(".voc")),
    "npz": _audio(_npz),
    "npz, compressed": _audio(lambda folder: _npz(folder, np.savez_compressed)),
    "npy": _audio(_npy),
    "h5": _audio(_h5, "reading"),
    "cbin": _audio(_cbin),
    "rec of cbin": Reader(_rec, lambda path: _read_audio(path.with_suffix(".cbin")), ("read_rec",)),
    "csv": _annotations("a_annotations.csv", TABLE.to_csv(index=False)),
    "csv for many recordings": _annotations("all.csv", SHARED, "read_shared"),
    "audacity": _annotations("a.txt", "0.1\t0.2\ta\n0.3\t0.35\tb\n"),
    "raven": _annotations("a.txt", RAVEN, "read_raven_rows"),
    "boris": _annotations("a.tsv", BORIS, "read_boris"),
    "json": _annotations("a.json", WHISPERSEG, "read_json"),
    "label studio": _annotations("all.json", LABEL_STUDIO, "read_json"),
    "rttm": _annotations("a.rttm", RTTM, "read_rttm"),
    "subtitles": _annotations("a.srt", SUBTITLES, "read_subtitles"),
    "workbook": Reader(_workbook, _read_annotations, ("workbook_text",)),
    "textgrid": _annotations("a.TextGrid", TEXTGRID, "textgrid.read"),
    "svl": _annotations("a.svl", SVL, "read_svl"),
    "elan": _annotations("a.eaf", ELAN, "read_elan"),
    "timit": _annotations("a.phn", "100 200 a\n300 350 b\n", "read_timit"),
    "generic-seq": _annotations("all.csv", GENERIC, "read_all"),
    "notmat": Reader(_notmat, _read_annotations, (*ANNOTATION_READERS, "read_notmat")),
    "yarden": Reader(_yarden, _read_yarden, ("read_yarden", "read_variables")),
    "birdsong-recognition-dataset": _annotations("all.xml", KOUMURA, "read_koumura"),
    "annotated": Reader(
        _text("a_annotated.csv", "start_seconds,stop_seconds\n0,0.2\n0.3,0.4\n"),
        lambda path: read_annotated(path.with_name(FIRST), 0.4),
        ("read_annotated",),
    ),
    "definitions": Reader(
        _text("a_definitions.csv", "a,segment\nb,event\n"), read_definitions, ("read_definitions",)
    ),
    "near misses": Reader(
        _text("a_near_misses.csv", "name,start_seconds,stop_seconds,probability\na,0.2,0.3,0.4\n"),
        _read_near_misses,
        ("read_near_misses",),
    ),
    "groups": Reader(_text("groups.csv", "file,group\na.wav,x\nb.wav,y\n"), _read_groups, ()),
    "dataset, npy": _dataset(_of(_npy_store, "train/x.npy")),
    "attributes of npy": _dataset(_of(_npy_store, "attrs.yaml")),
    "attributes of DAS": _dataset(_legacy_store, "read_plain_pickle"),
    "dataset, zarr": _dataset(_of(_zarr_store, "zarr.json")),
    "array of zarr": _dataset(_of(_zarr_store, "train/x/zarr.json")),
    "chunk of zarr": _dataset(_of(_zarr_store, "train/x/c/0/0")),
    "dataset, h5": _dataset(_h5_store, "reading"),
    "parameters": Reader(
        _text("run_params.yaml", yaml.safe_dump(PARAMS)),
        _read_params,
        ("read_params", "read_calibration"),
    ),
    "parameters of DAS": Reader(
        _text("run_params.yaml", DAS_PARAMS), _read_params, ("read_params",)
    ),
    "options": Reader(
        _text("options.yaml", "data_dir: song.npy\nnb_epoch: 3\ndilations: [1, 2]\n"),
        lambda path: read_options(path, TrainOptions),
        ("read_options", "read_yaml", "yaml_files.read"),
    ),
    "augmentations": Reader(
        _text("augment.yaml", "gain_db: 6\nnoise: 0.1\n"),
        lambda path: TrainOptions.checked({"data_dir": "a.npy", "augmentations": str(path)}),
        ("read_yaml",),
    ),
    "results": Reader(_results, _read_results, ("read_results",)),
    "checkpoint": Reader(_checkpoint, epochs_done, ("load_checkpoint",)),
    "probabilities": Reader(
        _of(_probabilities, "zarr.json"), _read_probabilities, ("stored_probabilities",)
    ),
    "chunk of probabilities": Reader(
        _of(_probabilities, "c/0/0"), _read_probabilities, ("stored_probabilities",)
    ),
}
# Functions whose names say that they read, and that open nothing by themselves.
NO_READERS = {
    "readable": "says durations",
    "read_annotated_recording": "calls open_recording and read_annotations",
    "read_manual": "calls read_annotations",
    "read_named_annotations": "calls read_annotations",
    "read_annotated_recordings": "the same for many",
    "read_corpus": "the same for a dataset",
    "read_pairs": "calls read_annotations",
    "open_views": "calls what opens recordings and datasets",
    "open_for_run": "calls open_recording",
    "open_with_channels": "calls open_recording",
    "open_run": "calls load_run",
    "open_chunks": "views arrays of open_dataset",
    "open_training_data": "calls open_dataset",
    "load_run": "calls read_params and load_weights, see tests/test_runs.py",
    "load_weights": "needs TensorFlow: see tests/test_runs.py and test_das.py",
    "read_arrays of das": "needs TensorFlow: see tests/test_das.py",
}
