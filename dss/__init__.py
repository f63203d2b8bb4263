"""dss, the deep song segmenter: finds animal song in audio recordings.

    recordings + annotations -> dataset -> network -> run files -> annotations -> scores
         dss.data               dss.data  dss.models  dss.train   dss.predict  dss.evaluate

The subpackages, each importing only those before it: support, options, data, models, runs,
evaluate, predict, train, review, plot, widgets, and the command line.

`import dss` stays fast: each subpackage is imported when you first use it.
"""

import os
from typing import TYPE_CHECKING

from dss.support.submodules import imported_when_named

if TYPE_CHECKING:  # for editors and type checkers
    from dss import data as data
    from dss import errors as errors
    from dss import evaluate as evaluate
    from dss import models as models
    from dss import options as options
    from dss import plot as plot
    from dss import predict as predict
    from dss import review as review
    from dss import runs as runs
    from dss import train as train
    from dss import widgets as widgets

__version__ = "0.1.0"

# TensorFlow reads these once, when it is imported: no banner about CPU features and GPUs.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

__getattr__, __dir__ = imported_when_named(__name__, __path__)
