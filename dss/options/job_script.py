"""The options of `dss train`: training, or a job script that trains on another machine."""

from functools import partial
from pathlib import Path
from typing import Literal

from dss.options.base import option
from dss.options.notation import Words
from dss.options.training import TrainOptions

script_option = partial(option, group="Script for another machine", rare=True)


class TrainCommandOptions(TrainOptions):
    """The options of `dss train`: training, or writing a job script (`dss.train.job_script`)."""

    write_script: Path | None = script_option(None, "Script", path="new")
    """Instead of training, write a shell script that trains on another machine. Its paths are
    relative to its folder."""
    scheduler: Literal["", "slurm", "sge", "lsf"] = script_option("", "Scheduler")
    """Start the script with a header for this scheduler."""
    hours: int = script_option(24, "Hours", unit="h", ge=1, le=10000)
    """Time to reserve."""
    nodes: int = script_option(1, "Machines", ge=1, le=64)
    """Number of machines to reserve (SLURM only). They train together, and all need access to the
    folder."""
    memory_gb: int = script_option(16, "Memory", unit="GB", ge=1, le=100000)
    """Memory to reserve on each machine."""
    cores: int = script_option(4, "Cores", ge=1, le=1000)
    """Number of cores to reserve on each machine."""
    gpus: int = script_option(0, "GPUs", ge=0, le=16)
    """Number of GPUs to reserve on each machine. All of them train together."""
    conda_env: str = script_option("", "Conda environment")
    """Activate this environment, given by its name or folder."""
    modules: Words = script_option([], "Modules")
    """Load these environment modules, such as cuda/12.4."""
