#!/usr/bin/env bash
# Foresees the training of configs/cnn.ini on up to 1,024 nodes: weak and strong scaling on the platforms of platforms/, in a
# table, the formula beside the simulation. The same numbers each time. README.md says what is real and what is simulated.
# Usage: run.sh
#     PLATFORMS="fat-tree-100gbit ethernet-10gbit"  RANKS="2 4 ... 1024"  STUDIES="weak strong sums levers"
#     SET="cnn.sum_bits=16 ..."   further settings     STEPS=1   steps that are simulated, after one that doesn't count
#     NOISE=0.02   standard deviation of micro-batches' times, as a share (0: none)
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/simulate/simulate.bash
. tests/simulate/simulate.bash
read -ra platforms <<<"${PLATFORMS:-fat-tree-100gbit ethernet-10gbit}"
read -ra rank_counts <<<"${RANKS:-2 4 8 16 32 64 128 256 512 1024}"
read -ra studies <<<"${STUDIES:-weak strong sums levers}"
read -ra sets <<<"${SET:-}"
strong_images=4096
config=configs/cnn.ini

# row STUDY RANKS: a line of the table, after that of one rank in $one_ms, which is set.
row() {
    local ranks=$2 batch micro_batch ideal count images algorithm step exposed formula
    case $1 in
    weak) batch=$((64 * ranks)) micro_batch=32 ideal=1 ;;
    strong) batch=$strong_images micro_batch=4 ideal=$ranks ;;
    esac
    IFS=, read -r count images algorithm step exposed formula _ < <(simulate_step "$ranks" "tests/simulate/profiles/cnn-$micro_batch.csv" \
        "$config" "cnn.batch=$batch" "cnn.micro_batch=$micro_batch" "${sets[@]}")
    ((ranks > 1)) || one_ms=$step
    awk -v ideal="$ideal" -v one="$one_ms" -v step="$step" -v images="$images" -v formula="$formula" -v exposed="$exposed" \
        -v start="$(printf '%-7s %6d %7d  %-9s' "$1" "$count" "$images" "$algorithm")" 'BEGIN {
            printf "%s %10.3f %10.3f %10.3f %12.0f %9.1f %%\n", start, step, exposed, formula, 1e3 * images / step, 100 * one / ideal / step }'
}

# lever NAME RANKS IMAGES MICRO_BATCH [SETTING]...: weak scaling with one thing changed.
lever() {
    local name=$1 ranks=$2 images=$3 micro_batch=$4 one step
    local command=(simulate_step RANKS "tests/simulate/profiles/cnn-$micro_batch.csv" "$config" "cnn.micro_batch=$micro_batch")
    shift 4
    command[1]=1
    one=$("${command[@]}" "cnn.batch=$images" "$@" | cut -d , -f 4)
    command[1]=$ranks
    step=$("${command[@]}" "cnn.batch=$((images * ranks))" "$@" | cut -d , -f 4)
    awk -v name="$name" -v ranks="$ranks" -v one="$one" -v step="$step" \
        'BEGIN { printf "%-34s %6d %10.3f %10.3f %9.1f %%\n", name, ranks, step, step - one, 100 * one / step }'
}

levers() {
    local ranks
    printf '%-34s %6s %10s %10s %11s\n' 'weak scaling with' ranks step_ms lost_ms efficiency
    for ranks in 64 256 1024; do
        ((ranks <= ${rank_counts[-1]})) || continue
        lever "64 images, 64 bits" "$ranks" 64 32
        lever "cnn.sum_bits = 16" "$ranks" 64 32 cnn.sum_bits=16
        lever "cnn.micro_batch = 64" "$ranks" 64 64
        lever "128 images a rank" "$ranks" 128 32
        NOISE=0.02 lever "times that vary by 2 %" "$ranks" 64 32
    done
}

sums() {
    local ranks values algorithms
    printf '%6s %9s %-9s %s\n' ranks bytes chosen 'milliseconds of doubling, halving, ring'
    for ranks in 64 96 384; do
        ((ranks <= ${rank_counts[-1]})) || continue
        for values in 1000 20000 100000 1000000; do
            algorithms=(doubling halving ring)
            if ((ranks > 128)); then # a ring of them takes minutes to simulate
                ((values < 1000000)) || continue
                algorithms=(doubling halving)
            fi
            simulate_sums "$ranks" "$values" "${algorithms[@]}"
        done
    done
}

for platform in "${platforms[@]}"; do
    simulate_on "tests/simulate/platforms/$platform.xml"
    echo "== $platform"
    for study in "${studies[@]}"; do
        case $study in
        levers | sums) "$study" ;;
        *)
            printf '%-7s %6s %7s  %-9s %10s %10s %10s %12s %11s\n' study ranks images algorithm step_ms exposed_ms formula_ms images/s efficiency
            for ranks in 1 "${rank_counts[@]}"; do row "$study" "$ranks"; done
            ;;
        esac
    done
done
