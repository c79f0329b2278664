#!/usr/bin/env bash
# Fashion-MNIST at full size through prepare, train and evaluate, beside scikit-learn's brute force (KNN) and LIBSVM (SVM): prints the
# table of results/datasets.md. Needs Debian's dataset-fashion-mnist, python3-sklearn and libsvm-tools; some minutes.
#
#     fashion.sh [SVM_TRAINING_IMAGES, default 10000]
#
# Ends with 1 if a prediction of KNN differs, or the SVM's correct count by more than 5.
set -euo pipefail
cd "$(dirname "$0")/../.."
images=${1:-10000} program=${BUILD:-build}/pardigits source=/usr/share/datasets/fashion-mnist
if [[ ! -d $source ]] || ! command -v svm-train >/dev/null || ! /usr/bin/python3 -c 'import sklearn' 2>/dev/null; then
    echo "fashion.sh needs the packages dataset-fashion-mnist, python3-sklearn and libsvm-tools: install them with apt-get." >&2
    exit 1
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# field NAME FILE: that number of a JSON object.
field() {
    sed -E "s/.*\"$1\":([0-9.]+).*/\1/" "$2"
}

# train NAME CONFIG SETTINGS...: a model, and what it says of the test images in NAME.json.
train() {
    local name=$1 config=$2
    shift 2
    "$program" train "configs/$config" --data "$tmp/fashion.h5" --run "$tmp/$name" "$@" 2>"$tmp/log" || { cat "$tmp/log" >&2; exit 1; }
    "$program" evaluate "$tmp/$name" --json >"$tmp/$name.json"
}

# agreeing NAME LABELS: how many predictions of the model are the labels of that file, one a line. They take the place of the true ones.
agreeing() {
    local folder=$tmp/labels-$1
    mkdir "$folder"
    ln -s "$source"/*images* "$source"/train-labels* "$folder/"
    { printf '\0\0\x08\x01\0\0\x27\x10'; awk '{ printf "\\x%02x", $1 }' "$2" | xargs -0 printf; } >"$folder/t10k-labels-idx1-ubyte"
    "$program" prepare --idx "$folder" --out "$folder.h5" >"$tmp/log"
    "$program" evaluate "$tmp/$1" --data "$folder.h5" --json >"$folder.json"
    field correct "$folder.json"
}

# correct LABELS: how many labels of that file are the true ones.
correct() {
    zcat "$source/t10k-labels-idx1-ubyte.gz" | tail -c +9 | od -An -v -tu1 -w1 | paste -d ' ' - "$1" | awk '$1 == $2' | wc -l
}

"$program" prepare --idx "$source" --out "$tmp/fashion.h5" >"$tmp/log"

train knn knn.ini --set knn.k=3
/usr/bin/python3 - "$source" >"$tmp/knn.labels" <<'PY'
import gzip
import sys

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

def read(name, header):
    with gzip.open(f"{sys.argv[1]}/{name}.gz") as file:
        return np.frombuffer(file.read(), np.uint8)[header:]

train = read("train-images-idx3-ubyte", 16).reshape(-1, 784).astype(np.float64)
test = read("t10k-images-idx3-ubyte", 16).reshape(-1, 784).astype(np.float64)
model = KNeighborsClassifier(3, algorithm="brute").fit(train, read("train-labels-idx1-ubyte", 8))
for label in model.predict(test):
    print(label)
PY

train svm svm.ini --set svm.c=10 --set svm.gamma=0.02 --set run.train="$images"
"$program" export "$tmp/svm/model.h5" --split train --out "$tmp/unsorted"
"$program" export "$tmp/svm/model.h5" --split test --out "$tmp/test"
sort -s -n -k 1,1 "$tmp/unsorted" >"$tmp/train" # class by class: LIBSVM then breaks ties of votes by the smaller label too
svm-train -q -s 0 -t 2 -c 10 -g 0.02 -e 0.001 -m 1000 "$tmp/train" "$tmp/theirs"
svm-predict -q "$tmp/test" "$tmp/theirs" "$tmp/svm.labels"

layers=$(sed -n 's/^layers = //p' configs/cnn-fast.ini)
train cnn cnn-fast.ini --set cnn.layers="${layers/%dense:10/dense:classes}"

knn_same=$(agreeing knn "$tmp/knn.labels") svm_same=$(agreeing svm "$tmp/svm.labels")
ours=$(field correct "$tmp/svm.json") theirs=$(correct "$tmp/svm.labels")
echo "| | training images | correct of 10,000 | by the other | correct | same predictions |"
echo "|---|---|---|---|---|---|"
echo "| KNN, k = 3 | 60,000 | $(field correct "$tmp/knn.json") | scikit-learn, brute force | $(correct "$tmp/knn.labels") | $knn_same |"
echo "| SVM, RBF, C = 10, gamma = 0.02 | $images | $ours | LIBSVM | $theirs | $svm_same |"
echo "| CNN, cnn-fast.ini | 60,000 | $(field correct "$tmp/cnn.json") | | | |"
[[ $knn_same -eq 10000 && $((ours - theirs)) -le 5 && $((theirs - ours)) -le 5 ]]
