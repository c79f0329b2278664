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
    train svm svm.ini --set run.train=3000
    train svm-probability svm.ini --set run.train=1500 --set svm.probability=yes --set svm.folds=3
    train svm-unit svm.ini --set run.train=1500 --set svm.kernel=poly --set svm.coef0=1 --set svm.gamma=0.5 --set svm.normalize=yes
fi

printf '| model | by | labels that differ | largest difference |\n|---|---|---|---|\n'
bad=0
for run in "${runs[@]}"; do
    name=$(basename "$run")
    "$program" export "$run" --format onnx --out "$tmp/$name.onnx"
    "$program" evaluate "$run" --data "$data" --predictions "$tmp/$name.h5" >"$tmp/log"
    node tests/bench/onnx_predict.js "$tmp/$name.onnx" data/mnist/t10k-images-idx3-ubyte "$tmp/$name"
    "$python" tests/bench/onnx_compare.py "$tmp/$name" "$data" || bad=1
done
exit $bad
