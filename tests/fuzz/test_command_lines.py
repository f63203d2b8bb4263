"""Every option of every command, given something odd: a message, or a run, but no traceback."""

import inspect

import pytest

from dss import options
from dss.cli import main
from dss.commands import COMMANDS, POSITIONALS

ODD = [
    "",
    "1e999",
    "nan",
    "\u22121",
    "9" * 5000,
    "-0",
    "[",
    "{}",
    "a=b",
    "a\nb",
    "é" * 200,
    "--",
    "\0",
]
FILE_NAMES = ["", "\0", "é" * 200]  # most other odd values could name a file
# These begin to work without further input, so they are given a value that stops them.
STOPPED = {"demo": ["--song", "none of them"], "notebooks": ["--overwrite=maybe"]}


@pytest.mark.parametrize("command", COMMANDS)
def test_odd_values_end_in_a_message(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run, options_class = COMMANDS[command]
    n_inputs = sum(name in POSITIONALS for name in inspect.signature(run).parameters)
    words = [command, *["nowhere"] * n_inputs, *STOPPED.get(command, [])]
    fields = options.written_fields(options_class)
    if "data_dir" in fields and fields["data_dir"].is_required():
        words += ["--data-dir", "nowhere.npy"]
    for number, name in enumerate(fields):
        values = ODD[number % len(ODD)], ODD[(number + 5) % len(ODD)]
        for value in FILE_NAMES if name == "write_script" else values:
            given = [*words, f"--{name.replace('_', '-')}={value}"]
            try:
                code = main(given)
            except SystemExit as stopped:  # by argparse
                code = stopped.code
            said = capsys.readouterr().err
            assert code == 2, (given, said)
            assert said.strip(), given
            assert "Traceback" not in said, (given, said)
    assert not [*tmp_path.iterdir()]
