"""A damaged file is read, or ends in one clear sentence; nothing else may happen.

`benchmarks/fuzz.py --minutes 30` goes on where these tests stop.
"""

import ast
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from mutations import damaged
from readers import NO_READERS, READERS

from dss.errors import DssError

N_MUTATIONS = 45
PACKAGE = Path(__file__).parents[2] / "dss"


@pytest.mark.parametrize("form", READERS)
def test_what_is_right_is_read(form, tmp_path):
    reader = READERS[form]
    reader.read(reader.make(tmp_path))


@pytest.mark.parametrize("form", READERS)
def test_a_damaged_file_ends_in_one_sentence(form, tmp_path):
    reader = READERS[form]
    path = reader.make(tmp_path)
    content, rng = path.read_bytes(), np.random.default_rng(sum(form.encode()))
    for _ in range(N_MUTATIONS):
        path.write_bytes(damaged(content, rng))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with suppress(DssError):
                reader.read(path)


def test_no_reader_is_left_out():
    covered = {name for reader in READERS.values() for name in reader.covers} | {*NO_READERS}
    for file in PACKAGE.rglob("*.py"):
        for node in ast.parse(file.read_text()).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            if not node.name.startswith(("read", "open", "load")):
                continue
            names = {node.name, f"{file.stem}.{node.name}", f"{node.name} of {file.stem}"}
            assert names & covered, f"{file}: {node.name} has no entry in tests/fuzz/readers.py"
