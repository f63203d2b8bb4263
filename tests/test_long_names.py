"""Every figure stays legible with long names of song types and files, and one type or fifty."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.text import Text

from dss import plot
from dss.data import write_annotations
from dss.review.views import open_views

FILE = "2019-12-01_06-44-03_a_bird_of_the_aviary_in_the_north_channel_1_of_4"
LEAST_PIXELS = 18  # of the sides of axes


def names(n):
    return [f"{i}{'_warbled_descending_trill'}"[:20] for i in range(n)]


def song(n_types, seconds=10.0):
    """Alternating segments of all song types, and the same with 8 mistakes under other names."""
    starts = np.arange(0.1, seconds - 0.1, 0.1)
    kinds = np.array(names(n_types))[np.arange(len(starts)) % n_types]
    true = pd.DataFrame({"name": kinds, "start_seconds": starts, "stop_seconds": starts + 0.06})
    found = true.drop(index=range(0, 80, 20))
    extra = true.iloc[:80:20].assign(start_seconds=lambda t: t["start_seconds"] + 0.07)
    found = pd.concat([found, extra.assign(stop_seconds=extra["start_seconds"] + 0.02)])
    found = found.sort_values("start_seconds", ignore_index=True)
    return true, found.assign(confidence=np.linspace(0.5, 1, len(found)))


def dataset(n_types):
    """A dataset with the attributes that figures of datasets read."""
    rate, classes = 1000, ["noise", *names(n_types)]
    y = np.eye(len(classes), dtype=np.float32)[np.repeat(np.arange(len(classes)), 60)]
    x = np.random.default_rng(0).normal(size=(len(y), 1))
    split = xr.Dataset({"x": (("time", "channel"), x), "y": (("time", "song_type"), y)})
    attributes = {
        "samplerate_x_Hz": rate,
        "samplerate_y_Hz": rate,
        "class_names": classes,
        "class_types": ["segment"] * len(classes),
    }
    for name in ("train", "val", "test"):
        attributes |= {
            f"filename_{name}": [f"{FILE}_{name}.wav"],
            f"filename_startsample_{name}": [0],
            f"filename_endsample_{name}": [len(y)],
        }
    splits = dict.fromkeys(("train", "val", "test"), split)
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=attributes), **splits})


def history(n_types):
    f1 = {f"val_f1_{name}": np.linspace(0, 0.9, 5) for name in ["noise", *names(n_types)]}
    losses = {"epoch": range(1, 6), "loss": range(5, 0, -1), "val_loss": range(6, 1, -1)}
    return pd.DataFrame({**losses, "best_epoch": 5, **f1})


def curve(n_types):
    rows = [
        (name, 10 * 2**i, 2**i, f1, f1 - 0.05, f1 + 0.05, i < 4)
        for name in ["all", *names(n_types)]
        for i, f1 in enumerate([0.5, 0.6, 0.7, 0.8, 0.85])
    ]
    columns = ["song_type", "seconds", "song_seconds", "f1", "low", "high", "is_measured"]
    return pd.DataFrame(rows, columns=columns)


def recording(n_types, folder):
    classes, (true, found) = ["noise", *names(n_types)], song(n_types)
    p = np.eye(len(classes))[np.arange(10_000) // 100 % len(classes)]
    return plot.plot_recording(
        np.random.default_rng(0).normal(size=10_000),
        1000,
        annotations={"made by people": true, "predicted by a network": found},
        probabilities=p,
        class_names=classes,
        title=f"{FILE}.wav",
    )


def mistakes(n_types, folder):
    _, found = song(n_types)
    return plot.plot_mistakes(folder / f"{FILE}_annotations.csv", found)


def annotation_errors(n_types, folder):
    true, found = song(n_types)
    rows = [
        (f"{FILE}.wav", *true.iloc[i], f"is {found['name'][i]}", 0.9, *found.iloc[i][:3])
        for i in range(12)
    ]
    columns = ["recording", "annotated_name", "start_seconds", "stop_seconds", "says", "score"]
    columns += ["network_name", "network_start_seconds", "network_stop_seconds"]
    return plot.plot_annotation_errors(pd.DataFrame(rows, columns=columns), open_views(folder))


def novel(n_types, folder):
    _, found = song(n_types)
    group = np.arange(len(found)) % min(n_types, 8)
    table = found.assign(recording=str(folder / f"{FILE}.wav"), distance=2.0, group=group)
    return plot.plot_novel_sounds(table)


FIGURES = {
    "plot_recording": recording,
    "plot_dataset": lambda n, folder: plot.plot_dataset(dataset(n)),
    "plot_splits": lambda n, folder: plot.plot_splits(dataset(n)),
    "plot_counts": lambda n, folder: plot.plot_counts(dataset(n)),
    "plot_durations": lambda n, folder: plot.plot_durations(song(n)[0]),
    "plot_confusion": lambda n, folder: plot.plot_confusion(
        1000 * np.eye(n + 1, dtype=int), ["noise", *names(n)]
    ),
    "plot_history": lambda n, folder: plot.plot_history(history(n)),
    "plot_precision_recall": lambda n, folder: plot.plot_precision_recall(*song(n)),
    "plot_errors": lambda n, folder: plot.plot_errors(*song(n)),
    "plot_learning_curve": lambda n, folder: plot.plot_learning_curve(curve(n)),
    "plot_mistakes": mistakes,
    "plot_annotation_errors": annotation_errors,
    "plot_novel_sounds": novel,
    "plot_examples": lambda n, folder: plot.plot_examples(open_views(folder)),
    "plot_alignment": lambda n, folder: plot.plot_alignment(open_views(folder)),
}


def test_every_figure_is_looked_at():
    assert set(FIGURES) == {name for name in plot.__all__ if name.startswith("plot_")}


@pytest.mark.parametrize("n_types", [1, 7, 50])
@pytest.mark.parametrize("name", FIGURES)
def test_nothing_collapses_or_lies_over_another(name, n_types, tmp_path, monkeypatch):
    true, _ = song(n_types)
    write_annotations(true, tmp_path / f"{FILE}_annotations.csv")
    x = np.random.default_rng(0).normal(size=10_000) / 10
    soundfile.write(tmp_path / f"{FILE}.wav", x, 1000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # constrained layout that collapses
        figure = FIGURES[name](n_types, tmp_path)
        written = written_texts(figure, monkeypatch)
    small = [axis for axis in figure.findobj(is_drawn) if min(axis.bbox.size) < LEAST_PIXELS]
    assert not small, [axis.bbox.size for axis in small]
    canvas = figure.bbox
    outside = [
        text
        for text, box in written
        if box.x0 < -1 or box.y0 < -1 or box.x1 > canvas.x1 + 1 or box.y1 > canvas.y1 + 1
    ]
    assert not outside
    over = [
        (a, b)
        for (a, first), (b, second) in itertools.combinations(written, 2)
        if min(first.x1, second.x1) - max(first.x0, second.x0) > 1
        and min(first.y1, second.y1) - max(first.y0, second.y0) > 1.5
    ]
    assert not over


def is_drawn(artist):
    is_axes = isinstance(artist, Axes) and artist.get_label() != "<colorbar>"
    return is_axes and artist.get_visible() and artist.axison


def written_texts(figure, monkeypatch):
    """The texts in a drawn figure, with their positions in pixels."""
    written, draw = [], Text.draw

    def noted(text, renderer, *args, **named):
        if text.get_visible() and text.get_text().strip():
            written.append((text.get_text(), text.get_window_extent(renderer)))
        draw(text, renderer, *args, **named)

    monkeypatch.setattr(Text, "draw", noted)
    figure.jpeg()
    return written
