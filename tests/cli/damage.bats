# Damaged files: it is noticed before anything is done with them, at once, and nothing whole is lost.
load common

# bytes FILE SKIP COUNT: of one of MNIST's files.
bytes() {
    dd if="$MNIST_DIR/$1" iflag=skip_bytes,count_bytes skip="$2" count="$3" bs=64K status=none
}

# A small dataset and a run of an SVM on it.
setup_file() {
    export set=$BATS_FILE_TMPDIR/set.h5 run=$BATS_FILE_TMPDIR/run idx=$BATS_FILE_TMPDIR/idx
    mkdir "$idx"
    { printf '\0\0\x08\x03\0\0\x02\x58\0\0\0\x1c\0\0\0\x1c' && bytes t10k-images-idx3-ubyte 16 $((600 * 784)); } >"$idx/train-images-idx3-ubyte"
    { printf '\0\0\x08\x01\0\0\x02\x58' && bytes t10k-labels-idx1-ubyte 8 600; } >"$idx/train-labels-idx1-ubyte"
    "$PARDIGITS" prepare --idx "$idx" --out "$set" >/dev/null
    OMP_NUM_THREADS=1 "$PARDIGITS" train configs/cnn-fast.ini --data "$set" --run "$run" --set cnn.epochs=1 2>/dev/null
}

# flip FILE BYTE: changes one bit of that byte.
flip() {
    perl -e 'open(my $f, "+<", $ARGV[0]) or die; seek($f, $ARGV[1], 0); read($f, my $c, 1) or die;
        seek($f, $ARGV[1], 0); print $f chr(ord($c) ^ 4)' "$1" "$2"
}

# noticed FILE COMMAND...: flips bits at 30 places of FILE, one at a time: the command fails in a sentence, or it does what it does
# with the whole file (a bit of the mark in front of the checksum says nothing).
noticed() {
    local file=$1 size place code whole failed=0
    shift
    cp "$file" "$BATS_TEST_TMPDIR/whole"
    size=$(stat -c %s "$file") whole=$("$@" 2>/dev/null)
    RANDOM=5
    for place in $(for _ in $(seq 30); do echo $(((RANDOM * 32768 + RANDOM) % size)); done); do
        flip "$file" "$place"
        code=0
        timeout 5 "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || code=$?
        cp "$BATS_TEST_TMPDIR/whole" "$file"
        if [[ $code -eq 1 ]]; then
            grep -q "^pardigits: .*damaged" "$BATS_TEST_TMPDIR/err"
            failed=$((failed + 1))
        else
            [[ $code -eq 0 && $(cat "$BATS_TEST_TMPDIR/out") == "$whole" ]] || { echo "byte $place: code $code"; return 1; }
        fi
    done
    [[ $failed -ge 28 ]]
}

@test "a flipped bit of a model is noticed" {
    noticed "$run/model.h5" "$PARDIGITS" digest "$run/model.h5"
}

@test "a flipped bit of a dataset is noticed" {
    noticed "$set" "$PARDIGITS" show "$set"
}

@test "a flipped bit of metrics is noticed" {
    noticed "$run/metrics.h5" "$PARDIGITS" show "$run/metrics.h5" --csv
}

@test "a changed label is noticed by train, evaluate and show" {
    local changed=$BATS_TEST_TMPDIR/set.h5 place
    cp "$set" "$changed"
    # the labels stand in the file as in the IDX file: in a row of 600 bytes below 10
    place=$(perl -0777 -ne '/[\0-\x09]{600}/ and print $-[0] + 300' "$changed")
    flip "$changed" "$place"
    fails 1 "is damaged" "$PARDIGITS" show "$changed"
    fails 1 "is damaged" "$PARDIGITS" train configs/knn.ini --data "$changed" --run "$BATS_TEST_TMPDIR/run"
    fails 1 "is damaged" "$PARDIGITS" evaluate "$run" --data "$changed" --split train
}

@test "several ranks notice a damaged dataset and a damaged model" {
    local broken=$BATS_TEST_TMPDIR/broken.h5
    cp "$set" "$broken"
    flip "$broken" 20000
    fails_on 3 1 "is damaged" train configs/knn.ini --data "$broken" --run "$BATS_TEST_TMPDIR/run"
    cp "$run/model.h5" "$broken"
    flip "$broken" 20000
    fails_on 3 1 "is damaged" evaluate "$broken" --data "$set" --split train
}

@test "truncated files are noticed, and only the checksum may be missing" {
    local size file=$BATS_TEST_TMPDIR/model.h5 kept
    size=$(stat -c %s "$run/model.h5")
    for kept in 0 3 600 8000; do
        head -c "$kept" "$run/model.h5" >"$file"
        fails 1 "" "$PARDIGITS" digest "$file"
    done
    # the checksum itself, cut and changed
    head -c $((size - 40)) "$run/model.h5" >"$file"
    fails 1 'is damaged' "$PARDIGITS" digest "$file"
    { head -c $((size - 64)) "$run/model.h5" && printf P && tail -c 63 "$run/model.h5"; } >"$file"
    fails 1 'is damaged' "$PARDIGITS" digest "$file"
    # zeros before it are missing, which HDF5 doesn't miss, and so are all but the checksum's first bytes; or content
    for kept in $((size - 1064)) $((size - 60)); do
        head -c "$kept" "$run/model.h5" >"$file"
        fails 1 'was cut off before its end, so it is damaged' "$PARDIGITS" digest "$file"
    done
    cp "$run/model.h5" "$BATS_TEST_TMPDIR/model.prev.h5"
    "$PARDIGITS" train configs/cnn-fast.ini --data "$set" --set cnn.epochs=1 --run "$BATS_TEST_TMPDIR" --resume 2>&1 | grep 'resuming from the previous checkpoint'
    head -c 8000 "$set" >"$BATS_TEST_TMPDIR/set.h5"
    fails 1 'was cut off before its end' "$PARDIGITS" show "$BATS_TEST_TMPDIR/set.h5"
    head -c $((size - 64)) "$run/model.h5" >"$file"
    [[ $("$PARDIGITS" digest "$file" 2>"$BATS_TEST_TMPDIR/err") == "$("$PARDIGITS" digest "$run/model.h5")" ]]
    grep -q "has no checksum" "$BATS_TEST_TMPDIR/err"
}

# stopped_in_an_epoch LOG ARGUMENTS...: training that is stopped when it has ended one.
stopped_in_an_epoch() {
    local log=$1 pid code=0
    shift
    : >"$log" # or what an earlier start wrote would be taken for this one's
    "$PARDIGITS" train "$@" 2>"$log" 3>&- &
    pid=$!
    until grep -q "^epoch" "$log"; do
        kill -0 $pid
        sleep 0.05
    done
    kill -TERM $pid
    wait $pid || code=$?
    [[ $code -eq 75 ]] || { tail -5 "$log"; return 1; }
}

@test "damaged metrics are set aside and the run goes on" {
    local copy=$BATS_TEST_TMPDIR/run
    stopped_in_an_epoch "$BATS_TEST_TMPDIR/begun" configs/cnn-fast.ini --data "$set" --run "$copy" --set cnn.epochs=2000
    flip "$copy/metrics.h5" 3000
    cp "$copy/metrics.h5" "$BATS_TEST_TMPDIR/damaged"
    stopped_in_an_epoch "$BATS_TEST_TMPDIR/resumed" "$copy/config.ini" --run "$copy" --resume
    grep -q "metrics.h5 is damaged.*kept as .*metrics.damaged.h5" "$BATS_TEST_TMPDIR/resumed"
    cmp "$copy/metrics.damaged.h5" "$BATS_TEST_TMPDIR/damaged"
    # another one doesn't replace it, nor do more than twenty
    echo damaged >"$copy/metrics.h5"
    stopped_in_an_epoch "$BATS_TEST_TMPDIR/resumed" "$copy/config.ini" --run "$copy" --resume
    cmp "$copy/metrics.damaged.h5" "$BATS_TEST_TMPDIR/damaged"
    [[ $(<"$copy/metrics.damaged-2.h5") == damaged ]]
    touch "$copy"/metrics.damaged-{3..20}.h5
    echo more >"$copy/metrics.h5"
    stopped_in_an_epoch "$BATS_TEST_TMPDIR/resumed" "$copy/config.ini" --run "$copy" --resume
    grep "Metrics begin anew; the file couldn't be kept" "$BATS_TEST_TMPDIR/resumed"
    if grep -q more "$copy"/*.h5; then return 1; fi
}

@test "damaged metrics of a complete run are set aside by --resume" {
    cp -r "$run" "$BATS_TEST_TMPDIR/run"
    flip "$BATS_TEST_TMPDIR/run/metrics.h5" 3000
    "$PARDIGITS" train "$BATS_TEST_TMPDIR/run/config.ini" --run "$BATS_TEST_TMPDIR/run" --resume 2>"$BATS_TEST_TMPDIR/err"
    grep -q "metrics.h5 is damaged.*what was measured is lost; the file is kept as .*metrics.damaged.h5" "$BATS_TEST_TMPDIR/err"
    [[ $(ls "$BATS_TEST_TMPDIR/run") == "config.ini"$'\n'"metrics.damaged.h5"$'\n'"model.h5" ]]
}

@test "metrics of another run are set aside by --resume, also those of other images, and of a complete run" {
    local copy=$BATS_TEST_TMPDIR/run other=$BATS_TEST_TMPDIR/other begun=(configs/cnn-fast.ini --data "$set" --set cnn.epochs=2000)
    stopped_in_an_epoch "$BATS_TEST_TMPDIR/begun" "${begun[@]}" --run "$copy"
    "$PARDIGITS" train configs/cnn-fast.ini --data "$set" --set cnn.epochs=2 --set run.seed=2 --run "$other"
    cp "$other/metrics.h5" "$copy/metrics.h5"
    stopped_in_an_epoch "$BATS_TEST_TMPDIR/resumed" "${begun[@]}" --run "$copy" --resume
    grep "metrics.h5 is of another run, with run.seed = 2 (this one has 1).*Metrics begin anew; the file is kept as .*metrics.other.h5" "$BATS_TEST_TMPDIR/resumed"
    cmp "$copy/metrics.other.h5" "$other/metrics.h5"
    # its own aren't
    rm "$copy/metrics.other.h5"
    stopped_in_an_epoch "$BATS_TEST_TMPDIR/resumed" "${begun[@]}" --run "$copy" --resume
    [[ ! -e $copy/metrics.other.h5 ]]
    # the same configuration
    cp -r "$idx" "$BATS_TEST_TMPDIR/idx"
    flip "$BATS_TEST_TMPDIR/idx/train-images-idx3-ubyte" 400
    "$PARDIGITS" prepare --idx "$BATS_TEST_TMPDIR/idx" --out "$BATS_TEST_TMPDIR/other.h5"
    stopped_in_an_epoch "$BATS_TEST_TMPDIR/resumed" configs/cnn-fast.ini --data "$BATS_TEST_TMPDIR/other.h5" --set cnn.epochs=2000 --run "$other" --overwrite
    cp "$other/metrics.h5" "$copy/metrics.h5"
    stopped_in_an_epoch "$BATS_TEST_TMPDIR/resumed" "${begun[@]}" --run "$copy" --resume
    grep "metrics.h5 is of another run, with other training images" "$BATS_TEST_TMPDIR/resumed"
    cp -r "$run" "$BATS_TEST_TMPDIR/complete"
    "$PARDIGITS" train configs/knn.ini --data "$set" --run "$other" --overwrite
    cp "$other/metrics.h5" "$BATS_TEST_TMPDIR/complete/metrics.h5"
    "$PARDIGITS" train configs/cnn-fast.ini --data "$set" --set cnn.epochs=1 --run "$BATS_TEST_TMPDIR/complete" --resume 2>&1 |
        grep "metrics.h5 is of another run, with run.model = knn.*what was measured is lost"
}

@test "keys of another kind of model count for nothing" {
    local copy=$BATS_TEST_TMPDIR/run with=$BATS_TEST_TMPDIR/with.ini
    { cat configs/cnn-fast.ini && printf '[knn]\nk = 7\nmetric = gradient\n'; } >"$with"
    "$PARDIGITS" train "$with" --data "$set" --run "$copy" --set cnn.epochs=1 --set svm.c=3 2>"$BATS_TEST_TMPDIR/err"
    grep '^hint: knn.k, knn.metric have no effect, as run.model = cnn.$' "$BATS_TEST_TMPDIR/err"
    [[ $(grep -c 'svm.c' "$BATS_TEST_TMPDIR/err") -eq 1 ]]
    same_model "$copy/model.h5" "$run/model.h5"
    "$PARDIGITS" train configs/cnn-fast.ini --data "$set" --run "$copy" --set cnn.epochs=1 --set knn.k=2 --resume 2>&1 | grep 'complete already'
}

@test "a model that may not be read isn't taken for a damaged one; one without a checksum is read with a note" {
    local copy=$BATS_TEST_TMPDIR/run plain=() size
    # root may read everything, unless it gives that up
    [[ $(id -u) -ne 0 ]] || plain=(setpriv --bounding-set=-dac_override,-dac_read_search)
    cp -r "$run" "$copy"
    cp "$copy/model.h5" "$copy/model.prev.h5"
    chmod 0 "$copy/model.h5"
    local again=("$PARDIGITS" train configs/cnn-fast.ini --data "$set" --set cnn.epochs=1 --run "$copy" --resume)
    fails 1 "$copy/model.h5 can't be read: Permission denied. Make it readable" "${plain[@]}" "${again[@]}"
    [[ $(stat -c %a "$copy/model.h5" "$copy/model.prev.h5") == $'0\n644' ]]
    rm "$copy/model.prev.h5"
    fails 1 "$copy/model.h5 can't be read: Permission denied. Make it readable" "${plain[@]}" "${again[@]}"
    chmod 600 "$copy/model.h5"
    truncate -s -64 "$copy/model.h5"
    fails 0 "$copy/model.h5 has no checksum" "${again[@]}"
}

@test "pipes and devices are refused at once" {
    mkfifo "$BATS_TEST_TMPDIR/model.h5"
    fails 1 "a device or a pipe" "$PARDIGITS" digest "$BATS_TEST_TMPDIR/model.h5"
    fails 1 "a device or a pipe" "$PARDIGITS" show /dev/zero
    # nor does a run go on in whose folder something else has the model's name
    local copy=$BATS_TEST_TMPDIR/run again
    again=("$PARDIGITS" train configs/cnn-fast.ini --data "$set" --set cnn.epochs=1 --run "$copy" --resume)
    cp -r "$run" "$copy"
    mv "$copy/model.h5" "$copy/model.prev.h5"
    mkdir "$copy/model.h5"
    fails 2 "$copy/model.h5 is a folder, where the run has a file" "${again[@]}"
    rmdir "$copy/model.h5"
    ln -s nowhere "$copy/model.h5"
    fails 2 "$copy/model.h5 is a link that leads nowhere" "${again[@]}"
    rm "$copy/model.h5"
    mkfifo "$copy/model.h5"
    fails 2 "$copy/model.h5 is a device or a pipe" "${again[@]}"
    [[ -p $copy/model.h5 ]]
    same_model "$copy/model.prev.h5" "$run/model.h5"
}

@test "a picture that takes more memory than there is isn't called damaged" {
    [[ -z ${SANITIZER:-} ]] || skip "sanitizers take address space"
    echo P3 9900 9900 255 >"$BATS_TEST_TMPDIR/large.ppm"
    run bash -c 'ulimit -v 380000; OMP_NUM_THREADS=1 exec "$@"' - "$PARDIGITS" predict "$run" "$BATS_TEST_TMPDIR/large.ppm"
    [[ $status -eq 1 && $output == "pardigits: out of memory: a picture needs 373 MiB more; scale it down" ]]
}

# within KILOBYTES COMMAND...: on one thread in so much address space.
within() {
    (ulimit -v "$1" && OMP_NUM_THREADS=1 timeout 20 "$PARDIGITS" "${@:2}")
}

@test "a file that there isn't enough memory to read isn't called damaged; one that asks for too much is" {
    [[ -z ${SANITIZER:-} ]] || skip "sanitizers take address space"
    local said=$BATS_TEST_TMPDIR/said plain=$BATS_TEST_TMPDIR/plain.h5 low=1000 high=1000000 middle place
    head -c -64 "$run/model.h5" >"$plain" # without a checksum
    # the least in which the program starts, and from there to where there is enough
    while ((high - low > 500)); do
        middle=$(((low + high) / 2))
        if within $middle version >/dev/null 2>&1; then high=$middle; else low=$middle; fi
    done
    low=$high
    until within $high evaluate "$run" --data "$data" >/dev/null 2>>"$said"; do
        within $high digest "$plain" >/dev/null 2>>"$said" || true
        high=$((high + 1000))
        [[ $high -lt $((low + 100000)) ]]
    done
    cat "$said"
    grep -E "out of memory|there isn't enough memory" "$said"
    if sed 's/memory, or the file is damaged//' "$said" | grep damaged; then return 1; fi
    # sizes of the root group among them
    for place in {96..160..4}; do
        cp "$plain" "$BATS_TEST_TMPDIR/changed.h5"
        printf '\x7f' | dd of="$BATS_TEST_TMPDIR/changed.h5" bs=1 seek="$place" conv=notrunc status=none
        "$PARDIGITS" digest "$BATS_TEST_TMPDIR/changed.h5" >/dev/null 2>>"$said.then" || true
    done
    cat "$said.then"
    grep "couldn't be opened: the file is damaged" "$said.then"
    if grep "enough memory" "$said.then"; then return 1; fi
}

@test "digest: a close() that a signal interrupts is no failure" {
    needs_preloading
    gcc -shared -fPIC -x c -o "$BATS_TEST_TMPDIR/interrupted.so" - <<'END'
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
int close(int file) {
    char link[64], name[1024] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    if (readlink(link, name, sizeof name - 1) < 0) name[0] = 0;
    const int result = (int)syscall(SYS_close, file);
    if (result < 0 || !strstr(name, ".h5")) return result;
    errno = EINTR;
    return -1;
}
END
    [[ $(LD_PRELOAD=$BATS_TEST_TMPDIR/interrupted.so "$PARDIGITS" digest "$run") == "$("$PARDIGITS" digest "$run")" ]]
}

# with_faults VARIABLE=VALUE... -- ARGUMENTS...: trains with the library of tests/faults, on files in $BATS_TEST_TMPDIR/run.
with_faults() {
    local faults=()
    while [[ $1 != -- ]]; do
        faults+=("FILE_FAULTS_$1")
        shift
    done
    shift
    OMP_NUM_THREADS=1 env LD_PRELOAD="$PWD/$BUILD/tests/faults/file_faults.so" FILE_FAULTS_FOLDER="$BATS_TEST_TMPDIR/run" "${faults[@]}" \
        "$PARDIGITS" train "$@" --data "$set" --run "$BATS_TEST_TMPDIR/run" 2>"$BATS_TEST_TMPDIR/err"
}

# rows RUN: of the tables of its metrics but for the phases, which are times; without seconds.
rows() {
    "$PARDIGITS" show "$1/metrics.h5" --csv | grep -E '^[0-9]+,[0-9]' | cut -d , -f 1-7 | sort
}

# killed_late STEP ARGUMENTS...: a training is killed at one in STEP of its last operations on files, and resumed.
killed_late() {
    needs_preloading
    local step=$1 whole=$BATS_TEST_TMPDIR/whole all at code
    shift
    with_faults COUNTS="$BATS_TEST_TMPDIR/count" -- "$@"
    all=$(cat "$BATS_TEST_TMPDIR/count")
    mv "$BATS_TEST_TMPDIR/run" "$whole"
    for ((at = all - 30; at < all; at += step)); do
        code=0
        with_faults AT=$at DO=-1 -- "$@" || code=$?
        [[ $code -eq 137 ]]
        "$PARDIGITS" train "$@" --data "$set" --run "$BATS_TEST_TMPDIR/run" --resume
        same_model "$BATS_TEST_TMPDIR/run/model.h5" "$whole/model.h5"
        diff <(rows "$BATS_TEST_TMPDIR/run") <(rows "$whole")
        rm -r "$BATS_TEST_TMPDIR/run"
    done
}

@test "SVM: killed at each of its last operations on files, it has the model and all rows of a whole run" {
    killed_late 6 configs/svm.ini --set run.train=300 --set run.valid=100
}

@test "KNN: killed at its last operations on files, it has the model and all rows of a whole run" {
    killed_late 15 configs/knn.ini --set run.train=300 --set run.valid=100 --set knn.k=auto
}

@test "killed while it makes room for itself: the old run is whole, or the new one asks for the model that it was to begin with" {
    needs_preloading
    local copy=$BATS_TEST_TMPDIR/run net=(configs/cnn-fast.ini --set cnn.epochs=1) at asked=0
    for at in {12..20..2}; do
        rm -rf "$copy"
        cp -r "$run" "$copy"
        if with_faults AT=$at DO=-1 -- "${net[@]}" --overwrite --init "$run"; then return 1; fi
        ls -A "$copy"
        if "$PARDIGITS" train "${net[@]}" --data "$set" --run "$copy" --resume 2>"$BATS_TEST_TMPDIR/err"; then
            grep 'complete already' "$BATS_TEST_TMPDIR/err"
            [[ $(ls -A "$copy") == $'config.ini\nmetrics.h5\nmodel.h5' ]]
        else
            grep 'has no checkpoint yet: name that model again by --init' "$BATS_TEST_TMPDIR/err"
            asked=1
        fi
    done
    [[ $asked -eq 1 ]]
}

@test "KNN: a model or metrics that can't be written are a sentence and exit code 1, and nothing of them stays" {
    needs_preloading
    local knn=(configs/knn.ini --set run.train=300) all at code lacks_metrics=0 run=$BATS_TEST_TMPDIR/run
    with_faults COUNTS="$BATS_TEST_TMPDIR/count" -- "${knn[@]}"
    all=$(cat "$BATS_TEST_TMPDIR/count")
    for ((at = all - 22; at < all - 2; at += 4)); do
        rm -rf "$run"
        code=0
        with_faults AT=$at LAST=$at DO=28 -- "${knn[@]}" || code=$?
        [[ -z $(find "$run" -name '*.tmp') ]]
        [[ $code -eq 0 ]] && continue
        [[ $code -eq 1 ]] && grep "^pardigits: .*No space left on device" "$BATS_TEST_TMPDIR/err"
        [[ -e $run/model.h5 ]] || continue
        grep "$run/model.h5 is complete; only the last of its metrics are missing" "$BATS_TEST_TMPDIR/err"
        "$PARDIGITS" digest "$run"
        lacks_metrics=1
    done
    [[ $lacks_metrics -eq 1 ]]
}

# at_operation AT DO ARGUMENTS...: becomes pardigits with the library of tests/faults, on files in $BATS_TEST_TMPDIR/out.
at_operation() {
    exec env LD_PRELOAD="$PWD/$BUILD/tests/faults/file_faults.so" FILE_FAULTS_FOLDER="$BATS_TEST_TMPDIR/out" FILE_FAULTS_AT="$1" FILE_FAULTS_LAST="$1" \
        FILE_FAULTS_DO="$2" "$PARDIGITS" "${@:3}"
}

@test "a command that a signal ends while it writes leaves nothing unfinished" {
    needs_preloading
    local out=$BATS_TEST_TMPDIR/out command at signal code
    mkdir "$out"
    for command in "prepare --idx $idx --out $out/set.h5" "evaluate $run --split train --predictions $out/p.csv" "evaluate $run --split train --predictions $out/p.h5" \
        "export $run --out $out/model.onnx" "report $run --split train --out $out/report.html"; do
        for at in 3 4 6; do
            for signal in 15 2; do # SIGTERM, SIGINT
                code=0
                # shellcheck disable=SC2086 # words
                (at_operation $at -$signal $command >/dev/null 2>"$BATS_TEST_TMPDIR/err") || code=$?
                echo "$command: signal $signal at $at: exit code $code, $(ls -A "$out")"
                [[ $code -eq 0 || $code -eq 75 || $code -eq $((128 + signal)) ]]
                [[ $at -gt 4 || $code -ne 0 ]]
                [[ -z $(find "$out" -name '.?*') ]]
            done
        done
    done
    # nor the figures of a page
    type gnuplot || return 0
    mkdir "$BATS_TEST_TMPDIR/figures"
    TMPDIR=$BATS_TEST_TMPDIR/figures "$PARDIGITS" report "$run" --split train --out "$out/report.html" 3>&- &
    until [[ -n $(ls "$BATS_TEST_TMPDIR/figures") ]]; do kill -0 $!; done
    kill -TERM $!
    code=0
    wait $! || code=$?
    [[ $code -eq 75 && -z $(ls "$BATS_TEST_TMPDIR/figures") ]]
}

@test "two programs that write one file at the same time: the second waits for the first, also if that is killed" {
    needs_preloading
    local out=$BATS_TEST_TMPDIR/out first second signal code
    mkdir "$out"
    for signal in CONT KILL; do
        at_operation 6 -19 prepare --idx "$idx" --out "$out/set.h5" >/dev/null 2>&1 3>&- & # SIGSTOP
        first=$!
        until grep -q '^State:.T' /proc/$first/status; do kill -0 $first; sleep 0.02; done
        "$PARDIGITS" prepare --idx "$idx" --out "$out/set.h5" >/dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&- &
        second=$!
        until grep -q "Waiting up to 60 s for another program that writes $out/set.h5: process $first of" "$BATS_TEST_TMPDIR/err"; do
            kill -0 $second
            sleep 0.02
        done
        kill -$signal $first
        code=0
        wait $first || code=$?
        [[ $code -eq 0 || $signal == KILL ]]
        wait $second
        [[ $(ls -A "$out") == set.h5 ]]
        "$PARDIGITS" show "$out/set.h5"
    done
}

@test "several ranks read a dataset where /dev/shm can't be written" {
    [[ ${SANITIZER:-} != thread ]] || skip "LLVM's OpenMP needs /dev/shm"
    local hide=(unshare -rm sh -c 'mount -t tmpfs -o ro none /dev/shm && exec "$@"' -)
    "${hide[@]}" true || skip "no name spaces of users"
    "${hide[@]}" mpirun -n 2 "$PARDIGITS" train configs/cnn-fast.ini --data "$set" --run "$BATS_TEST_TMPDIR/run" --set cnn.epochs=1
    same_model "$BATS_TEST_TMPDIR/run/model.h5" "$run/model.h5"
}
