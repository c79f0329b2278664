#!/usr/bin/env bash
# Prints svm_libsvm.h: what LIBSVM (svm-train and svm-predict, Debian: libsvm-tools) makes of the first 100 training
# images each of the digits 3, 5 and 8, and of the first 100 test images of these digits.
#
#     svm_libsvm.sh IDX_DIR > svm_libsvm.h
set -euo pipefail
idx=${1:?folder of the IDX files}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

python3 - "$idx" "$tmp" <<'PY'
import sys
folder, out = sys.argv[1:]
def lines(name, per_digit, total):
    images = open(f"{folder}/{name}-images-idx3-ubyte", "rb").read()[16:]
    labels = open(f"{folder}/{name}-labels-idx1-ubyte", "rb").read()[8:]
    found = {3: [], 5: [], 8: []}
    rows = []
    for i, label in enumerate(labels):
        if label not in found or len(found[label]) == per_digit or len(rows) == total:
            continue
        image = images[784 * i:784 * (i + 1)]
        row = f"{label} " + " ".join(f"{p + 1}:{v / 255:.17g}" for p, v in enumerate(image) if v) + "\n"
        found[label].append(row)
        rows.append(row)
    return found, rows
found, _ = lines("train", 100, 10 ** 9)
open(f"{out}/train", "w").writelines(found[3] + found[5] + found[8])
_, rows = lines("t10k", 10 ** 9, 100)
open(f"{out}/test", "w").writelines(rows)
PY

known() { # KERNEL C GAMMA COEF0 DEGREE
    local type
    case $1 in SVM_RBF) type=2 ;; SVM_POLY) type=1 ;; SVM_LINEAR) type=0 ;; esac
    svm-train -s 0 -t $type -c "$2" -g "$3" -r "$4" -d "$5" -e 0.00001 "$tmp/train" "$tmp/model" > "$tmp/log"
    svm-predict "$tmp/test" "$tmp/model" "$tmp/labels" > /dev/null
    printf '    {{%s, %s, %s, %s, false},\n     %s,\n     {' "$1" "$3" "$4" "$5" "$2"
    awk '/^obj/ { sub(",", "", $3); printf "%s%s", n++ ? ", " : "", $3 }' "$tmp/log"
    printf '},\n     {'
    awk '/^obj/ { printf "%s%s", n++ ? ", " : "", $NF }' "$tmp/log"
    printf '},\n     "%s"},\n' "$(tr -d '\n' < "$tmp/labels")"
}

cat <<'HEAD'
/* Made by svm_libsvm.sh; see there. */
#ifndef PARDIGITS_TESTS_REF_SVM_LIBSVM_H
#define PARDIGITS_TESTS_REF_SVM_LIBSVM_H

#include "svm/svm.h"

/* One training with eps 1e-5: objective and rho of the pairs 3-5, 3-8 and 5-8, and the predicted digits. */
typedef struct {
    SvmKernel kernel;
    double c, objective[3], rho[3];
    char predicted[101];
} LibsvmAnswer;

static const LibsvmAnswer libsvm_answers[] = {
HEAD
known SVM_RBF 10 0.02 0 3
known SVM_POLY 1 0.02 1 3
known SVM_LINEAR 0.01 0.02 0 3
printf '};\n\n#endif\n'
