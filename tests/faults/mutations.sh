#!/usr/bin/env bash
# Breaks the program on purpose, one line at a time (mutations.txt), and sees that a test notices: it fails, crashes or takes longer than
# a minute. In a copy of the tree; BUILD names the build's folder.
# Usage: mutations.sh [PART_OF_A_SOURCE]    A line for each break that isn't noticed; then how many were, of each source.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build} only=${1:-}
. src/setup/mpi_env.sh
export OMP_NUM_THREADS=2 MNIST_DIR=${MNIST_DIR:-$PWD/data/mnist}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -a Makefile include src tests "$copy"
mkdir "$copy/build" && cp -a "$build"/{src,tests,generated,flags,objects,lib*} "$copy/build" # with its times: nothing is built twice
ln -s "$PWD/data" "$PWD/configs" "$copy"
! grep -q -- -Werror "$build/flags" || export WERROR=1 # or all would be compiled anew
declare -A good all

# notices TEST
notices() {
    local test=$1 ranks=()
    [[ $test == unit/* ]] || ranks=(mpirun -n 3)
    ! (cd "$copy" && timeout -k 5 60 "${ranks[@]}" "build/tests/$test") >"$copy/log" 2>&1 </dev/null
}

missed=0
while IFS=$'\t' read -r source tests expression; do
    [[ $source == src/*"$only"* ]] || continue
    all[$source]=$((${all[$source]:-0} + 1))
    sed -i "$expression" "$copy/$source"
    if cmp -s "$source" "$copy/$source"; then
        echo "FAIL $source: nothing is changed by $expression"
        missed=$((missed + 1))
    else
        noticed=0
        for test in $tests; do
            if ! make -s -C "$copy" "build/tests/$test" >"$copy/log" 2>&1; then
                echo "FAIL $source: it can't be compiled after $expression"
                break
            fi
            notices "$test" && noticed=1 && break
        done
        good[$source]=$((${good[$source]:-0} + noticed))
        ((noticed)) || { missed=$((missed + 1)); echo "FAIL $tests: not noticed in $source: $expression"; }
    fi
    cp "$source" "$copy/$source"
done < <(grep -v '^#' tests/faults/mutations.txt)
for source in "${!all[@]}"; do
    echo "$source: ${good[$source]:-0} of ${all[$source]} breaks noticed"
done
exit $((missed > 0))
