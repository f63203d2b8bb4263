import re

import matplotlib.image

from dss.cli import main
from dss.data import read_annotations


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
