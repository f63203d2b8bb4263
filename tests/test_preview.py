import numpy as np
import pytest

from dss.data import describe, format_report, make_dataset, open_dataset, preview_dataset
from dss.errors import DssError
from dss.plot import plot_counts, plot_splits

OPTIONS = {"test_fraction": 0.3, "block_seconds": 1.0, "individual_targets": True, "seed": 3}


def test_a_preview_says_what_the_dataset_will_hold_and_writes_nothing(folder):
    before = sorted(folder.parent.rglob("*"))
    preview = preview_dataset(folder, **OPTIONS)
    assert sorted(folder.parent.rglob("*")) == before
    made = open_dataset(make_dataset(folder, **OPTIONS))
    assert preview.attrs == made.attrs
    assert describe(preview).equals(describe(made))
    assert format_report(preview) == format_report(made)
    assert plot_counts(preview).axes[1].get_title(loc="left") == "annotations"


def test_a_preview_does_not_mind_a_dataset_that_is_there(folder):
    make_dataset(folder)
    preview_dataset(folder)
    with pytest.raises(DssError, match="leave nothing for training"):
        preview_dataset(folder, val_fraction=0.9, test_fraction=0.5)


def test_the_figure_shows_each_stretch_at_its_time(folder):
    preview = preview_dataset(folder, test_fraction=0.3)
    axis = plot_splits(preview).axes[0]
    names = [label.get_text() for label in axis.get_yticklabels()]
    assert names == ["bird_0.wav", "bird_1.wav", "bird_2.wav"]
    drawn = [
        (names[round(bar.get_y() + bar.get_height() / 2)], bar.get_x(), bar.get_width())
        for bar in axis.patches
    ]
    expected = [
        (name, start / 1000, (stop - start) / 1000)
        for split in ("train", "val", "test")
        for name, start, stop in zip(
            *(preview.attrs[f"filename_{p}{split}"] for p in ("", "startsample_", "endsample_")),
            strict=True,
        )
    ]
    assert [name for name, *_ in drawn] == [name for name, *_ in expected]
    np.testing.assert_allclose([t for _, *t in drawn], [t for _, *t in expected])
    assert sum(width for *_, width in drawn) == pytest.approx(12)  # every second is in one split


def test_a_dataset_that_does_not_say_what_it_was_made_of_is_reported(folder):
    preview = preview_dataset(folder)
    preview.attrs = {"samplerate_x_Hz": 1000}
    with pytest.raises(DssError, match="does not say which stretches"):
        plot_splits(preview)
