"""Which processes train one network together, as the environment says.

`TF_CONFIG` names them, as for any program with TensorFlow:

    {"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}

In a job step of SLURM (`srun dss train ...`) all its tasks are one training.
"""

import json
import os
import re
import subprocess

from dss.errors import DssError


def count() -> int:
    """How many processes train together."""
    if "TF_CONFIG" in os.environ:
        return len(_from_tf_config()[0])
    return int(os.environ.get("SLURM_STEP_NUM_TASKS", 1))


def index() -> int:
    """Which of them this one is; the first, 0, writes files and tells how it goes."""
    if "TF_CONFIG" in os.environ:
        return _from_tf_config()[1]
    return int(os.environ["SLURM_PROCID"]) if count() > 1 else 0


def addresses() -> tuple[list[str], int]:
    """HOST:PORT of all processes, and the number of this one among them."""
    if "TF_CONFIG" in os.environ:
        return _from_tf_config()
    return (_from_slurm() if count() > 1 else ["localhost"]), index()


def _from_tf_config() -> tuple[list[str], int]:
    try:
        said = json.loads(os.environ["TF_CONFIG"])
        workers, task = said["cluster"]["worker"], said["task"]
        number = int(task["index"])
        if task["type"] != "worker" or len(said["cluster"]) > 1 or not 0 <= number < len(workers):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise DssError(
            f"TF_CONFIG: is {os.environ['TF_CONFIG']}; it should be a list of workers and which "
            'one this is, as in {"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": '
            '{"type": "worker", "index": 0}}'
        ) from None
    return workers, number


def _from_slurm() -> list[str]:
    """One address a task, machine by machine; jobs that share a machine have different ports.

    `tf.distribute.cluster_resolver.SlurmClusterResolver` would sort the machines by name, which is
    not the order of the tasks: node10 comes before node2.
    """
    said = ["scontrol", "show", "hostnames", os.environ["SLURM_STEP_NODELIST"]]
    hosts = subprocess.run(said, capture_output=True, text=True, check=True).stdout.split()
    tasks = re.findall(r"(\d+)(?:\(x(\d+)\))?", os.environ["SLURM_STEP_TASKS_PER_NODE"])  # 2(x3),1
    n_tasks = [int(n) for n, times in tasks for _ in range(int(times or 1))]
    where = [(host, i) for host, n in zip(hosts, n_tasks, strict=True) for i in range(n)]
    if where[index()][0] != hosts[int(os.environ["SLURM_NODEID"])]:
        raise DssError(
            "SLURM's tasks are not in the machines' order. Run srun with --distribution=block."
        )
    first_port = 20000 + 64 * (int(os.environ["SLURM_JOB_ID"]) % 500)
    return [f"{host}:{first_port + i}" for host, i in where]
