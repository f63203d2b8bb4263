import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.colors import to_rgb
from xarray.backends import BackendArray
from xarray.core import indexing

from dss import plot
from dss.data import describe, make_dataset, open_dataset
from dss.errors import DssError

NAN = float("nan")


def annotations(*rows):
    return pd.DataFrame(rows, columns=["name", "start_seconds", "stop_seconds"])


def noise(seconds, samplerate_hz=1000, channels=1):
    rng = np.random.default_rng(0)
    n_samples = round(seconds * samplerate_hz)
    return 0.01 * rng.standard_normal((n_samples, channels), dtype=np.float32)


def bars(axis):
    """Edges in seconds and color of each bar: [(start, stop, color)]."""
    return [
        (path.vertices[:, 0].min(), path.vertices[:, 0].max(), tuple(color[:3]))
        for collection in axis.collections
        if collection.__class__.__name__ == "PolyCollection"
        for path, color in zip(collection.get_paths(), collection.get_facecolors(), strict=True)
    ]


def ticks(axis):
    return [
        segment[0, 0]
        for collection in axis.collections
        if collection.__class__.__name__ == "LineCollection"
        for segment in collection.get_segments()
    ]


def legend(figure):
    return [text.get_text() for box in figure.legends for text in box.get_texts()]


def test_a_recording_has_a_row_for_each_thing_that_is_given():
    table, p = annotations(("a", 0.2, 0.5)), np.full((1000, 2), 0.5)
    x = noise(1)
    assert len(plot.plot_recording(x, 1000).axes) == 2
    figure = plot.plot_recording(
        x,
        1000,
        annotations={"manual": table, "predicted": table},
        probabilities=p,
        class_names=["noise", "a"],
        start_seconds=7,
        title="bird",
    )
    labels = [axis.get_ylabel() for axis in figure.axes]
    assert labels == ["audio", "frequency\n(Hz)", "manual", "predicted", "probability"]
    assert all(axis.get_xlim() == (7, 8) for axis in figure.axes)
    assert figure.axes[-1].get_xlabel() == "time (s)"
    assert figure.get_suptitle() == "bird"


def test_annotations_are_drawn_where_they_are_and_only_those_in_the_stretch():
    table = annotations(
        ("a", 10.2, 10.4), ("p", 10.5, 10.5), ("b", NAN, NAN), ("a", 1, 2), ("p", 20, 20)
    )
    figure = plot.plot_recording(noise(1), 1000, annotations=table, start_seconds=10)
    axis = figure.axes[2]
    assert legend(figure) == ["a", "p"]
    assert [bar[:2] for bar in bars(axis)] == [pytest.approx((10.2, 10.4))]
    assert ticks(axis) == [10.5]
    assert [text.get_text() for text in axis.texts] == ["a"]


def test_overlapping_segments_lie_beside_each_other():
    table = annotations(("a", 0.1, 0.6), ("b", 0.3, 0.8), ("c", 0.7, 0.9))
    axis = plot.plot_recording(noise(1), 1000, annotations=table).axes[2]
    heights = {text.get_text(): text.get_position()[1] for text in axis.texts}
    assert heights["a"] == heights["c"] > heights["b"]


def test_more_segments_than_pixels_show_which_song_type_covers_most():
    starts = np.arange(0, 2000, 0.5)  # of bars that cover a tenth of a second, or four of them
    names = np.where(np.arange(len(starts)) % 2, "a", "b")
    stops = starts + np.where(names == "a", 0.4, 0.1)
    is_left_out = (starts >= 1000) & (starts < 1500)
    table = pd.DataFrame({"name": names, "start_seconds": starts, "stop_seconds": stops})
    overlapping = annotations(("c", 1600, 1900), ("c", 1700, 1800))
    table = pd.concat([table[~is_left_out & (starts < 1500)], overlapping])
    x = noise(2000, 10)
    axis = plot.plot_recording(x, 10, annotations=table).axes[2]
    upper, lower = (image.get_array()[0] for image in axis.images)
    assert len(upper) == 1000
    rgb = {name: np.array(to_rgb(c)) for name, c in plot.song_colors(["a", "b", "c"]).items()}
    np.testing.assert_allclose(1 - upper[:500], np.tile((1 - rgb["a"]) / 2, (500, 1)), atol=0.02)
    np.testing.assert_array_equal(upper[500:800], 1)
    np.testing.assert_allclose(upper[850], rgb["c"])
    np.testing.assert_allclose(lower[[849, 851, 899, 901]], [[1] * 3, *[rgb["c"]] * 2, [1] * 3])


def test_names_that_do_not_fit_on_a_bar_are_left_to_the_legend():
    table = annotations(("a_very_long_name", 0.5, 0.505))
    figure = plot.plot_recording(noise(1), 1000, annotations=table)
    assert not figure.axes[2].texts
    assert legend(figure) == ["a_very_long_name"]


def test_a_song_type_has_one_color_in_all_rows_and_figures_of_the_same_classes():
    names = ["noise", "a", "b"]
    p = np.eye(3)[np.repeat([0, 1, 2], 100)]
    first = plot.plot_recording(
        noise(0.3),
        1000,
        annotations=annotations(("b", 0.2, 0.3)),
        probabilities=p,
        class_names=names,
    )
    (bar,) = bars(first.axes[2])
    line = first.axes[3].lines[2]
    (patch,) = [h for h in first.legends[0].legend_handles if h.get_label() == "b"]
    assert bar[2] == to_rgb(line.get_color()) == to_rgb(patch.get_facecolor())
    second = plot.plot_recording(
        noise(1), 1000, annotations=annotations(("b", 0, 1)), class_names=names
    )
    assert bars(second.axes[2])[0][2] == bar[2]


def test_fifty_song_types_have_colors_that_differ_from_each_other_and_from_white():
    colors = plot.song_colors(["noise", *map(str, range(50))])
    rgb = np.array([to_rgb(color) for color in [*colors.values(), "white"]])
    distance = np.linalg.norm(rgb[:, None] - rgb, axis=2) + 9 * np.eye(len(rgb))
    assert distance.min() > 0.12
    assert np.ptp(to_rgb(colors["noise"])) == 0
    assert plot.song_colors(["noise", "0"])["0"] == colors["0"]


def test_many_classes_are_an_image_of_those_that_occur():
    names = ["noise", *(f"type_{i}" for i in range(40))]
    p = np.zeros((1000, 41))
    p[:, 0] = 1
    p[300:400] = np.eye(41)[17]
    figure = plot.plot_recording(noise(1), 1000, probabilities=p, class_names=names)
    axis = figure.axes[-1]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["noise", "type_16"]
    image = axis.images[0].get_array()
    np.testing.assert_allclose(image[1, 350], to_rgb(plot.song_colors(names)["type_16"]))
    np.testing.assert_allclose(image[1, 500], 1)


def test_an_hour_is_drawn_with_few_points_and_no_click_is_lost():
    x = noise(3600, 2000)
    x[5_000_000] = 1
    figure = plot.plot_recording(x, 2000)
    waveform, spectrogram = figure.axes[0].collections[0], figure.axes[1].images[0]
    seconds, values = waveform.get_paths()[0].vertices.T
    assert len(values) <= 4 * 1000 + 10  # an outline of steps
    assert spectrogram.get_array().shape[1] <= 1000
    assert values.max() == 1
    assert seconds[values.argmax()] == pytest.approx(2500, abs=4)


@pytest.mark.parametrize(
    ("samplerate_hz", "tone_hz"), [(1000, 200), (32_000, 4000), (300_000, 7e4)]
)
def test_a_tone_is_in_the_spectrogram_at_its_time_and_frequency(samplerate_hz, tone_hz):
    x = noise(1, samplerate_hz)
    tone = slice(round(0.6 * samplerate_hz), round(0.7 * samplerate_hz))
    x[tone, 0] += np.sin(2 * np.pi * tone_hz * np.arange(len(x)) / samplerate_hz)[tone]
    axis = plot.plot_recording(x, samplerate_hz).axes[1]
    (image,) = axis.images
    power = image.get_array()
    left, right, bottom, top = image.get_extent()
    row, column = np.unravel_index(power.argmax(), power.shape)
    unit = 1000 if "kHz" in axis.get_ylabel() else 1
    hz = unit * (bottom + (row + 0.5) * (top - bottom) / power.shape[0])
    assert hz == pytest.approx(tone_hz, rel=0.02)
    assert 0.59 < left + (column + 0.5) * (right - left) / power.shape[1] < 0.71
    low, high = np.multiply(axis.get_ylim(), unit)
    assert low < tone_hz < high < samplerate_hz / 2 - 1
    assert (low > 20_000) == (tone_hz > 20_000)  # only ultrasound is not drawn from 0


def test_the_frequency_range_can_be_given_and_be_logarithmic():
    x = noise(1, 20_000)
    axis = plot.plot_recording(x, 20_000, frequency_range_hz=(500, 8000), log_frequency=True).axes[
        1
    ]
    assert axis.get_ylim() == (0.5, 8)
    assert axis.get_yscale() == "log"


def test_channels_are_drawn_apart_or_one_is_chosen():
    x = noise(1, channels=3) + np.array([0, 0, 5])
    both = plot.plot_recording(x, 1000).axes[0]
    assert [label.get_text() for label in both.get_yticklabels()] == ["0", "1", "2"]
    one = plot.plot_recording(x, 1000, channel=2).axes[0]
    assert len(one.lines) == 1
    assert one.lines[0].get_ydata().mean() == pytest.approx(5, abs=0.1)


def test_what_nobody_annotated_is_hatched_in_all_rows():
    figure = plot.plot_recording(
        noise(1), 1000, annotations=annotations(("a", 0.7, 0.8)), unknown=np.array([[0.1, 0.3]])
    )
    for axis in figure.axes:
        hatched = [c for c in axis.collections if c.get_hatch()]
        (path,) = hatched[0].get_paths()
        assert (path.vertices[:, 0].min(), path.vertices[:, 0].max()) == pytest.approx((0.1, 0.3))
    assert legend(figure) == ["a", "not annotated"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": np.empty((0, 1))}, "at least one sample"),
        ({"x": np.array([0, NAN, 0])}, "x: some values are not numbers"),
        ({"samplerate_hz": 0}, "samplerate_hz is 0"),
        ({"channel": 2}, "channel is 2; it should be 0 to 0"),
        ({"probabilities": np.ones((5, 2))}, r"\(5, 2\) should be .* \(1000, 0\)"),
        ({"annotations": pd.DataFrame({"name": ["a"]})}, "lacks start_seconds, stop_seconds"),
        ({"frequency_range_hz": (300, 100)}, "a lower and a higher frequency"),
        ({"frequency_range_hz": (600, 900)}, "below 500"),
    ],
)
def test_what_cannot_be_drawn_is_reported(changes, message):
    with pytest.raises(DssError, match=message):
        plot.plot_recording(**{"x": noise(1), "samplerate_hz": 1000, **changes})


def test_the_shortest_recording_can_be_drawn():
    figure = plot.plot_recording(np.zeros(1), 1000, annotations=annotations())
    assert figure._repr_png_().startswith(b"\x89PNG")


@pytest.fixture
def dataset(folder):
    return open_dataset(make_dataset(folder, test_fraction=0))


def test_a_dataset_has_four_rows_for_each_split_and_says_which_is_empty(dataset):
    figure = plot.plot_dataset(dataset)
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    length = dataset["train"].sizes["time"] / 1000
    assert len(titles) == 4 + 4 + 1
    assert titles[0] == f"train: 0 to {round(length, 2):g} s of {round(length, 2):g} s"
    assert titles[8] == "test: empty"
    assert legend(figure) == ["noise", "a", "b", "p"]


def test_cuts_between_recordings_are_marked(dataset):
    starts, ends = (dataset.attrs[f"filename_{w}sample_train"] for w in ("start", "end"))
    cuts = np.cumsum(np.subtract(ends, starts))[:-1] / 1000
    for axis in plot.plot_dataset(dataset).axes[:4]:
        np.testing.assert_allclose(ticks(axis), cuts)
    assert ticks(plot.plot_dataset(dataset, 0, cuts[0] / 2).axes[0]) == []


def test_stretches_that_are_not_annotated_are_hatched(dataset):
    known = np.ones(dataset["train"].sizes["time"], np.uint8)
    known[1200:1500] = 0
    dataset["train"] = dataset["train"].dataset.assign(annotated=("time", known))
    figure = plot.plot_dataset(dataset, 1, 2)
    assert bars(figure.axes[0])[0][:2] == pytest.approx((1.2, 1.5))
    assert legend(figure)[-1] == "not annotated"


class Watched(BackendArray):
    """An array on disk that notes what is read from it."""

    def __init__(self, array, reads):
        self.array, self.shape, self.dtype, self.reads = array, array.shape, array.dtype, reads

    def __getitem__(self, key):
        return indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.BASIC, self._read
        )

    def _read(self, key):
        self.reads.append(key[0])
        return self.array[key]


def test_only_the_stretch_is_read(dataset):
    reads = []
    watched = {
        name: (variable.dims, indexing.LazilyIndexedArray(Watched(variable.data, reads)))
        for name, variable in dataset["train"].data_vars.items()
    }
    splits = {"train": xr.Dataset(watched), "val": dataset["val"].dataset}
    tree = xr.DataTree.from_dict(
        {"/": xr.Dataset(attrs=dataset.attrs), "test": dataset["test"].dataset, **splits}
    )
    plot.plot_dataset(tree, 1.0, 1.5)
    assert reads
    assert all((read.start, read.stop) == (1000, 1500) for read in reads)


@pytest.mark.parametrize(
    ("start", "stop", "message"),
    [
        (99, None, "start_seconds is 99; it should be at least 0 and below"),
        (2, 1, "should be later"),
    ],
)
def test_a_stretch_that_is_not_there_is_reported(dataset, start, stop, message):
    with pytest.raises(DssError, match=message):
        plot.plot_dataset(dataset, start, stop)


def test_a_split_that_ends_before_the_stretch_says_so(dataset):
    end = dataset["val"].sizes["time"] / 1000
    figure = plot.plot_dataset(dataset, end + 0.1)
    assert figure.axes[4].get_title(loc="left") == f"val: ends at {round(end, 2):g} s"


def test_counts_are_those_of_the_dataset_and_a_missing_song_type_is_crossed(dataset):
    table = describe(dataset)
    figure = plot.plot_counts(dataset)
    seconds, counts = figure.axes
    heights = [bar.get_height() for bar in seconds.patches]
    np.testing.assert_allclose(heights, table.loc[["train", "val"], "seconds"])
    heights = [bar.get_height() for bar in counts.patches]
    np.testing.assert_allclose(
        heights, table.loc[["train", "val"], ["a", "b", "p"]].to_numpy().ravel()
    )
    assert legend(figure) == ["train", "val"]

    unknown = table.assign(unknown=0.5 * table["seconds"])
    heights_known = [bar.get_height() for bar in plot.plot_counts(unknown).axes[0].patches]
    np.testing.assert_allclose(heights_known, 0.5 * table.loc[["train", "val"], "seconds"])
    table.loc["val", "b"] = 0
    crosses = [x for line in plot.plot_counts(table).axes[1].lines for x in line.get_xdata()]
    assert crosses == [pytest.approx(1.2)]
    with pytest.raises(DssError, match="not the counts"):
        plot.plot_counts(pd.DataFrame({"a": [1]}))
    del dataset.attrs["report"]  # as in a dataset of DAS: what the targets show is counted
    again = [bar.get_height() for bar in plot.plot_counts(dataset).axes[1].patches]
    np.testing.assert_allclose(again, heights, atol=1)


def test_durations_are_in_ms_and_intervals_stay_within_a_recording():
    tables = [
        annotations(("a", 1.0, 1.1), ("p", 1.5, 1.5), ("a", 2.0, 2.1), ("c", NAN, 1)),
        annotations(("a", 0.5, 0.6), ("p", 1.5, 1.5)),
    ]
    figure = plot.plot_durations(tables)
    panels = {
        (box.get_suptitle().split()[0], axis.get_title(loc="left")): axis
        for box in figure.subfigs
        for axis in box.axes
    }
    assert set(panels) == {("duration", "a"), ("interval", "a")}
    for (what, _), n, ms in zip(panels, (3, 1), (100, 1000), strict=True):
        axis = panels[what, "a"]
        counts = {bar.get_x(): bar.get_height() for bar in axis.patches}
        assert sum(counts.values()) == n
        assert axis.get_xlim()[0] < ms < axis.get_xlim()[1]
        assert axis.texts[0].get_text() == f"n = {n}"


def test_the_few_long_intervals_do_not_flatten_the_histogram():
    onsets = np.concatenate([np.arange(100) * 0.04, [30, 60]])
    table = pd.DataFrame({"name": "p", "start_seconds": onsets, "stop_seconds": onsets})
    (axis,) = plot.plot_durations(table).subfigs[0].axes
    assert axis.get_xlim()[1] < 200
    assert axis.texts[0].get_text() == "n = 101, 2 longer"


def test_durations_of_nothing_are_refused():
    with pytest.raises(DssError, match="nothing to plot"):
        plot.plot_durations(annotations(("a", NAN, 1), ("p", 1, 1)))


def test_rows_of_a_confusion_matrix_sum_to_one_and_counts_are_shown():
    figure = plot.plot_confusion(np.array([[1500, 500], [0, 0]]), ["noise", "a"])
    image = figure.axes[0].images[0].get_array()
    np.testing.assert_allclose(image[0], [0.75, 0.25])
    assert image.mask[1].all()
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["75.0%\n1,500", "25.0%\n500", "", ""]
    many = plot.plot_confusion(np.eye(51, dtype=int), [f"type_{i}" for i in range(51)])
    assert not many.axes[0].texts
    assert len(many.axes[0].get_yticks()) == 51
    with pytest.raises(DssError, match=r"should be \(3, 3\)"):
        plot.plot_confusion(np.eye(2), ["noise", "a", "b"])


def test_the_best_epoch_is_marked():
    history = pd.DataFrame(
        {"epoch": [1, 2, 3, 4], "loss": [4, 3, 2, 1], "val_loss": [5, NAN, 2.5, 3]}
    ).assign(best_epoch=[1, 1, 3, 3])
    axis = plot.plot_history(history).axes[0]
    labels = [text.get_text() for text in axis.get_legend().get_texts()]
    assert labels == ["training", "validation", "best epoch: 3\n(loss 2.5)"]
    scored = history.assign(val_f1_noise=0.9, val_f1_a=np.linspace(0, 0.8, len(history)))
    figure = plot.plot_history(scored)
    losses, f1 = figure.axes
    assert legend(figure) == ["noise", "a"]
    np.testing.assert_array_equal(f1.lines[1].get_ydata(), scored["val_f1_a"])
    assert losses.get_ylabel() == "loss"
    with pytest.raises(DssError, match="lacks val_loss"):
        plot.plot_history(history[["epoch", "loss"]])
    with pytest.raises(DssError, match="no epoch has ended"):
        plot.plot_history(history[:0])


def test_figures_are_black_on_white_and_leave_pyplot_alone(tmp_path):
    history = pd.DataFrame({"epoch": [1, 2], "loss": [2, 1], "val_loss": [2, 1]})
    plot.plot_history(history).savefig(tmp_path / "light.png")
    figure = plot.plot_history(history)
    with plt.style.context("dark_background"):
        before = dict(plt.rcParams)
        plot.plot_history(history).savefig(tmp_path / "dark.png")
        figure.canvas.print_figure(tmp_path / "notebook.png", facecolor="white")
        assert dict(plt.rcParams) == before
    light, *others = (plt.imread(tmp_path / f"{n}.png") for n in ("light", "dark", "notebook"))
    for other in others:
        np.testing.assert_array_equal(light, other)
    assert (light[0, 0, :3] == 1).all()
    assert plt.get_fignums() == []


def test_stretches_may_be_counted_from_the_first_song_of_each_split(dataset):
    quiet = dataset["val"].y.values.copy()
    quiet[:1500] = [1, 0, 0, 0]
    song = 1500 + (quiet[1500:, 0] < 0.5).argmax()
    dataset["val"] = dataset["val"].dataset.assign(y=(("time", "song_type"), quiet))
    figure = plot.plot_dataset(dataset, 0, 1, from_song=True)
    start = song / 1000 - 0.25
    assert figure.axes[4].get_title(loc="left").startswith(f"val: {round(start, 2):g} to")


def test_a_start_after_the_end_of_all_splits_counted_from_song_is_an_error(dataset):
    for split in ("train", "val"):
        y = dataset[split].y.values.copy()
        y[:1500] = [1, 0, 0, 0]
        dataset[split] = dataset[split].dataset.assign(y=(("time", "song_type"), y))
    end = dataset["train"].sizes["time"] / 1000
    with pytest.raises(DssError, match="no split lasts that long after its first song"):
        plot.plot_dataset(dataset, end - 0.5, from_song=True)
