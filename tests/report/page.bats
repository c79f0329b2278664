# The page that `pardigits report` writes, tried in headless Chromium with axe-core: `make check-report`. tests/cli/report.bats checks its data.
load ../cli/common

# needs COMMAND...: skips where one isn't installed.
needs() {
    local command
    for command; do
        command -v "$command" >/dev/null || skip "there is no $command (Debian's packages chromium, nodejs and npm)"
    done
}

# axe-core, once for this build: from npm.
fetch_axe() {
    [[ -e $BUILD/axe-core/package/axe.min.js ]] && return
    mkdir -p "$BUILD/axe-core"
    (cd "$BUILD/axe-core" && npm pack --silent axe-core@4 && tar xzf axe-core-*.tgz package/axe.min.js) || skip "npm can't fetch axe-core"
}

@test "in a browser: no complaint, cells open, keys work, figures are saved, axe-core finds nothing serious" {
    needs chromium node npm
    fetch_axe
    cd "$BATS_TEST_TMPDIR"
    small=(--data "$data" --set run.train=3000 --set run.valid=500)
    "$PARDIGITS" train "$OLDPWD/configs/knn.ini" "${small[@]}" --run knn
    for ranks in 1 2; do
        on "$ranks" 1 train "$OLDPWD/configs/cnn.ini" "${small[@]}" --set cnn.epochs=2 --run "cnn-$ranks"
    done
    "$PARDIGITS" report knn cnn-1 cnn-2 --split valid --out report.html
    mkdir -p "$OLDPWD/$BUILD/report"
    TMPDIR=$BATS_TEST_TMPDIR timeout -k 5 300 node "$OLDPWD/tests/report/check_page.js" report.html "$OLDPWD/$BUILD/axe-core/package/axe.min.js" \
        "$OLDPWD/$BUILD/report"
    echo "# screenshots are in $BUILD/report" >&3
    # the check can fail: without names for its images the page has something serious
    sed 's/, alt: text,/,/' report.html >nameless.html
    run env TMPDIR="$BATS_TEST_TMPDIR" timeout -k 5 300 node "$OLDPWD/tests/report/check_page.js" nameless.html "$OLDPWD/$BUILD/axe-core/package/axe.min.js"
    [[ $status -eq 1 && $output == *image-alt* ]]
}
