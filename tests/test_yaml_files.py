import os

import pytest
import yaml

from dss.errors import DssError
from dss.support import yaml_files


def test_plain_data_comes_back_aliases_too(tmp_path):
    names = ["noise", "song"]
    values = {"names": names, "again": names, "rate": 1e4, "nothing": None, "deep": [[[1]]]}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(values))
    assert "*" in (tmp_path / "a.yaml").read_text()  # as PyYAML writes lists that occur twice
    assert yaml_files.read(tmp_path / "a.yaml") == values


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 8)}]\n" for i in range(1, 12)
)
MERGES = "a0: &a0 {x: 1, y: 2, z: 3}\n" + "".join(
    f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 8)}]}}\n" for i in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "stands for more than"),
        (MERGES, "stands for more than"),
        ("&a [*a]", "contains itself"),
        ("[&a 1, &a [*a]]", "contains itself"),
        ("[" * 100, "nested more than 50 deep"),
        ("- " * 100, "nested more than 50 deep"),
        ("a: " + "1:" * 60_000 + "1", "a value of 120,001 characters"),
        ("!!int foo", "invalid literal"),
        ("2026-13-45", "month must be in 1..12"),
        ("!!python/object/apply:os.system [ls]", "os.system is no plain value"),
        ("x: \x01", "character 4 is no text"),
        ("{", "did not find expected node"),
    ],
)
def test_what_is_no_plain_data_or_too_much_is_an_error(tmp_path, text, said):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(DssError, match=rf"(?s)a\.yaml: cannot be read as YAML .*{said}"):
        yaml_files.read(tmp_path / "a.yaml")


def test_a_file_that_is_too_large_no_text_or_a_pipe_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(yaml_files, "MOST_BYTES", 100)
    (tmp_path / "large").write_text("a" * 101)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    os.mkfifo(tmp_path / "pipe")
    said = {"large": "more than 100 bytes", "binary": "no text in UTF-8", "pipe": "no such file"}
    for name, what in said.items():
        with pytest.raises(DssError, match=f"{name}: .*{what}"):
            yaml_files.read(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a: 1\nb: [1", r"line 3: did not find expected ',' or '\]'"),
        (b"a: !!python/object/apply:os.system [id]", "line 1: !!python/.*system is no plain value"),
        (b"a: \x01", "character 4 is no text"),
        (b"a: \xff\xfe", "byte 4 is no text in UTF-8"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(tmp_path, content, said):
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(DssError, match=rf"a\.yaml: cannot be read as YAML \({said}") as error:
        yaml_files.read(path)
    assert not any(word in str(error.value) for word in ("<unicode", "codec", "constructor"))
