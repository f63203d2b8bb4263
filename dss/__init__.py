"""dss, the deep song segmenter: finds animal song in audio recordings.

    recordings + annotations -> dataset -> network -> run files -> annotations -> scores
         dss.data               dss.data  dss.models  dss.train   dss.predict  dss.evaluate

The parts of the package, each importing only those before it: support, options, data, models, runs,
train, evaluate, predict, review, plot, widgets, and the command line.

`import dss` stays fast: each part is imported when you first use it.
"""

import importlib
import os

__version__ = "0.1.0"

# TensorFlow reads these once, when it is imported: no banner about CPU features and GPUs.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

_STAGES = (
    "data",
    "errors",
    "evaluate",
    "models",
    "options",
    "plot",
    "predict",
    "review",
    "runs",
    "train",
    "widgets",
)


def __getattr__(name):
    if name in _STAGES:
        return importlib.import_module(f"dss.{name}")
    raise AttributeError(f"module 'dss' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_STAGES])
