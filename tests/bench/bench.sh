#!/usr/bin/env bash
# Times the training and use of each model on this machine: the median of some runs, with the fastest and slowest.
# Usage: bench.sh    (THREADS=2 RANKS=1 REPEATS=3 in the environment)
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=src/setup/mpi_env.sh
. src/setup/mpi_env.sh
# shellcheck source=tests/bench/spread.sh
. tests/bench/spread.sh
program=${BUILD:-build}/pardigits
export OMP_NUM_THREADS=${THREADS:-2}
ranks=${RANKS:-1} repeats=${REPEATS:-3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# train NAME ARGUMENTS...: trains configs/NAME.ini into $scratch/NAME; its output is shown if it fails.
train() {
    local name=$1
    shift
    mpirun -n "$ranks" "$program" train "configs/$name.ini" --run "$scratch/$name" --overwrite "$@" \
        >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }
}

# Seconds of the training run, from reading the images to the written model.
train_seconds() {
    "$program" show "$scratch/$1/metrics.h5" --json | sed -E 's/.*"threads":[0-9]+,"seconds":([0-9.e+-]+).*/\1/'
}

evaluate_seconds() {
    mpirun -n "$ranks" "$program" evaluate "$scratch/$1/model.h5" --json | sed -E 's/.*"seconds":([^,}]*).*/\1/'
}

correct() {
    "$program" evaluate "$scratch/$1/model.h5" --json | sed -E 's/.*"correct":([^,}]*).*/\1/'
}

echo "pardigits bench: $ranks rank(s) x $OMP_NUM_THREADS threads, $repeats runs each: median (least to most)"
sed -n 's/^model name[^:]*: /processor: /p' /proc/cpuinfo | head -n 1
for ((i = 0; i < repeats; i++)); do
    train knn
    evaluate_seconds knn >>"$scratch/knn_evaluate"
    train svm
    train_seconds svm >>"$scratch/svm_train"
    evaluate_seconds svm >>"$scratch/svm_evaluate"
    train cnn --set cnn.epochs=1
    images_per_second "$program" "$scratch/cnn" >>"$scratch/cnn_train"
    evaluate_seconds cnn >>"$scratch/cnn_evaluate"
done
echo "knn: 10,000 queries, 60,000 images, s:   $(spread <"$scratch/knn_evaluate")   $(correct knn) correct"
echo "svm: training on 60,000 images, s:       $(spread <"$scratch/svm_train")"
echo "svm: 10,000 test images, s:              $(spread <"$scratch/svm_evaluate")   $(correct svm) correct"
echo "cnn: training (configs/cnn.ini), images/s: $(spread <"$scratch/cnn_train")"
echo "cnn: 10,000 test images, s:              $(spread <"$scratch/cnn_evaluate")"
