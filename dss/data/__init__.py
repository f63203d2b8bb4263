"""Recordings, annotations, targets, splits, datasets and batches."""

from dss.data.annotated_stretches import read_annotated
from dss.data.annotation_files import find_annotations, recording_annotations
from dss.data.annotations import annotations_path, read_annotations, write_annotations
from dss.data.assembly import make_dataset, preview_dataset
from dss.data.check import check_annotations
from dss.data.converting import convert_annotations
from dss.data.dataset import open_dataset
from dss.data.recording_files import find_recordings
from dss.data.recordings import Recording, open_recording, resample
from dss.data.report import describe, format_report, list_recordings

__all__ = [
    "Recording",
    "annotations_path",
    "check_annotations",
    "convert_annotations",
    "describe",
    "find_annotations",
    "find_recordings",
    "format_report",
    "list_recordings",
    "make_dataset",
    "open_dataset",
    "open_recording",
    "preview_dataset",
    "read_annotated",
    "read_annotations",
    "recording_annotations",
    "resample",
    "write_annotations",
]
