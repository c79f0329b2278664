# shellcheck shell=bash
# What the job scripts share; each sources it. Sets `program` and `repository` (the folder above this one), and reads what
# PARDIGITS_SITE names, or else site.sh beside this file, if there is one.
#
# Paths in the arguments of a job are as seen from where it was submitted; a configuration and data/mnist.h5 are looked for in the repository, too.

set -uo pipefail
job=$(basename "${script:-$0}") # who sources this may have found out what Slurm's copy was called
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(dirname "$folder")
program=$repository/build/pardigits # of `make install`: the installed one
case ${BUILD:-} in
'') ;;
/*) program=$BUILD/pardigits ;;
*) program=$repository/$BUILD/pardigits ;;
esac
# To standard error: standard output has what the program prints, such as the JSON of --json.
say() {
    echo "$(date '+%F %T') $*" >&2
}

# refuse SENTENCE: ends the job, as a command line that is wrong does.
refuse() {
    echo "$job: $*" >&2
    exit 2
}

# need NAME VALUE USAGE: refuses a job whose argument is missing.
need() {
    [[ -n $2 ]] || refuse "$1 is missing: $3"
}

# need_file NAME VALUE USAGE: likewise, where an option stands in the place of a file or folder.
need_file() {
    [[ $2 != --* ]] || refuse "$1 is missing: $3"
    need "$@"
}

# as_path NAME: so that no command takes a name that begins with a dash for an option.
as_path() {
    [[ $1 != -* ]] || printf ./
    printf '%s\n' "$1"
}

site=${PARDIGITS_SITE:-$folder/site.sh}
[[ $site == /* ]] || site=./$site # what has no slash is looked for among the commands first
if [[ -r $site && ! -d $site ]]; then
    set +u # what a site loads reads variables that aren't set
    # shellcheck source=/dev/null
    . "$site"
    set -u
elif [[ -n ${PARDIGITS_SITE:-} ]]; then
    refuse "$PARDIGITS_SITE, which PARDIGITS_SITE names, isn't there or can't be read: set it to a file such as $folder/site.sh, or unset it."
fi

[[ -x $program ]] || refuse "$program isn't there: build it with \`make\`, or set BUILD to the folder of a build."

# find_config FILE: its path; the repository's configurations can be named from anywhere.
find_config() {
    local path
    for path in "$1" "$repository/$1"; do
        if [[ -f $path ]]; then
            as_path "$path"
            return
        fi
    done
    [[ $PWD == "$repository" ]] && refuse "the configuration $1 isn't in $PWD."
    refuse "the configuration $1 is neither in $PWD nor in $repository."
}

# find_data CONFIG OPTION...: sets `data` to the options that name the repository's dataset, unless others name one or one is here.
# shellcheck disable=SC2034 # for who sources this
find_data() {
    local config=$1 own=$repository/data/mnist.h5
    shift
    data=()
    if [[ " $* " != *" --data"* && $* != *run.data* && ! -e data/mnist.h5 && -e $own ]] &&
        ! grep -qE '^[[:space:]]*data[[:space:]]*[=:]' "$config"; then
        data=(--data "$own")
    fi
}

# plan_threads CPUS: sets OMP_NUM_THREADS for a rank with so many CPUs: one thread a core, though Slurm may count each core's hardware threads.
# It doesn't for a job that asked for one thread a core (--hint=nomultithread, --threads-per-core=1) and for CPUs of each task.
plan_threads() {
    local threads_per_core=1
    [[ ${PARDIGITS_HYPERTHREADS:-no} == yes || (-n ${SLURM_CPUS_PER_TASK:-} && (${SLURM_THREADS_PER_CORE:-} == 1 || ${SLURM_HINT:-} == nomultithread)) ]] ||
        threads_per_core=$(LC_ALL=C lscpu 2>/dev/null | sed -n 's/^Thread(s) per core: *\([0-9][0-9]*\)$/\1/p')
    threads=$(($1 / ${threads_per_core:-1}))
    ((threads > 0)) || threads=1
    export OMP_NUM_THREADS=$threads
}

# fewest_cpus: those of the job's smallest node; Slurm writes 4(x3),2 for three nodes with 4 and one with 2.
fewest_cpus() {
    tr ',' '\n' <<<"${SLURM_JOB_CPUS_PER_NODE:-$SLURM_CPUS_ON_NODE}" | sed 's/(.*//' | sort -n | head -n 1
}

# plan_rank: sets `cpus` of a rank of this job and its threads.
plan_rank() {
    cpus=${SLURM_CPUS_PER_TASK:-$(($(fewest_cpus) / ${SLURM_NTASKS_PER_NODE:-1}))}
    plan_threads "$cpus"
    # Threads are pinned to cores if a rank has the node to itself. Several ranks stay on the CPUs that Slurm binds them to: at a site
    # without binding, pinning would put all ranks of a node on the same cores.
    [[ ${SLURM_NTASKS_PER_NODE:-1} -gt 1 ]] || export OMP_PLACES=cores OMP_PROC_BIND=close
}

# launch [OPTION_OF_SRUN]... COMMAND...: on all ranks of the job. srun doesn't inherit --cpus-per-task from sbatch. --kill-on-bad-exit:
# otherwise the other ranks would wait for a dead one. When the first rank ends with 75 it sends SIGTERM to the others, which is
# harmless, as they are already ending.
launch() {
    srun --mpi="${PARDIGITS_MPI:-pmix}" --cpus-per-task="$cpus" --kill-on-bad-exit=1 "$@"
}

# begin RUN_FOLDER|'' [WITHOUT_SLURM]: says what starts, or what to do without Slurm. The job's file in the run's folder holds how often it was lost; its time is that of the start.
begin() {
    [[ -n ${SLURM_JOB_ID:-} ]] || refuse "this is a job of Slurm: submit it with sbatch; without Slurm ${2:-start $program, by mpirun for several ranks}."
    plan_rank
    losses=${1:+$(as_path "$1")/.job-losses}
    if [[ -n $losses && ${SLURM_RESTART_COUNT:-0} -gt 0 && ! -e $losses && ! -e ${losses%/*}/config.ini ]]; then
        refuse "$1 is empty, though this isn't the job's first start: what it trained can't be seen on $(hostname). Submit it with a run folder that all nodes see, or again if nothing was trained."
    fi
    if [[ -n $losses ]]; then
        if ! mkdir -p -- "$1" || ! touch "$losses"; then refuse "$1 can't be written."; fi
    fi
    say "job $SLURM_JOB_ID, start $((${SLURM_RESTART_COUNT:-0} + 1)): $SLURM_NTASKS ranks x $threads threads on $SLURM_JOB_NODELIST"
}

# has_saved: whether the run has saved something since the start.
has_saved() {
    [[ -n $losses && -n $(find "${losses%/*}" -maxdepth 1 -name 'model*.h5' -newer "$losses") ]]
}

# was_lost STATUS: whether a rank was killed, lost or stood still (run.stall_abort_s), rather than failing in order, which removes the
# run's lock; and something was saved since the start. The lock of another job, which is why this one failed, doesn't count.
was_lost() {
    [[ -n $losses ]] || return
    local run=${losses%/*}
    [[ $1 -ge 128 ]] || grep -qsx "job $SLURM_JOB_ID" "$run/.lock" || return
    has_saved
}

# start_again STATUS WHY: requeues a job whose start was in vain, unless that has happened too often.
start_again() {
    local most=${PARDIGITS_LOSSES:-5} lost
    lost=$(($(cat "$losses") + 1))
    echo "$lost" >"$losses"
    [[ $lost -gt $most ]] || requeue "$1" "$2 (exit code $1), $lost of at most $most times"
    say "$2 (exit code $1), for the $lost. time: submit the job again to go on"
}

# finish STATUS: ends the job, or requeues it if its next start goes on from what this one saved. What saves nothing, such as an
# evaluation, starts again at most three times when it is stopped.
finish() {
    if [[ $1 -eq 75 ]] && has_saved; then
        requeue "$1" "stopped after saving"
    elif [[ $1 -eq 75 && -n $losses ]]; then
        start_again "$1" "stopped before anything was saved, perhaps by a time limit that is too short"
    elif [[ $1 -eq 75 && ${SLURM_RESTART_COUNT:-0} -lt 3 ]]; then
        requeue "$1" "stopped"
    elif was_lost "$1"; then
        start_again "$1" "a rank was killed, lost or stood still"
    elif [[ $1 -eq 0 && -n $losses ]]; then
        rm -f "$losses"
    fi
    exit "$1"
}

# requeue STATUS WHY: the next start goes on. Doesn't return.
requeue() {
    say "$2; requeueing the job"
    scontrol requeue "$SLURM_JOB_ID" || say "Slurm doesn't requeue it: submit the job again to go on"
    exit "$1"
}
