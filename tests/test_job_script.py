import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import TINY

from dss.cli import main
from dss.errors import DssError
from dss.options import TrainCommandOptions
from dss.train.job_script import write_script

SCHEDULERS = {"": "#!", "slurm": "#SBATCH", "sge": "#$", "lsf": "#BSUB"}


@pytest.fixture
def project(tmp_path, tiny_run):
    """A folder with a dataset in a folder."""
    shutil.copytree(tiny_run[1], tmp_path / "my project" / "data" / "song.npy")
    return tmp_path / "my project"


def test_the_script_runs_as_it_is_wherever_the_folder_is_and_it_is_called_from(project, tmp_path):
    store, script = project / "data" / "song.npy", project / "jobs" / "job.sh"
    words = TrainCommandOptions(data_dir=store, **TINY).to_switches(TINY)
    words += ["--nb-epoch", "1", "--save-prefix", "it's a run", "--write-script", str(script)]
    words += ["--augmentations", "{gain_db: 3, noise: 0.1}"]
    assert main(["train", "--data-dir", str(store), *words]) == 0
    moved = project.rename(tmp_path / "moved")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(
        [moved / "jobs" / "job.sh"], cwd="/", env={**os.environ, "PATH": path}, check=True
    )
    names = [p.name for p in (moved / "data" / "song.res").iterdir()]
    assert any(n.startswith("it's a run_") and n.endswith("_results.h5") for n in names)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_scripts_pass_shellcheck_and_begin_with_what_the_scheduler_reads(tmp_path, scheduler):
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not installed")
    script = write_script(
        data_dir="a dataset.npy",
        write_script=tmp_path / "my job.sh",
        scheduler=scheduler,
        hours=3,
        memory_gb=30,
        cores=4,
        gpus=2,
        conda_env="my env",
        modules="cuda/12.4 cudnn",
        use_separable=[True, False, False],
        freeze=["input"],
    )
    subprocess.run(["shellcheck", script], check=True)
    text = script.read_text()
    header = [line for line in text.splitlines() if line.startswith(SCHEDULERS[scheduler])]
    if scheduler:
        said = " ".join(header)
        assert "3:00" in said
        assert "2" in next(line for line in header if "gpu" in line)
        assert "dss_a_dataset" in said
        assert text.splitlines()[1 : 1 + len(header)] == header  # nothing comes before it
    assert "module load cuda/12.4 cudnn\n" in text
    assert "conda activate 'my env'\n" in text
    assert "--use-separable True False False" in text
    assert "--devices 2" in text


def test_several_machines_train_together_under_slurm(tmp_path):
    given = {"data_dir": "a:b%.npy", "write_script": tmp_path / "job.sh", "nodes": 3, "gpus": 2}
    with pytest.raises(
        DssError, match="nodes: 3 machines need SLURM, which starts a process on each"
    ):
        write_script(**given, scheduler="lsf")
    text = write_script(**given, scheduler="slurm", cores=8).read_text()
    for line in ("--nodes=3", "--ntasks-per-node=2", "--cpus-per-task=4", "--gres=gpu:2"):
        assert f"#SBATCH {line}\n" in text
    assert "\nsrun --cpus-per-task" in text
    assert "--devices" not in text
    assert "#SBATCH --job-name=dss_a_b_\n" in text  # schedulers read more into : and %


def test_only_what_is_given_is_in_the_script_and_paths_are_relative(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {"auto": True, "augmentations": "None"}  # else they would be chosen
    script = write_script(
        data_dir="data/song.npy", save_dir=tmp_path / "runs", write_script="jobs/job.sh", **given
    )
    command = script.read_text().split("dss train", 2)[-1].split()
    assert [word for word in command if word != "\\"] == [
        *("--data-dir", "../data/song.npy"),
        *("--save-dir", "../runs"),
        *("--augmentations", "None"),
        *("--auto", "True"),
    ]
    assert os.access(script, os.X_OK)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nb_hist": 1, "auto": False}, "too short for the filters"),
        ({"write_script": None}, "write_script: is missing"),
        ({"scheduler": "slrum"}, "scheduler: 'slrum'"),
    ],
)
def test_no_script_is_written_of_what_cannot_be_trained(tmp_path, options, message):
    given = {"data_dir": "x.npy", "write_script": tmp_path / "job.sh", **options}
    with pytest.raises(DssError, match=message):
        write_script(**given)
    assert list(tmp_path.iterdir()) == []


def test_a_script_that_is_there_is_not_overwritten(tmp_path):
    (tmp_path / "job.sh").write_text("mine")
    with pytest.raises(DssError, match="already exists"):
        write_script(data_dir="x.npy", write_script=tmp_path / "job.sh")
    assert (tmp_path / "job.sh").read_text() == "mine"


def test_what_belongs_to_a_script_is_not_taken_without_one(capsys):
    assert main(["train", "--data-dir", "x.npy", "--gpus", "2"]) == 2
    assert "gpus: only used in a script" in capsys.readouterr().err
