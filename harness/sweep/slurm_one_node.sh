#!/bin/sh
# A one-node Slurm (Debian: slurmctld slurmd slurm-client munge) for tests, all of its state in one folder; needs root.
#   slurm_one_node.sh start DIR    starts it and says which variables to set
#   slurm_one_node.sh stop DIR     stops it
set -eu
action=${1:?start or stop}
mkdir -p "${2:?a folder for its state}"
dir=$(cd "$2" && pwd)

start() {
  mkdir -p "$dir/state" "$dir/spool" "$dir/munge"
  chmod 755 "$dir"
  chmod 700 "$dir/munge"
  dd if=/dev/urandom of="$dir/munge/key" bs=1024 count=1 2> /dev/null
  chmod 400 "$dir/munge/key"
  munged --force --key-file="$dir/munge/key" --socket="$dir/munge.socket" --pid-file="$dir/munge/pid" \
    --log-file="$dir/munge/log" --seed-file="$dir/munge/seed"
  host=$(hostname -s)
  port=$((20000 + $$ % 10000 * 2))  # several may stand side by side
  cat > "$dir/slurm.conf" << CONF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
SlurmctldPort=$port
SlurmdPort=$((port + 1))
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
MinJobAge=10
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=one Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
  export SLURM_CONF="$dir/slurm.conf"
  slurmctld -f "$SLURM_CONF"
  slurmd -f "$SLURM_CONF"
  tries=0
  until sinfo --noheader --format=%t 2> /dev/null | grep -q idle; do
    tries=$((tries + 1))
    [ $tries -lt 60 ] || { echo "slurm: expected an idle node within 60 s, found none; see $dir/*.log" >&2; exit 1; }
    sleep 1
  done
  echo "export SLURM_CONF=$SLURM_CONF MEDSBENCH_SLURM=1"
}

stop() {
  for file in slurmd.pid slurmctld.pid munge/pid; do
    if [ -e "$dir/$file" ]; then kill "$(cat "$dir/$file")" || true; fi
  done
}

"$action"
