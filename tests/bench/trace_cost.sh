#!/usr/bin/env bash
# What --trace costs a training: images/s of the last epoch without and with it, in turn. The aim: with it at least 0.98.
# Usage: trace_cost.sh [CONFIG, default configs/cnn.ini] [--set ...]    (PAIRS=5 RANKS=2 EPOCHS=2; OMP_NUM_THREADS=1; BUILD)
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=src/setup/mpi_env.sh
. src/setup/mpi_env.sh
# shellcheck source=tests/bench/spread.sh
. tests/bench/spread.sh
program=${BUILD:-build}/pardigits config=${1:-configs/cnn.ini}
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# rate ARGUMENTS...: images/s of a training.
rate() {
    mpirun -n "${RANKS:-2}" "$program" train "$config" --run "$scratch/run" --overwrite --set cnn.epochs="${EPOCHS:-2}" "$@" \
        >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }
    images_per_second "$program" "$scratch/run"
}

for ((i = 0; i < ${PAIRS:-5}; i++)); do
    without=$(rate "${@:2}")
    with=$(rate "${@:2}" --trace "$scratch/trace.json")
    echo "$without" >>"$scratch/without"
    echo "$with" >>"$scratch/with"
    awk -v a="$with" -v b="$without" 'BEGIN { print a / b }' >>"$scratch/ratios"
done
echo "$config, ${RANKS:-2} rank(s) x $OMP_NUM_THREADS thread(s), images/s, median (least to most):"
echo "    without $(spread <"$scratch/without")   with --trace $(spread <"$scratch/with")   with / without $(spread <"$scratch/ratios")"
