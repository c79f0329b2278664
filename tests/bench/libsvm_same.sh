#!/usr/bin/env bash
# Whether pardigits and LIBSVM reach the same optimum: both train on the same images at eps = 1e-5; then the dual objective of each
# pair of classes, the decision values of all pairs on the 10,000 test images, and the predicted digits are compared.
# Needs `make bench-peers PEERS=install` once (svm-train, svm-predict, h5dump, numpy); about a minute of one core.
#
#     libsvm_same.sh [TRAINING_IMAGES, default 10000 [C [GAMMA [DATA.h5]]]]
#
# Ends with 1 if an objective differs by more than 1e-6 (relative) or a decision value by more than 1e-3.
set -euo pipefail
cd "$(dirname "$0")/../.."
images=${1:-10000} c=${2:-10} gamma=${3:-0.02} data=${4:-data/mnist.h5} program=${BUILD:-build}/pardigits
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

"$program" train configs/svm.ini --data "$data" --run "$tmp/run" --set run.train="$images" --set svm.eps=1e-5 \
    --set svm.c="$c" --set svm.gamma="$gamma"
"$program" export "$tmp/run/model.h5" --out "$tmp/ours"
"$program" export "$tmp/run/model.h5" --split train --data "$data" --out "$tmp/unsorted"
"$program" export "$tmp/run/model.h5" --split test --data "$data" --out "$tmp/test"
# Digit by digit, so that LIBSVM breaks ties of votes by the smaller digit too.
sort -s -n -k 1,1 "$tmp/unsorted" >"$tmp/train"
svm-train -s 0 -t 2 -c "$c" -g "$gamma" -e 0.00001 -m 4000 "$tmp/train" "$tmp/theirs" >"$tmp/log"
for model in ours theirs; do svm-predict "$tmp/test" "$tmp/$model" "$tmp/$model.labels"; done
h5dump -m %.17g -d /pairs "$tmp/run/metrics.h5" >"$tmp/pairs"

/usr/bin/python3 - "$tmp" "$gamma" <<'PY'
import re
import sys
import numpy as np

tmp, gamma = sys.argv[1], float(sys.argv[2])

def vectors(lines, skip):
    rows = np.zeros((len(lines), 784))
    heads = []
    for row, line in zip(rows, lines):
        words = line.split()
        heads.append([float(w) for w in words[:skip]])
        for word in words[skip:]:
            index, value = word.split(":")
            row[int(index) - 1] = float(value)
    return np.array(heads), rows

def model(name):
    lines = open(f"{tmp}/{name}").read().splitlines()
    start = lines.index("SV")
    header = {line.split()[0]: line.split()[1:] for line in lines[:start]}
    counts = [int(n) for n in header["nr_sv"]]
    coefficients, rows = vectors(lines[start + 1:], 9)
    return np.cumsum([0] + counts), coefficients, rows, [float(r) for r in header["rho"]]

def decisions(name, test):
    starts, coefficients, rows, rho = model(name)
    kernel = np.exp(-gamma * ((test ** 2).sum(1)[:, None] + (rows ** 2).sum(1) - 2 * test @ rows.T))
    out, pair = np.empty((len(test), 45)), 0
    for i in range(10):
        for j in range(i + 1, 10):
            of_i, of_j = slice(starts[i], starts[i + 1]), slice(starts[j], starts[j + 1])
            out[:, pair] = kernel[:, of_i] @ coefficients[of_i, j - 1] + kernel[:, of_j] @ coefficients[of_j, i] - rho[pair]
            pair += 1
    return out

theirs = np.array([float(v) for v in re.findall(r"^obj = (\S+),", open(f"{tmp}/log").read(), re.M)])
rows = re.findall(r"\(\d+\): \{([^}]*)\}", open(f"{tmp}/pairs").read())
found = {}
for row in rows:
    values = [float(v) for v in row.split(",")]
    found[values[0], values[1]] = values[6]
ours = np.array([found[i, j] for i in range(10) for j in range(i + 1, 10)])
objective = np.abs(ours / theirs - 1)
print(f"dual objectives: largest relative difference {objective.max():.2g} of 45 pairs")

_, test = vectors(open(f"{tmp}/test").read().splitlines(), 1)
a, b = decisions("ours", test), decisions("theirs", test)
decision = np.abs(a - b)
print(f"decision values: largest difference {decision.max():.2g} of {decision.size}; "
      f"{(np.sign(a) != np.sign(b)).sum()} lie on either side of 0")
labels = [open(f"{tmp}/{name}.labels").read().split() for name in ("ours", "theirs")]
differ = [i for i, (x, y) in enumerate(zip(*labels)) if x != y]
print(f"predictions: {len(differ)} of {len(labels[0])} differ", *[f"(image {i}: {labels[0][i]}, {labels[1][i]})" for i in differ])
sys.exit(int(objective.max() > 1e-6 or decision.max() > 1e-3))
PY
