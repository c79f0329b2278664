# A signal at any moment stops a run with 75: saved, or with nothing to save yet.
load common

run=(--data "$data" --run "$BATS_TEST_TMPDIR/run")

# wait_for TEXT PID: until the log holds it, or the process ends.
wait_for() {
    until grep -q -- "$1" "$BATS_TEST_TMPDIR/log" || ! kill -0 "$2" 2>/dev/null; do sleep 0.05; done
}

# stopped SIGNAL TARGET TEXT ARGUMENTS...: pardigits on two ranks gets SIGNAL when its log holds TEXT, on TARGET of its ranks (one, all) or mpirun, and
# ends with 75; its log is in $BATS_TEST_TMPDIR/log.
stopped() {
    local signal=$1 target=$2 text=$3 pid ranks code=0
    shift 3
    : >"$BATS_TEST_TMPDIR/log" # or what an earlier start wrote would be taken for this one's
    OMP_NUM_THREADS=1 timeout -k 5 60 mpirun -n 2 "$PARDIGITS" "$@" >"$BATS_TEST_TMPDIR/log" 2>&1 3>&- &
    for ((i = 0; i < 400; i++)); do
        pid=$(pgrep -P $! mpirun) && ranks=$(pgrep -P "$pid" -f pardigits) && [[ $(wc -w <<<"$ranks") -eq 2 ]] && break
        sleep 0.05
    done
    if [[ -n $text ]]; then wait_for "$text" $!; else sleep 0.2; fi
    case $target in
    one) kill "-$signal" "${ranks##*$'\n'}" ;;
    all) xargs kill "-$signal" <<<"$ranks" ;;
    mpirun) kill "-$signal" "$pid" ;;
    esac
    wait $! || code=$?
    echo "$signal to $target: exit code $code"
    cat "$BATS_TEST_TMPDIR/log"
    [[ $code -eq 75 ]]
}

# alone SIGNAL TEXT COMMAND...: the same of a process without mpirun.
alone() {
    local signal=$1 text=$2 code=0
    shift 2
    : >"$BATS_TEST_TMPDIR/log" # or what an earlier start wrote would be taken for this one's
    "$@" >"$BATS_TEST_TMPDIR/log" 2>&1 3>&- &
    if [[ -n $text ]]; then wait_for "$text" $!; else sleep 0.02; fi
    kill "-$signal" $!
    wait $! || code=$?
    cat "$BATS_TEST_TMPDIR/log"
    [[ $code -eq 75 ]]
}

@test "a training that just starts, on its way, and in a terminal that is closed" {
    local cnn=(train configs/cnn.ini "${run[@]}")
    # before main, where the launcher holds signals back; then before MPI starts
    alone USR1 '' env --block-signal=USR1 "$PARDIGITS" "${cnn[@]}"
    grep 'Stopped by SIGUSR1 before the training began; nothing is to be saved: run it again with --resume' "$BATS_TEST_TMPDIR/log"
    cnn+=(--overwrite)
    stopped USR2 mpirun '' "${cnn[@]}"
    grep 'nothing is to be saved: run it again with --overwrite' "$BATS_TEST_TMPDIR/log"
    stopped TERM one 'training cnn' "${cnn[@]}"
    grep 'run again with --resume to continue' "$BATS_TEST_TMPDIR/log"
    alone HUP 'training cnn' "$PARDIGITS" "${cnn[@]}"
    grep 'Stopped by SIGHUP after step' "$BATS_TEST_TMPDIR/log"
    # bash has background jobs ignore SIGINT, which would stay so
    alone INT 'training cnn' env --default-signal=INT "$PARDIGITS" "${cnn[@]}"
    grep 'Stopped by SIGINT after step' "$BATS_TEST_TMPDIR/log"
}

@test "a training goes on when the reader of its log ends" {
    "$PARDIGITS" train configs/cnn-fast.ini "${run[@]}" --set run.train=2000 2>&1 | head -n 1
    [[ ${PIPESTATUS[0]} -eq 0 ]]
    "$PARDIGITS" digest "$BATS_TEST_TMPDIR/run"
}

@test "a grid search, a validation and an evaluation stop, too" {
    local idm=(configs/knn-idm.ini "${run[@]}" --set run.train=20000)
    stopped USR1 one 'training svm' train configs/svm.ini "${run[@]}" --set svm.search=grid
    grep 'of 225 parts of the search for C and gamma done and saved' "$BATS_TEST_TMPDIR/log"
    stopped TERM all 'training knn' train "${idm[@]}" --overwrite --set run.valid=5000
    grep 'nothing is left to save: run it again with --resume' "$BATS_TEST_TMPDIR/log"
    on 2 1 train "${idm[@]}" --overwrite
    stopped USR2 one '' evaluate "$BATS_TEST_TMPDIR/run/model.h5" --data "$data"
    grep 'Stopped by SIGUSR2; nothing is left to save: run it again' "$BATS_TEST_TMPDIR/log"
}
