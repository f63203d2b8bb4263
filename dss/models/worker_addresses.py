"""Which processes train a network together, according to the environment.

`TF_CONFIG` lists them, as for any TensorFlow program:

    {"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}

In a job step of SLURM (`srun dss train ...`), all tasks train together.
"""

import json
import os
import re
import subprocess

from dss.errors import DssError


def worker_count() -> int:
    """The number of processes that train together."""
    if "TF_CONFIG" in os.environ:
        return len(_from_tf_config()[0])
    return int(os.environ.get("SLURM_STEP_NUM_TASKS", 1))


def worker_index() -> int:
    """The number of this process; the first, 0, writes files and reports progress."""
    if "TF_CONFIG" in os.environ:
        return _from_tf_config()[1]
    return int(os.environ["SLURM_PROCID"]) if worker_count() > 1 else 0


def worker_addresses() -> tuple[list[str], int]:
    """HOST:PORT of all processes, and the number of this process."""
    if "TF_CONFIG" in os.environ:
        return _from_tf_config()
    return (_from_slurm() if worker_count() > 1 else ["localhost"]), worker_index()


def _from_tf_config() -> tuple[list[str], int]:
    try:
        config = json.loads(os.environ["TF_CONFIG"])
        workers, task = config["cluster"]["worker"], config["task"]
        number = int(task["index"])
        if task["type"] != "worker" or len(config["cluster"]) > 1 or not 0 <= number < len(workers):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise DssError(
            f"TF_CONFIG: is {os.environ['TF_CONFIG']}; it should list the workers and say which "
            'one this is, as in {"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": '
            '{"type": "worker", "index": 0}}'
        ) from None
    return workers, number


def _from_slurm() -> list[str]:
    """One address per task, machine by machine; jobs that share a machine use different ports.

    `tf.distribute.cluster_resolver.SlurmClusterResolver` sorts the machines by name, which differs
    from the order of the tasks: node10 would come before node2.
    """
    words = ["scontrol", "show", "hostnames", os.environ["SLURM_STEP_NODELIST"]]
    hosts = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    tasks = re.findall(r"(\d+)(?:\(x(\d+)\))?", os.environ["SLURM_STEP_TASKS_PER_NODE"])  # 2(x3),1
    n_tasks = [int(n) for n, times in tasks for _ in range(int(times or 1))]
    where = [(host, i) for host, n in zip(hosts, n_tasks, strict=True) for i in range(n)]
    if where[worker_index()][0] != hosts[int(os.environ["SLURM_NODEID"])]:
        raise DssError(
            "SLURM's tasks are not in the order of the machines. Run srun with "
            "--distribution=block."
        )
    first_port = 20000 + 64 * (int(os.environ["SLURM_JOB_ID"]) % 500)
    return [f"{host}:{first_port + i}" for host, i in where]
