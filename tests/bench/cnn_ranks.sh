#!/usr/bin/env bash
# Trains the same networks on one rank with THREADS threads and on THREADS ranks with one thread each, in turn, and prints
# the medians of images/s with their spread, and how much slower the ranks are.
# Usage: cnn_ranks.sh [NET]...    (configs/NET.ini; keras, deotte, lenet, cnn; PAIRS=5 THREADS=2 in the environment)
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=src/setup/mpi_env.sh
. src/setup/mpi_env.sh
# shellcheck source=tests/bench/spread.sh
. tests/bench/spread.sh
program=${BUILD:-build}/pardigits
pairs=${PAIRS:-5} threads=${THREADS:-2}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# rate NET RANKS THREADS
rate() {
    OMP_NUM_THREADS=$3 mpirun -n "$2" "$program" train "configs/$1.ini" --run "$scratch/run" --overwrite \
        --set cnn.epochs=1 >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }
    images_per_second "$program" "$scratch/run" >>"$scratch/$1.$2x$3"
}

(($#)) || set -- keras deotte lenet cnn
echo "CNN training, images/s, $pairs pairs in turn: median (least to most)"
for net; do
    for ((i = 0; i < pairs; i++)); do
        rate "$net" 1 "$threads"
        rate "$net" "$threads" 1
    done
    one=$scratch/$net.1x$threads many=$scratch/$net.${threads}x1
    printf '%-7s 1 rank x %d threads %-28s %d ranks x 1 thread %-28s ranks take %+.1f %% longer\n' "$net" "$threads" \
        "$(spread <"$one")" "$threads" "$(spread <"$many")" \
        "$(awk -v a="$(median <"$one")" -v b="$(median <"$many")" 'BEGIN { print (a / b - 1) * 100 }')"
done
