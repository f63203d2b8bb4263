import os
import re

import numpy as np
import pandas as pd
import pytest
import soundfile

from dss.cli import main
from dss.data import annotations_path, open_recording, read_annotations, write_annotations
from dss.errors import DssError, DssWarning
from dss.review import loudness as loudness_module
from dss.review.loudness import Loudness, find_peaks, find_segments, measure_loudness
from dss.review.proposals import propose, propose_files, shortest_seconds, stable_threshold

RATE = 16_000
ONSETS = np.array([0.5, 0.9, 1.0, 1.7, 2.4, 2.55])
SECONDS = 0.06


def song(level=0.1, noise=0.001, hum=0.0):
    """Tones of 3 kHz in noise, and hum of 100 Hz: [samples, channels]."""
    random = np.random.default_rng(0)
    t = np.arange(3 * RATE) / RATE
    x = noise * random.standard_normal(len(t)) + hum * np.sin(2 * np.pi * 100 * t)
    for onset in ONSETS:
        there = (t >= onset) & (t < onset + SECONDS)
        x[there] += level * np.sin(2 * np.pi * 3000 * t[there])
    return x[:, None].astype(np.float32)


def recorded(folder, x, name="bird.wav"):
    folder.mkdir(exist_ok=True)
    soundfile.write(folder / name, x, RATE, subtype="FLOAT")
    return folder / name


@pytest.mark.parametrize("sound", [{}, {"level": 0.001, "noise": 1e-5}, {"hum": 0.3}])
def test_song_is_proposed_whatever_its_level_and_the_noise(tmp_path, sound):
    table = propose(open_recording(recorded(tmp_path, song(**sound))))
    assert table["name"].tolist() == ["song"] * len(ONSETS)
    assert table["start_seconds"].to_numpy() == pytest.approx(ONSETS, abs=0.006)
    assert table["stop_seconds"].to_numpy() == pytest.approx(ONSETS + SECONDS, abs=0.006)


def test_events_are_where_sound_is_loudest(tmp_path):
    x = 0.001 * np.random.default_rng(1).standard_normal((3 * RATE, 1))
    times = [0.4, 1.0, 1.03, 2.5]
    for time in times:
        x[round(time * RATE) : round(time * RATE) + 8] += 0.5
    recording = open_recording(recorded(tmp_path, x))
    table = propose(recording, kind="event", song_type="pulse", threshold_db=15)
    assert table["start_seconds"].to_numpy() == pytest.approx(times, abs=0.004)
    assert (table["start_seconds"] == table["stop_seconds"]).all()
    near = propose(recording, kind="event", threshold_db=15, event_distance_seconds=0.1)
    assert len(near) == 3


def test_loudness_does_not_depend_on_the_blocks_and_takes_all_channels(tmp_path, monkeypatch):
    recording = open_recording(recorded(tmp_path, np.tile(song(), (1, 2))))
    whole = measure_loudness(recording)
    assert whole.frames_hz == 1000
    assert len(whole.db) == 3000
    monkeypatch.setattr(loudness_module, "BLOCK_FRAMES", 100)
    assert measure_loudness(recording).db == pytest.approx(whole.db, abs=1e-4)
    one = measure_loudness(open_recording(recorded(tmp_path, song(), "one.wav")))
    assert one.db == pytest.approx(whole.db, abs=1e-3)


def test_nothing_is_proposed_in_silence_and_zeros_are_no_noise(tmp_path):
    assert propose(open_recording(recorded(tmp_path, np.zeros((RATE, 1))))).empty
    gated = song(noise=0.001)
    gated[: RATE // 4] = 0
    gated[2 * RATE : round(2.3 * RATE)] = 0
    recording = open_recording(recorded(tmp_path, gated, "gated.wav"))
    assert propose(recording)["start_seconds"].to_numpy() == pytest.approx(ONSETS, abs=0.006)
    gated = np.concatenate([gated, np.zeros((RATE, 1))])
    db = measure_loudness(open_recording(recorded(tmp_path, gated, "late.wav"))).db
    assert np.median(db[1100:1600]) == pytest.approx(0, abs=3)  # noise alone


def test_gaps_are_filled_and_short_and_long_segments_left_out(tmp_path):
    recording = open_recording(recorded(tmp_path, song()))
    filled = propose(recording, fill_seconds=0.05)
    assert len(filled) == len(ONSETS) - 1  # 40 ms between the second and third
    assert len(propose(recording, fill_seconds=0.05, max_seconds=0.1)) == len(ONSETS) - 2
    assert propose(recording, min_seconds=0.2).empty
    assert propose(recording, highest_hz=1000, threshold_db=20).empty
    with pytest.raises(DssError, match="no frequencies between 9000"):
        propose(recording, lowest_hz=9000, highest_hz=10_000)
    with pytest.raises(DssError, match="highest_hz should be above lowest_hz"):
        propose(recording, lowest_hz=5000, highest_hz=1000)


def test_a_higher_threshold_leaves_less(tmp_path):
    loudness = measure_loudness(open_recording(recorded(tmp_path, song())))
    chosen = stable_threshold(loudness)
    assert 2 <= chosen < loudness.db.max()
    seconds = [np.diff(find_segments(loudness, t)).sum() for t in (chosen, chosen + 20, 200)]
    assert seconds[0] > seconds[1] > seconds[2] == 0
    assert len(find_peaks(loudness, 200)) == 0


def test_the_shortest_proposal_follows_from_how_long_sounds_are():
    def with_sounds(*durations):
        db = np.zeros(2000, np.float32)
        for i, duration in enumerate(durations):
            db[100 * i + 50 : 100 * i + 50 + duration] = 30
        return Loudness(db, 1000.0)

    assert shortest_seconds(with_sounds(*[80] * 5, *[2] * 14), 10) == 0.02
    assert shortest_seconds(with_sounds(*[60] * 5, *[2] * 14), 10) == pytest.approx(0.015)
    assert shortest_seconds(with_sounds(*[15] * 9), 10) == 0.01
    assert shortest_seconds(with_sounds(), 10) == 0.01


def test_proposals_are_written_but_never_over_annotations_by_hand(tmp_path, capsys):
    mine, other = (recorded(tmp_path / "in", song(), name) for name in ("a.wav", "b.wav"))
    by_hand = pd.DataFrame([("x", 1.0, 1.1)], columns=["name", "start_seconds", "stop_seconds"])
    write_annotations(by_hand, annotations_path(mine))
    assert main(["propose", str(tmp_path / "in"), "--song-type", "syllable"]) == 0
    said = capsys.readouterr()
    assert said.out == f"{annotations_path(other)}\n"
    assert re.search(r"\nb: 6 sounds, \d+ ms\nAll have the name syllable\. Next, ", said.err)
    assert "a_annotations.csv: contains manual annotations" in said.err
    assert read_annotations(annotations_path(mine))["name"].tolist() == ["x"]
    assert read_annotations(annotations_path(other))["name"].tolist() == ["syllable"] * 6
    (tmp_path / "in" / "c.wav").write_bytes(b"RIFF")
    with pytest.warns(DssWarning, match="c.wav"):
        again = propose_files(tmp_path / "in", save_dir=tmp_path / "out")
    assert [file.name for file in again] == ["a_annotations.csv", "b_annotations.csv"]
    assert main(["propose", str(tmp_path / "nowhere")]) == 2


def test_recordings_of_one_name_in_two_folders_keep_their_folders(tmp_path):
    for day in ("day1", "day2"):
        (tmp_path / "in").mkdir(exist_ok=True)
        recorded(tmp_path / "in" / day, song())
    files = propose_files(tmp_path / "in", save_dir=tmp_path / "out")
    assert [str(file.relative_to(tmp_path)) for file in files] == [
        "out/day1/bird_annotations.csv",
        "out/day2/bird_annotations.csv",
    ]
    assert len(propose_files(str(tmp_path / "in" / "*2"), save_dir=tmp_path / "some")) == 1


@pytest.mark.parametrize("what", ["pipe", "folder"])
def test_what_is_no_file_is_left_in_place_of_proposals(tmp_path, what):
    recorded(tmp_path / "in", song())
    target = tmp_path / "out" / "bird_annotations.csv"
    target.parent.mkdir()
    if what == "pipe":
        os.mkfifo(target)  # opening it would wait for ever
    else:
        target.mkdir()
    with pytest.warns(DssWarning, match=r"bird_annotations\.csv: .* nothing is proposed there"):
        assert not propose_files(tmp_path / "in", save_dir=tmp_path / "out")
    assert [*tmp_path.rglob("*_annotations.csv")] == [target]


def test_a_lowest_frequency_above_all_is_an_error(tmp_path):
    path = recorded(tmp_path, song())
    with pytest.raises(DssError, match="no frequencies between 9000 and inf Hz; use .* to 8000 Hz"):
        propose(open_recording(path), lowest_hz=9000)
