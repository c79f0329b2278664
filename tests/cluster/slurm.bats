# jobs/train.sbatch under a real Slurm on three hosts (make check-cluster FULL=1).
load ../cli/common
load cluster
load slurm

setup_file() {
    CLUSTER_WHY_NOT=$(cluster_why_not)
    [[ -n $CLUSTER_WHY_NOT ]] || CLUSTER_WHY_NOT=$(slurm_why_not)
    export CLUSTER_WHY_NOT
    if [[ -z $CLUSTER_WHY_NOT ]]; then
        cluster_start 3
        slurm_start
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

net=(configs/cnn.ini --data "$data" --set run.train=4000 --set run.valid=0 --set cnn.epochs=6 --set "cnn.layers=conv:8:3 bn relu pool:2 dense:10")

# submit ARGUMENTS...: jobs/train.sbatch on two hosts into $run_dir; prints the job's number.
submit() {
    local config=$1
    shift
    slurm env BUILD="$BUILD" sbatch --parsable --nodes=2 --time=10 --output="$log" jobs/train.sbatch "$config" "$run_dir" "$@"
}

# same_as_alone: the job's model has the digest of a run on one host.
same_as_alone() {
    on 1 2 train "${net[@]}" --run "$BATS_TEST_TMPDIR/alone" 2>/dev/null
    same_model "$(cluster_path "$run_dir/model.h5")" "$BATS_TEST_TMPDIR/alone/model.h5"
}

# wait_for TEXT: until the job's log holds it.
wait_for() {
    local i
    for ((i = 0; i < 600; i++)); do
        cluster_on head grep -q -- "$1" "$log" 2>/dev/null && return
        sleep 0.1
    done
    echo "'$1' never came:"
    cluster_on head cat "$log"
    return 1
}

@test "a job on two hosts runs to its end and has the digest of one host" {
    job=$(submit "${net[@]}")
    slurm_wait "$job" 90
    cluster_on head cat "$log"
    cluster_on head grep 'start 1: 2 ranks x 1 threads on c\[1-2\]' "$log"
    cluster_on head grep "JobId=$job .*JobState=COMPLETED" /run/cluster/slurm/log/jobcomp.txt
    same_as_alone
}

@test "USR1 saves and ends the job with 75; it is requeued, goes on and has the same digest" {
    job=$(submit "${net[@]}")
    wait_for 'epoch 2/6'
    slurm scancel -s USR1 "$job"
    wait_for 'stopped after saving'
    wait_for 'start 2: 2 ranks'
    slurm_wait "$job" 90
    cluster_on head cat "$log"
    [[ $(cluster_on head grep -c 'epoch 1/6' "$log") -eq 1 ]] # it went on: nothing is trained twice
    cluster_on head grep "JobId=$job .*JobState=COMPLETED" /run/cluster/slurm/log/jobcomp.txt
    same_as_alone
}

@test "a host that dies: the job is requeued and goes on on the others" {
    job=$(submit "${net[@]}" --set cnn.checkpoint_s=0)
    wait_for 'epoch 2/6'
    cluster_kill c2
    wait_for 'start 2: 2 ranks x 1 threads on c\[1,3\]' # Slurm gives a silent host up after 10 s, and looks every 5
    slurm_wait "$job" 90
    cluster_on head cat "$log"
    [[ $(cluster_on head grep -c 'epoch 1/6' "$log") -eq 1 ]]
    cluster_on head grep "JobId=$job .*JobState=COMPLETED" /run/cluster/slurm/log/jobcomp.txt
    same_as_alone
}
