# shellcheck shell=bash
# A small cluster on this machine, for tests and measurements. Sourced by the scripts of this folder; README.md explains it.
#
# cluster_start N makes a head and hosts c1 ... cN. Each has its own host name, processes, /tmp, /dev/shm and network device, eth0,
# on one switch: 198.18.0.1 is the head, 198.18.0.11 the host c1. Every file of the cluster lies in memory that belongs to the
# head: /run/shared, which all hosts see, and /run/cluster, for the scripts. So nothing stays when the head ends, and it ends
# with the shell that called cluster_start, even if that is killed with -9.

cluster_scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cluster_project=$(cd "$cluster_scripts/../.." && pwd)
# A user without root gets the rights over the cluster's own network and mounts, where the system grants that.
cluster_user=() cluster_enter=()
if [[ $(id -u) -ne 0 ]]; then
    cluster_user=(--map-root-user)
    cluster_enter=(-U --preserve-credentials)
fi
CLUSTER_GROUPS=() # made by cluster_quota
cluster_unshare=(unshare "${cluster_user[@]}" --net --uts --ipc --pid --mount --fork --mount-proc --kill-child)

# cluster_why_not: prints in one line why this machine can't have a cluster; nothing if it can.
cluster_why_not() {
    local tool error
    for tool in ip tc unshare nsenter setpriv mpirun pgrep; do
        if ! command -v "$tool" >/dev/null; then
            echo "needs the command $tool (iproute2, util-linux, procps or an MPI)"
            return
        fi
    done
    if ! error=$("${cluster_unshare[@]}" sh -ec 'mount --make-rprivate / && mount -t tmpfs none /run && hostname head &&
            ip link add br0 type bridge && ip link add v0 type veth peer name v1' 2>&1); then
        echo "needs root, or namespaces for users: ${error//$'\n'/; }"
    fi
}

# cluster_start HOSTS: returns when all hosts are up. Sets CLUSTER_OUTER, the outermost process, and CLUSTER_PID, the head's first
# process as this machine sees it. Call it directly, not in $(...) or a pipe: the cluster ends with the shell that starts it.
cluster_start() {
    local log output said
    log=$(mktemp)
    exec {output}>"$log" {said}<"$log"
    rm -f "$log" # still written and read
    setpriv --pdeathsig KILL "${cluster_unshare[@]}" bash "$cluster_scripts/head.sh" "$1" "$cluster_project" \
        </dev/null >&"$output" 2>&1 3>&- {said}<&- &
    CLUSTER_OUTER=$! CLUSTER_HOSTS=$1 CLUSTER_PID=
    export CLUSTER_OUTER CLUSTER_HOSTS CLUSTER_PID
    exec {output}>&-
    local i
    for ((i = 0; i < 600; i++)); do
        [[ -n $CLUSTER_PID ]] || CLUSTER_PID=$(pgrep -P "$CLUSTER_OUTER" -f head.sh || true)
        [[ -n $CLUSTER_PID && -e $(cluster_path /run/cluster/ready) ]] && break
        kill -0 "$CLUSTER_OUTER" 2>/dev/null || i=600
        sleep 0.05
    done
    if ((i >= 600)); then
        echo "cluster_start: the hosts didn't come up:" >&2
        cat <&"$said" >&2
        exec {said}<&-
        cluster_stop
        return 1
    fi
    exec {said}<&-
}

# cluster_stop: ends all processes of the cluster and returns when they are gone, with their namespaces, links and files.
cluster_stop() {
    local i
    [[ -n ${CLUSTER_OUTER:-} ]] || return 0
    kill -KILL "$CLUSTER_OUTER" 2>/dev/null || true
    wait "$CLUSTER_OUTER" 2>/dev/null || true
    # The first process of a PID namespace is gone after all others of it.
    for ((i = 0; i < 200; i++)); do
        [[ -n $CLUSTER_PID ]] && kill -0 "$CLUSTER_PID" 2>/dev/null || break
        sleep 0.05
    done
    if ((${#CLUSTER_GROUPS[@]})); then rmdir "${CLUSTER_GROUPS[@]}"; fi
    CLUSTER_GROUPS=()
    unset CLUSTER_OUTER CLUSTER_PID CLUSTER_HOSTS
}

# cluster_path PATH: where this machine finds a file of the head, as long as the cluster runs.
cluster_path() {
    echo "/proc/$CLUSTER_PID/root$1"
}

# cluster_on HOST COMMAND...: runs a command on a host (head, c1, c2, ...), in this folder if the host has it. TMPDIR isn't handed on: a host
# has its own /tmp.
cluster_on() {
    env -u TMPDIR nsenter -t "$CLUSTER_PID" -m -u -i -n -p "${cluster_enter[@]}" bash "$cluster_scripts/on.sh" "$PWD" "$@"
}

# cluster_run HOSTS RANKS COMMAND...: mpirun, from the head, with RANKS ranks on each of the first HOSTS hosts. Variables of OpenMP, of
# sanitizers and of pardigits are handed on; MPIRUN_ARGS holds further arguments of mpirun.
cluster_run() {
    local hosts=$1 ranks=$2 list='' extra i name
    shift 2
    for ((i = 1; i <= hosts; i++)); do list+=${list:+,}c$i:$ranks; done
    read -ra extra <<<"${MPIRUN_ARGS:-}" || true
    for name in "${!OMP_@}" "${!PARDIGITS_@}" ASAN_OPTIONS LSAN_OPTIONS TSAN_OPTIONS UBSAN_OPTIONS; do
        [[ -z ${!name:-} ]] || extra+=(-x "$name")
    done
    (
        # shellcheck source=src/setup/mpi_env.sh
        . "$cluster_project/src/setup/mpi_env.sh"
        # shellcheck source=src/setup/hosts_env.sh
        . "$cluster_project/src/setup/hosts_env.sh"
        [[ $(id -u) -eq 0 ]] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 # root of the cluster alone
        export OMPI_MCA_plm_rsh_agent=$cluster_scripts/rsh.sh
        export OMPI_MCA_pml=ob1 OMPI_MCA_btl=self,vader,tcp OMPI_MCA_osc=^ucx
        export OMPI_MCA_btl_tcp_if_include=198.18.0.0/24 OMPI_MCA_oob_tcp_if_include=198.18.0.0/24
        cluster_on head mpirun --host "$list" -n $((hosts * ranks)) "${extra[@]}" "$@"
    )
}

# cluster_each HOSTS COMMAND...: the command at the same time on each of the first HOSTS hosts, one process each, with the variables RANK, WORLD_SIZE,
# MASTER_ADDR, MASTER_PORT and GLOO_SOCKET_IFNAME that torch.distributed reads. Fails if any of them does.
cluster_each() {
    local hosts=$1 port=$((20000 + RANDOM % 10000)) i pid pids=() status=0
    shift
    for ((i = 1; i <= hosts; i++)); do
        cluster_on "c$i" env RANK=$((i - 1)) WORLD_SIZE="$hosts" MASTER_ADDR=198.18.0.11 MASTER_PORT=$port GLOO_SOCKET_IFNAME=eth0 "$@" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || status=$?; done
    return "$status"
}

# cluster_shape none|1gbit|10gbit|...: the rate at which every host may send, in tc's units.
cluster_shape() {
    local i burst
    # A burst has to hold a whole unsegmented packet (64 KiB) and what the link carries while a timer is late (0.4 ms at 10 Gbit/s).
    case $1 in *[0-9]0gbit) burst=512kb ;; *) burst=128kb ;; esac
    for ((i = 1; i <= CLUSTER_HOSTS; i++)); do
        if [[ $1 == none ]]; then
            cluster_on "c$i" tc qdisc del dev eth0 root 2>/dev/null || true # there may be none
        else
            cluster_on "c$i" tc qdisc replace dev eth0 root tbf rate "$1" burst "$burst" latency 100ms || return
        fi
    done
}

# cluster_quota PERCENT HOST...: commands that are started on these hosts from now on, together with all others there, get so many
# per cent of one processor, in periods of 10 ms: hosts of different speed. It takes root and the control group "cpu" (version 1).
# Call it directly: cluster_stop removes the groups, which would stay where the cluster is ended in another way.
cluster_quota() {
    local percent=$1 host group
    shift
    for host in "$@"; do
        group=/sys/fs/cgroup/cpu/cluster-$CLUSTER_PID-$host
        if [[ ! -d $group ]]; then mkdir "$group" && CLUSTER_GROUPS+=("$group") || return; fi
        echo 10000 >"$group/cpu.cfs_period_us" && echo $((percent * 100)) >"$group/cpu.cfs_quota_us" || return
        echo "/run/cgroup/cpu/${group##*/}/cgroup.procs" >"$(cluster_path "/run/cluster/quota/$host")"
    done
}

# cluster_link HOST up|down: plugs a host's cable in or out. Neither side is told: its own device stays up.
cluster_link() {
    local to=(nomaster)
    [[ $2 == down ]] || to=(master br0)
    cluster_on head ip link set "v${1#c}" "${to[@]}"
}

# cluster_bytes HOSTS: a line "sent received" for each of the first HOSTS hosts: bytes through eth0 so far, headers included.
cluster_bytes() {
    local i
    for ((i = 1; i <= $1; i++)); do
        cluster_on "c$i" awk '/^ *eth0:/ { sub(/.*:/, ""); print $9, $1 }' /proc/net/dev
    done
}

# cluster_processes HOST NAME: the number of processes of that name on a host.
cluster_processes() {
    cluster_on "$1" pgrep -c -x "$2" || true
}

# cluster_programs: the number of pardigits processes on all hosts.
cluster_programs() {
    cluster_on head pgrep -c -x pardigits || true # the head sees the processes of its hosts
}

# cluster_kill HOST: as a power failure does. cluster_restart HOST: with an empty /tmp.
cluster_kill() {
    # shellcheck disable=SC2016 # for the head's shell
    cluster_on head bash -c 'pid=$(cat "/run/cluster/pids/$0") && kill -KILL "$pid" && while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done' "$1"
}

cluster_restart() {
    cluster_on head bash "$cluster_scripts/add_host.sh" "$1" "$cluster_project"
}

# cluster_namespaces PID: the namespaces of a cluster's head, whose first process is PID, and of its hosts: all processes below it.
cluster_namespaces() {
    local process kind
    for process in $(cluster_below "$1"); do
        for kind in pid net mnt uts ipc; do readlink "/proc/$process/ns/$kind"; done
    done | grep -vxF "$(readlink /proc/self/ns/*)" | sort -u | tr '\n' ' '
}

cluster_below() {
    local child
    echo "$1"
    for child in $(pgrep -P "$1"); do cluster_below "$child"; done
}

# cluster_namespaces_in_use "NAMESPACES": how many of these any process on this machine is in.
cluster_namespaces_in_use() {
    local used
    used=$(readlink /proc/[0-9]*/ns/* 2>/dev/null | sort -u)
    tr ' ' '\n' <<<"$1" | grep . | grep -cxF -f - <(echo "$used") || true
}

# cluster_traces: what a cluster could leave on this machine besides processes: network devices, named namespaces, mounts.
cluster_traces() {
    ip -o link | sed -E 's/^[0-9]+: ([^:]*):.*/device \1/'
    ip netns list 2>/dev/null
    cut -d ' ' -f 5 /proc/self/mountinfo
}
