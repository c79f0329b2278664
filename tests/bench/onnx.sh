#!/usr/bin/env bash
# Exported ONNX models in other programs: each model's predictions of the 10,000 test images by onnxruntime-node (npm) and, of
# CNNs, by OpenCV's dnn, beside pardigits' own. Prints a table; ends with 1 if a label differs, or a
# probability or decision value by more than 1e-4.
#
#     onnx.sh [RUN...]     runs of CNNs, ensembles and SVMs of MNIST without run.preprocess; without any, small ones are trained
#
# Needs node and Debian's npm, python3-h5py and python3-opencv. onnxruntime-node goes to build/onnxruntime.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build} program=${BUILD:-build}/pardigits data=data/mnist.h5
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
python=/usr/bin/python3

say() {
    echo "onnx.sh: $*" >&2
}

src/setup/deps.sh npm onnx
runtime=$build/onnxruntime
if [[ ! -d $runtime/node_modules/onnxruntime-node ]]; then
    say "fetching onnxruntime-node"
    mkdir -p "$runtime"
    # its script would fetch libraries for graphics cards
    (cd "$runtime" && npm install --silent --no-audit --no-fund --ignore-scripts --prefix . onnxruntime-node >/dev/null)
fi
export NODE_PATH=$PWD/$runtime/node_modules

# The images of digits 0 and 1.
make_two() {
    mkdir "$tmp/two"
    "$python" - data/mnist "$tmp/two" <<'PY'
import numpy as np, sys
for part in "train", "t10k":
    images = np.fromfile(f"{sys.argv[1]}/{part}-images-idx3-ubyte", np.uint8)[16:].reshape(-1, 28, 28)
    labels = np.fromfile(f"{sys.argv[1]}/{part}-labels-idx1-ubyte", np.uint8)[8:]
    for kind, kept in (("images-idx3", images[labels < 2]), ("labels-idx1", labels[labels < 2])):
        with open(f"{sys.argv[2]}/{part}-{kind}-ubyte", "wb") as out:
            out.write(bytes([0, 0, 8, kept.ndim]) + np.array(kept.shape, ">i4").tobytes() + kept.tobytes())
PY
    "$program" prepare --idx "$tmp/two" --out "$tmp/two.h5" >/dev/null 2>&1
}

# train NAME CONFIG SETTINGS...
train() {
    local name=$1 config=$2
    shift 2
    say "training $name"
    "$program" train "configs/$config" --data "$data" --run "$tmp/$name" "$@" 2>"$tmp/log" || { cat "$tmp/log" >&2; exit 1; }
    runs+=("$tmp/$name")
}

runs=("$@")
if [[ $# -eq 0 ]]; then
    residual="conv:8:3:p1 bn relu@a conv:8:3:p1 bn relu conv:8:3:p1 bn add:a relu pool:3:s2 avgpool:2 dropout:0.2 dense:classes"
    train cnn cnn-fast.ini --set cnn.epochs=1
    train ensemble cnn-fast.ini --set cnn.epochs=1 --set run.train=20000 --set cnn.members=3
    train residual cnn-fast.ini --set cnn.epochs=1 --set run.train=20000 --set "cnn.layers=$residual"
    train shifts cnn-fast.ini --set cnn.epochs=1 --set run.train=20000 --set cnn.members=2 --set cnn.test_shifts=2
    train svm svm.ini --set run.train=3000
    train svm-probability svm.ini --set run.train=1500 --set svm.probability=yes --set svm.folds=3
    train svm-unit svm.ini --set run.train=1500 --set svm.kernel=poly --set svm.coef0=1 --set svm.gamma=0.5 --set svm.normalize=yes
    make_two
    data=$tmp/two.h5 train two-svm svm.ini --set run.train=1500
    data=$tmp/two.h5 train two-svm-probability svm.ini --set run.train=1500 --set svm.probability=yes --set svm.folds=3
fi

printf '| model | by | labels that differ | largest difference |\n|---|---|---|---|\n'
bad=0
for run in "${runs[@]}"; do
    name=$(basename "$run") of=$data images=data/mnist/t10k-images-idx3-ubyte
    [[ $run != "$tmp/two-"* ]] || of=$tmp/two.h5 images=$tmp/two/t10k-images-idx3-ubyte
    "$program" export "$run" --format onnx --out "$tmp/$name.onnx"
    "$program" evaluate "$run" --data "$of" --predictions "$tmp/$name.h5" >"$tmp/log"
    node tests/bench/onnx_predict.js "$tmp/$name.onnx" "$images" "$tmp/$name"
    "$python" tests/bench/onnx_compare.py "$tmp/$name" "$of" || bad=1
done
exit $bad
