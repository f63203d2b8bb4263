"""Write a shell script that trains on another machine, directly or through a scheduler."""

import math
import os
import re
import shlex
from pathlib import Path
from typing import Unpack

from dss import models
from dss.errors import DssError
from dss.options import TrainCommandOptions, TrainOptions, takes_options
from dss.options.arguments import TrainCommandArguments
from dss.support.files import replacing, resolved

PATHS = ("data_dir", "save_dir", "continue_from")
# How to submit the script, and where schedulers store the folder: they run a copy of the script.
SUBMIT = {"slurm": "sbatch {}", "sge": "qsub {}", "lsf": "bsub < {}"}
FOLDER = {"slurm": "SLURM_SUBMIT_DIR", "sge": "SGE_O_WORKDIR", "lsf": "LS_SUBCWD"}


@takes_options
def write_script(
    *, options: TrainCommandOptions | None = None, **named: Unpack[TrainCommandArguments]
) -> Path:
    """Write a script with a header, modules, a conda environment, and the `dss train` command.

    The script contains the given options and paths relative to its folder: copy the folder, with
    the dataset, to the other machine.

    Returns: the executable script.
    Raises: DssError if no network can be built with the options, or the script already exists.
    """
    options = TrainCommandOptions.given(options, named)
    path = options.write_script
    if path is None:
        raise DssError("write_script: is missing. Name the shell script to write, such as job.sh.")
    if options.nodes > 1 and options.scheduler != "slurm":
        raise DssError(
            f"nodes: {options.nodes} machines need SLURM, which starts a process on each. Without "
            "it, start dss train on each machine yourself, with TF_CONFIG."
        )
    if path.exists():
        raise DssError(f"{path}: already exists. Delete it, or choose another name.")
    if not (options.auto or options.preset or options.continue_from):
        models.check(options)
    blocks = [
        "\n".join(["#!/usr/bin/env bash", *_header(options)]),
        "\n".join([_usage(path, options.scheduler), "set -eo pipefail", _cd(options.scheduler)]),
        "\n".join(_environment(options)),
        _command(path, options),
    ]
    with replacing(path) as part:
        text = "\n\n".join(filter(None, blocks)) + "\n"
        part.write_text(text, "utf-8", newline="\n")  # shells need Unix line endings
        part.chmod(0o755)
    return path


def _header(options: TrainCommandOptions) -> list[str]:
    """The header: what to reserve, in the syntax of the scheduler."""
    name = re.sub(r"[^\w.-]", "_", f"dss_{options.data_dir.stem}", flags=re.ASCII)
    hours, memory, cores, gpus = options.hours, options.memory_gb, options.cores, options.gpus
    tasks = _tasks(options)
    headers = {
        "": [],
        "slurm": [
            f"#SBATCH --job-name={name}",
            f"#SBATCH --output={name}_%j.log",
            f"#SBATCH --time={hours}:00:00",
            f"#SBATCH --mem={memory}G",
            *([f"#SBATCH --nodes={options.nodes}"] if options.nodes > 1 else []),
            *([f"#SBATCH --ntasks-per-node={tasks}"] if options.nodes > 1 else []),
            f"#SBATCH --cpus-per-task={math.ceil(cores / tasks)}",
            *([f"#SBATCH --gres=gpu:{gpus}"] if gpus else []),
        ],
        "sge": [
            f"#$ -N {name}",
            "#$ -S /bin/bash",
            "#$ -cwd",
            "#$ -j y",
            "#$ -R y",  # reserve cores until there are enough
            f"#$ -l h_rt={hours}:00:00",
            # Memory per core; but with GPUs, CUDA maps much more memory than it uses.
            f"#$ -l mem_free={memory}G" if gpus else f"#$ -l h_vmem={math.ceil(memory / cores)}G",
            f"#$ -pe smp {cores}",
            *([f"#$ -l gpu={gpus}"] if gpus else []),
        ],
        "lsf": [
            f"#BSUB -J {name}",
            f"#BSUB -o {name}_%J.log",
            f"#BSUB -W {hours}:00",
            f"#BSUB -M {memory}GB",
            f"#BSUB -n {cores}",
            f'#BSUB -R "span[hosts=1] rusage[mem={memory}GB]"',
            *([f'#BSUB -gpu "num={gpus}"'] if gpus else []),
        ],
    }
    return headers[options.scheduler]


def _tasks(options: TrainCommandOptions) -> int:
    """The number of processes SLURM starts per machine; on a single machine, dss starts them."""
    return max(options.gpus, 1) if options.nodes > 1 else 1


def _usage(script: Path, scheduler: str) -> str:
    name = shlex.quote(script.name)
    if not scheduler:
        return f"# Trains a network with dss. Run it from anywhere: bash {name}"
    submit = SUBMIT[scheduler].format(name)
    usage = f"# Trains a network with dss. Submit it from its folder: {submit}"
    if scheduler == "sge":
        usage += "\n# Clusters use different names for cores of one machine (smp) and GPUs (gpu)."
    return usage


def _cd(scheduler: str) -> str:
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


def _command(script: Path, options: TrainCommandOptions) -> str:
    """Return the `dss train` command, one switch per line, with paths relative to the script."""
    folder = resolved(script).parent
    given = options.values_given(TrainOptions)
    if options.gpus > 1 and options.nodes == 1:
        given.setdefault("devices", options.gpus)
    for name in PATHS:
        if given.get(name) is not None:
            given[name] = Path(os.path.relpath(resolved(given[name]), folder))
    words = TrainOptions.checked(given).to_switches(given)
    lines = []
    for word in words:
        if word.startswith("--"):
            lines.append(word)
        else:
            lines[-1] += f" {shlex.quote(word)}"
    # srun does not know how many cores the header reserves per process.
    srun = 'srun --cpus-per-task="$SLURM_CPUS_PER_TASK" ' if options.nodes > 1 else ""
    return " \\\n    ".join([f"{srun}dss train", *lines])
