# shellcheck shell=bash
# Runs the simulation. Sourced by the scripts of this folder.

simulate_program=${BUILD:-build}/simulate/simulate

# simulate_on PLATFORM.xml: what the following simulations run on.
simulate_on() {
    simulate_platform=$1
    simulate_latency_us=$(simulate_number 'lat="([0-9.]+)us"')
    simulate_overhead_us=$(simulate_number 'smpi/or" value="0:([0-9.]+)e-6')
    simulate_ns_per_byte=$(awk -v gbit="$(simulate_number 'bw="([0-9.]+)Gbps"')" -v factor="$(simulate_number 'bw-factor" value="0:([0-9.]+)')" \
        -v copy="$(simulate_number 'smpi/or" value="0:[^:]*:([0-9.e-]+)')" 'BEGIN { print 8 / gbit / factor + 2e9 * copy }')
}

# simulate_number PATTERN: what the platform says.
simulate_number() {
    sed -nE "s|.*$1.*|\1|p" "$simulate_platform" | head -n 1
}

# simulate RANKS ARGUMENT...: one simulation; rank r is the platform's node r.
simulate() {
    local ranks=$1 hosts
    shift
    hosts=$(mktemp)
    seq -f node-%g 0 $((ranks - 1)) >"$hosts"
    # Computing takes what the profile says; looking for messages takes no time; ranks have no variables of their own.
    smpirun -np "$ranks" -hostfile "$hosts" -platform "$simulate_platform" -no-privatize --cfg=smpi/simulate-computation:no --cfg=smpi/test:0 \
        --cfg=smpi/host-speed:1f --log=root.thres:warning "$simulate_program" "$@"
    rm -f "$hosts"
}

# simulate_step RANKS PROFILE CONFIG [SETTING]...: steps of training; prints what simulate.c says.
simulate_step() {
    local ranks=$1 profile=$2 config=$3 hops
    shift 3
    ((ranks > 32)) && hops=4 || hops=2 # through a leaf switch, or up and down again
    SIMULATE_PROFILE=$profile SIMULATE_NOISE=${NOISE:-0} simulate "$ranks" step "$config" "${STEPS:-1}" \
        "$(awk -v us="$simulate_latency_us" -v hops=$hops 'BEGIN { print us * hops }')" "$simulate_overhead_us" "$simulate_ns_per_byte" "$@"
}

# simulate_sums RANKS VALUES ALGORITHM...: a line of simulate.c.
simulate_sums() {
    simulate "$1" sums "${@:2}"
}
