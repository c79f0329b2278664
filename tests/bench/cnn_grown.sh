#!/usr/bin/env bash
# How fast an epoch over many grown images is, beside one over MNIST's 60,000: images/s of a whole epoch, in turn. The aim: 0.95 of it.
# Usage: cnn_grown.sh [CONFIG, default configs/cnn.ini] [--set ...]
#     IMAGES=8100000  PAIRS=1  RANKS=2  OMP_NUM_THREADS=1  GROWN=FILE.h5 (made if it isn't there; else in a temporary folder)  BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=src/setup/mpi_env.sh
. src/setup/mpi_env.sh
# shellcheck source=tests/bench/spread.sh
. tests/bench/spread.sh
program=${BUILD:-build}/pardigits config=${1:-configs/cnn.ini} images=${IMAGES:-8100000} ranks=${RANKS:-2}
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
grown=${GROWN:-$scratch/grown.h5}
[[ -e $grown ]] || mpirun -n "$ranks" "$program" prepare --idx data/mnist --grow "$images" --out "$grown" >"$scratch/log" 2>&1 ||
    { cat "$scratch/log" >&2; exit 1; }

# rate DATA EPOCHS ARGUMENTS...: images/s of the last epoch.
rate() {
    mpirun -n "$ranks" "$program" train "$config" --data "$1" --run "$scratch/run" --overwrite --set cnn.epochs="$2" "${@:3}" \
        >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }
    images_per_second "$program" "$scratch/run"
}

for ((i = 0; i < ${PAIRS:-1}; i++)); do
    few=$(rate data/mnist.h5 2 "${@:2}")
    many=$(rate "$grown" 1 "${@:2}")
    echo "$few" >>"$scratch/few"
    echo "$many" >>"$scratch/many"
    awk -v a="$many" -v b="$few" 'BEGIN { print a / b }' >>"$scratch/ratios"
done
echo "$config, $ranks rank(s) x $OMP_NUM_THREADS thread(s), images/s of an epoch, median (least to most):"
echo "    60,000 images $(spread <"$scratch/few")   $images images $(spread <"$scratch/many")   ratio $(spread <"$scratch/ratios")"
