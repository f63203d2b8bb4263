"""Sounds unlike anything annotated are listed, count when recordings are ranked, and are shown."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import tone_song, write_recording

from dss.cli import main
from dss.data import read_annotations
from dss.errors import DssError
from dss.plot import plot_novel_sounds
from dss.predict import predict_files
from dss.predict.near_misses import near_misses_path
from dss.review.novel_sounds import find_novel_sounds
from dss.review.rounds import NOTHING_NEW, find_novel_in_run, next_round

NEW = [(1.0 + 0.5 * i, 1.1 + 0.5 * i) for i in range(12)]


@pytest.fixture(scope="module")
def annotated(tmp_path_factory, tiny_run):
    """Two recordings annotated by the tiny network, which never heard the second song type."""
    folder = tmp_path_factory.mktemp("unlike")
    x, rows = tone_song(seed=20, seconds=8)
    write_recording(folder / "new", "known", x, 1000, rows)
    rng = np.random.default_rng(0)
    x = 0.02 * rng.standard_normal((8000, 1))
    for start, stop in NEW:
        t = np.arange(round(1000 * start), round(1000 * stop))
        x[t, 0] += 0.6 * np.sin(2 * np.pi * 130 * t / 1000)
    write_recording(folder / "new", "other", x, 1000, [])
    files = predict_files(folder / "new", tiny_run[0], save_dir=folder / "annotated")
    return {folder / "new" / f"{file.name[:5]}.wav": file for file in files}


def test_a_song_type_that_nobody_annotated_is_listed(annotated, tiny_run):
    novel = find_novel_sounds(annotated, tiny_run[1])
    n = novel["recording"].map(lambda path: Path(path).stem).value_counts()
    assert n.get("known", 0) <= 2
    times = novel[novel["recording"].str.endswith("other.wav")]
    is_listed = [((times["start_seconds"] < b) & (times["stop_seconds"] > a)).any() for a, b in NEW]
    assert np.mean(is_listed) > 0.8
    assert (novel["distance"] > 1).all()
    assert novel["distance"].is_monotonic_decreasing


def test_near_misses_of_events_are_no_new_sounds(annotated, tiny_run, tmp_path):
    recording, file = next(iter(annotated.items()))
    table = read_annotations(file)
    here = tmp_path / file.name
    table.to_csv(here, index=False)
    near = pd.DataFrame([("p", 0.01, 0.013, 0.4)], columns=[*table.columns[:3], "probability"])
    near.to_csv(near_misses_path(here), index=False)
    novel = find_novel_sounds({recording: here}, tiny_run[1])
    assert 0.01 not in novel["start_seconds"].tolist()


def test_the_command_lists_and_counts_them(annotated, tiny_run, capsys):
    new, folder = next(iter(annotated)).parent, next(iter(annotated.values())).parent
    named = ["--recordings", str(new), "--known", str(tiny_run[1])]
    assert main(["proofread", str(folder), *named]) == 0
    said = capsys.readouterr().out
    n = len(find_novel_sounds(annotated, tiny_run[1]))
    assert said.endswith(f"{n} sounds are unlike anything annotated.\n")
    assert " unlike " in said.partition("Recordings to annotate next")[0]
    assert main(["proofread", str(folder), *named[:2]]) == 2
    assert "recordings and known go together" in capsys.readouterr().err
    assert (
        main(["proofread", str(folder), "--recordings", str(tiny_run[1].parent), *named[2:]]) == 2
    )


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """Recordings whose annotations are in another folder, in samples, without names; and how they
    are read.
    """
    folder = tmp_path_factory.mktemp("known")
    (folder / "labels").mkdir()
    for i in range(3):
        x, rows = tone_song(seed=i, seconds=8)
        write_recording(folder / "song", f"bird_{i}", x, 1000, rows)
        (folder / "song" / f"bird_{i}_annotations.csv").unlink()
        labels = "".join(f"{1000 * a:.0f},{1000 * b:.0f}\n" for _, a, b in rows if b > a)
        (folder / "labels" / f"bird_{i}.csv").write_text(f"start,stop\n{labels}")
    at = "../labels/{stem}.csv"
    return folder / "song", {"annotations_at": at, "time_unit": "samples", "unnamed": "call"}


def test_manual_annotations_are_read_as_the_check_reads_them(annotated, elsewhere, capsys):
    new, folder = next(iter(annotated)).parent, next(iter(annotated.values())).parent
    known, how = elsewhere
    words = ["proofread", str(folder), "--recordings", str(new), "--known", str(known)]
    switches = [f"--{name.replace('_', '-')}={value}" for name, value in how.items()]
    for missing, says in (
        (switches, "the annotations are elsewhere: --annotations-at '../labels/{stem}.csv'"),
        (switches[2:], "row 2: the name is missing"),
    ):
        given = [switch for switch in switches if switch not in missing]
        assert main([*words, *given]) == 2
        assert says in capsys.readouterr().err
    assert main([*words, *switches]) == 0
    assert "other_annotations.csv" in capsys.readouterr().out
    novel = find_novel_sounds(annotated, known, **how)
    assert (novel["recording"].str.endswith("other.wav")).mean() > 0.8


def test_marks_of_noise_and_absence_are_no_sounds(annotated, tmp_path):
    x, rows = tone_song(seed=3, seconds=8)
    marks = [("noise", 0.0, 8.0), ("not_a", 1.0, 3.0), ("not_b", 2.0, 8.0)]
    for name, of_one in (("song", rows), ("marked", rows + marks)):
        write_recording(tmp_path / name, "x", x, 1000, of_one)
    song, marked = (find_novel_sounds(annotated, tmp_path / n) for n in ("song", "marked"))
    pd.testing.assert_frame_equal(song, marked)


def test_manual_annotations_beside_predictions_are_not_proofread(annotated, tmp_path, capsys):
    for file in annotated.values():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "mine_annotations.csv").write_text("start_seconds,stop_seconds\n1,2\n")
    assert main(["proofread", str(tmp_path)]) == 0
    assert "mine" not in capsys.readouterr().out


def test_skipped_recordings_are_annotated_already(annotated, tiny_run, tmp_path):
    for ending in ("_params.yaml", "_model.h5"):
        copy = tmp_path / f"20260101_000000{ending}"
        copy.write_bytes(Path(f"{tiny_run[0]}{ending}").read_bytes())
    x, _ = tone_song(seed=30, seconds=8)
    mine = write_recording(tmp_path / "new", "mine", x, 1000, [])
    manual = tmp_path / "new" / "mine_annotations.csv"
    manual.write_text("start_seconds,stop_seconds\n500,750\n")  # samples, without names
    found = next_round({**annotated, mine: manual}, tmp_path / "20260101_000000")
    n = sum(len(read_annotations(file)) for file in annotated.values())
    assert found.rounds["found"].tolist() == [n]
    assert str(mine) not in [*found.novel["recording"]]
    assert str(next_round({mine: manual}, tmp_path / "20260101_000000")).endswith(NOTHING_NEW)


def test_the_gallery_has_a_row_for_those_that_are_alike(annotated):
    recording = str(next(iter(annotated)))
    rows = [(recording, "a" if i < 4 else "", 1.0 + i, 1.1 + i, 2.0, i // 4) for i in range(6)]
    rows.append((recording, "", 0.2, 0.3, 1.5, -1))
    columns = ["recording", "name", "start_seconds", "stop_seconds", "distance", "group"]
    novel = pd.DataFrame(rows, columns=columns)
    labels = [axis.get_ylabel() for axis in plot_novel_sounds(novel).axes]
    assert labels == ["1: a?\nn = 4", "2: not found\nn = 2", "others\nn = 1"]
    with pytest.raises(DssError, match="nothing to show"):
        plot_novel_sounds(novel[:0])


def test_rounds_are_counted(annotated, tiny_run, tmp_path):
    """With copies of the run, so that its folder stays as it is."""
    for name in ("20260101_000000", "20260101_000001"):
        for ending in ("_params.yaml", "_model.h5"):
            (tmp_path / f"{name}{ending}").write_bytes(Path(f"{tiny_run[0]}{ending}").read_bytes())
    first = next_round(annotated, tmp_path / "20260101_000000")
    assert first.rounds["annotated_seconds"].tolist() == pytest.approx([32], abs=0.1)
    assert first.rounds["song_types"].tolist() == [3]
    assert 0.5 < first.rounds["f1"].iloc[0] <= 1
    second = next_round(annotated, tmp_path / "20260101_000001")
    again = next_round(annotated, tmp_path / "20260101_000001")  # counts once
    assert second.rounds["run"].tolist() == again.rounds["run"].tolist()
    assert len(again.rounds) == 2
    first_line, *_, last_line = str(again).splitlines()
    assert first_line == "Annotated: 32 s (32 s before), 3 song types."
    assert last_line == "Annotate next: other, known."
    assert f"{len(first.novel)} sounds are unlike anything annotated." in str(again)
    there = sorted(tiny_run[1].with_suffix("").glob("*.wav"))
    files = {path: annotated[next(iter(annotated))] for path in there}
    nothing_new = str(next_round(files, tmp_path / "20260101_000001")).splitlines()
    assert nothing_new[1:] == [NOTHING_NEW]
    with pytest.raises(DssError, match=NOTHING_NEW):
        find_novel_in_run(files, tmp_path / "20260101_000001")
    (tmp_path / "rounds.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DssError, match=r"rounds\.csv"):
        next_round(annotated, tmp_path / "20260101_000001")
