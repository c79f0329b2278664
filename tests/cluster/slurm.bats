# The job scripts under a real Slurm on three hosts, and what befalls jobs (make check-cluster FULL=1): each ends with the digest of an
# undisturbed run, and its log tells what happened.
load ../cli/common
load cluster
load slurm

net=(configs/cnn.ini --data "$data" --set run.train=4000 --set run.valid=0 --set cnn.epochs=6 --set "cnn.layers=conv:8:3 bn relu pool:2 dense:10"
    --set cnn.checkpoint_s=0)

setup_file() {
    CLUSTER_WHY_NOT=$(cluster_why_not)
    [[ -n $CLUSTER_WHY_NOT ]] || CLUSTER_WHY_NOT=$(slurm_why_not)
    export CLUSTER_WHY_NOT
    if [[ -z $CLUSTER_WHY_NOT ]]; then
        cluster_start 3
        slurm_start
        OMP_NUM_THREADS=2 "$PARDIGITS" train "${net[@]}" --run "$BATS_FILE_TMPDIR/alone" 2>/dev/null
    fi
}

teardown_file() {
    cluster_stop
}

setup() {
    [[ -z $CLUSTER_WHY_NOT ]] || skip "no Slurm on this machine: $CLUSTER_WHY_NOT"
    run_dir=/run/shared/$BATS_TEST_NUMBER
    log=$run_dir.log
}

# All hosts are there again for the next test, and nothing runs on them.
teardown() {
    local host
    [[ -z $CLUSTER_WHY_NOT ]] || return 0
    slurm scancel --partition=main,urgent 2>/dev/null || slurm scancel --user=root || true
    for host in c1 c2 c3; do
        cluster_link "$host" up 2>/dev/null || true
        if ! cluster_on "$host" pgrep -x slurmd >/dev/null 2>&1; then
            cluster_restart "$host" && slurm_start_host "$host"
        fi
    done
    slurm_idle
}

# submit_job SCRIPT ARGUMENTS...: sbatch, with the log in $log; prints the job's number. What begins with "--" before SCRIPT is sbatch's.
submit_job() {
    slurm env BUILD="$BUILD" sbatch --parsable --time=10 --output="$log" "$@"
}

# submit ARGUMENTS...: jobs/train.sbatch on two hosts into $run_dir.
submit() {
    submit_job --nodes=2 jobs/train.sbatch configs/cnn.ini "$run_dir" "${net[@]:1}" "$@"
}

# same_as_alone [RUN]: the job's model has the digest of a run on one host.
same_as_alone() {
    same_model "$(cluster_path "${1:-$run_dir}/model.h5")" "$BATS_FILE_TMPDIR/alone/model.h5"
}

# wait_for TEXT [SECONDS]: until the job's log holds it.
wait_for() {
    local i
    for ((i = 0; i < ${2:-90} * 5; i++)); do
        cluster_on head grep -q -- "$1" "$log" 2>/dev/null && return
        sleep 0.2
    done
    echo "'$1' never came:"
    cluster_on head cat "$log"
    return 1
}

# ends [SECONDS]: the job $job ends well.
ends() {
    slurm_wait "$job" "${1:-150}"
    cluster_on head cat "$log"
    cluster_on head grep "JobId=$job .*JobState=COMPLETED" /run/cluster/slurm/log/jobcomp.txt
}

# epochs_for SECONDS: how many take so long on this machine, by those of the run on one host.
epochs_for() {
    "$PARDIGITS" show "$BATS_FILE_TMPDIR/alone/metrics.h5" --json | sed -nE 's/^[^[]*"seconds":([0-9.e+-]+).*/\1/p' |
        awk -v seconds="$1" '{ print int(6 * seconds / $1) + 6 }'
}

# same_as_alone_for EPOCHS: the job's model has the digest of a run of so many epochs on one host.
same_as_alone_for() {
    OMP_NUM_THREADS=2 "$PARDIGITS" train "${net[@]}" --set cnn.epochs="$1" --run "$BATS_TEST_TMPDIR/alone" 2>/dev/null
    same_model "$(cluster_path "$run_dir/model.h5")" "$BATS_TEST_TMPDIR/alone/model.h5"
}

# goes_on: after what befell it the job starts again, trains nothing twice that was saved, and has the right model.
goes_on() {
    wait_for "start 2: 2 ranks x 1 threads on ${1:-c}"
    ends
    [[ $(cluster_on head grep -c 'epoch 1/6' "$log") -eq 1 ]]
    same_as_alone
}

@test "a job on two hosts, submitted from another folder, runs to its end and has the digest of one host" {
    job=$(slurm env BUILD="$BUILD" sbatch --parsable --chdir=/run/shared --nodes=2 --time=10 --output="$log" "$PWD/jobs/train.sbatch" \
        configs/cnn.ini "$BATS_TEST_NUMBER" "${net[@]:1}")
    ends
    cluster_on head grep 'start 1: 2 ranks x 1 threads on c\[1-2\]' "$log"
    same_as_alone
}

@test "USR1 saves and ends the job with 75; it is requeued, goes on and has the same digest" {
    job=$(submit)
    wait_for 'epoch 2/6'
    slurm scancel -s USR1 "$job"
    wait_for 'stopped after saving'
    goes_on
}

@test "a time limit: the job saves, is requeued and goes on" {
    local epochs
    epochs=$(epochs_for 45) # the signal comes after 10 s, or when Slurm looks next, up to 30 s later
    job=$(submit_job --nodes=2 --time=1 --signal=USR1@50 jobs/train.sbatch configs/cnn.ini "$run_dir" "${net[@]:1}" --set cnn.epochs="$epochs")
    wait_for 'stopped after saving'
    wait_for 'start 2: 2 ranks'
    ends 400
    same_as_alone_for "$epochs"
}

@test "preemption: a job of higher priority takes the hosts; the training saves, waits and goes on" {
    local epochs
    epochs=$(epochs_for 20) # Slurm takes some seconds to make room
    job=$(submit --set cnn.epochs="$epochs")
    wait_for 'epoch 2/'
    slurm sbatch --parsable --partition=urgent --nodes=3 --output=/dev/null --wrap 'sleep 3'
    wait_for 'stopped after saving'
    wait_for 'start 2: 2 ranks'
    ends
    [[ $(cluster_on head grep -c 'epoch 1/' "$log") -eq 1 ]]
    same_as_alone_for "$epochs"
}

@test "a host that dies: the job is requeued and goes on on the others" {
    job=$(submit)
    wait_for 'epoch 2/6'
    cluster_kill c2
    goes_on 'c\[1,3\]' # Slurm gives a silent host up after 10 s, and looks every 5
}

@test "the host that runs the job's script dies: likewise" {
    job=$(submit)
    wait_for 'epoch 2/6'
    cluster_kill c1
    goes_on 'c\[2-3\]'
}

@test "a link that is cut: likewise" {
    job=$(submit)
    wait_for 'epoch 2/6'
    cluster_link c2 down
    goes_on 'c\[1,3\]'
}

@test "a rank that is killed: the script requeues the job, which goes on" {
    job=$(submit)
    wait_for 'epoch 2/6'
    cluster_on c2 pkill -KILL -x pardigits
    wait_for 'a rank was killed, lost or stood still (exit code [0-9]*), 1 of at most 5 times; requeueing'
    goes_on
    cluster_on head test ! -e "$run_dir/.job-losses"
}

@test "a rank that stands still: the others say which and end the job; it is requeued and goes on" {
    job=$(submit --set run.stall_warn_s=2 --set run.stall_abort_s=5)
    wait_for 'epoch 2/6'
    cluster_on c2 pkill -STOP -x pardigits
    wait_for 'rank 1 (host c2, PID [0-9]*) .*: the job ends (run.stall_abort_s = 5)'
    wait_for 'a rank was killed, lost or stood still (exit code [0-9]*), 1 of at most 5 times; requeueing'
    goes_on
}

@test "a disk that is full for a while: the training goes on without saving, and saves later" {
    run_dir=/run/small/run
    job=$(submit)
    wait_for 'epoch 1/6'
    cluster_on head dd if=/dev/zero of=/run/small/fill bs=1M status=none || true # no space left
    wait_for 'no new checkpoint\|can.t be written'
    cluster_on head rm /run/small/fill
    ends
    same_as_alone
}

@test "a run that was cancelled goes on on another number of hosts" {
    job=$(submit)
    wait_for 'epoch 2/6'
    slurm scancel "$job"
    slurm_wait "$job" 60
    slurm_idle
    job=$(submit_job --nodes=3 --open-mode=append jobs/train.sbatch configs/cnn.ini "$run_dir" "${net[@]:1}")
    wait_for 'start 1: 3 ranks'
    ends
    [[ $(cluster_on head grep -c 'epoch 1/6' "$log") -eq 1 ]]
    same_as_alone
}

@test "a job without an argument says which, and one whose program fails isn't requeued" {
    job=$(submit_job jobs/train.sbatch configs/cnn.ini)
    slurm_wait "$job" 60
    cluster_on head grep '^train.sbatch: RUN_FOLDER is missing: sbatch jobs/train.sbatch' "$log"
    job=$(submit --set cnn.epochs=0)
    slurm_wait "$job" 60
    cluster_on head grep "JobId=$job .*JobState=FAILED" /run/cluster/slurm/log/jobcomp.txt
    [[ $(cluster_on head grep -c 'requeueing' "$log") -eq 0 ]]
}

@test "a chain prepares a dataset, trains and evaluates; a picture is predicted" {
    local chain
    chain=$(slurm env BUILD="$BUILD" SBATCH_OUTPUT=/run/shared/%x.log SBATCH_TIMELIMIT=10 bash jobs/chain.sh --idx "$PWD/data/mnist" --nodes=2 \
        --output="$log" configs/cnn.ini "$run_dir" --data /run/shared/set.h5 "${net[@]:3}")
    echo "$chain"
    job=$(sed -n 's/^evaluate //p' <<<"$chain")
    slurm_wait "$job" 200
    cluster_on head sh -c 'cat /run/shared/*.log'
    same_as_alone
    cluster_on head grep -E '^cnn +10000 +9' /run/shared/pardigits-evaluate.log
    picture 0 "$(cluster_path /run/shared/seven.pgm)"
    job=$(submit_job jobs/predict.sbatch "$run_dir" /run/shared/seven.pgm --json)
    ends
    cluster_on head grep '"label":7,' "$log"
}

@test "an array trains with other seeds and with other settings" {
    cluster_on head mkdir -p /run/shared/away
    job=$(slurm env BUILD="$BUILD" bash -c 'cd /run/shared/away && exec "$@"' - sbatch --parsable --time=10 --output="$log" --array=1-2 \
        "$PWD/jobs/array.sbatch" configs/cnn.ini "$run_dir" "${net[@]:1}")
    slurm_wait "$job" 150
    same_as_alone "$run_dir-1"
    [[ $("$PARDIGITS" digest "$(cluster_path "$run_dir-2/model.h5")") != "$("$PARDIGITS" digest "$(cluster_path "$run_dir-1/model.h5")")" ]]
    printf '%s\r\n' '--set svm.c=1' '--set svm.c=2 --set svm.gamma=0.04' >"$(cluster_path /run/shared/settings)"
    job=$(submit_job --array=1-2 jobs/array.sbatch configs/svm.ini "$run_dir-svm" --settings /run/shared/settings --data "$data" --set run.train=500)
    slurm_wait "$job" 90
    cluster_on head grep -x 'gamma = 0.04' "$run_dir-svm-2/config.ini"
    cluster_on head grep -x 'c = 1' "$run_dir-svm-1/config.ini"
}

@test "a study of strong and weak scaling" {
    job=$(slurm env BUILD="$BUILD" REPEATS=1 RESULTS="$run_dir" sbatch --parsable --nodes=2 --time=10 --output="$log" jobs/scaling.sbatch "${net[@]}" \
        --set run.train=1000 --set cnn.epochs=2)
    ends
    cluster_on head test -s "$run_dir/scaling.csv"
}
