# shellcheck shell=bash
# Slurm on a cluster of cluster.bash: munged and slurmctld on the head, slurmd on each host. Sourced after cluster.bash.
# All its files are in /run/cluster/slurm, which ends with the cluster. One CPU a host, whatever the machine has.

: "${cluster_scripts:?source cluster.bash first}" "${cluster_project:?source cluster.bash first}"

# slurm_why_not: prints in one line why there can't be a Slurm; nothing if there can.
slurm_why_not() {
    local tool
    for tool in munged slurmctld slurmd sbatch squeue scontrol scancel srun; do
        if ! command -v "$tool" >/dev/null; then
            echo "needs the command $tool (slurm-wlm, munge)"
            return
        fi
    done
    [[ $(id -u) -eq 0 ]] || echo "needs root"
}

# slurm_start: after cluster_start; returns when all hosts are idle.
slurm_start() {
    local i
    cluster_on head bash "$cluster_scripts/slurm_head.sh" "$CLUSTER_HOSTS" || return
    for ((i = 1; i <= CLUSTER_HOSTS; i++)); do
        slurm_start_host "c$i" || return
    done
    slurm_idle && return
    cluster_on head tail -n 5 /run/cluster/slurm/log/slurmctld.log >&2
    return 1
}

# slurm_start_host HOST: also after cluster_restart.
slurm_start_host() {
    cluster_on "$1" env SLURM_CONF=/run/cluster/slurm/slurm.conf slurmd -N "$1" </dev/null >/dev/null 2>&1 3>&-
}

# slurm COMMAND...: a command of Slurm, as a user types it on the login node.
slurm() {
    local variable unwanted=()
    for variable in "${!SLURM_@}" "${!OMP_@}"; do unwanted+=(-u "$variable"); done
    (
        # shellcheck source=src/setup/mpi_env.sh
        . "$cluster_project/src/setup/mpi_env.sh" # several hosts on the same cores
        export OMPI_MCA_pml=ob1 OMPI_MCA_btl=self,vader,tcp OMPI_MCA_osc=^ucx OMPI_MCA_btl_tcp_if_include=198.18.0.0/24
        cluster_on head env "${unwanted[@]}" SLURM_CONF=/run/cluster/slurm/slurm.conf "$@"
    )
}

# slurm_idle: until all hosts wait for work.
slurm_idle() {
    local i
    for ((i = 0; i < 600; i++)); do
        [[ $(slurm sinfo -h -p main -t idle -o %D 2>/dev/null) == "$CLUSTER_HOSTS" ]] && return
        sleep 0.1
    done
    echo "slurm_idle: the hosts didn't become idle:" >&2
    slurm sinfo >&2
    return 1
}

# slurm_wait JOB SECONDS [STATE]: until the job has that state, or has left the queue.
slurm_wait() {
    local i state
    for ((i = 0; i < $2 * 4; i++)); do
        state=$(slurm squeue -h -j "$1" -o %T 2>/dev/null || true)
        [[ $state == "${3:-}" ]] && return
        sleep 0.25
    done
    echo "slurm_wait: job $1 is still ${state:-not in the queue} after $2 s" >&2
    return 1
}
