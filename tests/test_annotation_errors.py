"""Wrong annotations are listed with what is wrong; correct ones are not."""

import numpy as np
import pandas as pd
import pytest
from conftest import tone_song, write_recording
from matplotlib.image import imread

from dss.cli import main
from dss.data import open_dataset
from dss.data.corpus import Source
from dss.data.recordings import array_recording
from dss.data.splits import Song, Stretch, halved
from dss.errors import DssError, DssWarning
from dss.plot import plot_annotation_errors
from dss.plot.annotation_errors import save_errors
from dss.review import cross_validation
from dss.review.annotation_errors import find_annotation_errors, format_errors, rank_errors
from dss.review.cross_validation import HeldOut
from dss.review.view import View

HZ = 1000
TYPES = {"a": "segment", "b": "segment"}
COLUMNS = ["name", "start_seconds", "stop_seconds"]
LISTED = ["annotated_name", *COLUMNS[1:]]
SONG = [("ab"[i % 2], 0.1 + 0.15 * i, 0.18 + 0.15 * i) for i in range(40)]


def held_out(annotated, sung=SONG, types=TYPES, known=None, learned=("a", "b", "p")):
    """A recording in which the network hears the true song, whatever is annotated."""
    p = np.full((round(HZ * 6.5), 1 + len(types)), 0.02, np.float16)
    p[:, 0] = 0.96
    for name, start, stop in sung:
        reach = 3 if types[name] == "event" else 0
        here = slice(round(HZ * start) - reach, round(HZ * stop) + reach)
        p[here] = 0.02
        p[here, 1 + [*types].index(name)] = 0.96
    found = pd.DataFrame(sung, columns=COLUMNS).assign(confidence=0.96)
    recording = array_recording(np.zeros(len(p), np.float32), HZ, "bird.wav")
    table = pd.DataFrame(annotated, columns=COLUMNS)
    source = Source(recording, "bird.wav", table, known)
    return HeldOut(source, 0.0, p, HZ, found, frozenset(learned))


def changed(row, *, name=None, onset=0.0, offset=0.0):
    """The song with one wrong annotation."""
    old, start, stop = SONG[row]
    return [*SONG[:row], (name or old, start + onset, stop + offset), *SONG[row + 1 :]]


def test_nothing_is_listed_where_the_network_agrees():
    errors = rank_errors([held_out(SONG)], TYPES)
    assert errors.empty
    assert format_errors(errors) == "The networks agree with all annotations."


@pytest.mark.parametrize(
    ("annotated", "error", "says", "row"),
    [
        (changed(6, name="b"), "name", "is a", 6),
        (changed(6, onset=0.02), "onset", "starts 20 ms earlier", 6),
        (changed(6, onset=-0.02), "onset", "starts 20 ms later", 6),
        (changed(6, offset=0.02), "offset", "stops 20 ms earlier", 6),
        (changed(6, offset=-0.02), "offset", "stops 20 ms later", 6),
        ([*SONG[:6], *SONG[7:]], "missing", "a is missing", None),
        ([*SONG, ("a", 6.2, 6.3)], "false", "no song here", 40),
        ([*SONG[:6], ("b", 1.002, 1.079), *SONG[6:]], "double", "is annotated twice", 6),
    ],
)
def test_an_error_is_listed_with_what_is_wrong(annotated, error, says, row):
    errors = rank_errors([held_out(annotated)], TYPES)
    first = errors.iloc[0]
    assert first[["error", "says"]].tolist() == [error, says]
    assert first["score"] > 0.7
    if row is None:
        assert pd.isna(first["annotated_name"])
        assert first["start_seconds"] == pytest.approx(SONG[6][1])
    else:
        assert first[LISTED].tolist() == list(annotated[row])
    assert len(errors) == 1
    if error not in ("false", "double"):
        right = first[["network_name", "network_start_seconds", "network_stop_seconds"]]
        assert right.tolist() == pytest.approx(list(SONG[6]), abs=0.0011)


def test_what_is_surer_comes_first():
    """A boundary that is 40 ms off is listed before one that is 20 ms off."""
    annotated = changed(6, onset=0.02)
    annotated[11] = (annotated[11][0], annotated[11][1] + 0.04, annotated[11][2])
    assert rank_errors([held_out(annotated)], TYPES)["start_seconds"].tolist() == pytest.approx(
        [annotated[11][1], annotated[6][1]]
    )


def test_objections_that_networks_make_often_count_less():
    """The network does not hear a third of the song; a boundary that is off comes before that."""
    annotated = changed(6, onset=0.02)
    heard = [row for i, row in enumerate(SONG) if i % 3 != 1]
    errors = rank_errors([held_out(annotated, heard)], TYPES)
    assert errors["error"].tolist() == ["onset"] + ["false"] * 13
    assert errors["score"].iloc[0] > 0.7 > 0.3 > errors["score"].iloc[1]


def test_boundaries_that_are_always_annotated_early_are_no_errors():
    early = [(name, start - 0.015, stop) for name, start, stop in SONG]
    assert rank_errors([held_out(early)], TYPES).empty


def test_events_with_another_name_missing_or_invented():
    types = {"p": "event", "q": "event"}
    sung = [("pq"[i % 2], 0.1 + 0.1 * i, 0.1 + 0.1 * i) for i in range(40)]
    annotated = [("q", *sung[4][1:]), *sung[:4], *sung[5:20], *sung[21:], ("p", 5.05, 5.05)]
    errors = rank_errors([held_out(annotated, sung, types, learned=types)], types)
    says = dict(zip(errors["start_seconds"].round(3), errors["says"], strict=True))
    assert says == {0.5: "is p", 2.1: "p is missing", 5.05: "no song here"}


def test_what_nobody_looked_at_is_not_judged():
    annotated = [*SONG[:6], *SONG[7:]]
    assert rank_errors([held_out(annotated, known=np.array([[1.1, 6.5]]))], TYPES).empty
    assert len(rank_errors([held_out(annotated, known=np.array([[0.9, 6.5]]))], TYPES)) == 1


def test_song_may_go_on_where_nobody_looked():
    """The middles of syllables are annotated, all that the network hears beyond is unknown."""
    part = [(name, start + 0.02, stop - 0.02) for name, start, stop in SONG]
    known = np.array([times for _, *times in part])
    assert rank_errors([held_out(part, known=known)], TYPES).empty
    # Where everything else is known, the network objects to one such annotation.
    annotated = [*SONG[:6], part[6], *SONG[7:]]
    known = np.array([[0.0, SONG[6][1]], part[6][1:], [SONG[6][2], 6.5]])
    assert len(rank_errors([held_out(annotated)], TYPES)) == 1
    assert rank_errors([held_out(annotated, known=known)], TYPES).empty
    # A long segment that the network found, and an excerpt of it, are no mistake.
    sung = [*SONG, ("a", 6.15, 6.45)]
    excerpt = [*SONG, ("a", 6.28, 6.32)]
    known = np.array([[0.0, 6.15], [6.28, 6.32]])
    assert rank_errors([held_out(excerpt, sung, known=known)], TYPES).empty


def test_a_song_type_that_the_network_could_not_learn_is_not_judged():
    annotated = changed(6, name="b")
    with pytest.warns(DssWarning, match="^b: not checked in one half .* fewer than 3"):
        errors = rank_errors([held_out(annotated, learned=["a"])], TYPES)
    assert errors.empty


def test_times_are_those_of_the_recording_where_a_part_was_judged():
    part = held_out([*SONG[:6], *SONG[7:]])
    part = HeldOut(part.source, 100.0, *list(vars(part).values())[2:])
    errors = rank_errors([part], TYPES)
    assert errors["start_seconds"].tolist() == pytest.approx([101.0])
    assert errors["look_at"].tolist() == ["1:41.000"]


def test_halves_share_each_song_type():
    extents = np.array([[100, 200], [300, 400]])
    songs = [Song(1000, extents, ["a", "bc"[i % 2]], str(i)) for i in range(8)]
    first, second = halved(songs, 1000, seed=3)
    assert sorted(s.recording for s in first + second) == [*range(8)]
    for half in (first, second):
        assert [songs[s.recording].names[1] for s in half].count("b") == 2


def test_halves_of_a_single_recording_are_cut_in_a_pause():
    song = Song(1000, np.array([[100, 200], [450, 600]]), ["a", "a"], "x")
    (first,), (second,) = halved([song], 1000, seed=0)
    edges = sorted((half.start_sample, half.stop_sample) for half in (first, second))
    assert edges[0][0] == 0
    assert edges[0][1] == edges[1][0]
    assert edges[1][1] == 1000
    assert not 450 < edges[1][0] < 600


def test_halves_of_excerpts_have_equal_shares_of_what_is_annotated():
    starts = np.arange(100, 900, 100)
    excerpts = np.stack([starts, starts + 20], axis=1)
    song = Song(10_000, excerpts, ["a"] * 8, "x", excerpts)
    halves = halved([song], 1000, seed=0)
    known = [sum(song.n_known(s.start_sample, s.stop_sample) for s in half) for half in halves]
    assert known == [80, 80]


def test_a_part_of_a_recording_has_its_own_times():
    x = np.arange(1000, dtype=np.float32)
    table = pd.DataFrame([("a", 0.1, 0.2), ("b", 0.7, 0.8)], columns=COLUMNS)
    source = Source(array_recording(x, 1000), "x", table, np.array([[0.0, 0.65], [0.7, 1.0]]))
    part = cross_validation._part(source, Stretch(0, 500, 1000))
    np.testing.assert_array_equal(part.recording.read(10, 20)[:, 0], x[510:520])
    assert part.recording.n_samples == 500
    np.testing.assert_allclose(part.annotations[COLUMNS[1:]], [[0.2, 0.3]])
    np.testing.assert_allclose(part.known, [[0, 0.15], [0.2, 0.5]])


@pytest.mark.parametrize(("n", "seconds"), [(1, 4.0), (4, 2.0)])
def test_too_few_annotations_are_an_error_before_training(tmp_path, monkeypatch, n, seconds):
    monkeypatch.setattr(cross_validation, "train", lambda **_: pytest.fail("trains"))
    for i in range(n):
        x, rows = tone_song(seed=i, seconds=seconds)
        write_recording(tmp_path / "song", f"bird_{i}", x, 1000, rows)
    with pytest.raises(DssError, match=r"annotations, too few to learn from.*at least 20"):
        find_annotation_errors(tmp_path / "song")


def test_the_command_lists_what_was_planted(tmp_path, monkeypatch, capsys, tiny_run):
    """Change a name and leave out a tone: a list and a figure are written.

    The network is one that was trained before.
    """
    learned, seeds = [], []

    def train(data_dir, seed, nb_members):
        seeds.append(seed)
        attributes = open_dataset(data_dir).attrs
        learned.append({*attributes["filename_train"], *attributes["filename_val"]})
        return tiny_run[0]

    monkeypatch.setattr(cross_validation, "train", train)
    for i in range(4):
        x, rows = tone_song(seed=10 + i, seconds=10)
        if i == 1:
            a = [row for row in rows if row[0] == "a"]
            rows[rows.index(a[2])] = ("b", *a[2][1:])
            rows.remove(a[7])
        write_recording(tmp_path / "song", f"bird_{i}", x, 1000, rows)
    assert main(["check", str(tmp_path / "song"), "--with-network", "--seed", "2"]) == 0
    assert seeds == [2, 2]
    assert len(learned[0]) == len(learned[1]) == 2
    assert not learned[0] & learned[1]
    errors = pd.read_csv(tmp_path / "song.check/annotation_errors.csv")
    name, missing = (errors[errors["error"] == error].iloc[0] for error in ("name", "missing"))
    for row, start in ((name, a[2][1]), (missing, a[7][1])):
        assert row[["recording", "network_name"]].tolist() == ["bird_1.wav", "a"]
        assert row["start_seconds"] == pytest.approx(start, abs=0.02)
    said = capsys.readouterr()
    assert f"bird_1.wav {name['look_at']}  b is a (" in said.out
    assert f"bird_1.wav {missing['look_at']}  a is missing (" in said.out
    assert "make the dataset again" in said.out.splitlines()[-1]
    assert said.err.splitlines() == [
        f"Half {n} of 2: training on 2 recordings, then judging the other 2" for n in (1, 2)
    ]
    assert imread(tmp_path / "song.check/annotation_errors.png").shape[1] == 1000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["song", "song.check"]


def test_the_figure_shows_what_people_and_networks_say(tmp_path):
    part = held_out(changed(6, name="b"))
    errors = rank_errors([part], TYPES)
    table = part.source.annotations
    view = View("bird.wav", part.source.recording, lambda: table)
    figure = plot_annotation_errors(errors, [view])
    sound, annotated, network = figure.subfigs[0].axes
    assert "b is a (0.96)" in sound.get_title(loc="left")
    assert [axis.get_ylabel() for axis in (annotated, network)] == ["annotated", "network"]
    corrected = View("bird.wav", part.source.recording, table.assign(name="c").copy)
    legend = plot_annotation_errors(errors, [corrected]).legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["a", "c"]
    assert len(save_errors(errors, [view], tmp_path / "new")) == 2
    nothing = errors[:0]
    assert save_errors(nothing, [view], tmp_path / "new") == [
        tmp_path / "new/annotation_errors.csv"
    ]
    assert not (tmp_path / "new/annotation_errors.png").exists()
    with pytest.raises(DssError, match="nothing to show"):
        plot_annotation_errors(nothing, [view])
    other = View("other.wav", part.source.recording)
    with pytest.raises(DssError, match=r"bird\.wav: is not one of the recordings"):
        plot_annotation_errors(errors, [other])
