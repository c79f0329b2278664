#!/usr/bin/env bash
# What training would reach on more cores of one node than this machine has, with batch = micro-batch = 128 images, by a formula:
#     T(n) = serial + forward / n + max(backward / n, backward / 2 / 16) + barriers x cost(n)
# Measured by `bench step`: the times on one core (the loss is serial; loading and the update count as forward), the barriers that a team meets in a
# micro-batch, and what one costs two threads. Six more of OpenMP end the parts of a step. Assumed: all threads write a barrier's counter in turn, so
# cost(n) = n / 2 x cost(2); images divide evenly; half of the way back is the gradient of weights, which is summed in at most 16 parts.
# Usage: barriers.sh     NETS="cnn keras deotte cnn-best"  CORES="2 16 64"  TEAMS=4 (micro-batches in the last column)
set -euo pipefail
cd "$(dirname "$0")/../.."
program=${PROGRAM:-${BUILD:-build}/pardigits}
read -ra nets <<<"${NETS:-cnn keras deotte cnn-best}"
read -ra cores <<<"${CORES:-2 16 64}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

sed -n 's/^model name[^:]*: /processor: /p' /proc/cpuinfo | head -n 1
printf '%-10s %9s %10s %9s %11s' net 'ms, 1 core' serial barriers 'us, 2 cores'
printf ' %9s' "${cores[@]/#/cores: }"
printf '  %s\n' "${TEAMS:-4} micro-batches on ${cores[-1]} cores"
for net in "${nets[@]}"; do
    sed -E '/^(batch|micro_batch) *=/d' "configs/$net.ini" >"$scratch/$net.ini"
    printf '\n[cnn]\nbatch = 128\nmicro_batch = 128\n' >>"$scratch/$net.ini"
    OMP_NUM_THREADS=2 "$program" bench step "$scratch/$net.ini" | awk -v net="$net" -v cores="${cores[*]}" -v teams="${TEAMS:-4}" '
        # The seconds of one micro-batch and update on n cores.
        function time(n, barrier) {
            barrier = n > 1 ? n / 2 * cost[2] : 0
            back = backward / n > backward / 32 ? backward / n : backward / 32
            return serial + forward / n + back + (barriers + 6) * barrier
        }
        $1 == "load" || $1 == "forward" || $1 == "update" { forward += $(NF - 1) }
        $1 == "loss" { serial += $(NF - 1) }
        $1 == "backward" { backward += $(NF - 1) }
        /^barriers in that/ { barriers = $NF }
        NF == 2 && $1 ~ /^[0-9]+$/ { cost[$1] = $2 }
        END {
            one = serial + forward + backward
            printf "%-10s %9.2f %8.2f %% %9d %11.2f", net, one / 1e3, 100 * serial / one, barriers, cost[2]
            count = split(cores, list, " ")
            for (c = 1; c <= count; c++) printf " %7.0f %%", 100 * one / list[c] / time(list[c])
            printf "  %.0f %%\n", 100 * one / (list[count] / teams) / time(list[count] / teams)
        }'
done
