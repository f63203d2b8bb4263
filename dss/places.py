"""Which processes train one network together, as the environment says.

`TF_CONFIG` names them, as for any program with TensorFlow:

    {"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}

In a job step of SLURM (`srun dss train ...`) all its tasks are one training.
"""

import json
import os

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
            f"TF_CONFIG: is {os.environ['TF_CONFIG']}; right would be a list of workers and which "
            'one this is, as in {"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": '
            '{"type": "worker", "index": 0}}'
        ) from None
    return workers, number


def _from_slurm() -> list[str]:
    """One address a task; jobs that share a machine have different ports."""
    from dss.models.backend import tf

    job = int(os.environ["SLURM_JOB_ID"])
    resolver = tf.distribute.cluster_resolver.SlurmClusterResolver(
        port_base=20000 + 20 * (job % 1000), auto_set_gpu=False
    )
    return resolver.cluster_spec().job_tasks("worker")
