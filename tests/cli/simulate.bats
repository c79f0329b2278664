# The simulation of make simulate on few nodes: its sums are right, and it says the same each time.
load common

@test "simulate: 2, 3 and 8 nodes end with the same parameters, and the same time each time" {
    [[ -x $BUILD/simulate/simulate ]] || skip "needs SimGrid when it is built (src/setup/deps.sh simulate), and no sanitizer"
    . tests/simulate/simulate.bash
    simulate_on tests/simulate/platforms/ethernet-10gbit.xml
    local ranks lines=''
    for ranks in 2 3 8 8; do
        run simulate_step "$ranks" tests/simulate/profiles/cnn-32.csv configs/cnn.ini cnn.batch=768 cnn.sum_bits=16
        echo "$output"
        [[ $output =~ ^$ranks,768,[a-z]+(,[0-9.]+){3},[0-9a-f]{16}$ ]]
        lines+=$output$'\n'
    done
    [[ $(cut -d, -f 7 <<<"$lines" | sort -u | grep -c .) -eq 1 ]]
    [[ $(tail -n 2 <<<"${lines%$'\n'}" | uniq | grep -c .) -eq 1 ]]
    # 32 images take 4.5 ms; the network takes some time, but not as much again
    awk -F, 'NF { ideal = 4.47 * 24 / $1; if (!($4 > ideal && $4 < ideal + 2 && $4 - $6 < 1 && $6 - $4 < 1)) exit 1 }' <<<"$lines"
}
