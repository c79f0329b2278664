# The simulation of make simulate on few nodes: its sums are right, and it says the same each time.
load common

@test "simulate: 2, 3 and 8 nodes end with the same parameters, and the same time each time" {
    command -v smpicc >/dev/null || skip "needs SimGrid (src/setup/deps.sh simulate)"
    make --no-print-directory BUILD="$BUILD" "$BUILD/simulate/simulate" >"$BATS_TEST_TMPDIR/log" 2>&1 || { cat "$BATS_TEST_TMPDIR/log"; return 1; }
    . tests/simulate/simulate.bash
    simulate_on tests/simulate/platforms/ethernet-10gbit.xml
    local ranks lines=''
    for ranks in 2 3 8 8; do
        run simulate_step "$ranks" tests/simulate/profiles/cnn-32.csv configs/cnn.ini cnn.batch=$((64 * ranks)) cnn.sum_bits=16
        echo "$output"
        [[ $output =~ ^$ranks,$((64 * ranks)),[a-z]+(,[0-9.]+){3},[0-9a-f]{16}$ ]]
        lines+=$output$'\n'
    done
    [[ $(cut -d, -f 7 <<<"$lines" | sort -u | grep -c .) -eq 1 ]]
    [[ $(tail -n 2 <<<"${lines%$'\n'}" | uniq | grep -c .) -eq 1 ]]
    # 64 images take 9.1 ms, and the network takes some time, but not as much again
    awk -F, 'NF { if (!($4 > 9 && $4 < 12 && $4 - $6 < 1 && $6 - $4 < 1)) exit 1 }' <<<"$lines"
}
