#!/usr/bin/env bash
# The simulation beside real hosts (tests/cluster, as root): steps of training on 2 and 4 hosts with links of 1 and 10 Gbit/s, one rank x one
# thread each, batch 128. Hosts share this machine's cores, so the profile is measured on all of them at once, just before; each round
# measures profile and training in turn. Prints medians of steps, and of the ratios simulated / real, with their spread.
# Usage: validate.sh     NETS="cnn lenet"  HOSTS="2 4"  LINKS="1gbit 10gbit"  ROUNDS=3  SET="cnn.sum_bits=16"  BATCH=128
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/cluster/cluster.bash
. tests/cluster/cluster.bash
# shellcheck source=tests/bench/spread.sh
. tests/bench/spread.sh
# shellcheck source=tests/simulate/simulate.bash
. tests/simulate/simulate.bash
program=${BUILD:-build}/pardigits batch=${BATCH:-128} steps=40
read -ra nets <<<"${NETS:-cnn lenet}"
read -ra host_counts <<<"${HOSTS:-2 4}"
read -ra links <<<"${LINKS:-1gbit 10gbit}"
export OMP_NUM_THREADS=1

why_not=$(cluster_why_not)
if [[ -n $why_not ]]; then
    echo "validate.sh: SKIP: no cluster on this machine: $why_not" >&2
    exit 0
fi
scratch=$(mktemp -d "$PWD/results/validate.XXXXXX") # hosts see it
trap 'cluster_stop; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# configuration HOSTS NET: the file that both read.
configuration() {
    sed -E '/^(batch|micro_batch|sum_bits) *=/d' "configs/$2.ini"
    printf '\n[cnn]\nbatch = %d\nmicro_batch = %d\n' $batch $((batch / $1))
    tr ' ' '\n' <<<"${SET:-cnn.sum_bits=16}" | sed -E 's|^cnn[.]||; s|=| = |'
}

# real HOSTS: milliseconds of the median step, the first ones left out.
real() {
    cluster_run "$1" 1 "$program" train "$scratch/config.ini" --run /run/shared/run --overwrite --set run.train=$((batch * steps)) --set run.valid=0 \
        --set cnn.epochs=1 >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }
    "$program" show "$(cluster_path /run/shared/run)/metrics.h5" --csv | sed -n '/^step,/,$p' | column seconds | tail -n +6 | median | awk '{ print 1e3 * $1 }'
}

# profile HOSTS: measured on all hosts at the same time.
profile() {
    cluster_run "$1" 1 "$program" bench step "$scratch/config.ini" --images $((batch / $1)) --csv 2>"$scratch/log" | sed '/^$/,$d' >"$scratch/profile.csv"
}

# compare HOSTS LINK NET: a line of the table.
compare() {
    local real simulated formula round
    configuration "$1" "$3" >"$scratch/config.ini"
    simulate_on "tests/simulate/platforms/hosts-$2.xml"
    : >"$scratch/rounds"
    for ((round = 0; round < ${ROUNDS:-3}; round++)); do
        profile "$1"
        real=$(real "$1")
        IFS=, read -r _ _ _ simulated _ formula _ < <(SIMULATE_MEDIAN=1 simulate_step "$1" "$scratch/profile.csv" "$scratch/config.ini")
        echo "$real $simulated $formula" >>"$scratch/rounds"
    done
    printf '%5d %-7s %-7s %10s %12s %10s   %s\n' "$1" "$2" "$3" "$(awk '{ print $1 }' "$scratch/rounds" | median)" "$(awk '{ print $2 }' "$scratch/rounds" | median)" \
        "$(awk '{ print $3 }' "$scratch/rounds" | median)" "$(awk '{ print $2 / $1 }' "$scratch/rounds" | spread)"
}

main() {
    local hosts link net
    cluster_start "$(printf '%s\n' "${host_counts[@]}" | sort -n | tail -n 1)"
    printf '%5s %-7s %-7s %10s %12s %10s   %s\n' hosts link net 'real ms' 'simulated ms' 'formula ms' 'simulated / real'
    for hosts in "${host_counts[@]}"; do
        for link in "${links[@]}"; do
            cluster_shape "$link"
            for net in "${nets[@]}"; do compare "$hosts" "$link" "$net"; done
        done
    done
    exit
}
main
