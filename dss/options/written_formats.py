"""The formats in which dss writes annotations."""

from typing import Literal

FilePerRecording = Literal[
    "csv", "audacity", "raven", "textgrid", "svl", "elan", "notmat", "boris", "timit"
]
WrittenFormat = Literal[FilePerRecording, "generic-seq", "yarden", "birdsong-recognition-dataset"]
