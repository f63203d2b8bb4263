"""Recordings, annotations, targets, splits, datasets and batches."""

from dss.data.annotations import annotations_path, read_annotations, write_annotations
from dss.data.dataset import make_dataset, open_dataset
from dss.data.recordings import Recording, find_recordings, open_recording, resample
from dss.data.report import describe, format_report

__all__ = [
    "Recording",
    "annotations_path",
    "describe",
    "find_recordings",
    "format_report",
    "make_dataset",
    "open_dataset",
    "open_recording",
    "read_annotations",
    "resample",
    "write_annotations",
]
