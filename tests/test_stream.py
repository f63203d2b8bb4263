import pandas as pd
import pytest
from test_das import das_run, unpacked  # noqa: F401 - a fixture

from dss.errors import DssError
from dss.predict import Stream, predict
from dss.predict.tuning import tune
from dss.runs import load_run


@pytest.mark.parametrize("name", ["plain", "stft"])
def test_models_of_das_annotate_live_what_they_annotate_as_a_whole(das_run, name):  # noqa: F811
    x, run = unpacked("audio"), load_run(das_run(name))
    options = {"segment_threshold": 0.3, "segment_min_seconds": 0.005}
    stream = Stream(run, **options)
    live = [stream.add(x[start : start + 333]) for start in range(0, len(x), 333)]
    live = pd.concat([*live, stream.end()]).sort_values("start_seconds", ignore_index=True)
    offline = predict(x, run, **options)
    assert len(offline) > 0
    pd.testing.assert_frame_equal(live, offline, atol=1e-5)


def test_the_files_of_a_das_model_are_not_changed(das_run):  # noqa: F811
    trunk = das_run("plain")
    before = {path: path.read_bytes() for path in trunk.parent.iterdir()}
    with pytest.raises(DssError, match="was written by another program, so dss does not change it"):
        tune(trunk)
    assert {path: path.read_bytes() for path in trunk.parent.iterdir()} == before
