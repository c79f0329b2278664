#!/usr/bin/env bash
# A scaling study of each family over hosts of tests/cluster, one rank x one thread each: jobs/scaling.sbatch, with the hosts in place of
# Slurm's nodes. The tables and figures are in RESULTS. The hosts share this machine's cores: with more hosts than cores the speed-up ends at the cores.
# Usage: scaling.sh
#     MODELS="cnn svm knn"  HOSTS="1 2 4"  LINK=none|1gbit|10gbit  REPEATS=3  RESULTS=results/scaling
#     TRAIN=8000  VALID=2000  EPOCHS=3     images of strong scaling (of knn five times as many), held-out ones, epochs of the CNN
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/cluster/cluster.bash
. tests/cluster/cluster.bash
if [[ ${1:-} == --on ]]; then # HOSTS COMMAND...: what jobs/scaling.sbatch calls
    cluster_run "$2" 1 "${@:3}"
    exit
fi

why_not=$(cluster_why_not)
if [[ -n $why_not ]]; then
    echo "make bench-scaling: SKIP: no cluster on this machine: $why_not" >&2
    exit 0
fi
read -ra counts <<<"${HOSTS:-1 2 4}"
trap cluster_stop EXIT
trap 'exit 130' INT TERM
cluster_start "${counts[-1]}"
cluster_shape "${LINK:-none}"
export OMP_NUM_THREADS=1 LAUNCH="tests/bench/scaling.sh --on" ACCURACY=${ACCURACY:-0.97}
for model in ${MODELS:-cnn svm knn}; do
    train=${TRAIN:-8000}
    [[ $model != knn ]] || train=$((5 * train))
    RESULTS=${RESULTS:-results/scaling}/$model bash jobs/scaling.sbatch "configs/$model.ini" "${counts[*]}" --set run.train="$train" \
        --set run.valid="${VALID:-2000}" --set cnn.epochs="${EPOCHS:-3}"
done
