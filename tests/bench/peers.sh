#!/usr/bin/env bash
# Times what people would use instead, on this machine: FAISS and scikit-learn (KNN), LIBSVM (SVM; about 10 minutes),
# PyTorch (the network of configs/cnn.ini and LeNet). Usage: peers.sh [install]    (THREADS=2 in the environment)
set -euo pipefail
cd "$(dirname "$0")/../.."
# OpenBLAS: without it PyTorch's dense layers, FAISS and scikit-learn fall to the slow reference BLAS.
packages="python3-torch python3-sklearn python3-faiss libopenblas0-pthread libsvm-tools"
if [[ ${1:-} == install ]]; then
    src/setup/deps.sh peers
elif ! command -v svm-train >/dev/null || ! /usr/bin/python3 -c 'import torch, sklearn, faiss' 2>/dev/null; then
    echo "make bench-peers needs $packages; \`make bench-peers PEERS=install\` installs them first." >&2
    exit 1
fi
data/fetch_mnist.sh
threads=${THREADS:-2}
export OMP_NUM_THREADS=$threads OPENBLAS_NUM_THREADS=$threads
echo "peers on $threads threads (LIBSVM has one)"
/usr/bin/python3 tests/bench/peers/knn.py data/mnist "$threads"
/usr/bin/python3 tests/bench/peers/sgemm.py
/usr/bin/python3 tests/bench/peers/cnn.py data/mnist small "$threads"
/usr/bin/python3 tests/bench/peers/cnn.py data/mnist lenet "$threads"
tests/bench/peers/svm.sh data/mnist
