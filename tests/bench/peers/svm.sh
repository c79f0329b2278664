#!/usr/bin/env bash
# SVM by LIBSVM, one thread: RBF, C=10, gamma=0.02 on pixels/255. Usage: svm.sh IDX_FOLDER [TRAINING_IMAGES]
set -euo pipefail
folder=$1 images=${2:-60000}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

PYTHONPATH=$(dirname "$0") /usr/bin/python3 - "$folder" "$images" "$scratch" <<'PY'
import sys
import mnist
import numpy as np

folder, limit, scratch = sys.argv[1], int(sys.argv[2]), sys.argv[3]
for part, n in (("train", limit), ("t10k", 10000)):
    images, labels = mnist.read(folder, part)
    with open(f"{scratch}/{part}.svm", "w") as file:
        for image, label in zip(images.reshape(len(images), -1)[:n], labels):
            inked = np.nonzero(image)[0]
            file.write(f"{label} " + " ".join("%d:%.8g" % (i + 1, image[i] / 255) for i in inked) + "\n")
PY

# timed WHAT COMMAND...: runs it and says how long it took.
timed() {
    local what=$1 start=$EPOCHREALTIME
    shift
    "$@" >"$scratch/out"
    awk -v what="$what" -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "libsvm, %s: %.2f s\n", what, b - a }'
}
timed "training on $images images" svm-train -s 0 -t 2 -c 10 -g 0.02 -m 8000 -q "$scratch/train.svm" "$scratch/model"
grep total_sv "$scratch/model"
timed "10000 test images" svm-predict "$scratch/t10k.svm" "$scratch/model" "$scratch/predicted"
cat "$scratch/out"
