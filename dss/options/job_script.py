"""The options of `dss train`: training, or a job script that trains on another machine."""

from pathlib import Path
from typing import Literal

from dss.options.base import option
from dss.options.notation import Words
from dss.options.training import TrainOptions


class TrainCommandOptions(TrainOptions):
    """The options of `dss train`: training, or writing a job script (`dss.train.job_script`)."""

    write_script: Path | None = option(
        None,
        "Script",
        "Instead of training, write a shell script that trains on another machine. Its paths are "
        "relative to its folder.",
        group="Script for another machine",
        path="new",
        rare=True,
    )
    scheduler: Literal["", "slurm", "sge", "lsf"] = option(
        "",
        "Scheduler",
        "Start the script with a header for this scheduler.",
        group="Script for another machine",
        rare=True,
    )
    hours: int = option(
        24,
        "Hours",
        "Time to reserve.",
        unit="h",
        group="Script for another machine",
        rare=True,
        ge=1,
        le=10000,
    )
    nodes: int = option(
        1,
        "Machines",
        "Number of machines to reserve (SLURM only). They train together, and all need access to "
        "the folder.",
        group="Script for another machine",
        rare=True,
        ge=1,
        le=64,
    )
    memory_gb: int = option(
        16,
        "Memory",
        "Memory to reserve on each machine.",
        unit="GB",
        group="Script for another machine",
        rare=True,
        ge=1,
        le=100000,
    )
    cores: int = option(
        4,
        "Cores",
        "Number of cores to reserve on each machine.",
        group="Script for another machine",
        rare=True,
        ge=1,
        le=1000,
    )
    gpus: int = option(
        0,
        "GPUs",
        "Number of GPUs to reserve on each machine. All of them train together.",
        group="Script for another machine",
        rare=True,
        ge=0,
        le=16,
    )
    conda_env: str = option(
        "",
        "Conda environment",
        "Activate this environment, given by its name or folder.",
        group="Script for another machine",
        rare=True,
    )
    modules: Words = option(
        [],
        "Modules",
        "Load these environment modules, such as cuda/12.4.",
        group="Script for another machine",
        rare=True,
    )
