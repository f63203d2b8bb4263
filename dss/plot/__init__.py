"""Figures of recordings, datasets, annotations and training: one function per figure.

Each function returns a matplotlib figure that displays itself at the end of a notebook cell and can
be saved with `figure.savefig`. Figures are black on white whatever style is set. A song type has
the same colour in all rows of a figure; noise is grey.
"""

from dss.plot.alignment import plot_alignment
from dss.plot.annotation_errors import plot_annotation_errors
from dss.plot.colors import song_colors
from dss.plot.dataset import plot_dataset
from dss.plot.examples import plot_examples, plot_novel_sounds
from dss.plot.recording import plot_recording
from dss.plot.scores import plot_errors, plot_mistakes, plot_precision_recall
from dss.plot.splits import plot_splits
from dss.plot.statistics import plot_counts, plot_durations
from dss.plot.training import plot_confusion, plot_history, plot_learning_curve

__all__ = [
    "plot_alignment",
    "plot_annotation_errors",
    "plot_confusion",
    "plot_counts",
    "plot_dataset",
    "plot_durations",
    "plot_errors",
    "plot_examples",
    "plot_history",
    "plot_learning_curve",
    "plot_mistakes",
    "plot_novel_sounds",
    "plot_precision_recall",
    "plot_recording",
    "plot_splits",
    "song_colors",
]
