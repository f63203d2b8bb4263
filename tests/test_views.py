import numpy as np
import pandas as pd
import pytest
from conftest import tone_song, write_recording

from dss import plot
from dss.data import annotations_path, make_dataset, open_dataset, read_annotations
from dss.errors import DssError
from dss.plot.alignment import around, width_ms
from dss.plot.examples import choose_examples
from dss.review.edits import Edits, edited_of
from dss.review.table_edits import remove
from dss.review.views import (
    completeness,
    describe_problems,
    find_problems,
    is_dataset,
    open_views,
    recording_view,
    summarize,
)

TIMES = ["start_seconds", "stop_seconds"]


@pytest.fixture
def store(folder):
    return make_dataset(folder, event_std_seconds=0.004, test_split="samples", test_fraction=0.2)


def test_a_folder_and_a_recording_and_a_dataset_are_opened_alike(folder, store):
    assert [m.name for m in open_views(folder)] == [f"bird_{i}.wav" for i in range(3)]
    assert [m.name for m in open_views(folder / "bird_1.wav")] == ["bird_1.wav"]
    assert [m.name for m in open_views(store)] == ["train", "val", "test"]
    assert (is_dataset(folder), is_dataset(store)) == (False, True)
    assert summarize(folder).index.tolist() == [*(f"bird_{i}.wav" for i in range(3)), "all"]
    assert summarize(store).index.tolist() == ["train", "val", "test", "all"]


def test_recordings_are_counted_one_by_one_and_all_together(folder):
    x, _ = tone_song(seed=7, seconds=2)
    write_recording(folder, "other", x, 2000, [("a", 0.1, 0.2)])
    write_recording(folder, "nothing", x, 1000, [])
    (folder / "nothing_annotations.csv").unlink()
    table = summarize(folder)
    assert table.loc["other.wav", ["a", "b", "p"]].tolist() == [1, 0, 0]
    assert table.loc["nothing.wav", ["a", "b", "p"]].isna().all()
    assert table["seconds"]["all"] == pytest.approx(3 * 4 + 1 + 2)
    assert table["a"]["all"] == table["a"].iloc[:-1].sum()
    assert pd.isna(table["samplerate_hz"]["all"])
    assert table["channels"]["all"] == 1
    assert summarize(folder / "bird_1.wav").index.tolist() == ["bird_1.wav", "all"]


def test_recordings_that_do_not_say_their_rate_and_other_formats_are_opened_as_told(tmp_path):
    x, rows = tone_song(seed=0)
    (tmp_path / "song").mkdir()
    np.save(tmp_path / "song" / "bird.npy", x)
    labels = "".join(f"{start}\t{stop}\t{name}\n" for name, start, stop in rows)
    (tmp_path / "song" / "bird.txt").write_text(labels)
    how = {"samplerate_hz": 1000, "annotation_format": "audacity"}
    (view,) = open_views(tmp_path / "song", **how)
    assert view.annotations["name"].tolist() == [name for name, *_ in rows]
    assert summarize(tmp_path / "song", **how)["seconds"]["bird.npy"] == pytest.approx(4)
    assert find_problems(tmp_path / "song", **how).empty
    with pytest.raises(DssError, match="sample rate"):
        open_views(tmp_path / "song", annotation_format="audacity")


@pytest.mark.parametrize(("unit", "per_second"), [("s", 1), ("ms", 1000), ("samples", 1000)])
def test_times_in_other_units_are_shown_in_seconds_and_saved_as_they_were(
    tmp_path, unit, per_second
):
    path = write_recording(tmp_path, "bird", tone_song(seed=0)[0], 1000, [])
    file = annotations_path(path)
    rows = f"a,{per_second},{1.25 * per_second}\nb,{2 * per_second},{2.5 * per_second}\n"
    file.write_text(f"name,start_seconds,stop_seconds\n{rows}c,NaN,NaN\n")
    how = {"time_unit": unit, "samplerate_hz": 500}  # samples are those of the file
    (view,) = open_views(tmp_path, **how)
    assert recording_view(path, **how).annotations.equals(view.annotations)
    assert view.annotations[TIMES].to_numpy()[:2].tolist() == [[1, 1.25], [2, 2.5]]
    assert completeness([view])["song"].tolist() == [0.75]
    edits, before = Edits(), edited_of(view, view.annotations)
    edits.put(path, before._replace(annotations=remove(view.annotations, 2)), before)
    edits.save()
    written = read_annotations(file)[TIMES].to_numpy()
    np.testing.assert_allclose(written, [[2 * per_second, 2.5 * per_second], [np.nan] * 2])
    (again,) = open_views(tmp_path, **how)
    np.testing.assert_allclose(again.annotations[TIMES].to_numpy()[0], [2, 2.5])
    other = edited_of(view, view.annotations.iloc[:0])
    with pytest.raises(DssError, match="contains annotations that are not shown"):
        Edits().put(path, other, other)


def test_the_targets_of_a_dataset_show_the_annotations_that_it_was_made_of(folder, store):
    attributes, shown = open_dataset(store).attrs, []
    for split in open_views(store):
        names = attributes[f"filename_{split.name}"]
        starts = np.array(attributes[f"filename_startsample_{split.name}"]) / 1000
        table = split.annotations
        part = np.searchsorted(split.cuts, table["start_seconds"], "right")
        offset = starts[part] - np.concatenate([[0], split.cuts])[part]
        shown.append(table.assign(file=[names[i] for i in part]))
        shown[-1][TIMES] = table[TIMES].add(offset, axis=0)
    shown = pd.concat(shown).sort_values(["file", "start_seconds"], ignore_index=True)
    tables = [read_annotations(folder / f"bird_{i}_annotations.csv") for i in range(3)]
    table = pd.concat(tables, ignore_index=True)
    assert shown["name"].tolist() == table["name"].tolist()
    np.testing.assert_allclose(shown[TIMES], table[TIMES], atol=0.0011)


def test_what_is_not_known_is_the_same_in_a_folder_and_in_its_dataset(tmp_path):
    x, rows = tone_song(seed=0)
    path = write_recording(tmp_path / "song", "bird", x, 1000, rows)
    path.with_name("bird_annotated.csv").write_text("start_seconds,stop_seconds\n0,1\n2,4\n")
    (recording,) = open_views(tmp_path / "song")
    np.testing.assert_allclose(recording.unknown, [[1, 2]])
    splits = open_views(make_dataset(tmp_path / "song", test_fraction=0))
    unknown = completeness(splits)["unknown"]
    assert unknown.sum() == pytest.approx(1)
    assert completeness([recording])["unknown"].tolist() == [1]
    song = sum(stop - start for _, start, stop in rows)
    assert completeness([recording])["song"].tolist() == pytest.approx([song])


def test_what_is_absent_may_be_named_in_another_recording(tmp_path):
    x, _ = tone_song(seed=0)
    rows = [("a", 1, 1.1), ("not_b", 2, 3), ("not_a", 2.5, 3.5)]
    write_recording(tmp_path / "song", "first", x, 1000, rows)
    write_recording(tmp_path / "song", "second", x, 1000, [("a", 1, 1.1), ("b", 2, 2.1)])
    (tmp_path / "song" / "broken_annotations.csv").write_text("name\n")
    opened = open_views(tmp_path / "song")
    np.testing.assert_allclose(opened[0].unknown, [[0, 1], [1.1, 2.5], [3, 4]])
    table = completeness(opened)
    assert table["unknown"].tolist() == pytest.approx([3.4, 0])
    assert table["annotations"].tolist() == [1, 2]
    how = {"test_fraction": 0, "overwrite": True}
    for song_types, unknown in ((None, 3.4), ("a", 2.9)):
        splits = open_views(make_dataset(tmp_path / "song", song_types=song_types, **how))
        assert completeness(splits)["unknown"].sum() == pytest.approx(unknown, abs=0.003)


def test_without_annotations_that_can_be_read_all_is_unknown(tmp_path):
    for name in ("good", "broken", "none"):
        write_recording(tmp_path, name, tone_song(seed=0)[0], 1000, [("a", 1, 2)])
    (tmp_path / "broken_annotations.csv").write_text("name\n")
    (tmp_path / "none_annotations.csv").unlink()
    table = completeness(open_views(tmp_path))
    assert table["unknown"].to_dict() == {"broken.wav": 4, "good.wav": 0, "none.wav": 4}
    (none,) = open_views(tmp_path / "none.wav")
    assert none.unknown.shape == (0, 2)  # and nothing is hatched where annotating begins


def test_a_broken_table_of_annotations_is_a_problem_and_the_sound_can_be_seen(folder):
    (folder / "bird_1_annotations.csv").write_text("name,start_seconds\n")
    assert "stop_seconds" in find_problems(folder)["problem"].iloc[0]
    assert describe_problems(find_problems(folder)).startswith(
        f"error: {folder / 'bird_1_annotations.csv'}"
    )
    assert describe_problems(find_problems(folder / "bird_0.wav")) == "No problems found."
    assert open_views(folder)[1].annotations.empty


def test_a_silent_recording_in_a_dataset_is_a_problem(folder):
    write_recording(folder, "silent", np.zeros(4000), 1000, [("a", 1, 1.1)])
    problems = find_problems(make_dataset(folder, test_fraction=0))
    assert any("silent.wav: is silent" in problem for problem in problems["problem"])


def test_a_notebook_shows_the_message_of_an_error_and_no_traceback(tmp_path):
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    with capture_output() as shown:
        code = f"import dss; dss.review.views.summarize({str(tmp_path / 'nowhere')!r})"
        assert not InteractiveShell().run_cell(code).success
    assert (
        shown.stdout.strip() == f"DssError: {tmp_path / 'nowhere'}: there is no such file or folder"
    )


def test_examples_are_of_their_type_and_the_same_every_time(folder):
    view = open_views(folder)
    figure = plot.plot_examples(view, n_examples=4)
    assert [axis.get_ylabel().split()[0] for axis in figure.axes] == ["a", "b", "p"]
    assert [len(axis.images) for axis in figure.axes] == [4, 4, 0]
    assert figure._repr_png_() == plot.plot_examples(view, n_examples=4)._repr_png_()
    chosen = choose_examples(view, 100, np.random.default_rng(0))
    tables = [read_annotations(folder / f"bird_{i}_annotations.csv") for i in range(3)]
    assert {n: len(c) for n, c in chosen.items()} == dict(pd.concat(tables)["name"].value_counts())


@pytest.mark.parametrize("late_seconds", [0, 0.02])
def test_annotations_that_are_late_are_seen_as_such(tmp_path, late_seconds):
    x, rows = tone_song(seed=1)
    rows = [(name, start + late_seconds, stop + late_seconds) for name, start, stop in rows]
    write_recording(tmp_path, "bird", x, 1000, rows)
    examples = choose_examples(open_views(tmp_path), 100, np.random.default_rng(0))
    ms, loudness, target = around("b", examples["b"], at_stop=False)
    begins = ms[np.median(loudness, axis=0).searchsorted(0.5)]
    assert begins == pytest.approx(-1000 * late_seconds, abs=3)
    assert ms[target.mean(axis=0).searchsorted(0.5)] == pytest.approx(0, abs=1.1)


def test_the_width_of_events_is_that_of_their_targets(store):
    examples = choose_examples(open_views(store), 100, np.random.default_rng(0))
    ms, _, target = around("p", examples["p"], at_stop=False)
    assert width_ms(ms, target) == pytest.approx(2.355 * 4, abs=1)  # of a Gaussian
    titles = [axis.get_title(loc="left") for axis in plot.plot_alignment(open_views(store)).axes]
    assert any(title.startswith("p\nn = ") and "width 9" in title for title in titles)


def test_nothing_annotated_has_no_examples(tmp_path):
    write_recording(tmp_path, "bird", tone_song(seed=0)[0], 1000, [])
    for figure in (plot.plot_examples, plot.plot_alignment):
        with pytest.raises(DssError, match="Nothing is annotated here"):
            figure(open_views(tmp_path))


@pytest.mark.filterwarnings("ignore:. does not occur")
def test_a_dataset_says_which_song_types_it_lacks(tmp_path):
    rows = [("a", 0.1, 0.2), ("b", 3.5, 3.6)]
    write_recording(tmp_path / "song", "bird", tone_song(seed=0)[0], 1000, rows)
    problems = find_problems(make_dataset(tmp_path / "song", val_fraction=0.3, test_fraction=0))
    text = " ".join(problems["problem"])
    assert "has no example in the val split" in text
    assert "has no example in the train split" in text
