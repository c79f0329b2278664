#!/usr/bin/env bash
# On a cluster's head: writes Slurm's configuration and starts munged and slurmctld, by slurm_start. Usage: slurm_head.sh HOSTS
set -euo pipefail
hosts=$1
folder=/run/cluster/slurm
mkdir -p $folder/{run,state,spool,log}
for ((i = 1; i <= hosts; i++)); do mkdir -p "$folder/spool/c$i"; done
chmod 755 /run/cluster $folder $folder/run
# Short times, so that tests of lost hosts and requeued jobs take seconds.
cat >$folder/slurm.conf <<S
ClusterName=pardigits
SlurmctldHost=head(198.18.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/run/munge.sock,cred_expire=5
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=pmix
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
JobCompType=jobcomp/filetxt
JobCompLoc=$folder/log/jobcomp.txt
AccountingStorageType=accounting_storage/none
SlurmdTimeout=10
MessageTimeout=5
TCPTimeout=2
KillWait=5
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1,requeue_delay=1
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool/%n
SlurmctldPidFile=$folder/run/slurmctld.pid
SlurmdPidFile=$folder/run/slurmd-%n.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd-%n.log
TmpFS=/tmp
SlurmctldPort=6817
SlurmdPort=6818
NodeName=c[1-$hosts] NodeAddr=198.18.0.[11-$((10 + hosts))] CPUs=1 RealMemory=1000 State=UNKNOWN
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO PriorityTier=1 GraceTime=30
PartitionName=urgent Nodes=ALL MaxTime=INFINITE State=UP OverSubscribe=NO PriorityTier=2
S
echo 'CgroupPlugin=cgroup/v1' >$folder/cgroup.conf
dd if=/dev/urandom of=$folder/munge.key bs=128 count=1 status=none
chmod 600 $folder/munge.key
munged --force --key-file=$folder/munge.key --socket=$folder/run/munge.sock --pid-file=$folder/run/munged.pid \
    --log-file=$folder/log/munged.log --seed-file=$folder/run/munge.seed </dev/null >/dev/null 2>&1
SLURM_CONF=$folder/slurm.conf slurmctld -i </dev/null >/dev/null 2>&1
