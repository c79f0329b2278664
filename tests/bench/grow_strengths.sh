#!/usr/bin/env bash
# Chooses the defaults of `prepare --grow`: grows MNIST's first 50,000 training images with each strength and counts the correct ones of the
# other 10,000 training images by a KNN with k = 3. The test images aren't used. Needs python3-numpy.
# Usage: grow_strengths.sh     IMAGES=400000  STRENGTHS="..." (factors of the defaults)  MNIST_DIR=data/mnist
set -euo pipefail
cd "$(dirname "$0")/../.."
program=${BUILD:-build}/pardigits images=${IMAGES:-400000}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The first 50,000 images as the training part, the last 10,000 as the test part.
python3 - "${MNIST_DIR:-data/mnist}" "$scratch" <<'PYTHON'
import gzip, os, struct, sys
def read(name):
    path = os.path.join(sys.argv[1], name)
    return open(path, "rb").read() if os.path.exists(path) else gzip.open(path + ".gz", "rb").read()
images, labels = read("train-images-idx3-ubyte"), read("train-labels-idx1-ubyte")
for name, first, last in (("train", 0, 50000), ("t10k", 50000, 60000)):
    with open(f"{sys.argv[2]}/{name}-images-idx3-ubyte", "wb") as out:
        out.write(struct.pack(">iiii", 2051, last - first, 28, 28) + images[16 + 784 * first:16 + 784 * last])
    with open(f"{sys.argv[2]}/{name}-labels-idx1-ubyte", "wb") as out:
        out.write(struct.pack(">ii", 2049, last - first) + labels[8 + first:8 + last])
PYTHON

# correct TEXT PREPARE_ARGUMENT...: grows, trains, counts.
correct() {
    local text=$1
    shift
    "$program" prepare --idx "$scratch" --out "$scratch/data.h5" "$@" >"$scratch/log" 2>&1 &&
        "$program" train configs/knn.ini --data "$scratch/data.h5" --run "$scratch/run" --overwrite >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }
    printf '%-72s %s\n' "$text" "$("$program" evaluate "$scratch/run" --json 2>/dev/null | sed -E 's/.*"correct":([0-9]+).*/\1/')"
}

correct "50,000 images"
for strength in ${STRENGTHS:-0.5 1 1.5 2 3}; do
    settings=()
    for key in shift=0.5 rotate=4 zoom=0.05 shear=3 elastic=0.5; do
        settings+=(--set "cnn.${key%=*}=$(awk -v v="${key#*=}" -v s="$strength" 'BEGIN { print v * s }')")
    done
    correct "$images images, ${settings[*]//--set }" --grow "$images" "${settings[@]}"
done
