#!/usr/bin/env bash
# Runs fuzzers one after the other from the seeds, and keeps what they find worth keeping in FOLDER/corpus.
# Usage: run.sh FOLDER SECONDS [FUZZER]...    (FOLDER holds the fuzzers; all of them by default)
# A line for each: "ok NAME", or "FAIL NAME" after the fuzzer's output and the name of the input that did it.
set -uo pipefail
folder=$1 seconds=$2
shift 2
here=$(dirname "${BASH_SOURCE[0]}")
export ASAN_OPTIONS=quarantine_size_mb=16:detect_leaks=1 LSAN_OPTIONS=suppressions=$here/../lsan.supp:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1 OMP_NUM_THREADS=1 LC_ALL=C
[[ $# -gt 0 ]] || for path in "$here"/fuzz_*.c; do set -- "$@" "$(basename "$path" .c)"; done

# fuzz NAME SECONDS: one run; its output is in $folder/NAME.log.
fuzz() {
    # HDF5 keeps what it freed, which looks like a leak after each input: there the end of the run tells
    local leaks=1
    [[ $1 == fuzz_h5_* ]] && leaks=0
    # 64 MB of memory at a time beside four times the longest input
    "$folder/$1" -max_total_time="$2" -timeout=10 -malloc_limit_mb=66 -rss_limit_mb=1024 -max_len=400000 -len_control=0 -detect_leaks=$leaks \
        -artifact_prefix="$folder/found/$1-" -print_final_stats=1 "$folder/corpus/$1" "$folder/seeds/${1#fuzz_}" >"$folder/$1.log" 2>&1
}

# Whether HDF5 crashed as it wrote what the mutator asked it for (h5_mutator.c), before the program had the file, as the stack says.
mutator_crashed() {
    grep -qE '^ *#[0-9]+ .* in LLVMFuzzerCustomMutator' "$folder/$1.log" && ! grep -q LLVMFuzzerTestOneInput "$folder/$1.log"
}

failed=0
for name; do
    mkdir -p "$folder/corpus/$name" "$folder/found"
    end=$((SECONDS + seconds)) inputs=0 again=
    while :; do
        good=1
        fuzz "$name" $((end - SECONDS)) || good=0
        inputs=$((inputs + $(sed -n 's/^stat::number_of_executed_units: *//p' "$folder/$name.log" | grep . || echo 0)))
        if [[ $good -eq 1 || $SECONDS -ge $end ]] || ! mutator_crashed "$name"; then break; fi
        again=", begun again where HDF5 crashed writing one"
    done
    if [[ $inputs -gt 0 ]] && { [[ $good -eq 1 ]] || mutator_crashed "$name"; }; then
        echo "ok   $name ($inputs inputs$again)"
    else
        grep -vE '^#[0-9]+|^INFO' "$folder/$name.log" | head -n 60
        echo "FAIL $name: the input is in $folder/found, the output in $folder/$name.log"
        failed=1
    fi
done
exit $failed
