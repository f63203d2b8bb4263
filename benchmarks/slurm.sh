#!/usr/bin/env bash
# Submits a script of `dss train --write-script` to a real SLURM on this one machine, and waits for
# the run; then the same training in two tasks of a job step, which has to learn the same. In the end
# recordings are annotated by two workers that dask-jobqueue submits, and by one process: the files
# have to be the same. As root, with Debian's packages:
#
#   apt-get install slurm-wlm munge && pip install dask-jobqueue && benchmarks/slurm.sh
#
# Everything is in a folder of its own, and stops with this script; an own munged is started unless
# one runs.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
node=$(hostname -s)
started=()
stop() {
    if scancel --me 2>/dev/null; then sleep 2; fi
    kill "${started[@]}" 2>/dev/null || true
    wait
    rm -rf "$folder"
}
trap stop EXIT

mkdir "$folder"/{state,spool}
cat >"$folder/slurm.conf" <<CONF
ClusterName=one
SlurmctldHost=$node
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
MpiDefault=none
NodeName=$node CPUs=$(nproc) RealMemory=6000 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$folder/slurm.conf

if ! pgrep -x munged >/dev/null; then
    mkdir -p /run/munge
    chown munge /run/munge
    setpriv --reuid=munge --regid=munge --clear-groups munged --foreground &
    started+=($!)
    sleep 1
fi
slurmctld -D &
started+=($!)
slurmd -D &
started+=($!)
for _ in $(seq 30); do
    sinfo --noheader --states=idle | grep -q . && break
    sleep 1
done

mkdir "$folder/job"
dss make-dataset "$here/data/fly" --store-dir "$folder/job/fly.npy" >/dev/null
cd "$folder/job"
dss train --data-dir fly.npy --preset fly --nb-epoch 1 --save-prefix one --scheduler slurm \
    --cores 1 --memory-gb 2 --hours 1 --write-script job.sh
sbatch --wait job.sh
sed -e 's/--cpus-per-task=1/--cpus-per-task=1 --ntasks=2/' -e 's/^dss train/srun dss train/' \
    -e 's/--save-prefix one/--save-prefix two/' job.sh >two.sh
sbatch --wait two.sh || echo "The job step failed" >&2
cat dss_fly_*.log
ls fly.res/{one,two}_*_results.h5
tail -n 1 fly.res/*_history.csv

run=$(ls fly.res/one_*_model.h5)
songs=$here/data/fly
dss predict "$songs" "$run" --save-dir alone
python - "$songs" "$run" <<'PYTHON'
import subprocess
import sys

from dask_jobqueue import SLURMCluster

worker = {"cores": 1, "memory": "1.4GB", "walltime": "00:30:00"}
with SLURMCluster(**worker, scheduler_options={"dashboard_address": ":0"}) as cluster:
    cluster.scale(jobs=2)
    cluster.wait_for_workers(2)
    print(subprocess.check_output(["squeue"], text=True))
    command = ["dss", "predict", *sys.argv[1:], "--save-dir", "spread"]
    subprocess.run([*command, "--scheduler", cluster.scheduler_address], check=True)
PYTHON
diff -r alone spread && echo "The workers of SLURM annotate as one process does."
