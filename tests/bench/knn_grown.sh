#!/usr/bin/env bash
# Finds the 5 nearest of many grown images for the 10,000 test images with pardigits and with FAISS's flat index, in turn: seconds from
# queries in memory to votes, the index made. Needs `make bench-peers PEERS=install` once; FAISS takes 3.2 kB of memory an image.
# Usage: knn_grown.sh    (IMAGES=1000000 PAIRS=3 THREADS=2 GROWN=FILE.h5 (made if it isn't there) BUILD)
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/bench/spread.sh
. tests/bench/spread.sh
program=${BUILD:-build}/pardigits images=${IMAGES:-1000000} threads=${THREADS:-2}
export OMP_NUM_THREADS=$threads
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
grown=${GROWN:-$scratch/grown.h5}
[[ -e $grown ]] || "$program" prepare --idx data/mnist --grow "$images" --out "$grown" >"$scratch/log" 2>&1 ||
    { cat "$scratch/log" >&2; exit 1; }
"$program" train configs/knn.ini --data "$grown" --set knn.k=5 --run "$scratch/run" >"$scratch/log" 2>&1 ||
    { cat "$scratch/log" >&2; exit 1; }

for ((i = 0; i < ${PAIRS:-3}; i++)); do
    "$program" evaluate "$scratch/run/model.h5" --data "$grown" --json 2>>"$scratch/log" | tee "$scratch/ours.json" |
        sed -E 's/.*"seconds":([^,}]*).*/\1/' >>"$scratch/ours"
    /usr/bin/python3 tests/bench/peers/knn.py "$grown" "$threads" faiss >"$scratch/theirs.txt"
    sed -nE 's/^faiss flat, k=5: ([0-9.]+) s$/\1/p' "$scratch/theirs.txt" >>"$scratch/theirs"
done
echo "KNN, 10,000 x $images, k = 5, $threads threads, s, median (least to most):"
printf '    pardigits %s   FAISS flat %s   FAISS takes %.1f times as long\n' "$(spread <"$scratch/ours")" "$(spread <"$scratch/theirs")" \
    "$(awk -v a="$(median <"$scratch/ours")" -v b="$(median <"$scratch/theirs")" 'BEGIN { print b / a }')"
echo "    correct: pardigits $(sed -E 's/.*"correct":([0-9]+).*/\1/' "$scratch/ours.json"), FAISS $(sed -nE 's/^ *k=5: ([0-9]+) .*/\1/p' "$scratch/theirs.txt")"
