# A run that is stopped, or killed, and goes on ends with the bits of a run that wasn't.
load common

setup() {
    run_dir=$BATS_TEST_TMPDIR/run
}

# start RANKS ARGUMENTS...: training in the background; its mpirun is $pid.
start() {
    local ranks=$1
    shift
    : >"$BATS_TEST_TMPDIR/log" # or what an earlier start wrote would be taken for this one's
    OMP_NUM_THREADS=1 mpirun -n "$ranks" "$PARDIGITS" train "$@" 2>"$BATS_TEST_TMPDIR/log" 3>&- &
    pid=$!
}

# wait_for TEXT: until the log of the run in the background holds it.
wait_for() {
    local i
    for i in $(seq $((600 * slower))); do
        if grep -q -- "$1" "$BATS_TEST_TMPDIR/log"; then return 0; fi
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    echo "'$1' never came:"
    cat "$BATS_TEST_TMPDIR/log"
    return 1
}

# ends_with CODE: the run in the background.
ends_with() {
    local code=0
    wait "$pid" || code=$?
    cat "$BATS_TEST_TMPDIR/log"
    [[ $code -eq $1 ]]
}

# other_data: $BATS_TEST_TMPDIR/other.h5, which has MNIST's training images with the last of them labelled wrongly.
other_data() {
    local idx=$BATS_TEST_TMPDIR/idx
    mkdir "$idx"
    cp "$MNIST_DIR"/*-ubyte "$idx"
    chmod u+w "$idx"/*
    printf '\001' | dd of="$idx/train-labels-idx1-ubyte" bs=1 seek=60007 conv=notrunc status=none # an 8
    "$PARDIGITS" prepare --idx "$idx" --out "$BATS_TEST_TMPDIR/other.h5"
}

cnn=(configs/cnn.ini --data "$data" --set run.train=12000 --set run.valid=0 --set cnn.epochs=4 --set cnn.checkpoint_s=0
    --set "cnn.layers=conv:8:3 bn relu pool:2 conv:16:3 bn relu conv:16:3 bn relu pool:2 dropout:0.2 dense:10" --set cnn.shift=1
    --set cnn.sum_bits=16) # whose ranges are part of what is saved

# whole_run: $BATS_FILE_TMPDIR/whole, which nothing stopped; trained by the first test that needs it.
whole_run() {
    [[ -e $BATS_FILE_TMPDIR/whole/model.h5 ]] || on 1 2 train "${cnn[@]}" --run "$BATS_FILE_TMPDIR/whole"
}

@test "CNN: stopped in mid-epoch by USR1, USR2 and TERM, resumed on other rank counts" {
    whole_run
    start 2 "${cnn[@]}" --run "$run_dir"
    wait_for 'epoch 1'
    kill -USR1 "$pid"
    ends_with 75
    start 3 "${cnn[@]}" --run "$run_dir" --resume
    wait_for 'epoch 2'
    kill -USR2 "$pid"
    ends_with 75
    start 1 "${cnn[@]}" --run "$run_dir" --resume
    wait_for 'epoch 3'
    kill -TERM "$(pgrep -P "$pid" -f pardigits | head -n 1)"
    ends_with 75
    on 4 1 train "${cnn[@]}" --run "$run_dir" --resume
    same_model "$run_dir/model.h5" "$BATS_FILE_TMPDIR/whole/model.h5"
}

@test "CNN ensemble: stopped by USR1 on one of its groups and killed in another, resumed on other rank counts" {
    local several=("${cnn[@]}" --set cnn.members=3 --set cnn.epochs=2)
    on 2 1 train "${several[@]}" --run "$BATS_TEST_TMPDIR/whole"
    start 4 "${several[@]}" --run "$run_dir"
    wait_for 'epoch 1'
    kill -USR1 "$(pgrep -P "$pid" -f pardigits | tail -n 1)"
    ends_with 75
    for member in "$run_dir"/model.member-*.metrics.h5; do # of the ranks of a group
        "$PARDIGITS" show "$member" --json
    done >"$BATS_TEST_TMPDIR/shown"
    grep -E '"what":"metrics of a run","ranks":[12],' "$BATS_TEST_TMPDIR/shown"
    [[ $(grep -c '"ranks":4,' "$BATS_TEST_TMPDIR/shown") -eq 0 ]]
    start 2 "${several[@]}" --run "$run_dir" --resume
    wait_for 'epoch 2'
    kill -KILL "$(pgrep -P "$pid" -f pardigits | tail -n 1)"
    local code=0
    wait "$pid" || code=$?
    [[ $code -ne 0 && $code -ne 75 ]]
    on 3 1 train "${several[@]}" --run "$run_dir" --resume
    same_model "$run_dir/model.h5" "$BATS_TEST_TMPDIR/whole/model.h5"
    [[ -z $(find "$run_dir" -name '*member*') ]]
}

@test "CNN ensemble: all ranks train what is left; a damaged member is trained again; no file of a member is left over" {
    local two=("${cnn[@]}" --set cnn.members=2 --set cnn.epochs=2) stopped=$BATS_TEST_TMPDIR/stopped
    local member=$run_dir/model.member-00.h5
    on 1 2 train "${two[@]}" --run "$BATS_TEST_TMPDIR/whole"
    start 1 "${two[@]}" --run "$run_dir"
    wait_for 'member 2 of 2'
    kill -USR1 "$pid"
    ends_with 75
    "$PARDIGITS" show "$run_dir/model.member-00.metrics.h5" --json >"$BATS_TEST_TMPDIR/shown"
    grep -E '"what":"metrics of a run","ranks":1,"threads":[0-9]+,"seconds":[0-9]{1,2}\.[0-9]' "$BATS_TEST_TMPDIR/shown"
    grep -E '"epochs":\[\{"epoch":1,.*"epoch":2,' "$BATS_TEST_TMPDIR/shown"
    cp -r "$run_dir" "$stopped"
    cp -r "$run_dir" "$BATS_TEST_TMPDIR/other"
    cp "$stopped/model.member-00.h5" "$BATS_TEST_TMPDIR/other/model.member-01.h5" # of another seed
    local before
    before=$(sha256sum "$BATS_TEST_TMPDIR/other"/*)
    fails 2 'model.member-01.h5 was begun with another run.seed' "$PARDIGITS" train "${two[@]}" --run "$BATS_TEST_TMPDIR/other" --resume \
        --set run.stall_warn_s=99
    [[ $(sha256sum "$BATS_TEST_TMPDIR/other"/*) == "$before" ]]
    # neither without the file that says whose they are, nor with a damaged one, is a finished member lost
    rm -f "$run_dir"/{model,model.prev,metrics}.h5
    fails 2 'holds a run already' "$PARDIGITS" train "${two[@]}" --run "$run_dir"
    fails 2 "$run_dir was begun with cnn.lr = " "$PARDIGITS" train "${two[@]}" --run "$run_dir" --resume --set cnn.lr=0.05
    fails 2 "$run_dir was begun with cnn.members = 2" "$PARDIGITS" train "${cnn[@]}" --set cnn.epochs=2 --run "$run_dir" --resume
    mv "$run_dir/config.ini" "$BATS_TEST_TMPDIR/config.ini"
    fails 2 'model.member-00.h5 was begun with another cnn.lr' "$PARDIGITS" train "${two[@]}" --run "$run_dir" --resume --set cnn.lr=0.05
    head -c 200 "$BATS_TEST_TMPDIR/config.ini" >"$run_dir/config.ini" # what it lacks isn't what the run was begun with
    head -c 3000 "$stopped/model.h5" >"$run_dir/model.h5"
    on 2 1 train "${two[@]}" --run "$run_dir" --resume 2>"$BATS_TEST_TMPDIR/log"
    grep '^1 of 2 members to train, by 1 group' "$BATS_TEST_TMPDIR/log"
    grep '^member 2 of 2' "$BATS_TEST_TMPDIR/log"
    rm "$run_dir/config.kept.ini"
    same_model "$run_dir/model.h5" "$BATS_TEST_TMPDIR/whole/model.h5"
    fails 2 'was stopped and resumed, so its times' "$PARDIGITS" scaling "$run_dir"
    cp "$stopped/model.member-00.h5" "$run_dir" # as after a kill between the last save and its removal
    touch "$run_dir/.metrics.h5.tmp"
    on 1 1 train "${two[@]}" --run "$run_dir" --resume
    [[ $(ls -A "$run_dir") == $'config.ini\nmetrics.h5\nmodel.h5' ]]

    rm -r "$run_dir"
    cp -r "$stopped" "$run_dir"
    rm -f "$run_dir/model.member-00.prev.h5"
    dd if=/dev/urandom of="$member" bs=1K seek=40 count=4 conv=notrunc status=none
    cp "$stopped/model.member-00.metrics.h5" "$run_dir/model.member-01.metrics.h5" # of another seed
    echo earlier >"$run_dir/model.member-00.damaged.h5" # an earlier one that was kept
    on 2 1 train "${two[@]}" --run "$run_dir" --resume 2>"$BATS_TEST_TMPDIR/log"
    cat "$BATS_TEST_TMPDIR/log"
    grep "$member is damaged: its bytes don't match its checksum" "$BATS_TEST_TMPDIR/log"
    grep 'member 1 is trained from its start; .*member-00.damaged-2.h5' "$BATS_TEST_TMPDIR/log"
    grep 'the file is kept as .*member-01.metrics.other.h5' "$BATS_TEST_TMPDIR/log"
    same_model "$run_dir/model.h5" "$BATS_TEST_TMPDIR/whole/model.h5"
    local kept=$'config.ini\nmetrics.h5\nmodel.h5\nmodel.member-00.damaged-2.h5\nmodel.member-00.damaged.h5\nmodel.member-01.metrics.other.h5'
    [[ $(ls -A "$run_dir") == "$kept" && $(<"$run_dir/model.member-00.damaged.h5") == earlier ]]
    on 1 1 train "${cnn[@]}" --set run.train=640 --set cnn.epochs=1 --run "$run_dir" --overwrite
    [[ $(ls -A "$run_dir") == "$kept" ]]
}

@test "CNN: a rank killed with -9 ends the run; --resume goes on from the last checkpoint to the same digest" {
    whole_run
    start 2 "${cnn[@]}" --run "$run_dir" --set cnn.checkpoint_s=1000 --set cnn.checkpoint_steps=50 # of 94 in an epoch
    wait_for 'epoch 2'
    kill -KILL "$(pgrep -P "$pid" -f pardigits | tail -n 1)"
    local code=0
    wait "$pid" || code=$?
    [[ $code -ne 0 && $code -ne 75 ]]
    "$PARDIGITS" show "$run_dir/metrics.h5" >"$BATS_TEST_TMPDIR/shown"
    grep '^/epochs: [1-3] rows' "$BATS_TEST_TMPDIR/shown"
    start 3 "${cnn[@]}" --run "$run_dir" --resume
    wait_for 'epoch 3'
    # what was replaced isn't kept open: it would take its room on the disk
    local ranks=$(pgrep -P "$pid" -f pardigits)
    [[ -n $ranks && -z $(for rank in $ranks; do find "/proc/$rank/fd" -lname "$run_dir/m*"; done) ]]
    ends_with 0
    "$PARDIGITS" show "$run_dir/metrics.h5" >"$BATS_TEST_TMPDIR/shown"
    grep '^/steps: 376 rows' "$BATS_TEST_TMPDIR/shown"
    same_model "$run_dir/model.h5" "$BATS_FILE_TMPDIR/whole/model.h5"
    [[ -z $(find "$run_dir" -name '.*tmp') ]]
}

@test "CNN: a damaged checkpoint is reported and the one before it is used" {
    whole_run
    start 1 "${cnn[@]}" --run "$run_dir"
    wait_for 'epoch 3'
    kill -USR1 "$pid"
    ends_with 75
    dd if=/dev/urandom of="$run_dir/model.h5" bs=1K seek=16 count=16 conv=notrunc status=none
    on 1 2 train "${cnn[@]}" --run "$run_dir" --resume 2>"$BATS_TEST_TMPDIR/err"
    grep -q 'damaged' "$BATS_TEST_TMPDIR/err"
    same_model "$run_dir/model.h5" "$BATS_FILE_TMPDIR/whole/model.h5"
}

@test "KNN: killed and stopped by USR1 while it chooses k, resumed on other rank counts" {
    local knn=(configs/knn-idm.ini --data "$data" --set run.train=8000 --set knn.k=auto --set knn.candidates=60)
    on 2 1 train "${knn[@]}" --run "$BATS_TEST_TMPDIR/whole" 2>"$BATS_TEST_TMPDIR/whole.log"
    start 2 "${knn[@]}" --run "$run_dir" --set knn.checkpoint_s=0 # after each of 4 blocks
    until [[ -e $run_dir/model.h5 ]]; do kill -0 "$pid"; sleep 0.05; done
    kill -KILL "$(pgrep -P "$pid" -f pardigits | tail -n 1)"
    wait "$pid" || [[ $? -ne 75 ]]
    start 2 "${knn[@]}" --run "$run_dir" --resume
    wait_for 'training knn'
    kill -USR1 "$pid"
    ends_with 75
    [[ $(grep -oE 'with [0-9]+ of' "$BATS_TEST_TMPDIR/log" | tr -dc 0-9) -ge 2048 ]] # what was done before the kill isn't done again
    grep 'Stopped by SIGUSR1 with [0-9]* of 8000 images tried' "$BATS_TEST_TMPDIR/log"
    fails_on 1 1 'resume' evaluate "$run_dir/model.h5" --data "$data"
    other_data
    fails_on 2 2 'other training images' train "${knn[@]}" --run "$run_dir" --resume --data "$BATS_TEST_TMPDIR/other.h5"
    on 3 1 train "${knn[@]}" --run "$run_dir" --resume 2>"$BATS_TEST_TMPDIR/log"
    same_model "$run_dir/model.h5" "$BATS_TEST_TMPDIR/whole/model.h5"
    grep 'leave-one-out over' "$BATS_TEST_TMPDIR/whole.log"
    diff <(grep 'is the best, [0-9]* of 8000 correct' "$BATS_TEST_TMPDIR/log") \
        <(grep 'leave-one-out over' "$BATS_TEST_TMPDIR/whole.log")
}

@test "SVM: stopped by USR1, resumed on another rank count" {
    local svm=(configs/svm.ini --data "$data" --set run.train=30000)
    on 2 1 train "${svm[@]}" --run "$BATS_TEST_TMPDIR/whole"
    start 2 "${svm[@]}" --run "$run_dir"
    wait_for 'training svm'
    sleep 0.2 # of about 1 s on a fast machine
    kill -USR1 "$pid"
    ends_with 75
    fails_on 1 1 'resume' evaluate "$run_dir/model.h5" --data "$data"
    other_data
    fails_on 2 2 'other training images' train "${svm[@]}" --run "$run_dir" --resume --data "$BATS_TEST_TMPDIR/other.h5"
    on 3 1 train "${svm[@]}" --run "$run_dir" --resume
    same_model "$run_dir/model.h5" "$BATS_TEST_TMPDIR/whole/model.h5"
}

@test "SVM: a search for C and gamma that is stopped, then killed, goes on from the parts that are done" {
    local svm=(configs/svm.ini --data "$data" --set run.train=3000 --set svm.search=grid --set svm.folds=3
        --set svm.checkpoint_s=0)
    on 2 1 train "${svm[@]}" --run "$BATS_TEST_TMPDIR/whole" 2>"$BATS_TEST_TMPDIR/whole.log"
    start 2 "${svm[@]}" --run "$run_dir"
    wait_for 'search: [1-9][0-9]* of 135 parts done'
    kill -USR1 "$pid"
    ends_with 75
    grep 'Stopped by SIGUSR1 with [1-9][0-9]* of 135 parts of the search' "$BATS_TEST_TMPDIR/log"
    fails_on 1 1 'resume' evaluate "$run_dir/model.h5" --data "$data"
    local done
    done=$(sed -n 's/.*with \([0-9]*\) of 135 parts.*/\1/p' "$BATS_TEST_TMPDIR/log")
    "$PARDIGITS" show "$run_dir" | grep "a search for C and gamma, of which $done of 135 parts are done"
    "$PARDIGITS" watch "$run_dir" --once --json | grep "\"search_done\":$done,\"search_parts\":135"
    start 3 "${svm[@]}" --run "$run_dir" --resume
    wait_for 'parts done'
    kill -KILL "$(pgrep -P "$pid" -f pardigits | tail -n 1)"
    wait "$pid" || true
    [[ $(sed -n 's/.*search: \([0-9]*\) of 135 parts done.*/\1/p' "$BATS_TEST_TMPDIR/log" | head -n 1) -gt $done ]]
    start 2 "${svm[@]}" --run "$run_dir" --resume
    wait_for 'are best of [0-9]* cells'
    kill -USR1 "$pid"
    ends_with 75
    grep 'search: C = .* of 3000 images correct' "$BATS_TEST_TMPDIR/log" >"$BATS_TEST_TMPDIR/search.log"
    on 1 2 train "${svm[@]}" --run "$run_dir" --resume
    same_model "$run_dir/model.h5" "$BATS_TEST_TMPDIR/whole/model.h5"
    diff "$BATS_TEST_TMPDIR/search.log" <(grep 'search: C = .* images correct' "$BATS_TEST_TMPDIR/whole.log")
    # what was found is what the model says, and may be said of it
    local c gamma
    read -r c gamma < <(sed -n 's/.*search: C = \(.*\) and gamma = \(.*\) are best.*/\1 \2/p' "$BATS_TEST_TMPDIR/whole.log")
    "$PARDIGITS" show "$run_dir" >"$BATS_TEST_TMPDIR/shown"
    grep -E "^svm.c +$c\$" "$BATS_TEST_TMPDIR/shown"
    grep -E "^svm.gamma +$gamma\$" "$BATS_TEST_TMPDIR/shown"
    grep "rbf kernel, C = $c, gamma = $gamma" "$BATS_TEST_TMPDIR/shown"
    "$PARDIGITS" evaluate "$run_dir" --data "$data" --set "svm.c=$c" --set "svm.gamma=$gamma"
    "$PARDIGITS" show "$BATS_TEST_TMPDIR/whole/metrics.h5" | grep -A 20 '^/search' >"$BATS_TEST_TMPDIR/searched"
    "$PARDIGITS" show "$run_dir/metrics.h5" | grep -A 20 '^/search' | diff - "$BATS_TEST_TMPDIR/searched"
}

@test "--resume starts fresh in an empty folder and has nothing to do in a complete one" {
    local cnn=(configs/cnn.ini --data "$data" --set run.train=300 --set cnn.epochs=1 --run "$run_dir" --resume)
    on 1 1 train "${cnn[@]}"
    cp "$run_dir/model.h5" "$BATS_TEST_TMPDIR/first.h5"
    on 2 1 train "${cnn[@]}" 2>&1 | grep 'complete'
    same_model "$run_dir/model.h5" "$BATS_TEST_TMPDIR/first.h5"
}

@test "--resume with another configuration is refused and changes nothing" {
    local cnn=(configs/cnn.ini --data "$data" --set run.train=300 --set cnn.epochs=1 --run "$run_dir")
    on 1 1 train "${cnn[@]}"
    local before code=0
    before=$(sha256sum "$run_dir"/*)
    fails_on 2 2 'cnn.lr' train "${cnn[@]}" --resume --set cnn.lr=0.123
    fails_on 2 2 '--overwrite' train "${cnn[@]}"
    # nor are its metrics those of a run of another length, whose every step has another learning rate
    on 1 1 train "${cnn[@]}" --run "$run_dir/two" --set cnn.epochs=2
    cp "$run_dir/metrics.h5" "$run_dir/two"
    on 1 1 train "${cnn[@]}" --run "$run_dir/two" --set cnn.epochs=2 --resume 2>&1 | grep 'is of another run, with cnn.epochs = 1'
    [[ -e $run_dir/two/metrics.other.h5 ]]
    rm -r "$run_dir/two"
    [[ $(sha256sum "$run_dir"/*) == "$before" ]]
    # nor where the model is damaged, and the one before it is whole
    cp "$run_dir/model.h5" "$run_dir/model.prev.h5"
    dd if=/dev/urandom of="$run_dir/model.h5" bs=1K seek=40 count=4 conv=notrunc status=none
    before=$(sha256sum "$run_dir"/*)
    on 1 1 train "${cnn[@]}" --resume --set cnn.lr=0.123 || code=$?
    [[ $code -eq 2 && $(sha256sum "$run_dir"/*) == "$before" ]]
    on 1 1 train "${cnn[@]}" --resume
    "$PARDIGITS" digest "$run_dir/model.h5"
    [[ $(ls -A "$run_dir") == $'config.ini\nmetrics.h5\nmodel.h5' ]]
}

@test "--resume with other training images or labels is refused and changes nothing" {
    local before members
    other_data
    for members in 1 2; do
        local run=("${cnn[@]}" --run "$run_dir" --set cnn.members=$members)
        start 1 "${run[@]}" --overwrite
        wait_for 'epoch 1'
        kill -USR1 "$pid"
        ends_with 75
        before=$(sha256sum "$run_dir"/*)
        fails_on 2 2 'other training images or labels' train "${run[@]}" --resume --data "$BATS_TEST_TMPDIR/other.h5"
        [[ $(sha256sum "$run_dir"/*) == "$before" ]]
    done
}

@test "metrics have each epoch and step once after a stop" {
    start 2 "${cnn[@]}" --run "$run_dir"
    wait_for 'epoch 2'
    kill -USR1 "$pid"
    ends_with 75
    on 2 1 train "${cnn[@]}" --run "$run_dir" --resume
    "$PARDIGITS" show "$run_dir/metrics.h5" | tee "$BATS_TEST_TMPDIR/shown"
    grep -q '^/epochs: 4 rows' "$BATS_TEST_TMPDIR/shown"
    grep -q '^/steps: 376 rows' "$BATS_TEST_TMPDIR/shown" # 4 epochs of ceil(12000 / 128) steps
}

@test "another build goes on only where that is wanted, and the model says so" {
    local other=$BATS_TEST_TMPDIR/pardigits net=(configs/cnn-fast.ini --data "$data" --run "$run_dir" --set run.train=1000 --set cnn.epochs=20)
    cp "$PARDIGITS" "$other"
    echo >>"$other" # a byte behind the end of the program
    start 1 "${net[@]}"
    wait_for 'epoch 1/'
    kill -USR1 "$pid"
    ends_with 75
    fails 2 'another build' "$other" train "${net[@]}" --resume
    "$other" train "${net[@]}" --resume --allow-other-build
    grep -aqE '[0-9a-f]{64} [0-9a-f]{64}' "$run_dir/model.h5"
    "$PARDIGITS" show "$run_dir" | grep -E 'trained by builds +[0-9a-f]{8} [0-9a-f]{8}$'
    "$PARDIGITS" show "$run_dir" --json | grep -E '"builds":\["[0-9a-f]{64}","[0-9a-f]{64}"\]'
    "$PARDIGITS" train "${net[@]}" --resume # nothing to do: no matter by whom
    # an ensemble that was killed before it had a model, gone on with by the other build and killed again
    net+=(--run "$run_dir/two" --set cnn.members=2 --set cnn.epochs=400 --set cnn.checkpoint_s=0)
    local first=$run_dir/two/model.member-00.h5
    start 1 "${net[@]}"
    until [[ -e $first ]]; do kill -0 "$pid"; sleep 0.02; done
    kill -KILL "$(pgrep -P "$pid" -f pardigits)"
    wait "$pid" || true
    fails 2 'another build' "$other" train "${net[@]}" --resume
    OMP_NUM_THREADS=1 "$other" train "${net[@]}" --resume --allow-other-build 2>/dev/null 3>&- &
    pid=$!
    until grep -aqE '[0-9a-f]{64} [0-9a-f]{64}' "$first"; do kill -0 $pid; sleep 0.02; done
    kill -KILL $pid
    wait $pid || true
    [[ ! -e $run_dir/two/model.h5 ]]
    fails 2 'another build' "$PARDIGITS" train "${net[@]}" --resume
}

@test "--init begins with another model's weights, also for other classes; --resume makes a run of a constant schedule longer" {
    cd "$BATS_TEST_TMPDIR" || return
    local few=("$BATS_TEST_DIRNAME/../../configs/cnn-fast.ini" --data "$data" --set run.train=640 --set run.valid=200)
    on 1 1 train "${few[@]}" --run one --set cnn.schedule=constant --set cnn.epochs=1
    on 1 1 train "${few[@]}" --run two --set cnn.schedule=constant --set cnn.epochs=2
    # two epochs at once, and one and another, on other ranks; the metrics are whole
    on 2 1 train "${few[@]}" --run one --set cnn.schedule=constant --set cnn.epochs=2 --resume
    same_model one/model.h5 two/model.h5
    /usr/bin/python3 -c 'import h5py; assert list(h5py.File("one/metrics.h5")["epochs"]["epoch"]) == [1, 2]'
    # one that was stopped within an epoch isn't a whole one of fewer epochs
    "$PARDIGITS" train "${few[@]}" --set cnn.schedule=constant --set cnn.epochs=3000 --run mid 2>mid.log 3>&- &
    local pid=$!
    until grep -q '^epoch 1/' mid.log; do kill -0 $pid; sleep 0.05; done
    kill -USR1 $pid
    wait $pid || true
    local epoch
    epoch=$(sed -n 's|.*after step .* of epoch \([0-9]*\)/.*|\1|p' mid.log)
    fails 2 "has finished its 2 epochs: cnn.epochs = 1 is too few" "$PARDIGITS" train "${few[@]}" --run two --set cnn.schedule=constant --set cnn.epochs=1 --resume
    fails 2 "a run that is to have 3000 epochs: cnn.epochs = $((epoch - 1)) is too few to go on with, $epoch or more will do" "$PARDIGITS" train "${few[@]}" --set cnn.schedule=constant --set cnn.epochs=$((epoch - 1)) --run mid --resume
    # one that was stopped early stays so, and is the run that had so many epochs from the beginning
    local early=("${few[@]}" --set cnn.schedule=constant --set cnn.lr=0.5 --set cnn.patience=1)
    "$PARDIGITS" train "${early[@]}" --run early --set cnn.epochs=30
    "$PARDIGITS" train "${early[@]}" --run early2 --set cnn.epochs=29
    "$PARDIGITS" train "${early[@]}" --run early2 --set cnn.epochs=30 --resume 2>&1 | grep 'stopped early'
    same_model early/model.h5 early2/model.h5
    fails_on 1 2 'was begun without a model' train "${few[@]}" --run two --set cnn.schedule=constant --set cnn.epochs=2 --resume --init one # though complete
    fails_on 1 2 'was begun with cnn.lr' train "${few[@]}" --run one --set cnn.schedule=constant --set cnn.epochs=3 --set cnn.lr=0.1 --resume
    on 1 1 train "${few[@]}" --run cycle --set cnn.epochs=1
    fails_on 2 2 'onecycle the learning rate of every step depends on it' train "${few[@]}" --run cycle --set cnn.epochs=2 --resume
    # no step: the weights are those of the other model
    on 2 1 train "${few[@]}" --run still --set cnn.lr=0 --set cnn.bn_momentum=0.0001 --set cnn.epochs=1 --init two 2>log
    grep 'begins with the weights of two/model.h5$' log
    [[ $("$PARDIGITS" evaluate still --split valid --json | field correct) -eq $("$PARDIGITS" evaluate two --split valid --json | field correct) ]]
    on 1 1 train "${few[@]}" --run still1 --set cnn.lr=0 --set cnn.bn_momentum=0.0001 --set cnn.epochs=1 --init two/model.h5
    same_model still/model.h5 still1/model.h5
    # an ensemble needs it again while members aren't begun
    local pair=("${few[@]}" --set cnn.members=2 --set cnn.epochs=500 --run pair)
    start 1 "${pair[@]}" --init two
    wait_for 'epoch 1'
    kill -USR1 "$pid"
    ends_with 75
    fails 2 'member 2 isn'"'"'t begun yet: name that model again by --init' "$PARDIGITS" train "${pair[@]}" --resume
    rm -f pair/model.h5 pair/model.prev.h5
    mv pair/model.member-00.h5 pair/model.member-00.prev.h5 # as if the newest had been damaged
    fails 2 'member 2 isn'"'"'t begun yet: name that model again by --init' "$PARDIGITS" train "${pair[@]}" --resume
    fails 2 'was begun with another model' "$PARDIGITS" train "${pair[@]}" --resume --init cycle
    # what a member can't begin with leaves the folder free; a signal while the images are read is told so
    fails_on 2 2 'Member 1: --init two/model.h5 has no layer conv1 of this shape' train "${few[@]}" --set cnn.members=2 --run free --init two \
        --set "cnn.layers=conv:8:5:s2 bn relu dense:classes"
    fails_on 1 2 'Member 1: --init two/model.h5 has no layer conv1 of this shape' train "${few[@]}" --set cnn.members=2 --dry-run --init two \
        --set "cnn.layers=conv:8:5:s2 bn relu dense:classes"
    [[ -z $(ls free) ]]
    # the last layer with weights may be batch norm, which is new
    "$PARDIGITS" train "${few[@]}" --run pool --set cnn.epochs=1 --set "cnn.layers=conv:4:5:s2 relu conv:10:3 avgpool:all"
    "$PARDIGITS" train "${few[@]}" --run pool2 --set cnn.epochs=1 --set "cnn.layers=conv:4:5:s2 relu conv:10:3 bn avgpool:all" --init pool 2>&1 | grep 'new is bn1'
    local free=("$PARDIGITS" train "${few[@]}" --set cnn.epochs=1 --run free)
    fails 75 'nothing is to be saved: run it again with --resume and the same --init.' \
        env --block-signal=USR1 bash -c 'kill -USR1 $$; exec "$@"' - "${free[@]}" --init two
    fails 2 'name that model again by --init' "${free[@]}" --resume
    # nor does a run that is killed before its first checkpoint begin with random weights, nor another one with its configuration
    "$PARDIGITS" train "${few[@]}" --set cnn.epochs=500 --run killed --init two 2>/dev/null 3>&- &
    pid=$!
    until [[ -e killed/config.ini ]]; do kill -0 $pid; sleep 0.01; done
    kill -KILL $pid
    wait $pid || true
    rm -f killed/model*.h5 killed/metrics.h5
    fails 2 'run.init_digest says that the training begins with the weights of a model' "$PARDIGITS" train killed/config.ini --run other
    fails 2 'run.init_digest names another model' "$PARDIGITS" train killed/config.ini --run other --init cycle
    echo damaged | tee killed/metrics.h5 >damaged.ini
    fails_on 2 2 'and has no checkpoint yet: name that model again by --init' train "${few[@]}" --set cnn.epochs=500 --run killed --resume
    fails 2 'the run was begun with another model: name that one' "$PARDIGITS" train "${few[@]}" --set cnn.epochs=500 --run killed --resume --init cycle
    mv damaged.ini killed/config.ini
    fails_on 2 2 'neither its config.ini nor its metrics.h5 can be read' train "${few[@]}" --set cnn.epochs=500 --run killed --resume
    mkdir torn # a KNN begins with no model: nothing is to be known
    echo '[knn' >torn/config.ini
    "$PARDIGITS" train "$BATS_TEST_DIRNAME/../../configs/knn.ini" --data "$data" --set run.train=100 --run torn --resume
    rm -f pair/model* pair/metrics.h5
    fails 2 'and has no checkpoint yet' "$PARDIGITS" train "${pair[@]}" --resume
    # 47 classes: the last layer is new
    mkdir set
    for class in a b c; do
        mkdir set/$class
        for i in 1 2 3 4; do picture $i set/$class/$i.pgm; done
    done
    "$PARDIGITS" prepare --pictures set --out three.h5
    local other=("$BATS_TEST_DIRNAME/../../configs/cnn-fast.ini" --data three.h5 --set cnn.epochs=1 --run three)
    on 2 1 train "${other[@]}" --set "cnn.layers=conv:16:5:s2 bn relu conv:32:3 bn relu pool:2 conv:64:3 bn relu dense:classes" --set run.preprocess=deskew --init two 2>log
    grep 'hint: two/model.h5 was trained with run.preprocess = none, and this training has deskew' log
    grep 'new is dense1 (it has 10 classes, the dataset 3)' log
    fails_on 1 2 'its layer conv1 has no bias, as bn follows it there' train "${other[@]}" --overwrite --init two \
        --set "cnn.layers=conv:16:5:s2 relu dense:classes"
    fails_on 1 2 'so nothing of it would be used' train "${other[@]}" --overwrite --init two --set cnn.layers=dense:classes
    fails_on 1 2 'has no layer conv1 of this shape (conv:8:5' train "${other[@]}" --overwrite --init two \
        --set "cnn.layers=conv:8:5:s2 bn relu dense:classes"
    on 1 1 train "${other[@]}" --overwrite --set "cnn.layers=conv:16:5:s2 bn relu dense:classes" --init two 2>&1 |
        grep -E 'new is dense1 .it has 10 classes, the dataset 3.; not used are its layers bn2(, |$)'
    # as many classes of other names: the last layer is kept, and a hint says so
    mv set/a set/d
    "$PARDIGITS" prepare --pictures set --out renamed.h5
    on 2 1 train "${other[@]}" --set "cnn.layers=conv:16:5:s2 bn relu dense:classes" --data renamed.h5 --run renamed --init three 2>log
    grep 'hint: class 0 is a in three/model.h5 and b in the dataset' log
    fails_on 1 2 'is the model of the run to be overwritten' train "${few[@]}" --run two --overwrite --init two
    fails_on 1 2 "doesn't begin with the weights" train "$BATS_TEST_DIRNAME/../../configs/knn.ini" --data "$data" --run knn --init two
}

@test "cnn.keep and cnn.patience: the best epoch's model, the same on any workers and through a stop; ends early" {
    cd "$BATS_TEST_TMPDIR" || return
    # a learning rate that soon makes things worse, with averages too
    local best=("$BATS_TEST_DIRNAME/../../configs/cnn-fast.ini" --data "$data" --set run.train=640 --set run.valid=300 --set cnn.epochs=9
        --set cnn.schedule=constant --set cnn.lr=0.5 --set cnn.keep=best --set cnn.patience=3 --set cnn.checkpoint_s=0)
    for ema in 0 0.5; do
        on 1 2 train "${best[@]}" --run one$ema --set cnn.ema=$ema 2>log || { cat log; return 1; }
        on 3 1 train "${best[@]}" --run three$ema --set cnn.ema=$ema
        same_model one$ema/model.h5 three$ema/model.h5
        grep 'the model is that of epoch' log
        # stopped after its second epoch (the third begins by then), and gone on with on other ranks
        start 2 "${best[@]}" --run stopped$ema --set cnn.ema=$ema --set run.balance=even
        wait_for 'epoch 2/9: loss'
        kill -USR1 "$pid"
        wait "$pid" || true
        on 1 1 train "${best[@]}" --run stopped$ema --set cnn.ema=$ema --resume
        same_model one$ema/model.h5 stopped$ema/model.h5
        /usr/bin/python3 - $ema <<'PY'
import h5py, sys
run = "one" + sys.argv[1]
epochs, state = h5py.File(run + "/metrics.h5")["epochs"][:], h5py.File(run + "/model.h5")["state"].attrs
best = int(epochs["valid_loss"].argmin())
print(epochs["valid_loss"], dict(state))
assert state["best_epoch"] == best + 1 and abs(state["best_value"] + epochs["valid_loss"][best]) < 1e-6
assert len(epochs) == min(9, best + 4) and state["epoch"] == len(epochs)
open(run + ".accuracy", "w").write("%d" % round(epochs["valid_accuracy"][best] * 300))
PY
        [[ $("$PARDIGITS" evaluate one$ema --split valid --json | field correct) -eq $(<one$ema.accuracy) ]]
    done
    on 1 1 train "${best[@]}" --run accuracy --set cnn.best_by=accuracy
    /usr/bin/python3 -c 'import h5py
e, s = h5py.File("accuracy/metrics.h5")["epochs"][:], h5py.File("accuracy/model.h5")["state"].attrs
assert s["best_epoch"] == e["valid_accuracy"].argmax() + 1'
    fails_on 2 2 'need held-out images' train "${best[@]}" --run none --set run.valid=0
}
