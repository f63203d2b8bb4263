import os
import re
import time

import numpy as np
import pandas as pd
import pytest
import soundfile
from conftest import side_by_side, tone_song, write_recording

from dss.data import (
    find_recordings,
    make_dataset,
    open_dataset,
    read_annotations,
    recording_annotations,
)
from dss.data.annotation_paths import annotation_finder
from dss.data.formats.table_writing import written_path
from dss.data.ownership import NOTES, is_by_dss, write
from dss.data.splits import SPLITS
from dss.errors import DssError
from dss.predict import predict_files
from dss.predict.detection import detect
from dss.predict.pending import annotated_already, still_to_do
from dss.review import comparison
from dss.runs import read_params, write_params


@pytest.fixture
def recordings(tmp_path):
    """Two recordings without annotations."""
    for i in range(2):
        x, rows = tone_song(seed=40 + i, seconds=3)
        wav = write_recording(tmp_path / "songs", f"bird_{i}", x, 1000, rows)
        wav.with_name(f"bird_{i}_annotations.csv").unlink()
    return tmp_path / "songs"


def found(file):
    return read_annotations(file).reset_index(drop=True)


def correct(file):
    """Give an annotation another name, as a person does."""
    file.write_text(re.sub(r"\ba\b", "sine", file.read_text()))
    return file.read_bytes()


@pytest.mark.parametrize("format", ["csv", "audacity", "raven", "textgrid"])
def test_what_was_corrected_is_not_overwritten(tiny_run, recordings, format):
    options = {"existing": "overwrite", "format": format}
    for thresholds in ({}, {"event_threshold": 0.9}):  # again and again
        first, second = predict_files(recordings, tiny_run[0], **options, **thresholds)
    corrected, other = correct(second), first.read_bytes()
    with pytest.raises(DssError, match=r"You made or changed .*--save-dir") as error:
        predict_files(recordings, tiny_run[0], **options)
    assert error.value.problems == (str(second),)
    assert (first.read_bytes(), second.read_bytes()) == (other, corrected)
    second.rename(recordings / "mine.csv")
    assert len(predict_files(recordings, tiny_run[0], **options)) == 2


@pytest.mark.parametrize("format", ["csv", "audacity"])
def test_what_was_corrected_is_not_saved_over(recordings, format):
    table = detect([], {"a": "segment"}, 1000)
    table.loc[0] = ["a", 0.5, 0.6, 0.9]
    wavs = find_recordings(recordings)
    tables, targets = dict.fromkeys(wavs, table), {wav: written_path(wav, format) for wav in wavs}
    for _ in range(2):
        files = comparison.save(tables, targets, format)
    before = files[0].read_bytes()
    corrected = correct(files[1])
    with pytest.raises(DssError, match=r"(?s)You made or changed .*bird_1_annotations"):
        comparison.save(dict.fromkeys(wavs, table[:0]), targets, format)
    assert [file.read_bytes() for file in files] == [before, corrected]


def test_recordings_of_another_form_are_saved_with_their_loader(tmp_path):
    recording = tmp_path / "bird.raw"
    recording.write_bytes(np.zeros(2000, np.int16).tobytes())
    table = detect([], {"a": "segment"}, 1000)
    table.loc[0] = ["a", 0.5, 0.6, 0.9]
    target = tmp_path / "bird.TextGrid"

    def load(path):
        return 1000, np.fromfile(path, np.int16)

    comparison.save({recording: table}, {recording: target}, "textgrid", loader=load)
    assert "xmax = 2" in target.read_text()  # where the recording ends


def test_what_was_made_while_a_recording_was_annotated_stays(tiny_run, recordings):
    made = recordings / "bird_1_annotations.csv"
    by_hand = "name,start_seconds,stop_seconds\na,0.1,0.2\n"
    with pytest.raises(DssError, match=r"(?s)1 of 2 .*You made or changed .*bird_1_"):
        predict_files(recordings, tiny_run[0], after_each=lambda file: made.write_text(by_hand))
    assert made.read_text() == by_hand


def manual_file(recording, by_dss):
    found = comparison.manual_annotations(recording, by_dss)
    return found and found.file


def test_what_was_corrected_counts_as_by_hand(tiny_run, recordings, tmp_path):
    wav, run = recordings / "bird_0.wav", tiny_run[0]
    (beside,) = predict_files(wav, run, proposals=True)
    (by_dss,) = predict_files(wav, run, save_dir=tmp_path / "out")
    assert manual_file(wav, by_dss) is None
    proposed = beside.read_text()
    beside.write_text(f"{proposed}sine,0.1,0.2,,\n")
    assert manual_file(wav, by_dss) is None
    beside.write_text(proposed.replace("False", "True", 1))
    assert manual_file(wav, by_dss) == beside
    beside.write_bytes(by_dss.read_bytes())  # a copy
    assert manual_file(wav, by_dss) is None
    correct(beside)
    assert manual_file(wav, by_dss) == beside
    assert manual_file(wav, beside) is None


def _write_many(folder, number):
    for i in range(50):
        write(detect([], {"a": "segment"}, 1000), folder / f"{number}_{i}_annotations.csv", "csv")


def test_several_processes_write_into_one_folder(tmp_path):
    side_by_side(_write_many, [(tmp_path, n) for n in range(3)])
    files = sorted(tmp_path.glob("*.csv"))
    assert len(files) == 150
    assert all(is_by_dss(file) for file in files)
    _write_many(tmp_path, 0)  # the same again is not noted again
    assert len((tmp_path / NOTES).read_text().splitlines()) == 150


def test_ten_thousand_recordings_take_no_time(tmp_path):
    wavs = [tmp_path / f"{i}.wav" for i in range(10_000)]
    targets = {wav: written_path(wav, "csv") for wav in wavs}
    for target in targets.values():
        target.touch()
    begun = time.monotonic()
    assert still_to_do(targets, "skip") == []
    with pytest.raises(DssError, match="already exist"):
        still_to_do(targets, "error")
    with pytest.raises(DssError, match="You made or changed"):
        still_to_do(targets, "overwrite")
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("format", ["csv", "audacity"])
def test_annotations_by_hand_in_another_format_are_not_put_out_of_sight(
    tiny_run, recordings, format
):
    (recordings / "bird_1.txt").write_text("0.5\t0.6\tx\n")  # Audacity's
    written = predict_files(recordings, tiny_run[0], format=format)
    assert written == [written_path(recordings / "bird_0.wav", format)]
    with pytest.raises(DssError, match=r"(?s)already exist.*bird_1\.txt"):
        predict_files(recordings, tiny_run[0], format=format, existing="error")
    with pytest.raises(DssError, match=r"(?s)You made or changed.*bird_1\.txt"):
        predict_files(recordings, tiny_run[0], format=format, existing="overwrite")
    assert recording_annotations(recordings / "bird_1.wav")[1]["name"].tolist() == ["x"]
    elsewhere = predict_files(recordings, tiny_run[0], format=format, save_dir=recordings / "out")
    assert len(elsewhere) == 2


def test_a_recording_was_learned_from_unless_it_is_another_of_the_same_name(tmp_path):
    wavs = []
    for i, day in enumerate(("day1", "day2", "copy")):
        x, rows = tone_song(seed=min(i, 1))
        wavs.append(write_recording(tmp_path / day, "0001", x, 1000, rows))
    learned = comparison.InDataset(frozenset(["0001.wav"]), tmp_path / "day2")
    assert [comparison.is_among(wav, learned) for wav in wavs] == [False, True, True]
    wavs[1].unlink()  # it cannot be seen any more
    assert all(comparison.is_among(wav, learned) for wav in wavs)
    assert not comparison.is_among(wavs[0].with_name("0002.wav"), learned)


def test_a_recording_of_which_little_is_annotated_is_left_to_annotate(tmp_path):
    x, rows = tone_song(seed=0)
    write_recording(tmp_path / "song", "whole", x, 1000, rows)
    write_recording(tmp_path / "song", "parts", x, 1000, [*rows[:3], ("noise", 0.0, 0.1)])
    store = make_dataset(tmp_path / "song", test_split="samples", val_split="samples")
    named = [comparison.in_dataset(open_dataset(store), SPLITS, n).names for n in (0, 0.5)]
    assert named == [{"whole.wav", "parts.wav"}, {"whole.wav"}]


@pytest.mark.parametrize("path", ["x" * 5000, "a\0b"])
def test_a_run_may_name_a_dataset_that_no_file_can_be(tmp_path, tiny_run, path):
    write_params(tmp_path / "run", read_params(tiny_run[0]) | {"data_dir": path})
    assert comparison.learned_from(tmp_path / "run") is None


@pytest.mark.parametrize("name", ["a\nb.csv", "a\\nb.csv", "a\\\nb.csv", "a\\b.csv"])
def test_names_with_a_new_line_are_noted_too(tmp_path, name):
    file, other = tmp_path / name, tmp_path / "other.csv"
    for path in (file, other):
        write(detect([np.zeros((5, 2))], {"a": "segment"}, 1000), path, "csv")
    assert is_by_dss(file)
    assert is_by_dss(other)
    assert len((tmp_path / NOTES).read_bytes().splitlines()) == 2
    assert not is_by_dss(file.rename(tmp_path / "b.csv"))


def test_a_name_that_is_not_utf8_does_not_stop_the_others(tiny_run, recordings):
    os.rename(recordings / "bird_1.wav", os.fsencode(recordings) + b"/b\xe4r.wav")
    with pytest.raises(DssError, match=r"b\\xe4r\.wav: the name of this file.* rename it"):
        predict_files(recordings, tiny_run[0])
    assert is_by_dss(recordings / "bird_0_annotations.csv")


def test_predictions_never_take_the_place_of_manual_annotations(tmp_path):
    recording, own = tmp_path / "r.wav", tmp_path / "r_annotations.csv"
    soundfile.write(recording, np.zeros(4000), 1000)
    columns = ["name", "start_seconds", "stop_seconds"]
    write(pd.DataFrame([("y", 0.5, 1)], columns=columns), own, "csv")
    table = tmp_path / "all.csv"
    table.write_text("file,label,onset,offset\nr.wav,x,1000,2000\n")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "r.txt").write_text("1000\t2000\tz\n")

    def named(pattern=None):
        find = annotation_finder(pattern, tmp_path)
        _, there = recording_annotations(recording, find_file=find, time_unit="ms")
        return [*there[columns].itertuples(index=False, name=None)]

    assert named() == [("x", 1, 2)]
    assert annotated_already(recording, own.with_name("other.csv")) == table
    assert named("labels/{stem}.txt") == [("z", 1, 2)]
    table.unlink()
    assert named() == [("y", 0.5, 1)]  # in seconds, whatever the unit of the others
    assert named("gone/{stem}.txt") == [("y", 0.5, 1)]
    own.write_text("name,start_ms,stop_ms\nw,1000,2000\n")  # corrected
    assert named("labels/{stem}.txt") == [("w", 1, 2)]
