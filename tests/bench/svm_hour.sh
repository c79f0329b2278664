#!/usr/bin/env bash
# How many images an SVM trains on in an hour: grown sets, each twice as large as the one before, until the next one would take longer;
# beside it LIBSVM, on one thread, and pardigits on the same images of MNIST. One run each; seconds of training.
# Usage: svm_hour.sh    (SECONDS_MOST=3600 FIRST=60000 SAME=50000 RANKS=1 THREADS=2 BUILD)
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=src/setup/mpi_env.sh
. src/setup/mpi_env.sh
program=${BUILD:-build}/pardigits most=${SECONDS_MOST:-3600} same=${SAME:-50000} ranks=${RANKS:-1}
export OMP_NUM_THREADS=${THREADS:-2}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# run COMMAND...: the program; its output is shown if it fails.
run() {
    mpirun -n "$ranks" --bind-to none "$program" "$@" >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }
}

# measure NAME ARGUMENTS...: trains configs/svm.ini and prints a line; $seconds is what it took.
measure() {
    run train configs/svm.ini --run "$scratch/run" --overwrite "${@:2}"
    seconds=$(h5dump -a /run/train_s "$scratch/run/metrics.h5" | sed -nE 's/.*\(0\): ([0-9.e+-]+).*/\1/p')
    echo "pardigits, $ranks rank(s) x $OMP_NUM_THREADS thread(s), $1: $seconds s; $("$program" evaluate "$scratch/run/model.h5" --json \
        2>"$scratch/log" | sed -E 's/.*"correct":([0-9]+).*/\1/') of 10,000 test images correct"
}

measure "the first $same images of MNIST" --set run.train="$same"
tests/bench/peers/svm.sh data/mnist "$same"
for ((images = ${FIRST:-60000}; ; images *= 2)); do
    if ((images > 60000)); then
        run prepare --idx data/mnist --grow "$images" --out "$scratch/grown.h5"
        measure "$images grown images" --data "$scratch/grown.h5"
        rm "$scratch/grown.h5"
    else # there is nothing to grow
        measure "$images images of MNIST" --set run.train="$images"
    fi
    # the work of a pair grows with the square of its images
    awk -v s="$seconds" -v most="$most" 'BEGIN { exit 4 * s > most }' || break
done
