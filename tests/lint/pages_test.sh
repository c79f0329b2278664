#!/usr/bin/env bash
# pages.sh finds each kind of mistake in a page, and none in a good page.
set -uo pipefail
check=$(cd "$(dirname "$0")" && pwd)/pages.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
verdict=0
mkdir -p "$tree/src/core" "$tree/src/cli" "$tree/results"
echo '    .name = "train",' >"$tree/src/cli/cmd_train.c"
echo 'demo: data' >"$tree/Makefile"
printf '%s\n' 'INT("run",' '    seed, "1", ...),' >"$tree/src/core/run_options.c"

# page LINE...: MANUAL.md, with LINE at its end.
page() {
    printf '%s\n' '# The manual' '`run.seed` is a key; [keys](src/core/run_options.c), [above](#the-manual), src/core/run_options.c, configs/NAME.ini' \
        '`pardigits train` and `make demo`; pardigits proves and makes nothing' '' '    build/pardigits train' "$@" \
        >"$tree/MANUAL.md"
}

refused() {
    page "$1"
    ! bash "$check" "$tree" >/dev/null || { echo "pages.sh accepted: $1"; verdict=1; }
}

page
bash "$check" "$tree" || { echo "pages.sh refused a good page"; verdict=1; }
refused '[broken](src/core/other.c)'
refused '[broken](#nowhere)'
refused '[broken](MANUAL.md#nowhere)'
refused 'see src/core/other.c.'
refused 'see `tests/unit/other.c`'
refused '`run.sneed` is no key'
refused 'the command `pardigits trian`'
refused '    mpirun -n 2 build/pardigits trian configs/NAME.ini'
refused 'the target `make damo`'
page
sed -i 's/`run.seed`/A seed/' "$tree/MANUAL.md"
! bash "$check" "$tree" >/dev/null || { echo "pages.sh accepted a key without a word in the manual"; verdict=1; }
exit $verdict
