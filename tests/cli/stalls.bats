# A rank that is stopped, killed or hangs is named by the others, with the phase that it is in, and may end the job.
load common

faulty=$BUILD/tests/faults/pardigits

# stall NAME FAULT ARGUMENTS...: two (or RANKS) ranks, one with a fault (tests/faults/rank_faults.c); in the background: log and exit code are in NAME.log, NAME.code.
stall() {
    local name=$BATS_TEST_TMPDIR/$1 fault=$2
    shift 2
    {
        local code=0
        PARDIGITS_FAULT=$fault OMP_NUM_THREADS=1 timeout -k 5 100 mpirun -n "${RANKS:-2}" "$faulty" train "$@" --data "$data" --set run.stall_warn_s=1 \
            --run "$name" >"$name.log" 2>&1 3>&- || code=$?
        echo "$code" >"$name.code"
    } &
}

# named NAME CODE RANK "HOW" "PHASE": the job ended with CODE, and the other rank said once, with host and PID, how this one is behind and in which phase.
named() {
    local log=$BATS_TEST_TMPDIR/$1.log
    local sentence="^pardigits: rank $((1 - $3)): rank $3 \(host $(hostname), PID [0-9]+\) is behind: $4 [0-9.]+ s( ago)?, last in phase $5"
    cat "$log"
    [[ $(cat "$BATS_TEST_TMPDIR/$1.code") -eq $2 ]]
    [[ $(grep -cE "$sentence\.$" "$log") -eq 1 ]]
    [[ $2 -ne 1 ]] || [[ $(grep -cE "$sentence: the job ends \(run.stall_abort_s = 2\)\.$" "$log") -eq 1 ]]
}

cnn=(configs/cnn.ini --set run.train=2000 --set run.valid=500 --set cnn.epochs=2 --set cnn.checkpoint_s=0 --set "cnn.layers=conv:8:3 bn relu pool:2 dense:10")
svm=(configs/svm.ini --set run.train=1000)
knn=(configs/knn.ini --set run.train=2000 --set knn.k=auto)

@test "CNN: a stopped rank is named and the job ends, saved where that is safe; the run resumes to the same digest" {
    local ends=(--set run.stall_abort_s=2) phase
    on 1 2 train "${cnn[@]}" --data "$data" --run "$BATS_TEST_TMPDIR/whole"
    stall reduction stop:1:reduction:7 "${cnn[@]}" "${ends[@]}"
    stall update stop:1:update:7 "${cnn[@]}" "${ends[@]}"
    stall validation stop:0:validation:0 "${cnn[@]}" "${ends[@]}"
    stall checkpoint kill:1:checkpoint:0 "${cnn[@]}"
    stall goes-on stop:1:compute:20 "${cnn[@]}"
    for ((i = 0; i < 600; i++)); do
        grep -q 'is behind' "$BATS_TEST_TMPDIR/goes-on.log" 2>/dev/null && break
        sleep 0.1
    done
    kill -CONT "$(grep -oE 'PID [0-9]+' "$BATS_TEST_TMPDIR/goes-on.log" | head -n 1 | cut -c5-)"
    wait
    named reduction 1 1 "it has been stopped for" "reduction, step 7"
    grep "rank 0: step 6/16 of epoch 1 is saved in $BATS_TEST_TMPDIR/reduction/model.h5: run again with --resume" "$BATS_TEST_TMPDIR/reduction.log"
    named update 1 1 "it has been stopped for" "update, step 7"
    [[ ! -e $BATS_TEST_TMPDIR/update/model.h5 ]]
    [[ $(grep -c 'rank 0: nothing can be saved now' "$BATS_TEST_TMPDIR/update.log") -eq 1 ]]
    named validation 1 0 "it has been stopped for" validation
    named checkpoint 137 1 "it ended" checkpoint
    named goes-on 0 1 "it has been stopped for" "compute, step 20"
    grep 'pardigits: rank 0: rank 1 goes on after' "$BATS_TEST_TMPDIR/goes-on.log"
    same_model "$BATS_TEST_TMPDIR/goes-on/model.h5" "$BATS_TEST_TMPDIR/whole/model.h5"
    PARDIGITS=$faulty # which is another build to --resume
    on 3 1 train "${cnn[@]}" --data "$data" --run "$BATS_TEST_TMPDIR/reduction" --resume
    same_model "$BATS_TEST_TMPDIR/reduction/model.h5" "$BATS_TEST_TMPDIR/whole/model.h5"
}

@test "ensemble: when a rank of one group is stopped, the others save what they train" {
    local members=("${cnn[@]}" --set cnn.members=2 --set cnn.epochs=200)
    stall members stop:1:update:7 "${members[@]}" --set run.stall_abort_s=2
    wait
    named members 1 1 "it has been stopped for" "update, step 7"
    grep -E "rank 0: step [0-9]+/16 of epoch [0-9]+ is saved in .*: run again with --resume" "$BATS_TEST_TMPDIR/members.log"
    # of a group of two none is caught in an update that the other one stays away from
    RANKS=4 stall groups stop:3:update:7 "${members[@]}" --set run.stall_abort_s=2
    wait
    cat "$BATS_TEST_TMPDIR/groups.log"
    grep -E "rank [01]: step [0-9]+/16 of epoch [0-9]+ is saved in .*: run again with --resume" "$BATS_TEST_TMPDIR/groups.log"
    if grep -E "rank [01]: nothing can be saved" "$BATS_TEST_TMPDIR/groups.log"; then return 1; fi
}

@test "SVM and KNN: a stopped, killed or hanging rank is named in each phase, and the job ends" {
    local ends=(--set run.stall_abort_s=2)
    stall input hang:1:input:0 "${svm[@]}" "${ends[@]}"
    stall solving stop:0:solving:0 "${svm[@]}" "${ends[@]}"
    stall grid kill:1:"grid search":0 "${svm[@]}" --set svm.search=grid
    stall index stop:0:index:0 "${knn[@]}" "${ends[@]}"
    # as on two nodes, which tell each other by heartbeats
    PARDIGITS_NODE_RANKS=1 stall trying stop:1:leave-one-out:0 "${knn[@]}" "${ends[@]}"
    wait
    named input 1 1 "no progress for" input
    named solving 1 0 "it has been stopped for" "solving, pair [0-9]+"
    named grid 137 1 "it ended" "grid search, part [0-9]+"
    named index 1 0 "it has been stopped for" index
    named trying 1 1 "silent for" "(input|index|leave-one-out, image 1)" # as heard up to 0.1 s before
}

@test "a rank that can't read what its run was begun with ends the job, and none is left waiting" {
    local run=(train configs/knn.ini --set run.train=200 --set knn.k=1 --data "$data" --run "$BATS_TEST_TMPDIR/run")
    "$PARDIGITS" "${run[@]}"
    PARDIGITS_FAULT=fail:1:init:0 fails 1 "A fault of this rank." timeout 20 mpirun -n 2 "$faulty" "${run[@]}" --resume
    PARDIGITS_FAULT=fail:1:init:0 fails 1 "A fault of this rank." timeout 20 mpirun -n 2 "$faulty" evaluate "$BATS_TEST_TMPDIR/run" --summary
}
