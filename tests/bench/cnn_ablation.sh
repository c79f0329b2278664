#!/usr/bin/env bash
# What each ingredient of training is worth: trains configs/NAME.ini without the last VALID training images, with each
# change, and prints the accuracy on those images: mean and standard deviation over the seeds.
# Usage: cnn_ablation.sh NAME SEEDS CHANGE...    (a CHANGE is "key=value[,key=value]...", "" for none;
# THREADS=2 VALID=10000 in the environment)
set -euo pipefail
cd "$(dirname "$0")/../.."
(($# >= 3)) || { sed -n '2,5p' "$0" >&2; exit 2; }
name=$1 seeds=$2 valid=${VALID:-10000}
shift 2
program=${BUILD:-build}/pardigits
export OMP_NUM_THREADS=${THREADS:-2}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for change; do
    set_options=()
    IFS=, read -ra settings <<<"$change"
    for setting in ${settings[@]+"${settings[@]}"}; do set_options+=(--set "$setting"); done
    for ((seed = 1; seed <= seeds; seed++)); do
        "$program" train "configs/$name.ini" --run "$scratch/run" --overwrite --set run.valid="$valid" --set run.seed="$seed" \
            ${set_options[@]+"${set_options[@]}"} >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }
        "$program" evaluate "$scratch/run/model.h5" --split valid --json | sed -E 's/.*"correct":([^,}]*).*/\1/'
    done | awk -v change="${change:-as it is}" -v valid="$valid" '{ n++; a = 100 * $1 / valid; s += a; q += a * a; all = all " " $1 }
        END { if (n) printf "%-45s mean %.3f %%  sd %.3f  (%s )\n", change, s / n, (n > 1 ? sqrt((q - s * s / n) / (n - 1)) : 0), all }'
done
