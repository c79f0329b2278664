#!/usr/bin/env bash
# Runs the tests that `make tests` built and prints, as the last line, "N passed, M failed[, K skipped]".
# Usage: run.sh [lint|unit|mpi|cli|install|cluster|fuzz|report|memcheck]...    (all but the last two by default)
# In the environment: BUILD is the build folder; FULL=1: all that cluster has; SLOWER=N: the tests may take N times as long. What is tested
# under a sanitizer gets its settings here.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C
export BUILD=${BUILD:-build}
export PARDIGITS=$PWD/$BUILD/pardigits
export MNIST_DIR=$PWD/data/mnist
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-2} OMP_WAIT_POLICY=passive
unset "${!SLURM_@}" "${!CMOCKA_@}"
# shellcheck source=src/setup/mpi_env.sh
. src/setup/mpi_env.sh

# Open MPI's own leaks and its uninstrumented libraries are none of ours.
# Sanitizers up to GCC 13 take any block of thread-local memory at a certain offset for one of glibc 2.19, and the search for leaks then
# ends in "Tracer caught signal 11" (github.com/google/sanitizers/issues/1322): they are kept from looking at those blocks.
export ASAN_OPTIONS=fast_unwind_on_malloc=0:intercept_tls_get_addr=0
export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
export TSAN_OPTIONS=suppressions=$PWD/tests/tsan.supp:ignore_noninstrumented_modules=1
export UBSAN_OPTIONS=print_stacktrace=1

# A hang is a failure: seconds for one unit or MPI test binary, and for one file of command tests.
slower=${SLOWER:-$([[ -n ${SANITIZER:-} ]] && echo 5 || echo 1)}
export SLOWER=$slower
binary_limit_s=$((120 * slower))
commands_limit_s=$((600 * slower))

passed=0 failed=0 skipped=0
scratch=$(mktemp -d /tmp/pardigits-test.XXXXXX)
export TMPDIR=$scratch # short: Open MPI keeps sockets in it
log=$scratch/log
trap 'rm -rf "$scratch"' EXIT
trap 'kill $(jobs -p) 2>/dev/null; exit 130' INT TERM

# run SECONDS COMMAND...: its output in $log, its exit code in $code, the seconds that it took in $took.
run() {
    local began=$SECONDS
    timeout -k 10 "$@" >"$log" 2>&1 </dev/null
    code=$? took=$((SECONDS - began))
}

show_log() {
    sed 's/^/    /' "$log"
}

# pass NAME, fail NAME WHY: counts and says so.
pass() {
    passed=$((passed + 1))
    echo "ok   $1, $took s"
}

fail() {
    failed=$((failed + 1))
    echo "FAIL $1: $2"
    show_log
}

why() {
    case $code in
    124 | 137) echo "still running after $1 s" ;;
    *) echo "exit code $code" ;;
    esac
}

# count_tap NAME SECONDS: adds up the TAP in $log: a line each test, after a plan "1..N" of each group. Lines missing from the plans, or
# an exit code that no failed test explains, are one more failure.
count_tap() {
    local planned ok bad skips
    planned=$(awk -F '[.][.]' '/^1[.][.][0-9]/ { n += $2 } END { print n + 0 }' "$log")
    skips=$(grep -ciE '^(not )?ok [0-9]+.* # skip|^(not )?ok [0-9]+ # skip' "$log")
    ok=$(grep -iE '^ok [0-9]+' "$log" | grep -civE '# skip')
    bad=$(grep -E '^not ok [0-9]+' "$log" | grep -civE '# skip')
    passed=$((passed + ok)) skipped=$((skipped + skips))
    if [[ $skips -gt 0 ]]; then
        grep -iE '^(not )?ok [0-9]+.*# skip' "$log" | sed -E "s|^(not )?ok [0-9]+|SKIP $1:|"
    fi
    if [[ $((ok + bad + skips)) -ne $planned || $planned -eq 0 ]]; then
        bad=$((bad + 1))
        echo "FAIL $1: $((ok + bad - 1 + skips)) of $planned planned tests reported ($(why "$2"))"
    elif [[ $code -ne 0 && $bad -eq 0 ]]; then
        bad=1
        echo "FAIL $1: all its tests passed, but $(why "$2")"
    fi
    failed=$((failed + bad))
    if [[ $bad -gt 0 ]]; then
        echo "FAIL $1: $bad failed"
        show_log
    else
        echo "ok   $1 ($ok), $took s"
    fi
}

run_lint() {
    local check
    for check in tests/lint/includes.sh tests/lint/includes_test.sh tests/lint/pages.sh tests/lint/pages_test.sh; do
        run 60 bash "$check"
        if [[ $code -eq 0 ]]; then pass "$check"; else fail "$check" "$(why 60)"; fi
    done
}

run_unit() {
    local source binary
    for source in tests/unit/test_*.c; do
        [[ -e $source ]] || continue
        binary=$BUILD/${source%.c}
        CMOCKA_MESSAGE_OUTPUT=TAP run "$binary_limit_s" "$binary"
        count_tap "${source%.c}" "$binary_limit_s"
    done
}

run_mpi() {
    local source binary ranks
    for source in tests/mpi/test_*.c; do
        [[ -e $source ]] || continue
        binary=$BUILD/${source%.c}
        for ranks in 1 2 3 4; do
            run "$binary_limit_s" mpirun -n "$ranks" "$binary"
            if [[ $code -eq 0 ]]; then
                pass "${source%.c} on $ranks ranks"
            else
                fail "${source%.c} on $ranks ranks" "$(why "$binary_limit_s")"
            fi
        done
    done
}

# run_bats FILE...: files of command tests.
run_bats() {
    local file
    for file; do
        [[ -e $file ]] || continue
        run "$commands_limit_s" bats --tap "$file"
        count_tap "$file" "$commands_limit_s"
    done
}

# bats_aside FILE: a file of command tests, beside another one. Its output is FILE's name with .log in the scratch folder, its exit code
# and seconds with .done.
bats_aside() {
    local began=$SECONDS own
    own=$scratch/$(basename "$1")
    timeout -k 10 "$commands_limit_s" bats --tap "$1" >"$own.log" 2>&1 </dev/null
    echo "$? $((SECONDS - began)) $1" >"$own.part"
    mv "$own.part" "$own.done"
}

# Counts the tests of the files that have ended.
count_aside() {
    local ended file shared=$log
    for ended in "$scratch"/*.done; do
        [[ -e $ended ]] || continue
        read -r code took file <"$ended"
        log=${ended%.done}.log
        count_tap "$file" "$commands_limit_s"
        rm "$ended" "$log"
    done
    log=$shared
}

# run_bats_together FILE...: two at a time, as commands spend half of the time waiting, for others to start or to be stopped.
run_bats_together() {
    local file running=0
    for file; do
        if [[ $running -eq 2 ]]; then
            wait -n
            running=1
            count_aside
        fi
        bats_aside "$file" &
        running=$((running + 1))
    done
    wait
    count_aside
}

run_cli() {
    local file together=()
    local alone=(tests/cli/signals.bats tests/cli/stalls.bats) # where seconds count
    for file in $(find tests/cli -name '*.bats' -printf '%s %p\n' | sort -rn | cut -d ' ' -f 2); do # large ones first: none is left for last
        [[ " ${alone[*]} " == *" $file "* ]] || together+=("$file")
    done
    run_bats_together "${together[@]}"
    run_bats "${alone[@]}"
}

run_install() {
    run_bats tests/install/*.bats
}

run_cluster() {
    run_bats tests/cluster/quick.bats
    [[ -z ${FULL:-} ]] || commands_limit_s=1800 run_bats tests/cluster/slurm.bats tests/cluster/nfs.bats
}

# A few seconds of each fuzzer that `make fuzz-build` built.
run_fuzz() {
    local source name folder=$PWD/build/fuzz/tests/fuzz
    if [[ ! -x $folder/fuzz_idx || ! -d $folder/seeds ]]; then
        skipped=$((skipped + 1))
        echo "SKIP tests/fuzz: they aren't built (make fuzz-build needs clang with libFuzzer)"
        return
    fi
    for source in tests/fuzz/fuzz_*.c; do
        name=$(basename "$source" .c)
        run 60 tests/fuzz/run.sh "$folder" 2 "$name"
        if [[ $code -eq 0 ]]; then pass "${source%.c}"; else fail "${source%.c}" "$(why 60)"; fi
    done
}

run_report() {
    run_bats tests/report/*.bats
}

# Under valgrind: each family's commands on two ranks, in minutes; then the unit tests, some of which take an hour.
run_memcheck() {
    local source name config
    export VALGRIND_OPTS="-q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite --suppressions=$PWD/tests/valgrind.supp"
    for config in knn svm cnn ensemble; do
        memcheck_commands "$config"
    done
    for source in tests/unit/test_*.c; do
        name=${source%.c}
        CMOCKA_MESSAGE_OUTPUT=TAP run "$binary_limit_s" valgrind "$BUILD/$name"
        count_tap "$name" "$binary_limit_s"
    done
}

# memcheck_command NAME RANKS ARGUMENTS...: one command of the program.
memcheck_command() {
    run "$binary_limit_s" mpirun -n "$2" valgrind "$PARDIGITS" "${@:3}"
    if [[ $code -eq 0 ]]; then pass "valgrind: $1"; else fail "valgrind: $1" "$(why "$binary_limit_s")"; fi
}

# memcheck_commands FAMILY: trains on a few images, evaluates, looks and predicts.
memcheck_commands() {
    local config=$1 model=$scratch/$1/model.h5
    local few=(--set run.train=300 --set run.valid=50)
    case $config in
    knn) few+=(--set knn.k=auto) ;;
    svm) few+=(--set svm.probability=yes) ;;
    cnn) few+=(--set cnn.epochs=1 --set "cnn.layers=conv:4:5 bn relu pool:2 dense:10") ;;
    ensemble) config=cnn few+=(--set cnn.members=2 --set cnn.epochs=1 --set "cnn.layers=conv:4:5 relu pool:2 dense:10") ;;
    esac
    memcheck_command "$1: train" 2 train "configs/$config.ini" --data data/mnist.h5 "${few[@]}" --run "$scratch/$1"
    memcheck_command "$1: evaluate" 2 evaluate "$model" --data data/mnist.h5 --split valid
    memcheck_command "$1: show" 1 show "$model"
}

for set in "${@:-lint unit mpi cli install cluster fuzz}"; do
    for kind in $set; do
        case $kind in
        lint | unit | mpi | cli | install | cluster | fuzz | report | memcheck) "run_$kind" ;;
        *)
            echo "tests/run.sh: no tests are called '$kind'; there are: lint unit mpi cli install cluster fuzz report memcheck" >&2
            exit 2
            ;;
        esac
    done
done

summary="$passed passed, $failed failed"
[[ $skipped -gt 0 ]] && summary+=", $skipped skipped"
if [[ $((passed + failed)) -eq 0 ]]; then
    echo "FAIL: no test ran"
    failed=1
    summary="0 passed, 1 failed"
fi
echo "$summary"
[[ $failed -eq 0 ]]
