import re

import matplotlib.image
import pandas as pd

from dss.cli import main
from dss.data import read_annotations
from dss.demo import _annotate
from dss.predict import predict
from dss.runs import load_run


def test_the_demo_annotates_as_predict_does(tiny_run, folder, tmp_path, monkeypatch):
    run, recording = load_run(tiny_run[0]), folder / "bird_0.wav"
    run.params["detect"] = {"options": {"segment_durations": {"a": [1, 2]}}}
    monkeypatch.setattr("dss.demo.load_run", lambda trunk: run)
    annotations, _ = _annotate([recording], run.trunk, tmp_path, {})
    expected = predict(recording, run)
    assert {*expected["name"]} == {"b", "p"}
    found = read_annotations(annotations).reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected, atol=1e-6)


def test_the_demo_annotates_what_was_held_out(tmp_path, capsys):
    assert main(["demo", "--save-dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    rows = re.findall(r"^(\w+) .* (\d\.\d{3})(?: +[\d.]+){4}$", out, flags=re.MULTILINE)
    assert [name for name, _ in rows] == [*"abcdef", "all"]
    assert all(float(f1) >= 0.9 for _, f1 in rows)
    tables = sorted(tmp_path.glob("*_annotations.csv"))
    assert tables
    for path in tables:
        assert len(read_annotations(path)) > 20
        figure = matplotlib.image.imread(
            path.with_name(path.name.replace("_annotations.csv", ".png"))
        )
        assert min(figure.shape[:2]) > 500
        assert figure.std() > 0.05
        assert str(path) in out
