"""Write a shell script that trains on another machine, by itself or under a scheduler."""

import math
import os
import shlex
from pathlib import Path

from dss import models
from dss.errors import DssError
from dss.files import replacing
from dss.options import TrainCommandOptions, TrainOptions, takes_options

PATHS = ("data_dir", "save_dir", "continue_from")
# How to submit the script, and where a scheduler says that this was done: it runs a copy.
SUBMIT = {"slurm": "sbatch {}", "sge": "qsub {}", "lsf": "bsub < {}"}
FOLDER = {"slurm": "SLURM_SUBMIT_DIR", "sge": "SGE_O_WORKDIR", "lsf": "LS_SUBCWD"}


@takes_options
def write_script(*, options: TrainCommandOptions) -> Path:
    """Write the script in `write_script`: header, modules, conda environment, `dss train`.

    It holds the options that were given, and paths relative to its folder: copy the folder, with
    the dataset, to the other machine.

    Returns: the script, which can be executed.
    Raises: DssError if no network can be built with the options, or the script is there already.
    """
    path = options.write_script
    if path is None:
        raise DssError("write_script: is needed: the shell script to write, such as job.sh")
    if path.exists():
        raise DssError(f"{path}: is there already. Delete it, or give another name.")
    if not (options.auto or options.preset or options.continue_from):
        models.check(options)
    blocks = [
        "\n".join(["#!/usr/bin/env bash", *_header(options)]),
        "\n".join([_how_to_run(options), "set -eo pipefail", _change_folder(options.scheduler)]),
        "\n".join(_environment(options)),
        _command(options),
    ]
    with replacing(path) as part:
        part.write_text("\n\n".join(filter(None, blocks)) + "\n")
        part.chmod(0o755)
    return path


def _header(options: TrainCommandOptions) -> list[str]:
    """What to reserve, in the words of the scheduler."""
    name = f"dss_{options.data_dir.stem}".replace(" ", "_")
    hours, memory, cores, gpus = options.hours, options.memory_gb, options.cores, options.gpus
    headers = {
        "": [],
        "slurm": [
            f"#SBATCH --job-name={name}",
            f"#SBATCH --output={name}_%j.log",
            f"#SBATCH --time={hours}:00:00",
            f"#SBATCH --mem={memory}G",
            f"#SBATCH --cpus-per-task={cores}",
            *([f"#SBATCH --gres=gpu:{gpus}"] if gpus else []),
        ],
        "sge": [
            f"#$ -N {name}",
            "#$ -S /bin/bash",
            "#$ -cwd",
            "#$ -j y",
            f"#$ -l h_rt={hours}:00:00",
            f"#$ -l h_vmem={math.ceil(memory / cores)}G",  # for each core
            f"#$ -pe smp {cores}",
            *([f"#$ -l gpu={gpus}"] if gpus else []),
        ],
        "lsf": [
            f"#BSUB -J {name}",
            f"#BSUB -o {name}_%J.log",
            f"#BSUB -W {hours}:00",
            f"#BSUB -M {memory}GB",
            f"#BSUB -n {cores}",
            '#BSUB -R "span[hosts=1]"',
            *([f'#BSUB -gpu "num={gpus}"'] if gpus else []),
        ],
    }
    return headers[options.scheduler]


def _how_to_run(options: TrainCommandOptions) -> str:
    name = shlex.quote(options.write_script.name)
    if options.scheduler:
        submit = SUBMIT[options.scheduler].format(name)
        return f"# Trains a network with dss. Submit it from its folder: {submit}"
    return f"# Trains a network with dss. Run it from anywhere: bash {name}"


def _change_folder(scheduler: str) -> str:
    here = '$(dirname "$0")'
    return f'cd "${{{FOLDER[scheduler]}:-{here}}}"' if scheduler else f'cd "{here}"'


def _environment(options: TrainCommandOptions) -> list[str]:
    lines = []
    if options.modules:
        lines.append("# shellcheck disable=SC1091")
        lines.append("type -t module >/dev/null || source /etc/profile")
        lines.append(shlex.join(["module", "load", *options.modules]))
    if options.conda_env:
        lines.append('eval "$(conda shell.bash hook)"')
        lines.append(shlex.join(["conda", "activate", options.conda_env]))
    return lines


def _command(options: TrainCommandOptions) -> str:
    """`dss train` with what was given, a switch a line, paths seen from the script."""
    folder = options.write_script.resolve().parent
    given = {
        name: getattr(options, name)
        for name in TrainOptions.model_fields
        if name in options.model_fields_set
    }
    for name in PATHS:
        if given.get(name) is not None:
            given[name] = Path(os.path.relpath(given[name].resolve(), folder))
    words = TrainOptions.checked(given).to_switches(given)
    lines = []
    for word in words:
        if word.startswith("--"):
            lines.append(word)
        else:
            lines[-1] += f" {shlex.quote(word)}"
    return " \\\n    ".join(["dss train", *lines])
