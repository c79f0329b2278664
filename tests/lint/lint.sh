#!/usr/bin/env bash
# All static checks. Called by `make lint`. Usage: CPPFLAGS=... lint.sh "C FILES" "SCRIPTS"
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
read -ra c_files <<<"$1"
read -ra scripts <<<"$2"
read -ra flags <<<"${CPPFLAGS:-}"
sources=() bats=(tests/cli/*.bats tests/cli/*.bash tests/cluster/*.bats)
for file in "${c_files[@]}"; do [[ $file == *.c ]] && sources+=("$file"); done
failed=()

# check NAME COMMAND...
check() {
    local name=$1
    shift
    echo "== $name"
    "$@" || failed+=("$name")
}

tidy() {
    printf '%s\n' "${sources[@]}" |
        xargs -P "$(nproc)" -n 4 sh -c 'clang-tidy --quiet "$@" -- -std=gnu11 -fopenmp '"${flags[*]}"' 2>/dev/null' sh
}

check clang-format clang-format --dry-run -Werror "${c_files[@]}"
check includes tests/lint/includes.sh
[[ ${#scripts[@]} -gt 0 ]] && check shellcheck shellcheck -x -S warning "${scripts[@]}"
[[ -e ${bats[0]} ]] && check "shellcheck of command tests" shellcheck -s bats -S error "${bats[@]}"
check cppcheck cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
    --suppress=autoVariables --suppress=uninitvar --suppress='*:tests/*' --suppress=missingInclude --suppress=unknownMacro -Iinclude -Isrc -j "$(nproc)" "${sources[@]}"
check clang-tidy tidy

if [[ ${#failed[@]} -gt 0 ]]; then
    echo "lint: found something: ${failed[*]}"
    exit 1
fi
echo "lint: clean"
