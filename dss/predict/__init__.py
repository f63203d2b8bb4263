"""Predicting: recordings become annotations, with the network of a run."""

from dss.predict.confidence import expected_errors
from dss.predict.detection import detect
from dss.predict.files import predict_files
from dss.predict.recording import predict, probabilities
from dss.predict.stream import Stream
from dss.predict.tuning import tune

__all__ = [
    "Stream",
    "detect",
    "expected_errors",
    "predict",
    "predict_files",
    "probabilities",
    "tune",
]
