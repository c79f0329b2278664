#!/usr/bin/env bash
# Finds the 5 nearest of 60,000 training images for the 10,000 test images with pardigits and with FAISS's flat index, in
# turn, and prints the medians of both with their spread, and the ratio of the medians: seconds from queries in memory to
# votes, the index made. Needs `make bench-peers PEERS=install` once.
# Usage: knn_pairs.sh [auto|brute|pruned]    (PAIRS=5 THREADS=2 in the environment; BUILD for another build)
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/bench/spread.sh
. tests/bench/spread.sh
search=${1:-auto}
program=${BUILD:-build}/pardigits
pairs=${PAIRS:-5} threads=${THREADS:-2}
export OMP_NUM_THREADS=$threads
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$program" train configs/knn.ini --set knn.k=5 --run "$scratch/run" >"$scratch/log" 2>&1 ||
    { cat "$scratch/log" >&2; exit 1; }
for ((i = 0; i < pairs; i++)); do
    "$program" evaluate "$scratch/run/model.h5" --set knn.search="$search" --json 2>>"$scratch/log" |
        sed -E 's/.*"seconds":([^,}]*).*/\1/' >>"$scratch/ours"
    /usr/bin/python3 tests/bench/peers/knn.py data/mnist "$threads" faiss |
        sed -nE 's/^faiss flat, k=5: ([0-9.]+) s$/\1/p' >>"$scratch/theirs"
done
echo "KNN, 10,000 x 60,000, k = 5, s, $threads threads, $pairs pairs in turn: median (least to most)"
"$program" bench pixdot
printf 'pardigits (%s) %s   FAISS flat %s   FAISS takes %.1f times as long\n' "$search" "$(spread <"$scratch/ours")" \
    "$(spread <"$scratch/theirs")" "$(awk -v a="$(median <"$scratch/ours")" -v b="$(median <"$scratch/theirs")" \
        'BEGIN { print b / a }')"
