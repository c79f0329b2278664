#!/usr/bin/env bash
# Strong scaling of SVM training from 1 to 2 ranks of one thread: all 45 pairs of classes (spread over the ranks), and the single pair
# 4 against 9 (whose samples are), here with virtual support vectors. Medians of REPEATS=3 alternated runs. Needs python3.
# Usage: svm_scaling.sh [IDX_FOLDER, default data/mnist]
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=src/setup/mpi_env.sh
. src/setup/mpi_env.sh
# shellcheck source=tests/bench/spread.sh
. tests/bench/spread.sh
idx=${1:-data/mnist} program=${BUILD:-build}/pardigits
export OMP_NUM_THREADS=1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

python3 - "$idx" "$scratch" <<'PY'
import struct
import sys
folder, out = sys.argv[1:]
for part in ("train", "t10k"):
    images = open(f"{folder}/{part}-images-idx3-ubyte", "rb").read()[16:]
    labels = open(f"{folder}/{part}-labels-idx1-ubyte", "rb").read()[8:]
    kept = [i for i, label in enumerate(labels) if label in (4, 9)]
    with open(f"{out}/{part}-images-idx3-ubyte", "wb") as file:
        file.write(struct.pack(">4I", 2051, len(kept), 28, 28))
        for i in kept:
            file.write(images[784 * i:784 * (i + 1)])
    with open(f"{out}/{part}-labels-idx1-ubyte", "wb") as file:
        file.write(struct.pack(">2I", 2049, len(kept)) + bytes(labels[i] for i in kept))
PY
"$program" prepare --idx "$scratch" --out "$scratch/two.h5" >"$scratch/log" 2>&1

# solve NAME RANKS ARGUMENTS...: seconds of solving, all stages, and the digest.
solve() {
    local name=$1 ranks=$2
    shift 2
    mpirun -n "$ranks" --bind-to none "$program" train --run "$scratch/run" --overwrite "$@" >"$scratch/log" 2>&1 ||
        { cat "$scratch/log" >&2; exit 1; }
    sed -nE 's/.*pairs solved.* ([0-9.]+) s$/\1/p' "$scratch/log" | awk '{ s += $1 } END { print s }' >>"$scratch/$name-$ranks"
    "$program" digest "$scratch/run/model.h5" >>"$scratch/$name-digests"
}

for ((i = 0; i < ${REPEATS:-3}; i++)); do
    for ranks in 1 2; do
        solve all "$ranks" configs/svm.ini
        solve one "$ranks" configs/svm-virtual.ini --data "$scratch/two.h5" --set svm.features=pixels --set svm.shard=1000
    done
done
for name in all one; do
    for ranks in 1 2; do echo "$name pairs, $ranks rank(s), s: $(spread <"$scratch/$name-$ranks")"; done
    awk -v a="$(median <"$scratch/$name-1")" -v b="$(median <"$scratch/$name-2")" 'BEGIN { printf "    %.2fx, ", a / b }'
    echo "$(sort -u "$scratch/$name-digests" | wc -l) digest"
done
