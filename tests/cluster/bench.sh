#!/usr/bin/env bash
# Training over hosts: pardigits and PyTorch DistributedDataParallel (gloo) in turn, in the same hosts, with one rank x one thread on
# each host, one global batch and a micro-batch of batch / hosts. Prints a table: images/s of both with their spread, the ratio of the medians,
# and the bytes a step that the busiest host sends, with the mean of all hosts. README.md says what the hosts are.
# Usage: bench.sh
#     NETS="lenet keras deotte cnn"  HOSTS="2 4"  LINKS="1gbit 10gbit none"    what is measured
#     PAIRS=5     runs of each, in turn      STEPS=40    steps that are timed (and as many before them that are not)
#     BATCH=128   the global batch
#     SET="cnn.sum_bits=16 ..."              further settings of pardigits      CSV=FILE    writes the table there, too
#     BYTES_ONLY=1                           counts bytes, times nothing (exact on a busy machine, too)
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/cluster/cluster.bash
. tests/cluster/cluster.bash
# shellcheck source=tests/bench/spread.sh
. tests/bench/spread.sh
program=${BUILD:-build}/pardigits
batch=${BATCH:-128} pairs=${PAIRS:-5} steps=${STEPS:-40}
read -ra nets <<<"${NETS:-lenet keras deotte cnn}"
read -ra host_counts <<<"${HOSTS:-2 4}"
read -ra links <<<"${LINKS:-1gbit 10gbit none}"
sets=()
for setting in ${SET:-}; do sets+=(--set "$setting"); done
export OMP_NUM_THREADS=1
[[ -z ${BYTES_ONLY:-} ]] || pairs=0

why_not=$(cluster_why_not)
if [[ -n $why_not ]]; then
    echo "make bench-cluster: SKIP: no cluster on this machine: $why_not" >&2
    exit 0
fi
/usr/bin/python3 -c 'import torch, numpy' 2>/dev/null || {
    echo "make bench-cluster needs PyTorch: \`src/setup/deps.sh peers\` installs it" >&2
    exit 1
}
trap cluster_stop EXIT
trap 'exit 130' INT TERM

# train HOSTS NET STEPS EPOCHS: over the hosts; the run is in /run/shared/run.
train() {
    cluster_run "$1" 1 "$program" train "configs/$2.ini" --run /run/shared/run --overwrite --set run.train=$((batch * $3)) \
        --set run.valid=0 --set cnn.epochs="$4" --set cnn.batch=$batch --set cnn.micro_batch=$((batch / $1)) "${sets[@]}" \
        >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }
}

# ours HOSTS NET: images/s of the second epoch.
ours() {
    train "$1" "$2" "$steps" 2
    images_per_second "$program" "$(cluster_path /run/shared/run)"
    hidden_share "$(cluster_path /run/shared/run)" >>"$scratch/hidden"
}

# hidden_share RUN: the part of the reduction's time in the last epoch, in %, that lay behind the rank's own work.
hidden_share() {
    local reduce exposed
    reduce=$("$program" show "$1/metrics.h5" --csv | column reduce_s | sed -n 2p)
    exposed=$("$program" show "$1/metrics.h5" --csv | column exposed_s | sed -n 2p)
    awk -v reduce="$reduce" -v exposed="$exposed" 'BEGIN { printf "%.1f\n", 100 * (1 - exposed / reduce) }'
}

# theirs HOSTS NET: images/s; appends each host's bytes a step to $scratch/their_bytes.
theirs() {
    # through a pipe, as the hosts' processes would write over each other's lines in one file
    cluster_each "$1" timeout 600 /usr/bin/python3 tests/bench/peers/ddp.py data/mnist "$2" "${3:-$steps}" $batch | cat >"$scratch/ddp"
    (($(grep -cE '^rank [0-9]+ images/s [0-9.]+ sent [0-9]+ received [0-9]+$' "$scratch/ddp") == $1)) || { echo "bench.sh: not every process of DDP printed its line" >&2; exit 1; }
    awk '{ print $6 }' "$scratch/ddp" >"$scratch/their_bytes"
    awk '$2 == 0 { print $4 }' "$scratch/ddp"
}

# our_bytes HOSTS NET: bytes a step that each host sends: the difference between a run of 30 and one of 10 steps, so that the start doesn't count.
our_bytes() {
    local count
    for count in 10 30; do
        cluster_bytes "$1" >"$scratch/before"
        train "$1" "$2" "$count" 1
        cluster_bytes "$1" | paste -d ' ' "$scratch/before" - | awk '{ print $3 - $1 }' >"$scratch/sent.$count"
    done
    paste "$scratch/sent.10" "$scratch/sent.30" | awk '{ printf "%.0f\n", ($2 - $1) / 20 }'
}

# most_and_mean: "busiest mean" in kB of the bytes on standard input, a line each host.
most_and_mean() {
    awk '{ sum += $1; if ($1 > most) most = $1 } END { printf "%.1f %.1f\n", most / 1e3, sum / NR / 1e3 }'
}

ratio() {
    awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'
}

# columns "MEDIAN (LEAST to MOST)": the three, for CSV.
columns() {
    if [[ $1 == - ]]; then echo ,,; else tr -d '()' <<<"$1" | sed -E 's/ (to )?/,/g'; fi
}

# measure HOSTS LINK NET: one line of the table.
measure() {
    local hosts=$1 link=$2 net=$3 i our_most our_mean their_most their_mean our_rate=- their_rate=- speed=-
    : >"$scratch/ours"
    : >"$scratch/theirs"
    : >"$scratch/hidden"
    for ((i = 0; i < pairs; i++)); do
        ours "$hosts" "$net" >>"$scratch/ours"
        theirs "$hosts" "$net" >>"$scratch/theirs"
    done
    if ((pairs > 0)); then
        our_rate=$(spread <"$scratch/ours") their_rate=$(spread <"$scratch/theirs")
        speed=$(ratio "$(median <"$scratch/ours")" "$(median <"$scratch/theirs")")
    else
        theirs "$hosts" "$net" 10 >/dev/null
    fi
    read -r our_most our_mean < <(our_bytes "$hosts" "$net" | most_and_mean)
    read -r their_most their_mean < <(most_and_mean <"$scratch/their_bytes")
    printf '%5d %-7s %-7s %-28s %-28s %5s %11s %9s %11s %9s %5s\n' "$hosts" "$link" "$net" "$our_rate" "$their_rate" "$speed" \
        "$our_most" "$our_mean" "$their_most" "$their_mean" "$(ratio "$our_most" "$their_most")"
    if ((pairs > 0)); then echo "      hidden behind the work, % of the reduction's time: $(spread <"$scratch/hidden")"; fi
    [[ -z ${CSV:-} ]] || echo "$hosts,$link,$net,$(columns "$our_rate"),$(columns "$their_rate"),$speed,$our_most,$our_mean,$their_most,$their_mean" >>"$CSV"
}

# A function, so that the script may be edited while it runs.
main() {
    local most_hosts hosts link net
    most_hosts=$(printf '%s\n' "${host_counts[@]}" | sort -n | tail -n 1)
    cluster_start "$most_hosts"
    scratch=$(cluster_path /run/shared) # ends with the cluster
    echo "one rank x 1 thread a host, global batch $batch, micro-batch $batch / hosts${SET:+, $SET}; $pairs pairs of $steps steps in turn: median (least to most)"
    sed -n 's/^model name[^:]*: /processor: /p' /proc/cpuinfo | head -n 1 | sed "s/\$/, $(getconf _NPROCESSORS_ONLN) CPUs for all hosts together/"
    echo "sent: kB a step by the busiest host and by the mean of them; ratio: pardigits / DDP"
    printf '%5s %-7s %-7s %-28s %-28s %5s %11s %9s %11s %9s %5s\n' hosts link net 'pardigits images/s' 'DDP images/s' ratio 'sent: most' mean \
        'DDP: most' mean ratio
    [[ -z ${CSV:-} ]] || echo "hosts,link,net,images_per_s,least,most,ddp_images_per_s,ddp_least,ddp_most,ratio,sent_kb_most,sent_kb_mean,ddp_sent_kb_most,ddp_sent_kb_mean" >"$CSV"
    for hosts in "${host_counts[@]}"; do
        for link in "${links[@]}"; do
            cluster_shape "$link"
            for net in "${nets[@]}"; do measure "$hosts" "$link" "$net"; done
        done
    done
    exit
}
main
