#!/usr/bin/env bash
# Trains the SVM of configs/svm.ini (RBF, C = 10, gamma = 0.02) on all of MNIST with pardigits and with LIBSVM, which has one
# thread, in one run: pardigits REPEATS=3 times before LIBSVM and as often after it. Prints seconds, least to most, and how many
# times as long LIBSVM takes, for training (whole process) and for the 10,000 test images. About 11 minutes.
# Needs `make bench-peers PEERS=install` once. Usage: svm_pairs.sh    (THREADS=2 REPEATS=3 in the environment)
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/bench/spread.sh
. tests/bench/spread.sh
program=${BUILD:-build}/pardigits
threads=${THREADS:-2}
export OMP_NUM_THREADS=$threads
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

ours() {
    local i start
    for ((i = 0; i < ${REPEATS:-3}; i++)); do
        start=$EPOCHREALTIME
        "$program" train configs/svm.ini --run "$scratch/run" --overwrite >"$scratch/log" 2>&1 ||
            { cat "$scratch/log" >&2; exit 1; }
        awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }' >>"$scratch/train"
        "$program" evaluate "$scratch/run/model.h5" --json 2>>"$scratch/log" >"$scratch/json"
        sed -E 's/.*"seconds":([^,}]*).*/\1/' "$scratch/json" >>"$scratch/predict"
    done
}

# compare WHAT FILE LIBSVMS_SECONDS
compare() {
    echo "$1, s: pardigits, $threads threads $(spread <"$scratch/$2"), LIBSVM, 1 thread $3:" \
        "$(awk -v a="$(median <"$scratch/$2")" -v b="$3" 'BEGIN { printf "%.0f", b / a }') times as long"
}

ours
tests/bench/peers/svm.sh data/mnist >"$scratch/libsvm"
ours
compare training train "$(sed -nE 's/^libsvm, training.*: ([0-9.]+) s$/\1/p' "$scratch/libsvm")"
compare "10,000 test images" predict "$(sed -nE 's/^libsvm, 10000 test.*: ([0-9.]+) s$/\1/p' "$scratch/libsvm")"
echo "pardigits: $(sed -E 's/.*"correct":([0-9]+).*/\1/' "$scratch/json") correct; LIBSVM: $(grep Accuracy "$scratch/libsvm")"
