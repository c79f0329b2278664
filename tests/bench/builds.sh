#!/usr/bin/env bash
# This build against another one (each with the configurations beside it), for the question whether a change made training slower: images/s of the second epoch of the same network,
# in turn, the median of the ratios (this build / the other one) and their spread, and whether the two models have the same digest. Then the seconds that a start takes
# (a KNN is "trained" on 100 images of the dataset), and those of the SHA-256 of the dataset, which a start includes.
# Usage: builds.sh OTHER_PROGRAM     NETS="lenet keras cnn"  RANKS=1  THREADS=2  PAIRS=5  STARTS=9  IMAGES=12800  SET="section.key=value ..." (for this build)
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/bench/spread.sh
. tests/bench/spread.sh
program=${PROGRAM:-${BUILD:-build}/pardigits} other=${1:?the program of the other build, such as ../before/build/pardigits}
read -ra nets <<<"${NETS:-lenet keras cnn}"
read -ra words <<<"${SET:-}"
ranks=${RANKS:-1}
export OMP_NUM_THREADS=${THREADS:-2}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# train PROGRAM NET RUN [WORD]...: images/s of the second epoch; the run is in $scratch/RUN.
train() {
    local trainer=$1 net=$2 run=$3 start=()
    shift 3
    ((ranks == 1)) || start=(mpirun -n "$ranks" --bind-to none)
    "${start[@]}" "$trainer" train "$(dirname "$trainer")/../configs/$net.ini" --run "$scratch/$run" --overwrite --set run.train="${IMAGES:-12800}" --set run.valid=0 \
        --set cnn.epochs=2 "$@" >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }
    images_per_second "$program" "$scratch/$run" 2>>"$scratch/log"
}

digest() {
    "$program" show "$scratch/$1/model.h5" --json 2>/dev/null | grep -o '"digest":"[^"]*"'
}

sed -n 's/^model name[^:]*: /processor: /p' /proc/cpuinfo | head -n 1
printf '%-10s %-28s %-28s %-24s %s\n' net 'other build, images/s' 'this build, images/s' 'ratio' model
for net in "${nets[@]}"; do
    : >"$scratch/rates"
    for ((i = 0; i < ${PAIRS:-5}; i++)); do
        ours=()
        for word in ${words[@]+"${words[@]}"}; do ours+=(--set "$word"); done
        before=$(train "$other" "$net" other)
        now=$(train "$program" "$net" this ${ours[@]+"${ours[@]}"})
        echo "$before $now" >>"$scratch/rates"
    done
    [[ $(digest other) == "$(digest this)" ]] && same=same || same=differs
    printf '%-10s %-28s %-28s %-24s %s\n' "$net" "$(awk '{ print $1 }' "$scratch/rates" | spread)" "$(awk '{ print $2 }' "$scratch/rates" | spread)" \
        "$(awk '{ print $2 / $1 }' "$scratch/rates" | spread)" "$same"
done

# seconds COMMAND...: that it takes.
seconds() {
    local begin=$EPOCHREALTIME
    "$@" >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }
    awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }'
}

# start PROGRAM
start() {
    seconds "$1" train configs/knn.ini --run "$scratch/start" --overwrite --set run.train=100
}

for ((i = 0; i < ${STARTS:-9}; i++)); do
    echo "$(start "$other") $(start "$program") $(seconds openssl dgst -sha256 data/mnist.h5)" >>"$scratch/starts"
done
printf '%-10s %-28s %-28s %-24s %s\n' start 'other build, s' 'this build, s' 'difference, s' 'SHA-256 of the dataset, s'
printf '%-10s %-28s %-28s %-24s %s\n' '' "$(awk '{ print $1 }' "$scratch/starts" | spread)" "$(awk '{ print $2 }' "$scratch/starts" | spread)" \
    "$(awk '{ print $2 - $1 }' "$scratch/starts" | spread)" "$(awk '{ print $3 }' "$scratch/starts" | spread)"
