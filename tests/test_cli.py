import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time

import pytest
import yaml

from dss.cli import main, train_main
from dss.commands import COMMANDS
from dss.data import make_dataset, open_dataset
from dss.runs import run_file

MANUAL = (
    "--nb-hist 256 --ignore-boundaries True --nb-filters 32 --kernel-size 32 --nb-conv 3 "
    "--use-separable False False False --learning-rate 0.0001 --nb-epoch 400 --model-name tcn "
    "--no-reduce-lr --no-tensorboard"
)


def test_the_whole_way(folder, tmp_path, capsys):
    store, out = f"{tmp_path}/d.npy", tmp_path / "out"
    assert main(["make-dataset", str(folder), "--store-dir", store, "--gap-seconds", "0.002"]) == 0
    assert open_dataset(store).attrs["made_with"]["gap_seconds"] == 0.002
    assert "test" in capsys.readouterr().out
    tiny = "--nb-hist 256 --nb-filters 8 --kernel-size 8 --nb-conv 1 --dilations 1 4 --nb-epoch 1"
    assert main(["train", "--data-dir", store, *tiny.split()]) == 0
    trunk = capsys.readouterr().out.split()[-1]
    assert main(["predict", str(folder), trunk, "--save-dir", str(out)]) == 0
    assert len(capsys.readouterr().out.split()) == 3
    assert main(["evaluate", str(folder), str(out), "--json"]) == 0
    assert {"a", "b", "p", "all"} <= json.loads(capsys.readouterr().out).keys()
    assert main(["evaluate", str(folder), str(out)]) == 0
    assert "F1" in capsys.readouterr().out


def test_the_command_of_the_manual_runs_as_it_stands(folder, tmp_path, monkeypatch, capsys):
    """`python3 -m dss.train ...`; only the number of epochs is changed, so that it ends."""
    store = make_dataset(folder)
    words = MANUAL.replace("--nb-epoch 400", "--nb-epoch 1").split()
    assert train_main(["--data-dir", str(store), "--save-dir", f"{tmp_path}/X.res", *words]) == 0
    trunk = capsys.readouterr().out.split()[-1]
    params = yaml.safe_load(run_file(trunk, "_params.yaml").read_text())
    assert (params["nb_hist"], params["stride"], params["nb_conv"]) == (256, 64, 3)
    assert params["use_separable"] == [False, False, False]


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["--ignore-boundaries"], True),
        (["--no-ignore-boundaries"], False),
        (["--ignore-boundaries", "True"], True),
        (["--ignore-boundaries", "False"], False),
        (["--ignore-boundaries=false"], False),
    ],
)
def test_switches_read_both_ways(words, value, monkeypatch):
    seen = {}
    monkeypatch.setattr("dss.train.train", lambda **named: seen.update(named) or "run")
    assert main(["train", *words, "--data-dir", "x.npy"]) == 0
    from dss.options import TrainOptions

    assert TrainOptions.checked(seen).ignore_boundaries is value


def test_a_switch_does_not_swallow_the_word_behind_it(folder, capsys):
    assert main(["make-dataset", "--overwrite", str(folder)]) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["make-dataset", "nowhere"], "dss: nowhere: there is no such file or folder"),
        (
            ["train", "--data-dir", "x.npy", "--nb-hist", "1", "--no-auto"],
            "too short for the filters",
        ),
        (["train", "--data-dir", "x.npy", "--nb-epoch", "few"], "nb_epoch: 'few'"),
        (["predict", "x.wav", "y"], "y: is not a run"),
        (["evaluate", "x.csv", "y.csv"], "x.csv: there are no annotations here"),
        (["evaluate", "nowhere", "."], "dss: nowhere: there is no such file or folder"),
        (
            ["make-dataset", "/"],
            "dss: /: nothing can be next to this folder; say where the dataset goes",
        ),
        (["train", "--data-dir", __file__], "test_cli.py: is not a dataset"),
    ],
)
def test_bad_input_exits_with_2_and_a_message(words, message, capsys):
    assert main(words) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err


def test_an_unknown_switch_exits_with_2(capsys):
    with pytest.raises(SystemExit) as error:
        main(["train", "--nb-hists", "3"])
    assert error.value.code == 2


def test_no_command_prints_help(capsys):
    assert main([]) == 0
    for command in ("make-dataset", "train", "predict", "evaluate", "demo"):
        assert command in capsys.readouterr().out or command != "make-dataset"


def test_a_terminated_command_stops_as_after_ctrl_c(monkeypatch, capsys):
    def train(**named):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("dss.train.train", train)
    assert main(["train", "--data-dir", "x.npy"]) == 130
    assert "dss: stopped" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_switch_that_is_not_known_is_an_error_with_the_nearest_one(capsys):
    with pytest.raises(SystemExit) as error:
        main(["train", "--data-dir", "x.npy", "--nb-filterz", "3"])
    assert error.value.code == 2
    said = "unrecognized arguments: --nb-filterz 3; did you mean --nb-filters?"
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["train", "song.npy"],
            "unrecognized arguments: song.npy; did you mean --data-dir song.npy?",
        ),
        (
            ["evaluate", "a", "b", "--skip-unannotated"],
            "--skip-unannotated is an option of dss check, dss make-dataset, not of dss evaluate",
        ),
        (["train", "--zzz"], "unrecognized arguments: --zzz; dss train --help lists what there is"),
        (["chek", "song"], "there is no command chek; did you mean check?"),
        (["song"], "invalid choice: 'song'"),
    ],
)
def test_a_misspelled_command_and_a_dataset_without_its_switch_are_understood(words, said, capsys):
    with pytest.raises(SystemExit) as error:
        main(words)
    assert error.value.code == 2
    assert said in capsys.readouterr().err


def test_annotating_with_recordings_and_run_exchanged_says_so(tiny_run, capsys):
    assert main(["predict", str(tiny_run[0]), "new"]) == 2
    assert (
        f"is a run; recordings come first: dss predict new {tiny_run[0]}" in capsys.readouterr().err
    )


def run_dss(folder, command, **environment):
    """Run a shell command with `dss` as a fresh process; returns its code, output and errors."""
    dss = f"{shlex.quote(sys.executable)} -m dss.cli"
    done = subprocess.run(
        ["bash", "-c", command.replace("dss ", f"{dss} ") + "; exit ${PIPESTATUS[0]}"],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_shell_may_close_streams_or_stop_reading(folder):
    assert run_dss(folder, "dss check . 2>&-") == (0, "0 errors, 0 warnings\n", "")
    assert run_dss(folder, "dss check . 0<&- 1>&- 2>&-") == (0, "", "")
    (folder / "bird_1_annotations.csv").write_text("name,start_seconds,stop_seconds\nx,1,0\n")
    code, _, errors = run_dss(folder, "dss check . | true")
    assert (code, errors) == (141, "")


def test_names_that_the_terminal_cannot_show_are_written_in_escapes(folder):
    (folder / "bird_1_annotations.csv").write_text("name,start_seconds,stop_seconds\nü,1,0\n")
    ascii_only = {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    code, output, errors = run_dss(folder, "dss check .", **ascii_only)
    assert (code, errors.partition(" error,")[0]) == (2, "dss: 1")
    assert "error: bird_1_annotations.csv, row 2 (\\xfc): stops at 0 s" in output


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_what_to_type(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    with pytest.raises(SystemExit):
        main([command, "--help"])
    said = capsys.readouterr().out
    assert not re.search(r"--[a-z-]+ X\b|\de\+", said)
    for switch, value in re.findall(r"(--seed|--min-seconds|--data-dir) (\w+)", said):
        expected = {"--seed": "N", "--min-seconds": "SECONDS", "--data-dir": "DATASET"}[switch]
        assert value == expected
