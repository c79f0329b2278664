#!/usr/bin/env bash
# What LIBSVM finds for each of the 45 class pairs, to be compared with the table `pairs` of an SVM run's metrics.h5.
# Needs svm-train (Debian: libsvm-tools) and python3; about 8 minutes on one core for all rows.
#
#     libsvm_objectives.sh IDX_DIR OUT.tsv [TRAIN_ROWS [svm-train options, default: -t 2 -c 10 -g 0.02 -e 0.001]]
#
# OUT.tsv: class_a class_b samples support_vectors bounded iterations objective rho. To compare with a run (pandas, h5py):
#
#     ours = pd.DataFrame(h5py.File("results/svm/metrics.h5")["pairs"][:]).set_index(["class_a", "class_b"])
#     theirs = pd.read_csv("OUT.tsv", sep="\t").set_index(["class_a", "class_b"])
#     print((ours.objective / theirs.objective - 1).abs().max())
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,11p' "$0" | cut -c3- >&2; exit 2; }
idx=$1 out=$2 rows=${3:-60000}
shift $(($# < 3 ? $# : 3))
[ $# -gt 0 ] || set -- -t 2 -c 10 -g 0.02 -e 0.001
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# One file a class, in LIBSVM's format: pixels scaled to [0,1], zeros left out.
python3 - "$idx" "$rows" "$tmp" <<'PY'
import sys
folder, rows, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
images = open(f"{folder}/train-images-idx3-ubyte", "rb").read()[16:]
labels = open(f"{folder}/train-labels-idx1-ubyte", "rb").read()[8:]
value = ["%.8g" % (v / 255) for v in range(256)]
files = [open(f"{out}/{c}", "w") for c in range(10)]
for i in range(rows):
    image = images[784 * i:784 * (i + 1)]
    pixels = " ".join(f"{p + 1}:{value[v]}" for p, v in enumerate(image) if v)
    files[labels[i]].write(f"{labels[i]} {pixels}\n")
PY

printf 'class_a\tclass_b\tsamples\tsupport_vectors\tbounded\titerations\tobjective\trho\n' > "$out"
for a in {0..8}; do
    for b in $(seq $((a + 1)) 9); do
        if [ ! -s "$tmp/$a" ] || [ ! -s "$tmp/$b" ]; then continue; fi
        cat "$tmp/$a" "$tmp/$b" > "$tmp/pair"
        svm-train -s 0 -m 2000 "$@" "$tmp/pair" "$tmp/model" > "$tmp/log"
        awk -v a="$a" -v b="$b" -v n="$(wc -l < "$tmp/pair")" '
            /#iter/ { iterations = $NF }
            /^obj/ { objective = $3 + 0 == $3 ? $3 : substr($3, 1, length($3) - 1); rho = $NF }
            /^nSV/ { support = substr($3, 1, length($3) - 1); bounded = $NF }
            END { printf "%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n", a, b, n, support, bounded, iterations, objective, rho }
        ' "$tmp/log" >> "$out"
    done
done
