#!/usr/bin/env bash
# Threads that work together inside one micro-batch: images/s of training with batch = micro-batch = 128 images on 1 thread and on THREADS, in turn,
# the median of the ratios and their spread; the same ratio for THREADS separate programs of 1 thread at once, which is what this machine
# has to give; and whether the models are the same.
# Usage: threads.sh     NETS="keras deotte cnn-best"  THREADS=2  PAIRS=5  STEPS=20 (timed, after as many that are not)
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/bench/spread.sh
. tests/bench/spread.sh
program=${PROGRAM:-${BUILD:-build}/pardigits} threads=${THREADS:-2}
read -ra nets <<<"${NETS:-keras deotte cnn-best}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# train NET THREADS RUN: images/s of the second epoch; the run is in $scratch/RUN.
train() {
    OMP_NUM_THREADS=$2 "$program" train "configs/$1.ini" --run "$scratch/$3" --overwrite --set run.train=$((128 * ${STEPS:-20})) --set run.valid=0 \
        --set cnn.epochs=2 --set cnn.batch=128 --set cnn.micro_batch=128 >"$scratch/log.$3" 2>&1 || { cat "$scratch/log.$3" >&2; exit 1; }
    images_per_second "$program" "$scratch/$3"
}

# separate NET: images/s of all together, as many programs as threads at once.
separate() {
    local i
    for ((i = 0; i < threads; i++)); do train "$1" 1 "separate$i" >"$scratch/rate.$i" & done
    wait
    cat "$scratch"/rate.* | awk '{ sum += $1 } END { print sum }'
}

digest() {
    "$program" show "$scratch/$1/model.h5" --json | grep -o '"digest":"[^"]*"'
}

sed -n 's/^model name[^:]*: /processor: /p' /proc/cpuinfo | head -n 1
printf '%-10s %-28s %-28s %-24s %-24s %s\n' net '1 thread images/s' "$threads threads images/s" 'ratio' "$threads programs, ratio" model
for net in "${nets[@]}"; do
    : >"$scratch/rates"
    for ((i = 0; i < ${PAIRS:-5}; i++)); do
        echo "$(train "$net" 1 one) $(train "$net" "$threads" more) $(separate "$net")" >>"$scratch/rates"
    done
    [[ $(digest one) == "$(digest more)" ]] && same=same || same=differs
    printf '%-10s %-28s %-28s %-24s %-24s %s\n' "$net" "$(awk '{ print $1 }' "$scratch/rates" | spread)" "$(awk '{ print $2 }' "$scratch/rates" | spread)" \
        "$(awk '{ print $2 / $1 }' "$scratch/rates" | spread)" "$(awk '{ print $3 / $1 }' "$scratch/rates" | spread)" "$same"
done
