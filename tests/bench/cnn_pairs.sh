#!/usr/bin/env bash
# Trains and uses the same networks with pardigits and with PyTorch, one epoch each in turn, and prints the medians of
# both with their spread, and the ratio of the medians. Needs `make bench-peers PEERS=install` once.
# Usage: cnn_pairs.sh [NET]...    (NET: keras, lenet, deotte; PAIRS=5 THREADS=2 PRECISION=float32 in the environment)
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/bench/spread.sh
. tests/bench/spread.sh
program=${BUILD:-build}/pardigits
pairs=${PAIRS:-5} threads=${THREADS:-2} precision=${PRECISION:-float32}
export OMP_NUM_THREADS=$threads
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# ours NET: appends images/s of training and of prediction.
ours() {
    "$program" train "configs/$1.ini" --run "$scratch/run" --overwrite --set cnn.epochs=1 >"$scratch/log" 2>&1 ||
        { cat "$scratch/log" >&2; exit 1; }
    images_per_second "$program" "$scratch/run" >>"$scratch/$1.train.ours"
    "$program" evaluate "$scratch/run/model.h5" --json |
        sed -E 's/.*"seconds":([^,}]*).*/\1/' | awk '{ print 10000 / $1 }' >>"$scratch/$1.predict.ours"
}

# theirs NET: the same of PyTorch.
theirs() {
    /usr/bin/python3 tests/bench/peers/cnn.py data/mnist "$1" "$threads" 1 128 "$precision" >"$scratch/line"
    sed -E 's|.*training ([0-9]+) images/s.*|\1|' "$scratch/line" >>"$scratch/$1.train.theirs"
    sed -E 's|.*prediction ([0-9]+) images/s.*|\1|' "$scratch/line" >>"$scratch/$1.predict.theirs"
}

(($#)) || set -- keras lenet deotte
echo "CNN, images/s, $threads threads, batch 128, $pairs pairs in turn: median (least to most); PyTorch in $precision"
sed -n 's/^model name[^:]*: /processor: /p' /proc/cpuinfo | head -n 1
for net; do
    for ((i = 0; i < pairs; i++)); do
        ours "$net"
        theirs "$net"
    done
    for work in train predict; do
        printf '%-7s %-8s pardigits %-32s PyTorch %-32s ratio %.2f\n' "$net" "$work" \
            "$(spread <"$scratch/$net.$work.ours")" "$(spread <"$scratch/$net.$work.theirs")" \
            "$(awk -v a="$(median <"$scratch/$net.$work.ours")" -v b="$(median <"$scratch/$net.$work.theirs")" \
                'BEGIN { print a / b }')"
    done
done
