#!/usr/bin/env bash
# The simulation beside real hosts (tests/cluster, as root): steps of training on 2 and 4 hosts with links of 1 and 10 Gbit/s, one rank x one
# thread each, batch 128. Hosts share this machine's cores with each other and with all else that runs here. So the profile takes from each real run how long
# rank 0 computed in the median step, and by how much that varied between steps; and what a message costs a processor grows as computing does. What is
# compared is what the network and the slowest rank add. Prints medians of steps, and of the ratios simulated / real with their spread.
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
scratch=$(mktemp -d "$PWD/build/validate.XXXXXX") # hosts see it
trap 'cluster_stop; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# configuration HOSTS NET: the file that both read.
configuration() {
    sed -E '/^(batch|micro_batch|sum_bits) *=/d' "configs/$2.ini"
    printf '\n[cnn]\nbatch = %d\nmicro_batch = %d\n' "$batch" $((batch / $1))
    tr ' ' '\n' <<<"${SET:-cnn.sum_bits=16}" | sed -E 's|^cnn[.]||; s|=| = |'
}

# real HOSTS: milliseconds of the median step, of what rank 0 computed in it, and the latter's standard deviation as a share (by quartiles).
real() {
    cluster_run "$1" 1 "$program" train "$scratch/config.ini" --run /run/shared/run --overwrite --set run.train=$((batch * steps)) --set run.valid=0 \
        --set cnn.epochs=1 >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }
    "$program" show "$(cluster_path /run/shared/run)/metrics.h5" --csv | sed -n '/^step,/,$p' >"$scratch/steps"
    paste -d ' ' <(column seconds <"$scratch/steps") <(column compute_s <"$scratch/steps") <(column input_s <"$scratch/steps") | tail -n +6 |
        awk '{ print $1 > seconds; print $2 + $3 > computed }' seconds="$scratch/seconds" computed="$scratch/computed"
    echo "$(median <"$scratch/seconds") $(sort -g "$scratch/computed" | awk '{ x[NR] = $1 } END {
        m = x[int((NR + 1) / 2)]; print 1e3 * m, (x[int(0.75 * NR)] - x[int(0.25 * NR) + 1]) / 1.35 / m }')" | awk '{ print 1e3 * $1, $2, $3 }'
}

# least HOSTS: the profile of an undisturbed core, as far as there is one.
least() {
    cluster_run "$1" 1 "$program" bench step "$scratch/config.ini" --images $((batch / $1)) --csv 2>"$scratch/log" | sed '/^$/,$d' >"$scratch/least.csv"
}

# platform_and_profile LINK COMPUTED_MS: those of a run in which computing took so long.
platform_and_profile() {
    local slow
    slow=$(awk -F, -v ms="$2" 'NR > 1 { least += $5 } END { print 1e3 * ms / least }' "$scratch/least.csv")
    awk -F, -v OFS=, -v slow="$slow" 'NR > 1 { $6 = $5 * slow } { print }' "$scratch/least.csv" >"$scratch/profile.csv"
    awk -v slow="$slow" '/smpi.o/ && match($0, /0:[0-9.]+e-6:[0-9.]+e-10/) {
            split(substr($0, RSTART, RLENGTH), cost, /:|e-6|e-10/)
            sub(/0:[0-9.]+e-6:[0-9.]+e-10/, "0:" cost[2] * slow "e-6:" cost[4] * slow "e-10")
        } { print }' "tests/simulate/platforms/hosts-$1.xml" >"$scratch/platform.xml"
    simulate_on "$scratch/platform.xml"
}

# compare HOSTS LINK NET: a line of the table.
compare() {
    local real computed noise simulated round
    configuration "$1" "$3" >"$scratch/config.ini"
    : >"$scratch/rounds"
    least "$1"
    for ((round = 0; round < ${ROUNDS:-3}; round++)); do
        read -r real computed noise < <(real "$1")
        platform_and_profile "$2" "$computed"
        IFS=, read -r _ _ _ simulated _ < <(SIMULATE_MEDIAN=1 NOISE=$noise STEPS=20 simulate_step "$1" "$scratch/profile.csv" "$scratch/config.ini")
        echo "$real $computed $simulated" >>"$scratch/rounds"
    done
    printf '%5d %-7s %-7s %10s %12s %12s   %s\n' "$1" "$2" "$3" "$(awk '{ print $1 }' "$scratch/rounds" | median)" "$(awk '{ print $2 }' "$scratch/rounds" | median)" \
        "$(awk '{ print $3 }' "$scratch/rounds" | median)" "$(awk '{ print $3 / $1 }' "$scratch/rounds" | spread)"
}

main() {
    local hosts link net
    cluster_start "$(printf '%s\n' "${host_counts[@]}" | sort -n | tail -n 1)"
    printf '%5s %-7s %-7s %10s %12s %12s   %s\n' hosts link net 'real ms' 'computed ms' 'simulated ms' 'simulated / real'
    for hosts in "${host_counts[@]}"; do
        for link in "${links[@]}"; do
            cluster_shape "$link"
            for net in "${nets[@]}"; do compare "$hosts" "$link" "$net"; done
        done
    done
    exit
}
main
